"""A table that does not fit the memory, made ready for training: its schema column by column, its rows on disk.

    1. each column in turn: what it means, its scale, and its features, into a scratch file of columns
    2. some rows at a time: the features of all columns beside each other, into a scratch file of rows, by which
       the training streams; their fingerprint and hashes on the way

Every number is that of the table in memory, to the last bit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from handgrad.data.batches import Split
from handgrad.data.columns import Column
from handgrad.data.fingerprints import row_hashes
from handgrad.data.rows import StoredRows
from handgrad.data.schema import Choices, Schema, decide, measured_schema
from handgrad.data.scratch import Scratch, free_space
from handgrad.data.stored import StoredTable
from handgrad.data.targets import Target
from handgrad.errors import DataError, OutputError
from handgrad.models.budget import BASE, HELD, Budget
from handgrad.models.prepared import Prepared, classes_of, complete_rows
from handgrad.models.splits import Parting, checked_parting, parted

_TOGETHER = 1 << 16
"""Rows of all columns that are in memory together."""

_MOST_KNOWN = 4_000_000
"""Rows that a model file knows again, at eight bytes each; of more it knows none."""


def prepare_stored(
    table: StoredTable,
    target: Sequence[str],
    task: str | None,
    *,
    choices: Choices,
    parting: Parting,
    seed: int,
    dtype: str,
    budget: Budget,
) -> Prepared:
    """As `handgrad.models.prepared.prepare`, with X on disk.

    Raises DataError for a table that cannot be trained on, or whose single columns are more than the memory.
    """
    _check_budget(table, budget)
    choices = choices.leaving(table, checked_parting(parting).group)
    kinds = decide(table, target, task, choices)
    present = kinds.target.present(table)
    if choices.missing in ("drop", "refuse"):
        present = complete_rows(table, kinds, choices.missing, present)
    left_out = int(np.sum(~present))
    if table.rows - left_out < 2:
        raise DataError(
            f"{table.source} has {table.rows - left_out} row with a target; training needs at least two"
        )
    kept = table.take(np.flatnonzero(present)) if left_out else table
    split, test = parted(kept, classes_of(kinds.target, kept), parting, seed)
    rows = split.training if len(split.training) < kept.rows else None
    schema = measured_schema(kept, kinds, rows, choices)
    weights = schema.weights(kept, dtype)
    goals = _goals(schema.target, kept)
    width = schema.width
    _check_disk(kept.rows, width, schema.target.outputs + 1, dtype, budget.folder)
    columns = [
        _encoded(kept, column, split.training, goals, dtype, seed, budget.folder) for column in schema.used
    ]
    kept.release()
    made = _as_rows(columns, width, goals, weights, split, kept.rows, dtype, budget)
    return Prepared(
        kept, kinds, schema, made.rows, None, split, table.rows, left_out, made.hashes, test, kept.rows,
        None, made.fingerprint,
    )  # fmt: skip


def stored_rows(
    schema: Schema, table: StoredTable, split: Split, dtype: str, seed: int, budget: Budget
) -> _Made:
    """The rows of a training once more, from its table."""
    keep = schema.training_rows(table)
    kept = table if len(keep) == table.rows else table.take(keep)
    goals = _goals(schema.target, kept)
    columns = [
        _encoded(kept, column, split.training, goals, dtype, seed, budget.folder) for column in schema.used
    ]
    width = schema.width
    return _as_rows(columns, width, goals, schema.weights(kept, dtype), split, kept.rows, dtype, budget)


def _check_budget(table: StoredTable, budget: Budget) -> None:
    needed = HELD * table.rows
    if needed > budget.memory:
        raise DataError(
            f"{table.source} has {table.rows:,} rows: to decide about one of its columns takes some {needed:,} bytes, "
            f"more than --memory allows ({budget.memory:,}); allow more"
        )


def _check_disk(rows: int, width: int, beside: int, dtype: str, folder: Path | None) -> None:
    needed = rows * (2 * width + beside) * np.dtype(dtype).itemsize
    if needed > free_space(folder):
        raise OutputError(
            f"{folder or 'the folder of temporary files'}: the scratch files of the training take {needed:,} bytes, "
            f"and {free_space(folder):,} are free; write the model where there is more room"
        )


@dataclass(frozen=True, eq=False)
class _Goals:
    """The encoded target some rows at a time; classes are kept as their numbers."""

    target: Target
    held: npt.NDArray[Any]

    def of(self, rows: slice) -> npt.NDArray[np.float64]:
        """As `Target.encode` (rows, outputs)."""
        part = self.held[rows]
        if self.target.task != "multiclass":
            return part.astype(np.float64)
        Y = np.zeros((len(part), self.target.outputs))
        Y[np.arange(len(part)), part[:, 0]] = 1.0
        return Y


def _goals(target: Target, table: StoredTable) -> _Goals:
    if target.is_regression:
        return _Goals(target, target.encode(table))
    kind = np.int8 if target.outputs < 1 << 7 else np.int32
    indices = [target.class_indices(table, j).astype(kind) for j in range(len(target.names))]
    return _Goals(target, np.column_stack(indices))


class _Features(NamedTuple):
    """The features of one column on disk; `fitted` where rows of the training have others (`data.effects`)."""

    scratch: Scratch
    fitted: Scratch | None


def _encoded(
    table: StoredTable,
    column: Column,
    training: Any,
    goals: _Goals,
    dtype: str,
    seed: int,
    folder: Path | None,
) -> _Features:
    width = column.width
    scratch, fill = Scratch(folder, width, dtype), column.filler(table)
    for start in range(0, table.rows, _TOGETHER):
        stop = min(start + _TOGETHER, table.rows)
        part = np.empty((stop - start, width), dtype)
        with np.errstate(over="ignore", invalid="ignore"):  # an error below
            fill(start, stop, part)
        finite = np.isfinite(part).all(axis=1)
        if not finite.all():
            raise DataError(
                f"{table.place(start + int(np.argmin(finite)), column.name)}: the number is too far from those of "
                "the training data; correct it or leave it empty"
            )
        scratch.write(start, part)
    if not column.effects:
        return _Features(scratch, None)
    Y = goals.of(slice(None))[training].astype(dtype).astype(np.float64)
    made, fitted = column.cross_fitted(table, training, Y, seed), Scratch(folder, Y.shape[1], dtype)
    fitted.write(0, made)
    return _Features(scratch, fitted)


class _Made(NamedTuple):
    rows: StoredRows
    hashes: Any
    fingerprint: str


def _as_rows(
    columns: Sequence[_Features],
    width: int,
    goals: _Goals,
    weights: Any,
    split: Split,
    count: int,
    dtype: str,
    budget: Budget,
) -> _Made:
    outputs = goals.target.outputs
    scratch = Scratch(budget.folder, width + outputs + (weights is not None), dtype)
    digest = hashlib.sha256(repr(((count, width), (count, outputs))).encode())
    hashes = Scratch(budget.folder, 1, np.uint64)
    trained = validated = 0
    for rows in _slices(count):
        X, Y = _beside(columns, rows, width, dtype), goals.of(rows).astype(dtype)
        own = slice(*np.searchsorted(split.training, (rows.start, rows.stop)))
        place = split.training[own] - rows.start
        hashes.write(trained, row_hashes(X[place], Y[place])[:, None])
        _put_fitted(X, columns, place, trained)
        digest.update(np.ascontiguousarray(X, X.dtype.newbyteorder("<")).data)
        whole = np.column_stack([X, Y] if weights is None else [X, Y, weights[rows]])
        held = slice(*np.searchsorted(split.validation, (rows.start, rows.stop)))
        scratch.write(trained, whole[place])
        scratch.write(len(split.training) + validated, whole[split.validation[held] - rows.start])
        trained, validated = trained + len(place), validated + (held.stop - held.start)
    for rows in _slices(count):
        Y = goals.of(rows).astype(dtype)
        digest.update(np.ascontiguousarray(Y, Y.dtype.newbyteorder("<")).data)
    if weights is not None:
        digest.update(np.ascontiguousarray(weights, weights.dtype.newbyteorder("<")).data)
    for features in columns:
        features.scratch.close()
    stored = StoredRows(scratch, width, outputs, split, weights is not None, _for_windows(count, budget))
    known = None if trained > _MOST_KNOWN else hashes.read(0, trained)[:, 0]
    hashes.close()
    return _Made(stored, known, digest.hexdigest())


def _slices(count: int) -> Iterator[slice]:
    return (slice(start, min(start + _TOGETHER, count)) for start in range(0, count, _TOGETHER))


def _beside(columns: Sequence[_Features], rows: slice, width: int, dtype: str) -> npt.NDArray[Any]:
    """X of some rows."""
    X, place = np.empty((rows.stop - rows.start, width), dtype), 0
    for features in columns:
        part = features.scratch.read(rows.start, rows.stop - rows.start)
        X[:, place : place + part.shape[1]] = part
        place += part.shape[1]
    return X


def _put_fitted(X: npt.NDArray[Any], columns: Sequence[_Features], rows: Any, first: int) -> None:
    """What rows of the training have in the place of effects that their own target is in."""
    place = 0
    for features in columns:
        if features.fitted is not None:
            X[rows, place : place + features.fitted.width] = features.fitted.read(first, len(rows))
        place += features.scratch.width


def _for_windows(rows: int, budget: Budget) -> int:
    """Bytes that are left for the windows of a training: beside the program, and the numbers of the rows."""
    return max(1 << 20, budget.memory - BASE - 24 * rows)
