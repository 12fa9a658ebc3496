"""Notebooks: valid, the same bytes every time, and a program in them that runs."""

from __future__ import annotations

import base64
import contextlib
import io
import json
from dataclasses import replace

import numpy as np
import pytest

from handgrad.render.markdown import notebook
from handgrad.worksheets.worksheet import explain
from tests.render.everything import CODE, HOSTILE, SCENE, document


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
    assert base64.b64decode(picture).decode() == SCENE.svg()


def test_the_program_stands_after_the_title_and_only_if_there_is_one():
    code = [cell for cell in loaded("result = 6 * 7")["cells"] if cell["cell_type"] == "code"]
    assert [cell["source"] for cell in code] == ["result = 6 * 7", CODE]
    code = [cell for cell in loaded()["cells"] if cell["cell_type"] == "code"]
    assert [cell["source"] for cell in code] == [CODE]


CASE = {
    "title": "One $ step",
    "network": {
        "inputs": 2,
        "loss": "binary_cross_entropy",
        "layers": [
            {"units": 2, "activation": "relu", "W": [[0.1, 0.2], [0.3, 0.4]], "b": [0.1, 0.2]},
            {"units": 1, "activation": "sigmoid", "W": [[0.5, 0.6]], "b": [0.1]},
        ],
    },
    "data": {"x": [[0.5, 0.3]], "y": [[1]]},
    "optimizer": {"name": "sgd", "learning_rate": 0.1},
    "rounding": {"digits": 3},
}


@pytest.mark.parametrize("carry", [None, True])
def test_the_program_of_a_case_computes_the_same_sheet(carry: bool | None):
    sheet = explain(CASE, carry=carry)
    cells = json.loads(sheet.to("ipynb"))["cells"]
    (code,) = [cell["source"] for cell in cells if cell["cell_type"] == "code"]
    names: dict = {}
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(code, names)
    again = names["worksheet"].quantities()
    assert f"loss = {again['loss']}" in printed.getvalue()
    for name, value in sheet.quantities().items():
        np.testing.assert_array_equal(again[name], value)
    carried = [float(explain(CASE, carry=way).quantities()["loss"]) for way in (None, True)]
    assert carried[0] != carried[1]
