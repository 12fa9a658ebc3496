"""One rule for all verbs: what an output may replace, and what never."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from handgrad.cli.main import status
from handgrad.cli.outputs import MARKS, written_by_handgrad

ROOT = Path(__file__).parents[2]
CASE = ROOT / "examples" / "relu-sigmoid-2-2-1.toml"
OWN = b"what somebody wrote"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    shutil.copy(ROOT / "examples" / "penguins.csv", folder / "data.csv")
    shutil.copy(CASE, folder / "case.toml")
    assert train(folder) == 0
    return folder


@pytest.fixture
def folder(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model whose origin names data.csv of this very folder."""
    for name in ("data.csv", "case.toml"):
        shutil.copy(trained / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    assert train(tmp_path) == 0
    return tmp_path


def train(folder: Path, *more: str) -> int:
    return status(
        ["train", str(folder / "data.csv"), "--target", "species", "-o", str(folder / "m.safetensors"),
         "--hidden", "2", "--epochs", "1", "-q", *more]
    )  # fmt: skip


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize(
    "arguments",
    [
        "train data.csv --target species -o data.csv",
        "train data.csv --target species -o new --plot-file new",
        "train data.csv --target species -o new --plot-file ./new",
        "train data.csv --target species -o new.safetensors --plot-file m.safetensors",
        "train data.csv --target species -o new --plot-file data.csv",
        "train data.csv --target species -o link",
        "train data.csv --target species -o hard",
        "train data.csv --target species -o m.pt",
        "train data.csv --target species -o m.csv",
        "train data.csv --target species -o /dev/stdout",
        "predict m.safetensors data.csv -o data.csv",
        "predict m.safetensors other.csv -o data.csv",
        "predict m.safetensors other.csv -o m.safetensors",
        "explain m.safetensors -o data.csv --to md",
        "explain m.safetensors -o data --to md",
        "explain m.safetensors --data other.csv -o data --to md",
        "explain case.toml -o case.toml --to md",
        "explain case.toml -o sheet.html --to md",
        "diagram m.safetensors -o picture.svg",
        "diagram case.toml -o case.toml",
    ],
)
@pytest.mark.parametrize("force", [[], ["--force"]])
def test_what_is_read_named_or_written_twice_is_never_replaced(
    folder: Path, arguments: str, force: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(folder / "data.csv", folder / "other.csv")
    (folder / "link").symlink_to(folder / "data.csv")
    os.link(folder / "data.csv", folder / "hard")
    (folder / "picture.svg").symlink_to(folder / "data.csv")
    # a file of the training without a suffix
    (folder / "data").symlink_to(folder / "data.csv")
    before = contents(folder)
    assert status([*arguments.split(), *force]) == 2
    assert contents(folder) == before
    told = capsys.readouterr().err
    assert told.startswith("handgrad: ") and told.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ("train data.csv --target species --hidden 2 --epochs 1 -q -o", "new.safetensors"),
        ("train data.csv --target species --hidden 2 --epochs 1 -q -o new --plot-file", "new.svg"),
        ("predict m.safetensors data.csv -o", "new.csv"),
        ("predict m.safetensors data.csv -o", "new.parquet"),
        ("explain case.toml -q -o", "new.html"),
        ("explain case.toml -q -o", "new.txt"),
        ("diagram case.toml -q -o", "new.svg"),
    ],
)
def test_a_file_of_somebody_else_is_replaced_by_force_alone(
    folder: Path, arguments: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / name
    path.write_bytes(OWN)
    assert status([*arguments.split(), name]) == 2
    assert "handgrad did not write it" in capsys.readouterr().err
    assert path.read_bytes() == OWN
    assert status([*arguments.split(), name, "--force"]) == 0
    assert path.read_bytes() != OWN


def test_figures_beside_markdown_are_outputs_as_well(folder: Path) -> None:
    figure = folder / "sheet-figure-1.svg"
    figure.write_bytes(OWN)
    assert status(["explain", "case.toml", "-q", "-o", "sheet.md"]) == 2
    assert figure.read_bytes() == OWN
    assert not (folder / "sheet.md").exists()


MEDIA = "html md txt tex pdf docx ipynb json svg png csv tsv parquet feather toml".split()  # noqa: SIM905


@pytest.mark.parametrize("suffix", [*MEDIA, "safetensors"])
def test_what_handgrad_wrote_it_replaces_unasked(folder: Path, suffix: str) -> None:
    verb = {
        "safetensors": "train data.csv --target species --hidden 2 --epochs 1 -q -o",
        "toml": "inspect data.csv --target species -q -o",
        "svg": "diagram case.toml -q -o",
        "png": "diagram case.toml -q -o",
        **dict.fromkeys(("csv", "tsv", "parquet", "feather"), "predict m.safetensors data.csv -o"),
    }.get(suffix, "explain case.toml -q -o")
    for _ in range(2):
        assert status([*verb.split(), f"new.{suffix}"]) == 0
    assert written_by_handgrad(folder / f"new.{suffix}")


def test_every_mark_is_tried() -> None:
    exported = {".onnx", ".npz", ".h", ".c", ".py"}  # tried in tests/interop/test_export.py
    assert {f".{suffix}" for suffix in (*MEDIA, "safetensors")} | exported == {*MARKS, ".docx"}


@pytest.mark.skipif(sys.platform == "win32", reason="the names are those of POSIX systems")
def test_a_stream_is_written_into_and_its_file_stays(folder: Path) -> None:
    with (folder / "page.html").open("wb") as page:
        page.write(b"<!-- first -->\n")
        page.flush()
        done = subprocess.run(
            [sys.executable, "-m", "handgrad", "explain", "case.toml", "--to", "html", "-o", "/dev/stdout"],
            stdout=page, stderr=subprocess.PIPE, check=False,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    written = (folder / "page.html").read_text()
    assert written.startswith("<!-- first -->\n<!DOCTYPE html>")
    assert written.endswith("</html>\n")
