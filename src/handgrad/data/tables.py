"""Reading tables: a file of any kind, several files, the standard input or a table of another library.

All become named columns of equal length. What they mean is decided in `handgrad.data.kinds`.
"""

from __future__ import annotations

import glob
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from handgrad.data.delimited import line_of_row
from handgrad.data.dialect import Dialect
from handgrad.data.libraries import array_of, arrow_of, columns_of, equal_lengths
from handgrad.data.limits import check_cells, check_width
from handgrad.data.readers import READERS
from handgrad.data.reading import AS_FOUND, Reading
from handgrad.data.source import STDIN, Source, standard_input, suffix_of
from handgrad.data.words import number_text
from handgrad.errors import DataError, ShapeError


@dataclass(frozen=True)
class Part:
    """One of the files of a table, and how many rows it has."""

    source: Source
    rows: int
    dialect: Dialect | None = None
    """Of text files."""


@dataclass(frozen=True, eq=False)
class Table:
    """Named columns of equal length; `source` is how messages call it.

    `path` is the file it was read from, `parts` the files where it came from files, `file_rows` the row (from
    0) that each row is there, None for all of them in order.
    """

    source: str
    columns: Mapping[str, pa.Array | pa.ChunkedArray]
    path: Path | None = None
    parts: tuple[Part, ...] = ()
    reading: Reading = AS_FOUND
    decimal: str | None = None
    """The decimal mark, where the text of the file leaves no doubt."""
    remarks: tuple[str, ...] = ()
    """What was found about the file that is not as it usually is."""
    file_rows: Any = None
    parsed: dict[Any, Any] = field(default_factory=dict)
    """What was already made of the columns, so that nothing is parsed twice."""

    @property
    def text(self) -> bool:
        """True where it came from files with lines."""
        return any(part.dialect is not None for part in self.parts)

    @property
    def names(self) -> list[str]:
        """The column names, in the order of the file."""
        return list(self.columns)

    @property
    def rows(self) -> int:
        """The number of samples."""
        return next((len(column) for column in self.columns.values()), 0)

    def column(self, name: str) -> pa.Array | pa.ChunkedArray:
        """One column. Raises DataError where there is none of that name."""
        if name not in self.columns:
            raise DataError(f"{self.source}: there is no column {name!r}; it has {_listed(self.names)}")
        return self.columns[name]

    def place(self, row: int, name: str) -> str:
        """Where a cell stands, for messages: the file, its line (text files) or row, the column."""
        file, where = self._where(row)
        return f"{file}, {where}, column {name!r}"

    def line(self, row: int) -> str:
        """The line (text files) or row of a row, for remarks about this table."""
        file, where = self._where(row)
        return where if file == self.source else f"{file}, {where}"

    def _where(self, row: int) -> tuple[str, str]:
        row = row if self.file_rows is None else int(self.file_rows[row])
        for part in self.parts:
            if row < part.rows:
                line = None if part.dialect is None else line_of_row(part.source, part.dialect, row)
                return str(part.source.path), f"row {row + 1}" if line is None else f"line {line}"
            row -= part.rows
        return self.source, f"row {row + 1}"

    def take(self, rows: Any) -> Table:
        """The table of these rows (int64 indices)."""
        rows = np.asarray(rows, np.int64)
        indices = pa.array(rows)
        columns = {name: column.take(indices) for name, column in self.columns.items()}
        return replace(
            self,
            columns=columns,
            file_rows=rows if self.file_rows is None else self.file_rows[rows],
            parsed={},
        )


def read_table(data: Any, reading: Reading = AS_FOUND, single: bool = False) -> Table:
    """A table from a file name, a mapping of columns, a matrix, or an Arrow, pandas or polars table.

    A folder, a pattern such as `part-*.csv` and a list of file names are one table; `-` is the standard input.
    The columns of a matrix (samples, features) are called X1, X2, ... `single` reads the numbers of text
    files as float32 where that is enough.

    >>> read_table({"x": [1, 2, 3]}).rows
    3

    Raises DataError for a file that is missing, empty, torn or of a kind that is not read.
    """
    if isinstance(data, Table):
        return data
    if isinstance(data, str | os.PathLike):
        return _read_files(files_of(data), Path(data), reading, single)
    if files := files_of(data):
        return _read_files(files, Path(files[0]), reading, single)
    if isinstance(data, np.ndarray | list):
        return from_matrix(data)
    return _from_library(data)


def files_of(data: Any) -> list[Path]:
    """The files that a table's name, or several, stand for; none for a table of another kind.

    Raises DataError for a name that stands for none.
    """
    if isinstance(data, str | os.PathLike):
        return _files(Path(data))
    if isinstance(data, list | tuple) and data and all(isinstance(name, str | os.PathLike) for name in data):
        return [file for name in data for file in _files(Path(name))]
    return []


def _from_library(data: Any) -> Table:
    if isinstance(data, Mapping):
        return _from_columns("the table", columns_of("the table", data))
    return from_arrow("the table", arrow_of(data))


def _files(path: Path) -> list[Path]:
    """The files that a name stands for: itself, the tables of a folder, those that fit a pattern."""
    if path == STDIN:
        return [path]
    try:
        is_folder, exists = path.is_dir(), path.exists()
    except ValueError:  # a NUL character in the name
        is_folder = exists = False
    except OSError as error:
        raise DataError(f"{str(path)[:200]} cannot be read: {error.strerror or error}") from error
    if is_folder:
        return _tables_of(path)
    if exists:
        return [path]
    found = _fitting(str(path))
    if not found:
        raise DataError(f"{path}: there is no such file; check its name")
    return found


def _fitting(pattern: str) -> list[Path]:
    """The files that fit a pattern with stars, question marks or brackets."""
    if not any(character in pattern for character in "*?["):
        return []
    return sorted(Path(name) for name in glob.glob(pattern))  # noqa: PTH207  it may be absolute


def _tables_of(folder: Path) -> list[Path]:
    found = sorted(
        file
        for file in folder.iterdir()
        if file.is_file() and not file.name.startswith((".", "_")) and suffix_of(Source(file)) in READERS
    )
    if not found:
        raise DataError(f"{folder} is a directory without tables; they end in {' '.join(READERS)}")
    return found


def _read_files(files: Sequence[Path], name: Path, reading: Reading, single: bool) -> Table:
    """One file, or several whose columns have the same names, one below the other."""
    tables = [_read_file(file, reading, single) for file in files]
    if len(tables) == 1:
        return tables[0]
    first = tables[0]
    for table in tables[1:]:
        if set(table.names) != set(first.names):
            odd = sorted(set(table.names) ^ set(first.names))
            raise DataError(
                f"{table.source} does not have the columns of {first.source} ({_listed(odd)}); the files of one "
                "table have the same columns"
            )
    columns = {name: _stacked([table.columns[name] for table in tables], name) for name in first.names}
    remarks = tuple(dict.fromkeys(remark for table in tables for remark in table.remarks))
    decimals = {table.decimal for table in tables} - {None}
    return replace(
        first,
        source=f"{name} ({len(tables)} files)",
        columns=columns,
        path=name,
        parts=tuple(part for table in tables for part in table.parts),
        decimal=decimals.pop() if len(decimals) == 1 else None,
        remarks=remarks,
        parsed={},
    )


def _stacked(columns: Sequence[pa.ChunkedArray], name: str) -> pa.ChunkedArray:
    kinds = {str(column.type) for column in columns}
    if len(kinds) > 1:  # numbers in one file, text in another: text in all
        text = all(not pa.types.is_nested(column.type) for column in columns)
        if text and any(_is_words(column) for column in columns):
            columns = [_as_words(column) for column in columns]
        else:
            wide = pa.concat_tables([pa.table({name: c}) for c in columns], promote_options="permissive")
            return wide.column(0)
    return pa.chunked_array([chunk for column in columns for chunk in _chunks(column)], columns[0].type)


def _chunks(column: pa.Array | pa.ChunkedArray) -> list[pa.Array]:
    return list(column.chunks) if isinstance(column, pa.ChunkedArray) else [column]


def _is_words(column: pa.ChunkedArray) -> bool:
    return bool(pa.types.is_dictionary(column.type) or pa.types.is_string(column.type))


def _as_words(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(pa.string()) if not pa.types.is_floating(column.type) else _number_texts(column)


def _number_texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    codes = column.combine_chunks().dictionary_encode()
    codes = codes.chunk(0) if isinstance(codes, pa.ChunkedArray) else codes
    names = pa.array(
        [None if v is None else number_text(v) for v in codes.dictionary.to_pylist()], pa.string()
    )
    return pa.chunked_array([names.take(codes.indices)])


def _read_file(path: Path, reading: Reading, single: bool) -> Table:
    if path != STDIN and not path.is_file():
        raise DataError(f"{path} is a pipe or a device; pass it as -, or save the table to a file")
    source = standard_input() if path == STDIN else Source(path)
    suffix = suffix_of(source)
    reader = READERS.get(suffix)
    if reader is None:
        raise DataError(
            f"{path}: files that end in {path.suffix or 'nothing'!r} are not read; "
            f"give one of {' '.join(READERS)}"
        )
    try:
        read = reader(source, reading, single)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error
    name = str(source.path)
    table = replace(from_arrow(name, read.arrow), reading=reading, decimal=read.decimal, remarks=read.remarks)
    if table.rows == 0:
        raise DataError(f"{name} has no rows; a table needs a header and at least one row")
    part = Part(source, table.rows, read.dialect)
    return replace(table, path=None if path == STDIN else path, parts=(part,))


def from_matrix(X: Any, source: str = "the array") -> Table:
    """A table from a matrix (samples, features), with the columns X1, X2, ...

    Raises ShapeError for what is not two-dimensional.
    """
    try:
        matrix = np.asarray(X)
    except ValueError as error:
        raise ShapeError(f"{source}: its rows are not of equal length") from error
    if matrix.ndim != 2:
        raise ShapeError(f"{source}: a matrix has shape (samples, features), got {matrix.shape}")
    check_width(source, matrix.shape[1])
    return _from_columns(source, {f"X{j + 1}": matrix[:, j] for j in range(matrix.shape[1])})


def _from_columns(source: str, columns: Mapping[str, Any]) -> Table:
    return from_arrow(source, equal_lengths(source, {n: array_of(source, n, v) for n, v in columns.items()}))


def from_arrow(source: str, arrow: pa.Table) -> Table:
    """The columns of an Arrow table. Raises DataError for none, or two of one name."""
    check_width(source, arrow.num_columns)
    names = arrow.column_names
    repeated = next((name for name, times in Counter(names).items() if times > 1), None)
    if repeated is not None:
        raise DataError(f"{source}: two columns are called {repeated!r}; rename one of them")
    if not names:
        raise DataError(f"{source} has no columns")
    for name, column in zip(names, arrow.columns, strict=True):
        check_cells(source, name, column)
    return Table(source, dict(zip(names, arrow.columns, strict=True)))


def _listed(names: Sequence[str], most: int = 12) -> str:
    shown = ", ".join(repr(name) for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
