"""By how much each row counts in the loss: by its class, by a column of weights, or by both.

    omega_i = (weight of the row's class) (number of the column) / mean over the training rows

The division makes the mean weight of the training rows 1, so that the loss and its gradients keep their size
and a learning rate its meaning. Balanced weights of classes are n / (k n_c) for class c, n_c of the n training
rows, k classes: then every class counts as much as any other.

Source of the balanced weights: G. King, L. Zeng, Logistic regression in rare events data (2001), section 4.2.
"""

from __future__ import annotations

import csv
import io
import json
import math
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from handgrad.data.cells import column_numbers
from handgrad.data.tables import Table
from handgrad.data.targets import Target
from handgrad.data.words import Floats
from handgrad.errors import DataError, SpecificationError
from handgrad.files import read_whole

BALANCED = "balanced"

ClassWeights = str | Mapping[str, float]
"""'balanced', or a weight for each class that is named; the others have 1."""


class Weighting(msgspec.Struct, frozen=True, omit_defaults=True):
    """How the rows of a table are weighted."""

    column: str = ""
    """The column of weights; empty for none."""
    classes: tuple[float, ...] = ()
    """A weight for each class of the target, in its order; empty for none."""
    mean: float = 1.0
    """Of what the two give on the training rows, by which it is divided."""

    def of(self, table: Table, target: Target) -> Floats:
        """The weight of each row, shape (rows,).

        Raises DataError for a weight that is missing, below 0 or not finite.
        """
        return self._raw(table, target) / self.mean

    def _raw(self, table: Table, target: Target) -> Floats:
        weights = np.ones(table.rows)
        if self.classes:
            weights *= np.array(self.classes)[target.class_indices(table)]
        if self.column:
            weights *= _column(table, self.column)
        return weights

    def measured(self, table: Table, target: Target, rows: Any = None) -> Weighting:
        """The same with the mean of these rows (the training rows; None for all).

        Raises DataError where all of them have the weight 0.
        """
        raw = self._raw(table, target)
        with np.errstate(over="ignore"):
            mean = float(np.mean(raw if rows is None else raw[rows]))
        if not 0 < mean < math.inf:
            raise DataError(
                f"{table.source}: the weights of the training rows have the mean {mean}; give some rows a "
                "weight above 0, and none one that is out of all bounds"
            )
        return Weighting(self.column, self.classes, mean)

    def described(self, target: Target) -> str:
        """What weighs the rows, in words.

        >>> Weighting(classes=(0.5, 2.0)).described(Target(("y",), "binary", (("no", "yes"),), ("text",)))
        'each row counts by its class (no 0.5, yes 2)'
        """
        parts = []
        if self.classes:
            shown = ", ".join(
                f"{name} {weight:.4g}"
                for name, weight in zip(target.classes[0][:8], self.classes[:8], strict=True)
            )
            parts.append(f"by its class ({shown}{', ...' if len(self.classes) > 8 else ''})")
        if self.column:
            parts.append(f"by the column {self.column!r} (divided by its mean {self.mean:.4g})")
        return "each row counts " + " and ".join(parts)


def weighting_of(
    table: Table,
    target: Target,
    rows: Any,
    class_weight: ClassWeights | None,
    column: str | None,
) -> Weighting | None:
    """The weighting that was asked for, measured on these rows; None where every row counts the same.

    Raises SpecificationError for weights of classes that do not fit the target, DataError for a column that is
    no column of weights.
    """
    if class_weight is None and column is None:
        return None
    classes = () if class_weight is None else _of_classes(table, target, rows, class_weight)
    if column is not None:
        table.column(column)
    return Weighting(column or "", classes).measured(table, target, rows)


def read_class_weights(text: str) -> ClassWeights:
    """What --class-weight says: 'balanced', or a file of weights (.toml, .json, or .csv with class and weight).

    >>> read_class_weights("balanced")
    'balanced'

    Raises SpecificationError for a file that does not say a weight for each name.
    """
    if text == BALANCED:
        return text
    path = Path(text)
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise SpecificationError(
            f"class weights are 'balanced' or a file ({', '.join(_READERS)}) of classes and weights, got {text!r}"
        )
    try:
        found = reader(read_whole(path).decode("utf-8-sig"))
    except OSError as error:
        raise SpecificationError(f"{path} cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise SpecificationError(f"{path} does not hold a weight for each class: {error}") from error
    if not isinstance(found, dict) or not found:
        raise SpecificationError(f"{path} does not hold a weight for each class, as in yes = 3")
    return found


def _lines(text: str) -> dict[str, float]:
    """Two cells a line, class and weight; a first line whose second cell is no number is the header."""
    lines = [line for line in csv.reader(io.StringIO(text)) if line]
    if any(len(line) != 2 for line in lines):
        raise ValueError("a line needs two cells, class and weight")
    if lines and not _is_number(lines[0][1]):
        lines = lines[1:]
    return {name.strip(): float(weight) for name, weight in lines}


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


_READERS: dict[str, Callable[[str], Any]] = {".toml": tomllib.loads, ".json": json.loads, ".csv": _lines}


def _of_classes(table: Table, target: Target, rows: Any, wanted: ClassWeights) -> tuple[float, ...]:
    if target.task not in ("binary", "multiclass"):
        raise SpecificationError(
            f"weights of classes need a target of classes, one column; the task is {target.task}; "
            "weigh rows by a column instead"
        )
    names = target.classes[0]
    if isinstance(wanted, str):
        if wanted != BALANCED:
            raise SpecificationError(
                f"class_weight must be 'balanced' or a weight for each class, got {wanted!r}"
            )
        places = target.class_indices(table)
        counts = np.bincount(places if rows is None else places[rows], minlength=len(names))
        there = np.count_nonzero(counts)
        return tuple(float(counts.sum() / (there * count)) if count else 0.0 for count in counts)
    if not isinstance(wanted, Mapping):
        raise SpecificationError(
            f"class_weight must be 'balanced' or a weight for each class, got {wanted!r}"
        )
    given = {str(name): weight for name, weight in wanted.items()}
    unknown = [name for name in given if name not in names]
    if unknown:
        known = ", ".join(names[:8]) + (" ..." if len(names) > 8 else "")
        raise SpecificationError(f"there is no class {unknown[0]!r} to weigh; the classes are {known}")
    for name, weight in given.items():
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight < math.inf:
            raise SpecificationError(
                f"the weight of the class {name!r} must be a number >= 0, got {weight!r}"
            )
    return tuple(float(given.get(name, 1.0)) for name in names)


def _column(table: Table, name: str) -> Floats:
    """The numbers of a column of weights."""
    values = np.asarray(column_numbers(table, name), np.float64)
    wrong = ~((values >= 0) & (values < math.inf))
    if wrong.any():
        row = int(np.argmax(wrong))
        came = "is missing" if np.isnan(values[row]) else f"is {values[row]:g}"
        raise DataError(f"{table.place(row, name)}: the weight {came}; weights are numbers, at least 0")
    return values
