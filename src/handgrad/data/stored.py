"""Tables whose columns stay in their files: each is read when it is asked for, and the last one is held.

What a column means and how it is scaled is decided by the same functions as for a table in memory, a column at
a time; so the schema is the same. Parquet and Arrow files are read as they are; a text file is turned into
columns first, in a scratch file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from handgrad.data.limits import check_cells, check_width
from handgrad.data.reading import AS_FOUND, Reading
from handgrad.data.source import Source, suffix_of
from handgrad.data.spooled import Spooled, spooled
from handgrad.data.tables import Part, Table, files_of
from handgrad.errors import DataError

PARQUET, ARROW = (".parquet", ".pq"), (".feather", ".arrow", ".ipc")
Load: TypeAlias = Callable[[str, int | None], pa.ChunkedArray]
"""Reads a column by its name: all of it, or parts of it until there are so many cells."""

Beside: TypeAlias = Callable[[list[str], int], Iterator[pa.RecordBatch]]
"""Reads some columns beside each other, at most so many rows at a time, from the first row to the last."""

TEXT = (".csv", ".tsv", ".tab", ".txt", ".dat", ".data")


class StoredColumns(Mapping[str, pa.ChunkedArray]):
    """Columns by name that lie in files; `chosen` are the rows of them that belong to the table."""

    def __init__(self, names: Sequence[str], load: Load, chosen: Any = None) -> None:
        self._names, self._load, self._chosen = dict.fromkeys(names), load, chosen
        self._held: tuple[str, pa.ChunkedArray] | None = None

    def __getitem__(self, name: str) -> pa.ChunkedArray:
        if name not in self._names:
            raise KeyError(name)
        if self._held is None or self._held[0] != name:
            self._held = None  # before the next one comes
            column = self._load(name, None)
            if self._chosen is not None:
                column = column.take(pa.array(self._chosen))
            self._held = (name, column)
        return self._held[1]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def beginning(self, name: str, most: int) -> pa.ChunkedArray:
        """The first cells of a column, without reading the others."""
        column = self._load(name, most)
        if self._chosen is None:
            return column.slice(0, most)
        return column.take(pa.array(self._chosen[self._chosen < len(column)][:most]))

    def of_rows(self, rows: Any) -> StoredColumns:
        """The same columns for some of these rows."""
        chosen = rows if self._chosen is None else self._chosen[rows]
        return StoredColumns(list(self._names), self._load, chosen)

    def release(self) -> None:
        """Lets the held column go."""
        self._held = None


class OfLastColumn(dict[Any, Any]):
    """What was made of the columns, of which only that of the last one is kept, and of those in `always`."""

    def __init__(self, always: Sequence[str] = ()) -> None:
        super().__init__()
        self._always = frozenset(always)

    def __setitem__(self, key: Any, value: Any) -> None:
        for old in [old for old in self if old[1] != key[1] and old[1] not in self._always]:
            del self[old]
        super().__setitem__(key, value)


@dataclass(frozen=True, eq=False)
class StoredTable(Table):
    """A table whose columns lie in files."""

    length: int = 0
    parsed: dict[Any, Any] = field(default_factory=OfLastColumn)
    kinds: Mapping[str, pa.DataType] = field(default_factory=dict)
    """The types of the columns, before any is read."""
    beside: tuple[Beside, ...] = ()
    """Of each file."""

    @property
    def rows(self) -> int:
        """The number of samples."""
        return self.length

    def take(self, rows: Any) -> StoredTable:
        """The table of these rows (int64 indices); nothing is read yet."""
        rows = np.asarray(rows, np.int64)
        assert isinstance(self.columns, StoredColumns)
        return replace(
            self,
            columns=self.columns.of_rows(rows),
            length=len(rows),
            file_rows=rows if self.file_rows is None else self.file_rows[rows],
            parsed=OfLastColumn(),
        )

    def held(self, rows: Any) -> Table:
        """The table of these rows in memory."""
        taken = self.take(rows)
        columns = {name: taken.columns[name] for name in self.names}
        return Table(
            self.source,
            columns,
            self.path,
            self.parts,
            self.reading,
            self.decimal,
            self.remarks,
            taken.file_rows,
        )

    def blocks(self, names: Sequence[str], most: int) -> Iterator[dict[str, pa.Array]]:
        """These columns beside each other, at most so many rows at a time; of the whole table, not of rows taken.

        Raises DataError for a file that turns out to be damaged.
        """
        names = list(dict.fromkeys(names))
        if not names:
            starts = range(0, self.rows, most)
            yield from ({"": pa.nulls(min(most, self.rows - start))} for start in starts)
            return
        for part, read in zip(self.parts, self.beside, strict=True):
            try:
                for batch in read(names, most):
                    yield {name: _as_kind(batch.column(name), self.kinds[name]) for name in names}
            except (pa.ArrowException, OSError) as error:
                raise _not_whole(part.source, error) from error

    def beginning(self, most: int) -> Table:
        """Its first rows in memory."""
        assert isinstance(self.columns, StoredColumns)
        columns = {name: self.columns.beginning(name, most) for name in self.names}
        return Table(self.source, columns, self.path, self.parts, self.reading, self.decimal, self.remarks)

    def release(self) -> None:
        """Lets go of what is held of the columns."""
        self.parsed.clear()
        assert isinstance(self.columns, StoredColumns)
        self.columns.release()
        pa.default_memory_pool().release_unused()


def streams(data: Any) -> bool:
    """True for files whose columns can stay where they are."""
    try:
        files = files_of(data)
        return bool(files) and all(
            suffix_of(Source(file)) in (*PARQUET, *ARROW, *TEXT) and str(file) != "-" for file in files
        )
    except DataError:
        return False  # reading it tells what is wrong


def stored_table(
    data: Any, reading: Reading = AS_FOUND, single: bool = False, folder: Path | None = None
) -> StoredTable:
    """A table in files: Parquet, Arrow (Feather) or delimited text, one or several that are one table.

    Raises DataError for files that cannot be read so.
    """
    files = files_of(data)
    opened = [_opened(Source(file), reading, single, folder) for file in files]
    first = opened[0]
    for other in opened[1:]:
        if set(other.names) != set(first.names):
            raise DataError(
                f"{other.part.source.path} does not have the columns of {files[0]}; the files of one table have "
                "the same columns"
            )
    name = str(files[0]) if len(files) == 1 else f"{files[0]} ({len(files)} files)"

    kinds = {column: _one_kind(name, column, [one.kinds[column] for one in opened]) for column in first.names}

    def load(column: str, most: int | None) -> pa.ChunkedArray:
        some = opened if most is None else opened[:1]
        return _one_column(name, column, [_as_kind(one.load(column, most), kinds[column]) for one in some])

    rows = sum(one.part.rows for one in opened)
    if rows == 0:
        raise DataError(f"{name} has no rows; a table needs a header and at least one row")
    decimals = {one.decimal for one in opened} - {None}
    return StoredTable(
        name,
        StoredColumns(first.names, load),
        Path(files[0] if len(files) == 1 else data if isinstance(data, str | Path) else files[0]),
        tuple(one.part for one in opened),
        reading,
        decimals.pop() if len(decimals) == 1 else None,
        tuple(dict.fromkeys(remark for one in opened for remark in one.remarks)),
        length=rows,
        kinds=kinds,
        beside=tuple(one.beside for one in opened),
    )


@dataclass(frozen=True)
class _Opened:
    """One file: its columns and how one of them is read."""

    kinds: Mapping[str, pa.DataType]
    part: Part
    load: Load
    beside: Beside
    decimal: str | None = None
    remarks: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Of its columns, in their order."""
        return tuple(self.kinds)


def _not_whole(source: Source, error: Exception) -> DataError:
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    return DataError(f"{source.path} is not a whole file ({reason}); write it again")


def _opened(source: Source, reading: Reading, single: bool, folder: Path | None) -> _Opened:
    suffix = suffix_of(source)
    try:
        if suffix in PARQUET:
            return _parquet(source)
        if suffix in ARROW:
            return _arrow(source)
    except (pa.ArrowException, OSError) as error:
        raise _not_whole(source, error) from error
    if suffix not in TEXT:
        raise DataError(
            f"{source.path}: a table that does not fit the memory is read from {' '.join((*PARQUET, *ARROW, *TEXT))}"
        )
    return _text(spooled(source, reading, single, folder))


def _parquet(source: Source) -> _Opened:
    file = pyarrow.parquet.ParquetFile(str(source.path))
    kinds = _kinds(source, file.schema_arrow)

    def load(name: str, most: int | None) -> pa.ChunkedArray:
        kind = file.schema_arrow.field(name).type
        groups = (file.read_row_group(k, columns=[name]).column(0) for k in range(file.num_row_groups))
        return _gathered(kind, file.metadata.num_rows, groups, most)

    def beside(names: list[str], most: int) -> Iterator[pa.RecordBatch]:
        yield from pyarrow.parquet.ParquetFile(str(source.path)).iter_batches(most, columns=names)

    return _Opened(kinds, Part(source, file.metadata.num_rows), load, beside)


def _arrow(source: Source) -> _Opened:
    with pa.OSFile(str(source.path)) as stream:
        frames = pa.ipc.open_file(stream)
        schema, counts = (
            frames.schema,
            [frames.get_batch(k).num_rows for k in range(frames.num_record_batches)],
        )

    def opened() -> Any:
        return pa.OSFile(str(source.path))

    return _Opened(
        _kinds(source, schema),
        Part(source, sum(counts)),
        lambda name, most: _of_batches(opened, schema, name, sum(counts), most),
        lambda names, most: _batches_of(opened, schema, names, most),
    )


def _text(made: Spooled) -> _Opened:
    return _Opened(
        dict(zip(made.schema.names, made.schema.types, strict=True)),
        Part(made.source, made.rows, made.dialect),
        lambda name, most: _of_batches(made.opened, made.schema, name, made.rows, most),
        lambda names, most: _batches_of(made.opened, made.schema, names, most),
        made.decimal,
        made.remarks,
    )


def _of_batches(
    opened: Callable[[], Any], schema: pa.Schema, name: str, rows: int, most: int | None
) -> pa.ChunkedArray:
    place = schema.get_field_index(name)
    with opened() as stream:
        frames = pa.ipc.open_file(stream, options=pa.ipc.IpcReadOptions(included_fields=[place]))
        parts = (frames.get_batch(k).column(0) for k in range(frames.num_record_batches))
        return _gathered(schema.field(place).type, rows, parts, most)


def _batches_of(
    opened: Callable[[], Any], schema: pa.Schema, names: list[str], most: int
) -> Iterator[pa.RecordBatch]:
    places = [schema.get_field_index(name) for name in names]
    with opened() as stream:
        frames = pa.ipc.open_file(stream, options=pa.ipc.IpcReadOptions(included_fields=places))
        for k in range(frames.num_record_batches):
            batch = frames.get_batch(k)
            yield from (batch.slice(start, most) for start in range(0, batch.num_rows, most))


def _kinds(source: Source, schema: pa.Schema) -> dict[str, pa.DataType]:
    """The types of the columns by their names. Raises DataError where two have one name, or there are too many."""
    names = schema.names
    check_width(str(source.path), len(names))
    repeated = next((name for k, name in enumerate(names) if name in names[:k]), None)
    if repeated is not None:
        raise DataError(f"{source.path}: two columns are called {repeated!r}; rename one of them")
    return dict(zip(names, schema.types, strict=True))


def _gathered(
    kind: pa.DataType, rows: int, parts: Iterator[pa.Array | pa.ChunkedArray], most: int | None
) -> pa.ChunkedArray:
    """The parts of a column as one; numbers in one piece, NaN where missing, so that no second copy is made."""
    numbers = pa.types.is_floating(kind) and kind != pa.float16()
    values = np.empty(rows if numbers and most is None else 0, kind.to_pandas_dtype() if numbers else np.int8)
    kept: list[pa.Array] = []
    place = 0
    for part in parts:
        for chunk in part.chunks if isinstance(part, pa.ChunkedArray) else [part]:
            if len(values):
                values[place : place + len(chunk)] = chunk.to_numpy(zero_copy_only=False)
            else:
                kept.append(chunk)
            place += len(chunk)
        if most is not None and place >= most:
            break
    if len(values):
        kept = [pa.Array.from_buffers(kind, rows, [None, pa.py_buffer(values)])]
    return pa.chunked_array(kept, kind)


def _as_kind(column: Any, kind: pa.DataType) -> Any:
    return column if column.type == kind else column.cast(kind)


def _one_kind(source: str, name: str, kinds: Sequence[pa.DataType]) -> pa.DataType:
    if len(set(kinds)) > 1 and all(pa.types.is_floating(kind) for kind in kinds):
        return pa.float64()
    if len(set(kinds)) > 1:
        raise DataError(
            f"{source}: column {name!r} is {' and '.join(sorted(map(str, set(kinds))))} in files of one table; "
            "write it alike in all of them"
        )
    return kinds[0]


def _one_column(source: str, name: str, columns: Sequence[pa.ChunkedArray]) -> pa.ChunkedArray:
    column = (
        columns[0] if len(columns) == 1 else pa.chunked_array([c for part in columns for c in part.chunks])
    )
    check_cells(source, name, column)
    return column
