"""A table that does not fit the memory, through a finished model: some rows at a time.

What a text means may hang on its whole column (1/2/2010; 1,941): such columns are parsed whole, one after another,
before the first block, and their numbers wait in scratch files. All other cells are judged where they stand. So every
prediction is that of the table in memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from handgrad.data.cells import Parsed, column_values, is_date, is_text, odd_cells, parsed
from handgrad.data.limits import check_cells
from handgrad.data.schema import Schema
from handgrad.data.scratch import Scratch
from handgrad.data.stored import StoredTable
from handgrad.data.tables import Table
from handgrad.errors import DataError
from handgrad.models.budget import BASE, HELD, Budget

_FEWEST, _MOST = 1 << 10, 1 << 16
"""Rows of a block."""

_PER_FEATURE = 32
"""Bytes that a feature of a row takes on its way: its cells, its number, and what is made of it."""


class Block(NamedTuple):
    """Some rows that follow each other."""

    first: int
    """The row of the table (from 0) at which they begin."""
    table: Table
    """Without the rows that are left out."""
    beside: dict[str, pa.Array]
    """The columns that were asked for as they stand in the file."""


class _Cell(NamedTuple):
    """A column as it is to be read: as number, boolean or date, and the order of day and month."""

    name: str
    kind: str
    order: str = ""


@dataclass(frozen=True)
class _Waiting:
    """The numbers of a column that was parsed whole."""

    cell: _Cell
    scratch: Scratch
    how: Any
    substitutes: bool
    """True where the column is needed as numbers alone."""

    def put(self, table: Table, first: int, rows: Any) -> None:
        """Puts the numbers of a block's rows into its table, as if it had parsed them."""
        values = self.scratch.read(first, len(rows))[rows, 0]
        made = Parsed(values, np.empty(0, np.int64), self.how)
        for order in {self.cell.order, ""}:
            table.parsed[self.cell.kind, self.cell.name, order] = made
        if self.substitutes:
            assert isinstance(table.columns, dict)
            table.columns[self.cell.name] = pa.chunked_array([values])


@dataclass
class Reader:
    """Reads a stored table for a schema, block by block."""

    schema: Schema
    table: StoredTable
    budget: Budget
    beside: Sequence[str] = ()
    targets: bool = False
    """True where the targets are read too, and rows without one, or of an unknown class, are left out."""
    unknown: Counter[str] = field(default_factory=Counter)
    """How many cells of each column held a category that the training did not have."""
    missing: int = 0
    """Rows without a target."""
    strange: int = 0
    """Rows of a class that the training did not have."""
    _odd: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        lacking = [column.name for column in self.schema.used if column.name not in self.table.columns]
        if lacking:
            has = ", ".join(repr(name) for name in self.table.names[:12])
            raise DataError(
                f"{self.table.source}: the model needs the column{'s' * (len(lacking) > 1)} "
                f"{', '.join(map(repr, lacking[:12]))}; the file has {has}; add or rename"
            )
        for name in (*self.beside, *(self.schema.target.names if self.targets else ())):
            if name not in self.table.columns:
                self.table.column(name)  # raises

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is to be said of cells, after the last block."""
        said = []
        for column in self.schema.used:
            if self.unknown[column.name]:
                said.append(
                    f"column {column.name!r}: {self.unknown[column.name]} cells hold a category that was not in the "
                    "training data"
                )
            if self._odd.get(column.name):
                said.append(f"column {column.name!r}: {self._odd[column.name]}; taken as missing")
        return tuple(said)

    def blocks(self) -> Iterator[Block]:
        """All rows in their order.

        Raises DataError where a cell does not fit its column.
        """
        self.unknown.clear()
        self.missing = self.strange = 0
        goals = self._waiting_targets()
        kept = self._kept(goals) if self.targets else None
        waiting = self._waiting_features(kept)
        put = {one.cell.name for one in waiting if one.substitutes}
        features = [column.name for column in self.schema.used]
        names = [name for name in (*features, *self._target_names) if name not in put]
        place, taken = 0, 0
        for columns in self.table.blocks([*names, *self.beside], self._rows):
            count = len(next(iter(columns.values())))
            here = np.ones(count, bool) if kept is None else kept[place : place + count]
            block = self._table({name: columns[name] for name in names}, place, here)
            for goal in goals:
                goal.put(block, place, here)
            own = int(np.count_nonzero(here))
            for one in waiting:
                one.put(block, taken, np.ones(own, bool))
            if own:
                for column in self.schema.used:
                    self.unknown[column.name] += column.unknown(block)
            yield Block(place, block, {name: columns[name] for name in self.beside})
            place, taken = place + count, taken + own

    @property
    def _target_names(self) -> tuple[str, ...]:
        return self.schema.target.names if self.targets else ()

    @property
    def _rows(self) -> int:
        """Rows of a block, so that what is made of them stays within the memory."""
        width = self.schema.width + len(self.table.kinds) + self.schema.target.outputs
        room = max(0, self.budget.memory - BASE) // 2
        return int(np.clip(room // (_PER_FEATURE * width), _FEWEST, _MOST))

    def _table(self, columns: dict[str, pa.Array], first: int, here: npt.NDArray[np.bool_]) -> Table:
        rows = first + np.flatnonzero(here)
        if not here.all():
            mask = pa.array(here)
            columns = {name: column.filter(mask) for name, column in columns.items()}
        whole = self.table
        chunked = {name: pa.chunked_array([column]) for name, column in columns.items()}
        for name, column in chunked.items():
            check_cells(whole.source, name, column)
        return Table(
            whole.source,
            chunked,
            whole.path,
            whole.parts,
            whole.reading,
            whole.decimal,
            whole.remarks,
            rows,
            {},
        )

    # -- what is parsed whole

    def _waiting_targets(self) -> list[_Waiting]:
        """The targets whose numbers, or names of classes as numbers, hang on the whole column."""
        target, found = self.schema.target, []
        for place, name in enumerate(self._target_names):
            number = target.is_regression or target.readings[place] == "number"
            if number and needs_whole(self.table.kinds[name], "number"):
                # a class is written out too, for the names that are no numbers
                found.append(
                    self._parsed_whole(
                        _Cell(name, "number"), self.table, target.is_regression, target.is_regression
                    )
                )
        return found

    def _waiting_features(self, kept: Any) -> list[_Waiting]:
        table = self.table if kept is None or kept.all() else self.table.take(np.flatnonzero(kept))
        found = []
        for column in self.schema.used:
            if column.kind == "category" or not needs_whole(self.table.kinds[column.name], column.kind):
                continue
            cell = _Cell(column.name, column.kind, column.order)
            found.append(self._parsed_whole(cell, table, True, column.name not in self._target_names))
            self._odd[column.name] = odd_cells(table, column.name, column.kind)
        table.release()
        return found

    def _parsed_whole(self, cell: _Cell, table: StoredTable, strict: bool, substitutes: bool) -> _Waiting:
        needed = HELD * table.rows
        if needed > self.budget.memory:
            raise DataError(
                f"{table.source}: to read the column {cell.name!r} of text as {cell.kind}s takes some {needed:,} "
                f"bytes, more than --memory allows ({self.budget.memory:,}); allow more"
            )
        if strict:
            column_values(table, cell.name, cell.kind, cell.order)
        made = parsed(table, cell.name, cell.kind, cell.order)
        scratch = Scratch(self.budget.folder, 1, np.float64)
        scratch.write(0, made.values[:, None])
        return _Waiting(cell, scratch, made.how, substitutes)

    def _kept(self, goals: Sequence[_Waiting]) -> npt.NDArray[np.bool_]:
        """The rows with a target, of classes that the model knows."""
        target, kept = self.schema.target, np.ones(self.table.rows, bool)
        place = 0
        for columns in self.table.blocks(target.names, _MOST):
            count = len(next(iter(columns.values())))
            here = slice(place, place + count)
            block = self._table(columns, place, kept[here])
            for goal in goals:
                goal.put(block, place, kept[here])
            present = target.present(block)
            known = present & target.known(block)
            kept[here] = known
            self.missing += count - int(present.sum())
            self.strange += int(present.sum()) - int(known.sum())
            place += count
        return kept


def needs_whole(kind: pa.DataType, wanted: str) -> bool:
    """True for cells of this type of Arrow's whose meaning as number, boolean or date hangs on their whole column.

    >>> needs_whole(pa.string(), "date"), needs_whole(pa.float32(), "number")
    (True, False)
    """
    column = pa.nulls(0, kind)
    if wanted == "date":
        return not is_date(column)
    return is_text(column) or (wanted == "boolean" and not pa.types.is_boolean(kind))
