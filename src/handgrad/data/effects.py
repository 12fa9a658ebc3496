"""Columns of very many categories: each stands for what the target is on average where it occurs.

    effect of a category = (sum of the target over its rows + m * mean of the target) / (its rows + m)

The few rows of a rare category say little, so that its effect is drawn to the mean (m = 5). A row of the
training must not be told by its own target: its effect is computed from the rows of the other four of five
parts (cross-fitting). Beside the effects stands how often the category occurs, log(1 + rows), which tells a
rare category from one that is not known (0).

Source: D. Micci-Barreca, A preprocessing scheme for high-cardinality categorical attributes (2001); the
cross-fitting as in scikit-learn's TargetEncoder.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from handgrad.data.words import Floats

MOST_OUTPUTS = 20
"""Of more outputs the effects would be more columns than they are worth."""

_DRAWN = 5.0
_PARTS = 5
_PARTING = 0xF01D  # keeps the generator of the parts from those of the split and of the epochs

Places = npt.NDArray[np.int64]


class Goal(NamedTuple):
    """The encoded target of the training rows (rows, outputs), and how its outputs are called."""

    Y: Floats
    names: tuple[str, ...]


def effects_of(places: Places, count: int, Y: Floats) -> Floats:
    """(count + 1, outputs + 1): the effects of each category and its frequency; last of any other.

    `places` (rows,) are the categories of the rows, -1 for none.

    >>> effects_of(np.array([0, 0, 1]), 2, np.array([[1.0], [1.0], [0.0]]))[:, 0].round(3).tolist()
    [0.762, 0.556, 0.667]
    """
    rows, sums = _sums(places, count, Y)
    effects = (sums + _DRAWN * Y.mean(axis=0)) / (rows + _DRAWN)[:, None]
    frequency = np.log1p(rows)
    frequency[-1], effects[-1] = 0.0, Y.mean(axis=0)
    return np.column_stack([effects, frequency])


def cross_fitted(places: Places, count: int, Y: Floats, seed: int) -> Floats:
    """(rows, outputs): the effect for each row of the training, from the rows of the other parts."""
    part = np.random.default_rng([seed, _PARTING]).permutation(len(places)) % _PARTS
    rows, sums = _sums(places, count, Y)
    made = np.empty_like(Y, dtype=np.float64)
    for k in range(_PARTS):
        here = part == k
        own_rows, own_sums = _sums(places[here], count, Y[here])
        others = max(1, int(np.count_nonzero(~here)))
        mean = (Y.sum(axis=0) - Y[here].sum(axis=0)) / others
        effects = (sums - own_sums + _DRAWN * mean) / (rows - own_rows + _DRAWN)[:, None]
        effects[-1] = mean
        made[here] = effects[places[here]]
    return made


def _sums(places: Places, count: int, Y: Floats) -> tuple[Floats, Floats]:
    """(rows, sums of each output) of each category; the last line is that of none."""
    shifted = np.where(places < 0, count, places)
    rows = np.bincount(shifted, minlength=count + 1).astype(np.float64)
    sums = [np.bincount(shifted, Y[:, j], minlength=count + 1) for j in range(Y.shape[1])]
    return rows, np.column_stack(sums)


def scales_of(effects: Floats, places: Places) -> tuple[tuple[float, float], ...]:
    """Mean and deviation of each column of the effects over the rows of the training."""
    here = effects[places]
    return tuple((float(here[:, j].mean()), float(here[:, j].std()) or 1.0) for j in range(here.shape[1]))


def as_lines(effects: Floats) -> tuple[tuple[float, ...], ...]:
    """As the schema keeps them."""
    return tuple(tuple(map(float, line)) for line in effects)


def of_lines(lines: Any) -> Floats:
    """As they are looked up."""
    return np.array(lines, np.float64)
