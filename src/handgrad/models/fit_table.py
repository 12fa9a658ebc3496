"""From a table to a trained model: what the columns mean, a network that fits them, and its training."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from handgrad.data.batches import Split, split_rows
from handgrad.data.columns import Column
from handgrad.data.schema import Schema, decide, fingerprint, measured_schema
from handgrad.data.tables import Table, read_table
from handgrad.data.targets import Target
from handgrad.errors import DataError, SpecificationError
from handgrad.models.model import Model
from handgrad.models.origin import Origin
from handgrad.nn.activations import Activation
from handgrad.nn.initializers import Initializer
from handgrad.nn.losses import LOSSES, Loss
from handgrad.nn.network import Dense, Network
from handgrad.nn.optimizers import Adam, Optimizer
from handgrad.training.fit import fit
from handgrad.training.plan import EarlyStopping

DEFAULT_RATE = 0.001

# Tables are small as data for networks go; Glorot's smaller weights generalize better from them than He's.
DEFAULT_INITIALIZER = "glorot"

_SMALL_BATCH, _LARGE_BATCH, _STEPS = 32, 1024, 320

_OUTPUT = {  # task: activation of the output, loss
    "binary": ("sigmoid", Loss("binary_cross_entropy")),
    "multiclass": ("softmax", Loss("cross_entropy")),
    "multilabel": ("sigmoid", Loss("binary_cross_entropy", outputs="mean")),
    "regression": ("identity", Loss("squared_error", outputs="mean")),
}


class Prepared(NamedTuple):
    """A table ready for training."""

    schema: Schema
    X: Any
    Y: Any
    split: Split
    left_out: int
    """Rows without a target."""


def fit_table(
    data: Any,
    target: str | Sequence[str],
    *,
    task: str | None = None,
    categorical: Collection[str] = (),
    numeric: Collection[str] = (),
    ignore: Collection[str] = (),
    hidden: Sequence[int] = (64, 32),
    activation: Activation | str = "relu",
    dropout: float = 0.0,
    loss: Loss | str | None = None,
    initializer: Initializer | str = DEFAULT_INITIALIZER,
    optimizer: Optimizer | None = None,
    validation: float = 0.1,
    early_stopping: EarlyStopping | Literal["auto"] | None = "auto",
    batch_size: int | Literal["auto"] | None = "auto",
    seed: int = 0,
    **training: Any,
) -> Model:
    """Trains a network on a table to predict its target column or columns; the keywords of `fit` apply.

    `dropout` is the part of the hidden units that is dropped. Means, deviations and categories come from the
    training rows alone. Early stopping is on where rows are kept for validation; batches grow with the table.

    >>> table = {"x": [0.0, 1.0, 2.0, 3.0], "y": [1.0, 3.1, 5.0, 6.9]}
    >>> model = fit_table(table, "y", hidden=(), validation=0, optimizer=Adam(0.1), epochs=300)
    >>> [round(float(value)) for value in model.predict({"x": [4.0]})]
    [9]

    Raises DataError for a table that cannot be trained on, SpecificationError for options that do not fit.
    """
    if not isinstance(target, Sequence) or not all(isinstance(name, str) for name in target):
        raise SpecificationError(f"target must be the name of a column, or several, got {target!r}")
    names = [target] if isinstance(target, str) else list(target)
    table = read_table(data)
    ready = prepare(
        table,
        names,
        task,
        categorical=categorical,
        numeric=numeric,
        ignore=ignore,
        validation=validation,
        seed=seed,
    )
    network = network_for(
        ready.schema, hidden, activation=activation, dropout=dropout, loss=loss, initializer=initializer
    )
    result = fit(
        network,
        ready.X,
        ready.Y,
        optimizer=optimizer or Adam(DEFAULT_RATE),
        validation=ready.split,
        early_stopping=_stopping(early_stopping, validation),
        batch_size=batch_for(len(ready.split.training)) if batch_size == "auto" else batch_size,
        seed=seed,
        **training,
    )
    file = None if table.path is None else str(table.path)
    origin = Origin(fingerprint(ready.X, ready.Y), table.rows, ready.left_out, file)
    return Model(result, ready.schema, origin)


def prepare(
    table: Table,
    target: Sequence[str],
    task: str | None = None,
    *,
    categorical: Collection[str] = (),
    numeric: Collection[str] = (),
    ignore: Collection[str] = (),
    validation: float = 0.1,
    seed: int = 0,
) -> Prepared:
    """The schema of a table, its arrays, and which rows train and validate.

    Raises DataError for a table that cannot be trained on.
    """
    kinds = decide(table, target, task, categorical=categorical, numeric=numeric, ignore=ignore)
    present = kinds.target.present(table)
    left_out = int(np.sum(~present))
    if table.rows - left_out < 2:
        raise DataError(
            f"{table.source} has {table.rows - left_out} row with a target; training needs at least two"
        )
    kept = table.take(np.flatnonzero(present)) if left_out else table
    split = split_rows(kept.rows, validation, seed, _classes(kinds.target, kept))
    schema = measured_schema(kept.take(split.training), kinds)
    X, _ = schema.encode(kept)
    return Prepared(schema, X, schema.target.encode(kept), split, left_out)


def _classes(target: Target, table: Table) -> Any:
    """What the split keeps in proportion: the classes of a single class target."""
    return target.class_indices(table) if target.task in ("binary", "multiclass") else None


def batch_for(rows: int) -> int:
    """32 rows a batch; more where an epoch would have more than some 300 steps, up to 1024.

    >>> batch_for(300), batch_for(1_000_000)
    (32, 1024)
    """
    batch = _SMALL_BATCH
    while batch < _LARGE_BATCH and rows > _STEPS * batch:
        batch *= 2
    return batch


def _stopping(rule: EarlyStopping | Literal["auto"] | None, validation: float) -> EarlyStopping | None:
    if rule == "auto":
        return EarlyStopping() if validation > 0 else None
    return rule


def network_for(
    schema: Schema,
    hidden: Sequence[int] = (64, 32),
    *,
    activation: Activation | str = "relu",
    dropout: float = 0.0,
    loss: Loss | str | None = None,
    initializer: Initializer | str = DEFAULT_INITIALIZER,
) -> Network:
    """Hidden layers of these widths between the schema's features and its outputs.

    Raises SpecificationError for a loss that cannot judge the task.
    """
    task = schema.target.task
    last, usual = _OUTPUT[task]
    chosen = usual if loss is None else Loss(loss, outputs=usual.outputs) if isinstance(loss, str) else loss
    if task not in chosen.rule.tasks:
        fitting = ", ".join(name for name, rule in LOSSES.items() if task in rule.tasks)
        raise SpecificationError(f"the loss {chosen.name!r} cannot judge the task {task!r}; choose {fitting}")
    layers = [Dense(units, activation, dropout=dropout, initializer=initializer) for units in hidden]
    return Network(len(schema.features), [*layers, Dense(schema.target.outputs, last)], chosen)


def unused(schema: Schema) -> tuple[Column, ...]:
    """The columns that were left out without being asked for."""
    return tuple(column for column in schema.ignored if column.reason != "as asked")
