"""The schema: how the columns of a file become the inputs and targets of a network, kept with the model."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from handgrad.data.cells import column_values, odd_cells, shortened
from handgrad.data.columns import ENCODINGS, Column, Fill, encoded, measure, takes_effects
from handgrad.data.effects import MOST_OUTPUTS, Goal
from handgrad.data.fingerprints import row_hashes
from handgrad.data.kinds import find_kind
from handgrad.data.reading import AS_FOUND, Reading
from handgrad.data.scaling import SCALINGS
from handgrad.data.tables import Table
from handgrad.data.targets import Target, find_target, scaled
from handgrad.data.weights import ClassWeights, Weighting, weighting_of
from handgrad.data.words import Floats
from handgrad.errors import DataError, SpecificationError

MOST_FEATURES = 100_000
MISSING_CHOICES = ("mean", "median", "drop", "refuse")

_NAME_THE_ROWS = re.compile(r"\b(counts|names?) the rows\b")
"""In the reason for which an identifier is left out (`handgrad.data.identifiers`)."""

_BLOCK = 8192
_FEWEST, _BYTES = 1024, 1 << 20  # rows that are encoded together: they stay in the second-level cache


class Kinds(NamedTuple):
    """What the columns of a table mean, before anything was measured."""

    target: Target
    columns: tuple[tuple[str, str, str], ...]
    """(name, kind, reason) of each column that is not a target."""
    doubts: tuple[str, ...] = ()
    """What is doubtful about what was found."""


@dataclass(frozen=True)
class Choices:
    """What the caller says about the columns, instead of what would be found.

    `missing`: mean or median (of the training rows) stand in for a missing number, beside a feature that says
    so; drop leaves out the rows, refuse makes an error of them.
    """

    categorical: Collection[str] = ()
    numeric: Collection[str] = ()
    date: Collection[str] = ()
    text: Collection[str] = ()
    ignore: Collection[str] = ()
    scaling: str = "standard"
    missing: str = "mean"
    class_weight: ClassWeights | None = None
    """'balanced', or a weight for each class."""
    weight: str | None = None
    """The column whose numbers weigh the rows; it is no feature."""
    encode: Mapping[str, str] = field(default_factory=dict)
    """How categories of a column become inputs, one of `handgrad.data.columns.ENCODINGS`."""

    def __post_init__(self) -> None:
        if self.scaling not in SCALINGS:
            raise SpecificationError(f"unknown scaling {self.scaling!r}; choose one of {', '.join(SCALINGS)}")
        if self.missing not in MISSING_CHOICES:
            raise SpecificationError(
                f"missing must be one of {', '.join(MISSING_CHOICES)}, got {self.missing!r}"
            )
        for name, encoding in self.encode.items():
            if encoding not in ENCODINGS:
                raise SpecificationError(
                    f"column {shortened(name)}: unknown encoding {encoding!r}; choose one of {', '.join(ENCODINGS)}"
                )

    def leaving(self, table: Table, name: str | None) -> Choices:
        """The same with a column ignored, unless it was given a kind."""
        if name is None or name in self.kinds(table):
            return self
        return replace(self, ignore=(*self.ignore, name))

    def kinds(self, table: Table) -> dict[str, tuple[str, str]]:
        """(kind, reason) of each column that the caller named.

        Raises DataError for a name that is not in the table or is given two kinds.
        """
        kinds: dict[str, tuple[str, str]] = {}
        for kind, reason, names in (
            ("category", "as asked", self.categorical),
            ("number", "as asked", self.numeric),
            ("date", "as asked", self.date),
            ("ignored", "as asked, free text", self.text),
            ("ignored", "as asked", self.ignore),
            ("ignored", "as asked, it weighs the rows", () if self.weight is None else (self.weight,)),
        ):
            for name in names:
                table.column(name)
                if kinds.setdefault(name, (kind, reason))[0] != kind:
                    raise DataError(
                        f"column {shortened(name)} is given two kinds, {kinds[name][0]} and {kind}; choose one"
                    )
        return kinds


class Schema(msgspec.Struct, frozen=True, omit_defaults=True):
    """Columns and target of the training file, with the numbers of their encoding."""

    columns: tuple[Column, ...]
    target: Target
    reading: Reading = AS_FOUND
    """What the caller said about the reading of the training file."""
    complete: bool = False
    """True where rows with a missing cell were left out of the training."""
    weighting: Weighting | None = None
    """By how much each row counts in the loss; None for all the same."""

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the network's inputs."""
        return tuple(feature for column in self.columns for feature in column.features)

    @property
    def width(self) -> int:
        """Columns of X: one for each input, or one alone for the inputs of a column that are gathered."""
        return sum(column.width for column in self.columns)

    @property
    def gathered(self) -> tuple[int, ...]:
        """How many inputs each of the last columns of X stands for (`handgrad.nn.gathering`)."""
        return tuple(len(column.features) for column in self.columns if column.sparse)

    @property
    def ignored(self) -> tuple[Column, ...]:
        """The columns that are not used, each with its reason."""
        return tuple(column for column in self.columns if column.kind == "ignored")

    @property
    def identifiers(self) -> tuple[str, ...]:
        """The columns that were left out because they name the rows."""
        return tuple(column.name for column in self.ignored if _NAME_THE_ROWS.search(column.reason))

    @property
    def used(self) -> tuple[Column, ...]:
        """The columns that give features."""
        return tuple(column for column in self.columns if column.kind != "ignored")

    def encode(self, table: Table) -> tuple[Floats, tuple[str, ...]]:
        """X (samples, width), and a remark for each column with cells that were not known.

        Raises DataError where a column is missing or a cell does not fit.
        """
        X, remarks = self.encode_as(table, "float64")
        return X, remarks

    def encode_as(self, table: Table, dtype: str) -> tuple[Any, tuple[str, ...]]:
        """The same, X in this dtype."""
        used = self.used
        missing = [column.name for column in used if column.name not in table.columns]
        if missing:
            has = ", ".join(repr(name) for name in table.names[:12])
            raise DataError(
                f"{table.source}: the model needs the column{'s' * (len(missing) > 1)} "
                f"{', '.join(map(repr, missing[:12]))}; the file has {has}; add or rename"
            )
        fills = {column.name: column.filler(table) for column in used}
        X = np.empty((table.rows, self.width), dtype)
        _fill(X, [(column.width, fills[column.name]) for column in used])
        self._check(table, X)
        return X, tuple(remark for column in used for remark in _remarks(column, table))

    @property
    def encodings(self) -> tuple[str, ...]:
        """How columns of very many categories become inputs, a sentence each."""
        return tuple(filter(None, (column.described for column in self.columns)))

    @property
    def on_weights(self) -> tuple[str, ...]:
        """What is said of the weights beside metrics, which have none."""
        if self.weighting is None:
            return ()
        said = self.weighting.described(self.target)
        return (f"in training {said}; here every row counts the same",)

    def weights(self, table: Table, dtype: str) -> Any:
        """By how much each row counts in the loss, (rows,) in this dtype; None for all the same."""
        return None if self.weighting is None else self.weighting.of(table, self.target).astype(dtype)

    def training_rows(self, table: Table) -> npt.NDArray[np.int64]:
        """The rows of the training table that were not left out."""
        keep = self.target.present(table)
        if self.complete:
            for column in self.used:
                keep &= ~column.gone(table)
        return np.flatnonzero(keep)

    def encode_training(self, table: Table, dtype: str, rows: Any, Y: Any, seed: int) -> tuple[Any, Any]:
        """X of the training table, and the hashes by which its training `rows` are known again, in their order.

        In X no row of the training tells its own target (`handgrad.data.effects`).
        """
        X, _ = self.encode_as(table, dtype)
        hashes = row_hashes(X, Y)[rows]
        place = 0
        for column in self.used:
            if column.effects:
                made = column.cross_fitted(table, rows, np.asarray(Y[rows], np.float64), seed)
                X[rows, place : place + made.shape[1]] = made
            place += column.width
        return X, hashes

    def _check(self, table: Table, X: npt.NDArray[Any]) -> None:
        """Raises DataError where a feature is not finite."""
        far = next((row for row in _far(X)), None)
        if far is None:
            return
        place = int(np.argmax(~np.isfinite(X[far])))
        for column in self.used:
            if place < column.width:
                if column.kind != "category":
                    column_values(table, column.name, column.kind, column.order)  # tells of what is infinite
                raise DataError(
                    f"{table.place(far, column.name)}: the number is too far from those of the training data; "
                    "correct it or leave it empty"
                )
            place -= column.width


def _far(X: npt.NDArray[Any]) -> list[int]:
    """The first row with a feature that is not finite, if there is one."""
    for start in range(0, len(X), _BLOCK):
        finite = np.isfinite(X[start : start + _BLOCK])
        if not finite.all():
            return [start + int(np.argmin(finite.all(axis=1)))]
    return []


def _fill(X: npt.NDArray[Any], fills: Sequence[tuple[int, Fill]]) -> None:
    """Writes all features of some thousand rows, then of the next; on all processors."""

    block = max(_FEWEST, _BYTES // max(1, X[:1].nbytes))

    def some(start: int) -> None:
        stop, place = min(start + block, len(X)), 0
        with np.errstate(over="ignore", invalid="ignore"):  # judged afterwards
            for width, fill in fills:
                fill(start, stop, X[start:stop, place : place + width])
                place += width

    starts = range(0, len(X), block)
    if len(starts) < 4:
        for start in starts:
            some(start)
        return
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        list(pool.map(some, starts))


def _remarks(column: Column, table: Table) -> list[str]:
    unknown = column.unknown(table)
    said = []
    if unknown:
        said.append(
            f"column {column.name!r}: {unknown} cells hold a category that was not in the training data"
        )
    odd = odd_cells(table, column.name, column.kind) if column.kind != "category" else ""
    return [*said, f"column {column.name!r}: {odd}; taken as missing"] if odd else said


def decide(
    table: Table,
    target: Sequence[str],
    task: str | None = None,
    choices: Choices | None = None,
    **named: Collection[str],
) -> Kinds:
    """What each column means: from its cells, unless `choices` (or numeric=[...] and the like) name it.

    Raises DataError for a table that cannot be trained on.
    """
    goal = find_target(table, target, task)
    kinds = (choices or Choices(**named)).kinds(table)  # type: ignore[arg-type]
    if set(kinds) & set(goal.names):
        raise DataError(
            f"{', '.join(set(kinds) & set(goal.names))} is the target; its kind is chosen by the task"
        )
    columns: list[tuple[str, str, str]] = []
    doubts: list[str] = []
    for name in (name for name in table.names if name not in goal.names):
        kind, reason = kinds.get(name) or ("", "")
        if not kind:
            found = find_kind(table, name)
            kind, reason = encoded(found)
            doubts += found.doubts
        columns.append((name, kind, reason))
    return Kinds(goal, tuple(columns), tuple(doubts))


def measured_schema(
    table: Table,
    kinds: Kinds,
    rows: Any = None,
    choices: Choices | None = None,
) -> Schema:
    """The schema with means, deviations and categories of these rows (the training rows; None for all).

    Raises DataError where no column is left to learn from.
    """
    choices = choices or Choices()
    target = scaled(kinds.target, table, rows)
    _check_encodings(table, kinds, choices)
    encodings = {name: choices.encode.get(name, "") for name, kind, _ in kinds.columns if kind == "category"}
    by_effects = [name for name, encoding in encodings.items() if takes_effects(table, name, encoding)]
    goal = goal_of(target, table, rows) if by_effects else None
    if goal is not None and len(goal.names) > MOST_OUTPUTS:
        asked = next((name for name in by_effects if name in choices.encode), None)
        if asked is not None:
            raise SpecificationError(
                f"column {shortened(asked)}: effects are for at most {MOST_OUTPUTS} outputs, and the target has "
                f"{len(goal.names)}; take --encode with sparse"
            )
        encodings |= dict.fromkeys(by_effects, "sparse")
    columns = tuple(
        measure(
            table,
            name,
            kind,
            why,
            rows=rows,
            scaling=choices.scaling,
            missing=choices.missing,
            goal=goal,
            encoding=encodings.get(name, ""),
        )
        for name, kind, why in kinds.columns
    )
    columns = tuple(sorted(columns, key=lambda column: column.sparse))  # their numbers stand last in X
    weighting = weighting_of(table, target, rows, choices.class_weight, choices.weight)
    schema = Schema(columns, target, table.reading, choices.missing == "drop", weighting)
    if not schema.features:
        why = "; ".join(f"{column.name!r} {column.reason}" for column in schema.ignored[:6])
        raise DataError(
            f"{table.source}: no column is left to learn from{': ' + why if why else ''}; "
            "add columns, or name one with --categorical or --numeric"
        )
    if schema.width > MOST_FEATURES:
        raise DataError(
            f"{table.source}: the columns give {schema.width:,} features, more than "
            f"{MOST_FEATURES:,}; ignore some of them"
        )
    return schema


def _check_encodings(table: Table, kinds: Kinds, choices: Choices) -> None:
    """Raises DataError for an encoding of a column that has no categories."""
    of = {name: kind for name, kind, _ in kinds.columns}
    for name in choices.encode:
        table.column(name)
        if of.get(name) != "category":
            raise DataError(
                f"column {shortened(name)} has no categories to encode, it is "
                f"{'the target' if name in kinds.target.names else of.get(name)}; name it with --categorical too, or "
                "leave --encode out"
            )


def goal_of(target: Target, table: Table, rows: Any) -> Goal:
    """The encoded target of these rows, for columns of very many categories."""
    Y = target.encode(table)
    if target.task == "regression":
        names = target.names
    elif target.task == "multilabel":
        names = tuple(f"{name}={k[1]}" for name, k in zip(target.names, target.classes, strict=True))
    else:
        names = target.classes[0][-target.outputs :]
    return Goal(Y if rows is None else Y[rows], names)


def fingerprint(X: npt.NDArray[Any], Y: npt.NDArray[Any], weights: Any = None) -> str:
    """SHA-256 of the encoded data and the weights of its rows, to know the training data again.

    >>> fingerprint(np.zeros((1, 2)), np.zeros((1, 1)))[:8]
    '95836dfe'
    """
    digest = hashlib.sha256(repr((X.shape, Y.shape)).encode())
    for array in (X, Y) if weights is None else (X, Y, weights):
        digest.update(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).data)
    return digest.hexdigest()
