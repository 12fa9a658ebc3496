"""How a column becomes features.

    number    (x - mean) / deviation, or by median and quartiles, or by quantiles     1 feature
    boolean   the same of 1 for true, 0 for false                                      1 feature
    category  1 for its own category, 0 for the others                                 1 feature a category
              of very many: its number, by which a row of weights is taken               1, and 1 input a category
              or what the target is on average where the category is                     1 an output, and 1
    date      days scaled; sine and cosine of the day in the year, and of the time     3 or 5 features
    ignored   nothing                                                                  0 features

A column in which cells were missing has one more feature, 1 where the cell is missing; the missing cell
itself takes the mean or the median, or no category.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from handgrad.data.cells import column_values, is_text, numbers_of, numpy_of, words
from handgrad.data.effects import Goal, as_lines, cross_fitted, effects_of, of_lines, scales_of
from handgrad.data.kinds import Found, find_kind
from handgrad.data.scaling import QUIET, Scale, measured, measured_scale, standardised
from handgrad.data.tables import Table
from handgrad.data.words import Floats, Words
from handgrad.errors import DataError

__all__ = ["Column", "decide_kind", "measure", "measured", "standardised"]

MOST_CATEGORIES = 200
"""More categories than these are not one-hot unless that is asked for."""

ENCODINGS = ("onehot", "sparse", "effect")
"""How categories become inputs: an input each; the same, but gathered (`handgrad.nn.gathering`); or the target's
mean where they are (`handgrad.data.effects`)."""

USUAL_OF_MANY = "effect"
"""What columns of more than `MOST_CATEGORIES` are taken as (docs/quality.md has the scores)."""

_RARE, _RARE_IN = 3, 1000
"""Categories of fewer rows share a feature, in tables of so many rows."""

MOST_GATHERED = 1 << 24
"""Of one column: float32 holds every whole number up to here."""

_YEAR = 365.2425

Fill: TypeAlias = Callable[[int, int, npt.NDArray[Any]], None]
"""Writes the features of the rows from the first to before the second into an array (rows, features)."""

_ENCODED = {"numeric": "number", "boolean": "boolean", "categorical": "category", "date": "date"}


class Column(msgspec.Struct, frozen=True, omit_defaults=True):
    """One column of the schema: its kind and the numbers that its encoding needs."""

    name: str
    kind: str
    mean: float = 0.0
    deviation: float = 1.0
    categories: tuple[str, ...] = ()
    missing: bool = False
    reason: str = ""
    filled: float | None = None
    """What a missing number is taken for; None for the mean."""
    quantiles: tuple[float, ...] = ()
    """Where numbers are scaled by quantiles."""
    clock: bool = False
    """True for dates with times of the day."""
    order: str = ""
    """day-first or month-first, where the training file was written so."""
    rare: tuple[str, ...] = ()
    """Categories that share one feature."""
    effects: tuple[tuple[float, ...], ...] = ()
    """The features of each category, and last those of any other, where there are very many."""
    effect_names: tuple[str, ...] = ()
    effect_scales: tuple[tuple[float, float], ...] = ()
    """Mean and deviation of the effects over the training rows."""
    sparse: bool = False
    """True where X holds the number of the category, by which the first layer takes a row of weights."""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"column {self.name!r} is of the unknown kind {self.kind!r}")
        if not (np.isfinite(self.mean) and 0 < self.deviation < np.inf):
            raise ValueError(f"column {self.name!r} has mean {self.mean} and deviation {self.deviation}")
        if self.effects and (
            len(self.effects) != len(self.categories) + 1
            or any(len(line) != len(self.effect_names) for line in (*self.effects, self.effect_scales))
            or not np.isfinite(self.effects).all()
        ):
            raise ValueError(f"column {self.name!r} does not have its effects for each category")

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the features that this column gives."""
        flag = (f"{self.name} missing",) if self.missing else ()
        if self.effects:
            return (*(f"{self.name} {effect}" for effect in self.effect_names), *flag)
        if self.kind == "category":
            shared = (f"{self.name} is rare",) if self.rare else ()
            return (*(f"{self.name}={category}" for category in self.categories), *shared, *flag)
        if self.kind == "date":
            circles = ("year", "day") if self.clock else ("year",)
            waves = (f"{self.name} {circle} {wave}" for circle in circles for wave in ("sine", "cosine"))
            return (self.name, *waves, *flag)
        return () if self.kind == "ignored" else (self.name, *flag)

    @property
    def width(self) -> int:
        """The columns of X that it takes: one for each input, or one alone where the inputs are gathered."""
        return 1 if self.sparse else len(self.features)

    @property
    def described(self) -> str:
        """How its very many categories become inputs; empty where they are few."""
        if not self.sparse and not self.effects:
            return ""
        count = f"column {self.name!r}: {len(self.categories):,} categories"
        if self.effects:
            return f"{count}, each stands for the target's mean where it occurs (effect)"
        return f"{count}, each takes a row of weights of its own (sparse)"

    @property
    def scale(self) -> Scale:
        """How its numbers are scaled."""
        return Scale(self.mean, self.deviation, self.quantiles)

    def encode(self, table: Table) -> tuple[Floats, int]:
        """Its columns of X, shape (samples, width), and how many cells hold a category that was not known.

        Raises DataError where the column is missing or a cell does not fit its kind.
        """
        features = np.zeros((table.rows, self.width))
        if self.kind == "ignored":
            return features, 0
        self.filler(table)(0, table.rows, features)
        return features, self.unknown(table)

    def unknown(self, table: Table) -> int:
        """How many cells hold a category that was not known."""
        if self.kind != "category":
            return 0
        text = words(table, self.name)
        known = np.asarray(
            pc.is_in(text.values, value_set=pa.array([*self.categories, *self.rare], text.values.type))
        )
        return int(text.counts[~known].sum()) if len(text.values) else 0

    def gone(self, table: Table) -> npt.NDArray[np.bool_]:
        """True for the rows whose cell is missing."""
        if self.kind == "category":
            return np.asarray(words(table, self.name).index < 0)
        return np.isnan(column_values(table, self.name, self.kind, self.order))

    def filler(self, table: Table) -> Fill:
        """What writes the features of this table's rows, block by block.

        Raises DataError where the column is missing or a cell does not fit its kind.
        """
        if self.kind != "category":
            return self._scaled(table)
        if self.sparse:
            return self._numbered(table)
        return self._effects(table) if self.effects else self._one_hot(table)

    def _scaled(self, table: Table) -> Fill:
        values = values_of(table, self.name, self.kind, self.order)
        scale, filled = self.scale, 0.0
        if self.filled is not None:
            filled = float(scale.of(np.array([self.filled]))[0])

        def fill(start: int, stop: int, out: npt.NDArray[Any]) -> None:
            part = np.asarray(values[start:stop], np.float64)
            gone = np.isnan(part)
            scaled = scale.of(part)
            if gone.any():
                scaled[gone] = filled
            out[:, 0] = scaled
            if self.kind == "date":
                turns = [part / _YEAR, part] if self.clock else [part / _YEAR]
                for place, turn in enumerate(turns):
                    angle = 2 * np.pi * np.where(gone, 0.0, turn % 1)
                    out[:, 1 + 2 * place] = np.where(gone, 0.0, np.sin(angle))
                    out[:, 2 + 2 * place] = np.where(gone, 0.0, np.cos(angle))
            if self.missing:
                out[:, -1] = gone

        return fill

    def _places(self, table: Table, shared: int) -> tuple[npt.NDArray[np.int32], Words]:
        """The category of each row, -1 for none of them; rare ones have the place `shared`."""
        text = words(table, self.name)
        kind = text.values.type
        found = pc.fill_null(pc.index_in(text.values, value_set=pa.array(self.categories, kind)), -1)
        places = np.array(found, np.int32)
        if self.rare:
            places[np.asarray(pc.is_in(text.values, value_set=pa.array(self.rare, kind)))] = shared
        return text.spread(places, np.int32(-1)), text

    def _one_hot(self, table: Table) -> Fill:
        places, text = self._places(table, len(self.categories))

        def fill(start: int, stop: int, out: npt.NDArray[Any]) -> None:
            out[:] = 0
            part = places[start:stop]
            known = np.flatnonzero(part >= 0)
            out[known, part[known]] = 1.0
            if self.missing:
                out[:, -1] = text.index[start:stop] < 0

        return fill

    def _numbered(self, table: Table) -> Fill:
        places, text = self._places(table, len(self.categories))
        of_missing = len(self.features) - 1 if self.missing else -1

        def fill(start: int, stop: int, out: npt.NDArray[Any]) -> None:
            gone = text.index[start:stop] < 0
            out[:, 0] = np.where(gone, of_missing, places[start:stop])

        return fill

    def _effects(self, table: Table) -> Fill:
        places, text = self._places(table, -1)
        effects = self._scaled_effects(of_lines(self.effects))  # the last line is any other's, at place -1

        def fill(start: int, stop: int, out: npt.NDArray[Any]) -> None:
            out[:, : effects.shape[1]] = effects[places[start:stop]]
            if self.missing:
                out[:, -1] = text.index[start:stop] < 0

        return fill

    def _scaled_effects(self, effects: Floats) -> Floats:
        centers, deviations = np.array(self.effect_scales)[: effects.shape[1]].T
        return np.asarray((effects - centers) / deviations)

    def cross_fitted(self, table: Table, rows: Any, Y: Floats, seed: int) -> Floats:
        """The effects of the training rows, each row's without its own target; (rows, outputs)."""
        places, _ = self._places(table, -1)
        made = cross_fitted(places[rows].astype(np.int64), len(self.categories), Y, seed)
        return self._scaled_effects(made)


KINDS = ("number", "boolean", "category", "date", "ignored")


def values_of(table: Table, name: str, kind: str, order: str = "") -> Any:
    """What gives the values of rows by a slice: an array, or the column itself where it holds numbers already."""
    column = table.column(name)
    if kind == "number" and pa.types.is_floating(column.type) and column.num_chunks == 1:
        return numpy_of(column)
    numbers = kind == "number" and pa.types.is_integer(column.type)
    return _Numbers(column) if numbers else column_values(table, name, kind, order)


class _Numbers:
    """A column of numbers from which some rows at a time are taken, so that no copy of all of it is made."""

    def __init__(self, column: pa.Array | pa.ChunkedArray) -> None:
        self._column = column

    def __getitem__(self, rows: slice) -> Floats:
        return numbers_of(self._column.slice(rows.start, rows.stop - rows.start))


def decide_kind(table: Table, name: str) -> tuple[str, str]:
    """(kind of the encoding, reason) of a column from its cells; the reason says why a column is ignored."""
    return encoded(find_kind(table, name))


def encoded(found: Found) -> tuple[str, str]:
    """(kind of the encoding, reason) of what a column was found to be."""
    return (_ENCODED[found.kind], "") if found.used else ("ignored", found.note)


@QUIET
def measure(
    table: Table,
    name: str,
    kind: str,
    reason: str = "",
    *,
    rows: Any = None,
    scaling: str = "standard",
    missing: str = "mean",
    goal: Goal | None = None,
    encoding: str = "",
) -> Column:
    """The column with the numbers of its encoding, taken from `rows` of this table (the training rows).

    `goal` is the target of these rows, for effects; `encoding` one of `ENCODINGS`, for categories, or the usual one.
    """
    if kind == "ignored":
        return Column(name, "ignored", reason=reason)
    if kind == "category":
        return _measured_category(table, name, rows, goal, encoding)
    everything = column_values(table, name, kind)
    values = everything if rows is None else everything[rows]
    scale = measured_scale(values, scaling if kind == "number" else "standard")
    gone = bool(np.isnan(values).any())
    if gone and bool(np.isnan(values).all()):
        return Column(name, "ignored", reason="all cells of the training rows are missing")
    if scale.deviation == 0 and not gone:
        return Column(name, "ignored", reason="is constant")
    how = table.parsed[kind, name, ""].how if kind == "date" else None
    return Column(
        name,
        kind,
        mean=scale.center,
        deviation=scale.deviation or 1.0,
        quantiles=scale.quantiles,
        missing=gone,
        filled=float(np.nanmedian(values)) if gone and missing == "median" and kind != "boolean" else None,
        clock=how is not None and how.time,
        order="" if how is None else how.order,
    )


def _by_effects(name: str, text: Words, index: Any, there: Any, goal: Goal) -> Column:
    """Very many categories as their effects on the target."""
    place = np.full(len(text.values) + 1, -1)
    place[there] = np.arange(len(there))
    places = place[index]
    effects = effects_of(places, len(there), goal.Y)
    return Column(
        name,
        "category",
        categories=tuple(text.values.take(there).to_pylist()),
        missing=bool((index < 0).any()),
        effects=as_lines(effects),
        effect_names=(*(f"effect on {output}" for output in goal.names), "frequency"),
        effect_scales=scales_of(effects, places),
    )


def _measured_category(table: Table, name: str, rows: Any, goal: Goal | None, encoding: str) -> Column:
    text = words(table, name)
    index = text.index if rows is None else text.index[rows]
    counts = np.bincount(index[index >= 0], minlength=len(text.values))
    missing = bool((index < 0).any())
    there = np.flatnonzero(counts)
    if len(there) < 2 and not missing:
        return Column(name, "ignored", reason="is constant")
    encoding = encoding or (USUAL_OF_MANY if len(there) > MOST_CATEGORIES else "onehot")
    if encoding == "effect" and goal is not None:
        return _by_effects(name, text, index, there, goal)
    sparse = encoding == "sparse"
    if sparse and len(there) > MOST_GATHERED:
        raise DataError(
            f"column {name!r} has {len(there):,} categories, and more than {MOST_GATHERED:,} have no numbers of their "
            "own in float32; leave it out, or take --encode with effect"
        )
    # with a row of weights each, the rare ones are better left alone (docs/quality.md)
    scarce = there[counts[there] < _RARE] if index.size >= _RARE_IN and not sparse else there[:0]
    if len(scarce) < 2 or len(there) - len(scarce) < 1:
        scarce = there[:0]
    names = text.values.to_pylist()
    order = declared_order(table, name)
    rare = tuple(sorted(names[k] for k in scarce))
    kept = [names[k] for k in np.setdiff1d(there, scarce)]
    place = {category: k for k, category in enumerate(order)}
    kept.sort(key=lambda category: (place.get(category, len(place)), category))
    return Column(name, "category", categories=tuple(kept), rare=rare, missing=missing, sparse=sparse)


def takes_effects(table: Table, name: str, encoding: str) -> bool:
    """True where a column of categories may need the target for its encoding."""
    many = len(words(table, name).values) > MOST_CATEGORIES
    return (encoding or (USUAL_OF_MANY if many else "onehot")) == "effect"


def declared_order(table: Table, name: str) -> tuple[str, ...]:
    """The categories in the order in which a library declared them; empty where it declared none."""
    column = table.column(name)
    if (
        table.text
        or not pa.types.is_dictionary(column.type)
        or not column.type.ordered
        or not is_text(column)
    ):
        return ()
    chunk = column.unify_dictionaries().chunk(0) if isinstance(column, pa.ChunkedArray) else column
    return tuple(chunk.dictionary.to_pylist())
