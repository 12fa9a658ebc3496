"""Output files: whole or not at all, whatever stands at their place."""

from __future__ import annotations

import os
import resource
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

import handgrad as hg
from handgrad.errors import OutputError
from handgrad.files import write_whole

CASE = {"network": {"inputs": 1, "loss": "squared_error", "layers": [{"units": 1}]}}


def test_a_link_stays_a_link_and_its_file_keeps_its_mode(tmp_path: Path) -> None:
    kept = tmp_path / "kept.txt"
    kept.write_bytes(b"old")
    kept.chmod(0o640)
    (tmp_path / "link.txt").symlink_to(kept)
    write_whole(tmp_path / "link.txt", b"new")
    assert (tmp_path / "link.txt").is_symlink()
    assert kept.read_bytes() == b"new"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o640
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("suffix", ["txt", "md"])
def test_a_pipe_is_written_into_and_stays_one(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"pipe.{suffix}"
    os.mkfifo(path)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(path.read_bytes()))
    reader.start()
    if suffix == "md":
        hg.explain(CASE).save(path)
    else:
        write_whole(path, b"whole")
    reader.join(10)
    assert read and read[0]
    assert stat.S_ISFIFO(path.stat().st_mode)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("no/file.md", "does not exist"),
        ("x" * 300 + ".md", "choose another name"),
        ("stray\udcff.md", "not text"),
        ("nul\0.md", "null byte"),
        ("loop.md", "cannot write"),
        ("folder.md", "is a directory"),
    ],
)
@pytest.mark.parametrize(
    "write", [lambda path: write_whole(path, b"x"), lambda path: hg.explain(CASE).save(path)]
)
def test_a_place_that_takes_no_file_is_told(
    tmp_path: Path, write: Callable[[Path], object], name: str, said: str
) -> None:
    (tmp_path / "loop.md").symlink_to(tmp_path / "loop.md")
    (tmp_path / "folder.md").mkdir()
    before = sorted(tmp_path.iterdir())
    with pytest.raises(OutputError, match=said):
        write(tmp_path / name)
    assert sorted(tmp_path.iterdir()) == before


def test_a_file_survives_where_there_is_no_room(tmp_path: Path) -> None:
    path = tmp_path / "kept.bin"
    path.write_bytes(b"old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, hard))
    try:
        with pytest.raises(OutputError, match="room"):
            write_whole(path, bytes(1 << 17))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
