"""Loss and metric on the way, against NumPy and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

import handgrad as hg
from handgrad.errors import DataError
from handgrad.training.score import check_finite, forecast, if_finite, metric_of, r_squared, score

RNG = np.random.default_rng(8)
ROWS = 2 * 8192 + 5  # three parts, the last of them short


def parameters(network: hg.Network):
    return network.initial_parameters(1)


def test_a_long_table_is_forecast_in_parts() -> None:
    network = hg.Network(2, [hg.Dense(3, "tanh", dropout=0.5), hg.Dense(1)], "squared_error")
    X, Y = RNG.normal(size=(ROWS, 2)), RNG.normal(size=(ROWS, 1))
    (W1, b1), (W2, b2) = parameters(network)
    yhat = np.tanh(X @ W1.T + b1) @ W2.T + b2
    made = forecast(network, parameters(network), X, Y)
    np.testing.assert_allclose(made.outputs, yhat, rtol=1e-12, atol=1e-14)
    assert made.outputs.dtype == np.float64
    assert made.loss == pytest.approx(np.mean((yhat - Y) ** 2), rel=1e-12)
    assert forecast(network, parameters(network), X).loss is None


def test_a_summed_loss_is_a_sum_and_a_network_without_a_loss_has_none() -> None:
    X, Y = RNG.normal(size=(5, 2)), RNG.normal(size=(5, 2))
    summed = hg.Network(2, [hg.Dense(2)], hg.Loss("squared_error", scale=0.5, samples="sum"))
    W, b = parameters(summed)[0]
    expected = 0.5 * np.sum((X @ W.T + b - Y) ** 2)
    assert forecast(summed, parameters(summed), X, Y).loss == pytest.approx(expected, rel=1e-12)
    bare = hg.Network(2, [hg.Dense(2)])
    assert forecast(bare, parameters(bare), X, Y).loss is None
    assert forecast(summed, parameters(summed), X[:0]).outputs.shape == (0, 2)


@pytest.mark.parametrize(
    ("loss", "output", "metric"),
    [
        ("cross_entropy", "softmax", "accuracy"),
        ("binary_cross_entropy", "sigmoid", "accuracy"),
        ("squared_error", "identity", "R2"),
        ("huber", "identity", "R2"),
    ],
)
def test_the_metric_that_belongs_to_a_loss(loss: str, output: str, metric: str) -> None:
    network = hg.Network(2, [hg.Dense(3, output)], loss)
    X = RNG.normal(size=(40, 2))
    outputs = forecast(network, parameters(network), X).outputs
    classes = RNG.integers(0, 3, 40)
    if loss == "cross_entropy":
        Y, value = np.eye(3)[classes], metrics.accuracy_score(classes, outputs.argmax(axis=1))
    elif metric == "accuracy":
        Y = (RNG.random((40, 3)) > 0.5).astype(float)
        value = metrics.accuracy_score(Y.ravel(), (outputs > 0.5).ravel())
    else:
        Y = RNG.normal(size=(40, 3))
        value = metrics.r2_score(Y, outputs)
    assert metric_of(network) == metric
    found = score(network, parameters(network), X, Y)
    assert (found.metric, found.value) == (metric, pytest.approx(value, rel=1e-12))
    assert found.loss == pytest.approx(forecast(network, parameters(network), X, Y).loss)


def test_an_output_of_one_half_is_no_yes() -> None:
    network = hg.Network(1, [hg.Dense(1, "sigmoid", W=[[0.0]])], "binary_cross_entropy")
    assert score(network, parameters(network), np.ones((2, 1)), np.array([[0.0], [1.0]])).value == 0.5
    assert score(network, parameters(network), np.ones((2, 1)), np.array([[0.0], [0.0]])).value == 1.0


def test_R2_where_it_is_not_defined() -> None:
    y = np.array([[1.0, 5.0], [2.0, 7.0], [4.0, 1.0]])
    yhat = y + np.array([[0.5, 1.0], [0.0, 0.0], [-0.5, 2.0]])
    assert r_squared(y, yhat) == pytest.approx(metrics.r2_score(y, yhat), rel=1e-12)
    assert r_squared(y[:2], yhat[:2]) == pytest.approx(metrics.r2_score(y[:2], yhat[:2]), rel=1e-12)
    assert r_squared(y[:1], yhat[:1]) is None
    assert r_squared(np.ones((3, 1)), yhat[:, :1]) is None
    assert r_squared(np.column_stack([y[:, 0], np.ones(3)]), yhat) is None
    assert r_squared(1e200 * y, yhat) is None
    assert r_squared(y, 1e200 * yhat) is None
    assert (if_finite(2.5), if_finite(np.inf), if_finite(np.nan)) == (2.5, None, None)


def test_the_first_row_that_is_not_finite_is_named_from_one() -> None:
    check_finite("table.csv", np.ones((3, 2)))
    for row in range(3):
        outputs = np.ones((3, 2))
        outputs[row:, 1] = np.inf
        with pytest.raises(DataError, match=rf"^table.csv, row {row + 1}: the outputs are not finite"):
            check_finite("table.csv", outputs)


def test_the_loss_of_a_deep_network_comes_from_its_last_sums() -> None:
    network = hg.Network(
        2, [hg.Dense(1, "tanh"), hg.Dense(1, "tanh"), hg.Dense(1, "sigmoid")], "binary_cross_entropy"
    )
    X, Y = RNG.normal(size=(6, 2)), (RNG.random((6, 1)) > 0.5).astype(float)
    made = forecast(network, parameters(network), X, Y)
    expected = metrics.log_loss(Y[:, 0], made.outputs[:, 0], labels=[0, 1])
    assert made.loss == pytest.approx(expected, rel=1e-9)


def test_a_network_without_a_loss_is_measured_by_R2() -> None:
    bare = hg.Network(2, [hg.Dense(1)])
    X, Y = RNG.normal(size=(6, 2)), RNG.normal(size=(6, 1))
    outputs = forecast(bare, parameters(bare), X).outputs
    assert metric_of(bare) == "R2"
    assert score(bare, parameters(bare), X, Y).value == pytest.approx(metrics.r2_score(Y, outputs))


def test_R2_of_small_numbers() -> None:
    y = np.array([[1e-3], [2e-3], [4e-3]])
    assert r_squared(y, y + 1e-4) == pytest.approx(metrics.r2_score(y, y + 1e-4), rel=1e-9)
