"""How good a training is on the way: loss, accuracy of classes, R2 of numbers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from handgrad.data.cells import Floats
from handgrad.engines.protocol import Forecast
from handgrad.engines.reference import forecast
from handgrad.errors import DataError
from handgrad.nn.arrays import Array
from handgrad.nn.network import Network, Parameters


class Score(NamedTuple):
    """Loss and main metric of some rows; None where there are no rows."""

    loss: float | None
    metric: str
    value: float | None


def check_finite(source: str, outputs: Floats, first: int = 0) -> None:
    """Raises DataError where an output is not finite, naming the row, counted from 1; `first` are before these."""
    far = ~np.isfinite(outputs).all(axis=1)
    if far.any():
        raise DataError(
            f"{source}, row {first + int(np.argmax(far)) + 1}: the outputs are not finite, the row is too far "
            "from the training data; correct it or leave it out"
        )


def metric_of(network: Network) -> str:
    """The main metric: accuracy where the loss tells classes apart, else R2."""
    return "R2" if network.loss is None else network.loss.targets.metric


def score(
    network: Network, parameters: Parameters, X: Array, Y: Array, weights: Array | None = None
) -> Score:
    """The loss of these rows, weighted where they have weights, and their accuracy (classes) or R2 (numbers, as the
    network sees them)."""
    return judged(network, forecast(network, parameters, X, Y, weights), Y)


def judged(network: Network, made: Forecast, Y: Array) -> Score:
    """The score of outputs that were made for rows with these targets."""
    metric = metric_of(network)
    if network.loss is None or metric == "R2":
        return Score(made.loss, metric, r_squared(np.asarray(Y, np.float64), made.outputs))
    return Score(made.loss, metric, float(np.mean(network.loss.targets.right(made.outputs, Y))))


def r_squared(y: Floats, yhat: Floats) -> float | None:
    """1 - sum (y - yhat)^2 / sum (y - mean)^2, averaged over outputs; None where a target does not vary.

    >>> r_squared(np.array([[1.0], [2.0], [3.0]]), np.array([[1.0], [2.0], [4.0]]))
    0.5
    """
    with np.errstate(over="ignore", invalid="ignore"):
        total = np.sum((y - y.mean(axis=0)) ** 2, axis=0)
        if y.shape[0] < 2 or not np.all((total > 0) & np.isfinite(total)):
            return None
        value = float(np.mean(1 - np.sum((y - yhat) ** 2, axis=0) / total))
    return if_finite(value)


def if_finite(value: float) -> float | None:
    """The value, or None where it is not finite."""
    return value if np.isfinite(value) else None
