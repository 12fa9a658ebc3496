"""Rows of numbers on disk, in a file without a name that is gone with the process, however that ends."""

from __future__ import annotations

import os
import tempfile
import weakref
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from handgrad.errors import OutputError


def scratch_file(owner: Any, folder: Path | None) -> Any:
    """A file without a name, open for reading and writing, that is closed with its owner.

    Raises OutputError where none can be made.
    """
    try:
        file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115  the owner closes it
    except OSError as error:
        raise OutputError(f"{folder}: no scratch file can be made there: {error.strerror}") from error
    weakref.finalize(owner, file.close)
    return file


class Scratch:
    """A matrix (rows, width) of one dtype that is written and read some rows at a time.

    >>> scratch = Scratch(None, 2, "float32")
    >>> scratch.write(1, np.array([[3.0, 4.0]]))
    >>> scratch.read(1, 1).tolist()
    [[3.0, 4.0]]
    """

    def __init__(self, folder: Path | None, width: int, dtype: Any) -> None:
        self.width, self.dtype = width, np.dtype(dtype)
        self._row = width * self.dtype.itemsize
        self._lock = Lock()  # one place in the file for all who read
        self._file = scratch_file(self, folder)

    def write(self, first: int, values: npt.NDArray[Any]) -> None:
        """Puts rows (count, width) at row `first`. Raises OutputError where the disk is full."""
        if not len(values):
            return
        data = np.ascontiguousarray(values, self.dtype).reshape(-1).view(np.uint8).data
        try:
            with self._lock:
                self._file.seek(first * self._row)
                while len(data):
                    data = data[self._file.write(data) :]
        except OSError as error:
            raise OutputError(
                f"the scratch file of the training cannot be written: {error.strerror}; it takes as many bytes as "
                "the encoded table"
            ) from error

    def read(self, first: int, count: int, into: npt.NDArray[Any] | None = None) -> npt.NDArray[Any]:
        """The rows from `first` on, (count, width)."""
        rows = np.empty((count, self.width), self.dtype) if into is None else into[:count]
        if not count:
            return rows
        left = rows.reshape(-1).view(np.uint8).data
        with self._lock:
            self._file.seek(first * self._row)
            while len(left):
                got = self._file.readinto(left)
                if not got:
                    raise OutputError("the scratch file of the training ends too early; was the disk full?")
                left = left[got:]
        return rows

    def close(self) -> None:
        """Gives its space back."""
        self._file.close()


def free_space(folder: Path | None) -> int:
    """Bytes that are free where scratch files go."""
    where = os.statvfs(folder or tempfile.gettempdir())
    return where.f_bavail * where.f_frsize
