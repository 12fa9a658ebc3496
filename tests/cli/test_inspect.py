"""`handgrad inspect`, run files, and what `train` does with tables of other kinds."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from handgrad.cli.main import status
from handgrad.models.model import Model

PENGUINS = Path(__file__).parents[2] / "examples" / "penguins.csv"
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "COLUMNS": "80"}


def inspected(capsys: pytest.CaptureFixture[str], *call: str) -> dict[str, object]:
    assert status(["inspect", *call, "--json"]) == 0
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def test_the_json_says_what_was_read_and_decided(capsys: pytest.CaptureFixture[str]) -> None:
    found = inspected(capsys, str(PENGUINS), "--target", "species")
    assert (found["rows"], found["task"], found["features"]) == (344, "multiclass", 15)
    columns = {column["name"]: column for column in found["columns"]}  # type: ignore[attr-defined]
    assert columns["species"]["target"] is True and columns["species"]["used"] is False
    assert columns["sex"] == {
        "name": "sex", "kind": "categorical", "used": True, "missing": 11, "note": None,
        "holds": "male, female", "features": 3,
    }  # fmt: skip
    assert found["warnings"] == []
    assert found["trivial"]["accuracy"] == pytest.approx(152 / 344)  # type: ignore[index]
    assert inspected(capsys, str(PENGUINS))["task"] is None


def test_what_is_said_of_a_column_wins(capsys: pytest.CaptureFixture[str]) -> None:
    call = ["--categorical", "year", "--ignore", "island", "--text", "sex"]
    found = inspected(capsys, str(PENGUINS), "--target", "species", *call)
    kinds = {c["name"]: (c["kind"], c["used"]) for c in found["columns"]}  # type: ignore[attr-defined]
    assert kinds["year"] == ("categorical", True)
    assert kinds["island"] == ("categorical", False)
    assert kinds["sex"] == ("text", False)


@pytest.mark.parametrize("width", ["40", "60", "200"])
def test_a_narrow_terminal_wraps_and_cuts_no_number(
    width: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", width)
    assert status(["inspect", str(PENGUINS), "--target", "species"]) == 0
    out = capsys.readouterr().out
    for number in ("32.1 to 59.6", "2700 to 6300", "44.19%", "152 (44.2%)", "11"):
        assert number in " ".join(out.split())
    assert "…" not in out


def test_a_run_file_trains_as_the_flags_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, again, third = (tmp_path / f"{name}.safetensors" for name in ("first", "again", "third"))
    flags = "--epochs 3 --hidden 5 --seed 7 --scaling robust --optimizer adam:beta1=0.8 --ignore island -q"
    assert status(["train", str(PENGUINS), "--target", "species", "-o", str(first), *flags.split()]) == 0
    run = tmp_path / "first.run.toml"
    assert status(["train", "--config", str(run), "-o", str(again), "-q"]) == 0
    one, two = Model.load(first), Model.load(again)
    assert one.schema == two.schema
    for (W, b), (V, c) in zip(one.parameters, two.parameters, strict=True):
        np.testing.assert_array_equal(W, V)
        np.testing.assert_array_equal(b, c)
    assert status(["train", "--config", str(run), "--epochs", "2", "-o", str(third), "-q"]) == 0
    assert len(Model.load(third).fit.history) == 2  # the command line wins
    assert status(["train", "--config", str(run), "-q"]) == 0  # its own model, and the file stays
    assert "ignore" in run.read_text()


def test_inspect_writes_a_run_file_that_trains(tmp_path: Path) -> None:
    run = tmp_path / "p.run.toml"
    assert status(["inspect", str(PENGUINS), "--target", "species", "-q", "-o", str(run)]) == 0
    assert status(["train", "--config", str(run), "--epochs", "1", "-q"]) == 0
    assert Model.load(tmp_path / "p.safetensors").schema is not None


@pytest.mark.parametrize(
    ("content", "words"),
    [("speed = 3\n", "no flag 'speed'"), ("epochs = \n", "no TOML"), (None, "cannot be read")],
)
def test_a_wrong_run_file_is_one_line(
    content: str | None, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "r.toml"
    if content is not None:
        run.write_text(content)
    assert status(["train", "--config", str(run)]) == 2
    err = capsys.readouterr().err
    assert words in err and err.count("\n") == 1


def test_the_standard_input_is_a_table(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    call = [
        sys.executable,
        "-m",
        "handgrad",
        "train",
        "-",
        "--target",
        "species",
        "-o",
        str(path),
        "--epochs",
        "2",
        "-q",
    ]
    for data in (PENGUINS.read_bytes(), gzip.compress(PENGUINS.read_bytes())):
        subprocess.run(call, input=data, check=True, env=ENVIRONMENT)
        assert Model.load(path).origin.rows == 344  # type: ignore[union-attr]


def test_folds_and_a_test_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "m.safetensors"
    call = f"train {PENGUINS} --target species -o {path} --epochs 2 --hidden 4 --folds 3 --test 0.2 --json"
    assert status(call.split()) == 0
    found = json.loads(capsys.readouterr().out)
    assert [fold["rows"] for fold in found["folds"]] == [115, 115, 114]
    assert found["test"]["rows"] == 69
    assert found["test"]["rows"] + found["training_rows"] + found["validation_rows"] == 344


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ("inspect none.csv", "no such file"),
        (f"inspect {PENGUINS} --target beak", "no column 'beak'"),
        (f"inspect {PENGUINS} --delimiter ab", "one ASCII character"),
        (f"inspect {PENGUINS} --encoding klingon", "unknown encoding"),
        (f"inspect {PENGUINS} --decimal x", "decimal mark"),
        (f"inspect {PENGUINS} --dates never", "day-first"),
        (f"inspect {PENGUINS} --scaling huge", "unknown scaling"),
        (f"inspect {PENGUINS} -o {PENGUINS}", "the input itself"),
        ("train", "see handgrad train --help"),
        (f"train {PENGUINS}", "see handgrad train --help"),
    ],
)  # fmt: skip
def test_a_wrong_call_is_one_line(call: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert status(call.split()) == 2
    out, err = capsys.readouterr()
    assert words in err and err.count("\n") == 1 and out == ""
