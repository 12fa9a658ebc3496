"""Tables that do not fit the memory: when they are streamed, and from where."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet

from handgrad.cli.consoles import remark
from handgrad.data.reading import Reading
from handgrad.data.stored import PARQUET, StoredTable, stored_table, streams
from handgrad.data.tables import Table, files_of, read_table
from handgrad.errors import SpecificationError
from handgrad.models.budget import Budget, bytes_of
from handgrad.models.prepared import Prepared, prepare
from handgrad.models.splits import Parting
from handgrad.models.stored_table import prepare_stored

_TEXT_GROWS = 2.5
"""Times its bytes that a text file takes in memory, with its encoded rows."""

_OF_AVAILABLE = 0.7
_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def budget_for(memory: str | None, data: Any, model: Path, folds: int, quiet: bool) -> Budget | None:
    """What a training may take where its table is streamed; None where it is read into memory.

    Without `memory` a table is streamed where it would take more than 70 % of what is available.

    Raises SpecificationError where --memory is given with data that cannot be streamed.
    """
    if memory is not None:
        _check_streams(data)
        if folds:
            raise SpecificationError("--folds trains in memory only; leave it out, or --memory")
        return Budget(bytes_of(memory), model.parent)
    return None if folds else _where_it_does_not_fit(data, model.parent, quiet)


def budget_to_read(memory: str | None, data: Any, folder: Path | None, quiet: bool) -> Budget | None:
    """The same for the predictions of a model, whose scratch files go to `folder`."""
    if memory is not None:
        _check_streams(data)
        return Budget(bytes_of(memory), folder)
    return _where_it_does_not_fit(data, folder, quiet)


def _check_streams(data: Any) -> None:
    if not streams(data):
        raise SpecificationError("--memory is for files of CSV, Parquet, Feather or Arrow; leave it out")


def _where_it_does_not_fit(data: Any, folder: Path | None, quiet: bool) -> Budget | None:
    """What may be taken of a table that would take more than 70 % of what is available; None for any other."""
    if not streams(data):
        return None
    needed, there = needed_for(files_of(data)), available()
    if needed <= _OF_AVAILABLE * there:
        return None
    most = int(there // 2)
    where = Path(tempfile.gettempdir()) if folder is None else folder.resolve()
    remark(
        [
            f"the table would take some {needed / 1e9:.1f} GB of {there / 1e9:.1f} GB of memory: it is streamed, with "
            f"--memory {most >> 20}MiB, through scratch files in {where}"
        ],
        quiet,
    )
    return Budget(most, folder)


def needed_for(files: Sequence[Path]) -> float:
    """Bytes that these tables take in memory, with their encoded rows, by their sizes."""
    return sum(_of_file(file) for file in files)


def _of_file(file: Path) -> float:
    if file.suffix.lower() not in PARQUET:
        return _TEXT_GROWS * file.stat().st_size
    try:
        held = pyarrow.parquet.ParquetFile(str(file)).metadata
    except (OSError, ValueError, pyarrow.ArrowException):
        return 0.0  # reading it tells what is wrong
    return float(held.num_rows * held.num_columns * 16)


def available() -> float:
    """Bytes of memory that the process may still take; infinite where nobody says."""
    found = [float("inf")]
    for name in _LIMITS:
        text = _text_of(name).strip()
        found += [float(text)] if text.isdecimal() else []
    lines = _text_of("/proc/meminfo").splitlines()
    return min(found + [1024.0 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")])


def _text_of(name: str) -> str:
    try:
        return Path(name).read_text()
    except OSError:
        return ""


def opened(data: Any, reading: Reading, single: bool, budget: Budget | None) -> Table:
    """The table, in memory or in its files."""
    if budget is None:
        return read_table(data, reading, single=single)
    return stored_table(data, reading, single, budget.folder)


def made_ready(
    table: Table,
    target: Sequence[str],
    task: str | None,
    parting: Parting,
    validation: Table | None,
    budget: Budget | None,
    asked: dict[str, Any],
) -> Prepared:
    """The table ready for training, in memory or on disk."""
    if budget is None or not isinstance(table, StoredTable):
        return prepare(table, target, task, parting=parting, validation=validation, **asked)
    if validation is not None:
        raise SpecificationError(
            "a table that is streamed is validated on a part of its own rows; leave --validation-file out"
        )
    return prepare_stored(table, target, task, parting=parting, budget=budget, **asked)
