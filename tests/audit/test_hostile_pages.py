"""What no author writes: one clear line, exit status 2, and never long."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from handgrad.cli.main import status
from tests.audit.pages import CASE

RUBBISH: dict[str, bytes] = {
    "empty.md": b"",
    "blank.txt": b" \n\n\t\n",
    "binary.md": bytes(range(256)) * 40,
    "nul.txt": b"z = 1\0\0",
    "latin.html": "<p>z = 0,5 f\u00fcr y</p>".encode("latin-1"),
    "huge.md": b"z = 0.21\n" * 1_200_000,
    "line.md": b"z = " + b"0.1 + " * 10_000 + b"0.1",
    "deep.tex": b"\\documentclass{article}\\begin{document}$"
    + b"\\frac{" * 5_000
    + b"1"
    + b"}" * 5_000
    + b"$",
    "deep.md": b"$$" + b"{" * 2_000 + b"1" + b"}" * 2_000 + b"$$",
    "deep.html": b"<html>" + b"<div>" * 3_000 + b"z = 1" + b"</div>" * 3_000,
    "parens.md": b"`z = " + b"(" * 3_000 + b"1" + b")" * 3_000 + b"`",
    "quotes.md": b">" * 3_000 + b" z = 1",
    "list.ipynb": b"[1, 2, 3]",
    "broken.ipynb": b'{"cells": [{',
    "words.md": b"Nothing here has a number that anybody computed.",
    "table.md": b"| a | b |\n|---|\n| z |\n",
    "noway.rst": b"z = 1",
}


@pytest.mark.parametrize("name", RUBBISH)
def test_rubbish_is_told_in_one_line(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page, case = tmp_path / name, tmp_path / "case.json"
    page.write_bytes(RUBBISH[name])
    case.write_text(json.dumps(CASE))
    for arguments in (["check", str(page), "--case", str(case)], ["read", str(page)]):
        assert status(arguments) == 2
        shown = capsys.readouterr()
        assert shown.out == ""
        assert len(shown.err.splitlines()) == 1
        assert name in shown.err
        assert len(shown.err) < 1_200


def test_a_page_wants_a_case(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.md"
    page.write_text("`z1 = 0.2`")
    assert status(["check", str(page)]) == 2
    assert "--case" in capsys.readouterr().err
    assert status(["check", str(tmp_path / "none.md"), "--case", str(page)]) == 2
