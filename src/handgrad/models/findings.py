"""What a report says of a training besides its metrics: which columns matter, and how its layers learned."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from handgrad.data.rows import StoredRows
from handgrad.data.schema import Schema
from handgrad.models.model import Model
from handgrad.models.prepared import Prepared
from handgrad.nn.arrays import Array
from handgrad.nn.backward import backward
from handgrad.nn.forward import forward
from handgrad.nn.network import Parameters
from handgrad.training.history import Fit

_ROWS, _BATCH = 2000, 256
_SEED = 0x5EED  # of the generator that mixes up the rows


class Importance(NamedTuple):
    """By how much the loss rises when a column is mixed up among the rows."""

    column: str
    rise: float


class LayerAt(NamedTuple):
    """A layer where a state of the training was kept."""

    step: int
    layer: int
    gradient: float
    """Norm of dloss/dW on some rows of the training."""
    change: float | None
    """|W - W of the state before| / |W of the state before|; None at the first."""


class Units(NamedTuple):
    """How many units of a hidden layer are dead, and the part of them that is saturated."""

    layer: int
    units: int
    dead: int
    saturated: float


class Findings(NamedTuple):
    """All of it, and on how many rows it was measured."""

    rows: int
    importance: tuple[Importance, ...]
    batch: int
    layers: tuple[LayerAt, ...]
    units: tuple[Units, ...]


def findings(model: Model, ready: Prepared) -> Findings:
    """What matters and how the layers learned, on some rows of a prepared table."""
    assert model.schema is not None
    held = ready.split.validation if ready.split.validation.size else ready.split.training
    X, Y = _some(ready, held, _ROWS)
    x, y = _some(ready, ready.split.training, _BATCH)
    return Findings(
        len(X),
        importance_of(model, model.schema, X, Y),
        len(x),
        layers_of(model.fit, x, y),
        units_of(model.fit, x),
    )


def _some(ready: Prepared, rows: Any, most: int) -> tuple[Array, Array]:
    """X and Y of evenly spaced rows."""
    rows = rows[:: max(1, -(-len(rows) // most))]
    if isinstance(ready.X, StoredRows):
        X, Y, _ = ready.X.of(rows).arrays()
        return np.ascontiguousarray(X), np.ascontiguousarray(Y)
    return ready.X[rows], ready.Y[rows]


def importance_of(model: Model, schema: Schema, X: Array, Y: Array) -> tuple[Importance, ...]:
    """Each column's importance, the largest first.

    Source: L. Breiman, Random forests (2001), section 10.
    """
    asked = model.fit.forecaster
    usual = asked.forecast(X, Y).loss or 0.0
    order = np.random.default_rng(_SEED).permutation(len(X))
    found, place = [], 0
    for column in schema.used:
        width = column.width
        mixed = X.copy()
        mixed[:, place : place + width] = X[order, place : place + width]
        found.append(Importance(column.name, (asked.forecast(mixed, Y).loss or 0.0) - usual))
        place += width
    return tuple(sorted(found, key=lambda one: -one.rise))


def layers_of(fit: Fit, X: Array, Y: Array) -> tuple[LayerAt, ...]:
    """Gradient and change of each layer at each state that was kept."""
    found: list[LayerAt] = []
    before: Parameters | None = None
    for snapshot in fit.snapshots:
        now = snapshot.training.parameters
        with np.errstate(over="ignore", invalid="ignore"):
            gradients = backward(fit.network, now, forward(fit.network, now, X), Y)
        for l, (layer, gradient) in enumerate(zip(now, gradients, strict=True)):
            change = None if before is None else _relative(layer.W, before[l].W)
            found.append(LayerAt(snapshot.step, l + 1, float(np.linalg.norm(gradient.W)), change))
        before = now
    return tuple(found)


def _relative(now: Array, before: Array) -> float:
    size = float(np.linalg.norm(before))
    return float(np.linalg.norm(now - before)) / size if size else float("inf")


def units_of(fit: Fit, X: Array) -> tuple[Units, ...]:
    """Dead and saturated units of the hidden layers, with the parameters found."""
    activity = forward(fit.network, fit.training.parameters, X)
    found = []
    for l, layer in fit.network.numbered():
        if l == fit.network.depth:
            break
        rule, z = layer.function.rule, activity.Z[l]
        dead = _within(z, rule.dead).all(axis=0)
        flat = _within(z, (*rule.flat, *rule.dead))
        found.append(Units(l, layer.units, int(dead.sum()), float(flat.mean())))
    return tuple(found)


def _within(z: Array, ranges: tuple[tuple[float, float], ...]) -> Array:
    inside = np.zeros(z.shape, bool)
    for low, high in ranges:
        inside |= (z > low) & (z < high)
    return inside
