"""Predictions and metrics of a table that does not fit the memory (`handgrad.models.blocks`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
import pyarrow as pa

from handgrad.data.fingerprints import row_hashes
from handgrad.data.reading import Reading
from handgrad.data.rows import Taken
from handgrad.data.schema import Schema
from handgrad.data.stored import StoredTable, stored_table, streams
from handgrad.engines.forecaster import Forecaster
from handgrad.errors import DataError, ModelError, SpecificationError
from handgrad.models.blocks import Block, Reader
from handgrad.models.budget import Budget
from handgrad.models.metrics import Evaluation
from handgrad.models.predictions import prediction_columns
from handgrad.models.tallies import Stored, tally_of
from handgrad.nn.arrays import Array
from handgrad.training.score import check_finite
from handgrad.training.streamed import scored

_KEPT = 64
"""Bytes for each row that the ranks or the residuals of one column take at the end."""


@dataclass(frozen=True)
class Asked:
    """A finished model, as far as predictions need it."""

    schema: Schema
    forecaster: Forecaster
    dtype: str
    hashes: Any
    """By which rows of the training are known again; None where they are not."""

    @cached_property
    def known(self) -> Array:
        """The hashes in order, for all blocks of a stream."""
        return np.sort(self.hashes)


def stored_for(
    asked: Asked, data: Any, reading: Reading | None = None, budget: Budget | None = None
) -> StoredTable:
    """Files whose rows are to be streamed, read as the training file was, or as `reading` says.

    Raises SpecificationError for what cannot be streamed.
    """
    if isinstance(data, StoredTable):
        return data
    if not streams(data):
        raise SpecificationError(
            "only files of CSV, Parquet, Feather or Arrow can be streamed; leave memory out"
        )
    folder = None if budget is None else budget.folder
    return stored_table(data, reading or asked.schema.reading, asked.dtype == "float32", folder)


class Predictions:
    """The tables that `handgrad predict` writes, one for some rows that follow each other.

    `beside` are columns of the data that stand before the predictions. What is to be said of cells is in `remarks`
    after the last table.
    """

    def __init__(
        self, asked: Asked, table: StoredTable, budget: Budget, threshold: float, beside: Sequence[str] = ()
    ) -> None:
        self._asked, self._threshold = asked, threshold
        self._reader = Reader(asked.schema, table, budget, beside)

    @property
    def remarks(self) -> tuple[str, ...]:
        """About categories that were not known and cells that do not fit."""
        return self._reader.remarks

    def __iter__(self) -> Iterator[pa.Table]:
        target = self._asked.schema.target
        for block in self._reader.blocks():
            X, _ = self._asked.schema.encode_as(block.table, self._asked.dtype)
            outputs = self._asked.forecaster.forecast(X).outputs
            with np.errstate(over="ignore"):  # an error below
                units = target.values(outputs) if target.is_regression else outputs
            check_finite("the data", units, block.first)
            made = prediction_columns(target, outputs, self._threshold)
            yield pa.table({**{n: c for n, c in block.beside.items() if n not in made}, **made})


def evaluated(asked: Asked, table: StoredTable, budget: Budget, threshold: float) -> Evaluation:
    """The metrics on the rows that have a target, and a class that the model knows.

    All are those of the table in memory, to the rounding of their sums (the loss is added up in the model's dtype).

    Raises DataError for data that does not fit, ModelError where no row can be judged.
    """
    schema = asked.schema
    if _KEPT * table.rows > budget.memory:
        raise DataError(
            f"{table.source} has {table.rows:,} rows: their ranks or residuals take some {_KEPT * table.rows:,} bytes, "
            f"more than --memory allows ({budget.memory:,}); allow more"
        )
    reader = Reader(schema, table, budget, targets=True)
    tally = tally_of(schema.target, threshold, partial(Stored, budget.folder))
    sums, rows, seen = 0.0, 0, 0
    for block in reader.blocks():
        if not block.table.rows:
            continue
        X, Y = _encoded(asked, block)
        made = asked.forecaster.forecast(X, Y)
        check_finite(table.source, made.outputs, block.first)
        tally.add(made.outputs, Y)
        loss = asked.forecaster.network.loss
        mean = loss is not None and loss.samples == "mean"
        sums += (np.nan if made.loss is None else made.loss) * (len(X) if mean else 1)
        rows, seen = rows + len(X), seen + known_again(asked, X, Y)
    if table.rows == reader.missing:
        raise ModelError(f"{table.source}: no row has a value of the target {', '.join(schema.target.names)}")
    if not rows:
        raise ModelError(f"{table.source}: no row has a class that was in the training data")
    total = sums / rows if mean else sums
    return replace(
        tally.evaluation(total if np.isfinite(total) else None),
        left_out=reader.missing,
        unknown=reader.strange,
        seen=seen,
        remarks=(*schema.on_weights, *reader.remarks),
    )


def evaluated_rows(asked: Asked, taken: Taken) -> Evaluation:
    """The metrics on rows of a training on disk, some thousand of them in memory at a time."""
    network = asked.forecaster.network
    made = scored(network, asked.forecaster.parameters, asked.forecaster.engine, taken, weighted=False)
    truth = np.concatenate([part.arrays()[1] for part in taken.parts()]).astype(np.float64)
    tally = tally_of(asked.schema.target)
    tally.add(made.outputs, truth)
    return replace(tally.evaluation(made.loss), remarks=asked.schema.on_weights)


def _encoded(asked: Asked, block: Block) -> tuple[Array, Array]:
    X, _ = asked.schema.encode_as(block.table, asked.dtype)
    return X, asked.schema.target.encode(block.table)


def known_again(asked: Asked, X: Array, Y: Array) -> int:
    """How many of these encoded rows equal a row of the training."""
    if asked.hashes is None or not len(asked.hashes):
        return 0
    found = row_hashes(X.astype(asked.dtype), Y.astype(asked.dtype))
    nearest = np.searchsorted(asked.known, found).clip(max=len(asked.known) - 1)
    return int((asked.known[nearest] == found).sum())
