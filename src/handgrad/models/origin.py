"""Where the data of a model came from, to know it again."""

from __future__ import annotations

import msgspec


class Origin(msgspec.Struct, frozen=True):
    """Where the training data came from, to know it again."""

    fingerprint: str
    rows: int
    """Rows of the file."""
    left_out: int = 0
    """Rows without a target, which training did not see."""
    file: str | None = None
