"""What may be wrong with a table although it can be read: leaks, outliers, stand-ins for missing cells."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from handgrad.data.cells import column_numbers, parsed, words
from handgrad.data.columns import Column
from handgrad.data.tables import Table
from handgrad.data.targets import Target
from handgrad.data.words import Floats, number_text
from handgrad.errors import DataError

_FAR = 50  # quartile distances from the quartiles: no distribution that is met in tables reaches so far
_LOOKED_AT = 20_000  # rows that are enough to see a leak
_FEWEST = 30
_BINS = 64
_LEAK, _LEAK_OF_BINS = 0.99, 0.97
_STAND_INS = (-1, -9, -99, -999, -9999, 99, 999, 9999, 99999, 999999)
_SCARCE = 0.05

Codes = npt.NDArray[np.int64]


def outlier(table: Table, name: str) -> str:
    """The remark about one number that is far from all others; empty where there is none."""
    values = parsed(table, name, "number").values
    present = values[np.isfinite(values)]
    if present.size < _FEWEST:
        return ""
    low, middle, high = np.quantile(present, (0.25, 0.5, 0.75))
    spread = float(high - low) or float(np.abs(present - middle).mean())
    furthest = int(np.nanargmax(np.where(np.isfinite(values), np.abs(values - middle), np.nan)))
    far = abs(float(values[furthest] - middle))
    if spread == 0 or not np.isfinite(far) or far <= _FAR * spread:
        return ""
    return (
        f"column {name!r}: {number_text(float(values[furthest]))} in {table.line(furthest)} is a huge outlier, "
        f"{far / spread:,.0f} times as far from the median ({middle:g}) as the quartiles are apart"
    )


def stand_in(table: Table, name: str) -> str:
    """The remark about -999 and the like, which may say that a value is missing; empty where there is none."""
    values = parsed(table, name, "number").values
    present = values[np.isfinite(values)]
    if present.size < _FEWEST:
        return ""
    for marker in _STAND_INS:
        count = int(np.count_nonzero(present == marker))
        others = present[present != marker]
        if count < 3 or others.size < 10:
            continue
        outside = marker < others.min() if marker < 0 else marker > others.max()
        gap = abs(marker - (others.min() if marker < 0 else others.max()))
        if outside and gap > (others.max() - others.min()) / 4:
            return (
                f"column {name!r}: {marker} in {count} cells lies apart from all others; if it means missing, "
                f"--missing-marker={marker} says so"
            )
    return ""


def balance(target: Target, counts: Codes) -> str:
    """The remark about a class that is scarce; empty where none is."""
    if target.task not in ("binary", "multiclass") or counts.sum() == 0:
        return ""
    shares = counts / counts.sum()
    scarce = int(np.argmin(shares))
    limit = (
        min(_SCARCE * 2, 1 / len(counts) / 2)
        if target.task == "binary"
        else min(_SCARCE, 1 / len(counts) / 4)
    )
    if shares[scarce] >= limit:
        return ""
    return (
        f"target {target.names[0]!r} is imbalanced: the class {target.classes[0][scarce]!r} is "
        f"{shares[scarce]:.2%} of the rows, so that accuracy says little"
    )


def leaks(table: Table, columns: tuple[Column, ...], target: Target, rows: Codes) -> Iterator[str]:
    """A remark for each column that alone tells the target almost without a mistake."""
    some = rows[:: max(1, len(rows) // _LOOKED_AT)]
    if len(some) < _FEWEST or len(target.names) > 1:
        return
    if target.is_regression:
        goal = column_numbers(table, target.names[0])[some]
        strength_for = _strength_for_numbers
    else:
        goal = target.class_indices(table)[some].astype(np.float64)
        strength_for = _strength_for_classes
    for column in columns:
        if column.kind == "ignored":
            continue
        try:
            strength = strength_for(table, column, some, goal)
        except DataError:  # told elsewhere
            continue
        if strength:
            yield (
                f"column {column.name!r} may be a leak: alone it tells the target {target.names[0]!r} {strength}; "
                "is it known before the target is?"
            )


def _strength_for_classes(table: Table, column: Column, some: Codes, goal: Floats) -> str:
    classes = goal.astype(np.int64)
    many = int(classes.max()) + 1
    codes, bins = _codes(table, column, some)
    if not bins and codes.max() + 1 > len(codes) / 3:
        return ""
    counts = np.bincount(codes * many + classes, minlength=(int(codes.max()) + 1) * many).reshape(-1, many)
    right, usual = counts.max(axis=1).sum() / len(some), counts.sum(axis=0).max() / len(some)
    if usual == 1 or (right - usual) / (1 - usual) < (_LEAK_OF_BINS if bins else _LEAK):
        return ""
    return f"in {right:.1%} of the rows"


def _strength_for_numbers(table: Table, column: Column, some: Codes, goal: Floats) -> str:
    if column.kind in ("number", "boolean"):
        values = parsed(table, column.name, column.kind).values[some]
        there = np.isfinite(values)
        if there.sum() < _FEWEST or np.ptp(values[there]) == 0 or np.ptp(goal[there]) == 0:
            return ""
        with np.errstate(over="ignore", invalid="ignore"):
            r = float(np.corrcoef(values[there], goal[there])[0, 1])
        return f"(correlation {r:.4f})" if abs(r) > 0.9995 else ""
    codes, _ = _codes(table, column, some)
    if codes.max() + 1 > len(codes) / 3 or np.ptp(goal) == 0:
        return ""
    with np.errstate(over="ignore", invalid="ignore"):
        means = np.bincount(codes, goal) / np.maximum(np.bincount(codes), 1)
        explained = 1 - np.var(goal - means[codes]) / np.var(goal)
    return f"(it explains {explained:.2%} of the variance)" if explained > 0.999 else ""


def _codes(table: Table, column: Column, some: Codes) -> tuple[Codes, bool]:
    """(a whole number from 0 for each of the rows, True where it is that of a range of numbers)."""
    if column.kind == "category":
        return words(table, column.name).index[some].astype(np.int64) + 1, False
    values = parsed(table, column.name, column.kind, column.order).values[some]
    distinct = np.unique(values[~np.isnan(values)])
    if distinct.size <= _BINS:
        return np.where(np.isnan(values), 0, np.searchsorted(distinct, values) + 1), False
    edges = np.unique(np.quantile(values[~np.isnan(values)], np.linspace(0, 1, _BINS + 1)[1:-1]))
    return np.where(np.isnan(values), 0, np.searchsorted(edges, values) + 1), True
