"""A text file as columns on disk: read once, block by block, into an Arrow file without a name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv

from handgrad.data import delimited
from handgrad.data.dialect import Dialect
from handgrad.data.reading import Reading
from handgrad.data.scratch import scratch_file
from handgrad.data.source import Source


class ScratchFile:
    """A file of bytes without a name."""

    def __init__(self, folder: Path | None) -> None:
        self._file = scratch_file(self, folder)

    def opened(self, mode: str) -> Any:
        """Arrow's view of it from its start; for writing ("w") it is empty again."""
        self._file.seek(0)
        if mode == "w":
            self._file.truncate()
        return pa.PythonFile(_Kept(self._file), mode)


class _Kept:
    """A file that whoever reads it does not close."""

    closed = False

    def __init__(self, file: Any) -> None:
        self._file = file

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def close(self) -> None:
        """It stays open."""


@dataclass(frozen=True)
class Spooled:
    """The columns of a text file on disk: numbers, and text."""

    source: Source
    file: ScratchFile
    schema: pa.Schema
    rows: int
    dialect: Dialect
    decimal: str | None
    remarks: tuple[str, ...]

    def opened(self) -> Any:
        """A stream of the Arrow file from its start."""
        return self.file.opened("r")


def spooled(source: Source, reading: Reading, single: bool, folder: Path | None) -> Spooled:
    """Reads a text file as `delimited.read_delimited` does, and keeps its columns on disk.

    Raises DataError as that does.
    """
    sink = ScratchFile(folder)
    rows = 0

    def keep(batches: pyarrow.csv.CSVStreamingReader) -> pa.Schema:
        nonlocal rows
        rows = 0
        # one dictionary a column is all that an Arrow file holds, so words are written out
        fields = [
            pa.field(f.name, pa.string() if pa.types.is_dictionary(f.type) else f.type)
            for f in batches.schema
        ]
        schema = pa.schema(fields)
        with pa.ipc.new_file(sink.opened("w"), schema) as writer:
            for batch in batches:
                writer.write_batch(batch.cast(schema))
                rows += batch.num_rows
        return schema

    found = delimited.streamed(source, reading, single, keep)
    return Spooled(
        source, sink, found.kept, rows, found.dialect, found.decimal, found.dialect.remarks(reading)
    )
