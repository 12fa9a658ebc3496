"""From a table to a trained model: what the columns mean, a network that fits them, and its training."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from inspect import signature
from pathlib import Path
from typing import Any, Literal

import numpy as np

from handgrad.data.batches import checked_seed
from handgrad.data.columns import Column
from handgrad.data.schema import Choices, Schema, fingerprint
from handgrad.data.stored import stored_table
from handgrad.data.tables import Table, files_of, read_table
from handgrad.data.weights import ClassWeights
from handgrad.errors import ModelError, SpecificationError
from handgrad.models.budget import Budget, bytes_of
from handgrad.models.model import Model
from handgrad.models.origin import Origin
from handgrad.models.prepared import Prepared, prepare
from handgrad.models.splits import Parting
from handgrad.models.stored_table import prepare_stored
from handgrad.nn.activations import Activation
from handgrad.nn.initializers import Initializer
from handgrad.nn.losses import LOSSES, Loss
from handgrad.nn.network import Dense, Network
from handgrad.nn.optimizers import AdamW, Optimizer
from handgrad.training.fit import fit
from handgrad.training.history import Fit
from handgrad.training.plan import DTYPE_OF_TABLES, DTYPES, EarlyStopping
from handgrad.training.resumption import Checkpoint

DEFAULT_HIDDEN = (100,)
"""One layer, and AdamW at its rate for tables: chosen on parts of the training rows (docs/quality.md)."""

# Tables are small as data for networks go; Glorot's smaller weights generalize better from them than He's.
DEFAULT_INITIALIZER = "glorot"

_OF_FIT = {name for name, of in signature(fit).parameters.items() if of.kind is of.KEYWORD_ONLY} - {"weights"}

_SMALL_BATCH, _LARGE_BATCH, _STEPS = 32, 1024, 320

_OUTPUT = {  # task: activation of the output, loss
    "binary": ("sigmoid", Loss("binary_cross_entropy")),
    "multiclass": ("softmax", Loss("cross_entropy")),
    "multilabel": ("sigmoid", Loss("binary_cross_entropy", outputs="mean")),
    "regression": ("identity", Loss("squared_error", outputs="mean")),
}


def fit_table(
    data: Any,
    target: str | Sequence[str],
    *,
    task: str | None = None,
    categorical: Collection[str] = (),
    numeric: Collection[str] = (),
    date: Collection[str] = (),
    text: Collection[str] = (),
    ignore: Collection[str] = (),
    scaling: str = "standard",
    missing: str = "mean",
    encode: Mapping[str, str] | None = None,
    class_weight: ClassWeights | None = None,
    weight: str | None = None,
    hidden: Sequence[int] = DEFAULT_HIDDEN,
    activation: Activation | str = "relu",
    dropout: float = 0.0,
    loss: Loss | str | None = None,
    initializer: Initializer | str = DEFAULT_INITIALIZER,
    optimizer: Optimizer | None = None,
    validation: Any = 0.1,
    test: float = 0.0,
    group: str | None = None,
    time: str | None = None,
    early_stopping: EarlyStopping | Literal["auto"] | None = "auto",
    batch_size: int | Literal["auto"] | None = "auto",
    seed: int = 0,
    memory: int | str | None = None,
    **training: Any,
) -> Model:
    """Trains a network on a table to predict its target column or columns; the keywords of `fit` apply.

    `validation` is the part of the rows that is kept for validation, or a table of its own; `test` the part that
    neither trains nor validates. Rows of one value of the column `group` stay together; by the column `time` the
    latest rows are kept. `class_weight` ('balanced', or a weight for each class) and `weight` (a column) say by how
    much a row counts in the loss; on average it is 1. `encode` says how the categories of a column become inputs:
    {"shop": "sparse"}, or onehot or effect; more than 200 are effects by themselves. `dropout` drops a part of the
    hidden units. `memory` ("1GiB") is the most that a training on files may take: their rows are streamed then.
    Means, deviations and categories come from the training rows alone. Early stopping is on where rows are kept for
    validation; batches grow with the table. Without an `optimizer` AdamW trains, at a rate of
    0.002. `dtype` is float32 unless 'float64' is asked for.

    >>> from handgrad.nn.optimizers import Adam
    >>> table = {"x": [0.0, 1.0, 2.0, 3.0], "y": [1.0, 3.1, 5.0, 6.9]}
    >>> model = fit_table(table, "y", hidden=(), validation=0, optimizer=Adam(0.1), epochs=300)
    >>> [round(float(value)) for value in model.predict({"x": [4.0]})]
    [9]

    Raises DataError for a table that cannot be trained on, SpecificationError for options that do not fit.
    """
    names = _names(target)
    named = {"categorical": categorical, "numeric": numeric, "date": date, "text": text, "ignore": ignore}
    choices = Choices(
        **{kind: _columns(kind, columns) for kind, columns in named.items()},
        scaling=scaling,
        missing=missing,
        class_weight=class_weight,
        weight=_named_column("weight", weight),
        encode=_encodings(encode),
    )
    unknown = [name for name in training if name not in _OF_FIT]
    if unknown:
        raise SpecificationError(f"there is no argument {unknown[0]!r}; fit has {', '.join(sorted(_OF_FIT))}")
    dtype = training["dtype"] = _dtype(training.get("dtype", DTYPE_OF_TABLES))
    part, other = _validation(validation, dtype)
    parting = Parting(part, _part("test", test), _named_column("group", group), _named_column("time", time))
    asked: dict[str, Any] = {
        "choices": choices,
        "parting": parting,
        "seed": checked_seed(seed),
        "dtype": dtype,
    }
    if memory is None:
        ready = prepare(read_table(data, single=dtype == "float32"), names, task, validation=other, **asked)
    else:
        ready = _on_disk(data, names, task, other, bytes_of(memory), asked)
    return fit_prepared(
        ready,
        network_for(
            ready.schema, hidden, activation=activation, dropout=dropout, loss=loss, initializer=initializer
        ),
        optimizer=optimizer or AdamW(AdamW.rate_for_tables),
        early_stopping=early_stopping,
        batch_size=batch_size,
        seed=seed,
        **training,
    )


def _on_disk(
    data: Any, names: Sequence[str], task: str | None, other: Table | None, memory: int, asked: dict[str, Any]
) -> Prepared:
    if other is not None or not files_of(data):
        raise SpecificationError(
            "memory is for a training on files, of which a part validates; give file names, and a part of the rows"
        )
    table = stored_table(data, single=asked["dtype"] == "float32")
    return prepare_stored(table, names, task, budget=Budget(memory), **asked)


def fit_prepared(
    ready: Prepared,
    network: Network,
    *,
    early_stopping: EarlyStopping | Literal["auto"] | None = "auto",
    batch_size: int | Literal["auto"] | None = "auto",
    checkpoint: tuple[int, Callable[[Model], object]] | None = None,
    resume: Model | None = None,
    **training: Any,
) -> Model:
    """Trains a network on a prepared table; the keywords of `fit` apply.

    `checkpoint`: every so many epochs the model so far is handed on. `resume`: an earlier model with the same
    options and data, whose training goes on.

    Raises ModelError where the earlier model was trained on other data.
    """
    path = ready.table.path
    file = None if path is None else str(path)
    origin = Origin(_fingerprint(ready), ready.rows, ready.left_out, file)

    def model_of(result: Fit) -> Model:
        if (
            not ready.fingerprint and len(ready.X) > ready.own
        ):  # the rows of a validation file are no rows of the training file
            result = replace(result, validation_rows=np.empty(0, np.int64))
        return Model(result, ready.schema, origin, ready.hashes)

    earlier = None
    if resume is not None:
        if resume.origin is None or resume.origin.fingerprint != origin.fingerprint:
            raise ModelError("the training cannot be resumed: the earlier model was trained on other data")
        earlier = replace(resume.fit, validation_rows=ready.split.validation)
    result = fit(
        network,
        ready.X,
        ready.Y,
        validation=ready.split,
        early_stopping=_stopping(early_stopping, ready.split.validation.size),
        batch_size=batch_for(len(ready.split.training)) if batch_size == "auto" else batch_size,
        checkpoint=None
        if checkpoint is None
        else Checkpoint(checkpoint[0], lambda so_far: checkpoint[1](model_of(so_far))),
        resume=earlier,
        weights=ready.weights,
        **({"dtype": ready.X.dtype.name} | training),
    )
    return model_of(result)


def _fingerprint(ready: Prepared) -> str:
    own = slice(ready.own)
    counts = None if ready.weights is None else ready.weights[own]
    return ready.fingerprint or fingerprint(ready.X[own], ready.Y[own], counts)


def _dtype(dtype: Any) -> str:
    try:
        name = str(np.dtype(dtype).name)
    except TypeError:
        name = str(dtype)
    if name not in DTYPES:
        raise SpecificationError(f"dtype must be one of {', '.join(DTYPES)}, got {dtype!r}")
    return name


def _validation(validation: Any, dtype: str) -> tuple[float, Table | None]:
    """(part of the rows, table of its own) that validate."""
    if isinstance(validation, str) and not Path(validation).exists():
        raise SpecificationError(
            f"validation must be a part of the rows, 0 <= part < 1, or a table; there is no file {validation!r}"
        )
    if validation is None or isinstance(validation, bool | int | float):
        return _part("validation", validation), None
    return 0.0, read_table(validation, single=dtype == "float32")


def _part(name: str, part: Any) -> float:
    if isinstance(part, bool) or not isinstance(part, int | float) or not 0 <= part < 1:
        raise SpecificationError(f"{name} must be a part of the rows, 0 <= part < 1, got {part!r}")
    return float(part)


def _named_column(name: str, column: Any) -> str | None:
    if column is not None and not isinstance(column, str | int):
        raise SpecificationError(f"{name} must be the name of a column, got {column!r}")
    return None if column is None else str(column)


def _names(target: Any) -> list[str]:
    """The names of the target columns; a number names the column of a pandas table that is called so."""
    several = [target] if isinstance(target, str | int) or not isinstance(target, Sequence) else list(target)
    if not several or not all(isinstance(name, str | int) and not isinstance(name, bool) for name in several):
        shown = f"a {type(target).__name__}" if len(repr(target)) > 80 else repr(target)
        raise SpecificationError(f"target must be the name of a column, or several, got {shown}")
    return [str(name) for name in several]


def _columns(kind: str, names: Any) -> tuple[str, ...]:
    """The columns that a keyword names; a single one may stand alone."""
    if isinstance(names, str | int):
        return (str(names),)
    try:
        return tuple(str(name) for name in names)
    except TypeError as error:
        raise SpecificationError(f"{kind} must be names of columns, got {names!r}") from error


def _encodings(encode: Any) -> dict[str, str]:
    if not isinstance(encode, Mapping | None) or not all(
        isinstance(one, str) for one in (encode or {}).values()
    ):
        raise SpecificationError(
            f'encode must give columns their encoding, as in {{"shop": "sparse"}}, got {encode!r}'
        )
    return {str(name): encoding for name, encoding in (encode or {}).items()}


def batch_for(rows: int) -> int:
    """32 rows a batch; more where an epoch would have more than some 300 steps, up to 1024.

    >>> batch_for(300), batch_for(1_000_000)
    (32, 1024)
    """
    batch = _SMALL_BATCH
    while batch < _LARGE_BATCH and rows > _STEPS * batch:
        batch *= 2
    return batch


def _stopping(rule: EarlyStopping | Literal["auto"] | None, validation: int) -> EarlyStopping | None:
    if rule == "auto":
        return EarlyStopping() if validation > 0 else None
    return rule


def network_for(
    schema: Schema,
    hidden: Sequence[int] = DEFAULT_HIDDEN,
    *,
    activation: Activation | str = "relu",
    dropout: float = 0.0,
    loss: Loss | str | None = None,
    initializer: Initializer | str = DEFAULT_INITIALIZER,
) -> Network:
    """Hidden layers of these widths between the schema's features and its outputs.

    Raises SpecificationError for a loss that cannot judge the task.
    """
    for name, value, kinds in (
        ("activation", activation, Activation),
        ("initializer", initializer, Initializer),
        ("loss", loss, Loss | None),
    ):
        if not isinstance(value, str | kinds):
            raise SpecificationError(f"{name} must be a name or described by one of its class, got {value!r}")
    if isinstance(hidden, str) or not isinstance(hidden, Sequence | np.ndarray):
        raise SpecificationError(
            f"hidden must be the widths of the hidden layers, as in [64, 32], got {hidden!r}"
        )
    task = schema.target.task
    last, usual = _OUTPUT[task]
    chosen = usual if loss is None else Loss(loss, outputs=usual.outputs) if isinstance(loss, str) else loss
    if task not in chosen.rule.tasks:
        fitting = ", ".join(name for name, rule in LOSSES.items() if task in rule.tasks)
        raise SpecificationError(f"the loss {chosen.name!r} cannot judge the task {task!r}; choose {fitting}")
    layers = [Dense(units, activation, dropout=dropout, initializer=initializer) for units in hidden]
    layers.append(Dense(schema.target.outputs, last))
    return Network(len(schema.features), layers, chosen, schema.gathered)


def unused(schema: Schema) -> tuple[Column, ...]:
    """The columns that were left out without being asked for."""
    return tuple(column for column in schema.ignored if not column.reason.startswith("as asked"))
