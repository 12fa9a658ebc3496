"""What a network is to predict: two classes, several classes, several yes-or-no answers, or numbers."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from handgrad.data import written_truth
from handgrad.data.cells import column_numbers, is_date, is_plain, is_text, parsed, shortened, words
from handgrad.data.columns import declared_order
from handgrad.data.scaling import measured, standardised
from handgrad.data.tables import Table
from handgrad.data.words import Floats, Words, number_text
from handgrad.errors import DataError

TASKS = ("binary", "multiclass", "multilabel", "regression")
MOST_CLASSES = 10_000
FEW = 20
"""Whole numbers of at most this many different values are classes unless the task says otherwise."""
MISTAKES = 0.2
"""Up to this part of a column of numbers may be words: they are mistakes then, and no classes."""


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
    shares: tuple[float, ...] = ()
    """The part of the training rows that each class of a single target has."""

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
                keep &= class_words(table, name, self.readings[j]).index >= 0
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
        indices = self.class_places(table, j)
        unknown = indices < 0
        if unknown.any():
            row = int(np.argmax(unknown))
            known = ", ".join(self.classes[j][:8]) + (" ..." if len(self.classes[j]) > 8 else "")
            text = class_words(table, self.names[j], self.readings[j])
            name = text.values[int(text.index[row])].as_py() if text.index[row] >= 0 else ""
            raise DataError(
                f"{table.place(row, self.names[j])}: the class {shortened(name)} was not in the training data; "
                f"known are {known}; leave these rows out or train again"
            )
        return indices

    def class_places(self, table: Table, j: int = 0) -> npt.NDArray[np.int64]:
        """The same, with -1 for a row whose class is missing or unknown."""
        text = class_words(table, self.names[j], self.readings[j])
        found = pc.index_in(text.values, value_set=pa.array(self.classes[j], text.values.type))
        return text.spread(np.asarray(pc.fill_null(found, -1), np.int64), np.int64(-1))

    def known(self, table: Table) -> npt.NDArray[np.bool_]:
        """True for the rows whose classes are all of the training data; of a regression, all rows."""
        keep = np.ones(table.rows, bool)
        for j, classes in enumerate(self.classes):
            text = class_words(table, self.names[j], self.readings[j])
            known = np.asarray(pc.is_in(text.values, value_set=pa.array(classes, text.values.type)), bool)
            keep &= text.spread(known, True)
        return keep

    def values(self, outputs: Floats) -> Floats:
        """Outputs of a regression in the units of the file, shape (samples, outputs)."""
        values: Floats = np.asarray(outputs, np.float64) * np.array(self.deviations) + np.array(self.means)
        return values

    def probabilities(self, outputs: Floats) -> Floats:
        """A column per class (binary, multiclass) or per target column (multilabel)."""
        outputs = np.asarray(outputs, np.float64)
        if self.task == "binary":
            return np.column_stack([1 - outputs[:, 0], outputs[:, 0]])
        # a float32 softmax adds up to 1 but for some 1e-7, a probability is wanted to
        return outputs / outputs.sum(axis=1, keepdims=True) if self.task == "multiclass" else outputs

    def labels(self, outputs: Floats, threshold: float = 0.5) -> list[npt.NDArray[np.str_]]:
        """The predicted class of each row, one array for each target column.

        The second of two classes is predicted where its probability is above the threshold.
        """
        if self.task in ("binary", "multilabel"):
            return [
                np.array(classes)[(outputs[:, j] > threshold).astype(int)]
                for j, classes in enumerate(self.classes)
            ]
        return [np.array(self.classes[0])[np.argmax(self.probabilities(outputs), axis=1)]]


def reading_of(table: Table, name: str) -> str:
    """How the text of a class column is read: as 'number' or 'truth' where all of it is, else as 'text'."""
    column = table.column(name)
    if not is_plain(column):
        raise DataError(f"{table.source}, column {name!r} holds {column.type}, which cannot be a target")
    if not is_text(column) or is_date(column):
        return "number"
    if not len(parsed(table, name, "number").bad) and not _codes(words(table, name)):
        return "number"
    return "text" if written_truth.parse(words(table, name).values)[1].any() else "truth"


def _codes(text: Words) -> bool:
    """True for 01, 02, which are names and not 1 and 2."""
    return bool(pc.any(pc.match_substring_regex(text.values, pattern=r"^0\d+$")).as_py())


def class_words(table: Table, name: str, reading: str) -> Words:
    """A class column as words; as numbers 1, 1.0 and "1" are one class, as truth True and true."""
    key = ("classes", name, reading)
    if key not in table.parsed:
        table.parsed[key] = _class_words(table, name, reading)
    found: Words = table.parsed[key]
    return found


def _class_words(table: Table, name: str, reading: str) -> Words:
    text = words(table, name)
    if reading == "text" or not is_text(table.column(name)):
        return text
    if reading == "truth":
        return _renamed(text, pc.utf8_lower(text.values))
    made = parsed(table, name, "number")
    number = _of_each(text, made.values)
    texts = text.values.to_pylist()
    return _renamed(
        text,
        pa.array(
            [t if np.isnan(v) else number_text(float(v)) for t, v in zip(texts, number, strict=True)],
            pa.string(),
        ),
    )


def _of_each(text: Words, values: Floats) -> Floats:
    """The value of each distinct text, from the values of the rows."""
    number = np.full(len(text.values), np.nan)
    there = text.index >= 0
    number[text.index[there]] = values[there]
    return number


def _renamed(text: Words, names: pa.Array) -> Words:
    again = names.dictionary_encode()
    return Words(again.dictionary, text.spread(np.asarray(again.indices, np.int32), np.int32(-1)))


def find_target(table: Table, names: Sequence[str], task: str | None = None) -> Target:
    """The target: its task, and its classes or (still unscaled) its numbers; from its cells or from `task`.

    Text, truth values and whole numbers of few different values are classes (`whole_classes`); other numbers
    are a regression.

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


def scaled(target: Target, table: Table, rows: npt.NDArray[np.int64] | None = None) -> Target:
    """The target with mean and deviation of its numbers, or shares of its classes, in these rows (of training)."""
    if target.task in ("binary", "multiclass"):
        index = target.class_indices(table) if rows is None else target.class_places(table)[rows]
        counts = np.bincount(index[index >= 0], minlength=len(target.classes[0]))
        return msgspec.structs.replace(target, shares=tuple(map(float, counts / max(1, counts.sum()))))
    if not target.is_regression:
        return target
    columns = [column_numbers(table, name) for name in target.names]
    measures = [measured(values if rows is None else values[rows]) for values in columns]
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
    return len(class_words(table, name, reading_of(table, name)).values)


def _is_no_number(table: Table, name: str) -> bool:
    text = words(table, name)
    return bool(len(parsed(table, name, "number").bad)) or _codes(text)


def _holds_classes(table: Table, name: str) -> bool:
    column = table.column(name)
    if is_date(column) or not is_plain(column):
        raise DataError(
            f"{table.source}: the target {name!r} holds {column.type}; classes or numbers are needed"
        )
    if column.null_count == len(column):
        raise DataError(f"{table.source}: all cells of the target {name!r} are missing")
    if pa.types.is_boolean(column.type):
        return True
    if is_text(column) and words(table, name).present and _is_no_number(table, name):
        made = parsed(table, name, "number")
        mistakes = 0 < len(made.bad) <= MISTAKES * words(table, name).present
        present = made.values[~np.isnan(made.values)]
        return not mistakes or _codes(words(table, name)) or whole_classes(present)
    values = column_numbers(table, name)
    present = values[~np.isnan(values)]
    if present.size == 0:
        raise DataError(f"{table.source}: all cells of the target {name!r} are missing")
    return whole_classes(present)


def whole_classes(present: Floats) -> bool:
    """True for whole numbers that are names of classes, False for quantities and counts.

    Classes have at most 20 different values, and at most half as many as there are rows. Counts begin at 0 or
    1, have at least six values, rise to one most frequent value and fall off to rare ones.

    >>> whole_classes(np.array([0.0, 1.0, 2.0] * 9)), whole_classes(np.random.default_rng(0).poisson(3, 500) * 1.0)
    (True, False)
    """
    if not np.all(present[:1000] == np.floor(present[:1000])) or not np.all(present == np.floor(present)):
        return False
    values, counts = np.unique(present, return_counts=True)
    if values.size > min(FEW, max(2, present.size // 2)):
        return False
    return not _fall_off(values, counts)


def _fall_off(values: Floats, counts: npt.NDArray[np.int64]) -> bool:
    if values.size < 6 or values[0] not in (0, 1) or counts[-1] > counts.max() / 10:
        return False
    top = int(np.argmax(counts))
    slack = 2 * np.sqrt(counts)  # of chance
    rising = np.all(counts[1 : top + 1] >= counts[:top] - slack[:top])
    falling = np.all(counts[top + 1 :] <= counts[top:-1] + slack[top:-1])
    return bool(rising and falling)


def _classes(table: Table, name: str, task: str, reading: str) -> tuple[str, ...]:
    found = class_words(table, name, reading).values.to_pylist()
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
    declared = declared_order(table, name)
    if set(found) <= set(declared):
        return tuple(name for name in declared if name in set(found))
    if reading == "truth":
        return tuple(sorted(found, key=lambda word: (written_truth.TRUTH[word], word)))
    return tuple(sorted(found, key=_class_order))


def _class_order(name: str) -> tuple[int, float, str]:
    """Numbers by their value, then text by the alphabet."""
    try:
        return (0, float(name), name)
    except ValueError:
        return (1, 0.0, name)
