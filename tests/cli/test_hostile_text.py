"""Names and classes that would command a terminal, turn the writing or run in a spreadsheet: shown, never obeyed."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest

from handgrad.cli.main import status

HARMFUL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
CLASSES = ["a\x1b[2J", "b\u202egnp", "=1+1", "@cmd", "-3x", "\x9b31m"]
COLUMN = "x\u202e\x1b]0;owned\x07"


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    data, model = tmp_path / "t.csv", tmp_path / "m.safetensors"
    with data.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([COLUMN, "const\x1b[8m", "y\u2066"])
        writer.writerows([k % 7, "same", CLASSES[k % len(CLASSES)]] for k in range(60))
    return data, model


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    assert status(list(arguments)) == 0
    streams = capsys.readouterr()
    assert not HARMFUL.search(streams.err), streams.err
    return streams.out


def test_no_verb_hands_on_what_commands_a_terminal(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    data, model = map(str, files)
    training = ["train", data, "--target", "y\u2066", "--epochs", "2", "--hidden", "2", "-o", model]
    for arguments in (
        training,
        [*training, "--json"],
        ["evaluate", model, data],
        ["evaluate", model, data, "--json"],
        ["predict", model, data, "--json"],
        ["verify", model],
        ["verify", model, "--json"],
        ["explain", model, "--step", "1"],
        ["explain", model, "--step", "1", "--detail", "scalar"],
        ["explain", model, "--step", "1", "--json"],
        ["diagram", model],
    ):
        text = said(capsys, *arguments)
        assert not HARMFUL.search(text), (arguments, HARMFUL.search(text))
        assert "1b[2J" in text or "\\x1b" in text or "training_rows" in text or arguments[0] == "explain", (
            arguments
        )
    assert "a\\x1b[2J" in said(capsys, "evaluate", model, data)
    assert json.loads(said(capsys, "evaluate", model, data, "--json"))["classes"][-1]["name"] in CLASSES


def test_an_error_shows_the_name_with_escapes(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert status(["train", str(files[0]), "--target", "\x1b[31mno", "-o", str(files[1])]) == 2
    told = capsys.readouterr().err
    assert not HARMFUL.search(told)
    assert "\\x1b[31mno" in told


def test_a_spreadsheet_shows_formulas_unless_they_are_asked_for_raw(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    data, model = map(str, files)
    said(capsys, "train", data, "--target", "y\u2066", "--epochs", "30", "-q", "-o", model)
    for suffix, mark in (("csv", ","), ("tsv", "\t")):
        for more, before in (([], "'"), (["--raw"], "")):
            out = files[0].with_name(f"out.{suffix}")
            said(capsys, "predict", model, data, "-o", str(out), *more)
            with out.open(encoding="utf-8", newline="") as file:
                cells = {row[0] for row in csv.reader(file, delimiter=mark)}
            expected = {before + name if name[0] in "=@-" else name for name in CLASSES}
            assert cells <= {*expected, "prediction"}
            assert cells & {before + name for name in ("=1+1", "@cmd", "-3x")}
    printed = said(capsys, "predict", model, data)
    assert "\n'" in printed
    assert "\n=" not in printed
