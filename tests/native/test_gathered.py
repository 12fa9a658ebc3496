"""Rows of weights in the native core, held to the equations on inputs of 0 and 1."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from handgrad.engines.native import NativeEngine, predict
from handgrad.engines.reference import ReferenceEngine
from handgrad.nn.gathering import one_hot
from handgrad.nn.losses import Loss
from handgrad.nn.network import Dense, Network
from handgrad.nn.optimizers import Adam, initial_state
from handgrad.nn.step import Recipe, Training
from tests.native.parity_table import BARS, CONSTRAINTS, OPTIMIZERS, STEPS, cast, distance, train

SHAPES: list[tuple[int, tuple[int, ...], tuple[int, ...]]] = [
    (5, (11, 300), (40, 3)),
    (3, (70,), (7,)),
    (0, (29, 5), (33,)),
    (9, (40,), ()),
    (17, (12,), (2,)),
]
"""Numbers, categories of each column, hidden widths: also without numbers, and without a hidden layer."""

ROWS = 113
PLACES = list(itertools.product(BARS, (1, 2)))
CASES = [
    (optimizer, constraint, SHAPES[turn % len(SHAPES)], 1 + turn % 3, *PLACES[turn % len(PLACES)])
    for turn, (optimizer, constraint) in enumerate(itertools.product(OPTIMIZERS, CONSTRAINTS))
    if (turn + turn // len(CONSTRAINTS)) % 2 == 0
]


def networks(shape, outputs: int, keep: float) -> tuple[Network, Network]:
    """With rows, and with inputs of 0 and 1."""
    numbers, counts, hidden = shape
    dropout = 1 - keep if keep < 1 else None
    layers = [Dense(units, "tanh", dropout=dropout if l == 0 else None) for l, units in enumerate(hidden)]
    layers.append(Dense(outputs, "sigmoid"))
    inputs, loss = numbers + sum(counts), Loss("binary_cross_entropy")
    return Network(inputs, layers, loss, counts), Network(inputs, layers, loss)


def data(shape, outputs: int) -> tuple[np.ndarray, np.ndarray]:
    numbers, counts, _ = shape
    rng = np.random.default_rng(7)
    codes = [rng.integers(-1, min(count, 60), ROWS) for count in counts]
    X = np.column_stack([rng.normal(size=(ROWS, numbers)).astype(np.float32), *codes]).astype(np.float64)
    return X, rng.integers(0, 2, (ROWS, outputs)).astype(float)


@pytest.mark.parametrize(("optimizer", "constraint", "shape", "outputs", "dtype", "threads"), CASES)
def test_parity_with_one_hot(optimizer, constraint, shape, outputs: int, dtype: str, threads: int) -> None:
    sparse, dense = networks(shape, outputs, constraint[2])
    X, Y = data(shape, outputs)
    recipe, parameters = Recipe(optimizer, *constraint[:2]), dense.initial_parameters(3, dtype)
    native, losses = train(NativeEngine(), sparse, recipe, parameters, X, Y, threads)
    reference, expected = train(
        ReferenceEngine(), dense, recipe, cast(parameters, "float64"), one_hot(X, shape[1]), Y
    )
    bar, end = BARS[dtype], reference.training().parameters
    assert distance(cast(parameters, "float64"), end) > 100 * bar, (
        "nothing was learned, so nothing is compared"
    )
    apart = distance(native.training().parameters, end)
    assert apart < bar, f"parameters after {STEPS} steps: {apart:.2e} of their norm apart"
    np.testing.assert_allclose(losses, expected, rtol=bar, atol=bar)
    of_rows = reference.predict(one_hot(X, shape[1]))
    np.testing.assert_allclose(native.predict(X), of_rows, rtol=10 * bar, atol=10 * bar)
    np.testing.assert_allclose(
        native.score(np.arange(40)).outputs, of_rows[:40], rtol=10 * bar, atol=10 * bar
    )
    alone = predict(sparse, native.training().parameters, X)
    np.testing.assert_allclose(alone, of_rows, rtol=10 * bar, atol=10 * bar)


def test_the_optimizers_memory_of_the_rows() -> None:
    shape = SHAPES[0]
    sparse, dense = networks(shape, 1, 1.0)
    X, Y = data(shape, 1)
    recipe, parameters = Recipe(Adam(0.003, amsgrad=True)), dense.initial_parameters(3)
    native, _ = train(NativeEngine(), sparse, recipe, parameters, X, Y, 2)
    reference, _ = train(ReferenceEngine(), dense, recipe, parameters, one_hot(X, shape[1]), Y)
    for ours, theirs in zip(native.training().state, reference.training().state, strict=True):
        for left, right in zip((*ours[0], *ours[1]), (*theirs[0], *theirs[1]), strict=True):
            assert np.linalg.norm(left - right) <= 1e-10 * np.linalg.norm(right)


def test_the_bits_do_not_depend_on_the_threads_that_update_the_rows() -> None:
    """The sums of a row follow the samples; only the share of the samples' own sums is another one."""
    shape = SHAPES[1]
    sparse, _ = networks(shape, 1, 1.0)
    X, Y = data(shape, 1)
    parameters = sparse.initial_parameters(3)
    runs = [train(NativeEngine(), sparse, Recipe(Adam(0.003)), parameters, X, Y, 2)[0] for _ in range(2)]
    np.testing.assert_array_equal(*(run.training().parameters[0].W for run in runs))


def test_numbers_beyond_the_categories_take_no_row() -> None:
    network = Network(4, [Dense(2, W=np.arange(8.0).reshape(2, 4))], "squared_error", (4,))
    parameters = network.initial_parameters()
    X = np.array([[3.0], [4.0], [-1.0], [1e18], [np.nan], [-np.inf]])
    with np.errstate(invalid="ignore"):
        expected = np.array([[3.0, 7.0], *[[0.0, 0.0]] * 5])
    np.testing.assert_array_equal(predict(network, parameters, X), expected)
    with np.errstate(invalid="ignore"):
        session = ReferenceEngine().start(
            network,
            Recipe(),
            Training(parameters, initial_state(Recipe().optimizer, parameters)),
            X,
            np.zeros((6, 2)),
            0,
        )
        np.testing.assert_array_equal(session.predict(X[:4]), expected[:4])
