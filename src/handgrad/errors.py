"""The one hierarchy of errors.

    HandgradError
    ├── SpecificationError   a network, loss, optimizer or option that cannot be
    ├── ShapeError           arrays that do not fit each other
    ├── DataError            a table or a column that cannot be used
    ├── CaseError            a case file with a wrong key or value
    ├── ModelError           a model file that cannot be read
    ├── TrainingError        training that cannot go on (a loss that is not finite)
    ├── VerificationError    a worked record whose numbers do not agree with its equations
    ├── RenderError          a document that cannot be written
    ├── OutputError          a file that cannot be written
    └── MissingExtraError    an optional library that is not installed

Each message names the place, what was expected, what came, and the remedy.
"""


class HandgradError(Exception):
    """Root of all errors that handgrad raises on purpose; the command line exits with status 2.

    >>> import handgrad as hg
    >>> try:
    ...     hg.Activation("sin")
    ... except hg.HandgradError as error:
    ...     print(str(error)[:24])
    unknown activation 'sin'
    """


class SpecificationError(HandgradError, ValueError):
    """A network, loss, optimizer or option that cannot be."""


class ShapeError(HandgradError, ValueError):
    """Arrays whose shapes do not fit each other."""


class DataError(HandgradError, ValueError):
    """A table, a column or a target that cannot be used."""


class CaseError(HandgradError, ValueError):
    """A case file with a wrong key or value."""


class ModelError(HandgradError, ValueError):
    """A model file that cannot be read, or does not fit the data."""


class TrainingError(HandgradError, ArithmeticError):
    """Training that cannot go on."""


class VerificationError(HandgradError, ArithmeticError):
    """A worked record whose numbers do not agree with its equations."""


class RenderError(HandgradError):
    """A document that cannot be written."""


class OutputError(HandgradError, OSError):
    """A file that cannot be written."""


class MissingExtraError(HandgradError, ImportError):
    """An optional library that is not installed.

    >>> print(MissingExtraError("pdf output", "docs"))
    pdf output needs an optional library; install it with: pip install 'handgrad[docs]'
    """

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(
            f"{what} needs an optional library; install it with: pip install 'handgrad[{extra}]'"
        )
