"""The picture of a range test of the learning rate: the losses of its steps over their rates."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from handgrad.diagram.curve import Curve, Words, draw_curves
from handgrad.diagram.shapes import Scene
from handgrad.training.rate_range import RateRange


def _plain(value: float) -> str:
    return f"{value:.3g}"


def draw_rates(found: RateRange, shown: Callable[[float], str] = _plain) -> Scene:
    """The smoothed losses (solid) and the losses (dashed) over the rate, logarithmic; a dot at the suggested rate.

    The rates of the test grow by one factor from step to step, so equal steps across are equal factors.

    >>> rates = np.array([1e-3, 1e-2, 1e-1])
    >>> found = RateRange(rates, np.array([4.0, 2.0, 3.0]), np.array([4.0, 3.0, 3.0]), suggested=1e-2)
    >>> print(draw_rates(found).description)
    loss over learning rates 0.001 to 0.1; it falls fastest at 0.01
    """
    low, high = shown(float(found.rates[0])), shown(float(found.rates[-1]))
    suggested = int(np.argmin(np.abs(found.rates - found.suggested)))
    words = Words(
        "Range test of the learning rate",
        f"loss over learning rates {low} to {high}; it falls fastest at {shown(found.suggested)}",
        "learning rate, logarithmic",
        "loss, logarithmic",
    )
    curves = [Curve("smoothed loss", found.smooth.tolist()), Curve("loss", found.losses.tolist())]
    return draw_curves(curves, words, shown, mark=suggested + 1, ends=(low, high))
