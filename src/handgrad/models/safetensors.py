"""The model file: one .safetensors, arrays by name and one JSON header, no pickle, sealed by a SHA-256.

W1 b1 ...                 the parameters that predict
W1.m b1.m ...             the optimizer's state, by its slots
snapshot.0.W1 ...         where training stood, for replay
rows.training ...         which samples trained, which validated
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import safetensors.numpy
from safetensors import SafetensorError

from handgrad.data.schema import Schema
from handgrad.errors import HandgradError, ModelError, SpecificationError
from handgrad.files import read_whole
from handgrad.models.origin import Origin
from handgrad.models.seal import OPEN, is_whole, sealed
from handgrad.nn.activations import Activation
from handgrad.nn.arrays import Array
from handgrad.nn.clipping import Clipping
from handgrad.nn.dropout import Dropout
from handgrad.nn.initializers import Initializer
from handgrad.nn.losses import Loss
from handgrad.nn.network import Dense, LayerParameters, Network
from handgrad.nn.optimizers import OPTIMIZERS, Optimizer, OptimizerState
from handgrad.nn.regularization import Regularization
from handgrad.nn.step import Recipe, Training
from handgrad.training.history import Epoch, Fit, Snapshot
from handgrad.training.plan import Plan
from handgrad.version import __version__

FORMAT = 2
_KEY = "handgrad"

Tensors = dict[str, Array]


class _Layer(msgspec.Struct, forbid_unknown_fields=True):
    units: int
    activation: Activation
    initializer: Initializer
    bias: str
    dropout: Dropout | None
    given: tuple[str, ...]
    """Which of W and b were given by the caller; they are kept as `given.W1`."""


class _Format(msgspec.Struct):
    """What is read first, of any version."""

    format: int


class _Header(msgspec.Struct, forbid_unknown_fields=True):
    sha256: str
    """Of the whole file; see `handgrad.models.seal`."""
    format: int
    version: str
    inputs: int
    layers: tuple[_Layer, ...]
    loss: Loss | None
    optimizer: dict[str, Any]
    regularization: Regularization
    clipping: Clipping
    plan: Plan
    history: tuple[Epoch, ...]
    snapshots: tuple[int, ...]
    """The step of each snapshot."""
    last_is_result: bool
    """True where the last snapshot is the result itself, and is not written twice."""
    engine: str
    metric: str
    ended: str
    best_epoch: int | None
    weighted: bool
    rest: int
    """With rows on disk: how many rows there are, all of which train but those that validate; else 0, and
    `rows.training` says which."""
    schema: Schema | None
    origin: Origin | None
    gathered: tuple[int, ...] | msgspec.UnsetType = msgspec.UNSET
    """How many of the last inputs each column of categories stands for; not written where there is none."""


class Contents(NamedTuple):
    """What a model file holds: the training, the schema of its table, where its data came from."""

    fit: Fit
    schema: Schema | None = None
    origin: Origin | None = None
    hashes: Array | None = None
    """By which the rows of the training are known again (`handgrad.data.fingerprints`)."""


def packed(contents: Contents) -> bytes:
    """The bytes of a model file; the same training gives the same bytes, so no clock is in them.

    Raises ModelError for a header longer than the format allows.
    """
    fit, network = contents.fit, contents.fit.network
    last_is_result = fit.snapshots[-1].training is fit.training
    tensors = _all_tensors(contents)
    header = _Header(
        OPEN,
        FORMAT,
        __version__,
        network.inputs,
        tuple(_layer(layer) for layer in network.layers),
        network.loss,
        {"name": fit.recipe.optimizer.name, **msgspec.to_builtins(fit.recipe.optimizer)},
        fit.recipe.regularization,
        fit.recipe.clipping,
        fit.plan,
        tuple(line._replace(seconds=0.0) for line in fit.history),
        tuple(snapshot.step for snapshot in fit.snapshots),
        last_is_result,
        fit.engine,
        fit.metric,
        fit.ended,
        fit.best_epoch,
        fit.weighted,
        _rest(fit),
        contents.schema,
        contents.origin,
        network.gathered or msgspec.UNSET,
    )
    contiguous = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    text = msgspec.json.encode(header).decode()
    try:
        return sealed(bytes(safetensors.numpy.save(contiguous, {_KEY: text})))
    except SafetensorError as error:
        raise ModelError(
            f"the description of the model (columns, categories, history) takes {len(text):,} bytes, more than "
            f"a model file holds ({error}); ignore columns of long texts"
        ) from error


def _all_tensors(contents: Contents) -> Tensors:
    """Every array of the file by its name."""
    fit = contents.fit
    optimizer, last_is_result = fit.recipe.optimizer, fit.snapshots[-1].training is fit.training
    tensors: Tensors = dict(_tensors(optimizer, fit.training))
    for place, snapshot in enumerate(fit.snapshots[:-1] if last_is_result else fit.snapshots):
        tensors |= {f"snapshot.{place}.{name}": a for name, a in _tensors(optimizer, snapshot.training)}
    for l, layer in fit.network.numbered():
        tensors |= {f"given.{name}{l}": getattr(layer, name) for name in _given(layer)}
    training = fit.training_rows[:0] if _rest(fit) else fit.training_rows
    tensors |= {"rows.training": training, "rows.validation": fit.validation_rows}
    return tensors if contents.hashes is None else tensors | {"rows.hashes": contents.hashes}


def _rest(fit: Fit) -> int:
    """How many rows there are where all but those that validate train, on disk; else 0."""
    count = len(fit.training_rows) + len(fit.validation_rows)
    last = max((int(rows[-1]) for rows in (fit.training_rows, fit.validation_rows) if len(rows)), default=-1)
    return count if fit.plan.block and last == count - 1 else 0


def _given(layer: Dense) -> tuple[str, ...]:
    return tuple(name for name in ("W", "b") if getattr(layer, name) is not None)


def _layer(layer: Dense) -> _Layer:
    assert isinstance(layer.initializer, Initializer)
    return _Layer(layer.units, layer.function, layer.initializer, layer.bias, layer.dropout, _given(layer))


def _tensors(optimizer: Optimizer, training: Training) -> Iterator[tuple[str, Array]]:
    for l, (layer, (W_state, b_state)) in enumerate(zip(training.parameters, training.state, strict=True), 1):
        yield f"W{l}", layer.W
        yield f"b{l}", layer.b
        for slot, of_W, of_b in zip(optimizer.slots, W_state, b_state, strict=True):
            yield f"W{l}.{slot}", of_W
            yield f"b{l}.{slot}", of_b


def checked_path(path: Any) -> Path:
    """The name of a model file. Raises SpecificationError for what is no name."""
    if not isinstance(path, str | os.PathLike):
        raise SpecificationError(f"a model file is named by text or a path, got {path!r}")
    return Path(path)


def unpacked(name: Any) -> Contents:
    """The contents of a model file. Raises ModelError for a file that is missing, torn or not a handgrad model."""
    path = checked_path(name)
    try:
        data = read_whole(path)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ModelError(
            f"{path} cannot be read: {reason}; give a file that `handgrad train -o` wrote"
        ) from error
    try:
        tensors, text = _opened(data)
    except (SafetensorError, ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        raise ModelError(
            f"{path} is not a whole .safetensors file ({error}); save or copy the model again"
        ) from error
    if text is None:
        raise ModelError(f"{path} was not written by handgrad; give a file that `handgrad train -o` wrote")
    try:
        number = msgspec.json.decode(text, type=_Format).format
        if number != FORMAT:
            raise ModelError(
                f"{path} has model format {number}, this version of handgrad reads {FORMAT}; "
                + ("update handgrad" if number > FORMAT else "train the model again")
            )
        if not is_whole(data):
            raise ValueError(
                "its SHA-256 is not that of its bytes, so it was altered or torn after it was written"
            )
        header = msgspec.json.decode(text, type=_Header)
        # nested parts may have keys that are not read; written again, they would be missing
        if json.loads(text, object_pairs_hook=_once) != json.loads(msgspec.json.encode(header)):
            raise ValueError("its header holds keys or values that handgrad does not write")
        return _contents(header, tensors)
    except ModelError:
        raise
    except (msgspec.DecodeError, HandgradError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise ModelError(f"{path} is damaged: {error}; train or copy the model again") from error


def _opened(data: bytes) -> tuple[Tensors, str | None]:
    """The tensors, and the text of handgrad's header; None where there is none."""
    tensors: Tensors = safetensors.numpy.load(data)
    size = int.from_bytes(data[:8], "little")
    metadata = json.loads(data[8 : 8 + size], object_pairs_hook=_once).get("__metadata__") or {}
    if _KEY in metadata and len(metadata) > 1:
        raise ValueError(f"its metadata holds {', '.join(metadata)}")
    return tensors, metadata.get(_KEY)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a key stands twice in its header")
    return made


def _contents(header: _Header, tensors: Tensors) -> Contents:
    network = Network(
        header.inputs,
        [_dense(l, layer, tensors) for l, layer in enumerate(header.layers, 1)],
        header.loss,
        () if header.gathered is msgspec.UNSET else header.gathered,
    )
    options = dict(header.optimizer)
    rule = OPTIMIZERS[options.pop("name")]
    if not options.keys() <= rule.__dataclass_fields__.keys():
        raise ValueError(f"its optimizer has the keys {', '.join(options)}")
    optimizer = msgspec.convert(options, rule)
    recipe = Recipe(optimizer, header.regularization, header.clipping)
    training = _training(network, optimizer, header.plan.dtype, tensors, "")
    written = header.snapshots[:-1] if header.last_is_result else header.snapshots
    snapshots = [
        Snapshot(step, _training(network, optimizer, header.plan.dtype, tensors, f"snapshot.{place}."))
        for place, step in enumerate(written)
    ]
    if header.last_is_result:
        snapshots.append(Snapshot(header.snapshots[-1], training))
    if not snapshots or snapshots[0].step != 1 or list(header.snapshots) != sorted(set(header.snapshots)):
        raise ValueError("its snapshots are not in order")
    rows = {name: _rows(tensors, f"rows.{name}") for name in ("training", "validation")}
    if header.rest:
        rows["training"] = np.setdiff1d(np.arange(header.rest), rows["validation"], assume_unique=True)
    _check_schema(header, network)
    _check_rows(header.origin, rows)
    _check_history(header, len(rows["training"]))
    fit = Fit(
        network,
        recipe,
        header.plan,
        training,
        header.history,
        tuple(snapshots),
        rows["training"],
        rows["validation"],
        header.engine,
        header.metric,
        header.ended,
        header.best_epoch,
        header.weighted,
    )
    contents = Contents(fit, header.schema, header.origin, _hashes(tensors))
    expected = _all_tensors(contents).keys()
    if tensors.keys() != expected:
        raise ValueError(
            f"it holds the tensors {', '.join(sorted(tensors.keys() ^ expected))} against its header"
        )
    return contents


def _hashes(tensors: Tensors) -> Array | None:
    hashes = tensors.get("rows.hashes")
    if hashes is not None and (hashes.ndim != 1 or hashes.dtype != np.uint64):
        raise ValueError("rows.hashes must hold 64-bit numbers")
    return hashes


def _check_schema(header: _Header, network: Network) -> None:
    schema = header.schema
    if schema is None:
        return
    target = schema.target
    made = (len(schema.features), schema.gathered, target.outputs)
    if made != (network.inputs, network.gathered, network.outputs):
        raise ValueError("its schema does not fit its network")
    if target.shares and len(target.shares) != len(target.classes[0]):
        raise ValueError("the target does not have one share for each of its classes")
    least = {"multiclass": 2, "binary": 2, "multilabel": 2}.get(target.task, 0)
    most = {"binary": 2, "multilabel": 2}.get(target.task, network.outputs)
    for name, classes in zip(target.names, target.classes, strict=bool(target.classes)):
        if len(set(classes)) != len(classes) or not least <= len(classes) <= most:
            raise ValueError(
                f"the {len(classes)} classes of {name!r} do not fit its {network.outputs} outputs"
            )
    if not target.is_regression and len(target.classes) != len(target.names):
        raise ValueError("its target has no list of classes for each of its columns")
    if target.is_regression and not len(target.means) == len(target.deviations) == len(target.names):
        raise ValueError("its target has no mean and deviation for each of its columns")
    names = [*(column.name for column in schema.columns), *target.names]
    if len(set(names)) != len(names):
        raise ValueError("a column stands twice in its schema")


def _check_history(header: _Header, training_rows: int) -> None:
    """A model that was made elsewhere has no step, no epoch and no row."""
    epochs = [line.epoch for line in header.history]
    if epochs != list(range(1, len(epochs) + 1)) or len(epochs) > header.plan.epochs:
        raise ValueError("the epochs of its history are not counted from 1")
    if header.best_epoch is not None and header.best_epoch not in epochs:
        raise ValueError(f"its best epoch is {header.best_epoch}, and it has {len(epochs)}")
    steps = [line.steps for line in header.history]
    taken = header.snapshots[-1] - 1
    if steps != sorted(steps) or (steps and steps[-1] > taken) or (taken and not training_rows):
        raise ValueError(f"its history does not fit its {taken} steps")
    if taken and taken > header.plan.epochs * header.plan.steps_per_epoch(training_rows):
        raise ValueError(f"it counts {taken} steps, more than its epochs have")


def _check_rows(origin: Origin | None, rows: dict[str, Any]) -> None:
    together = np.sort(np.concatenate(list(rows.values())))
    if (together[1:] == together[:-1]).any():
        raise ValueError("a row stands twice in its training and validation rows")
    if origin is not None and together.size and together[-1] >= origin.rows - origin.left_out:
        raise ValueError(
            f"it names row {together[-1]}, and its table has the rows 0 to {origin.rows - origin.left_out - 1}"
        )


def _dense(l: int, layer: _Layer, tensors: Tensors) -> Dense:
    given = {name: tensors[f"given.{name}{l}"] for name in layer.given}
    return Dense(
        layer.units,
        layer.activation,
        W=given.get("W"),
        b=given.get("b"),
        initializer=layer.initializer,
        bias=layer.bias,
        dropout=layer.dropout,
    )


def _training(network: Network, optimizer: Optimizer, dtype: str, tensors: Tensors, prefix: str) -> Training:
    parameters, state = [], []
    for l, (units, inputs) in enumerate(zip(network.sizes[1:], network.sizes, strict=False), 1):

        def array(name: str, shape: tuple[int, ...]) -> Array:
            found = tensors[prefix + name]
            if found.shape != shape or found.dtype != np.dtype(dtype) or not np.isfinite(found).all():
                raise ValueError(f"{prefix}{name} must hold finite {dtype} of shape {shape}")
            return found

        shapes = ((f"W{l}", (units, inputs)), (f"b{l}", (units,)))
        parameters.append(LayerParameters(*(array(name, shape) for name, shape in shapes)))
        W_state, b_state = (
            tuple(array(f"{name}.{slot}", shape) for slot in optimizer.slots) for name, shape in shapes
        )
        state.append((W_state, b_state))
    return Training(tuple(parameters), OptimizerState(state))


def _rows(tensors: Tensors, name: str) -> Any:
    rows = tensors[name]
    if rows.ndim != 1 or rows.dtype != np.int64 or (rows.size and rows.min() < 0):
        raise ValueError(f"{name} must hold row numbers")
    return rows
