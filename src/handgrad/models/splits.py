"""Which rows train, validate and test: at random, by groups that stay together, or by time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from handgrad.data.batches import Split, split_rows
from handgrad.data.cells import parsed, words
from handgrad.data.kinds import find_kind
from handgrad.data.tables import Table
from handgrad.errors import DataError, SpecificationError

_GROUPS = 0x6120  # keeps the generator of groups and folds apart from the others

Rows = npt.NDArray[np.int64]


class Parting(NamedTuple):
    """How the rows are parted; `validation` and `test` are parts of all rows."""

    validation: float = 0.1
    test: float = 0.0
    group: str | None = None
    """Column whose rows of one value stay together."""
    time: str | None = None
    """Column of dates or numbers whose latest rows validate, or test."""
    folds: int = 0
    fold: int = 0
    """With folds: which of them validates, counted from 0."""


class Parted(NamedTuple):
    """The split of the training, and the rows that are kept for a test."""

    split: Split
    test: Rows


def checked_parting(parting: Parting) -> Parting:
    """The same. Raises SpecificationError for what cannot be asked for together."""
    if parting.group is not None and parting.time is not None:
        raise SpecificationError("rows are parted by groups or by time, not by both; choose one")
    if not 0 <= parting.test < 1 or parting.test + parting.validation >= 1:
        raise SpecificationError(
            f"validation and test are parts of the rows and leave some for training, got {parting.validation} "
            f"and {parting.test}"
        )
    if parting.folds == 1 or parting.folds < 0:
        raise SpecificationError(f"folds are at least 2, got {parting.folds}")
    return parting


def parted(table: Table, classes: Any, parting: Parting, seed: int) -> Parted:
    """The rows of a table by `parting`; `classes` (rows,) keep their proportions where rows are drawn at random.

    Raises DataError where a part would be empty.
    """
    rows = np.arange(table.rows, dtype=np.int64)
    if parting.folds:
        held = _fold(table, classes, parting, seed)
        return Parted(Split(rows[~held], rows[held]), rows[:0])
    if parting.group is None and parting.time is None and not parting.test:
        return Parted(split_rows(table.rows, parting.validation, seed, classes), rows[:0])
    test = _taken(table, rows, classes, parting, parting.test, seed)
    rest = np.setdiff1d(rows, test)
    part = parting.validation * len(rows) / len(rest)
    validation = _taken(table, rest, classes, parting, part, seed + 1)
    return Parted(Split(np.setdiff1d(rest, validation), validation), test)


def _taken(table: Table, rows: Rows, classes: Any, parting: Parting, part: float, seed: int) -> Rows:
    """A part of these rows."""
    if part == 0:
        return rows[:0]
    wanted = max(1, round(part * len(rows)))
    if parting.time is not None:
        when = _order(table, parting.time)[rows]
        taken = rows[np.argsort(when, kind="stable")[-wanted:]]
    elif parting.group is not None:
        group = _groups(table, parting.group)[rows]
        shuffled = np.random.default_rng([seed, _GROUPS]).permutation(int(group.max()) + 1)
        sizes = np.cumsum(np.bincount(group, minlength=len(shuffled))[shuffled])
        taken = rows[np.isin(group, shuffled[: int(np.searchsorted(sizes, wanted)) + 1])]
    else:
        taken = rows[split_rows(len(rows), part, seed, None if classes is None else classes[rows]).validation]
    if len(taken) >= len(rows):
        raise DataError(
            f"{table.source}: no row is left for training; choose a smaller part, or other columns"
        )
    return np.sort(taken)


def _fold(table: Table, classes: Any, parting: Parting, seed: int) -> npt.NDArray[np.bool_]:
    """True for the rows of the fold that validates."""
    generator = np.random.default_rng([seed, _GROUPS, parting.folds])
    if parting.time is not None:
        rank = np.empty(table.rows, np.int64)
        rank[np.argsort(_order(table, parting.time), kind="stable")] = np.arange(table.rows)
        number = rank * parting.folds // table.rows
    elif parting.group is not None:
        group = _groups(table, parting.group)
        number = generator.permutation(int(group.max()) + 1)[group] % parting.folds
    else:  # of each class the same part: in the order of the classes every k-th row
        shuffled = generator.permutation(table.rows)
        order = shuffled if classes is None else shuffled[np.argsort(classes[shuffled], kind="stable")]
        number = np.empty(table.rows, np.int64)
        number[order] = np.arange(table.rows) % parting.folds
    held = number == parting.fold
    if not held.any() or held.all():
        raise DataError(f"{table.source}: {parting.folds} folds are more than there are groups or rows")
    return np.asarray(held)


def folds_of(parting: Parting) -> Iterator[Parting]:
    """One parting for each fold."""
    return (parting._replace(fold=fold) for fold in range(parting.folds))


def _groups(table: Table, name: str) -> Rows:
    """A number from 0 for the group of each row; a missing one is a group of its own."""
    return words(table, name).index.astype(np.int64) + 1


def _order(table: Table, name: str) -> npt.NDArray[np.float64]:
    """By what the rows are ordered in time. Raises DataError for a column that is neither dates nor numbers."""
    kind = find_kind(table, name).kind
    if kind not in ("date", "numeric", "identifier"):
        raise DataError(
            f"{table.source}: column {name!r} is {kind}, rows are parted in time by dates or numbers"
        )
    values = parsed(table, name, "date" if kind == "date" else "number").values
    if np.isnan(values).any():
        row = int(np.argmax(np.isnan(values)))
        raise DataError(
            f"{table.place(row, name)}: the cell is missing, so that its row has no place in time"
        )
    return values
