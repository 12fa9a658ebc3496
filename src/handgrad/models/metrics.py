"""How good predictions are: loss and accuracy of classes; R2, MAE and RMSE of numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table as Grid

from handgrad.data.cells import Floats
from handgrad.data.targets import Target
from handgrad.rich_repr import Presented, number, printable
from handgrad.training.score import if_finite, r_squared

_SHOWN_CLASSES = 50


class ClassReport(NamedTuple):
    """Precision, recall and F1 of one class; None where there is nothing to divide by."""

    name: str
    rows: int
    precision: float | None
    recall: float | None
    f1: float | None


class OutputReport(NamedTuple):
    """R2, MAE and RMSE of one target column in its own units; None where a number would overflow."""

    name: str
    R2: float | None
    MAE: float | None
    RMSE: float | None


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
            result |= {"accuracy": self.accuracy, "classes": [report._asdict() for report in self.classes]}
        return result | {"remarks": list(self.remarks)}

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if self.task == "regression":
            yield f"{self.rows:,} rows   loss {number(self.loss)} (of the standardised target)"
            yield _grid(("target", "R2", "MAE", "RMSE"), self.outputs)
        else:
            percent = "-" if self.accuracy is None else f"{self.accuracy:.2%}"
            yield f"{self.rows:,} rows   accuracy {percent}   loss {number(self.loss)}"
            yield _grid(("class", "rows", "precision", "recall", "F1"), self.classes[:_SHOWN_CLASSES])
            if len(self.classes) > _SHOWN_CLASSES:
                yield f"and {len(self.classes) - _SHOWN_CLASSES:,} more classes"
        if self.left_out:
            yield f"{self.left_out:,} rows without a target were left out"
        yield from map(printable, self.remarks)


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


def evaluated_classes(target: Target, outputs: Floats, Y: Floats, loss: float | None) -> Evaluation:
    """Accuracy, and precision, recall and F1 of each class."""
    reports, hits = [], []
    for j, name in enumerate(target.names):
        truth, guess, names = _classes_of(target, outputs, Y, j)
        hits.append(truth == guess)
        prefix = f"{name}=" if len(target.names) > 1 else ""
        reports += [_class_report(prefix + label, truth == k, guess == k) for k, label in enumerate(names)]
    return Evaluation(target.task, len(Y), loss, float(np.mean(hits)), tuple(reports))


def _classes_of(target: Target, outputs: Floats, Y: Floats, j: int) -> tuple[Any, Any, tuple[str, ...]]:
    if target.task == "multiclass":
        return np.argmax(Y, axis=1), np.argmax(outputs, axis=1), target.classes[0]
    return (Y[:, j] > 0.5).astype(int), (outputs[:, j] > 0.5).astype(int), target.classes[j]


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
    """R2, MAE and RMSE of each target column, in its own units."""
    error = outputs - Y  # standardised, so that squares rarely overflow; R2 is the same
    with np.errstate(over="ignore"):
        MAE = np.mean(np.abs(error), axis=0) * target.deviations
        RMSE = np.sqrt(np.mean(error**2, axis=0)) * target.deviations
    reports = [
        OutputReport(
            name,
            r_squared(Y[:, [j]], outputs[:, [j]]),
            if_finite(float(MAE[j])),
            if_finite(float(RMSE[j])),
        )
        for j, name in enumerate(target.names)
    ]
    return Evaluation(target.task, len(Y), loss, outputs=tuple(reports))
