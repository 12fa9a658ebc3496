"""The schema: how the columns of a file become the inputs and targets of a network, kept with the model."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from handgrad.data.cells import Floats
from handgrad.data.columns import Column, decide_kind, measure, overridden
from handgrad.data.tables import Table
from handgrad.data.targets import Target, find_target, scaled
from handgrad.errors import DataError

MOST_FEATURES = 100_000


class Kinds(NamedTuple):
    """What the columns of a table mean, before anything was measured."""

    target: Target
    columns: tuple[tuple[str, str, str], ...]
    """(name, kind, reason) of each column that is not a target."""


class Schema(msgspec.Struct, frozen=True):
    """Columns and target of the training file, with the numbers of their encoding."""

    columns: tuple[Column, ...]
    target: Target

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the network's inputs."""
        return tuple(feature for column in self.columns for feature in column.features)

    @property
    def ignored(self) -> tuple[Column, ...]:
        """The columns that are not used, each with its reason."""
        return tuple(column for column in self.columns if column.kind == "ignored")

    def encode(self, table: Table) -> tuple[Floats, tuple[str, ...]]:
        """The inputs X (samples, features), and a remark for each column with categories that were not known.

        Raises DataError where a column is missing or a cell does not fit.
        """
        used = [column for column in self.columns if column.kind != "ignored"]
        missing = [column.name for column in used if column.name not in table.columns]
        if missing:
            has = ", ".join(repr(name) for name in table.names[:12])
            raise DataError(
                f"{table.source}: the model needs the column{'s' * (len(missing) > 1)} "
                f"{', '.join(map(repr, missing[:12]))}; the file has {has}; add or rename"
            )
        encoded = [(column, *column.encode(table)) for column in used]
        remarks = tuple(
            f"column {column.name!r}: {unknown} cells hold a category that was not in the training data"
            for column, _, unknown in encoded
            if unknown and len(column.categories) > 0
        )
        for column, features, _ in encoded:
            far = ~np.isfinite(features).all(axis=1)
            if far.any():
                raise DataError(
                    f"{table.place(int(np.argmax(far)), column.name)}: the number is too far from those of "
                    "the training data; correct it or leave it empty"
                )
        return np.concatenate([features for _, features, _ in encoded], axis=1), remarks


def decide(
    table: Table,
    target: Sequence[str],
    task: str | None = None,
    *,
    categorical: Collection[str] = (),
    numeric: Collection[str] = (),
    ignore: Collection[str] = (),
) -> Kinds:
    """What each column means: from its cells, unless it is named in `categorical`, `numeric` or `ignore`.

    Raises DataError for a table that cannot be trained on.
    """
    goal = find_target(table, target, task)
    kinds = overridden(table, categorical, numeric, ignore)
    if set(kinds) & set(goal.names):
        raise DataError(
            f"{', '.join(set(kinds) & set(goal.names))} is the target; its kind is chosen by the task"
        )
    columns = []
    for name in table.names:
        if name in goal.names:
            continue
        kind, reason = (kinds[name], "as asked") if name in kinds else decide_kind(table, name)
        columns.append((name, kind, reason))
    return Kinds(goal, tuple(columns))


def measured_schema(table: Table, kinds: Kinds) -> Schema:
    """The schema with means, deviations and categories of this table (the training rows).

    Raises DataError where no column is left to learn from.
    """
    columns = tuple(measure(table, name, kind, reason) for name, kind, reason in kinds.columns)
    schema = Schema(columns, scaled(kinds.target, table))
    if not schema.features:
        why = "; ".join(f"{column.name!r} {column.reason}" for column in schema.ignored[:6])
        raise DataError(
            f"{table.source}: no column is left to learn from{': ' + why if why else ''}; "
            "add columns, or name one with --categorical or --numeric"
        )
    if len(schema.features) > MOST_FEATURES:
        raise DataError(
            f"{table.source}: the columns give {len(schema.features):,} features, more than "
            f"{MOST_FEATURES:,}; ignore some of them"
        )
    return schema


def fingerprint(X: Floats, Y: Floats) -> str:
    """SHA-256 of the encoded data, to know the training data again.

    >>> fingerprint(np.zeros((1, 2)), np.zeros((1, 1)))[:8]
    '95836dfe'
    """
    digest = hashlib.sha256(repr((X.shape, Y.shape)).encode())
    for array in (X, Y):
        digest.update(np.ascontiguousarray(array, "<f8").tobytes())
    return digest.hexdigest()
