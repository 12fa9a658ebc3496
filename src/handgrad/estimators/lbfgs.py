"""The loss and its gradient as a function of one vector, minimised by SciPy's L-BFGS-B.

The gradient is the engine's own: a step of momentum 0 leaves it in the velocity, v = 0 v + g, and a rate of 0
leaves the parameters where they are.

Source: R. Byrd, P. Lu, J. Nocedal, C. Zhu, A limited memory algorithm for bound constrained optimization (1995).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from handgrad.estimators.sessions import start_session
from handgrad.estimators.stochastic import Samples
from handgrad.nn.arrays import Array
from handgrad.nn.network import LayerParameters, Network, Parameters
from handgrad.nn.optimizers import Momentum, initial_state
from handgrad.nn.step import Recipe, Training

_CHUNK = 16_384  # rows whose activities are held at a time
_GRADIENT = Recipe(Momentum(1.0, momentum=0.0, form="velocity"))


class Minimum(NamedTuple):
    """Where L-BFGS ended."""

    parameters: Parameters
    loss: float
    iterations: int
    converged: bool
    message: str


@dataclass(frozen=True)
class Objective:
    """loss(theta) + alpha / (2 n) |W|^2 and its gradient; n is the sum of the weights where there are any."""

    network: Network
    samples: Samples
    alpha: float
    engine: str = "auto"

    def __call__(self, theta: Array) -> tuple[float, Array]:
        """The loss, and its gradient in the shape of theta, float64."""
        parameters = self.unpacked(theta)
        loss, gradient, total = 0.0, np.zeros_like(theta), 0.0
        chunk = min(len(self.samples.Y), _CHUNK)
        session = start_session(
            self.network,
            _GRADIENT,
            Training(parameters, initial_state(_GRADIENT.optimizer, parameters)),
            *self.samples,
            batch_size=chunk,
            engine=self.engine,
        )
        for first in range(0, len(self.samples.Y), chunk):
            rows = np.arange(first, min(first + chunk, len(self.samples.Y)))
            weight = self._weight(rows)
            run = session.run(rows, len(rows), np.zeros(1), 1)
            if run.failed:
                return float("inf"), np.full_like(theta, np.nan)
            velocities = [(W[0], b[0]) for W, b in session.training().state]
            loss += weight * float(run.losses[0])
            gradient += weight * packed(tuple(LayerParameters(*pair) for pair in velocities))
            total += weight
        weights = self._weights_only(theta)
        penalty = 0.5 * self.alpha / total * float(weights @ weights)
        return loss / total + penalty, gradient / total + self.alpha / total * weights

    def _weight(self, rows: Array) -> float:
        weights = self.samples.weights
        return float(len(rows)) if weights is None else float(np.sum(weights[rows], dtype=np.float64))

    def _weights_only(self, theta: Array) -> Array:
        """theta with a zero for each bias."""
        kept = np.zeros_like(theta)
        at = 0
        for inputs, units in zip(self.network.sizes, self.network.sizes[1:], strict=False):
            kept[at : at + units * inputs] = theta[at : at + units * inputs]
            at += units * inputs + units
        return kept

    def unpacked(self, theta: Array) -> Parameters:
        """The parameters that a vector holds: W row by row, then b, layer after layer."""
        parameters, at, dtype = [], 0, self.samples.X.dtype
        for inputs, units in zip(self.network.sizes, self.network.sizes[1:], strict=False):
            W = theta[at : at + units * inputs].reshape(units, inputs)
            b = theta[at + units * inputs : at + units * inputs + units]
            at += units * inputs + units
            parameters.append(LayerParameters(W.astype(dtype), b.astype(dtype)))
        return tuple(parameters)


def packed(parameters: Parameters) -> Array:
    """All parameters as one float64 vector."""
    return np.concatenate([part.ravel() for layer in parameters for part in layer]).astype(np.float64)


def minimised(
    objective: Objective, start: Parameters, *, max_iter: int, max_fun: int, gtol: float, verbose: bool
) -> Minimum:
    """The parameters that SciPy's L-BFGS-B finds from `start`; it ends where no gradient is above `gtol`."""
    import scipy.optimize

    count = 0

    def watched(theta: Array) -> tuple[float, Array]:
        nonlocal count
        count += 1
        loss, gradient = objective(theta)
        if verbose:
            print(f"Evaluation {count}, loss = {loss:.8f}")
        return loss, gradient

    found: Any = scipy.optimize.minimize(
        watched,
        packed(start),
        method="L-BFGS-B",
        jac=True,
        options={"maxfun": max_fun, "maxiter": max_iter, "gtol": gtol},
    )
    message = found.message if isinstance(found.message, str) else found.message.decode()
    return Minimum(
        objective.unpacked(found.x),
        float(found.fun),
        min(int(found.nit), max_iter),
        found.status == 0,
        message,
    )
