"""How long sheets are on paper: a page is what a reader pays."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from handgrad.models.fit_table import fit_table
from handgrad.nn.adam import Adam
from handgrad.render.settings import PARTS
from handgrad.worksheets.worksheet import Worksheet, explain

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
poppler = pytest.mark.skipif(shutil.which("pdfinfo") is None, reason="poppler-utils is not installed")


def pages(sheet: Worksheet, folder: Path) -> int:
    pytest.importorskip("typst")
    path = sheet.save(folder / "sheet.pdf")
    said = subprocess.run(["pdfinfo", str(path)], capture_output=True, text=True, check=True).stdout
    found = re.search(r"Pages:\s+(\d+)", said)
    assert found is not None
    return int(found[1])


def four_five_three(**training: Any) -> dict[str, Any]:
    draw = np.random.default_rng(7)
    layers = [
        {"units": 5, "activation": "relu", "W": draw.normal(0, 0.5, (5, 4)).round(2).tolist()},
        {"units": 3, "activation": "softmax", "W": draw.normal(0, 0.5, (3, 5)).round(2).tolist()},
    ]
    return {
        "network": {"inputs": 4, "loss": "cross_entropy", "layers": layers},
        "data": {"x": [[5.1, 3.5, 1.4, 0.2], [6.2, 2.9, 4.3, 1.3], [7.1, 3.0, 5.9, 2.1]], "y": [0, 1, 2]},
        "optimizer": {"name": "adam", "learning_rate": 0.01},
        "training": training,
    }


@poppler
def test_a_small_net_with_every_part_takes_seven_pages(tmp_path: Path) -> None:
    sheet = explain(EXAMPLES / "relu-sigmoid-2-2-1.toml", parts=PARTS, language="en")
    assert pages(sheet, tmp_path) <= 7


@poppler
def test_two_steps_of_a_larger_net_with_adam_take_ten_pages(tmp_path: Path) -> None:
    sheet = explain(four_five_three(steps=2), detail="matrix", language="en")
    assert pages(sheet, tmp_path) <= 10


@poppler
@pytest.mark.parametrize(
    "chosen", [{}, {"hidden": (64, 32), "optimizer": Adam(0.001)}], ids=["default", "two"]
)
def test_a_step_of_a_trained_model_in_brief_takes_two_pages(chosen: dict[str, Any], tmp_path: Path) -> None:
    model = fit_table(
        str(EXAMPLES / "penguins.csv"),
        "species",
        **chosen,
        epochs=3,
        seed=1,
        validation=0.2,
        engine="reference",
    )
    sheet = explain(model, step=5, language="en")
    assert pages(sheet, tmp_path) <= 2


def test_a_second_step_says_nothing_that_the_first_has_said() -> None:
    once, twice = (explain(four_five_three(steps=n), detail="matrix", language="en").text() for n in (1, 2))
    for sentence in ("The chain rule once more", "a running average of the gradient", "factor by factor"):
        assert once.count(sentence) == twice.count(sentence) == 1, sentence


def test_shapes_are_said_only_where_they_change() -> None:
    text = explain(EXAMPLES / "relu-sigmoid-2-2-1.toml", language="en").text()
    assert "x 2×1, b₁ 2×1 → z₁ 2×1" in text
    assert "z₁ 2×1 → h₁ 2×1" not in text
    assert "→ W₁_new" not in text
