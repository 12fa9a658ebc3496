"""From the cells of a column to numbers: numbers, truth values, dates, each or none of them."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from handgrad.data.tables import Table
from handgrad.errors import DataError

Floats: TypeAlias = npt.NDArray[np.float64]

NUMBER = r"^[+-]?((\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[iI]nf(inity)?)$"
TRUTH = {"true": 1.0, "yes": 1.0, "false": 0.0, "no": 0.0}
_DAY = 86_400_000_000.0  # microseconds


def is_text(column: pa.Array) -> bool:
    """True for a column of strings, in any of Arrow's representations."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def is_date(column: pa.Array) -> bool:
    """True for a column of dates or points in time."""
    return bool(pa.types.is_date(column.type) or pa.types.is_timestamp(column.type))


def is_plain(column: pa.Array) -> bool:
    """True for a column that holds one number, truth value, date or text per row."""
    kind = column.type
    return (
        is_text(column)
        or is_date(column)
        or bool(
            pa.types.is_integer(kind)
            or pa.types.is_floating(kind)
            or pa.types.is_decimal(kind)
            or pa.types.is_boolean(kind)
            or pa.types.is_null(kind)
            or pa.types.is_duration(kind)
            or pa.types.is_time(kind)
            or pa.types.is_dictionary(kind)
        )
    )


def as_text(column: pa.Array) -> pa.Array:
    """The column as strings, missing cells null; whole numbers without a decimal point."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_floating(column.type):
        values = numbers_of(column)
        texts = [None if np.isnan(v) else number_text(float(v)) for v in values]
        return pa.array(texts, pa.string())
    return column.cast(pa.string())


def number_text(value: float) -> str:
    """A number as a class or category is called: 3 for 3.0.

    >>> number_text(3.0), number_text(0.5)
    ('3', '0.5')
    """
    return str(int(value)) if np.isfinite(value) and value == int(value) else repr(value)


def numbers_of(column: pa.Array) -> Floats:
    """A column of numbers or truth values as float64, missing cells NaN; not for text."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_null(column.type):
        return np.full(len(column), np.nan)
    if pa.types.is_duration(column.type) or pa.types.is_time(column.type):
        column = column.cast(pa.int32() if column.type.bit_width == 32 else pa.int64())
    if pa.types.is_decimal(column.type) or pa.types.is_boolean(column.type):
        column = column.cast(pa.float64())
    if pa.types.is_integer(column.type):
        column = column.cast(pa.float64(), safe=False)  # beyond 2^53 the nearest float64
    return np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64)


def parsed_numbers(text: pa.Array, decimal_comma: bool = False) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """(values, wrong): float64 with NaN where missing; True where a cell holds text that is no number."""
    if decimal_comma:
        text = pc.replace_substring_regex(text, pattern=r"^([+-]?\d*),(\d+)$", replacement=r"\1.\2")
    numeric = pc.match_substring_regex(text, pattern=NUMBER)
    wrong = np.asarray(pc.fill_null(pc.invert(numeric), False).to_numpy(zero_copy_only=False), bool)
    kept = pc.replace_substring_regex(pc.if_else(numeric, text, None), pattern=r"^\+", replacement="")
    # Arrow's own parser refuses nothing that the pattern lets through, and rounds correctly
    values = kept.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return np.asarray(values, np.float64), wrong


def parsed_truth(text: pa.Array) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """(values, wrong) of text that says true, false, yes or no."""
    lowered = pc.utf8_lower(text)
    names = pa.array(list(TRUTH))
    found = pc.index_in(lowered, value_set=names)
    values = np.append(list(TRUTH.values()), np.nan)[
        np.asarray(pc.fill_null(found, len(TRUTH)).to_numpy(zero_copy_only=False), int)
    ]
    wrong = np.isnan(values) & np.asarray(pc.is_valid(text).to_numpy(zero_copy_only=False), bool)
    return values, wrong


def parsed_dates(text: pa.Array) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """(days since 1970-01-01, wrong) of text that holds ISO 8601 dates, with or without a time."""
    iso = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?$"
    shaped = np.asarray(
        pc.fill_null(pc.match_substring_regex(text, pattern=iso), False).to_numpy(zero_copy_only=False), bool
    )
    days = np.full(len(text), np.nan)
    for row in np.flatnonzero(shaped):
        days[row] = _days(text[row].as_py())
    valid = np.asarray(pc.is_valid(text).to_numpy(zero_copy_only=False), bool)
    return days, valid & np.isnan(days)


def _days(text: str) -> float:
    from datetime import UTC, datetime

    try:
        moment = datetime.fromisoformat(text)
    except ValueError:  # the thirtieth of February
        return float("nan")
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return (aware - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() / 86_400


def days_of(column: pa.Array) -> Floats:
    """A column of dates or points in time as days since 1970-01-01, missing cells NaN."""
    stamps = column.cast(pa.timestamp("us", tz=getattr(column.type, "tz", None)), safe=False)
    counts = stamps.cast(pa.int64())
    days = np.asarray(pc.fill_null(counts, 0).to_numpy(zero_copy_only=False), np.float64) / _DAY
    days[np.asarray(pc.is_null(column).to_numpy(zero_copy_only=False), bool)] = np.nan
    return days


def column_numbers(table: Table, name: str) -> Floats:
    """A column that must hold numbers, as float64 with NaN where missing.

    Raises DataError at the first cell that is no number, or is infinite.
    """
    column = table.column(name)
    if not is_text(column):
        if is_date(column) or not is_plain(column):
            raise DataError(
                f"{table.source}, column {name!r} holds {column.type}, not numbers; ignore the column"
            )
        values, wrong = numbers_of(column), None
    else:
        values, wrong = parsed_numbers(as_text(column), table.decimal_comma)
    if wrong is not None and wrong.any():
        row = int(np.argmax(wrong))
        raise DataError(
            f"{table.place(row, name)}: {_quoted(column, row)} is not a number; correct it, leave it empty "
            f"if it is missing, or train with --categorical {name!r} or --ignore {name!r}"
        )
    infinite = np.isinf(values)
    if infinite.any():
        row = int(np.argmax(infinite))
        raise DataError(
            f"{table.place(row, name)}: {_quoted(column, row)} is not a finite number; "
            "correct it or leave it empty if it is missing"
        )
    return values


def column_truth(table: Table, name: str) -> Floats:
    """A column that must hold truth values (true, false, yes, no, 1, 0), as 1, 0 and NaN where missing.

    Raises DataError at the first cell that is none of them.
    """
    column = table.column(name)
    if is_text(column):
        values, wrong = parsed_truth(as_text(column))
        numbers, not_numbers = parsed_numbers(as_text(column))
        values = np.where(wrong, numbers, values)
        wrong = wrong & not_numbers
    else:
        values = column_numbers(table, name)
        wrong = np.zeros(len(values), bool)
    wrong = wrong | ~(np.isnan(values) | (values == 0) | (values == 1))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise DataError(
            f"{table.place(row, name)}: {_quoted(column, row)} is not one of true, false, yes, no"
        )
    return values


def column_days(table: Table, name: str) -> Floats:
    """A column that must hold dates, as days since 1970-01-01 with NaN where missing.

    Raises DataError at the first cell that is no date.
    """
    column = table.column(name)
    if is_date(column):
        return days_of(column)
    days, wrong = parsed_dates(as_text(column))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise DataError(
            f"{table.place(row, name)}: {_quoted(column, row)} is not a date; write it as 2026-12-31 "
            "or 2026-12-31T23:59:59"
        )
    return days


def _quoted(column: pa.Array, row: int) -> str:
    return shortened(str(column[row].as_py()))


def shortened(text: str, most: int = 40) -> str:
    """A cell as messages quote it."""
    return repr(text if len(text) <= most else text[: most - 3] + "...")
