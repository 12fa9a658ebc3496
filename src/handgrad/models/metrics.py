"""How good predictions are: loss and accuracy of classes; R2, MAE and RMSE of numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table as Grid

from handgrad.data.cells import Floats
from handgrad.data.targets import Target
from handgrad.nn.arrays import Array
from handgrad.nn.forward import forward
from handgrad.nn.network import Network, Parameters
from handgrad.rich_repr import Presented, number

_CHUNK = 8192
_SHOWN_CLASSES = 50


class Score(NamedTuple):
    """Loss and main metric of some rows; None where there are no rows."""

    loss: float | None
    metric: str
    value: float | None


class Forecast(NamedTuple):
    """The outputs (samples, outputs), float64, and the data's loss where targets were given."""

    outputs: Floats
    loss: float | None


def forecast(network: Network, parameters: Parameters, X: Array, Y: Array | None = None) -> Forecast:
    """The outputs without dropout, and the loss without penalties, some thousand rows at a time."""
    loss, outputs, total = network.loss, [], 0.0
    for start in range(0, len(X), _CHUNK):
        part = slice(start, start + _CHUNK)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # judged by the caller
            activity = forward(network, parameters, X[part])
            outputs.append(np.asarray(activity.yhat, np.float64))
            if loss is not None and Y is not None:
                terms = loss.terms(activity.yhat, Y[part], activity.Z[-1], network.layers[-1].function.name)
                total += float(np.sum(loss.per_sample(terms), dtype=np.float64))
    everything = np.concatenate(outputs) if outputs else np.empty((0, network.outputs))
    if loss is None or Y is None:
        return Forecast(everything, None)
    return Forecast(everything, total / len(X) if loss.samples == "mean" else total)


def metric_of(network: Network) -> str:
    """The main metric: accuracy where the loss is an entropy, else R2."""
    entropy = network.loss is not None and network.loss.name in ("cross_entropy", "binary_cross_entropy")
    return "accuracy" if entropy else "R2"


def score(network: Network, parameters: Parameters, X: Array, Y: Array) -> Score:
    """The loss of these rows and their accuracy (classes) or R2 (numbers, as the network sees them)."""
    metric = metric_of(network)
    outputs, loss = forecast(network, parameters, X, Y)
    if metric == "R2":
        return Score(loss, metric, r_squared(np.asarray(Y, np.float64), outputs))
    if network.loss is not None and network.loss.name == "cross_entropy":
        right = np.argmax(outputs, axis=1) == np.argmax(Y, axis=1)
    else:
        right = (outputs > 0.5) == (Y > 0.5)
    return Score(loss, metric, float(np.mean(right)))


def r_squared(y: Floats, yhat: Floats) -> float | None:
    """1 - sum (y - yhat)^2 / sum (y - mean)^2, averaged over outputs; None where a target does not vary.

    >>> r_squared(np.array([[1.0], [2.0], [3.0]]), np.array([[1.0], [2.0], [4.0]]))
    0.5
    """
    with np.errstate(over="ignore", invalid="ignore"):
        total = np.sum((y - y.mean(axis=0)) ** 2, axis=0)
        if y.shape[0] < 2 or not np.all((total > 0) & np.isfinite(total)):
            return None
        value = float(np.mean(1 - np.sum((y - yhat) ** 2, axis=0) / total))
    return _if_finite(value)


def _if_finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


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
        yield from self.remarks


def _grid(headings: tuple[str, ...], lines: tuple[tuple[Any, ...], ...]) -> Grid:
    grid = Grid(box=None, pad_edge=False)
    for place, heading in enumerate(headings):
        grid.add_column(heading, justify="right" if place else "left")
    for line in lines:
        grid.add_row(*map(_cell, line))
    return grid


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return value
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
            _if_finite(float(MAE[j])),
            _if_finite(float(RMSE[j])),
        )
        for j, name in enumerate(target.names)
    ]
    return Evaluation(target.task, len(Y), loss, outputs=tuple(reports))
