"""Output files are written whole or not at all."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from handgrad.errors import OutputError


def write_whole(path: str | os.PathLike[str], data: bytes) -> Path:
    """Writes `data` to `path` by way of a temporary file beside it, so that no half file is ever seen.

    A link is followed to its file; a device or a pipe, which holds nothing, is written into. Returns the path.
    Raises OutputError where the directory is missing, closed or full.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_whole(Path(folder) / "note.txt", b"whole").read_bytes()
    b'whole'
    """
    target = Path(path)
    judge_target(target)
    try:
        if target.exists() and not target.is_file():
            with target.open("wb", buffering=0) as stream:
                stream.write(data)
        else:
            _replace(target.resolve(), data)
    except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: a link to itself
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise OutputError(
            f"cannot write {target}: {reason}; choose a place that is writable and has room"
        ) from error
    return target


def _replace(target: Path, data: bytes) -> None:
    # a fixed-length name, so that a long target name does not make the temporary one too long
    temporary = target.parent / f".handgrad-{secrets.token_hex(8)}.part"
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        _keep_permissions(target, temporary)
        temporary.replace(target)
    finally:
        _discard(temporary)


def judge_target(path: str | os.PathLike[str]) -> None:
    """Raises OutputError where `path` could not be written, before long work is done for it."""
    target = Path(path)
    try:
        target.name.encode()  # a name of stray bytes cannot stand in a message or in the document itself
        is_directory = target.is_dir()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "its name is not text"
        raise OutputError(f"cannot write {str(target)[:200]!r}: {reason}; choose another name") from error
    if is_directory:
        raise OutputError(f"{target} is a directory; give the name of a file to write")
    if not target.parent.is_dir():
        raise OutputError(
            f"cannot write {target}: the directory {target.parent} does not exist; create it first"
        )
    if not os.access(target.parent, os.W_OK):
        raise OutputError(
            f"cannot write {target}: the directory {target.parent} is closed to you; choose another place"
        )


def judge_apart(path: str | os.PathLike[str], *inputs: str | os.PathLike[str]) -> None:
    """Raises OutputError where writing `path` would replace one of the inputs of the same call."""
    target = Path(path)
    for name in inputs:
        if target.exists() and Path(name).exists() and target.samefile(name):
            raise OutputError(f"cannot write {target}: it is the input itself; choose another name")


def _keep_permissions(target: Path, temporary: Path) -> None:
    """An existing file keeps its mode; a new one gets what the umask gave the temporary file."""
    if target.exists():
        temporary.chmod(target.stat().st_mode & 0o7777)


def _discard(temporary: Path) -> None:
    try:
        temporary.unlink(missing_ok=True)
    except (OSError, ValueError):  # it was never made, and the error that prevented it is already told
        return
