"""From the cells of a column to numbers: numbers, truth values, dates, each or none of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from handgrad.data import written_dates, written_numbers, written_truth
from handgrad.data.delimited import given_marks
from handgrad.data.reading import MISSING, MISSING_AMONG_NUMBERS
from handgrad.data.tables import Table
from handgrad.data.words import Bools, Floats, Words, bools, number_text, words_of
from handgrad.errors import DataError

__all__ = ["Floats", "number_text"]

TOLERATED = 0.01
"""Up to this part of a column may be cells that do not fit; they are taken as missing, and said."""

_DAY = 86_400_000_000.0  # microseconds


class Parsed(NamedTuple):
    """A column as numbers: `values` (rows,) with NaN where missing, `bad` the rows that hold something else."""

    values: Floats
    bad: npt.NDArray[np.int64]
    how: Any = None
    """What was found about the writing: Numbers or Dates."""


def is_text(column: pa.Array | pa.ChunkedArray) -> bool:
    """True for a column of strings, in any of Arrow's representations."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def is_date(column: pa.Array | pa.ChunkedArray) -> bool:
    """True for a column of dates or points in time."""
    return bool(pa.types.is_date(column.type) or pa.types.is_timestamp(column.type))


def is_plain(column: pa.Array | pa.ChunkedArray) -> bool:
    """True for a column that holds one number, truth value, date or text per row."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    kinds = (
        pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_boolean, pa.types.is_null,
        pa.types.is_duration, pa.types.is_time,
    )  # fmt: skip
    return is_text(column) or is_date(column) or any(holds(kind) for holds in kinds)


def missing_markers(table: Table) -> tuple[str, ...]:
    """What says in this table that a value is missing, in columns of every kind."""
    return (*MISSING, *table.reading.missing)


def words(table: Table, name: str) -> Words:
    """A column as words; whole numbers without a decimal point.

    Raises DataError for a column of lists and the like.
    """
    key = ("words", name)
    if key not in table.parsed:
        column = table.column(name)
        if not is_plain(column):
            raise DataError(
                f"{table.source}, column {name!r} holds {column.type}, not categories; ignore the column"
            )
        if is_text(column):
            table.parsed[key] = words_of(column, missing_markers(table))
        else:
            table.parsed[key] = _words_of_numbers(column)
    found: Words = table.parsed[key]
    return found


def _words_of_numbers(column: pa.Array | pa.ChunkedArray) -> Words:
    if isinstance(column, pa.ChunkedArray):
        joined = column.combine_chunks()
        column = joined.chunk(0) if isinstance(joined, pa.ChunkedArray) else joined
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_floating(column.type):
        values = numbers_of(column)
        distinct, index = np.unique(values, return_inverse=True)
        known = ~np.isnan(distinct)
        names = pa.array([number_text(float(v)) for v in distinct[known]], pa.string())
        place = np.where(known, np.cumsum(known) - 1, -1).astype(np.int32)
        return Words(names, place[index])
    encoded = column.dictionary_encode()
    index = np.asarray(pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False), np.int32)
    return Words(encoded.dictionary.cast(pa.string()), index)


def numbers_of(column: pa.Array | pa.ChunkedArray) -> Floats:
    """A column of numbers or truth values as float64, missing cells NaN; not for text."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_null(column.type):
        return np.full(len(column), np.nan)
    if pa.types.is_duration(column.type) or pa.types.is_time(column.type):
        column = column.cast(pa.int32() if column.type.bit_width == 32 else pa.int64())
    if pa.types.is_decimal(column.type) or pa.types.is_boolean(column.type):
        column = column.cast(pa.float64())
    if pa.types.is_integer(column.type):
        column = column.cast(pa.float64(), safe=False)  # beyond 2^53 the nearest float64
    return np.asarray(numpy_of(column), np.float64)


def numpy_of(column: pa.Array | pa.ChunkedArray) -> npt.NDArray[Any]:
    """A column as a NumPy array, where it lies in one piece without a copy."""
    if isinstance(column, pa.ChunkedArray) and column.num_chunks == 1:
        column = column.chunk(0)
    if isinstance(column, pa.ChunkedArray):
        return np.asarray(column.to_numpy())
    return np.asarray(column.to_numpy(zero_copy_only=False))


def parsed(table: Table, name: str, kind: str, order: str = "") -> Parsed:
    """A column read as numbers, truth values or dates; what does not fit is `bad`, and nothing is raised.

    `order` is that of day and month where the texts leave it open.

    Raises DataError for a column whose type can hold none of them.
    """
    key = (kind, name, order)
    if key in table.parsed:
        found: Parsed = table.parsed[key]
        return found
    column = table.column(name)
    made = (_parsed_words if is_text(column) else _parsed_typed)(table, name, kind, order)
    if is_text(column) or kind == "date":
        table.parsed[key] = made
    return made


def _parsed_typed(table: Table, name: str, kind: str, order: str) -> Parsed:
    column, none = table.column(name), np.empty(0, np.int64)
    if is_date(column) and kind == "date":
        return Parsed(days_of(column), none, _typed_dates(column))
    if is_date(column) or not is_plain(column):
        raise DataError(
            f"{table.source}, column {name!r} holds {column.type}, not numbers; ignore the column"
        )
    if kind == "date":
        return _parsed_words(table, name, kind, order)  # 20100113, read as a number
    values = numbers_of(column)
    if kind != "boolean":
        return Parsed(values, none)
    bad = ~(np.isnan(values) | (values == 0) | (values == 1))
    return Parsed(np.where(bad, np.nan, values), np.flatnonzero(bad))


def _typed_dates(column: pa.Array | pa.ChunkedArray) -> written_dates.Dates:
    none = np.empty(0)
    timed = pa.types.is_timestamp(column.type)
    return written_dates.Dates(none, none.astype(bool), time=bool(timed and (days_of(column) % 1 > 0).any()))


def _parsed_words(table: Table, name: str, kind: str, order: str) -> Parsed:
    text = words(table, name)
    values, wrong, how = _READ[kind](table, text, order)
    wrong &= ~among_numbers(text.values)
    return Parsed(text.spread(values, np.nan), text.rows(wrong), how)


def among_numbers(values: pa.Array) -> Bools:
    """True for texts that mean a missing value in a column of numbers."""
    return bools(pc.is_in(values, value_set=pa.array(MISSING_AMONG_NUMBERS, values.type)))


def _read_numbers(table: Table, text: Words, order: str) -> tuple[Floats, Bools, Any]:
    numbers = written_numbers.parse(
        text.values, text.counts, decimal_hint(table, text), given_marks(table.reading)
    )
    return numbers.values, numbers.wrong, numbers


def decimal_hint(table: Table, text: Words) -> str | None:
    """The decimal mark to prefer where the texts leave it open: that of the file; a comma between semicolons."""
    if table.decimal is not None:
        return table.decimal
    semicolons = any(part.dialect is not None and part.dialect.delimiter == ";" for part in table.parts)
    if semicolons and bools(pc.match_substring(text.values, ",")).any():
        return ","
    return None


def _read_truth(table: Table, text: Words, order: str) -> tuple[Floats, Bools, Any]:
    values, wrong = written_truth.parse(text.values)
    for word, value in (("1", 1.0), ("0", 0.0), ("1.0", 1.0), ("0.0", 0.0)):
        same = bools(pc.equal(text.values, word))
        values, wrong = np.where(same, value, values), wrong & ~same
    return values, wrong, None


def _read_dates(table: Table, text: Words, order: str) -> tuple[Floats, Bools, Any]:
    slashes = "day-first" if table.decimal == "," else "month-first"
    dates = written_dates.parse(text.values, text.counts, table.reading.dates, order, slashes)
    return dates.values, dates.wrong, dates


_READ: dict[str, Callable[[Table, Words, str], tuple[Floats, Bools, Any]]] = {
    "number": _read_numbers,
    "boolean": _read_truth,
    "date": _read_dates,
}


def days_of(column: pa.Array | pa.ChunkedArray) -> Floats:
    """A column of dates or points in time as days since 1970-01-01, missing cells NaN."""
    zone = column.type.tz if pa.types.is_timestamp(column.type) else None
    counts = column.cast(pa.timestamp("us", tz=zone), safe=False).cast(pa.int64())
    days = np.asarray(numpy_of(pc.fill_null(counts, 0)), np.float64) / _DAY
    days[np.asarray(numpy_of(pc.is_null(column)), bool)] = np.nan
    return days


class _Wanted(NamedTuple):
    """How an error calls what a cell of a kind is."""

    what: str
    remedy: str


_WANTED = {
    "number": _Wanted(
        "a number",
        "correct it, leave it empty if it is missing, or train with --categorical {name} or --ignore {name}",
    ),
    "boolean": _Wanted("one of true, false, yes, no, 1, 0", "correct it, or leave it empty if it is missing"),
    "date": _Wanted(
        "a date", "write it as 2026-12-31 or 2026-12-31T23:59:59, or leave it empty if it is missing"
    ),
}


def column_values(table: Table, name: str, kind: str, order: str = "") -> Floats:
    """A column that must hold numbers, truth values or dates, as float64 with NaN where missing.

    A few cells that do not fit (`TOLERATED`) are missing; `odd_cells` names them.

    Raises DataError at the first cell that does not fit where there are more, or that is infinite.
    """
    made = parsed(table, name, kind, order)
    present = table.rows - int(np.count_nonzero(np.isnan(made.values))) + len(made.bad)
    if len(made.bad) > TOLERATED * present:
        row, wanted = int(made.bad[0]), _WANTED[kind]
        raise DataError(
            f"{table.place(row, name)}: {cell_text(table, name, row)} is not {wanted.what}; "
            f"{wanted.remedy.format(name=repr(name))}"
        )
    infinite = np.isinf(made.values)
    if infinite.any():
        row = int(np.argmax(infinite))
        raise DataError(
            f"{table.place(row, name)}: {cell_text(table, name, row)} is not a finite number; "
            "correct it or leave it empty if it is missing"
        )
    return made.values


def column_numbers(table: Table, name: str) -> Floats:
    """A column that must hold numbers; see `column_values`."""
    return column_values(table, name, "number")


def column_truth(table: Table, name: str) -> Floats:
    """A column that must hold truth values (true, false, yes, no, 1, 0) as 1 and 0; see `column_values`."""
    return column_values(table, name, "boolean")


def column_days(table: Table, name: str) -> Floats:
    """A column that must hold dates, as days since 1970-01-01; see `column_values`."""
    return column_values(table, name, "date")


def odd_cells(table: Table, name: str, kind: str, most: int = 3) -> str:
    """The remark about the cells of a column that do not fit its kind; empty where all do."""
    bad = parsed(table, name, kind).bad
    if not len(bad):
        return ""
    shown = ", ".join(f"{cell_text(table, name, int(row))} in {table.line(int(row))}" for row in bad[:most])
    more = f" and {len(bad) - most} more" if len(bad) > most else ""
    what = _WANTED[kind].what
    return f"{len(bad)} cell{'s are' if len(bad) > 1 else ' is'} not {what}: {shown}{more}"


def cell_text(table: Table, name: str, row: int) -> str:
    """A cell as messages quote it."""
    return shortened(str(table.column(name)[row].as_py()).strip())


def shortened(text: str, most: int = 40) -> str:
    """A text as messages quote it."""
    return repr(text if len(text) <= most else text[: most - 3] + "...")
