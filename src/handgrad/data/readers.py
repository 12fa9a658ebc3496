"""One reader for each kind of file: its bytes become an Arrow table, or one error that names the file."""

from __future__ import annotations

import io
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.json
import pyarrow.parquet

from handgrad.data.delimited import read_delimited
from handgrad.data.dialect import Dialect
from handgrad.data.libraries import array_of, equal_lengths
from handgrad.data.limits import MOST_COLUMNS, check_width
from handgrad.data.reading import Reading
from handgrad.data.source import Source
from handgrad.errors import DataError


class Read(NamedTuple):
    """What a reader found; dialect and decimal mark of text files."""

    arrow: pa.Table
    dialect: Dialect | None = None
    decimal: str | None = None
    remarks: tuple[str, ...] = ()


def _read_text(source: Source, reading: Reading, single: bool) -> Read:
    found = read_delimited(source, reading, single)
    return Read(pa.table(found.columns), found.dialect, found.decimal, found.dialect.remarks(reading))


def _read_parquet(source: Source, reading: Reading, single: bool) -> Read:
    return Read(_arrow(source, "Parquet", lambda: _parquet(source)))


def _parquet(source: Source) -> pa.Table:
    file = pyarrow.parquet.ParquetFile(_seekable(source))
    check_width(str(source.path), file.metadata.num_columns)
    return file.read()


def _read_ipc(source: Source, reading: Reading, single: bool) -> Read:
    return Read(_arrow(source, "Arrow (Feather)", lambda: _ipc(source)))


def _ipc(source: Source) -> pa.Table:
    with source.stream() as stream:
        second = stream.read(6) == b"ARROW1"  # the first version of the format has no schema of its own
    try:
        if second:
            with pa.ipc.open_file(_seekable(source)) as frames:
                check_width(str(source.path), len(frames.schema))
        return pyarrow.feather.read_table(_seekable(source))
    except pa.ArrowInvalid:
        if second:
            raise
        with source.stream() as stream:  # the stream form has no footer
            return pa.ipc.open_stream(stream).read_all()


def _read_json(source: Source, reading: Reading, single: bool) -> Read:
    return Read(_arrow(source, "JSON lines", lambda: _json(source)))


def _json(source: Source) -> pa.Table:
    """Objects one a line, or a list of objects; what is in an object in it becomes `outer.inner`."""
    head, whole = source.head(1 << 16)
    if not head.strip():
        raise DataError(f"{source.path} is empty; a table has at least one row")
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"["):
        rows = msgspec.json.decode(source.buffer().to_pybytes())
        if not all(isinstance(row, dict) for row in rows):
            raise DataError(f"{source.path} is a list of something else than objects; a row is an object")
        table = pa.Table.from_pylist(rows, schema=None) if rows else pa.table({})
    else:
        with source.stream() as stream:
            table = pyarrow.json.read_json(
                stream, pyarrow.json.ReadOptions(block_size=1 << 20 if whole else 1 << 24)
            )
    while any(pa.types.is_struct(kind) for kind in table.schema.types):
        table = table.flatten()
    return table


def _arrow(source: Source, kind: str, read: Callable[[], pa.Table]) -> pa.Table:
    try:
        table = read()
        table.validate(full=True)  # offsets of a damaged file may point anywhere
        table.column_names  # noqa: B018  names that are not UTF-8 raise here
    except DataError:
        raise
    except (pa.ArrowException, OSError, ValueError, EOFError, RecursionError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{source.path} is not a whole {kind} file ({reason}); write it again") from error
    return table


def _seekable(source: Source) -> Any:
    return str(source.path) if source.data is None else pa.BufferReader(source.data)


_DAMAGED_NPZ = (
    *(ValueError, EOFError, KeyError, OSError, TypeError, SyntaxError, OverflowError, RuntimeError),
    *(zipfile.BadZipFile, zlib.error, struct.error, tokenize.TokenError),
)
"""What zipfile and NumPy raise for archives and headers with damaged bytes."""


def _read_npz(source: Source, reading: Reading, single: bool) -> Read:
    path = source.path
    try:
        file = path.open("rb") if source.data is None else io.BytesIO(source.data.to_pybytes())
        with file, np.load(file, allow_pickle=False) as archive:
            if isinstance(archive, np.ndarray):
                raise DataError(f"{path} holds one bare array; save named arrays with numpy.savez")
            arrays = {name: archive[name] for name in archive.files}
    except _DAMAGED_NPZ as error:
        if isinstance(error, DataError):
            raise
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
            check_width(str(path), array.shape[-1] if array.ndim == 2 else 0)
            raise DataError(
                f"{path}: array {name!r} has shape {array.shape}; arrays of one or two dimensions are columns"
            )
    return Read(equal_lengths(str(path), {name: array_of(str(path), name, v) for name, v in columns.items()}))


READERS: dict[str, Callable[[Source, Reading, bool], Read]] = {
    ".csv": _read_text,
    ".tsv": _read_text,
    ".tab": _read_text,
    ".txt": _read_text,
    ".dat": _read_text,
    ".data": _read_text,
    ".parquet": _read_parquet,
    ".pq": _read_parquet,
    ".feather": _read_ipc,
    ".arrow": _read_ipc,
    ".ipc": _read_ipc,
    ".arrows": _read_ipc,
    ".npz": _read_npz,
    ".jsonl": _read_json,
    ".ndjson": _read_json,
    ".json": _read_json,
}
