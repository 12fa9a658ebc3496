"""The page in a browser: a quantity tells where it is from, and a phone needs no sideways scroll."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from handgrad.render.settings import PARTS
from handgrad.worksheets.worksheet import explain
from tests.render.conftest import Shown
from tests.render.test_lengths import four_five_three

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
CASE = EXAMPLES / "relu-sigmoid-2-2-1.toml"
CARD = "#origin:not([hidden])"


def card(page: Any) -> str:
    return str(page.locator(CARD).inner_text())


def settled(page: Any, name: str) -> None:
    page.wait_for_selector(f'{CARD}[data-q="{name}"]', timeout=5000)


def test_hovering_leads_from_a_weight_to_its_gradient_to_the_loss(shown: Shown) -> None:
    page = shown(explain(CASE, language="en").to("html"))
    page.locator('.formula[data-target="z1"] .letters [data-q="W1"]').first.hover()
    settled(page, "W1")
    assert "0.1" in card(page)
    assert page.locator('svg line.lit[data-q="W1"]').count() == 4
    page.locator(f'{CARD} button[data-to="dW1"]').hover()
    settled(page, "dW1")
    assert "0.0952" in card(page)
    assert page.locator(f'{CARD} button[data-to="delta1"]').count() == 1
    assert page.locator('svg line.lit[data-q="W1"]').count() == 4
    page.locator(f'{CARD} button[data-to="loss"]').hover()
    settled(page, "loss")
    assert "0.4790" in card(page)
    assert page.locator(f'{CARD} button[data-to="yhat"]').count() == 1


def test_the_keyboard_walks_from_equation_to_equation(shown: Shown) -> None:
    page = shown(explain(CASE, language="en").to("html"))
    assert page.locator('.formula[tabindex="0"]').count() == 1
    page.locator('.formula[tabindex="0"]').focus()
    first = page.locator(CARD).get_attribute("data-q")
    page.keyboard.press("ArrowDown")
    assert page.locator(CARD).get_attribute("data-q") != first
    page.keyboard.press("Escape")
    assert page.locator(CARD).count() == 0


def test_an_entry_lights_its_own_connection_and_a_touch_shows_it(shown: Shown) -> None:
    page = shown(
        explain(CASE, language="en", detail="scalar").to("html"),
        has_touch=True,
        viewport={"width": 360, "height": 740},
    )
    page.evaluate("document.querySelectorAll('details').forEach(fold => fold.open = true)")
    letter = page.locator('math [data-q="W1"][data-entry="0,1"]').first
    letter.scroll_into_view_if_needed()
    letter.tap()
    settled(page, "W1")
    assert page.locator('svg line.lit[data-q="W1"]').count() == 1
    assert page.locator("svg line.lit").get_attribute("data-entry") == "0,1"


def test_a_second_step_tells_of_its_own_numbers(shown: Shown) -> None:
    page = shown(explain(four_five_three(steps=2), detail="matrix", language="en").to("html"))
    losses = page.locator('.formula[data-target="loss"]')
    values = []
    for place in range(losses.count()):
        losses.nth(place).locator("> math").hover()
        settled(page, "loss")
        values.append(card(page))
    assert len(set(values)) >= 2


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("sheet", ["small", "adam", "scalar", "bengali"])
def test_a_phone_never_scrolls_sideways(shown: Shown, sheet: str, scheme: str) -> None:
    made = {
        "small": lambda: explain(CASE, parts=PARTS),
        "adam": lambda: explain(four_five_three(steps=2), detail="matrix"),
        "scalar": lambda: explain(EXAMPLES / "mazur-2015.toml", detail="scalar"),
        "bengali": lambda: explain(CASE, language="bn"),
    }[sheet]()
    page = shown(made.to("html"), viewport={"width": 360, "height": 740}, color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach(fold => fold.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
