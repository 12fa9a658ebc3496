"""What the reader of a sheet chooses."""

from __future__ import annotations

from dataclasses import dataclass, field

from handgrad.errors import RenderError
from handgrad.writing.letter_parts import NUMERALS, Notation

PARTS = (
    "problem",
    "forward",
    "loss",
    "backward",
    "update",
    "changes",
    "matrices",
    "formulas",
    "shapes",
    "gradient_check",
    "training",
)
"""The parts of a sheet, in the order in which they stand."""
TEXTBOOK = (
    "flow",
    "roles",
    "vectors",
    "unit",
    "composition",
    "errors",
    "losses",
    "two_terms",
    "entries",
    "delta",
    "neuron",
    "braces",
    "activations",
    "assignments",
    "variants",
    "loop",
    "scalar_or_matrix",
    "summary",
    "takeaways",
)
"""What textbooks say beside the calculation, in the order in which it stands; `textbook` is all of it."""
DEFAULT_PARTS = frozenset(("problem", "forward", "loss", "backward", "update", "changes"))
ALL_OF_TEXTBOOK = "textbook"
"""The name that stands for all of `TEXTBOOK`."""
DETAILS = ("brief", "matrix", "scalar")
ALSO = {"summary": "brief"}
"""Other names of a detail."""
DEFAULT_DIGITS = 4
SMALLEST_LIMIT = 3


@dataclass(frozen=True)
class Settings:
    """Choices for `lay_out`.

    `digits`: decimals (None: what the case asks for, else 4), or `significant` digits in their place;
    `digits_of` has other decimals for single quantities, by public name (W1_new, loss). `notation` and
    `decimal` None: as the case and the language have them. `detail`: brief, matrix, scalar. `parts`: which of
    `PARTS` and `TEXTBOOK`. `most_rows`, `most_columns`: a matrix beyond them is elided, a sum beyond `most_terms`;
    `most_entries`: rows of the table of changes for one parameter. `figures`: draw pictures.
    `focus`: nothing but the path to this entry (W2[0,1]). `numerals`: the script of the
    digits, latin or bengali. `certify`: every digit as that of the exact value.

    Raises RenderError for a choice that cannot be.
    """

    digits: int | None = None
    significant: int | None = None
    digits_of: tuple[tuple[str, int], ...] = ()
    notation: Notation | None = None
    language: str | None = None
    detail: str = "matrix"
    parts: frozenset[str] = field(default=DEFAULT_PARTS)
    most_rows: int = 6
    most_columns: int = 6
    most_terms: int = 8
    most_entries: int = 12
    decimal: str | None = None
    figures: bool = True
    focus: str | None = None
    numerals: str = "latin"
    certify: bool = False

    def __post_init__(self) -> None:
        if self.detail not in DETAILS:
            raise RenderError(f"detail must be one of {', '.join(DETAILS)}, got {self.detail!r}")
        for part in sorted(self.parts):
            if part not in (*PARTS, *TEXTBOOK):
                known = ", ".join((*PARTS, *TEXTBOOK))
                raise RenderError(f"there is no part {part!r}; choose from {known}, textbook")
        if self.numerals not in NUMERALS:
            raise RenderError(f"numerals must be one of {', '.join(NUMERALS)}, got {self.numerals!r}")
        if self.decimal not in (None, ".", ","):
            raise RenderError(f"the decimal point is '.' or ',', got {self.decimal!r}")
        for name in ("most_rows", "most_columns", "most_terms", "most_entries"):
            if getattr(self, name) < SMALLEST_LIMIT:
                raise RenderError(f"{name} must be at least {SMALLEST_LIMIT}, got {getattr(self, name)}")
