"""Files are written whole or not at all, and read only where they are files.

Every call to the operating system that touches a file of ours goes through `system`, where a test puts one
that fails.
"""

from __future__ import annotations

import errno
import io
import os
import re
import secrets
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from handgrad.errors import OutputError

if sys.platform != "win32":
    import fcntl

_PART = re.compile(r"\.handgrad-[0-9a-f]{16}\.part")
_STREAM = re.compile(r"/dev/(stdout|stderr|fd/\d+)|/proc/(self|\d+)/fd/\d+")
_CANNOT_SYNC = (errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.EACCES)  # some file systems, for a directory


class System:
    """The calls that open, read, write and replace files."""

    def open(self, path: Path, flags: int, mode: int = 0o666) -> int:
        """A descriptor that is not inherited."""
        return os.open(path, flags | getattr(os, "O_CLOEXEC", 0), mode)

    def read(self, descriptor: int, most: int) -> bytes:
        """The next bytes, none at the end."""
        return os.read(descriptor, most)

    def write(self, descriptor: int, data: memoryview) -> int:
        """How many of the bytes were taken."""
        return os.write(descriptor, data)

    def fsync(self, descriptor: int) -> None:
        """Returns when the bytes are on the disk."""
        os.fsync(descriptor)

    def rename(self, old: Path, new: Path) -> None:
        """Puts one file in the place of another, at once."""
        old.replace(new)


system = System()


def write_whole(path: str | os.PathLike[str], data: bytes) -> Path:
    """Writes `data` to `path` by way of a temporary file beside it, so that no half file is ever seen.

    A link is followed to its file; a device or a pipe, which holds nothing, is written into. On return the
    file and its name are on the disk. Returns the path.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_whole(Path(folder) / "note.txt", b"whole").read_bytes()
    b'whole'

    Raises OutputError where the directory is missing, closed or full.
    """
    with whole_file(path) as sink:
        sink.write(data)
    return Path(path)


@contextmanager
def whole_file(path: str | os.PathLike[str]) -> Iterator[Sink]:
    """A file to write into piece by piece, which takes its place at the end of the block, if no error came.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with whole_file(Path(folder) / "note.txt") as sink:
    ...         _ = sink.write(b"in "), sink.write(b"pieces")
    ...     (Path(folder) / "note.txt").read_bytes()
    b'in pieces'

    Raises OutputError as `write_whole` does.
    """
    if not isinstance(path, str | os.PathLike):
        raise OutputError(f"a file to write is named by text or a path, got {path!r}")
    target = Path(path)
    check_target(target)
    inside: Exception | None = None
    try:
        with _place_of(target) as descriptor:
            try:
                yield Sink(target, descriptor)
            except Exception as error:
                inside = error
                raise
    except (OSError, ValueError, RuntimeError) as error:
        if error is inside:
            raise
        raise _not_written(target, error) from error


@contextmanager
def _place_of(target: Path) -> Iterator[int]:
    if is_stream(target):
        yield _stream_of(target)
    elif target.exists() and not target.is_file():
        with _opened(target, os.O_WRONLY) as descriptor:
            yield descriptor
    else:
        with _replacing(target.resolve()) as descriptor:
            yield descriptor


def _not_written(target: Path, error: Exception) -> OutputError:
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return OutputError(f"cannot write {target}: {reason}; choose a place that is writable and has room")


class Sink(io.RawIOBase):
    """What takes bytes and hands them to a descriptor."""

    def __init__(self, target: Path, descriptor: int) -> None:
        self._target, self._descriptor, self._count = target, descriptor, 0

    def writable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Says where it stands, which is all that can be asked."""
        if (offset, whence) != (0, os.SEEK_CUR):
            raise io.UnsupportedOperation("a file that is written whole is written from its start to its end")
        return self._count

    def write(self, data: Any) -> int:
        """All of the bytes. Raises OutputError where they are not taken."""
        piece = memoryview(data).cast("B")
        try:
            _write_all(self._descriptor, piece)
        except OSError as error:
            raise _not_written(self._target, error) from error
        self._count += len(piece)
        return len(piece)


def read_whole(path: Path) -> bytes:
    """The bytes of a file. Raises OSError for what is missing or closed, and for a pipe, which may never end."""
    with _opened(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)) as descriptor:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            kind = "a directory" if stat.S_ISDIR(status.st_mode) else "a pipe or a device, not a file"
            raise OSError(errno.EINVAL, f"it is {kind}")
        pieces = []
        while piece := system.read(descriptor, max(1 << 16, status.st_size)):
            pieces.append(piece)
    return b"".join(pieces)


def is_stream(path: Path) -> bool:
    """True for a name of a stream that is already open, such as /dev/stdout; what it leads to stays in place."""
    return _STREAM.fullmatch(os.fspath(path)) is not None


def check_target(path: str | os.PathLike[str]) -> None:
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
    if not os.access(target.parent, os.W_OK) and not target.exists():
        raise OutputError(
            f"cannot write {target}: the directory {target.parent} is closed to you; choose another place"
        )


def check_apart(path: str | os.PathLike[str], *inputs: str | os.PathLike[str]) -> None:
    """Raises OutputError where writing `path` would replace one of the inputs of the same call."""
    if any(same_file(Path(path), Path(name)) for name in inputs):
        raise OutputError(f"cannot write {path}: it is the input itself; choose another name")


def same_file(one: Path, other: Path) -> bool:
    """True where both names lead to one file, or would where there is none yet."""
    try:
        if one.exists() and other.exists():
            return one.samefile(other)
        return one.resolve() == other.resolve()
    except (OSError, ValueError, RuntimeError):  # told where it is read or written
        return False


@contextmanager
def _replacing(target: Path) -> Iterator[int]:
    """A part file to write into, that takes the target's place at the end."""
    _sweep(target.parent)
    temporary, descriptor = _new_part(target.parent)
    try:
        try:
            yield descriptor
            system.fsync(descriptor)
            _keep_permissions(target, temporary)
            system.rename(temporary, target)
        finally:
            os.close(descriptor)
        _sync_directory(target.parent)
    finally:
        _discard(temporary)


def _new_part(folder: Path) -> tuple[Path, int]:
    """A new file that is locked while it is written, so that a sweep knows it from one left by a killed process."""
    while True:
        # a fixed-length name, so that a long target name does not make the temporary one too long
        temporary = folder / f".handgrad-{secrets.token_hex(8)}.part"
        descriptor = system.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        _locked(descriptor)
        if os.fstat(descriptor).st_nlink:
            return temporary, descriptor
        os.close(descriptor)  # swept between its making and its lock


def _sweep(folder: Path) -> None:
    """Removes the part files of processes that were killed while they wrote; a living one holds its lock."""
    try:
        names = [entry.path for entry in os.scandir(folder) if _PART.fullmatch(entry.name)]
    except OSError:  # a directory that may be written but not listed
        return
    for name in names:
        try:
            descriptor = os.open(name, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
        except OSError:  # gone meanwhile, or somebody else's
            continue
        try:
            if _locked(descriptor):
                _discard(Path(name))
        finally:
            os.close(descriptor)


def _locked(descriptor: int) -> bool:
    if sys.platform == "win32":
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _write_all(descriptor: int, data: bytes | memoryview) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[system.write(descriptor, rest) :]


def _stream_of(target: Path) -> int:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    name = {"stdout": "1", "stderr": "2"}.get(target.name, target.name)
    # not opened by its name, which would begin a file from its start again
    return int(name)


@contextmanager
def _opened(path: Path, flags: int) -> Iterator[int]:
    descriptor = system.open(path, flags)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _sync_directory(folder: Path) -> None:
    """The new name survives a power cut as well."""
    if sys.platform == "win32":
        return
    try:
        with _opened(folder, os.O_RDONLY) as descriptor:
            system.fsync(descriptor)
    except OSError as error:
        if error.errno not in _CANNOT_SYNC:
            raise


def _keep_permissions(target: Path, temporary: Path) -> None:
    """An existing file keeps its mode; a new one gets what the umask gave the temporary file."""
    if target.exists():
        temporary.chmod(target.stat().st_mode & 0o7777)


def _discard(temporary: Path) -> None:
    try:
        temporary.unlink(missing_ok=True)
    except (OSError, ValueError):  # it was never made, and the error that prevented it is already told
        return
