"""Reading tables: CSV, TSV, Parquet, Feather and NPZ become named columns of equal length.

Columns of a text file stay text here; what they mean is decided in `handgrad.data.columns`.
"""

from __future__ import annotations

import os
import zipfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.feather
import pyarrow.parquet

from handgrad.data.delimited import MOST_COLUMNS, judge_width, line_of_row, read_delimited
from handgrad.errors import DataError, ShapeError

MOST_CHARACTERS = 1_000_000
"""In a cell, as bytes of UTF-8; a whole book has as many."""


@dataclass(frozen=True, eq=False)
class Table:
    """Named columns of equal length; `source` is how messages call it.

    `path` is the file it was read from, `text` True where that file has lines, `file_rows` the row of the
    file (from 0) that each row is, None for all of them in order.
    """

    source: str
    columns: dict[str, pa.Array]
    path: Path | None = None
    text: bool = False
    decimal_comma: bool = False
    file_rows: Any = None

    @property
    def names(self) -> list[str]:
        """The column names, in the order of the file."""
        return list(self.columns)

    @property
    def rows(self) -> int:
        """The number of samples."""
        return next((len(column) for column in self.columns.values()), 0)

    def column(self, name: str) -> pa.Array:
        """One column. Raises DataError where there is none of that name."""
        if name not in self.columns:
            raise DataError(f"{self.source}: there is no column {name!r}; it has {_listed(self.names)}")
        return self.columns[name]

    def place(self, row: int, name: str) -> str:
        """Where a cell stands, for messages: the file, its line (text files) or row, the column."""
        row = row if self.file_rows is None else int(self.file_rows[row])
        line = line_of_row(self.path, row) if self.path is not None and self.text else None
        where = f"row {row + 1}" if line is None else f"line {line}"
        return f"{self.source}, {where}, column {name!r}"

    def take(self, rows: Any) -> Table:
        """The table of these rows (int64 indices)."""
        rows = np.asarray(rows, np.int64)
        columns = {name: column.take(pa.array(rows)) for name, column in self.columns.items()}
        return replace(
            self, columns=columns, file_rows=rows if self.file_rows is None else self.file_rows[rows]
        )


def read_table(data: Any) -> Table:
    """A table from a file name, a mapping of columns, a matrix, or an Arrow, pandas or polars table.

    The columns of a matrix (samples, features) are called X1, X2, ...

    >>> read_table({"x": [1, 2, 3]}).rows
    3

    Raises DataError for a file that is missing, empty, torn or of a kind that is not read.
    """
    if isinstance(data, Table):
        return data
    if isinstance(data, str | os.PathLike):
        return _read_file(Path(data))
    if isinstance(data, Mapping):
        return _from_columns("the table", {str(name): values for name, values in data.items()})
    if isinstance(data, np.ndarray | list):
        return from_matrix(data)
    try:
        # the index of a pandas table says which row was which, it is no column to learn from
        pandas = type(data).__module__.partition(".")[0] == "pandas"
        arrow = pa.Table.from_pandas(data, preserve_index=False) if pandas else pa.table(data)
    except (TypeError, ValueError, pa.ArrowException) as error:
        raise DataError(
            f"a {type(data).__name__} is not a table; give a file name, a mapping of columns, or an Arrow, "
            "pandas or polars table"
        ) from error
    return _from_arrow("the table", arrow)


def _read_file(path: Path) -> Table:
    if path.is_dir():
        raise DataError(f"{path} is a directory; give the name of a file")
    try:
        exists = path.exists()
    except ValueError:  # a NUL character in the name
        exists = False
    if not exists:
        raise DataError(f"{path}: there is no such file; check its name")
    suffix = path.with_suffix("").suffix if path.suffix in (".gz", ".bz2", ".zst") else path.suffix
    reader = READERS.get(suffix.lower())
    if not path.is_file():
        raise DataError(f"{path} is a pipe or a device; save the table to a file and give its name")
    if reader is None:
        raise DataError(
            f"{path}: files that end in {path.suffix or 'nothing'!r} are not read; "
            f"give one of {' '.join(READERS)}"
        )
    try:
        table = reader(path)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error
    if table.rows == 0:
        raise DataError(f"{path} has no rows; a table needs a header and at least one row")
    return replace(table, path=path)


def _read_text(path: Path) -> Table:
    columns, decimal_comma = read_delimited(path)
    for name, column in columns.items():
        _judge_cells(str(path), name, column)
    return Table(str(path), columns, text=True, decimal_comma=decimal_comma)


def _read_parquet(path: Path) -> Table:
    return _from_arrow(str(path), _arrow(path, "Parquet", lambda: _parquet(path)))


def _read_feather(path: Path) -> Table:
    return _from_arrow(str(path), _arrow(path, "Feather", lambda: _feather(path)))


def _parquet(path: Path) -> pa.Table:
    file = pyarrow.parquet.ParquetFile(path)
    judge_width(str(path), file.metadata.num_columns)
    return file.read()


def _feather(path: Path) -> pa.Table:
    with path.open("rb") as file:
        if file.read(6) == b"ARROW1":  # the second version of the format; the first has no schema of its own
            with pa.ipc.open_file(str(path)) as frames:
                judge_width(str(path), len(frames.schema))
    return pyarrow.feather.read_table(path)


def _arrow(path: Path, kind: str, read: Callable[[], pa.Table]) -> pa.Table:
    try:
        table = read()
        table.validate(full=True)  # offsets of a damaged file may point anywhere
        table.column_names  # noqa: B018  names that are not UTF-8 raise here
    except DataError:
        raise
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{path} is not a whole {kind} file ({reason}); write it again") from error
    return table


def _read_npz(path: Path) -> Table:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            if isinstance(archive, np.ndarray):
                raise DataError(f"{path} holds one bare array; save named arrays with numpy.savez")
            arrays = {name: archive[name] for name in archive.files}
    except (ValueError, EOFError, zipfile.BadZipFile, KeyError, OSError) as error:
        raise DataError(
            f"{path} is not a whole NPZ file of plain arrays ({error}); write it with numpy.savez"
        ) from error
    columns: dict[str, Any] = {}
    for name, array in arrays.items():
        if array.ndim == 1:
            columns[name] = array
        elif array.ndim == 2 and array.shape[1] <= MOST_COLUMNS:  # X (samples, features) becomes X1, X2, ...
            columns |= {f"{name}{j + 1}": array[:, j] for j in range(array.shape[1])}
        else:
            judge_width(str(path), array.shape[-1] if array.ndim == 2 else 0)
            raise DataError(
                f"{path}: array {name!r} has shape {array.shape}; arrays of one or two dimensions are columns"
            )
    return _from_columns(str(path), columns)


def from_matrix(X: Any, source: str = "the array") -> Table:
    """A table from a matrix (samples, features), with the columns X1, X2, ...

    Raises ShapeError for what is not two-dimensional.
    """
    matrix = np.asarray(X)
    if matrix.ndim != 2:
        raise ShapeError(f"{source}: a matrix has shape (samples, features), got {matrix.shape}")
    judge_width(source, matrix.shape[1])
    return _from_columns(source, {f"X{j + 1}": matrix[:, j] for j in range(matrix.shape[1])})


def _from_columns(source: str, columns: Mapping[str, Any]) -> Table:
    arrays: dict[str, pa.Array] = {}
    for name, values in columns.items():
        try:
            array = values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(values)
        except (TypeError, ValueError, pa.ArrowException) as error:
            raise DataError(
                f"{source}, column {name!r}: its values are not of one kind ({error}); give numbers or text"
            ) from error
        arrays[name] = array
    return _from_arrow(source, _equal_lengths(source, arrays))


def _equal_lengths(source: str, arrays: dict[str, pa.Array]) -> pa.Table:
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise ShapeError(
            f"{source}: columns must have equal lengths, got "
            + ", ".join(f"{name!r}: {length}" for name, length in lengths.items())
        )
    return pa.table(arrays)


def _from_arrow(source: str, arrow: pa.Table) -> Table:
    judge_width(source, arrow.num_columns)
    names = arrow.column_names
    repeated = next((name for name, times in Counter(names).items() if times > 1), None)
    if repeated is not None:
        raise DataError(f"{source}: two columns are called {repeated!r}; rename one of them")
    if not names:
        raise DataError(f"{source} has no columns")
    columns = {name: _joined(column) for name, column in zip(names, arrow.columns, strict=True)}
    for name, column in columns.items():
        _judge_cells(source, name, column)
    return Table(source, columns)


def _judge_cells(source: str, name: str, column: pa.Array) -> None:
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return
    if column.nbytes > MOST_CHARACTERS and (pc.max(pc.binary_length(column)).as_py() or 0) > MOST_CHARACTERS:
        row = pc.index(pc.greater(pc.binary_length(column), MOST_CHARACTERS), True).as_py()
        raise DataError(
            f"{source}, row {row + 1}, column {name!r}: the cell holds more than {MOST_CHARACTERS:,} bytes of "
            "text; look for a quotation mark that is never closed"
        )


def _joined(column: pa.ChunkedArray) -> pa.Array:
    array = column.combine_chunks()
    # older releases give back a chunked array of one chunk
    return array.chunk(0) if isinstance(array, pa.ChunkedArray) and array.num_chunks == 1 else array


def _listed(names: Sequence[str], most: int = 12) -> str:
    shown = ", ".join(repr(name) for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


READERS: dict[str, Callable[[Path], Table]] = {
    ".csv": _read_text,
    ".tsv": _read_text,
    ".tab": _read_text,
    ".txt": _read_text,
    ".parquet": _read_parquet,
    ".pq": _read_parquet,
    ".feather": _read_feather,
    ".arrow": _read_feather,
    ".npz": _read_npz,
}
