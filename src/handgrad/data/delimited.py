"""Delimited text (CSV, TSV): columns are read as text, so that each cell can be named by its line."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from handgrad.errors import DataError

MISSING = ("", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "-nan", "NULL", "null", "None", "?", "<NA>")
"""What a cell holds where its value is missing."""

MOST_COLUMNS = 100_000
_SNIFFED = 1 << 20
_BLANK = b"\xef\xbb\xbf \t\r\n"


def read_delimited(path: Path) -> tuple[dict[str, pa.Array], bool]:
    """The columns as text, missing cells as null; True beside them where numbers have a decimal comma.

    Raises DataError for an empty file, a header with the same name twice, lines of unequal length, or text
    that is not UTF-8.
    """
    data = _content(path)
    delimiter = _delimiter(path, data)
    judge_width(str(path), _header_line(data).count(delimiter.encode()) + 1)
    parse = pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True)
    read = pyarrow.csv.ReadOptions(block_size=max(_SNIFFED, min(data.size, 1 << 26)))
    try:
        with pyarrow.csv.open_csv(pa.BufferReader(data), read_options=read, parse_options=parse) as reader:
            header = reader.schema.names
        _judge_header(path, header)
        table = pyarrow.csv.read_csv(
            pa.BufferReader(data),
            read_options=read,
            parse_options=parse,
            convert_options=pyarrow.csv.ConvertOptions(
                column_types={name: pa.string() for name in header}, strings_can_be_null=False
            ),
        )
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise DataError(_why(path, data, delimiter, error)) from error
    columns = {
        name.strip() or f"column {number}": _trimmed(table.column(position))
        for position, (number, name) in enumerate(enumerate(header, 1))
    }
    return columns, delimiter == ";"


def judge_width(source: str, columns: int) -> None:
    """Raises DataError for more columns than anything here is made for; reading them would take minutes."""
    if columns > MOST_COLUMNS:
        raise DataError(
            f"{source} has {columns:,} columns, at most {MOST_COLUMNS:,} are read; leave columns out, or "
            "exchange rows and columns"
        )


def line_of_row(path: Path, row: int) -> int | None:
    """The line on which data row `row` (from 0) begins; None where the file can no longer be read."""
    try:
        data = _content(path)
        for number, (line, _) in enumerate(_records(data, _delimiter(path, data))):
            if number == row + 1:  # record 0 is the header
                return line
    except (OSError, DataError, csv.Error):
        return None
    return None


def _content(path: Path) -> pa.Buffer:
    """What the file holds, unpacked, in Arrow's own memory.

    Arrow's threads let go of a buffer when they like, also while the interpreter ends; where it belonged to
    Python they would ask for the interpreter's lock then, which ends the process with an abort.
    """
    try:
        with pa.input_stream(str(path), compression="detect") as stream:
            data: pa.Buffer = stream.read_buffer()
    except pa.ArrowException as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    begins = data[:_SNIFFED].to_pybytes()
    if begins[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise DataError(f"{path} is UTF-16 text; save it as UTF-8")
    if not begins.strip(_BLANK) and not data.to_pybytes().strip(_BLANK):
        raise DataError(f"{path} is empty; a table needs a header and at least one row")
    return data


def _header_line(data: pa.Buffer) -> bytes:
    pieces = (data[start : start + _SNIFFED].to_pybytes() for start in range(0, data.size, _SNIFFED))
    line = bytearray()
    for piece in pieces:
        head, end, _ = piece.partition(b"\n")
        line += head
        if end:
            break
    return bytes(line)


def _delimiter(path: Path, data: pa.Buffer) -> str:
    """Tab for .tsv; otherwise the comma, unless the header has none of it and more of another."""
    if ".tsv" in path.suffixes or ".tab" in path.suffixes:
        return "\t"
    header = data[:_SNIFFED].to_pybytes().lstrip(b"\xef\xbb\xbf\r\n").split(b"\n", 1)[0]
    counts = {mark: header.count(mark.encode()) for mark in (",", ";", "\t", "|")}
    best = max(counts, key=lambda mark: counts[mark])
    return "," if counts[","] or not counts[best] else best


def _judge_header(path: Path, header: list[str]) -> None:
    names = [name.strip() for name in header]
    first: dict[str, int] = {}
    for number, name in enumerate(names, 1):
        if name and first.setdefault(name, number) < number:
            raise DataError(
                f"{path}, line 1: columns {first[name]} and {number} are both called {name!r}; "
                "rename one of them"
            )
    for number, name in enumerate(names, 1):
        if not name and f"column {number}" in first:
            raise DataError(f"{path}, line 1: column {number} has no name; give it one")


def _trimmed(column: pa.ChunkedArray) -> pa.Array:
    text = pc.utf8_trim_whitespace(column.combine_chunks())
    if isinstance(text, pa.ChunkedArray):
        text = text.chunk(0) if text.num_chunks == 1 else pa.concat_arrays(text.chunks)
    return pc.if_else(pc.is_in(text, value_set=pa.array(MISSING)), pa.scalar(None, pa.string()), text)


def _records(data: pa.Buffer, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """(line on which it begins, cells) of each record that is not a blank line, the header first."""
    text = io.StringIO(data.to_pybytes().decode("utf-8-sig", errors="replace"), newline="")
    reader = csv.reader(text, delimiter=delimiter)
    before = 0
    for cells in reader:
        if cells:
            yield before + 1, cells
        before = reader.line_num


def _why(path: Path, data: pa.Buffer, delimiter: str, error: Exception) -> str:
    """The message for text that cannot be read, with the line where that can be found."""
    try:
        text = data.to_pybytes()
        text.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        line = text.count(b"\n", 0, wrong.start) + 1
        return f"{path}, line {line}: byte {text[wrong.start]:#04x} is not UTF-8 text; save the file as UTF-8"
    try:
        width = 0
        for line, cells in _records(data, delimiter):
            width = width or len(cells)
            if len(cells) != width:
                return (
                    f"{path}, line {line}: {len(cells)} cells where the header has {width}; "
                    "complete the line, or put quotes around a cell that holds the delimiter"
                )
    except csv.Error as wrong:
        return f"{path} is not a readable table: {wrong}"
    reason = str(error).splitlines()[0]
    return f"{path} is not a readable table: {reason}"
