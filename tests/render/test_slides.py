"""The deck, played to its end in a browser, and the same frames as pages."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from handgrad.cli.main import status
from handgrad.render.document import Formula
from handgrad.render.math.aligned import has_letters
from handgrad.render.slides.deck import write
from handgrad.render.slides.frames import frames
from handgrad.worksheets.worksheet import explain
from tests.render.conftest import Shown
from tests.render.everything import document
from tests.render.test_lengths import four_five_three

CASE = Path(__file__).resolve().parents[2] / "examples" / "relu-sigmoid-2-2-1.toml"


def place(page: Any) -> str:
    return str(page.locator(".bar output").inner_text())


def test_the_deck_is_played_to_its_end_and_back(shown: Shown) -> None:
    sheet = explain(CASE, language="en")
    count = len(frames(sheet.document))
    page = shown(sheet.to("slides"), viewport={"width": 1280, "height": 720}, reduced_motion="reduce")
    lit, equations = [], set()
    for number in range(1, count + 1):
        assert place(page) == f"{number} / {count}"
        assert page.locator(".frame:visible").count() == 1
        assert page.evaluate("document.querySelector('.bar progress').value") == number
        now = page.locator(".frame.now")
        assert now.evaluate("frame => frame.scrollWidth <= frame.clientWidth")
        targets = now.locator(".formula").evaluate_all("all => all.map(each => each.dataset.target)")
        equations |= set(targets)
        lit.append(set(now.locator("svg .lit").evaluate_all("all => all.map(each => each.dataset.q)")))
        page.keyboard.press("ArrowRight")
    assert place(page) == f"{count} / {count}"
    assert {"z1", "a1", "z2", "yhat", "loss", "delta2", "dW2", "delta1", "dW1", "W1_new"} <= equations
    path = lit[lit.index({"W1", "a1"}) :]
    # forward along the figure, and back again
    wanted = [{"W1", "a1"}, {"a1"}, {"W2", "yhat"}, {"yhat"}, {"W2"}, {"b2"}, {"a1"}, {"W1"}, {"b1"}]
    assert [path.index(names) for names in wanted[:4]] == sorted(path.index(names) for names in wanted[:4])
    back = path[path.index({"W2"}) :]
    assert [back.index(names) for names in wanted[4:]] == sorted(back.index(names) for names in wanted[4:])
    page.keyboard.press("Home")
    assert place(page) == f"1 / {count}"
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    assert place(page) == f"{count - 1} / {count}"
    assert page.url.endswith(f"#{count - 1}")


@pytest.mark.parametrize("language", ["en", "bn"])
def test_a_deck_fits_a_phone_and_speaks_its_language(shown: Shown, language: str) -> None:
    page = shown(
        explain(four_five_three(steps=1), detail="matrix", language=language).to("slides"),
        viewport={"width": 360, "height": 640},
        color_scheme="dark",
        has_touch=True,
    )
    assert page.evaluate("document.documentElement.lang") == language
    for _ in range(12):
        page.locator(".bar button").nth(1).tap()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert place(page).startswith("13 / ")


def test_printed_each_frame_is_a_page(shown: Shown, tmp_path: Path) -> None:
    if shutil.which("pdfinfo") is None:
        pytest.skip("poppler-utils is not installed")
    sheet = explain(CASE, language="en", parts=["forward", "loss"])
    page = shown(sheet.to("slides"))
    printed = tmp_path / "deck.pdf"
    printed.write_bytes(page.pdf(prefer_css_page_size=True))
    assert pages(printed) == len(frames(sheet.document))


def test_a_frame_holds_one_equation_and_nothing_is_lost() -> None:
    shown = frames(document())
    for frame in shown:
        formulas = [block for block in frame.blocks if isinstance(block, Formula)]
        worked = [formula for formula in formulas if any(has_letters(form) for _, form in formula.forms)]
        assert len(worked) <= 1
    text = write(document()).decode()
    for number in ("0.2301", "0.9876", "0.7531", "0.2468", "0.4421"):
        assert number in text
    assert not re.search(r"<(?:link|script src)|@import|url\(http", text)


def pages(path: Path) -> int:
    said = subprocess.run(["pdfinfo", str(path)], capture_output=True, text=True, check=True).stdout
    found = re.search(r"Pages:\s+(\d+)", said)
    assert found is not None
    return int(found[1])


def test_the_same_frames_are_pages_of_a_pdf(tmp_path: Path) -> None:
    pytest.importorskip("typst")
    if shutil.which("pdfinfo") is None:
        pytest.skip("poppler-utils is not installed")
    path = tmp_path / "talk.pdf"
    assert (
        status(["explain", str(CASE), "--to", "slides", "-o", str(path), "--language", "en", "--quiet"]) == 0
    )
    assert pages(path) == len(frames(explain(CASE, language="en").document))
    assert path.read_bytes() == explain(CASE, language="en").to("slides-pdf")
