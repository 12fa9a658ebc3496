"""The model file: one .safetensors, arrays by name and one JSON header, no pickle.

W1 b1 ...                 the parameters that predict
W1.m b1.m ...             the optimizer's state, by its slots
snapshot.0.W1 ...         where training stood, for replay
rows.training ...         which samples trained, which validated
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import safetensors.numpy
from safetensors import SafetensorError

from handgrad.data.schema import Schema
from handgrad.errors import HandgradError, ModelError
from handgrad.files import read_whole
from handgrad.models.origin import Origin
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

FORMAT = 1
_KEY = "handgrad"

Tensors = dict[str, Array]


class _Layer(msgspec.Struct):
    units: int
    activation: Activation
    initializer: Initializer
    bias: str
    dropout: Dropout | None
    given: tuple[str, ...]
    """Which of W and b were given by the caller; they are kept as `given.W1`."""


class _Header(msgspec.Struct):
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
    schema: Schema | None
    origin: dict[str, Any] | None


class Contents(NamedTuple):
    """What a model file holds: the training, the schema of its table, where its data came from."""

    fit: Fit
    schema: Schema | None = None
    origin: Origin | None = None


def packed(contents: Contents) -> bytes:
    """The bytes of a model file."""
    fit, network = contents.fit, contents.fit.network
    last_is_result = fit.snapshots[-1].training is fit.training
    tensors: Tensors = dict(_tensors(fit.recipe.optimizer, fit.training))
    for place, snapshot in enumerate(fit.snapshots[:-1] if last_is_result else fit.snapshots):
        tensors |= {
            f"snapshot.{place}.{name}": a for name, a in _tensors(fit.recipe.optimizer, snapshot.training)
        }
    for l, layer in network.numbered():
        tensors |= {f"given.{name}{l}": getattr(layer, name) for name in _given(layer)}
    tensors |= {"rows.training": fit.training_rows, "rows.validation": fit.validation_rows}
    header = _Header(
        FORMAT,
        __version__,
        network.inputs,
        tuple(_layer(layer) for layer in network.layers),
        network.loss,
        {"name": fit.recipe.optimizer.name, **msgspec.to_builtins(fit.recipe.optimizer)},
        fit.recipe.regularization,
        fit.recipe.clipping,
        fit.plan,
        fit.history,
        tuple(snapshot.step for snapshot in fit.snapshots),
        last_is_result,
        fit.engine,
        fit.metric,
        fit.ended,
        fit.best_epoch,
        contents.schema,
        None if contents.origin is None else msgspec.to_builtins(contents.origin),
    )
    contiguous = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    return bytes(safetensors.numpy.save(contiguous, {_KEY: msgspec.json.encode(header).decode()}))


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


def unpacked(path: Path) -> Contents:
    """The contents of a model file. Raises ModelError for a file that is missing, torn or not a handgrad model."""
    try:
        data = read_whole(path)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ModelError(
            f"{path} cannot be read: {reason}; give a file that `handgrad train -o` wrote"
        ) from error
    try:
        tensors: Tensors = safetensors.numpy.load(data)
        size = int.from_bytes(data[:8], "little")
        metadata = json.loads(data[8 : 8 + size]).get("__metadata__") or {}
    except (SafetensorError, ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        raise ModelError(
            f"{path} is not a whole .safetensors file ({error}); save or copy the model again"
        ) from error
    if _KEY not in metadata:
        raise ModelError(f"{path} was not written by handgrad; give a file that `handgrad train -o` wrote")
    try:
        header = msgspec.json.decode(metadata[_KEY], type=_Header)
        if header.format != FORMAT:
            raise ModelError(
                f"{path} has model format {header.format}, this version reads {FORMAT}; update handgrad"
            )
        return _contents(header, tensors)
    except ModelError:
        raise
    except (msgspec.DecodeError, HandgradError, LookupError, TypeError, ValueError) as error:
        raise ModelError(f"{path} is damaged: {error}; train or copy the model again") from error


def _contents(header: _Header, tensors: Tensors) -> Contents:
    network = Network(
        header.inputs,
        [_dense(l, layer, tensors) for l, layer in enumerate(header.layers, 1)],
        header.loss,
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
    if header.schema is not None and (len(header.schema.features), header.schema.target.outputs) != (
        network.inputs,
        network.outputs,
    ):
        raise ValueError("its schema does not fit its network")
    fit = Fit(
        network,
        recipe,
        header.plan,
        training,
        header.history,
        tuple(snapshots),
        _rows(tensors, "rows.training"),
        _rows(tensors, "rows.validation"),
        header.engine,
        header.metric,
        header.ended,
        header.best_epoch,
    )
    origin = None if header.origin is None else msgspec.convert(header.origin, Origin)
    return Contents(fit, header.schema, origin)


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
