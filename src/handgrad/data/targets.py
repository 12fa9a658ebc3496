"""What a network is to predict: two classes, several classes, several yes-or-no answers, or numbers."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from handgrad.data.cells import (
    Floats,
    as_text,
    column_numbers,
    is_date,
    is_plain,
    is_text,
    number_text,
    parsed_numbers,
    parsed_truth,
    shortened,
)
from handgrad.data.columns import measured, standardised
from handgrad.data.tables import Table
from handgrad.errors import DataError

TASKS = ("binary", "multiclass", "multilabel", "regression")
MOST_CLASSES = 10_000
FEW = 20
"""Whole numbers of at most this many different values are classes unless the task says otherwise."""


class Target(msgspec.Struct, frozen=True, omit_defaults=True):
    """The target columns and what they hold.

    `classes` has one tuple for each column of a classification, and `readings` how its text is read: as
    numbers, truth or text; `means` and `deviations` have one number for each column of a regression.
    """

    names: tuple[str, ...]
    task: str
    classes: tuple[tuple[str, ...], ...] = ()
    readings: tuple[str, ...] = ()
    means: tuple[float, ...] = ()
    deviations: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.task not in TASKS:
            raise ValueError(f"the task {self.task!r} is unknown")
        held = (self.means, self.deviations) if self.is_regression else (self.classes, self.readings)
        if not self.names or any(values and len(values) != len(self.names) for values in held):
            raise ValueError("the target does not have one description for each of its columns")
        if not all(0 < deviation < np.inf for deviation in self.deviations):
            raise ValueError(f"the target has the deviations {self.deviations}")

    @property
    def outputs(self) -> int:
        """The number of output units."""
        return len(self.classes[0]) if self.task == "multiclass" else len(self.names)

    @property
    def is_regression(self) -> bool:
        """True for numbers, False for classes."""
        return self.task == "regression"

    def present(self, table: Table) -> npt.NDArray[np.bool_]:
        """True for the rows in which no target is missing."""
        keep = np.ones(table.rows, bool)
        for j, name in enumerate(self.names):
            if self.is_regression:
                keep &= ~np.isnan(column_numbers(table, name))
            else:
                keep &= np.asarray(
                    pc.is_valid(class_text(table, name, self.readings[j])).to_numpy(zero_copy_only=False),
                    bool,
                )
        return keep

    def encode(self, table: Table) -> Floats:
        """The targets as the network sees them (samples, outputs): 0 and 1 of classes, standardised numbers.

        Raises DataError for a missing target column, a missing value or a class that the model does not know.
        """
        if self.is_regression:
            return np.column_stack(
                [
                    standardised(column_numbers(table, name), mean, deviation)
                    for name, mean, deviation in zip(self.names, self.means, self.deviations, strict=True)
                ]
            )
        indices = [self.class_indices(table, j) for j in range(len(self.names))]
        if self.task == "multiclass":
            Y = np.zeros((table.rows, self.outputs))
            Y[np.arange(table.rows), indices[0]] = 1.0
            return Y
        return np.column_stack(indices).astype(np.float64)

    def class_indices(self, table: Table, j: int = 0) -> npt.NDArray[np.int64]:
        """The class of each row in target column j, as an index into `classes[j]`."""
        text = class_text(table, self.names[j], self.readings[j])
        found = pc.index_in(text, value_set=pa.array(self.classes[j], pa.string()))
        unknown = np.asarray(pc.is_null(found).to_numpy(zero_copy_only=False), bool)
        if unknown.any():
            row = int(np.argmax(unknown))
            known = ", ".join(self.classes[j][:8]) + (" ..." if len(self.classes[j]) > 8 else "")
            raise DataError(
                f"{table.place(row, self.names[j])}: the class {shortened(str(text[row].as_py()))} was not "
                f"in the training data; known are {known}; leave these rows out or train again"
            )
        return np.asarray(found.to_numpy(zero_copy_only=False), np.int64)

    def values(self, outputs: Floats) -> Floats:
        """Outputs of a regression in the units of the file, shape (samples, outputs)."""
        values: Floats = np.asarray(outputs, np.float64) * np.array(self.deviations) + np.array(self.means)
        return values

    def probabilities(self, outputs: Floats) -> Floats:
        """A column per class (binary, multiclass) or per target column (multilabel)."""
        outputs = np.asarray(outputs, np.float64)
        return np.column_stack([1 - outputs[:, 0], outputs[:, 0]]) if self.task == "binary" else outputs

    def labels(self, outputs: Floats) -> list[npt.NDArray[np.str_]]:
        """The predicted class of each row, one array for each target column."""
        if self.task == "multilabel":
            return [
                np.array(classes)[(outputs[:, j] > 0.5).astype(int)] for j, classes in enumerate(self.classes)
            ]
        return [np.array(self.classes[0])[np.argmax(self.probabilities(outputs), axis=1)]]


def reading_of(table: Table, name: str) -> str:
    """How the text of a class column is read: as 'number' or 'truth' where all of it is, else as 'text'."""
    column = table.column(name)
    if not is_plain(column):
        raise DataError(f"{table.source}, column {name!r} holds {column.type}, which cannot be a target")
    text = as_text(column)
    if not parsed_numbers(text, table.decimal_comma)[1].any():
        return "number"
    return "text" if parsed_truth(text)[1].any() else "truth"


def class_text(table: Table, name: str, reading: str) -> pa.Array:
    """A class column as text; as numbers 1, 1.0 and "1" are one class, as truth True and true."""
    column = table.column(name)
    text = as_text(column)
    if reading == "text" or not is_text(column):
        return text
    if reading == "truth":
        return pc.utf8_lower(text)
    numbers, wrong = parsed_numbers(text, table.decimal_comma)
    canonical = pa.array([None if np.isnan(v) else number_text(float(v)) for v in numbers], pa.string())
    return pc.if_else(pa.array(wrong), text, canonical)


def find_target(table: Table, names: Sequence[str], task: str | None = None) -> Target:
    """The target: its task, and its classes or (still unscaled) its numbers; from its cells or from `task`.

    Text, truth values and whole numbers of at most 20 different values are classes; other numbers are a
    regression.

    Raises DataError for a missing column, a task that does not fit, one class only, or more than 10,000
    classes.
    """
    if not names:
        raise DataError("name at least one target column")
    if len(set(names)) < len(names):
        raise DataError(f"a target column is named twice: {', '.join(names)}")
    if task is not None and task not in TASKS:
        raise DataError(f"unknown task {task!r}; choose one of {', '.join(TASKS)}")
    kinds = [_holds_classes(table, name) for name in names]
    task = task or _found_task(table, names, kinds)
    if task == "regression":
        zeros, ones = (0.0,) * len(names), (1.0,) * len(names)
        return Target(tuple(names), task, means=zeros, deviations=ones)
    if task != "multilabel" and len(names) > 1:
        raise DataError(
            f"the task {task!r} has one target column, got {len(names)}; several columns are 'regression' "
            "or 'multilabel'"
        )
    readings = tuple(reading_of(table, name) for name in names)
    classes = tuple(
        _classes(table, name, task, reading) for name, reading in zip(names, readings, strict=True)
    )
    return Target(tuple(names), task, classes, readings)


def scaled(target: Target, table: Table) -> Target:
    """The target with mean and deviation of its numbers, taken from this table (the training rows)."""
    if not target.is_regression:
        return target
    measures = [measured(column_numbers(table, name)) for name in target.names]
    for name, (mean, deviation) in zip(target.names, measures, strict=True):
        if deviation == 0:
            raise DataError(
                f"{table.source}, target {name!r} is {mean:g} in every training row; nothing can be learned"
            )
    return msgspec.structs.replace(
        target, means=tuple(m for m, _ in measures), deviations=tuple(d for _, d in measures)
    )


def _found_task(table: Table, names: Sequence[str], kinds: Sequence[bool]) -> str:
    if not any(kinds):
        return "regression"
    if len(names) > 1:
        if all(kinds) and all(_count(table, name) == 2 for name in names):
            return "multilabel"
        texts = [name for name in names if is_text(table.column(name)) and _is_no_number(table, name)]
        if texts:
            raise DataError(
                f"{table.source}: several targets must all be numbers or all have two classes; "
                f"{texts[0]!r} is neither; train a model for it alone"
            )
        return "regression"
    return "binary" if _count(table, names[0]) <= 2 else "multiclass"


def _count(table: Table, name: str) -> int:
    return len(pc.unique(class_text(table, name, reading_of(table, name)).drop_null()))


def _is_no_number(table: Table, name: str) -> bool:
    return bool(parsed_numbers(as_text(table.column(name)), table.decimal_comma)[1].any())


def _holds_classes(table: Table, name: str) -> bool:
    column = table.column(name)
    if is_date(column) or not is_plain(column):
        raise DataError(
            f"{table.source}: the target {name!r} holds {column.type}; classes or numbers are needed"
        )
    if column.null_count == len(column):
        raise DataError(f"{table.source}: all cells of the target {name!r} are missing")
    if pa.types.is_boolean(column.type) or (is_text(column) and _is_no_number(table, name)):
        return True
    values = column_numbers(table, name)
    present = values[~np.isnan(values)]
    if present.size == 0:
        raise DataError(f"{table.source}: all cells of the target {name!r} are missing")
    few = np.unique(present).size <= min(FEW, max(2, present.size // 2))
    return bool(few and np.all(present == np.floor(present)))


def _distinct(table: Table, name: str, reading: str) -> list[str]:
    return [value.as_py() for value in pc.unique(class_text(table, name, reading).drop_null())]


def _classes(table: Table, name: str, task: str, reading: str) -> tuple[str, ...]:
    found = _distinct(table, name, reading)
    if len(found) < 2:
        only = shortened(found[0]) if found else "none"
        raise DataError(
            f"{table.source}: the target {name!r} holds one class only ({only}); two or more are needed"
        )
    if task in ("binary", "multilabel") and len(found) > 2:
        raise DataError(
            f"{table.source}: the target {name!r} has {len(found)} classes where the task {task!r} has two; "
            "use the task 'multiclass'"
        )
    if len(found) > MOST_CLASSES:
        raise DataError(
            f"{table.source}: the target {name!r} has {len(found):,} classes, more than {MOST_CLASSES:,}; "
            "if it is a number use the task 'regression', if it names the rows choose another target"
        )
    return tuple(sorted(found, key=_class_order))


def _class_order(name: str) -> tuple[int, float, str]:
    """Numbers by their value, then text by the alphabet."""
    try:
        return (0, float(name), name)
    except ValueError:
        return (1, 0.0, name)
