"""The table that parity is measured on: networks, data and recipes, each row of nn at every place of the core."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np

from handgrad.nn.activations import ACTIVATIONS, Activation
from handgrad.nn.clipping import Clipping
from handgrad.nn.dropout import Dropout
from handgrad.nn.losses import Loss
from handgrad.nn.network import Dense, LayerParameters, Network, Parameters
from handgrad.nn.optimizers import (
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    AdamW,
    Lion,
    Momentum,
    NAdam,
    Nesterov,
    Optimizer,
    RMSprop,
    initial_state,
)
from handgrad.nn.regularization import Regularization
from handgrad.nn.step import Training

STEPS = 50
BARS = {"float32": 1e-5, "float64": 1e-11}

ACTIVATION_ROWS = [
    *(Activation(name) for name in ACTIVATIONS),
    Activation("leaky_relu", alpha=0.0),
    Activation("elu", alpha=0.3),
]

# output activation, loss, targets
OUTPUTS: list[tuple[str, Loss, str]] = [
    ("sigmoid", Loss("binary_cross_entropy"), "bits"),
    ("sigmoid", Loss("binary_cross_entropy", outputs="mean", samples="sum", scale=0.02), "bits"),
    ("softmax", Loss("cross_entropy"), "classes"),
    ("sigmoid", Loss("cross_entropy"), "classes"),
    ("softplus", Loss("cross_entropy", scale=0.1), "classes"),
    ("identity", Loss("squared_error", scale=0.5), "reals"),
    ("tanh", Loss("squared_error", outputs="mean"), "reals"),
    ("softmax", Loss("squared_error"), "classes"),
    ("softmax", Loss("binary_cross_entropy", scale=0.3), "classes"),
    ("identity", Loss("huber", threshold=0.4), "reals"),
    ("gelu", Loss("huber", samples="sum", scale=0.05), "reals"),
    ("silu", Loss("squared_error"), "reals"),
    ("elu", Loss("squared_error"), "reals"),
    ("identity", Loss("absolute_error"), "reals"),
    ("identity", Loss("hinge"), "signs"),
    ("exponential", Loss("poisson", scale=0.03), "counts"),
    ("softplus", Loss("poisson", outputs="mean", samples="sum", scale=0.01), "counts"),
]

OPTIMIZERS: list[Optimizer] = [
    SGD(0.05),
    Momentum(0.01, form="velocity"),
    Momentum(0.01, form="heavy_ball"),
    Momentum(0.1, form="average"),
    Nesterov(0.01, momentum=0.8),
    RMSprop(0.002, epsilon=1e-4),
    Adam(0.003),
    Adam(0.003, epsilon=1e-5, epsilon_inside=True),
    Adam(0.003, amsgrad=True),
    AdamW(0.003, weight_decay=0.1),
    Adagrad(0.01),
    Adadelta(1.0, epsilon=1e-5),
    NAdam(0.001),
    Lion(0.0005, weight_decay=0.1),
]

OF_ONE_SIZE = ("absolute_error", "hinge")
"""Losses whose delta is -1, 0 or 1: over the samples these cancel, exactly in one order of adding and up to a rounding
in another. An optimizer that divides by the size of the gradient would make a step of that rounding."""
PLAIN = (SGD, Momentum, Nesterov)

# penalties, clipping, dropout in the first hidden layer
CONSTRAINTS: list[tuple[Regularization, Clipping, float]] = [
    (Regularization(), Clipping(), 1.0),
    (Regularization(l2=0.01), Clipping(), 0.8),
    (Regularization(l2=0.05, form="half_mean"), Clipping(value=0.02), 1.0),
    (Regularization(l2=0.01, form="full", l1=0.002), Clipping(), 1.0),
    (Regularization(l1=0.003), Clipping(norm=0.1), 0.5),
    (Regularization(), Clipping(value=0.05, norm=0.2), 0.9),
]

# inputs, hidden widths, biases: widths on both sides of every vector and panel
SHAPES: list[tuple[int, tuple[int, ...], tuple[str, ...]]] = [
    (5, (40, 3), ("trained", "frozen")),
    (3, (7,), ("trained",)),
    (37, (17, 33), ("none", "trained")),
    (2, (4, 6, 5), ("shared", "trained", "shared")),
]


class Row(NamedTuple):
    activation: Activation
    output: tuple[str, Loss, str]
    outputs: int
    optimizer: Optimizer
    constraint: tuple[Regularization, Clipping, float]
    shape: tuple[int, tuple[int, ...], tuple[str, ...]]
    dtype: str
    path: str
    threads: int

    def __str__(self) -> str:
        form = getattr(self.optimizer, "form", "")
        return "-".join(
            map(
                str,
                (
                    self.activation.name,
                    *self.output[:1],
                    self.output[1].name,
                    self.outputs,
                    self.optimizer.name + form,
                    f"c{CONSTRAINTS.index(self.constraint)}",
                    f"s{SHAPES.index(self.shape)}",
                    self.dtype,
                    self.path,
                    self.threads,
                ),
            )
        )


PLACES = list(itertools.product(BARS, ("tiny", "sliced", "tiled"), (1, 2)))


def _rows() -> list[Row]:
    """Every activation with every output, and every optimizer with every constraint; the rest takes turns.

    There are 18 activations and 17 outputs, 12 places, 14 optimizers and 6 constraints: the turns are such
    that each of them comes to each place.
    """
    shapes, widths = itertools.cycle(SHAPES), itertools.cycle((3, 1, 19, 4, 34))
    optimizers, constraints = itertools.cycle(OPTIMIZERS[::-1]), itertools.cycle(CONSTRAINTS)
    plain = itertools.cycle([optimizer for optimizer in OPTIMIZERS if isinstance(optimizer, PLAIN)])
    activations = itertools.cycle(ACTIVATION_ROWS)
    outputs = itertools.cycle([output for output in OUTPUTS if output[1].name not in OF_ONE_SIZE])
    rows = []
    for turn, (activation, output) in enumerate(itertools.product(ACTIVATION_ROWS, OUTPUTS)):
        place, constraint = PLACES[turn % len(PLACES)], next(constraints)
        optimizer = next(plain if output[1].name in OF_ONE_SIZE else optimizers)
        rows.append(_row(activation, output, next(widths), optimizer, constraint, next(shapes), place))
    for (i, optimizer), (j, constraint) in itertools.product(enumerate(OPTIMIZERS), enumerate(CONSTRAINTS)):
        for k in (0, 1):
            place = PLACES[(2 * (i + j) + k) % len(PLACES)]
            activation, output = next(activations), next(outputs)
            rows.append(_row(activation, output, next(widths), optimizer, constraint, next(shapes), place))
    return rows


def _row(
    activation: Activation,
    output: tuple[str, Loss, str],
    outputs: int,
    optimizer: Optimizer,
    constraint: tuple[Regularization, Clipping, float],
    shape: tuple[int, tuple[int, ...], tuple[str, ...]],
    place: tuple[str, str, int],
) -> Row:
    if output[0] == "softmax" and outputs == 1:
        outputs = 2  # the softmax of one number is 1
    if activation.name == "exponential":
        shape = SHAPES[1]  # of two such layers one after the other the numbers grow beyond all bounds
    if activation.name == "softmax" and "shared" in shape[2]:
        # softmax does not see a number added to all its inputs: such a gradient is rounding alone
        shape = SHAPES[0]
    return Row(activation, output, outputs, optimizer, constraint, shape, *place)


def network_of(row: Row) -> Network:
    inputs, widths, biases = row.shape
    layers = [
        Dense(units, row.activation, bias=bias, dropout=_dropout(row.constraint[2]) if l == 0 else None,
              b=_biases(units, bias))
        for l, (units, bias) in enumerate(zip(widths, biases, strict=True))
    ]  # fmt: skip
    return Network(inputs, [*layers, Dense(row.outputs, row.output[0])], row.output[1])


def _biases(units: int, bias: str) -> np.ndarray | None:
    """None of them 0: a unit whose inputs are all 0 would stand at its kink."""
    return {"none": None, "shared": np.full(units, 0.1)}.get(bias, np.linspace(-0.2, 0.3, units))


def _dropout(keep: float) -> Dropout | None:
    return Dropout(keep) if keep < 1 else None


def data_of(row: Row, samples: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(11)
    spread = 0.25 if row.activation.name == "exponential" else 1.0
    X = (spread * rng.normal(size=(samples, row.shape[0]))).astype(np.float32).astype(np.float64)
    if row.output[2] == "classes":
        return X, np.eye(row.outputs)[rng.integers(0, row.outputs, samples)]
    if row.output[2] == "signs":
        return X, rng.choice([-1.0, 1.0], (samples, row.outputs))
    if row.output[2] == "counts":
        return X, rng.poisson(2.0, (samples, row.outputs)).astype(float)
    if row.output[2] == "bits":
        return X, rng.integers(0, 2, (samples, row.outputs)).astype(float)
    return X, rng.uniform(-0.8, 0.8, (samples, row.outputs)).astype(np.float32).astype(np.float64)


def cast(parameters: Parameters, dtype: str) -> Parameters:
    return tuple(LayerParameters(W.astype(dtype), b.astype(dtype)) for W, b in parameters)


def distance(left: Parameters, right: Parameters) -> float:
    """Largest over the layers of |p - p_ref| / |p_ref|."""
    worst = 0.0
    for ours, theirs in zip(left, right, strict=True):
        p = np.concatenate([ours.W.ravel(), ours.b]).astype(np.float64)
        q = np.concatenate([theirs.W.ravel(), theirs.b])
        worst = max(worst, float(np.linalg.norm(p - q) / np.linalg.norm(q)))
    return worst


def train(engine, network, recipe, parameters, X, Y, threads=1, batch=37):
    """50 steps in shuffled batches; the last batch of each epoch is smaller."""
    beginning = Training(parameters, initial_state(recipe.optimizer, parameters))
    session = engine.start(network, recipe, beginning, X, Y, seed=2**40 + 9, threads=threads)
    rng, per_epoch, losses = np.random.default_rng(5), -(-len(X) // batch), []
    while len(losses) < STEPS:
        count = min(per_epoch, STEPS - len(losses))
        rates = recipe.optimizer.learning_rate * (1 + np.arange(count) / 7)
        run = session.run(rng.permutation(len(X)), batch, rates, 1 + len(losses))
        assert not run.failed
        losses += run.losses.tolist()
    return session, np.array(losses)


TABLE = _rows()
