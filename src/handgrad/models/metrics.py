"""How good predictions are: loss and accuracy of classes; R2, MAE and RMSE of numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table as Grid

from handgrad.data.cells import Floats
from handgrad.data.targets import Target
from handgrad.models.probabilities import (
    Bin,
    average_precision,
    brier,
    calibration,
    calibration_error,
    log_loss,
    roc_auc,
)
from handgrad.rich_repr import Presented, number, printable
from handgrad.training.score import if_finite, r_squared

_SHOWN_CLASSES, _CONFUSED = 50, 8
_OF_CLASSES = ("balanced_accuracy", "roc_auc", "pr_auc", "log_loss", "brier")
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


class ClassReport(NamedTuple):
    """Precision, recall and F1 = 2 / (1 / precision + 1 / recall) of one class; None for a division by 0.

    Source: C. van Rijsbergen, Information retrieval (1979), chapter 7.
    """

    name: str
    rows: int
    precision: float | None
    recall: float | None
    f1: float | None


class OutputReport(NamedTuple):
    """R2, MAE and RMSE of one target column in its own units; None where a number would overflow.

    `MAPE` is the mean of |error / target| over the rows whose target is not 0; `residuals` are the quantiles
    of prediction - target at 5, 25, 50, 75 and 95 %.
    """

    name: str
    R2: float | None
    MAE: float | None
    RMSE: float | None
    MAPE: float | None = None
    residuals: tuple[float, ...] = ()


@dataclass(frozen=True)
class Evaluation(Presented):
    """The metrics of a model on some rows."""

    task: str
    rows: int
    loss: float | None
    accuracy: float | None = None
    classes: tuple[ClassReport, ...] = ()
    outputs: tuple[OutputReport, ...] = ()
    left_out: int = 0
    """Rows without a target, which were not judged."""
    remarks: tuple[str, ...] = ()
    balanced_accuracy: float | None = None
    """The mean of the recall of the classes that occur."""
    confusion: tuple[tuple[int, ...], ...] = ()
    """Rows of each class (a line each) by the class that was predicted."""
    roc_auc: float | None = None
    """Of several classes, the mean of each against the others."""
    pr_auc: float | None = None
    log_loss: float | None = None
    brier: float | None = None
    calibration: tuple[Bin, ...] = ()
    """Of two classes, that of the second; of more, that of the predicted class."""
    threshold: float = 0.5
    """Of the probability from which the second of two classes is predicted."""
    trivial: dict[str, float | None] = field(default_factory=dict)
    """The same metrics of who always says the commonest class, or the mean, of the training rows."""
    unknown: int = 0
    """Rows of a class that was not in the training data; they are in none of the metrics."""
    seen: int = 0
    """Rows that equal a row of the training."""

    @property
    def R2(self) -> float | None:
        """The mean of the R2 of all outputs of a regression."""
        values = [output.R2 for output in self.outputs if output.R2 is not None]
        return float(np.mean(values)) if values else None

    def as_json(self) -> dict[str, Any]:
        """Plain lists and numbers, as `evaluate --json` prints them."""
        result: dict[str, Any] = {
            "task": self.task,
            "rows": self.rows,
            "left_out": self.left_out,
            "loss": self.loss,
        }
        if self.task == "regression":
            result |= {"R2": self.R2, "outputs": [output._asdict() for output in self.outputs]}
        else:
            result |= {
                "accuracy": self.accuracy,
                **{name: getattr(self, name) for name in _OF_CLASSES},
                "calibration_error": calibration_error(self.calibration) if self.calibration else None,
                "calibration": [part._asdict() for part in self.calibration],
                "threshold": self.threshold,
                "confusion": [list(line) for line in self.confusion],
                "classes": [report._asdict() for report in self.classes],
            }
        return result | {
            "trivial": self.trivial,
            "unknown_class": self.unknown,
            "rows_trained_on": self.seen,
            "remarks": list(self.remarks),
        }

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if self.task == "regression":
            yield f"{self.rows:,} rows   loss {number(self.loss)} (of the standardised target)"
            lines = [tuple(output)[:5] for output in self.outputs]
            yield _grid(
                ("target", "R2", "MAE", "RMSE", "MAPE"),
                (*lines, *self._trivial_line("R2", "MAE", "RMSE", "MAPE")),
            )
            for output in self.outputs:
                if output.residuals:
                    low, lower, middle, upper, high = map(number, output.residuals)
                    yield (
                        f"residuals of {printable(output.name)}: half lie between {lower} and {upper} (median "
                        f"{middle}), nine in ten between {low} and {high}"
                    )
        else:
            percent = "-" if self.accuracy is None else f"{self.accuracy:.2%}"
            yield f"{self.rows:,} rows   accuracy {percent}   loss {number(self.loss)}"
            yield from self._measures()
            yield _grid(("class", "rows", "precision", "recall", "F1"), self.classes[:_SHOWN_CLASSES])
            yield from self._confusion()
            if len(self.classes) > _SHOWN_CLASSES:
                yield f"and {len(self.classes) - _SHOWN_CLASSES:,} more classes"
        if self.left_out:
            yield f"{self.left_out:,} rows without a target were left out"
        if self.unknown:
            yield (
                f"{self.unknown:,} rows have a class that was not in the training data: none can be right; with "
                f"them the accuracy is {(self.accuracy or 0) * self.rows / (self.rows + self.unknown):.2%}"
            )
        if self.seen:
            yield f"{self.seen:,} of the rows equal rows that the model was trained on: on new rows it may do worse"
        yield from map(printable, self.remarks)

    def _trivial_line(self, *names: str) -> list[tuple[Any, ...]]:
        return [("always the mean", *(self.trivial.get(name) for name in names))] if self.trivial else []

    def _measures(self) -> Iterator[Grid]:
        """The metrics of all rows beside those of the trivial predictor."""
        shown = [(name.replace("_", " "), getattr(self, name)) for name in ("accuracy", *_OF_CLASSES)]
        if self.calibration:
            shown.append(("calibration error", calibration_error(self.calibration)))
        headings = ("measure", "model", "commonest class") if self.trivial else ("measure", "model")
        lines = [
            (label, value, self.trivial.get(label.replace(" ", "_")))[: len(headings)]
            for label, value in shown
            if value is not None
        ]
        yield _grid(headings, tuple(lines))

    def _confusion(self) -> Iterator[Grid]:
        """Which class was taken for which."""
        if not 2 <= len(self.confusion) <= _CONFUSED:
            return
        names = [report.name for report in self.classes]
        yield _grid(
            ("true \\ predicted", *map(printable, names)),
            tuple((name, *line) for name, line in zip(names, self.confusion, strict=True)),
        )


def _grid(headings: tuple[str, ...], lines: tuple[tuple[Any, ...], ...]) -> Grid:
    grid = Grid(box=None, pad_edge=False)
    for place, heading in enumerate(headings):
        grid.add_column(heading, justify="right" if place else "left")
    for line in lines:
        grid.add_row(*map(_cell, line))
    return grid


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return printable(value)
    return f"{value:,}" if isinstance(value, int) else number(value)


def evaluated_classes(
    target: Target, outputs: Floats, Y: Floats, loss: float | None, threshold: float = 0.5
) -> Evaluation:
    """Accuracy, precision, recall and F1 of each class, and how good the probabilities are."""
    reports, hits = [], []
    for j, name in enumerate(target.names):
        truth, guess, names = _classes_of(target, outputs, Y, j, threshold)
        hits.append(truth == guess)
        prefix = f"{name}=" if len(target.names) > 1 else ""
        reports += [_class_report(prefix + label, truth == k, guess == k) for k, label in enumerate(names)]
    found = Evaluation(target.task, len(Y), loss, float(np.mean(hits)), tuple(reports), threshold=threshold)
    if target.task == "multilabel":
        return found
    P = target.probabilities(outputs)
    truth, guess, names = _classes_of(target, outputs, Y, 0, threshold)
    confusion = np.bincount(truth * len(names) + guess, minlength=len(names) ** 2).reshape(-1, len(names))
    return replace(
        found,
        confusion=tuple(tuple(map(int, line)) for line in confusion),
        calibration=calibration((truth == 1) * 1.0, P[:, 1])
        if target.task == "binary"
        else calibration((truth == guess) * 1.0, P[np.arange(len(P)), guess]),
        **_of_probabilities(truth, P, [report.recall for report in reports if report.rows]),
        trivial=_trivial_classes(target, truth),
    )


def _of_probabilities(truth: Any, P: Floats, recalls: list[float | None]) -> dict[str, Any]:
    """The metrics of `_OF_CLASSES`."""
    of_class = [((truth == k) * 1.0, P[:, k]) for k in range(P.shape[1])]
    if P.shape[1] == 2:
        of_class = of_class[1:]
    aucs = [roc_auc(*one) for one in of_class] if P.shape[1] <= _SHOWN_CLASSES else []
    areas = [average_precision(*one) for one in of_class] if P.shape[1] <= _SHOWN_CLASSES else []
    Y = np.zeros_like(P)
    Y[np.arange(len(P)), truth] = 1.0
    return {
        "balanced_accuracy": _mean(recalls),
        "roc_auc": _mean(aucs) if None not in aucs else None,
        "pr_auc": _mean(areas) if None not in areas else None,
        "log_loss": log_loss(Y, P),
        "brier": brier(Y, P),
    }


def _mean(values: Sequence[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return float(np.mean(there)) if there else None


def _trivial_classes(target: Target, truth: Any) -> dict[str, float | None]:
    """The metrics of who always says the commonest class of the training, with the shares of all as p."""
    if not target.shares:
        return {}
    shares = np.array(target.shares)
    guess = int(np.argmax(shares))
    P = np.broadcast_to(shares, (len(truth), len(shares)))
    recalls = [float(guess == k) for k in np.unique(truth)]
    return {"accuracy": float(np.mean(truth == guess)), **_of_probabilities(truth, P, list(recalls))}


def _classes_of(
    target: Target, outputs: Floats, Y: Floats, j: int, threshold: float
) -> tuple[Any, Any, tuple[str, ...]]:
    if target.task == "multiclass":
        return np.argmax(Y, axis=1), np.argmax(outputs, axis=1), target.classes[0]
    return (Y[:, j] > 0.5).astype(int), (outputs[:, j] > threshold).astype(int), target.classes[j]


def _class_report(name: str, truth: Any, guess: Any) -> ClassReport:
    both = int(np.sum(truth & guess))
    return ClassReport(
        name,
        int(truth.sum()),
        _ratio(both, int(guess.sum())),
        _ratio(both, int(truth.sum())),
        _ratio(2 * both, int(truth.sum()) + int(guess.sum())),
    )


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def evaluated_numbers(target: Target, outputs: Floats, Y: Floats, loss: float | None) -> Evaluation:
    """R2, MAE, RMSE, MAPE and the quantiles of the residuals of each target column, in its own units."""
    reports = [_output_report(target, outputs, Y, j) for j in range(len(target.names))]
    mean = [_output_report(target, np.zeros_like(Y), Y, j) for j in range(len(target.names))]
    names = ("R2", "MAE", "RMSE", "MAPE")
    trivial = {name: getattr(mean[0], name) for name in names} if len(mean) == 1 else {}
    return Evaluation(target.task, len(Y), loss, outputs=tuple(reports), trivial=trivial)


def _output_report(target: Target, outputs: Floats, Y: Floats, j: int) -> OutputReport:
    error = outputs[:, j] - Y[:, j]  # standardised, so that squares rarely overflow; R2 is the same
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        MAE = float(np.mean(np.abs(error)) * target.deviations[j])
        RMSE = float(np.sqrt(np.mean(error**2)) * target.deviations[j])
        truth = Y[:, j] * target.deviations[j] + target.means[j]
        # a target of 0 comes back from its standardised form with the rounding of the deviation
        there = np.abs(truth) > 1e-12 * (abs(target.means[j]) + target.deviations[j])
        shares = np.abs(error[there] * target.deviations[j] / truth[there])
        residuals = np.quantile(error, _QUANTILES) * target.deviations[j]
    return OutputReport(
        target.names[j],
        r_squared(Y[:, [j]], outputs[:, [j]]),
        if_finite(MAE),
        if_finite(RMSE),
        if_finite(float(np.mean(shares))) if shares.size else None,
        tuple(map(float, residuals)) if np.isfinite(residuals).all() else (),
    )
