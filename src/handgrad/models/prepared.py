"""A table made ready for training: what its columns mean, its arrays, and which rows train and validate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from handgrad.data import suspicions
from handgrad.data.batches import Split
from handgrad.data.cells import column_values, words
from handgrad.data.inspection import ColumnReport, Inspection, baseline
from handgrad.data.schema import Choices, Kinds, Schema, decide, measured_schema
from handgrad.data.stored import StoredTable
from handgrad.data.tables import Table
from handgrad.data.targets import Target
from handgrad.errors import DataError, SpecificationError
from handgrad.models.splits import Parting, checked_parting, parted
from handgrad.training.plan import DTYPE_OF_TABLES, DTYPES

_USUAL = Parting()

_LOOKED_AT = 100_000
"""Rows of a table on disk that are looked at for leaks."""


class Prepared(NamedTuple):
    """A table ready for training."""

    table: Table
    """Without the rows that are left out."""
    kinds: Kinds
    schema: Schema
    X: Any
    Y: Any
    split: Split
    rows: int
    """Rows of the whole table."""
    left_out: int
    """Rows without a target, or with a missing cell where those are dropped."""
    hashes: Any
    """By which the rows of the training are known again, in their order."""
    test: Any
    """The rows that are kept for a test."""
    own: int
    """Rows of X that come from this table; behind them stand those of a validation file."""
    weights: Any = None
    """By how much each row of X counts in the loss; None for all the same, and for rows on disk, which have it."""
    fingerprint: str = ""
    """Of rows on disk, which is known already."""


def prepare(
    table: Table,
    target: Sequence[str],
    task: str | None = None,
    *,
    choices: Choices | None = None,
    parting: Parting = _USUAL,
    validation: Table | None = None,
    seed: int = 0,
    dtype: str = DTYPE_OF_TABLES,
) -> Prepared:
    """The schema of a table, its arrays, and which rows train, validate and test.

    `validation` is a table of its own for that, beside which the parting keeps no rows to validate.

    Raises DataError for a table that cannot be trained on, SpecificationError for an unknown dtype.
    """
    if dtype not in DTYPES:
        raise SpecificationError(f"dtype must be one of {', '.join(DTYPES)}, got {dtype!r}")
    checked_parting(parting)
    choices = (choices or Choices()).leaving(table, parting.group)
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
    if validation is not None:
        parting = parting._replace(validation=0.0)
    split, test = parted(kept, classes_of(kinds.target, kept), parting, seed)
    rows = split.training if len(split.training) < kept.rows else None
    schema = measured_schema(kept, kinds, rows, choices)
    Y = schema.target.encode(kept).astype(dtype, copy=False)
    X, hashes = schema.encode_training(kept, dtype, split.training, Y, seed)
    weights = schema.weights(kept, dtype)
    ready = Prepared(kept, kinds, schema, X, Y, split, table.rows, left_out, hashes, test, kept.rows, weights)
    return ready if validation is None else _with_validation(ready, validation)


def _with_validation(ready: Prepared, table: Table) -> Prepared:
    """The same with the rows of another table behind its own, which validate."""
    schema, dtype = ready.schema, ready.X.dtype.name
    present = schema.target.present(table)
    kept = table if present.all() else table.take(np.flatnonzero(present))
    X, _ = schema.encode_as(kept, dtype)
    Y = schema.target.encode(kept).astype(dtype, copy=False)
    split = Split(ready.split.training, np.arange(ready.own, ready.own + kept.rows, dtype=np.int64))
    weights = ready.weights
    if weights is not None:
        weights = np.concatenate([weights, schema.weights(kept, dtype)])
    return ready._replace(
        X=np.concatenate([ready.X, X]), Y=np.concatenate([ready.Y, Y]), split=split, weights=weights
    )


def short(ready: Prepared) -> Inspection:
    """What was decided about a prepared table, without looking at its columns once more."""
    target, schema = ready.schema.target, ready.schema
    looked_at = ready.table.beginning(_LOOKED_AT) if isinstance(ready.table, StoredTable) else ready.table
    rows = np.arange(ready.table.rows)
    balance, trivial = baseline(ready.table, target, rows)
    warnings = [
        *ready.kinds.doubts,
        *(f"column {c.name!r} is not used: {c.reason}" for c in schema.ignored if "as asked" not in c.reason),
        *filter(None, [suspicions.balance(target, np.array([count for _, count in balance]))]),
        *suspicions.leaks(looked_at, schema.columns, target, np.arange(looked_at.rows)),
    ]
    kinds = {"number": "numeric", "category": "categorical"}
    columns = tuple(
        ColumnReport(c.name, kinds.get(c.kind, c.kind), c.kind != "ignored", 0, features=len(c.features))
        for c in schema.columns
    )
    return Inspection(
        ready.table.source,
        ready.rows,
        target.task,
        columns,
        tuple(warnings),
        balance,
        trivial,
        (
            *ready.table.remarks,
            *schema.encodings,
            *(() if schema.weighting is None else (schema.weighting.described(target),)),
        ),
        ready.left_out,
    )


def released(ready: Prepared) -> Prepared:
    """The same without the columns of its table, whose memory is free then."""
    return ready._replace(table=replace(ready.table, columns={}, parsed={}))


def complete_rows(table: Table, kinds: Kinds, choice: str, present: Any) -> Any:
    """The rows without a missing cell. Raises DataError at one of the others where they are refused."""
    complete = present.copy()
    for name, kind, _ in kinds.columns:
        if kind == "ignored":
            continue
        gone = _gone(table, name, kind)
        if choice == "refuse" and (gone & present).any():
            row = int(np.argmax(gone & present))
            raise DataError(
                f"{table.place(row, name)}: the cell is missing; fill it, or choose --missing mean, median or drop"
            )
        complete &= ~gone
    return complete


def _gone(table: Table, name: str, kind: str) -> Any:
    if kind == "category":
        return words(table, name).index < 0
    return np.isnan(column_values(table, name, kind))


def classes_of(target: Target, table: Table) -> Any:
    """What the split keeps in proportion: the classes of a single class target."""
    return target.class_indices(table) if target.task in ("binary", "multiclass") else None
