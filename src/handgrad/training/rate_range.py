"""The learning-rate range test: one training whose rate grows with every step, from far too small to far too large.

Source: L. Smith, Cyclical learning rates for training neural networks (WACV 2017), section 3.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from handgrad.data.arrays import samples
from handgrad.data.batches import epoch_order
from handgrad.engines import choose
from handgrad.errors import SpecificationError, TrainingError
from handgrad.nn.arrays import Array
from handgrad.nn.network import Network
from handgrad.nn.optimizers import Adam, Optimizer, initial_state
from handgrad.nn.step import Recipe, Training

_KEPT = 0.9  # of the running mean at each step
_TOO_HIGH = 4.0  # times the lowest: from there on the losses say nothing


@dataclass(frozen=True, eq=False)
class RateRange:
    """What the test found: `rates` and `losses` of its steps, `smooth` losses, and the rate to take."""

    rates: Array
    losses: Array
    smooth: Array
    suggested: float
    """Where the smoothed loss falls fastest by ln(rate), before its minimum."""


def rate_range(
    network: Network,
    X: Any,
    Y: Any,
    *,
    lowest: float = 1e-6,
    highest: float = 1.0,
    steps: int = 200,
    optimizer: Optimizer | None = None,
    batch_size: int = 32,
    seed: int = 0,
    engine: str = "auto",
    dtype: str = "float64",
) -> RateRange:
    """Trains `steps` steps from the beginning; step k has the rate lowest (highest / lowest)^(k / (steps - 1)).

    It ends early where the loss is no longer finite or four times its lowest. The optimizer is Adam unless told else.

    >>> from handgrad.nn.network import Dense
    >>> network = Network(1, [Dense(8, "tanh"), Dense(1)], "squared_error")
    >>> x = np.linspace(-1, 1, 64)[:, None]
    >>> found = rate_range(network, x, np.sin(3 * x))
    >>> 1e-4 < found.suggested < 1
    True

    Raises SpecificationError for rates that do not grow or fewer than ten steps, ShapeError for arrays that do not fit,
    TrainingError where the loss never falls.
    """
    if not 0 < lowest < highest < np.inf:
        raise SpecificationError(f"the rates must grow from a number > 0, got {lowest} to {highest}")
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 10:
        raise SpecificationError(f"steps must be a whole number of at least 10, got {steps!r}")
    X, Y = samples(network, X, Y, dtype)
    rates = np.geomspace(lowest, highest, steps)
    losses = _losses(network, optimizer or Adam(), X, Y, rates, batch_size, seed, engine, dtype)
    smooth = _smoothed(losses)
    lowest_so_far = np.minimum.accumulate(smooth)
    wild = np.flatnonzero(smooth > _TOO_HIGH * lowest_so_far)
    count = int(wild[0]) if wild.size else len(smooth)
    rates, losses, smooth = rates[:count], losses[:count], smooth[:count]
    bottom = int(np.argmin(smooth)) if count else 0
    if bottom < 2:
        raise TrainingError(
            f"the loss does not fall at any rate from {lowest:g} on; give a smaller lowest rate, or look at the data"
        )
    slopes = np.gradient(smooth[: bottom + 1], np.log(rates[: bottom + 1]))
    return RateRange(rates, losses, smooth, float(rates[int(np.argmin(slopes))]))


def _losses(
    network: Network,
    optimizer: Optimizer,
    X: Array,
    Y: Array,
    rates: Array,
    batch_size: int,
    seed: int,
    engine: str,
    dtype: str,
) -> Array:
    """The loss of each batch before its step, as far as they are finite."""
    parameters = network.initial_parameters(seed, dtype)
    training = Training(parameters, initial_state(optimizer, parameters))
    session = choose(engine, network).start(network, Recipe(optimizer), training, X, Y, seed)
    B = min(batch_size, len(X))
    per_epoch = -(-len(X) // B)
    losses: list[Array] = []
    for epoch, first in enumerate(range(0, len(rates), per_epoch)):
        part = rates[first : first + per_epoch]
        order = epoch_order(seed, epoch, len(X))
        run = session.run(order[: len(part) * B], B, part, first + 1)
        losses.append(run.losses[: len(run.losses) - run.failed])
        if run.failed:
            break
    return np.concatenate(losses)


def _smoothed(losses: Array) -> Array:
    """The running mean that forgets a tenth at each step, corrected for its start at zero as in Adam."""
    mean, smooth = 0.0, np.empty(len(losses))
    for k, loss in enumerate(losses):
        mean = _KEPT * mean + (1 - _KEPT) * float(loss)
        smooth[k] = mean / (1 - _KEPT ** (k + 1))
    return smooth
