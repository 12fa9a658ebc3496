"""Bringing numbers to one scale: by mean and deviation, by median and quartiles, or by quantiles."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from handgrad.data.words import Floats
from handgrad.errors import SpecificationError

SCALINGS = ("standard", "robust", "quantile")

QUIET = np.errstate(over="ignore", invalid="ignore")
"""Numbers near the end of float64 are told, not warned of."""

_QUANTILES = 201
_QUARTILES = 1.3489795003921634  # between the quartiles of a normal distribution lie so many deviations
_LARGE = 1e150  # the squares of larger numbers may overflow


class Scale(NamedTuple):
    """(x - center) / deviation; with `quantiles` first the place of x among them, from -1 to 1."""

    center: float
    deviation: float
    quantiles: tuple[float, ...] = ()

    def of(self, values: Floats) -> Floats:
        """The scaled values; too far away is infinite."""
        if self.quantiles:
            marks = np.array(self.quantiles)
            values = np.where(
                np.isnan(values), np.nan, np.interp(values, marks, np.linspace(-1, 1, len(marks)))
            )
        return standardised(values, self.center, self.deviation)


def standardised(values: Floats, mean: float, deviation: float) -> Floats:
    """(x - mean) / deviation; halved first where x - mean may overflow. Too far away is infinite."""
    with np.errstate(over="ignore"):
        if abs(mean) < _LARGE and deviation < _LARGE:
            scaled = values - mean
            scaled /= deviation
            return scaled
        return np.asarray((values / 2 - mean / 2) / (deviation / 2))


def measured_scale(values: Floats, scaling: str = "standard") -> Scale:
    """The scale of these values; deviation 0 where all are equal.

    >>> measured_scale(np.array([1.0, 2.0, 3.0, 1000.0]), "robust").center
    2.5

    Raises SpecificationError for an unknown scaling.
    """
    if scaling not in SCALINGS:
        raise SpecificationError(f"unknown scaling {scaling!r}; choose one of {', '.join(SCALINGS)}")
    if scaling == "standard":
        return Scale(*measured(values))
    present = values[~np.isnan(values)]
    if present.size == 0 or present.min() == present.max():
        return Scale(*measured(values))
    if scaling == "robust":
        low, middle, high = (float(q) for q in np.quantile(present, (0.25, 0.5, 0.75)))
        spread = (high / 2 - low / 2) / _QUARTILES * 2
        # more than half the values are the same: the deviation has to do
        return Scale(middle, spread if spread > 0 else measured(values)[1])
    marks = np.unique(np.quantile(present, np.linspace(0, 1, _QUANTILES)))
    places = np.interp(present, marks, np.linspace(-1, 1, len(marks)))
    return Scale(*measured(places), tuple(float(mark) for mark in marks))


def measured(values: Floats) -> tuple[float, float]:
    """Mean and standard deviation of the values that are there; deviation 0 where all are equal."""
    gone = np.isnan(values)
    present = values[~gone] if gone.any() else values
    if present.size == 0:
        return 0.0, 0.0
    least, largest = float(present.min()), float(present.max())
    if least == largest:
        return least, 0.0
    if max(-least, largest) < _LARGE and largest - least > 1e-150:
        mean = float(present.mean(dtype=np.float64))
        distance = present - mean
        deviation = float(np.sqrt(np.mean(np.square(distance, out=distance), dtype=np.float64)))
    else:
        mean, deviation = _measured_far(present, max(-least, largest))
    return mean, deviation if np.finfo(np.float64).tiny <= deviation < np.inf else 0.0


def _measured_far(present: Floats, largest: float) -> tuple[float, float]:
    """The same for numbers whose sum or squares overflow or vanish."""
    mean = float((present / largest).mean()) * largest  # of shares, so that no sum can overflow
    mean += 2 * float((present / 2 - mean / 2).mean())
    distance = present / 2 - mean / 2
    furthest = float(np.abs(distance).max())
    deviation = 2 * furthest * float(np.sqrt(np.mean((distance / furthest) ** 2))) if furthest else 0.0
    return mean, deviation
