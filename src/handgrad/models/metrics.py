"""How good predictions are: loss and accuracy of classes; R2, MAE and RMSE of numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table as Grid

from handgrad.models.probabilities import Bin, calibration_error
from handgrad.rich_repr import Presented, number, printable

_SHOWN_CLASSES, _CONFUSED = 50, 8
_OF_CLASSES = ("balanced_accuracy", "roc_auc", "pr_auc", "log_loss", "brier")


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
    """Rows of each class (a line each) by the class that was predicted; none of more than 1,000 classes."""
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
