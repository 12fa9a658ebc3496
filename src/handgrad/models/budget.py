"""The memory that work on a table larger than it may take."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from handgrad.errors import SpecificationError

HELD = 48
"""Bytes for each row that deciding about one column takes: its cells, as numbers, and copies on the way."""

BASE = 200 << 20
"""Bytes that the program takes with its libraries and its small buffers."""


USUAL = "1GiB"
"""What is allowed where nothing is said."""


class Budget(NamedTuple):
    """The bytes that may be taken, and where scratch files go."""

    memory: int
    folder: Path | None = None


_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "ki": 1 << 10, "mi": 1 << 20, "gi": 1 << 30}


def bytes_of(memory: int | str) -> int:
    """A number of bytes, as 1GiB, 500 MB or 1073741824.

    >>> bytes_of("1GiB"), bytes_of("1.5 MB")
    (1073741824, 1500000)

    Raises SpecificationError for anything else.
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmg]i?)?b?\s*", str(memory).lower())
    size = 0 if found is None else int(float(found[1]) * _UNITS[found[2] or ""])
    if isinstance(memory, bool) or size < 1 << 20:
        raise SpecificationError(
            f"memory must be a number of bytes of at least 1 MiB, as in 1GiB, got {memory!r}"
        )
    return size
