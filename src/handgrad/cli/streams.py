"""The standard streams of the process: what happens when nobody takes what is written to them."""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
from typing import Any


class Descriptor(io.RawIOBase):
    """Standard output: when its reader has gone, the process ends as `... | head` has other programs end."""

    def __init__(self, number: int) -> None:
        self.number = number

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self.number

    def isatty(self) -> bool:
        return os.isatty(self.number)

    def write(self, data: Any) -> int:
        try:
            return os.write(self.number, data)
        except OSError as error:
            return self.refused(error, memoryview(data).nbytes)

    def refused(self, error: OSError, size: int) -> int:
        """What becomes of bytes that nobody takes."""
        if error.errno == errno.EPIPE and sys.platform != "win32":
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)
            signal.raise_signal(signal.SIGPIPE)
        raise error


class Remarks(Descriptor):
    """Standard error: progress and remarks that nobody takes are dropped; a training goes on without them."""

    def refused(self, error: OSError, size: int) -> int:
        return size


def text(number: int, encoding: str) -> io.TextIOWrapper:
    """The stream of a descriptor, 1 or 2; letters that the encoding lacks are written as escapes."""
    raw = (Remarks if number == 2 else Descriptor)(number)
    buffered: Any = io.BufferedWriter(raw)
    by_lines = number == 2 or raw.isatty()
    return io.TextIOWrapper(buffered, encoding, errors="backslashreplace", line_buffering=by_lines)


def is_process_stream(stream: Any) -> bool:
    """True for the standard output of the process, False for what a test or a notebook put in its place."""
    if not isinstance(stream, io.TextIOWrapper):
        return False
    raw = getattr(stream.buffer, "raw", None)
    return stream is sys.__stdout__ or isinstance(raw, Descriptor)


def keep_output() -> None:
    """What this program writes still goes to the standard output; what libraries print goes to standard error."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    sys.stdout = text(kept, sys.stdout.encoding)
