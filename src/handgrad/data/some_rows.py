"""Some rows of a large file, without reading the others as a table.

    Parquet, Arrow    the row groups and batches that hold them
    text              where each record begins is found in one pass over the bytes; their records alone are parsed

A text that is packed, not UTF-8, or written in an unusual dialect has to be read whole: then there is no answer.
What is found here is to be checked by whoever asks: a quotation mark within a cell can shift the records.
"""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet

from handgrad.data import delimited
from handgrad.data.dialect import Dialect
from handgrad.data.reading import Reading
from handgrad.data.source import PACKED, Source, arrows_own, suffix_of
from handgrad.data.stored import ARROW, PARQUET, TEXT
from handgrad.data.tables import Part, Table
from handgrad.errors import DataError

_PIECE = 16 << 20
_NEWLINE, _RETURN = 10, 13


def some_rows(
    path: Path, rows: npt.NDArray[np.int64], names: Sequence[str], reading: Reading, single: bool
) -> tuple[Table, int] | None:
    """(the table of these rows, ascending, with these columns; how many rows the file has), or None.

    Raises DataError for a file that cannot be read.
    """
    source = Source(path)
    suffix = suffix_of(source)
    try:
        if suffix in PARQUET:
            return _parquet(source, rows, names, reading)
        if suffix in ARROW:
            return _arrow(source, rows, names, reading)
        if suffix in TEXT and path.suffix.lower() not in PACKED:
            return _text(source, rows, reading, single)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path} cannot be read: {str(error).splitlines()[0]}") from error
    return None


def _parquet(
    source: Source, rows: npt.NDArray[np.int64], names: Sequence[str], reading: Reading
) -> tuple[Table, int] | None:
    file = pyarrow.parquet.ParquetFile(str(source.path))
    count = file.metadata.num_rows
    if not set(names) <= set(file.schema_arrow.names) or rows[-1] >= count:
        return None
    sizes = [file.metadata.row_group(k).num_rows for k in range(file.num_row_groups)]
    parts = [
        file.read_row_group(k, columns=list(names)).take(pa.array(own)) for k, own in _shares(rows, sizes)
    ]
    return _table(source, pa.concat_tables(parts), rows, count, reading)


def _arrow(
    source: Source, rows: npt.NDArray[np.int64], names: Sequence[str], reading: Reading
) -> tuple[Table, int] | None:
    with pa.memory_map(str(source.path)) as stream:
        frames = pa.ipc.open_file(stream)
        if not set(names) <= set(frames.schema.names):
            return None
        sizes = [frames.get_batch(k).num_rows for k in range(frames.num_record_batches)]
        if rows[-1] >= sum(sizes):
            return None
        parts = [
            pa.Table.from_batches([frames.get_batch(k)]).select(list(names)).take(pa.array(own))
            for k, own in _shares(rows, sizes)
        ]
        return _table(source, pa.concat_tables(parts), rows, sum(sizes), reading)


def _shares(rows: npt.NDArray[np.int64], sizes: Sequence[int]) -> list[tuple[int, npt.NDArray[np.int64]]]:
    """(part of the file, rows of it) for each part that holds some of the rows."""
    ends = np.cumsum(sizes)
    cuts = np.searchsorted(rows, ends)
    starts = np.concatenate([[0], cuts[:-1]])
    return [
        (k, rows[a:b] - (ends[k] - sizes[k]))
        for k, (a, b) in enumerate(zip(starts, cuts, strict=True))
        if b > a
    ]


def _table(
    source: Source,
    arrow: pa.Table,
    rows: npt.NDArray[np.int64],
    count: int,
    reading: Reading,
    dialect: Dialect | None = None,
    decimal: str | None = None,
) -> tuple[Table, int]:
    columns = dict(zip(arrow.column_names, arrow.columns, strict=True))
    part = Part(source, count, dialect)
    table = Table(str(source.path), columns, source.path, (part,), reading, decimal, file_rows=rows)
    return table, count


def _text(
    source: Source, rows: npt.NDArray[np.int64], reading: Reading, single: bool
) -> tuple[Table, int] | None:
    start = delimited.begun(source, reading)
    dialect = start.dialect
    usual = dialect.encoding in ("utf-8", "utf-8-sig") and not (
        dialect.escape or dialect.spaces or dialect.skipped
    )
    if start.whole or start.sample is None or not usual:
        return None
    with source.path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        bounds = records(content, dialect.quote)
        if bounds is None:
            return None
        starts, ends = bounds
        lines = rows + dialect.header
        if lines[-1] >= len(starts):
            return None
        first = content[starts[0] : ends[0]] if dialect.header else b""
        begins, stops = starts[lines].tolist(), ends[lines].tolist()
        taken = b"".join([first, *(content[a:b] for a, b in zip(begins, stops, strict=True))])
    some = Source(source.path, arrows_own(taken if taken.endswith(b"\n") else taken + b"\n"))
    found = delimited.read_as(some, reading, single, start)
    return _table(
        source, pa.table(found.columns), rows, len(starts) - dialect.header, reading, dialect, found.decimal
    )


def records(content: Any, quote: str = '"') -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]] | None:
    """Where each record of delimited text begins and ends, the line break included; blank lines are none.

    A line break between quotation marks ends no record. None where lines end in carriage returns alone.

    >>> starts, ends = records(b'a,b\\n1,"x\\ny"\\n\\n2,z')
    >>> starts.tolist(), ends.tolist()
    ([0, 4, 13], [4, 12, 16])
    """
    data = np.frombuffer(content, np.uint8)
    breaks, quotes = [], 0
    for first in range(0, len(data), _PIECE):
        piece = data[first : first + _PIECE]
        returns = first + np.flatnonzero(piece == _RETURN)
        if len(returns) and (data[np.minimum(returns + 1, len(data) - 1)] != _NEWLINE).any():
            return None
        found = np.flatnonzero(piece == _NEWLINE)
        marks = np.flatnonzero(piece == ord(quote))
        if len(marks) or quotes % 2:
            found = found[(np.searchsorted(marks, found) + quotes) % 2 == 0]
        quotes += len(marks)
        breaks.append(first + found)
    ends = np.concatenate([*breaks, [len(data)]]) + np.append(np.ones(sum(map(len, breaks)), np.int64), 0)
    starts = np.concatenate([[0], ends[:-1]])
    blank = ends - starts <= 1
    blank &= data[np.minimum(starts, len(data) - 1)] == _NEWLINE
    blank |= (ends - starts == 2) & (data[np.minimum(starts, len(data) - 1)] == _RETURN)
    kept = ~blank & (ends > starts)
    del data  # or the file cannot be closed
    return starts[kept], ends[kept]
