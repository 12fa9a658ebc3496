"""The arrays that a training saw, made again from its file or its table."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from handgrad.data.arrays import sample_weights, samples
from handgrad.data.batches import Split
from handgrad.data.schema import Schema, fingerprint
from handgrad.data.stored import StoredTable
from handgrad.data.tables import Table
from handgrad.errors import ModelError, SpecificationError
from handgrad.models.budget import Budget
from handgrad.models.origin import Origin
from handgrad.models.stored_table import stored_rows
from handgrad.training.history import Fit
from handgrad.training.streamed import StoredWeights, StoredX, StoredY


class TrainingData(NamedTuple):
    """The arrays that training saw; `file_rows` says which row of the file (from 0) each sample is."""

    X: Any
    Y: Any
    file_rows: Any
    weights: Any = None
    """By how much each sample counts in the loss; None for all the same."""


def recorded_file(origin: Origin | None) -> Path:
    """The file that a training names as its own. Raises ModelError where it names none, or the file has moved."""
    if origin is None or origin.file is None:
        raise ModelError("the model does not name its training file; give the table with --data (data=...)")
    if not Path(origin.file).exists():
        raise ModelError(
            f"the training file {origin.file} is not there; give its new place with --data (data=...)"
        )
    return Path(origin.file)


def from_table(fit: Fit, schema: Schema, origin: Origin | None, table: Table) -> TrainingData:
    """The table as training encoded it. Raises ModelError where it is not the table of the training."""
    if fit.plan.block and isinstance(table, StoredTable):
        return _from_disk(fit, schema, origin, table)
    keep = schema.training_rows(table)
    kept = table if len(keep) == table.rows else table.take(keep)
    dtype = fit.plan.dtype
    Y = schema.target.encode(kept).astype(dtype, copy=False)
    if len(kept.columns) and fit.training_rows.max(initial=0) < kept.rows:
        X, _ = schema.encode_training(kept, dtype, fit.training_rows, Y, fit.plan.seed)
    else:  # fewer rows than trained: other data, which the fingerprint tells
        X, _ = schema.encode_as(kept, dtype)
    weights = schema.weights(kept, dtype)
    _check(origin, fingerprint(X, Y, weights), table)
    return TrainingData(X, Y, keep, weights)


def _check(origin: Origin | None, found: str, table: Table) -> None:
    if origin is not None and found != origin.fingerprint:
        raise ModelError(
            f"{table.source} is not the data of this training ({origin.rows} rows, fingerprint "
            f"{origin.fingerprint[:12]}); give the file as it was then"
        )


def _from_disk(fit: Fit, schema: Schema, origin: Origin | None, table: StoredTable) -> TrainingData:
    """The same for a training whose rows lay on disk: there they are put again."""
    if origin is not None and table.rows != origin.rows:
        _check(origin, "", table)
    split = Split(fit.training_rows, fit.validation_rows)
    made = stored_rows(schema, table, split, fit.plan.dtype, fit.plan.seed, Budget(1 << 30))
    _check(origin, made.fingerprint, table)
    weights = StoredWeights(made.rows) if made.rows.weighted else None
    return TrainingData(StoredX(made.rows), StoredY(made.rows), schema.training_rows(table), weights)


def from_arrays(fit: Fit, data: Any) -> TrainingData:
    """The arrays (X, Y) as training took them, or (X, Y, weights) where the samples had weights.

    Raises SpecificationError for anything else.
    """
    if not isinstance(data, tuple) or len(data) != 2 + fit.weighted:
        arrays = "(X, Y, weights)" if fit.weighted else "(X, Y)"
        raise SpecificationError(
            f"this model was trained on arrays, which it does not keep; give them again with data={arrays}"
        )
    X, Y = samples(fit.network, data[0], data[1], fit.plan.dtype)
    weights = sample_weights(data[2] if fit.weighted else None, len(X), fit.plan.dtype)
    return TrainingData(X, Y, np.arange(len(X)), weights)
