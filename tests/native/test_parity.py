"""The native core against the equations: one table of rows, parameters compared after 50 steps.

The measure, layer by layer, over all its numbers p = (W, b) together: |p - p_ref| / |p_ref|, Euclidean norms,
where p_ref comes from the reference engine in float64 that began with the very same numbers. So the float32
rows state the whole error of float32 training, not the difference of two float32 programs. The bars are 1e-5
for float32 and 1e-11 for float64. The losses of all 50 steps and the predictions are held to the same bars.
"""

from __future__ import annotations

import importlib

import numpy as np
import pytest

from handgrad.engines.native import NativeEngine, predict
from handgrad.engines.reference import ReferenceEngine
from handgrad.nn.activations import ACTIVATIONS
from handgrad.nn.losses import LOSSES, Loss
from handgrad.nn.network import BIASES, Dense, Network
from handgrad.nn.optimizers import OPTIMIZERS as OPTIMIZERS_BY_NAME
from handgrad.nn.optimizers import (
    SGD,
    Adam,
    initial_state,
)
from handgrad.nn.regularization import FORMS
from handgrad.nn.step import Recipe, Training
from tests.native.parity_table import (
    ACTIVATION_ROWS,
    BARS,
    OPTIMIZERS,
    OUTPUTS,
    PLACES,
    STEPS,
    TABLE,
    Row,
    cast,
    data_of,
    distance,
    network_of,
    train,
)


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
    network = network_of(row)
    X, Y = data_of(row, samples=113)
    recipe = Recipe(row.optimizer, *row.constraint[:2])
    parameters = network.initial_parameters(3, row.dtype)
    native, losses = train(NativeEngine(row.path), network, recipe, parameters, X, Y, row.threads)
    reference, expected = train(ReferenceEngine(), network, recipe, cast(parameters, "float64"), X, Y)
    bar = BARS[row.dtype]
    end = reference.training().parameters
    moved = distance(cast(parameters, "float64"), end)
    apart = distance(native.training().parameters, end)
    assert moved > 100 * bar, "nothing was learned, so nothing is compared"
    assert apart < bar, f"parameters after {STEPS} steps: {apart:.2e} of their norm apart (moved {moved:.2e})"
    np.testing.assert_allclose(losses, expected, rtol=bar, atol=bar)
    np.testing.assert_allclose(native.predict(X), reference.predict(X), rtol=10 * bar, atol=10 * bar)


@pytest.mark.parametrize("dtype", BARS)
@pytest.mark.parametrize("path", ["tiny", "sliced", "tiled"])
def test_optimizer_state_is_the_references(path: str, dtype: str) -> None:
    row = TABLE[0]
    network, (X, Y) = network_of(row), data_of(row, 113)
    recipe = Recipe(Adam(0.003, amsgrad=True))
    parameters = network.initial_parameters(3, dtype)
    native, _ = train(NativeEngine(path), network, recipe, parameters, X, Y, 2)
    reference, _ = train(ReferenceEngine(), network, recipe, cast(parameters, "float64"), X, Y)
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
        network = network_of(row)
        parameters = network.initial_parameters(1, dtype)
        X, _ = data_of(row, samples)
        expected = ReferenceEngine().start(
            network, Recipe(), Training(cast(parameters, "float64"), initial_state(SGD(), parameters)), X,
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
    native, losses = train(NativeEngine(path), network, recipe, parameters, X, Y, batch=24)
    reference, expected = train(
        ReferenceEngine(), network, recipe, cast(parameters, "float64"), X, Y, batch=24
    )
    np.testing.assert_allclose(losses, expected, rtol=BARS[dtype], atol=BARS[dtype])
    assert distance(native.training().parameters, reference.training().parameters) < BARS[dtype]
    assert distance(cast(parameters, "float64"), reference.training().parameters) > 100 * BARS[dtype]


@pytest.mark.parametrize("path", ["tiny", "sliced", "tiled"])
@pytest.mark.parametrize("batch", [1, 2, 4, 16, 113])
def test_batch_sizes(path: str, batch: int) -> None:
    row = next(r for r in TABLE if r.activation.name == "tanh" and r.optimizer.name == "adam")
    network, (X, Y) = network_of(row), data_of(row, 113)
    parameters = network.initial_parameters(3)
    recipe = Recipe(row.optimizer, *row.constraint[:2])
    ends = [
        train(engine, network, recipe, parameters, X, Y, threads, batch)[0].training().parameters
        for engine, threads in ((NativeEngine(path), 2), (ReferenceEngine(), 1))
    ]
    assert distance(*ends) < BARS["float64"]


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
        ends.append(train(engine, network, Recipe(Adam(0.001)), parameters, X, Y, 2)[0].training().parameters)
    assert distance(ends[0], ends[2]) < BARS["float64"]
    assert distance(ends[1], ends[2]) < BARS["float64"]
