"""verify: what a model file holds, whether it is whole, and whether its table is still the same."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from handgrad.cli.main import status

PENGUINS = Path(__file__).parents[2] / "examples" / "penguins.csv"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    shutil.copy(PENGUINS, tmp_path / "data.csv")
    path = tmp_path / "m.safetensors"
    options = [
        "--target",
        "species",
        "--hidden",
        "3",
        "--epochs",
        "2",
        "--validation",
        "0",
        "-q",
        "--seed",
        "7",
    ]
    assert status(["train", str(tmp_path / "data.csv"), *options, "-o", str(path)]) == 0
    return path


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    capsys.readouterr()
    code = status(["verify", *arguments])
    streams = capsys.readouterr()
    assert streams.err == ""
    return code, streams.out


def test_a_whole_model_says_what_it_holds(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, text = told(capsys, str(model), "--json")
    found = json.loads(text)
    assert (code, found["whole"], found["why"]) == (0, True, None)
    content = model.read_bytes()
    zeroed = content.replace(found["sha256"].encode(), b"0" * 64)
    assert found["sha256"] == hashlib.sha256(zeroed).hexdigest()
    assert found["bytes"] == len(content)
    assert (found["sizes"], found["parameters"], found["seed"]) == ([15, 3, 3], 15 * 3 + 3 + 3 * 3 + 3, 7)
    assert (found["epochs"], found["training_rows"], found["target"]) == (2, 344, ["species"])
    assert found["classes"] == [["Adelie", "Chinstrap", "Gentoo"]]
    assert found["data"]["same"] is True
    code, text = told(capsys, str(model))
    assert code == 0
    for said in ("whole", "15, 3, 3", "Adelie, Chinstrap, Gentoo", found["sha256"][:12], "table is the same"):
        assert said in text


def test_a_wrong_bit_is_found(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = bytearray(model.read_bytes())
    content[-3] ^= 1  # in the last weight
    model.write_bytes(content)
    code, text = told(capsys, str(model), "--json")
    found = json.loads(text)
    assert (code, found["whole"]) == (1, False)
    assert "SHA-256" in found["why"]
    assert told(capsys, str(model), "--quiet") == (1, "")


def test_another_table_is_found_and_a_missing_one_told(
    model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = model.with_name("data.csv")
    data.write_text(data.read_text().replace("39.1", "39.2", 1))
    code, text = told(capsys, str(model), "--json")
    assert (code, json.loads(text)["data"]["same"]) == (1, False)
    data.unlink()
    code, text = told(capsys, str(model), "--json")
    assert (code, json.loads(text)["data"]["same"]) == (0, None)
    code, text = told(capsys, str(model), "--data", str(PENGUINS), "--json")
    assert (code, json.loads(text)["data"]["same"]) == (0, True)


def test_what_cannot_be_read_is_a_wrong_call(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in (tmp_path / "none.safetensors", tmp_path):
        assert status(["verify", str(path)]) == 2
        assert capsys.readouterr().err.count("\n") == 1
    foreign = tmp_path / "foreign.safetensors"
    foreign.write_bytes(b"\x80\x04")
    assert told(capsys, str(foreign))[0] == 1
