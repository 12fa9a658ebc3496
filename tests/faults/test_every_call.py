"""Every call to the operating system fails once: the old file or the new one is there, whole, and nothing else."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from handgrad import files
from handgrad.cli.main import status

ROOT = Path(__file__).parents[2]
CASE = "examples/relu-sigmoid-2-2-1.toml"
VERBS = {
    "train": "train data.csv --target species --hidden 2 --epochs 1 -q --engine reference -o out.safetensors",
    "train with a plot": "train data.csv --target species --hidden 2 --epochs 1 -q -o out.safetensors "
    "--plot-file out.svg",
    "predict": "predict m.safetensors data.csv -q -o out.csv",
    "explain a case": "explain case.toml -q -o out.html",
    "explain a model": "explain m.safetensors -q --step 1 -o out.json",
    "explain with figures": "explain case.toml -q -o out.md",
    "diagram": "diagram case.toml -q -o out.svg",
    "evaluate": "evaluate m.safetensors data.csv",
}


class Failing(files.System):
    """Counts its calls; the one numbered `fails` (from 1) raises, and a write then leaves a part behind."""

    def __init__(self, fails: int = 0, number: int = errno.EIO) -> None:
        self.fails, self.number, self.calls = fails, number, 0

    def _count(self) -> bool:
        self.calls += 1
        return self.calls == self.fails

    def _call(self, do: Callable[..., Any], *arguments: Any) -> Any:
        if self._count():
            raise OSError(self.number, os.strerror(self.number))
        return do(*arguments)

    def open(self, path: Path, flags: int, mode: int = 0o666) -> int:
        return int(self._call(super().open, path, flags, mode))

    def read(self, descriptor: int, most: int) -> bytes:
        return bytes(self._call(super().read, descriptor, most))

    def write(self, descriptor: int, data: memoryview) -> int:
        if self._count():
            super().write(descriptor, data[: len(data) // 2])
            raise OSError(self.number, os.strerror(self.number))
        return super().write(descriptor, data[: max(1, 2 * len(data) // 3)])  # short, as writes may be

    def fsync(self, descriptor: int) -> None:
        self._call(super().fsync, descriptor)

    def rename(self, old: Path, new: Path) -> None:
        self._call(super().rename, old, new)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prepared")
    shutil.copy(ROOT / "examples" / "penguins.csv", folder / "data.csv")
    shutil.copy(ROOT / CASE, folder / "case.toml")
    before = Path.cwd()
    os.chdir(folder)
    try:
        training = ["train", "data.csv", "--target", "species", "--hidden", "2", "--epochs", "2", "-q"]
        assert status([*training, "-o", "m.safetensors"]) == 0
    finally:
        os.chdir(before)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("verb", VERBS)
def test_the_old_file_or_the_new_one_and_nothing_else(
    verb: str,
    prepared: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(prepared)
    monkeypatch.setattr(files, "system", counting := Failing())
    before = contents(prepared)
    assert status(VERBS[verb].split()) == 0
    old = {name: content for name, content in contents(prepared).items() if name not in before}
    capsys.readouterr()
    for fails in range(1, counting.calls + 1):
        for name, content in old.items():
            (prepared / name).write_bytes(content)
        monkeypatch.setattr(files, "system", Failing(fails, (errno.EIO, errno.ENOSPC)[fails % 2]))
        code = status(VERBS[verb].split())
        told = capsys.readouterr().err
        assert code == 2, f"call {fails}: {told}"
        assert told.startswith("handgrad: "), told
        assert told.count("\n") == 1, told
        after = contents(prepared)
        assert after.keys() == before.keys() | old.keys()
        assert {name: after[name] for name in before} == before
        assert all(after[name] == old[name] or whole(name, after[name]) for name in old)
    for name in old:
        (prepared / name).unlink()


def whole(name: str, content: bytes) -> bool:
    """By the last bytes of each format, or by reading it."""
    if name.endswith(".safetensors"):
        header = int.from_bytes(content[:8], "little")
        return len(content) > 8 + header
    ends = {".svg": b"</svg>\n", ".html": b"</html>\n", ".json": b"}", ".md": b"\n", ".csv": b"\n"}
    return content.rstrip(b"\n").endswith(ends[Path(name).suffix].rstrip(b"\n"))


def test_a_part_of_a_killed_process_goes_with_the_next_write_and_one_of_a_living_stays(
    tmp_path: Path,
) -> None:
    dead = tmp_path / f".handgrad-{'0' * 16}.part"
    other = tmp_path / ".handgrad-mine.part"
    for path in (dead, other):
        path.write_bytes(b"half")
    living, descriptor = files._new_part(tmp_path)
    files.write_whole(tmp_path / "out.txt", b"whole")
    assert {path.name for path in tmp_path.iterdir()} == {"out.txt", other.name, living.name}
    os.close(descriptor)
    files.write_whole(tmp_path / "out.txt", b"whole")
    assert not living.exists()


def test_the_name_is_on_the_disk_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []

    class Noting(files.System):
        def fsync(self, descriptor: int) -> None:
            synced.append(os.fstat(descriptor).st_ino)
            super().fsync(descriptor)

    monkeypatch.setattr(files, "system", Noting())
    files.write_whole(tmp_path / "out.txt", b"whole")
    assert synced == [(tmp_path / "out.txt").stat().st_ino, tmp_path.stat().st_ino]


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP])
def test_a_file_system_that_cannot_sync_a_directory_is_no_error(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Poor(files.System):
        def fsync(self, descriptor: int) -> None:
            if os.fstat(descriptor).st_ino == tmp_path.stat().st_ino:
                raise OSError(number, os.strerror(number))

    monkeypatch.setattr(files, "system", Poor())
    assert files.write_whole(tmp_path / "out.txt", b"whole").read_bytes() == b"whole"
