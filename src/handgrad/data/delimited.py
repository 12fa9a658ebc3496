"""Delimited text (CSV, TSV and their relatives): one pass of Arrow's reader over the file.

What the columns hold is judged on the beginning of the file. Columns of plain numbers are read as numbers;
all others as distinct texts and their places, so that a text is judged once and not in every row. A small
file is all beginning, and nothing of it is guessed.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from handgrad.data import written_numbers
from handgrad.data.dialect import LOOKED_AT, Dialect, find_dialect, western
from handgrad.data.reading import MISSING, Reading
from handgrad.data.source import Source, arrows_own
from handgrad.data.words import Words, bools, words_of
from handgrad.data.written_numbers import Marks, Numbers
from handgrad.errors import DataError

Keep: TypeAlias = Callable[[pyarrow.csv.CSVStreamingReader], Any]

_BLOCK = 4 << 20
_DECIDING = 1 << 18  # bytes of a large file from which the kinds of its columns are seen
_UTF8 = ("utf-8", "utf-8-sig", "utf8")
_WORDS = pa.dictionary(pa.int32(), pa.string())
_MOST_DIGITS = 15  # a float64 holds so many exactly
_SMALL = 10_000  # whole numbers below it are not expected to pass 2^24, from where float32 leaves some out
_ALL_AGAIN = 3  # columns that turn out to be no numbers one by one; then none is taken for numbers unseen


@dataclass(frozen=True)
class Delimited:
    """The columns of a text file: numbers, or text that is still to be judged."""

    columns: dict[str, pa.ChunkedArray]
    dialect: Dialect
    decimal: str | None
    """The decimal mark, where the numbers of the file leave no doubt about it."""


def read_delimited(source: Source, reading: Reading, single: bool = False) -> Delimited:
    """The columns of a text file; `single` reads numbers as float32 where that loses nothing that matters.

    Raises DataError for an empty file, a header with the same name twice, lines of unequal length, or text
    that is not of the encoding asked for.
    """
    start = begun(source, reading)
    if start.whole and start.sample is not None:
        mark = decimal_mark(start.sample, start.dialect, reading)
        return Delimited(_named(start.sample), start.dialect, mark)
    return read_as(source, reading, single, start)


class Begun(NamedTuple):
    """The beginning of a text file, and what is seen from it; `sample` its cells as text, None where unreadable."""

    head: bytes
    whole: bool
    dialect: Dialect
    sample: pa.Table | None


def begun(source: Source, reading: Reading) -> Begun:
    """Looks at the beginning of a text file."""
    head, whole = source.head(LOOKED_AT)
    dialect = find_dialect(source.path, head, whole, reading)
    sample = _sample(source, head, whole, dialect)
    if sample is None and dialect.encoding in _UTF8 and reading.encoding is None:
        dialect = replace(dialect, encoding=western(head))
        sample = _sample(source, head, whole, dialect)
    return Begun(head, whole, dialect, sample)


def _with_types(
    source: Source, reading: Reading, single: bool, start: Begun, take: Callable[..., Any]
) -> tuple[Any, Dialect, str | None]:
    """What `take` makes of the file, its dialect and its decimal mark."""
    head, _, dialect, sample = start
    decimal = None if sample is None else decimal_mark(sample, dialect, reading)
    types = {} if sample is None else _types(sample, reading, decimal, single)
    quoted = dialect.quote.encode() in head[head.find(b"\n") :]
    made, dialect = _read(source, dialect, reading, types, decimal, quoted, take)
    return made, dialect, decimal


class Streamed(NamedTuple):
    """What became of a text file that was read block by block."""

    kept: Any
    dialect: Dialect
    decimal: str | None


def streamed(source: Source, reading: Reading, single: bool, keep: Keep) -> Streamed:
    """The same file block by block; `keep` is handed the blocks, again from the start where a type was wrong.

    Raises DataError as `read_delimited` does.
    """

    parsed = partial(_parsed, read=pyarrow.csv.open_csv)

    def kept(*how: Any) -> Any:
        return keep(parsed(*how))

    start = begun(source, reading)
    # in memory a small file keeps its texts, which become float64
    return Streamed(*_with_types(source, reading, single and not start.whole, start, kept))


def _whole(*how: Any) -> dict[str, pa.ChunkedArray]:
    """All columns in memory."""
    return _joined(_named(_parsed(*how)))


def read_as(source: Source, reading: Reading, single: bool, start: Begun) -> Delimited:
    """The columns of a text that is written as another one, of which `start` is the beginning."""
    return Delimited(*_with_types(source, reading, single, start, _whole))


def decimal_mark(sample: pa.Table, dialect: Dialect, reading: Reading) -> str | None:
    """The decimal mark of the file, by the columns that leave no doubt; None where none does."""
    if reading.decimal is not None:
        return reading.decimal
    votes = {".": 0, ",": 0}
    for column in sample.columns:
        numbers = _numbers(words_of(column, (*MISSING, *reading.missing)), None, reading)
        if numbers is not None and numbers.decided:
            votes[numbers.marks.decimal] += 1
    return None if votes["."] == votes[","] else max(votes, key=lambda mark: votes[mark])


def _numbers(words: Words, hint: str | None, reading: Reading) -> Numbers | None:
    """The words as numbers where most of them are such."""
    numbers = written_numbers.parse(words.values, words.counts, hint, given_marks(reading))
    present = len(words.values)
    return numbers if present and numbers.wrong.sum() <= present / 5 else None


def given_marks(reading: Reading) -> Marks | None:
    """The marks of numbers that the caller named."""
    if reading.decimal is None and reading.thousands is None:
        return None
    decimal = reading.decimal or ("," if reading.thousands == "." else ".")
    usual = {".": "", ",": ""}[decimal]
    return Marks(decimal, usual if reading.thousands is None else reading.thousands)


def _types(sample: pa.Table, reading: Reading, decimal: str | None, single: bool) -> dict[str, pa.DataType]:
    """The type as which each column is read, by the beginning of the file."""
    types: dict[str, pa.DataType] = {}
    for name, column in zip(sample.column_names, sample.columns, strict=True):
        words = words_of(column, (*MISSING, *reading.missing))
        numbers = _numbers(words, decimal, reading)
        plain = numbers is not None and not numbers.wrong.any() and len(words.values) > 0
        if numbers is None or not plain or not _written_plainly(words.values, decimal or "."):
            continue
        types[name] = pa.float32() if single and _fits_single(numbers.values) else pa.float64()
    return types


def _written_plainly(texts: pa.Array, decimal: str) -> bool:
    """True for numbers that Arrow reads as they are, and that are no codes, no dates and not too long."""
    mark = re.escape(decimal)
    plain = pc.match_substring_regex(texts, pattern=rf"^[+-]?(\d+{mark}?\d*|{mark}\d+)([eE][+-]?\d+)?$")
    codes = pc.match_substring_regex(texts, pattern=rf"^0\d|\d{{{_MOST_DIGITS + 1}}}")
    dates = pc.match_substring_regex(texts, pattern=r"^(18|19|20|21)\d{6}(\d{6})?$")
    return bool(bools(plain).all() and not bools(codes).any() and not bools(dates).all())


def _fits_single(values: Any) -> bool:
    """True where float32 rounds the values by less than a millionth of their spread, and whole numbers not at all.

    Whole numbers may name or count the rows: those that are large or rise by 1 may pass 2^24 further down.
    """
    largest, spread = float(np.abs(values).max()), float(values.std())
    if bool((values == np.floor(values)).all()):
        return largest < _SMALL and not (len(values) > 50 and bool((np.diff(values) == 1).all()))
    return largest <= 16 * spread and spread > 1e-30 and largest < 1e30


def _sample(source: Source, head: bytes, whole: bool, dialect: Dialect) -> pa.Table | None:
    """The beginning of the file as text; None where Arrow cannot read it so."""
    if dialect.encoding not in _UTF8:
        head = head.decode(dialect.encoding, errors="replace").encode()
    quote = dialect.quote.encode()
    head = (
        head + b"\n" if whole else _records_of(head, _DECIDING, quote) or _records_of(head, len(head), quote)
    )
    kinds = dict.fromkeys(dialect.names, pa.string())
    plain = replace(dialect, encoding="utf-8")
    try:
        return _parsed(_even(pa.BufferReader(arrows_own(head)), plain), plain, kinds, len(head), MISSING, ".")
    except pa.ArrowInvalid as error:
        if whole and "UTF8" not in str(error):
            raise DataError(_why(source, dialect, error)) from error
        return None


def _records_of(head: bytes, most: int, quote: bytes) -> bytes:
    """The whole records among the first bytes: a line break between quotation marks ends none."""
    end = head.rfind(b"\n", 0, most)
    while end > 0 and head.count(quote, 0, end) % 2:
        end = head.rfind(b"\n", 0, end)
    return head[: end + 1]


def _read(
    source: Source,
    dialect: Dialect,
    reading: Reading,
    types: dict[str, pa.DataType],
    decimal: str | None,
    quoted: bool,
    take: Callable[..., Any],
) -> tuple[Any, Dialect]:
    """What `take` makes of the whole file. A column that turns out to be no numbers after all is read again as text.

    Where nothing is `quoted` at the beginning, lines are cut in parallel; should a cell hold a line break
    after all, the file is read again.
    """
    wrong, block = 0, _BLOCK
    while True:
        kinds = {name: types.get(name, _WORDS) for name in dialect.names}
        try:
            with source.stream() as stream:
                even = _even(stream, dialect)
                markers = (*MISSING, *reading.missing)
                return take(even, dialect, kinds, block, markers, decimal or ".", quoted), dialect
        except pa.ArrowInvalid as error:
            message = str(error)
            column = re.search(r"In CSV column #(\d+)", message)
            if "UTF8" in message and reading.encoding is None and dialect.encoding in _UTF8:
                dialect = replace(dialect, encoding=western(source.buffer().to_pybytes()))
            elif column and dialect.names[int(column[1])] in types:
                wrong += 1
                types = {} if wrong == _ALL_AGAIN else types
                types.pop(dialect.names[int(column[1])], None)
            elif not quoted:
                quoted = True
            elif "block" in message and block < 1 << 30:
                block *= 16
            else:
                raise DataError(_why(source, dialect, error)) from error
        except (UnicodeDecodeError, OSError) as error:
            raise DataError(_why(source, dialect, error)) from error


def _even(stream: Any, dialect: Dialect) -> Any:
    """The stream as UTF-8, with one space between cells where there are runs of them."""
    if dialect.encoding not in _UTF8:
        stream = pa.BufferReader(arrows_own(stream.read().decode(dialect.encoding).encode()))
    if not dialect.spaces:
        return stream
    text = re.sub(rb"(?m)^[ \t]+|[ \t]+(?=\r?$)", b"", stream.read())
    return pa.BufferReader(arrows_own(re.sub(rb"[ \t]+", b" ", text)))


def _parsed(
    stream: Any,
    dialect: Dialect,
    kinds: dict[str, pa.DataType],
    block: int,
    missing: tuple[str, ...],
    decimal: str,
    breaks: bool = True,
    read: Callable[..., Any] = pyarrow.csv.read_csv,
) -> Any:
    return read(
        stream,
        read_options=pyarrow.csv.ReadOptions(
            block_size=max(block, 1 << 16),
            skip_rows=dialect.skipped,
            skip_rows_after_names=int(dialect.header),
            column_names=list(dialect.names),
        ),
        parse_options=pyarrow.csv.ParseOptions(
            delimiter=dialect.delimiter,
            quote_char=dialect.quote,
            escape_char=dialect.escape or False,
            newlines_in_values=breaks,
        ),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=kinds, null_values=list(missing), strings_can_be_null=True, decimal_point=decimal
        ),
    )


def _named(table: pa.Table) -> dict[str, pa.ChunkedArray]:
    return dict(zip(table.column_names, table.columns, strict=True))


def _joined(columns: dict[str, pa.ChunkedArray]) -> dict[str, pa.ChunkedArray]:
    """Columns of numbers in one piece each, NaN where missing, so that rows are taken from them as they lie."""
    for name, column in columns.items():
        if not pa.types.is_floating(column.type):
            continue
        values = np.ascontiguousarray(column.to_numpy())
        whole = pa.Array.from_buffers(column.type, len(values), [None, pa.py_buffer(values)])
        columns[name] = pa.chunked_array([whole])
    pa.default_memory_pool().release_unused()
    return columns


def line_of_row(source: Source, dialect: Dialect, row: int) -> int | None:
    """The line on which data row `row` (from 0) begins; None where the file can no longer be read."""
    try:
        for number, (line, _) in enumerate(_records(source, dialect)):
            if number == row + dialect.header:
                return line
    except (OSError, DataError, csv.Error, UnicodeDecodeError):
        return None
    return None


def _records(source: Source, dialect: Dialect) -> Iterator[tuple[int, list[str]]]:
    """(line on which it begins, cells) of each record that is not a blank line, the header first."""
    text = source.buffer().to_pybytes().decode(dialect.encoding, errors="replace").lstrip("\ufeff")
    if dialect.spaces:
        text = re.sub(r"(?m)[ \t]+", " ", re.sub(r"(?m)^[ \t]+|[ \t]+(?=\r?$)", "", text))
    lines = io.StringIO(text, newline="")
    for _ in range(dialect.skipped):
        lines.readline()
    reader = csv.reader(
        lines, delimiter=dialect.delimiter, quotechar=dialect.quote, escapechar=dialect.escape
    )
    before = 0
    for cells in reader:
        if cells:
            yield before + 1 + dialect.skipped, cells
        before = reader.line_num


def _why(source: Source, dialect: Dialect, error: Exception) -> str:
    """The message for text that cannot be read, with the line where that can be found."""
    path = source.path
    encoding = "utf-8" if dialect.encoding in _UTF8 else dialect.encoding
    try:
        data = source.buffer().to_pybytes()
        data.decode(dialect.encoding)
    except UnicodeDecodeError as wrong:
        line = data.count(b"\n", 0, wrong.start) + 1
        return (
            f"{path}, line {line}: byte {data[wrong.start]:#04x} is not {encoding.upper()} text; save the "
            "file as UTF-8, or name its encoding with --encoding"
        )
    except (OSError, EOFError) as wrong:
        return f"{path} cannot be read: {wrong}"
    try:
        width = len(dialect.names)
        for line, cells in _records(source, dialect):
            if len(cells) != width and not (line == 1 + dialect.skipped and len(cells) == width - 1):
                return (
                    f"{path}, line {line}: {len(cells)} cells where the header has {width}; "
                    "complete the line, or put quotes around a cell that holds the delimiter"
                )
    except csv.Error as wrong:
        return f"{path} is not a readable table: {wrong}"
    reason = str(error).splitlines()[0]
    return f"{path} is not a readable table: {reason}"
