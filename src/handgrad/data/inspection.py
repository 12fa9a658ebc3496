"""What was read and decided about a table: each column's kind, the task, the features, what looks wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow.compute as pc

from handgrad.data import suspicions
from handgrad.data.cells import parsed, words
from handgrad.data.columns import Column, measure, takes_effects
from handgrad.data.effects import MOST_OUTPUTS
from handgrad.data.kinds import USED, Found, find_kind
from handgrad.data.schema import Choices, goal_of
from handgrad.data.tables import Table
from handgrad.data.targets import Target, class_words, find_target, scaled
from handgrad.data.words import number_text
from handgrad.errors import DataError

_ENCODED = {"numeric": "number", "boolean": "boolean", "categorical": "category", "date": "date"}
_KIND_OF = {encoded: kind for kind, encoded in _ENCODED.items()}
_MOSTLY = 0.5


@dataclass(frozen=True)
class ColumnReport:
    """One column: its kind, whether it is used, how many cells are missing, what was noticed."""

    name: str
    kind: str
    used: bool
    missing: int
    note: str | None = None
    target: bool = False
    holds: str = ""
    """The range of numbers and dates, the commonest categories."""
    features: int = 0

    def as_json(self) -> dict[str, Any]:
        """As `inspect --json` prints it."""
        line: dict[str, Any] = {
            "name": self.name,
            "kind": self.kind,
            "used": self.used,
            "missing": self.missing,
            "note": self.note,
            "holds": self.holds or None,
            "features": self.features,
        }
        return line | ({"target": True} if self.target else {})


@dataclass(frozen=True)
class Inspection:
    """A table as it was understood."""

    source: str
    rows: int
    task: str | None
    columns: tuple[ColumnReport, ...]
    warnings: tuple[str, ...]
    balance: tuple[tuple[str, int], ...] = ()
    """Each class of the target and its rows."""
    trivial: dict[str, float] = field(default_factory=dict)
    """What the predictor scores that says the commonest class, or the mean, of every row."""
    remarks: tuple[str, ...] = ()
    """What was found about the file."""
    without_target: int = 0

    @property
    def features(self) -> int:
        """How many inputs a network would have."""
        return sum(column.features for column in self.columns)

    def as_json(self) -> dict[str, Any]:
        """As `inspect --json` prints it."""
        return {
            "rows": self.rows,
            "task": self.task,
            "features": self.features,
            "columns": [column.as_json() for column in self.columns],
            "warnings": list(self.warnings),
            "file": list(self.remarks),
            "classes": dict(self.balance) or None,
            "trivial": self.trivial or None,
            "rows_without_target": self.without_target,
        }


def inspect(
    table: Table, target: Sequence[str] = (), task: str | None = None, choices: Choices | None = None
) -> Inspection:
    """What every column means, the task, and what looks wrong.

    >>> from handgrad.data.tables import read_table
    >>> seen = inspect(read_table({"x": [1.5, 2.5, 4.0], "y": ["a", "b", "a"]}), ["y"])
    >>> seen.task, [column.kind for column in seen.columns]
    ('binary', ['numeric', 'categorical'])

    Raises DataError for a column that is not there.
    """
    choices = choices or Choices()
    warnings: list[str] = []
    for name in target:
        table.column(name)
    goal = _goal(table, target, task, warnings)
    asked = choices.kinds(table)
    reports, columns = [], []
    for name in table.names:
        found = _found(table, name, asked.get(name))
        if name in target:
            reports.append(_report(table, name, found, None, target=True))
            if goal is not None and found.kind in ("numeric", "categorical", "boolean"):
                warnings += found.doubts
            continue
        column = _column(table, name, found, choices, goal, warnings)
        columns.append(column)
        reports.append(_report(table, name, found, column))
        warnings += _warnings(table, name, found, column, reports[-1].missing)
    rows, present = np.arange(table.rows), np.ones(table.rows, bool)
    balance: tuple[tuple[str, int], ...] = ()
    trivial: dict[str, float] = {}
    if goal is not None:
        present = goal.present(table)
        rows = np.flatnonzero(present)
        balance, trivial = baseline(table, goal, rows)
        warnings += filter(None, [suspicions.balance(goal, np.array([count for _, count in balance]))])
        if present.all():
            warnings += suspicions.leaks(table, tuple(columns), goal, rows)
        else:
            kept = table.take(rows)
            warnings += suspicions.leaks(kept, tuple(columns), goal, np.arange(len(rows)))
    return Inspection(
        table.source,
        table.rows,
        None if goal is None else goal.task,
        tuple(reports),
        tuple(dict.fromkeys(warnings)),
        balance,
        trivial,
        (*table.remarks, *filter(None, (column.described for column in columns))),
        int(np.count_nonzero(~present)),
    )


def _goal(table: Table, names: Sequence[str], task: str | None, warnings: list[str]) -> Target | None:
    """The target; None, and a warning, where nothing can be learned of it."""
    if not names:
        return None
    try:
        goal = find_target(table, names, task)
        goal.present(table)
        return scaled(goal, table, np.flatnonzero(goal.present(table)))
    except DataError as error:
        warnings.append(str(error))
        return None


def _found(table: Table, name: str, asked: tuple[str, str] | None) -> Found:
    """The kind that was asked for, or the one that is found."""
    found = find_kind(table, name)
    if asked is None:
        return found
    kind, reason = asked
    if kind == "ignored":
        return Found("text" if "text" in reason else found.kind, reason, ())
    return Found(_KIND_OF[kind], reason)


def _column(
    table: Table, name: str, found: Found, choices: Choices, target: Target | None, warnings: list[str]
) -> Column:
    """The column as training would measure it on all rows."""
    if not found.used or name in choices.ignore:
        return Column(name, "ignored", reason=found.note)
    try:
        encoding, rows, goal = choices.encode.get(name, ""), None, None
        if target is not None and found.kind == "categorical" and takes_effects(table, name, encoding):
            rows = np.flatnonzero(target.present(table))
            goal = goal_of(target, table, rows)
            if len(goal.names) > MOST_OUTPUTS:
                encoding = "sparse"
        return measure(
            table,
            name,
            _ENCODED[found.kind],
            rows=rows,
            goal=goal,
            scaling=choices.scaling,
            missing=choices.missing,
            encoding=encoding,
        )
    except DataError as error:
        warnings.append(str(error))
        return Column(name, "ignored", reason="cannot be read")


def _report(
    table: Table, name: str, found: Found, column: Column | None, target: bool = False
) -> ColumnReport:
    used = column is not None and column.kind != "ignored"
    kind, note = found.kind, found.note
    if column is not None and not used and found.used and column.reason == "is constant":
        kind, note = "constant", column.reason
    return ColumnReport(
        name,
        kind,
        used,
        _missing(table, name, found),
        note or None,
        target,
        _holds(table, name, found),
        len(column.features) if column is not None else 0,
    )


def _missing(table: Table, name: str, found: Found) -> int:
    if found.kind in ("numeric", "date", "boolean"):
        return int(np.count_nonzero(np.isnan(parsed(table, name, _ENCODED[found.kind]).values)))
    try:
        return table.rows - words(table, name).present
    except DataError:  # lists and other nested values
        return int(table.column(name).null_count)


def _holds(table: Table, name: str, found: Found) -> str:
    """The range of numbers and dates, the commonest words."""
    if found.kind in ("numeric", "date"):
        values = parsed(table, name, _ENCODED[found.kind]).values
        present = values[np.isfinite(values)]
        if present.size == 0:
            return ""
        least, most = float(present.min()), float(present.max())
        if found.kind == "numeric":
            return f"{_short(least)} to {_short(most)}"
        clock = getattr(parsed(table, name, "date").how, "clock", False)
        return f"{_moment(least, clock)} to {_moment(most, clock)}"
    if found.kind in ("boolean", "categorical", "identifier", "constant"):
        return _commonest(table, name)
    return ""


def _short(value: float) -> str:
    return number_text(value) if value == int(value) and abs(value) < 1e15 else f"{value:.6g}"


def _moment(days: float, clock: bool) -> str:
    seconds = round(days * 86_400)
    moment = str(np.datetime64(seconds, "s"))
    if clock:
        return moment[11:16]
    return moment[:10] if seconds % 86_400 == 0 else moment[:16].replace("T", " ")


def _commonest(table: Table, name: str) -> str:
    text = words(table, name)
    counts = text.counts
    order = np.argsort(-counts, kind="stable")[:3]
    shown = ", ".join(pc.utf8_slice_codeunits(text.values.take(order), 0, 20).to_pylist())
    return shown if len(counts) <= 3 else f"{len(counts):,} different: {shown}, ..."


def _warnings(table: Table, name: str, found: Found, column: Column, missing: int) -> list[str]:
    said = list(found.doubts)
    if found.kind in ("identifier", "text", "constant", "empty") and "as asked" not in found.note:
        said.append(f"column {name!r} is not used: {found.note}")
    elif column.kind == "ignored" and found.used and "as asked" not in found.note:
        said.append(f"column {name!r} is not used: {column.reason}")
    if found.used and missing > _MOSTLY * table.rows:
        said.append(f"column {name!r}: {missing / table.rows:.0%} of the cells are missing")
    if column.kind == "number":
        said += filter(None, [suspicions.outlier(table, name), suspicions.stand_in(table, name)])
    return said


def baseline(table: Table, goal: Target, rows: Any) -> tuple[tuple[tuple[str, int], ...], dict[str, float]]:
    """(the classes and their rows, the score of the trivial predictor)."""
    if goal.is_regression:
        deviation = goal.deviations[0]
        return (), {"R2": 0.0, "RMSE": float(deviation), "prediction": float(goal.means[0])}
    text = class_words(table, goal.names[0], goal.readings[0])
    of_word = dict(
        zip(text.values.to_pylist(), np.bincount(text.index[rows], minlength=len(text.values)), strict=True)
    )
    balance = tuple((name, int(of_word.get(name, 0))) for name in goal.classes[0])
    shares = np.array([count for _, count in balance]) / max(1, len(rows))
    there = shares[shares > 0]
    return balance, {"accuracy": float(shares.max()), "log_loss": float(-(there * np.log(there)).sum())}


assert set(_ENCODED) == set(USED)
