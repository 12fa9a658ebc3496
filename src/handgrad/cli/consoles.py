"""Where the verbs write: results to stdout, progress and remarks to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Any

from rich.console import Console


def output() -> Console:
    """The console of results."""
    return Console(highlight=False, markup=False, emoji=False)


def remarks() -> Console:
    """The console of progress and remarks."""
    return Console(stderr=True, highlight=False, markup=False, emoji=False)


def remark(lines: Iterable[str], quiet: bool = False) -> None:
    """Remarks to stderr, unless quiet."""
    for line in () if quiet else lines:
        remarks().print(f"note: {line}", soft_wrap=True)


def print_json(value: dict[str, Any]) -> None:
    """One JSON document on stdout."""
    sys.stdout.write(json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False) + "\n")
