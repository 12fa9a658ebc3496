"""The pages look as they did when somebody approved them, by structural similarity (Wang et al. 2004)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("PIL")
pytest.importorskip("skimage")
pytest.importorskip("typst")

from PIL import Image
from skimage.metrics import structural_similarity

from tests.pictures.make import (
    APPROVED,
    SHEETS,
    VIEWS,
    View,
    fingerprint,
    missing,
    pictures,
    screenshot,
    small,
)

ALIKE = {"pdf": 0.80, "html": 0.70}
"""The least similarity; that of pages of HTML allows for the fonts of another machine."""
SMALL = 210


def alike(one: Image.Image, other: Image.Image) -> float:
    """Structural similarity of two pictures of one size, without what only a lens sees."""
    high = round(min(one.height, other.height) * SMALL / one.width)
    grey = [
        np.asarray(
            each.convert("L").crop((0, 0, each.width, min(one.height, other.height))).resize((SMALL, high))
        )
        for each in (one, other)
    ]
    return float(structural_similarity(*grey))


def approved_as_it_is(name: str) -> None:
    """Skips where the sheet says something else than when it was looked at: a picture judges how, not what."""
    known = json.loads((APPROVED / "sheets.json").read_text(encoding="utf-8"))
    if known[name] != fingerprint(name):
        pytest.skip(
            "the sheet's words or numbers have changed since it was approved: make pictures, and look"
        )


@pytest.mark.parametrize("name", SHEETS)
def test_pages_look_as_they_were_approved(name: str) -> None:
    media = tuple(medium for medium in ALIKE if not missing(medium) and medium == "pdf")
    if not media:
        pytest.skip(f"{missing('pdf')} is not installed")
    approved_as_it_is(name)
    for file, picture in pictures(name, media):
        with Image.open(APPROVED / file) as approved:
            assert alike(picture, approved.convert("RGB")) >= ALIKE["pdf"], (
                f"{file}: look; make pictures approves"
            )


WINDOWS = [(name, view) for name, views in VIEWS.items() for view in views if view.medium == "html"]


@pytest.mark.parametrize(("name", "view"), WINDOWS, ids=lambda each: getattr(each, "scheme", each))
def test_windows_look_as_they_were_approved(browser: Any, tmp_path: Path, name: str, view: View) -> None:
    approved_as_it_is(name)
    picture = small(screenshot(browser, SHEETS[name]().save(tmp_path / "sheet.html"), view))
    file = f"{name}-html-{view.width}-{view.scheme}-1.png"
    with Image.open(APPROVED / file) as approved:
        assert alike(picture, approved.convert("RGB")) >= ALIKE["html"], (
            f"{file}: look; make pictures approves"
        )


def test_every_picture_is_one_of_a_sheet_and_all_are_small() -> None:
    files = list(APPROVED.glob("*.png"))
    assert {file.name.split("-pdf-")[0].split("-html-")[0].split("-docx-")[0] for file in files} == set(
        SHEETS
    )
    assert sum(file.stat().st_size for file in files) < 2_000_000
    assert set(VIEWS) == set(SHEETS)


def test_the_measure_sees_a_shifted_line_and_a_lost_bracket() -> None:
    with Image.open(APPROVED / "every-part-pdf-1.png") as opened:
        page = opened.convert("RGB")
    assert alike(page, page) == pytest.approx(1.0)
    shifted = Image.new("RGB", page.size, "white")
    shifted.paste(page, (0, 14))
    assert alike(page, shifted) < ALIKE["pdf"]
    torn = page.copy()
    torn.paste("white", (0, page.height // 3, page.width, page.height * 2 // 3))
    assert alike(page, torn) < 0.9
