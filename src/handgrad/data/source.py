"""Where the bytes of a table come from: a file, compressed or not, or the standard input."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from handgrad.errors import DataError

PACKED = (".gz", ".bz2", ".zst", ".lz4")
_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bz2", b"\x04\x22\x4d\x18": "lz4"}

STDIN = Path("-")


@dataclass(frozen=True, eq=False)
class Source:
    """A file, or bytes that were read from the standard input; `path` is how messages call it."""

    path: Path
    data: pa.Buffer | None = None

    def stream(self) -> Any:
        """A stream of its bytes, unpacked."""
        if self.data is not None:
            return pa.BufferReader(self.data)
        return pa.input_stream(str(self.path), compression="detect")

    def head(self, size: int) -> tuple[bytes, bool]:
        """(the first `size` bytes and the rest of a first line that is longer, True where there are no more).

        Raises DataError for a torn archive.
        """
        try:
            with self.stream() as stream:
                head = bytearray(stream.read(size))
                whole = len(head) < size
                while not whole and b"\n" not in head and b"\r" not in head:
                    piece = stream.read(size)
                    whole = len(piece) < size
                    head += piece
                return bytes(head), whole
        except (pa.ArrowException, EOFError) as error:
            raise DataError(f"{self.path} cannot be read: {error}") from error
        except OSError as error:
            raise DataError(f"{self.path} cannot be read: {error.strerror or error}") from error

    def buffer(self) -> pa.Buffer:
        """All of its bytes, unpacked, in Arrow's own memory."""
        with self.stream() as stream:
            return stream.read_buffer()


def arrows_own(data: bytes) -> pa.Buffer:
    """A copy in Arrow's memory.

    Arrow's threads let go of a buffer when they like, also while the interpreter ends; where it belonged to
    Python they would ask for the interpreter's lock then, which ends the process with an abort.
    """
    sink = pa.BufferOutputStream()
    sink.write(data)
    return sink.getvalue()


def standard_input() -> Source:
    """What comes in on the standard input, unpacked where it is packed. Raises DataError where nothing does."""
    data = b"" if sys.stdin is None else sys.stdin.buffer.read()
    if not data:
        raise DataError("the standard input is empty; pipe a table into the command")
    packing = next((name for magic, name in _MAGIC.items() if data.startswith(magic)), None)
    if packing is not None:
        try:
            with pa.CompressedInputStream(pa.BufferReader(data), packing) as stream:
                data = stream.read()
        except (pa.ArrowException, OSError, EOFError) as error:
            raise DataError(f"the standard input is torn {packing} data: {error}") from error
    return Source(Path("the standard input"), arrows_own(data))


def suffix_of(source: Source) -> str:
    """The suffix that says of which kind a file is; for the standard input the bytes say it."""
    if source.data is None:
        path = source.path
        return (Path(path.stem) if path.suffix.lower() in PACKED else path).suffix.lower()
    data = source.data[:4096].to_pybytes()
    if data.startswith(b"PAR1"):
        return ".parquet"
    if data.startswith((b"ARROW1", b"FEA1", b"\xff\xff\xff\xff")):
        return ".arrow"
    if data.startswith(b"PK\x03\x04"):
        return ".npz"
    return ".jsonl" if re.match(rb"\s*[\[{]\s*[\"{\[\]}]", data) else ".csv"
