"""Networks, batches and watchers for the tests of the equations, and Hypothesis strategies over them."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from functools import cache
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from handgrad.nn.activations import ACTIVATIONS, Activation
from handgrad.nn.arrays import Array
from handgrad.nn.forward import forward
from handgrad.nn.losses import Loss
from handgrad.nn.network import Dense, LayerParameters, Network, Parameters
from handgrad.nn.observe import Observer

DIFFERENTIABLE = tuple(name for name in ACTIVATIONS if name != "step")

# every loss with the output activations that give it outputs in its domain
LOSS_AND_OUTPUT = (
    ("squared_error", "identity"),
    ("squared_error", "sigmoid"),
    ("squared_error", "softmax"),
    ("squared_error", "gelu"),
    ("binary_cross_entropy", "sigmoid"),
    ("binary_cross_entropy", "softmax"),
    ("cross_entropy", "softmax"),
    ("cross_entropy", "sigmoid"),
    ("cross_entropy", "softplus"),
    ("huber", "identity"),
    ("huber", "tanh"),
    ("absolute_error", "identity"),
    ("hinge", "identity"),
    ("hinge", "tanh"),
    ("poisson", "exponential"),
    ("poisson", "softplus"),
)

KINK = 0.02
"""No input of an activation lies closer to one of its kinks than this: no central difference straddles it."""


class Problem(NamedTuple):
    """A network with its parameters and a batch."""

    network: Network
    parameters: Parameters
    X: Array
    Y: Array


@cache
def problem(
    hidden: str,
    output: str,
    loss: Loss,
    outputs: int,
    samples: int,
    bias: str = "trained",
) -> Problem:
    """A 3-4-`outputs` network away from every kink, with targets in the domain of its loss.

    The softmax of a single output is 1, where a binary target other than 1 has no finite loss: it gets two.
    """
    if (output, loss.name) == ("softmax", "binary_cross_entropy"):
        outputs = max(outputs, 2)
    network = Network(3, [Dense(4, hidden, bias=bias), Dense(outputs, output, bias=bias)], loss)
    for seed in range(1000):
        generator = np.random.default_rng(seed)
        parameters = random_parameters(network, generator)
        X = generator.normal(size=(samples, 3))
        activity = forward(network, parameters, X)
        kinks = (
            (Z, kink)
            for (_, l), Z in zip(network.numbered(), activity.Z[1:], strict=True)
            for kink in (0.0, *l.function.rule.kinks)
        )
        infinite = [np.abs(activity.yhat - at).min() for at in loss.rule.infinite_at]
        if min(np.abs(Z - kink).min() for Z, kink in kinks) > KINK and min(infinite, default=1.0) > 1e-4:
            return Problem(network, parameters, X, targets(loss.name, activity.yhat, generator))
    raise AssertionError("no seed keeps all z away from the kinks")


def random_parameters(network: Network, generator: np.random.Generator) -> Parameters:
    """Weights between 0.1 and 0.9 in size, away from the kink of |w|; biases as their kind allows."""
    layers = []
    for (_, layer), width in zip(network.numbered(), network.sizes, strict=False):
        size = generator.uniform(0.1, 0.9, (layer.units, width))
        W = size * generator.choice([-1.0, 1.0], size.shape)
        b = generator.uniform(-0.5, 0.5, layer.units)
        b = {"none": 0 * b, "shared": np.full_like(b, b[0])}.get(layer.bias, b)
        layers.append(LayerParameters(W, b))
    return tuple(layers)


def targets(loss: str, yhat: Array, generator: np.random.Generator) -> Array:
    """Targets for outputs `yhat`: classes, labels (one of them soft), signs, counts, or numbers off every kink."""
    samples, outputs = yhat.shape
    if loss == "cross_entropy":
        return np.eye(outputs)[generator.integers(outputs, size=samples)]
    if loss == "binary_cross_entropy":
        Y = generator.integers(2, size=yhat.shape).astype(float)
        Y[0, 0] = 0.3
        return Y
    if loss == "hinge":  # off the margin, where y yhat is 1
        Y = generator.choice([-1.0, 1.0], yhat.shape)
        return np.where(np.abs(1 - Y * yhat) < 0.02, -Y, Y)
    if loss == "poisson":
        return generator.integers(4, size=yhat.shape).astype(float)
    return yhat + generator.choice([-1.9, -0.4, 0.4, 1.9], yhat.shape)


def perturbed(parameters: Parameters, layer: int, kind: int, index: object, by: float) -> Parameters:
    """The parameters with one entry (or the entries that `index` selects) of W (0) or b (1) moved."""
    changed = [LayerParameters(W.copy(), b.copy()) for W, b in parameters]
    changed[layer][kind][index] += by
    return tuple(changed)


def entries(parameters: Parameters) -> Iterator[tuple[int, int, tuple[int, ...]]]:
    """Where each number of the parameters is: (layer, 0 for W or 1 for b, index)."""
    for layer, arrays in enumerate(parameters):
        for kind, array in enumerate(arrays):
            for index in np.ndindex(array.shape):
                yield layer, kind, index


class Watcher(Observer):
    """Keeps every quantity it is shown, under its full name."""

    complete = True

    def __init__(self) -> None:
        self.seen: dict[str, Array] = {}
        self.prefix = ""

    def __call__(self, name: str, value: Array) -> Array:
        self.seen[self.prefix + name] = value
        return value

    def within(self, prefix: str) -> Watcher:
        inner = copy(self)
        inner.prefix = f"{self.prefix}{prefix}_"
        return inner


@st.composite
def problems(draw: st.DrawFn, max_samples: int = 5) -> Problem:
    """Any network of 1 to 4 layers with a batch: every activation, loss, reduction and kind of bias."""
    loss_name, output = draw(st.sampled_from(LOSS_AND_OUTPUT))
    loss = Loss(
        loss_name,
        scale=draw(st.sampled_from([0.5, 1.0, 3.0])),
        outputs=draw(st.sampled_from(["sum", "mean"])),
        samples=draw(st.sampled_from(["sum", "mean"])),
    )
    widths = draw(st.lists(st.integers(1, 5), min_size=2, max_size=5))
    widths[-1] += (output, loss_name) == ("softmax", "binary_cross_entropy")
    names = [draw(st.sampled_from(DIFFERENTIABLE)) for _ in widths[1:-1]]
    biases = [draw(st.sampled_from(["trained", "frozen", "shared", "none"])) for _ in widths[1:]]
    layers = [
        Dense(units, Activation(name), bias=bias)
        for units, name, bias in zip(widths[1:], [*names, output], biases, strict=True)
    ]
    network = Network(widths[0], layers, loss)
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    parameters = random_parameters(network, generator)
    X = generator.normal(size=(draw(st.integers(1, max_samples)), widths[0]))
    Y = targets(loss_name, forward(network, parameters, X).yhat, generator)
    return Problem(network, parameters, X, Y)
