"""The metrics of predictions, counted some rows at a time: what adds up is added, what does not is kept.

Counts, sums of losses and calibration add up. Ranks and quantiles need all rows of one column at once: the columns are
kept, in memory or on disk, and taken one after another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from handgrad.data.cells import Floats
from handgrad.data.scratch import Scratch
from handgrad.data.targets import Target
from handgrad.models.metrics import ClassReport, Evaluation, OutputReport
from handgrad.models.probabilities import LEAST, Bins, average_precision, briers, log_losses, roc_auc
from handgrad.training.score import if_finite, r_squared

_RANKED = 50
"""Ranks (ROC-AUC, PR-AUC) are measured for up to so many classes."""

_CONFUSED = 1000
"""A confusion matrix is kept for up to so many classes."""

_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


class Kept(Protocol):
    """A column of numbers that grows at its end."""

    def add(self, values: npt.NDArray[Any]) -> None: ...
    def whole(self) -> npt.NDArray[Any]: ...


class Held:
    """A column in memory.

    >>> column = Held()
    >>> column.add(np.array([1.0, 2.0]))
    >>> column.whole().tolist()
    [1.0, 2.0]
    """

    def __init__(self) -> None:
        self._parts: list[npt.NDArray[Any]] = []

    def add(self, values: npt.NDArray[Any]) -> None:
        """Puts values at its end."""
        self._parts.append(values)

    def whole(self) -> npt.NDArray[Any]:
        """All of it."""
        return self._parts[0] if len(self._parts) == 1 else np.concatenate(self._parts)


class Stored:
    """A column on disk."""

    def __init__(self, folder: Path | None) -> None:
        self._scratch, self._count = Scratch(folder, 1, np.float64), 0

    def add(self, values: npt.NDArray[Any]) -> None:
        """Puts values at its end."""
        self._scratch.write(self._count, values[:, None])
        self._count += len(values)

    def whole(self) -> npt.NDArray[Any]:
        """All of it."""
        return self._scratch.read(0, self._count)[:, 0]


class ClassTally:
    """How good predictions of classes are: counted from their outputs and the encoded targets."""

    def __init__(self, target: Target, threshold: float = 0.5, keep: Callable[[], Kept] = Held) -> None:
        self._target, self._threshold, self._rows = target, threshold, 0
        counts = [len(classes) for classes in target.classes]
        self._counts = [np.zeros((3, count), np.int64) for count in counts]  # true, predicted, both
        whole = target.task != "multilabel" and counts[0] <= _CONFUSED
        self._confusion = np.zeros((counts[0], counts[0]) if whole else (0, 0), np.int64)
        self._bins, self._log_loss, self._brier = Bins(), 0.0, 0.0
        ranked = target.task != "multilabel" and counts[0] <= _RANKED
        self._truth = keep() if ranked else None
        first = 1 if counts[0] == 2 else 0  # of two classes the ranks of the second say all
        self._ranked = {k: keep() for k in range(first, counts[0])} if ranked else {}

    def add(self, outputs: Floats, Y: Floats) -> None:
        """Counts rows: `outputs` of the network (rows, outputs) beside the targets Y (rows, outputs)."""
        self._rows += len(Y)
        for j in range(len(self._target.names)):
            truth, guess = self._classes(outputs, Y, j)
            count = self._counts[j].shape[1]
            self._counts[j] += [
                np.bincount(of, minlength=count) for of in (truth, guess, truth[truth == guess])
            ]
        if self._target.task == "multilabel":
            return
        P = self._target.probabilities(outputs)
        rows = np.arange(len(P))
        one_hot = np.zeros_like(P)
        one_hot[rows, truth] = 1.0
        self._log_loss += float(np.sum(log_losses(one_hot, P)))
        self._brier += float(np.sum(briers(one_hot, P)))
        if self._target.task == "binary":
            self._bins.add((truth == 1) * 1.0, P[:, 1])
        else:
            self._bins.add((truth == guess) * 1.0, P[rows, guess])
        if self._confusion.size:
            np.add.at(self._confusion, (truth, guess), 1)
        if self._truth is not None:
            self._truth.add(truth.astype(np.float64))
        for k, kept in self._ranked.items():
            kept.add(P[:, k])

    def _classes(self, outputs: Floats, Y: Floats, j: int) -> tuple[Any, Any]:
        """(true, predicted) class of each row in target column j."""
        if self._target.task == "multiclass":
            return np.argmax(Y, axis=1), np.argmax(outputs, axis=1)
        return (Y[:, j] > 0.5).astype(int), (outputs[:, j] > self._threshold).astype(int)

    def evaluation(self, loss: float | None) -> Evaluation:
        """The metrics of all rows so far."""
        target, reports = self._target, []
        for name, counts, classes in zip(target.names, self._counts, target.classes, strict=True):
            prefix = f"{name}=" if len(target.names) > 1 else ""
            reports += [
                _class_report(prefix + label, *map(int, of))
                for label, of in zip(classes, counts.T, strict=True)
            ]
        right = sum(int(counts[2].sum()) for counts in self._counts)
        accuracy = right / (self._rows * len(target.names))
        found = Evaluation(target.task, self._rows, loss, accuracy, tuple(reports), threshold=self._threshold)
        if target.task == "multilabel":
            return found
        roc_aucs, areas = self._ranks()
        return replace(
            found,
            confusion=tuple(tuple(map(int, line)) for line in self._confusion),
            calibration=self._bins.bins(),
            balanced_accuracy=_mean([report.recall for report in reports if report.rows]),
            roc_auc=_mean(roc_aucs) if None not in roc_aucs else None,
            pr_auc=_mean(areas) if None not in areas else None,
            log_loss=self._log_loss / self._rows,
            brier=self._brier / self._rows,
            trivial=_trivial_classes(target, self._counts[0][0]),
        )

    def _ranks(self) -> tuple[list[float | None], list[float | None]]:
        """ROC-AUC and PR-AUC of each class that is ranked."""
        if self._truth is None:
            return [], []
        truth = self._truth.whole()
        found = []
        for k, kept in self._ranked.items():
            own, p = (truth == k) * 1.0, kept.whole()
            found.append((roc_auc(own, p), average_precision(own, p)))
        return [roc for roc, _ in found], [area for _, area in found]


def _class_report(name: str, true: int, predicted: int, both: int) -> ClassReport:
    return ClassReport(
        name, true, _ratio(both, predicted), _ratio(both, true), _ratio(2 * both, true + predicted)
    )


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _mean(values: Sequence[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return float(np.mean(there)) if there else None


def _trivial_classes(target: Target, counts: npt.NDArray[np.int64]) -> dict[str, float | None]:
    """The metrics of who always says the commonest class of the training, with the shares of all as p.

    `counts` (classes,) are the rows of each class. All rows have the same p, so that every ranking is even.
    """
    if not target.shares:
        return {}
    shares, rows = np.array(target.shares), int(counts.sum())
    guess, there = int(np.argmax(shares)), counts > 0
    losses = -np.log(np.clip(shares, LEAST, 1))
    # sum_k (p_k - y_k)^2 of a row of class c is sum_k p_k^2 - 2 p_c + 1; of two classes half of it
    squares = (np.sum(shares**2) - 2 * shares + 1) / (2 if len(shares) == 2 else 1)
    own = counts[1:] if len(shares) == 2 else counts
    ranked: list[int] = own.tolist() if len(shares) <= _RANKED else []
    return {
        "accuracy": float(counts[guess] / rows),
        "balanced_accuracy": float(there[guess] / there.sum()),
        "roc_auc": 0.5 if ranked and all(0 < count < rows for count in ranked) else None,
        "pr_auc": float(np.mean(np.array(ranked) / rows)) if ranked and all(ranked) else None,
        "log_loss": float(losses @ counts / rows),
        "brier": float(squares @ counts / rows),
    }


class NumberTally:
    """How good predicted numbers are: R2, MAE, RMSE, MAPE and the quantiles of the residuals, in the target's unit."""

    def __init__(self, target: Target, keep: Callable[[], Kept] = Held) -> None:
        self._target, self._rows = target, 0
        self._kept = [(keep(), keep()) for _ in target.names]

    def add(self, outputs: Floats, Y: Floats) -> None:
        """Keeps rows: `outputs` of the network (rows, outputs) beside the standardised targets Y (rows, outputs)."""
        self._rows += len(Y)
        for j, (made, true) in enumerate(self._kept):
            made.add(outputs[:, j])
            true.add(Y[:, j])

    def evaluation(self, loss: float | None) -> Evaluation:
        """The metrics of all rows so far."""
        reports, trivial = [], {}
        for j, (made, true) in enumerate(self._kept):
            y = true.whole()
            reports.append(_output_report(self._target, made.whole(), y, j))
            if len(self._kept) == 1:
                mean = _output_report(self._target, np.zeros_like(y), y, j)
                trivial = {name: getattr(mean, name) for name in ("R2", "MAE", "RMSE", "MAPE")}
        return Evaluation(self._target.task, self._rows, loss, outputs=tuple(reports), trivial=trivial)


def _output_report(target: Target, output: Floats, y: Floats, j: int) -> OutputReport:
    error = output - y  # standardised, so that squares rarely overflow; R2 is the same
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        MAE = float(np.mean(np.abs(error)) * target.deviations[j])
        RMSE = float(np.sqrt(np.mean(error**2)) * target.deviations[j])
        truth = y * target.deviations[j] + target.means[j]
        # a target of 0 comes back from its standardised form with the rounding of the deviation
        there = np.abs(truth) > 1e-12 * (abs(target.means[j]) + target.deviations[j])
        shares = np.abs(error[there] * target.deviations[j] / truth[there])
        residuals = np.quantile(error, _QUANTILES) * target.deviations[j]
    return OutputReport(
        target.names[j],
        r_squared(y[:, None], output[:, None]),
        if_finite(MAE),
        if_finite(RMSE),
        if_finite(float(np.mean(shares))) if shares.size else None,
        tuple(map(float, residuals)) if np.isfinite(residuals).all() else (),
    )


def tally_of(
    target: Target, threshold: float = 0.5, keep: Callable[[], Kept] = Held
) -> ClassTally | NumberTally:
    """What counts predictions of this target."""
    return NumberTally(target, keep) if target.is_regression else ClassTally(target, threshold, keep)
