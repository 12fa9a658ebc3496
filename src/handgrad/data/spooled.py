"""A text file as columns on disk: read once, block by block, into an Arrow file without a name."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv

from handgrad.data import delimited
from handgrad.data.dialect import Dialect
from handgrad.data.reading import Reading
from handgrad.data.source import Source


@dataclass(frozen=True)
class Spooled:
    """The columns of a text file on disk: numbers, and text."""

    source: Source
    file: Any
    schema: pa.Schema
    rows: int
    dialect: Dialect
    decimal: str | None
    remarks: tuple[str, ...]

    def opened(self) -> Any:
        """A stream of the Arrow file from its start."""
        self.file.seek(0)
        return pa.PythonFile(self.file, "r")


def spooled(source: Source, reading: Reading, single: bool, folder: Path | None) -> Spooled:
    """Reads a text file as `delimited.read_delimited` does, and keeps its columns on disk.

    Raises DataError as that does.
    """
    sink = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  it lives as long as the table
    rows = 0

    def keep(batches: pyarrow.csv.CSVStreamingReader) -> pa.Schema:
        nonlocal rows
        rows = 0
        sink.seek(0)
        sink.truncate()
        # one dictionary a column is all that an Arrow file holds, so words are written out
        fields = [
            pa.field(f.name, pa.string() if pa.types.is_dictionary(f.type) else f.type)
            for f in batches.schema
        ]
        schema = pa.schema(fields)
        with pa.ipc.new_file(pa.PythonFile(sink, "w"), schema) as writer:
            for batch in batches:
                writer.write_batch(batch.cast(schema))
                rows += batch.num_rows
        return schema

    found = delimited.streamed(source, reading, single, keep)
    return Spooled(
        source, sink, found.kept, rows, found.dialect, found.decimal, found.dialect.remarks(reading)
    )
