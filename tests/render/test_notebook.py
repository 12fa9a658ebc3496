"""Notebooks: valid, the same bytes every time, and a program in them that runs."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

import pytest

from handgrad.render import notebook
from tests.render.everything import HOSTILE, SVG, document


def loaded(program: str = "") -> dict:
    return json.loads(notebook.write(replace(document(), program=program)))


def test_the_notebook_is_valid():
    nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")
    nbformat.validate(nbformat.from_dict(loaded("1 + 1")))


def test_each_part_is_a_cell_with_a_name_that_stays():
    cells = loaded()["cells"]
    assert "## " not in cells[0]["source"].replace("# ", "", 1)
    assert [cell["id"] for cell in cells] == [f"handgrad-{number:04d}" for number in range(1, len(cells) + 1)]
    assert notebook.write(document()) == notebook.write(document())
    assert loaded()["metadata"]["title"] == HOSTILE


def test_the_figure_travels_in_its_cell():
    cells = [cell for cell in loaded()["cells"] if "attachments" in cell]
    assert len(cells) == 1
    assert "(attachment:figure-1.svg)" in cells[0]["source"]
    picture = cells[0]["attachments"]["figure-1.svg"]["image/svg+xml"]
    assert base64.b64decode(picture).decode() == SVG


def test_the_program_stands_after_the_title_and_only_if_there_is_one():
    code = [cell for cell in loaded("result = 6 * 7")["cells"] if cell["cell_type"] == "code"]
    assert [cell["source"] for cell in code] == ["result = 6 * 7"]
    assert not [cell for cell in loaded()["cells"] if cell["cell_type"] == "code"]
