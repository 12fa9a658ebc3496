"""Predictions by the core against the equations, in every size at which its way changes."""

from __future__ import annotations

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import handgrad as hg
from handgrad.engines import choose
from handgrad.engines.forecaster import Forecaster
from handgrad.engines.native import NativeEngine, available
from handgrad.engines.reference import forecast
from handgrad.errors import DataError, ShapeError, SpecificationError
from handgrad.nn.optimizers import initial_state
from handgrad.nn.step import Recipe, Training

pytestmark = pytest.mark.skipif(not available(), reason="the core was not built")

BARS = {"float32": 2e-5, "float64": 1e-12}
# widths: tiny, one layer, few inputs (dots), a hidden layer of few units, several panels
SHAPES = ((2, 2, 1), (5, 3), (40, 2), (3, 40, 2, 7), (70, 33, 129, 10), (784, 16, 1))


def problem(
    sizes: tuple[int, ...], rows: int, dtype: str
) -> tuple[hg.Network, tuple, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(len(sizes) + rows)
    several = sizes[-1] > 1
    layers = [hg.Dense(units, "tanh", dropout=0.5) for units in sizes[1:-1]]
    network = hg.Network(
        sizes[0],
        [*layers, hg.Dense(sizes[-1], "softmax" if several else "sigmoid")],
        "cross_entropy" if several else "binary_cross_entropy",
    )
    X = rng.standard_normal((rows, sizes[0])).astype(dtype)
    classes = rng.integers(0, max(2, sizes[-1]), rows)
    Y = (np.eye(sizes[-1])[classes] if several else classes[:, None]).astype(dtype)
    return network, network.initial_parameters(7, dtype), X, Y


@pytest.mark.parametrize("dtype", BARS)
@pytest.mark.parametrize("rows", [1, 2, 17, 48, 49, 1000])
@pytest.mark.parametrize("sizes", SHAPES)
def test_the_core_says_what_the_equations_say(sizes: tuple[int, ...], rows: int, dtype: str) -> None:
    network, parameters, X, Y = problem(sizes, rows, dtype)
    exact = forecast(network, [(W.astype(float), b.astype(float)) for W, b in parameters], X.astype(float), Y)
    for threads in (1, 2):
        made = Forecaster(network, parameters, threads=threads).forecast(X, Y)
        np.testing.assert_allclose(made.outputs, exact.outputs, rtol=BARS[dtype], atol=BARS[dtype])
        assert made.loss == pytest.approx(exact.loss, rel=BARS[dtype])


@pytest.mark.parametrize("path", ["tiny", "sliced", "tiled"])
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_a_training_scores_rows_of_its_data(path: str, threads: int) -> None:
    network, parameters, X, Y = problem((6, 5, 3), 900, "float64")
    optimizer = hg.Adam(0.01)
    beginning = Training(parameters, initial_state(optimizer, parameters))
    session = NativeEngine(path).start(network, Recipe(optimizer), beginning, X, Y, 0, threads)
    rows = np.random.default_rng(1).permutation(900)[:777]
    for _ in range(2):  # before the first step, and after it
        exact = forecast(network, session.training().parameters, X[rows], Y[rows])
        made = session.score(rows)
        np.testing.assert_allclose(made.outputs, exact.outputs, rtol=1e-12)
        assert made.loss == pytest.approx(exact.loss, rel=1e-12)
        np.testing.assert_allclose(
            session.predict(X[:50]),
            forecast(network, session.training().parameters, X[:50]).outputs,
            rtol=1e-12,
        )
        session.run(np.arange(64), 64, np.array([0.1]), 1)
    with pytest.raises(IndexError):
        session.score(np.array([900]))


def test_a_row_alone_is_what_it_is_among_others() -> None:
    network, parameters, X, _ = problem((70, 33, 129, 10), 1000, "float32")
    asked = Forecaster(network, parameters)
    together = asked.forecast(X).outputs
    assert all(np.array_equal(asked.forecast(X[i : i + 1]).outputs[0], together[i]) for i in (0, 500, 999))


def test_what_is_not_finite_is_named() -> None:
    network, _, X, _ = problem((40, 2), 3000, "float32")
    model = hg.Model(hg.fit(network, X, np.zeros(3000), epochs=1, batch_size=1000, dtype="float32"))
    X[2500, 39] = np.nan
    with pytest.raises(ShapeError, match=r"X holds nan at \[2500, 39\]"):
        model.predict(X)
    far = X[:3].astype(np.float64)
    far[1, 0] = 1e300  # finite, but not in the model's precision
    with pytest.raises(ShapeError, match=r"at \[1, 0\]"):
        model.predict(far)
    line = hg.Network(1, [hg.Dense(1, W=[[1e300]])], "squared_error")
    steep = hg.Model(hg.fit(line, [[0.0]], [0.0], epochs=1, dtype="float64"))
    with pytest.raises(DataError, match="row 2"):
        steep.predict([[1.0], [1e300]])


def test_any_array_is_taken_and_none_is_kept() -> None:
    network, parameters, X, _ = problem((70, 33, 129, 10), 5000, "float32")
    asked = Forecaster(network, parameters)
    plain = asked.forecast(X).outputs
    for other in (X.astype(np.float64), np.asfortranarray(X), X[::-1][::-1]):
        assert np.array_equal(asked.forecast(other).outputs, plain)
    assert asked.forecast(X[:0]).outputs.shape == (0, 10)
    for again in (copy.deepcopy(asked), pickle.loads(pickle.dumps(asked))):
        assert np.array_equal(again.forecast(X[:9]).outputs, plain[:9])
    with pytest.raises(ValueError, match="read-only"):
        asked.parameters[0].W[0, 0] = 1  # the core has a copy of its own by now
    with ThreadPoolExecutor(4) as pool:
        for made in pool.map(lambda _: asked.forecast(X).outputs, range(12)):
            assert np.array_equal(made, plain)


def test_the_reference_engine_stays() -> None:
    X, y = [[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0]
    line = hg.Network(1, [hg.Dense(1)], "squared_error")
    by_hand = hg.fit(line, X, y, epochs=3, engine="reference")
    assert by_hand.forecaster.engine == choose("reference").name
    assert np.array_equal(by_hand.predict(X), by_hand.predict(X, engine="reference"))
    np.testing.assert_allclose(by_hand.predict(X, engine="native"), by_hand.predict(X), rtol=1e-14)
    with pytest.raises(SpecificationError, match="unknown engine 'abacus'"):
        by_hand.predict(X, engine="abacus")
