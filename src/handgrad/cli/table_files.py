"""Tables that go to a file or to the standard output, some rows at a time."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from handgrad.errors import OutputError
from handgrad.rich_repr import visible
from handgrad.version import __version__

Write: TypeAlias = Callable[[Any, Iterable[pa.Table], bool], None]
"""Writes tables of the same columns below each other into what takes bytes; True where a text in them needs quotes."""


class Terminal:
    """The standard output as a taker of bytes; a terminal is shown nothing that commands it."""

    def write(self, data: Any) -> int:
        """All of the bytes, which are whole lines of text."""
        text = bytes(data).decode()
        sys.stdout.write(visible(text) if sys.stdout.isatty() else text)
        return len(data)


def plain(table: pa.Table) -> pa.Table:
    """Words as they are written, not as places among the distinct ones."""
    for place, (name, column) in enumerate(zip(table.column_names, table.columns, strict=True)):
        if pa.types.is_dictionary(column.type):
            table = table.set_column(place, name, column.cast(column.type.value_type))
    return table


def needs_quotes(column: pa.ChunkedArray) -> bool:
    """True for a column of text with a mark of delimited text in it."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    return text and bool(pc.any(pc.match_substring_regex(column, pattern='[",;\t\r\n]')).as_py())


def _delimited(mark: str, sink: Any, tables: Iterable[pa.Table], quoted: bool) -> None:
    # Arrow quotes every text when it may quote at all
    style = "needed" if quoted else "none"
    options = pyarrow.csv.WriteOptions(delimiter=mark, quoting_style=style, include_header=False)
    begun = False
    for table in tables:
        if not begun:
            header = mark.join(_quoted(name, mark) for name in table.column_names)
            sink.write(f"{header}\n".encode())
            begun = True
        lines = pa.BufferOutputStream()
        pyarrow.csv.write_csv(table, lines, options)
        sink.write(lines.getvalue())


def _quoted(name: str, mark: str) -> str:
    special = any(character in name for character in (mark, '"', "\n", "\r"))
    return '"' + name.replace('"', '""') + '"' if special else name


def _marked(table: pa.Table) -> pa.Table:
    """The table with the mark by which `cli.outputs` knows that handgrad wrote it."""
    return table.replace_schema_metadata({"handgrad predictions": __version__})


def _typed(
    open_writer: Callable[[Any, pa.Schema], Any], sink: Any, tables: Iterable[pa.Table], _: bool
) -> None:
    marked = map(_marked, tables)
    first = next(marked)
    with open_writer(sink, first.schema) as writer:
        for table in chain([first], marked):
            writer.write_table(table)


def _feather(sink: Any, schema: pa.Schema) -> Any:
    return pa.ipc.new_file(sink, schema, options=pa.ipc.IpcWriteOptions(compression="lz4"))


WRITERS: dict[str, Write] = {
    ".csv": partial(_delimited, ","),
    ".tsv": partial(_delimited, "\t"),
    ".parquet": partial(_typed, pyarrow.parquet.ParquetWriter),
    ".feather": partial(_typed, _feather),
}


def writer_for(out: Path | None) -> Write:
    """The writer for a file of this name; without one, of CSV.

    Raises OutputError for a name of another format.
    """
    if out is None:
        return WRITERS[".csv"]
    if out.suffix.lower() not in WRITERS:
        raise OutputError(f"cannot write {out}: its name must end in one of {' '.join(WRITERS)}")
    return WRITERS[out.suffix.lower()]
