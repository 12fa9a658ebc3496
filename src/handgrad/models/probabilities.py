"""How good probabilities are: ranking, sharpness, calibration. Each function takes arrays and gives a number.

`truth` (rows,) is 1 where the class is the one asked for, `p` (rows,) its probability.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from handgrad.data.words import Floats

_BINS = 10
LEAST = 1e-15
"""Of a probability in a logarithm."""

_TOGETHER = 1 << 20


class Bin(NamedTuple):
    """Rows whose probability lies in one tenth: what was predicted on average, and how often it was so."""

    predicted: float
    observed: float
    rows: int


def roc_auc(truth: Floats, p: Floats) -> float | None:
    """The probability that a row of the class has a higher p than another row; ties count one half.

        AUC = (pairs in the right order + half of those that are equal) / (n1 n0)

    >>> roc_auc(np.array([0.0, 1.0, 1.0]), np.array([0.1, 0.8, 0.1]))
    0.75

    Source: H. Mann, D. Whitney (1947), the statistic U.
    """
    of_class, others = _apart(truth, p)
    if not len(of_class) or not len(others):
        return None
    twice = 0
    for start in range(0, len(of_class), _TOGETHER):
        part = of_class[start : start + _TOGETHER]
        twice += int(np.searchsorted(others, part, "left").sum())
        twice += int(np.searchsorted(others, part, "right").sum())
    return twice / (2 * len(of_class) * len(others))


def average_precision(truth: Floats, p: Floats) -> float | None:
    """The area under precision over recall, as a sum of steps: sum over thresholds of (R_k - R_(k-1)) P_k.

    >>> average_precision(np.array([0.0, 1.0, 1.0]), np.array([0.5, 0.8, 0.1])).__round__(4)
    0.8333
    """
    of_class, others = _apart(truth, p)
    if not len(of_class):
        return None
    # at a threshold that no row of the class has, recall does not change; rows of one p are one threshold
    values, counts = np.unique(of_class, return_counts=True)
    hits = np.cumsum(counts[::-1])[::-1]
    false = len(others) - np.searchsorted(others, values, "left")
    return float(np.sum(counts / len(of_class) * (hits / (hits + false))))


def _apart(truth: Floats, p: Floats) -> tuple[Floats, Floats]:
    """The p of the rows of the class, and of all others, each in ascending order."""
    positive = truth > 0.5
    return np.sort(p[positive]), np.sort(p[~positive])


def log_losses(Y: Floats, P: Floats) -> Floats:
    """-sum_k y_k ln p_k of each row (rows,); Y, P (rows, classes)."""
    return np.asarray(-np.sum(Y * np.log(np.clip(P, LEAST, 1)), axis=1))


def briers(Y: Floats, P: Floats) -> Floats:
    """sum_k (p_k - y_k)^2 of each row (rows,), halved for two classes so that it is (p - y)^2.

    Source: G. Brier (1950).
    """
    return np.asarray(np.sum((P - Y) ** 2, axis=1) / (2 if Y.shape[1] == 2 else 1))


class Bins:
    """Predicted and observed frequency in each tenth of the probability, counted some rows at a time."""

    def __init__(self) -> None:
        self._sums = np.zeros((3, _BINS))

    def add(self, truth: Floats, p: Floats) -> None:
        """Counts rows: `truth` (rows,) 1 where it was so, `p` (rows,) its probability."""
        tenth = np.minimum((p * _BINS).astype(int), _BINS - 1)
        self._sums += [np.bincount(tenth, of, _BINS) for of in (np.ones(len(p)), p, truth)]

    def bins(self) -> tuple[Bin, ...]:
        """The tenths that hold rows."""
        return tuple(
            Bin(float(p / rows), float(true / rows), int(rows)) for rows, p, true in self._sums.T if rows
        )


def calibration_error(bins: tuple[Bin, ...]) -> float:
    """The mean distance of predicted and observed frequency, each tenth by its rows."""
    total = sum(part.rows for part in bins)
    return sum(abs(part.predicted - part.observed) * part.rows for part in bins) / max(1, total)
