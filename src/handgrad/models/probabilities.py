"""How good probabilities are: ranking, sharpness, calibration. Each function takes arrays and gives a number.

`truth` (rows,) is 1 where the class is the one asked for, `p` (rows,) its probability.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from handgrad.data.words import Floats

_BINS = 10
_LEAST = 1e-15  # of a probability in a logarithm


class Bin(NamedTuple):
    """Rows whose probability lies in one tenth: what was predicted on average, and how often it was so."""

    predicted: float
    observed: float
    rows: int


def roc_auc(truth: Floats, p: Floats) -> float | None:
    """The probability that a row of the class has a higher p than another row; ties count one half.

        AUC = (sum of the ranks of the class - n1 (n1 + 1) / 2) / (n1 n0)

    >>> roc_auc(np.array([0.0, 1.0, 1.0]), np.array([0.1, 0.8, 0.1]))
    0.75

    Source: H. Mann, D. Whitney (1947), the statistic U.
    """
    positive = truth > 0.5
    n1, n0 = int(positive.sum()), int((~positive).sum())
    if n1 == 0 or n0 == 0:
        return None
    _, index, counts = np.unique(p, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks = (last - (counts - 1) / 2)[index]
    return float((ranks[positive].sum() - n1 * (n1 + 1) / 2) / (n1 * n0))


def average_precision(truth: Floats, p: Floats) -> float | None:
    """The area under precision over recall, as a sum of steps: sum over thresholds of (R_k - R_(k-1)) P_k.

    >>> average_precision(np.array([0.0, 1.0, 1.0]), np.array([0.5, 0.8, 0.1])).__round__(4)
    0.8333
    """
    positive = truth > 0.5
    if not positive.any():
        return None
    order = np.argsort(-p, kind="stable")
    hits = np.cumsum(positive[order])
    ends = np.append(np.flatnonzero(np.diff(p[order])), len(p) - 1)  # rows of one p are one threshold
    precision, recall = hits[ends] / (ends + 1), hits[ends] / hits[-1]
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))


def log_loss(Y: Floats, P: Floats) -> float:
    """The mean over the rows of -sum_k y_k ln p_k; Y, P (rows, classes)."""
    return float(-np.mean(np.sum(Y * np.log(np.clip(P, _LEAST, 1)), axis=1)))


def brier(Y: Floats, P: Floats) -> float:
    """The mean over the rows of sum_k (p_k - y_k)^2, halved for two classes so that it is (p - y)^2.

    Source: G. Brier (1950).
    """
    return float(np.mean(np.sum((P - Y) ** 2, axis=1)) / (2 if Y.shape[1] == 2 else 1))


def calibration(truth: Floats, p: Floats) -> tuple[Bin, ...]:
    """Predicted and observed frequency in each tenth of the probability that holds rows."""
    tenth = np.minimum((p * _BINS).astype(int), _BINS - 1)
    rows = np.bincount(tenth, minlength=_BINS)
    predicted, observed = np.bincount(tenth, p, _BINS), np.bincount(tenth, truth, _BINS)
    return tuple(
        Bin(float(predicted[k] / rows[k]), float(observed[k] / rows[k]), int(rows[k]))
        for k in range(_BINS)
        if rows[k]
    )


def calibration_error(bins: tuple[Bin, ...]) -> float:
    """The mean distance of predicted and observed frequency, each tenth by its rows."""
    total = sum(part.rows for part in bins)
    return sum(abs(part.predicted - part.observed) * part.rows for part in bins) / max(1, total)
