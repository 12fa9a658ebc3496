"""What a column means, and how it becomes features.

    number    (x - mean) / deviation                                         1 feature
    boolean   the same of 1 for true, 0 for false                            1 feature
    category  1 for its own category, 0 for the others                       1 feature a category
    date      days standardised; sine and cosine of the day in the year      3 features
    ignored   nothing                                                        0 features

A column in which cells were missing has one more feature, 1 where the cell is missing; the missing cell
itself takes the mean, or no category.
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from handgrad.data.cells import (
    TRUTH,
    Floats,
    as_text,
    column_days,
    column_numbers,
    column_truth,
    is_date,
    is_plain,
    is_text,
    parsed_dates,
    parsed_numbers,
    shortened,
)
from handgrad.data.tables import Table
from handgrad.errors import DataError

MOST_CATEGORIES = 200
"""The rarer categories of a column share none of its features."""

_YEAR = 365.2425
_QUIET = np.errstate(
    over="ignore", invalid="ignore"
)  # numbers near the end of float64 are told, not warned of
_ROW_NUMBER_NAMES = {"id", "index", "row", "rownames", "row_number", "rowid", "unnamed: 0", "column 1"}


class Column(msgspec.Struct, frozen=True, omit_defaults=True):
    """One column of the schema: its kind and the numbers that its encoding needs."""

    name: str
    kind: str
    mean: float = 0.0
    deviation: float = 1.0
    categories: tuple[str, ...] = ()
    missing: bool = False
    reason: str = ""

    def __post_init__(self) -> None:
        if self.kind not in ("category", "ignored", *MEASURES):
            raise ValueError(f"column {self.name!r} is of the unknown kind {self.kind!r}")
        if not (np.isfinite(self.mean) and 0 < self.deviation < np.inf):
            raise ValueError(f"column {self.name!r} has mean {self.mean} and deviation {self.deviation}")

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the features that this column gives."""
        flag = (f"{self.name} missing",) if self.missing else ()
        if self.kind == "category":
            return (*(f"{self.name}={category}" for category in self.categories), *flag)
        if self.kind == "date":
            return (self.name, f"{self.name} year sine", f"{self.name} year cosine", *flag)
        return () if self.kind == "ignored" else (self.name, *flag)

    def encode(self, table: Table) -> tuple[Floats, int]:
        """The features, shape (samples, features), and how many cells hold a category that was not known.

        Raises DataError where the column is missing or a cell does not fit its kind.
        """
        if self.kind == "category":
            return self._one_hot(table)
        if self.kind == "ignored":
            return np.empty((table.rows, 0)), 0
        values = MEASURES[self.kind](table, self.name)
        gone = np.isnan(values)
        features = [np.where(gone, 0.0, standardised(values, self.mean, self.deviation))]
        if self.kind == "date":
            angle = 2 * np.pi * np.where(gone, 0.0, values % _YEAR) / _YEAR
            features += [np.where(gone, 0.0, np.sin(angle)), np.where(gone, 0.0, np.cos(angle))]
        if self.missing:
            features.append(gone.astype(np.float64))
        return np.column_stack(features), 0

    def _one_hot(self, table: Table) -> tuple[Floats, int]:
        text = _category_text(table, self.name)
        found = pc.index_in(text, value_set=pa.array(self.categories, pa.string()))
        index = np.asarray(pc.fill_null(found, -1).to_numpy(zero_copy_only=False), int)
        valid = np.asarray(pc.is_valid(text).to_numpy(zero_copy_only=False), bool)
        features = np.zeros((len(index), len(self.features)))
        known = index >= 0
        features[np.flatnonzero(known), index[known]] = 1.0
        if self.missing:
            features[~valid, -1] = 1.0
        return features, int(np.sum(valid & ~known))


MEASURES = {"number": column_numbers, "boolean": column_truth, "date": column_days}
KINDS = ("number", "boolean", "category", "date", "ignored")


def standardised(values: Floats, mean: float, deviation: float) -> Floats:
    """(x - mean) / deviation; halved first, because x - mean may overflow. Too far away is infinite."""
    with np.errstate(over="ignore"):
        return np.asarray((values / 2 - mean / 2) / (deviation / 2))


def measured(values: Floats) -> tuple[float, float]:
    """Mean and standard deviation of the values that are there; deviation 0 where all are equal."""
    present = values[~np.isnan(values)]
    if present.size == 0 or present.min() == present.max():
        return (float(present[0]) if present.size else 0.0), 0.0
    largest = float(np.abs(present).max())
    mean = float((present / largest).mean()) * largest  # of shares, so that no sum can overflow
    mean += 2 * float((present / 2 - mean / 2).mean())
    distance = present / 2 - mean / 2
    furthest = float(np.abs(distance).max())
    deviation = 2 * furthest * float(np.sqrt(np.mean((distance / furthest) ** 2))) if furthest else 0.0
    return mean, deviation if np.finfo(np.float64).tiny <= deviation < np.inf else 0.0


def decide_kind(table: Table, name: str) -> tuple[str, str]:
    """(kind, reason) of a column from its cells; the reason says why a column is ignored.

    Raises DataError for a column of numbers in which some cells hold text.
    """
    column = table.column(name)
    if not is_plain(column):
        return "ignored", f"holds {column.type}"
    if column.null_count == len(column):
        return "ignored", "all cells are missing"
    if is_date(column):
        return "date", ""
    if pa.types.is_boolean(column.type):
        return "boolean", ""
    if is_text(column):
        return _kind_of_text(table, name, as_text(column))
    return _kind_of_number(name, column_numbers(table, name), whole=pa.types.is_integer(column.type))


def _kind_of_text(table: Table, name: str, text: pa.Array) -> tuple[str, str]:
    present = len(text) - text.null_count
    numbers, wrong = parsed_numbers(text, table.decimal_comma)
    if not wrong.any():
        column_numbers(table, name)  # refuses infinite ones
        present_numbers = numbers[~np.isnan(numbers)]
        return _kind_of_number(
            name, numbers, whole=bool(np.all(present_numbers == np.floor(present_numbers)))
        )
    if (
        int(wrong.sum()) <= present / 5 and present >= 5
    ):  # mostly numbers: the text is a mistake, not a category
        column_numbers(table, name)
    distinct = pc.unique(text.drop_null())
    if len(distinct) <= 12 and {value.as_py().lower() for value in distinct} <= set(TRUTH):
        return "boolean", ""
    if not parsed_dates(text.slice(0, 100))[1].any() and not parsed_dates(text)[1].any():
        return "date", ""
    if len(distinct) > 20 and len(distinct) > present / 2:
        return "ignored", f"{len(distinct)} different texts in {present} rows name the rows"
    return "category", ""


@_QUIET
def _kind_of_number(name: str, values: Floats, whole: bool) -> tuple[str, str]:
    present = values[~np.isnan(values)]
    if present.size == 0:
        return "ignored", "all cells are missing"
    counting = whole and present.size == values.size > 2 and bool(np.all(np.diff(present) == 1))
    if counting and present[0] in (0, 1):
        return "ignored", "counts the rows"
    if whole and name.strip().lower() in _ROW_NUMBER_NAMES and np.unique(present).size == present.size > 2:
        return "ignored", "names the rows"
    return "number", ""


@_QUIET
def measure(table: Table, name: str, kind: str, reason: str = "") -> Column:
    """The column with the numbers of its encoding, taken from this table (the training rows)."""
    if kind == "ignored":
        return Column(name, "ignored", reason=reason)
    if kind == "category":
        text = _category_text(table, name)
        categories = _most_frequent(text)
        if len(categories) < 2 and not text.null_count:
            return Column(name, "ignored", reason="is constant")
        return Column(name, "category", categories=categories, missing=bool(text.null_count))
    values = MEASURES[kind](table, name)
    mean, deviation = measured(values)
    missing = bool(np.isnan(values).any())
    if missing and bool(np.isnan(values).all()):
        return Column(name, "ignored", reason="all cells of the training rows are missing")
    if deviation == 0 and not missing:
        return Column(name, "ignored", reason="is constant")
    return Column(name, kind, mean=mean, deviation=deviation or 1.0, missing=missing)


def _most_frequent(text: pa.Array) -> tuple[str, ...]:
    """The categories in the order of the alphabet; only the most frequent where there are very many."""
    counts = pc.value_counts(text.drop_null())
    pairs = [(entry["counts"].as_py(), entry["values"].as_py()) for entry in counts]
    pairs.sort(key=lambda pair: (-pair[0], pair[1]))
    return tuple(sorted(value for _, value in pairs[:MOST_CATEGORIES]))


def _category_text(table: Table, name: str) -> pa.Array:
    column = table.column(name)
    if not is_plain(column):
        raise DataError(
            f"{table.source}, column {name!r} holds {column.type}, not categories; ignore the column"
        )
    return as_text(column)


def overridden(
    table: Table, categorical: Collection[str], numeric: Collection[str], ignore: Collection[str]
) -> dict[str, str]:
    """The kind of each column that the caller named.

    Raises DataError for a name that is not in the table or is given two kinds.
    """
    kinds: dict[str, str] = {}
    for kind, names in (("category", categorical), ("number", numeric), ("ignored", ignore)):
        for name in names:
            table.column(name)
            if kinds.setdefault(name, kind) != kind:
                raise DataError(
                    f"column {shortened(name)} is given two kinds, {kinds[name]} and {kind}; choose one"
                )
    return kinds
