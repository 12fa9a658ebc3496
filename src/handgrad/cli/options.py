"""Options that several verbs share, and those that name one row of a table and its parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from handgrad.data.reading import Reading
from handgrad.data.schema import Choices
from handgrad.data.weights import read_class_weights
from handgrad.errors import SpecificationError

T = TypeVar("T")

_READING, _COLUMNS = "Reading the file", "What the columns mean"

Delimiter = Annotated[
    str | None,
    typer.Option(help="Between the cells: one character, or tab or space; found.", rich_help_panel=_READING),
]
Header = Annotated[
    bool | None,
    typer.Option(
        "--header/--no-header", help="The first line names the columns; found.", rich_help_panel=_READING
    ),
]
Encoding = Annotated[
    str | None, typer.Option(help="utf-8, utf-16, latin-1, cp1252, ...; found.", rich_help_panel=_READING)
]
Decimal = Annotated[str | None, typer.Option(help="Decimal mark, . or ,; found.", rich_help_panel=_READING)]
Thousands = Annotated[
    str | None,
    typer.Option(help="Mark between thousands: , . ' or a space; found.", rich_help_panel=_READING),
]
Dates = Annotated[
    str | None,
    typer.Option(help="day-first or month-first, for 1/2/2010; found.", rich_help_panel=_READING),
]
MissingMarker = Annotated[
    list[str] | None,
    typer.Option(help="A further text that means missing, such as -999.", rich_help_panel=_READING),
]
Categorical = Annotated[
    list[str] | None, typer.Option(help="Column of categories, whatever it holds.", rich_help_panel=_COLUMNS)
]
Numeric = Annotated[
    list[str] | None, typer.Option(help="Column of numbers, whatever it holds.", rich_help_panel=_COLUMNS)
]
DateColumn = Annotated[
    list[str] | None,
    typer.Option("--date", help="Column of dates, whatever it holds.", rich_help_panel=_COLUMNS),
]
TextColumn = Annotated[
    list[str] | None,
    typer.Option("--text", help="Column of free text; it is left out.", rich_help_panel=_COLUMNS),
]
Ignore = Annotated[list[str] | None, typer.Option(help="Column to leave out.", rich_help_panel=_COLUMNS)]
Scaling = Annotated[
    str,
    typer.Option(
        help="Of numbers: standard (mean, deviation), robust (median, quartiles) or quantile.",
        rich_help_panel=_COLUMNS,
    ),
]
Missing = Annotated[
    str,
    typer.Option(
        help="What stands for a missing number beside a feature that says so: mean or median; drop leaves the "
        "rows out, refuse makes an error of them.",
        rich_help_panel=_COLUMNS,
    ),
]

Encode = Annotated[
    list[str] | None,
    typer.Option(
        help="How categories become inputs, COLUMN=onehot, sparse (a row of weights each) or effect (the target's "
        "mean); by itself effect from 201 categories on.",
        rich_help_panel=_COLUMNS,
    ),
]
ClassWeight = Annotated[
    str | None,
    typer.Option(
        help="By how much the rows of each class count: balanced, or a file of classes and weights (.toml, .json, "
        ".csv).",
        rich_help_panel=_COLUMNS,
    ),
]
Weight = Annotated[
    str | None,
    typer.Option(help="Column whose numbers say by how much each row counts.", rich_help_panel=_COLUMNS),
]

Memory = Annotated[
    str | None,
    typer.Option(
        help="The most memory that may be taken, as in 1GiB: files are streamed then, as they are by themselves where "
        "they do not fit."
    ),
]

_NAMED = {"tab": "\t", "\\t": "\t", "space": " ", "comma": ",", "semicolon": ";", "pipe": "|"}


def reading(
    delimiter: str | None = None,
    header: bool | None = None,
    encoding: str | None = None,
    decimal: str | None = None,
    thousands: str | None = None,
    dates: str | None = None,
    missing_marker: Sequence[str] | None = None,
) -> Reading:
    """What the flags say about the reading of a file.

    Raises SpecificationError for a mark or an encoding that cannot be.
    """
    mark = None if delimiter is None else _NAMED.get(delimiter.lower(), delimiter)
    return Reading(mark, header, encoding, decimal, thousands, dates, tuple(missing_marker or ()))


def table_name(data: Path | Sequence[Path]) -> Any:
    """What `read_table` takes: one name, or several that are one table."""
    if isinstance(data, Path | str):
        return data
    return data[0] if len(data) == 1 else list(data)


def columns_named(names: Sequence[str], there: Sequence[str]) -> list[str]:
    """The columns that a flag names; `a,b` names two, unless a column is called so."""
    return [part for name in names for part in ([name] if name in there else name.split(","))]


def choices(
    there: Sequence[str],
    named: Mapping[str, Sequence[str] | None],
    scaling: str,
    missing: str,
    class_weight: str | None,
    weight: str | None,
    encode: Sequence[str] | None = None,
) -> Choices:
    """What the flags say about the columns `there`; `named` has the columns of each kind."""
    columns = {kind: columns_named(names or (), there) for kind, names in named.items()}
    weights = None if class_weight is None else read_class_weights(class_weight)
    return Choices(
        **columns,
        scaling=scaling,
        missing=missing,
        class_weight=weights,
        weight=weight,
        encode=dict(map(_encoding, encode or ())),
    )


def _encoding(text: str) -> tuple[str, str]:
    """`shop=sparse`: the column and how its categories become inputs."""
    column, equals, encoding = text.rpartition("=")
    if not equals or not column:
        raise SpecificationError(f"--encode must be COLUMN=ENCODING, as in shop=sparse, got {text!r}")
    return column, encoding


def described(option: str, text: str, make: Callable[..., T], defaults: Mapping[str, Any] | None = None) -> T:
    """The object that `name:key=value,key=value` describes; `make` takes the name and the keys.

    >>> from handgrad.nn.schedules import Schedule
    >>> described("--schedule", "step:every=10,factor=0.5", Schedule).every
    10

    Raises SpecificationError for a key that the name does not have or a value of the wrong kind.
    """
    name, _, rest = text.partition(":")
    given: dict[str, Any] = {}
    for pair in filter(None, rest.split(",")):
        key, equals, value = pair.partition("=")
        if not equals:
            raise SpecificationError(f"{option}: {pair!r} must be KEY=VALUE, as in {name}:{pair}=0.5")
        given[key.strip()] = _value(value.strip())
    try:
        return make(name.strip(), **{**(defaults or {}), **given})
    except SpecificationError as error:
        raise SpecificationError(f"{option}: {error}") from error
    except TypeError as error:
        raise SpecificationError(
            f"{option}: {name!r} does not have {', '.join(given) or text} in this form"
        ) from error


def _value(text: str) -> Any:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:  # then it is the next kind, at last a word
            continue
    return text


def whole_numbers(option: str, text: str) -> list[int]:
    """`64,32` as numbers; `none` is none at all.

    >>> whole_numbers("--hidden", "64,32")
    [64, 32]

    Raises SpecificationError for anything else.
    """
    if text.strip().lower() in ("", "none"):
        return []
    try:
        return [int(part) for part in text.split(",")]
    except ValueError as error:
        raise SpecificationError(
            f"{option} must be whole numbers with commas, as in 64,32, got {text!r}"
        ) from error
