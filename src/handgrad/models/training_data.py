"""The arrays that a training saw, made again from its file or its table."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from handgrad.data.arrays import sample_weights, samples
from handgrad.data.batches import Rows, Split
from handgrad.data.fingerprints import row_hashes
from handgrad.data.rows import Picked, Places
from handgrad.data.schema import Schema, fingerprint
from handgrad.data.some_rows import some_rows
from handgrad.data.stored import StoredTable
from handgrad.data.tables import Table, read_table
from handgrad.errors import HandgradError, ModelError, SpecificationError
from handgrad.models.budget import Budget
from handgrad.models.origin import Origin
from handgrad.models.stored_table import stored_rows
from handgrad.models.streaming import Asked
from handgrad.training.history import Fit
from handgrad.training.replay import rows_taken
from handgrad.training.streamed import StoredWeights, StoredX, StoredY


class TrainingData(NamedTuple):
    """The arrays that training saw; `file_rows` says which row of the file (from 0) each sample is."""

    X: Any
    Y: Any
    file_rows: Any
    weights: Any = None
    """By how much each sample counts in the loss; None for all the same."""
    remark: str = ""
    """What is to be said where not all of the data was read."""


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


_LARGE = 50_000
"""Of fewer rows all are read and compared."""


def of_steps(
    asked: Asked, fit: Fit, origin: Origin | None, data: Any, first: int, last: int
) -> TrainingData | None:
    """What the steps from `first` to `last` need of a large file, read without the other rows.

    Each row is compared with the 64-bit number that the model keeps of it at its place. None where the rows cannot be
    read or known again so: then all of the table is read and compared.
    """
    if not _is_file(data) or origin is None or not _are_steps(fit, first, last):
        return None
    rows, file, schema = _few_rows(asked, fit, origin, first, last), Path(data), asked.schema
    if rows is None:
        return None
    names = [column.name for column in schema.used] + list(schema.target.names)
    try:
        found = some_rows(file, rows, names, schema.reading, asked.dtype == "float32")
        if found is None or found[1] != origin.rows:
            return None
        table = found[0]
        X, _ = schema.encode_as(table, asked.dtype)
        Y = schema.target.encode(table).astype(asked.dtype, copy=False)
    except HandgradError:
        return None  # reading all of it says what is wrong, if anything is
    places = np.searchsorted(fit.training_rows, rows)
    if not np.array_equal(row_hashes(X, Y), asked.hashes[places]):
        return None
    weights = schema.weights(table, asked.dtype)
    remark = (
        f"of the {origin.rows:,} rows of {file}, the {len(rows):,} that these steps and those since the state kept "
        "before them took were read, and each is the row of the training; `handgrad verify` compares all"
    )
    return TrainingData(
        Picked(X, rows),
        Picked(Y, rows),
        Places(origin.rows),
        None if weights is None else Picked(weights, rows),
        remark,
    )


def one_row(asked: Asked, data: Any, row: int) -> Table:
    """A row of a table, read as it was for the training; of a large file without the others."""
    schema, single = asked.schema, asked.dtype == "float32"
    if _is_file(data):
        names = [column.name for column in schema.used] + list(schema.target.names)
        found = some_rows(Path(data), np.array([row]), names, schema.reading, single)
        if found is not None:
            return found[0]
    return read_table(data, schema.reading, single).take(np.array([row]))


def _is_file(data: Any) -> bool:
    return isinstance(data, str | os.PathLike) and "\0" not in os.fspath(data) and Path(data).is_file()


def _are_steps(fit: Fit, first: Any, last: Any) -> bool:
    return isinstance(first, int) and isinstance(last, int) and 1 <= first <= last <= fit.steps


def _few_rows(asked: Asked, fit: Fit, origin: Origin, first: int, last: int) -> Rows | None:
    """The rows that the steps need, where they are few of many and known again one by one."""
    schema, hashes = asked.schema, asked.hashes
    if origin.rows < _LARGE or origin.left_out or hashes is None:
        return None
    weighed_by_column = schema.weighting is not None and schema.weighting.column
    if weighed_by_column or any(column.effects for column in schema.used):
        return None
    # until 0.2 the numbers were kept in ascending order, which says nothing of places
    if len(hashes) != len(fit.training_rows) or bool((hashes[1:] > hashes[:-1]).all()):
        return None
    rows = rows_taken(fit, first, last)
    return rows if 2 * len(rows) < origin.rows else None


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
