"""What each input had to do with an output: its gradient, and the gradients added up on the way from a baseline.

Integrated gradients: contribution_j = (x_j - x'_j) * integral over t in [0, 1] of dF/dx_j at x' + t (x - x').
Together the contributions are F(x) - F(x'), whatever the network: that is how they are known to be right.

Source: M. Sundararajan, A. Taly, Q. Yan, Axiomatic Attribution for Deep Networks (2017), equation 1 and
proposition 1.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from handgrad.nn.arrays import Array
from handgrad.nn.forward import forward
from handgrad.nn.network import Network, Parameters

MOST_POINTS = 1 << 15
"""Points on the way after which what is left over is said instead of made smaller."""
_FEWEST, _CHUNK = 64, 4096


class Attribution(NamedTuple):
    """Contributions of the inputs (inputs,) to one output, and the output at both ends of the way."""

    contributions: Array
    output: float
    baseline: float
    gradient: Array
    """dF/dx at x itself (inputs,)."""
    left_over: float
    """output - baseline - sum of the contributions: what the numbers of points could not bring to 0."""


def input_gradients(network: Network, parameters: Parameters, X: Array, output: int) -> tuple[Array, Array]:
    """F(x) of one output (m,) and its gradient dF/dx (m, n_0) for each sample of X (m, n_0).

    >>> from handgrad.nn.network import Dense
    >>> network = Network(2, [Dense(1, "sigmoid", W=[[1.0, -2.0]], b=[0.0])])
    >>> F, gradient = input_gradients(network, network.initial_parameters(), np.zeros((1, 2)), 0)
    >>> F.tolist(), gradient.tolist()
    ([0.5], [[0.25, -0.5]])
    """
    activity = forward(network, parameters, X)
    back = np.zeros_like(activity.yhat)
    back[:, output] = 1
    for l in range(network.depth, 0, -1):
        function = network.layers[l - 1].function
        back = function.backward(back, activity.Z[l], activity.F[l]) @ parameters[l - 1].W
    return activity.yhat[:, output], back


def integrated_gradients(
    network: Network,
    parameters: Parameters,
    x: Array,
    baseline: Array,
    output: int,
    tolerance: float = 1e-5,
) -> Attribution:
    """The contributions of x (n_0,) against a baseline (n_0,), by the midpoint rule with as many points as it takes.

    The number of points is doubled until what is left over is at most `tolerance` of the difference of the outputs.

    >>> from handgrad.nn.network import Dense
    >>> network = Network(2, [Dense(1, W=[[2.0, -1.0]], b=[0.5])])
    >>> found = integrated_gradients(network, network.initial_parameters(), np.ones(2), np.zeros(2), 0)
    >>> found.contributions.round(12).tolist(), found.output, found.baseline
    ([2.0, -1.0], 1.5, 0.5)
    """
    x, baseline = np.asarray(x, np.float64), np.asarray(baseline, np.float64)
    parameters = tuple(type(layer)(*(np.asarray(a, np.float64) for a in layer)) for layer in parameters)
    (end, start), gradients = input_gradients(network, parameters, np.stack([x, baseline]), output)
    points = _FEWEST
    while True:
        mean = _mean_gradient(network, parameters, x, baseline, output, points)
        contributions = (x - baseline) * mean
        left_over = float(end - start - contributions.sum())
        if abs(left_over) <= tolerance * abs(end - start) + 1e-12 or points >= MOST_POINTS:
            return Attribution(contributions, float(end), float(start), gradients[0], left_over)
        points *= 2


def _mean_gradient(
    network: Network, parameters: Parameters, x: Array, baseline: Array, output: int, points: int
) -> Array:
    """The mean of the gradient over the middles of equal pieces of the way."""
    total = np.zeros_like(x)
    for first in range(0, points, _CHUNK):
        t = (np.arange(first, min(points, first + _CHUNK)) + 0.5) / points
        way = baseline + t[:, None] * (x - baseline)
        total += input_gradients(network, parameters, way, output)[1].sum(axis=0)
    mean: Array = total / points
    return mean
