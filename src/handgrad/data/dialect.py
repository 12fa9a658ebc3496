"""How a text file writes a table, found from its beginning: encoding, delimiter, quotes, header."""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pyarrow as pa

from handgrad.data import written_dates, written_numbers
from handgrad.data.limits import check_width
from handgrad.data.reading import MISSING, MISSING_AMONG_NUMBERS, Reading
from handgrad.errors import DataError

LOOKED_AT = 1 << 20
"""Bytes of the file from which its dialect is found."""

_LINES = 200
_USUAL = (",", ";", "\t", "|")
_UNUSUAL = re.compile(r"[\x01\x1e!#&*:<=>?@\\^`~]")
_NO_DELIMITER = "\x1f"  # the unit separator: a table of one column has none of its own


@dataclass(frozen=True)
class Dialect:
    """The dialect of a text file."""

    encoding: str = "utf-8"
    delimiter: str = ","
    quote: str = '"'
    escape: str | None = None
    header: bool = True
    skipped: int = 0
    """Lines before the table: remarks, `sep=;`."""
    names: tuple[str, ...] = ()
    spaces: bool = False
    """True where runs of spaces stand between the cells."""

    def remarks(self, reading: Reading) -> tuple[str, ...]:
        """What was found that is not as it usually is, unless the caller said so."""
        usual = Dialect()
        said = []
        if reading.encoding is None and self.encoding not in ("utf-8", "utf-8-sig"):
            said.append(f"read as {self.encoding}; --encoding overrules it")
        if reading.delimiter is None and self.delimiter not in (*_USUAL, _NO_DELIMITER):
            between = "runs of spaces" if self.spaces else repr(self.delimiter)
            said.append(f"the cells are separated by {between}; --delimiter overrules it")
        if reading.header is None and not self.header:
            said.append(
                "the first line has no names and is data; the columns are called column 1, column 2, ..."
            )
        if self.skipped:
            lines = "1 line" if self.skipped == 1 else f"{self.skipped} lines"
            said.append(f"left out before the table: {lines}")
        if self.quote != usual.quote:
            said.append(f"cells are quoted with {self.quote}")
        return tuple(said)


def find_dialect(path: Path, head: bytes, whole: bool, reading: Reading) -> Dialect:
    """The dialect of a file that begins with `head`; `whole` where that is all of it.

    Raises DataError for a file that is empty or not of the encoding that the caller named.
    """
    encoding = reading.encoding or _encoding(head)
    text = _decoded(path, head, encoding, whole, asked=reading.encoding is not None)
    if not text.strip():
        raise DataError(f"{path} is empty; a table needs a header and at least one row")
    lines = text.split("\n")
    skipped, named = _preamble(lines)
    body = "\n".join(lines[skipped : skipped + _LINES])
    quote = "'" if _single_quotes(body) else '"'
    escape = "\\" if '\\"' in body and '""' not in body else None
    delimiter = reading.delimiter or named or _delimiter(path, body, quote, escape)
    records = _records(body, delimiter, quote, escape)
    if len(lines) > skipped + _LINES or not whole:
        records = records[:-1] or records  # the last one may be torn
    first, rest = records[0], records[1:]
    check_width(str(path), len(first))
    header = reading.header if reading.header is not None else has_header(first, rest)
    return Dialect(
        encoding,
        delimiter,
        quote,
        escape,
        header,
        skipped,
        _names(path, first, rest, header, skipped + 1),
        delimiter == " ",
    )


def _encoding(head: bytes) -> str:
    """By its byte order mark, by the zeros of UTF-16, by whether it is UTF-8; else the code page of the West."""
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF32_LE, "utf-32"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if head.startswith(mark):
            return name
    part = head[:4096]
    if len(part) >= 4:
        even, odd = part[::2].count(0) / len(part[::2]), part[1::2].count(0) / len(part[1::2])
        if max(even, odd) > 0.4 and min(even, odd) < 0.1:
            return "utf-16-be" if even > odd else "utf-16-le"
    return "utf-8" if _is_utf8(head) else western(head)


def _is_utf8(head: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)  # the last character may be torn
    except UnicodeDecodeError:
        return False
    return True


def western(data: bytes) -> str:
    """cp1252, or latin-1 where a byte has no meaning in it."""
    return "latin-1" if re.search(rb"[\x81\x8d\x8f\x90\x9d]", data) else "cp1252"


def _decoded(path: Path, head: bytes, encoding: str, whole: bool, asked: bool) -> str:
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(head, final=whole)
    except (UnicodeDecodeError, UnicodeError) as error:
        if not asked:
            raise DataError(f"{path} is torn {encoding} text; write it again") from error
        start = getattr(error, "start", 0)
        line = head.count(b"\n", 0, start) + 1
        raise DataError(
            f"{path}, line {line}: byte {head[start]:#04x} is not {encoding.upper()} text; leave --encoding out "
            "or name another"
        ) from error
    return text.lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _preamble(lines: list[str]) -> tuple[int, str | None]:
    """(lines before the table, the delimiter that one of them names)."""
    if re.fullmatch(r"sep=.", lines[0].strip('" ')):
        return 1, lines[0].strip('" ')[-1]
    skipped = 0
    while skipped < len(lines) - 1 and (lines[skipped].startswith("#") or not lines[skipped].strip()):
        skipped += 1
    if skipped and lines[skipped - 1].startswith("#"):
        # "#id,age" is a header, "# made in May" is none: it has as many cells as the lines below
        for mark in _USUAL:
            here, below = lines[skipped - 1].count(mark), lines[skipped].count(mark)
            if here and here == below:
                return skipped - 1, None
    return skipped, None


def _single_quotes(body: str) -> bool:
    """True where cells, and not only words in them, stand between single quotes."""
    return len(re.findall(r"(?:^|[,;\t|])'[^'\n]*'(?=[,;\t|\n]|$)", body, re.M)) > 2 and '"' not in body


def _records(body: str, delimiter: str, quote: str, escape: str | None) -> list[list[str]]:
    if delimiter == " ":
        body = re.sub(r"(?m)^ +| +$", "", body)
        body = re.sub(r"[ \t]+", " ", body)
    reader = csv.reader(
        body.splitlines(keepends=True), delimiter=delimiter, quotechar=quote, escapechar=escape
    )
    found = []
    try:
        for record in reader:
            if record and (len(record) > 1 or record[0].strip()):
                found.append(record)
    except csv.Error:  # a cell beyond all bounds; what was read so far speaks for itself
        pass
    return found or [[""]]


def _delimiter(path: Path, body: str, quote: str, escape: str | None) -> str:
    """The mark that cuts the lines into the same number of cells most often; the usual marks before others."""
    if {".tsv", ".tab"} & set(path.suffixes) and "\t" in body:
        return "\t"
    scores = {mark: _score(_records(body, mark, quote, escape)) for mark in _USUAL}
    best = max(scores, key=lambda mark: scores[mark])
    if scores[best][0] >= 0.9:
        return best
    first = body.split("\n", 1)[0]
    others = [mark for mark in dict.fromkeys(_UNUSUAL.findall(first)) if mark != quote]
    for mark in (*others, " "):
        records = _records(body, mark, quote, escape)
        if _score(records) >= (0.9, 2, 1) and (mark != " " or _has_numbers(records)):
            return str(mark)
    return best if best in first or scores[best][0] > 0.5 else _NO_DELIMITER


def _has_numbers(records: list[list[str]]) -> bool:
    """True where a column is one of numbers: words with a space between them are a text, not two columns."""
    width = len(records[-1])
    return any(_typed([row[j] for row in records[1:] if j < len(row)]) == "number" for j in range(width))


def _score(records: list[list[str]]) -> tuple[float, int, int]:
    """(part of the lines with the commonest number of cells, cells of it up to 2, cells); 0 where that is one."""
    widths = Counter(len(record) for record in records)
    width, count = widths.most_common(1)[0]
    if width < 2:
        return 0.0, 1, 1
    first = len(records[0])
    whole = count / len(records)
    if first != width:  # only the names of rows may be without a name
        whole *= 0.95 if first == width - 1 and width > 2 else 0.4
    return round(whole, 2), min(width, 2), width


def has_header(first: list[str], rest: list[list[str]]) -> bool:
    """True where the first line names the columns rather than being one of the rows."""
    if not rest:
        return True
    columns = [[row[j] for row in rest if j < len(row)] for j in range(len(first))]
    kinds = [_typed(cells) for cells in columns]
    if not any(kinds):
        known = [
            cell.strip() in {c.strip() for c in cells} for cell, cells in zip(first, columns, strict=True)
        ]
        return not (sum(known) * 2 > len(first) and len(rest) > 2)
    here = [_typed([cell]) if cell.strip() not in MISSING else None for cell in first]
    names = sum(bool(kind) and now == "" for kind, now in zip(kinds, here, strict=True))
    data = sum(bool(kind and now) for kind, now in zip(kinds, here, strict=True))
    if names:
        return names >= data or _years(first)
    return data == 0 or (_years(first) and len(set(first)) == len(first))


def _years(first: list[str]) -> bool:
    """True where names such as 2019, 2020, 2021 stand beside names in words."""
    numbers = [cell.strip() for cell in first if cell.strip().isdecimal()]
    rising = all(int(b) - int(a) == 1 for a, b in pairwise(numbers))
    return len(numbers) > 1 and len(numbers) < len(first) and rising and 1500 < int(numbers[0]) < 2200


def _typed(cells: list[str]) -> str:
    """number, date, or "" for words, by nine in ten of the cells that are there."""
    markers = {*MISSING, *MISSING_AMONG_NUMBERS}
    present = [cell.strip() for cell in cells if cell.strip() not in markers]
    if not present:
        return ""
    texts = pa.array(present, pa.string())
    for name, wrong in (
        ("number", written_numbers.parse(texts).wrong),
        ("date", written_dates.parse(texts).wrong),
    ):
        if wrong.mean() <= 0.1:
            return name
    return ""


def _names(path: Path, first: list[str], rest: list[list[str]], header: bool, line: int) -> tuple[str, ...]:
    """The names of the columns. Raises DataError where two are the same."""
    width = Counter(len(row) for row in rest).most_common(1)[0][0] if rest else len(first)
    if not header:
        return tuple(f"column {number}" for number in range(1, len(first) + 1))
    names = [name.strip() for name in first]
    if len(names) == width - 1 and width > 2:
        names = ["", *names]  # as R writes the names of rows
    names[0] = names[0].lstrip("#").strip() if len(names) > 1 else names[0]
    seen: dict[str, int] = {}
    for number, name in enumerate(names, 1):
        if name and seen.setdefault(name, number) < number:
            raise DataError(
                f"{path}, line {line}: columns {seen[name]} and {number} are both called {name!r}; rename one "
                "of them"
            )
    for number, name in enumerate(names, 1):
        if not name and f"column {number}" in seen:
            raise DataError(f"{path}, line {line}: column {number} has no name; give it one")
    return tuple(name or f"column {number}" for number, name in enumerate(names, 1))
