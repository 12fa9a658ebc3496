"""The native core against the equations: one table of rows, parameters compared after 50 steps.

The measure, layer by layer, over all its numbers p = (W, b) together: |p - p_ref| / |p_ref|, Euclidean norms,
where p_ref comes from the reference engine in float64 that began with the very same numbers. So the float32
rows state the whole error of float32 training, not the difference of two float32 programs. The bars are 1e-5
for float32 and 1e-11 for float64. The losses of all 50 steps and the predictions are held to the same bars.
"""

from __future__ import annotations

import importlib
import itertools
from typing import NamedTuple

import numpy as np
import pytest

from handgrad.engines.native import NativeEngine, predict
from handgrad.engines.reference import ReferenceEngine
from handgrad.nn.activations import ACTIVATIONS, Activation
from handgrad.nn.clipping import Clipping
from handgrad.nn.dropout import Dropout
from handgrad.nn.losses import LOSSES, Loss
from handgrad.nn.network import BIASES, Dense, LayerParameters, Network, Parameters
from handgrad.nn.optimizers import OPTIMIZERS as OPTIMIZERS_BY_NAME
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
from handgrad.nn.regularization import FORMS, Regularization
from handgrad.nn.step import Recipe, Training

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


def _network(row: Row) -> Network:
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


def _data(row: Row, samples: int) -> tuple[np.ndarray, np.ndarray]:
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


def _cast(parameters: Parameters, dtype: str) -> Parameters:
    return tuple(LayerParameters(W.astype(dtype), b.astype(dtype)) for W, b in parameters)


def _distance(left: Parameters, right: Parameters) -> float:
    """Largest over the layers of |p - p_ref| / |p_ref|."""
    worst = 0.0
    for ours, theirs in zip(left, right, strict=True):
        p = np.concatenate([ours.W.ravel(), ours.b]).astype(np.float64)
        q = np.concatenate([theirs.W.ravel(), theirs.b])
        worst = max(worst, float(np.linalg.norm(p - q) / np.linalg.norm(q)))
    return worst


def _train(engine, network, recipe, parameters, X, Y, threads=1, batch=37):
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


def test_the_core_and_the_table_know_every_row_of_the_equations() -> None:
    core = importlib.import_module("handgrad._native")
    assert set(core.FUNCTIONS) == set(ACTIVATIONS) == {row.name for row in ACTIVATION_ROWS}
    assert set(core.LOSSES) - {"none"} == set(LOSSES) == {loss.name for _, loss, _ in OUTPUTS}
    assert {optimizer.name for optimizer in OPTIMIZERS} == set(OPTIMIZERS_BY_NAME)
    assert set(core.RULES) == {optimizer.rule for optimizer in OPTIMIZERS}
    assert set(core.BIASES) == set(BIASES)
    assert set(core.L2_FORMS) == set(FORMS)


def test_the_table_holds_every_pair() -> None:
    """Each activation, output, optimizer and constraint comes to each place."""
    for field in ("activation", "output", "optimizer", "constraint"):
        pairs = {(str(getattr(row, field)), row.dtype, row.path, row.threads) for row in TABLE}
        kinds = {str(getattr(row, field)) for row in TABLE}
        assert len(pairs) == len(kinds) * len(PLACES), field


@pytest.mark.parametrize("row", TABLE, ids=map(str, TABLE))
def test_parity(row: Row) -> None:
    network = _network(row)
    X, Y = _data(row, samples=113)
    recipe = Recipe(row.optimizer, *row.constraint[:2])
    parameters = network.initial_parameters(3, row.dtype)
    native, losses = _train(NativeEngine(row.path), network, recipe, parameters, X, Y, row.threads)
    reference, expected = _train(ReferenceEngine(), network, recipe, _cast(parameters, "float64"), X, Y)
    bar = BARS[row.dtype]
    end = reference.training().parameters
    moved = _distance(_cast(parameters, "float64"), end)
    distance = _distance(native.training().parameters, end)
    assert moved > 100 * bar, "nothing was learned, so nothing is compared"
    assert distance < bar, (
        f"parameters after {STEPS} steps: {distance:.2e} of their norm apart (moved {moved:.2e})"
    )
    np.testing.assert_allclose(losses, expected, rtol=bar, atol=bar)
    np.testing.assert_allclose(native.predict(X), reference.predict(X), rtol=10 * bar, atol=10 * bar)


@pytest.mark.parametrize("dtype", BARS)
@pytest.mark.parametrize("path", ["tiny", "sliced", "tiled"])
def test_optimizer_state_is_the_references(path: str, dtype: str) -> None:
    row = TABLE[0]
    network, (X, Y) = _network(row), _data(row, 113)
    recipe = Recipe(Adam(0.003, amsgrad=True))
    parameters = network.initial_parameters(3, dtype)
    native, _ = _train(NativeEngine(path), network, recipe, parameters, X, Y, 2)
    reference, _ = _train(ReferenceEngine(), network, recipe, _cast(parameters, "float64"), X, Y)
    for ours, theirs in zip(native.training().state, reference.training().state, strict=True):
        for left, right in zip((*ours[0], *ours[1]), (*theirs[0], *theirs[1]), strict=True):
            assert np.linalg.norm(left - right) <= 10 * BARS[dtype] * np.linalg.norm(right)


@pytest.mark.parametrize("path", ["tiny", "sliced", "tiled"])
def test_dropout_masks_are_the_references(path: str) -> None:
    """With weights 0, the mask shows in the gradient alone: any other mask would move other weights."""
    network = Network(
        2,
        [
            Dense(70, "identity", W=np.zeros((70, 2)), b=np.ones(70), bias="frozen", dropout=0.5),
            Dense(1, "identity", W=np.zeros((1, 70))),
        ],
        Loss("squared_error", scale=0.5, samples="sum"),
    )
    X, Y = np.ones((5, 2)), -np.ones((5, 1))
    recipe = Recipe(SGD(1.0))
    for step in (1, 2, 77, 2**32 + 3):
        ends = []
        for engine in (NativeEngine(path), ReferenceEngine()):
            p = network.initial_parameters(0)
            session = engine.start(
                network, recipe, Training(p, initial_state(recipe.optimizer, p)), X, Y, seed=2**50 + 1
            )
            session.run(np.arange(5), 5, np.array([1.0]), step)
            ends.append(session.training().parameters[1].W)
        np.testing.assert_array_equal(ends[0], ends[1])
        assert len(set(ends[0].ravel().tolist())) > 3


@pytest.mark.parametrize("dtype", BARS)
@pytest.mark.parametrize("samples", [1, 2, 15, 16, 17, 100, 1000])
def test_prediction_without_a_session(samples: int, dtype: str) -> None:
    for row in (TABLE[0], TABLE[20], TABLE[45]):
        network = _network(row)
        parameters = network.initial_parameters(1, dtype)
        X, _ = _data(row, samples)
        expected = ReferenceEngine().start(
            network, Recipe(), Training(_cast(parameters, "float64"), initial_state(SGD(), parameters)), X,
            np.zeros((samples, network.outputs)), 0).predict(X)  # fmt: skip
        for threads in (1, 2):
            got = predict(network, parameters, X, threads)
            assert got.dtype == np.dtype(dtype)
            np.testing.assert_allclose(got, expected, rtol=10 * BARS[dtype], atol=10 * BARS[dtype])


# output activation, loss, and how far apart the first half of the samples drives the three weighted sums
SATURATED = [
    ("softmax", "binary_cross_entropy", 1000.0, 0.0),
    ("relu", "cross_entropy", 1.5, -0.5),
    ("relu", "binary_cross_entropy", 0.9, -0.5),
    ("sigmoid", "binary_cross_entropy", 2000.0, -1000.0),
]


@pytest.mark.parametrize("dtype", BARS)
@pytest.mark.parametrize("path", ["tiny", "sliced", "tiled"])
@pytest.mark.parametrize(("output", "loss", "spread", "shift"), SATURATED)
def test_outputs_that_are_exactly_their_targets(
    output: str, loss: str, spread: float, shift: float, path: str, dtype: str
) -> None:
    """a = y = 0 and a = y = 1, where (a - y) / (a (1 - a)) and y / a are 0 / 0 and their limits are not."""
    classes = np.arange(24) % 3
    Y = np.eye(3)[classes]
    X = spread * Y + shift
    X[12:] = 0.25 * Y[12:] + 0.5
    network = Network(3, [Dense(3, output, W=np.eye(3), b=np.zeros(3))], Loss(loss))
    recipe, parameters = Recipe(SGD(0.001)), network.initial_parameters(0, dtype)
    a = predict(network, parameters, X)
    assert np.any((a == Y) & (a == 0))
    assert np.any((a == Y) & (a == 1)) or output == "relu"
    native, losses = _train(NativeEngine(path), network, recipe, parameters, X, Y, batch=24)
    reference, expected = _train(
        ReferenceEngine(), network, recipe, _cast(parameters, "float64"), X, Y, batch=24
    )
    np.testing.assert_allclose(losses, expected, rtol=BARS[dtype], atol=BARS[dtype])
    assert _distance(native.training().parameters, reference.training().parameters) < BARS[dtype]
    assert _distance(_cast(parameters, "float64"), reference.training().parameters) > 100 * BARS[dtype]


@pytest.mark.parametrize("path", ["tiny", "sliced", "tiled"])
@pytest.mark.parametrize("batch", [1, 2, 4, 16, 113])
def test_batch_sizes(path: str, batch: int) -> None:
    row = next(r for r in TABLE if r.activation.name == "tanh" and r.optimizer.name == "adam")
    network, (X, Y) = _network(row), _data(row, 113)
    parameters = network.initial_parameters(3)
    recipe = Recipe(row.optimizer, *row.constraint[:2])
    ends = [
        _train(engine, network, recipe, parameters, X, Y, threads, batch)[0].training().parameters
        for engine, threads in ((NativeEngine(path), 2), (ReferenceEngine(), 1))
    ]
    assert _distance(*ends) < BARS["float64"]


def test_a_wide_network_on_panels_of_several_passes() -> None:
    """More inputs than one pass over the sums takes, more units than one panel."""
    network = Network(
        600, [Dense(300, "relu"), Dense(70, "tanh"), Dense(10, "softmax")], Loss("cross_entropy")
    )
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(150, 600)) / 8, np.eye(10)[rng.integers(0, 10, 150)]
    parameters = network.initial_parameters(0)
    ends = []
    for engine in (NativeEngine("tiled"), NativeEngine("sliced"), ReferenceEngine()):
        ends.append(
            _train(engine, network, Recipe(Adam(0.001)), parameters, X, Y, 2)[0].training().parameters
        )
    assert _distance(ends[0], ends[2]) < BARS["float64"]
    assert _distance(ends[1], ends[2]) < BARS["float64"]
