"""What a reader does in the browser of a training: walk, open a number, ask why, compare; on a phone, by keyboard."""

from __future__ import annotations

import os
import re
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import pytest

import handgrad as hg
from handgrad.live.walk.app import Walking
from handgrad.live.walk.serving import Serving
from handgrad.live.walk.walked import Walked
from handgrad.models.training_data import TrainingData
from handgrad.worksheets.worksheet import explain
from handgrad.writing.numerals import Precision, shown
from tests.live.walk.conftest import Opened


def settled(page: Any) -> None:
    """Waits until what was asked for has been answered, the sheet too."""
    page.wait_for_selector("#content:not([aria-busy])", state="attached")


def drawn_at(heat: Any, width: int, height: int) -> None:
    """Waits until a heat map has so many cells; the numbers of a block come after the key that opens it."""
    heat.locator(f'canvas[width="{width}"][height="{height}"]').wait_for(state="attached")


def sheet(page: Any) -> Any:
    settled(page)
    return page.frame_locator("#sheet").locator("main")


def test_the_last_step_stands_there_and_any_other_can_be_walked_to(
    walked_page: Opened, models: list[Path]
) -> None:
    page = walked_page()
    assert page.input_value("#number") == "30"
    page.fill("#number", "9")
    page.press("#number", "Enter")
    settled(page)
    assert "Step 9 of 30; epoch 2, batch 4" in page.inner_text("#where")
    loss = float(explain(models[0], step=9).quantities()["loss"])
    assert str(shown(loss, Precision(4, 4))) in page.inner_text("#numbers")
    page.focus("#slider")
    page.keyboard.press("ArrowRight")
    settled(page)
    assert page.input_value("#number") == "10"
    page.locator("#title").click()
    page.keyboard.press("ArrowLeft")
    settled(page)
    assert page.input_value("#number") == "9"
    assert "step=9" in page.evaluate("location.hash")
    assert "Step 9" in sheet(page).inner_text()


def test_a_cell_opens_its_calculation_by_keyboard(walked_page: Opened) -> None:
    page = walked_page("#step=5")
    settled(page)
    heat = page.locator(".layer").first.locator('[data-kind="gradients"] .heat').first
    heat.focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowRight"):
        page.keyboard.press(key)
    told = page.locator(".layer").first.locator('[data-kind="gradients"] .told').inner_text()
    assert re.fullmatch(r"dW1\[2,1\] = [−\d.×⁻⁰¹²³⁴⁵⁶⁷⁸⁹ ]+", told), told
    page.keyboard.press("Enter")
    settled(page)
    assert page.input_value("#focus") == "W1[2,1]"
    assert "W3,<b>width</b>,new[1]=W3,<b>width</b>[1]" in str(sheet(page).text_content())
    page.click("#unfocus")
    settled(page)
    assert page.input_value("#focus") == ""


def test_an_activation_and_a_bias_open_too(walked_page: Opened) -> None:
    page = walked_page("#step=5")
    for kind, place, wanted in (("activations", 0, r"a2\[0\]"), ("weights", 1, r"b2\[0\]")):
        page.locator(".layer").nth(1).locator(f'[data-kind="{kind}"] .heat[role]').nth(place).focus()
        page.keyboard.press("Enter")
        settled(page)
        assert re.fullmatch(wanted, page.input_value("#focus"))
        assert page.inner_text("#sheet-said") == ""


def test_a_wrong_entry_is__the_sheet(walked_page: Opened) -> None:
    page = walked_page("#step=5", expected="422")
    page.route(
        "**/sheet?*", lambda route: route.fulfill(status=422, json={"error": "focus takes a quantity"})
    )
    page.fill("#focus", "zz")
    page.press("#focus", "Enter")
    page.wait_for_selector("#sheet-said.wrong")
    assert page.inner_text("#sheet-said") == "focus takes a quantity"


def test_a_row_says_why_and_the_keyboard_comes_back(walked_page: Opened) -> None:
    page = walked_page("#step=30")
    settled(page)
    first = page.locator("[data-why]").first
    row = first.get_attribute("data-why")
    first.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#why h3")
    assert f"Row {row}: kind =" in page.inner_text("#why h3")
    assert page.evaluate("document.activeElement.tagName") == "H3"
    assert "<b>width</b>" in page.inner_text("#why")  # a name that is markup stays text
    assert page.locator("#why b").count() == 0
    page.click("#why [data-close]")
    assert page.evaluate("document.activeElement.dataset.why") == row


def test_two_steps_and_two_models_stand_beside_each_other(walked_page: Opened) -> None:
    page = walked_page("#step=20")
    page.select_option("#against", "0")
    settled(page)
    assert page.locator(".layer").first.locator('[data-kind="weights"] .pieces').count() == 3
    assert page.locator("#numbers thead th").all_inner_texts() == ["this", "the other"]
    page.select_option("#against", "1")
    settled(page)
    assert "quick: training" in page.text_content("#curve svg")
    page.click("#swap")
    settled(page)
    assert page.input_value("#training") == "1"
    assert "quick" in page.inner_text("#facts")
    assert "against=0%2C20" in page.evaluate("location.hash")


def test_networks_of_other_sizes_are_compared_without_a_difference(
    walked_page: Opened, models: list[Path]
) -> None:
    network = hg.Network(2, [hg.Dense(2, "tanh"), hg.Dense(1)], "squared_error")
    X, Y = np.random.default_rng(1).normal(0, 1, (6, 2)), np.ones((6, 1))
    other = Walked(hg.Model(hg.fit(network, X, Y, epochs=2)), "arrays", seen=TrainingData(X, Y, np.arange(6)))
    with Serving(Walking([Walked(hg.Model.load(models[0]), "slow"), other], "en")) as serving:
        page = walked_page("#step=3&against=1,2", serving.address)
        settled(page)
        assert page.locator(".layer").first.locator('[data-kind="weights"] .pieces').count() == 2
        assert page.locator(".layer").count() == 3
        page.close()


def test_a_wide_layer_stays_readable_and_its_blocks_open(walked_page: Opened) -> None:
    network = hg.Network(300, [hg.Dense(200, "relu"), hg.Dense(1)], "squared_error")
    X, Y = np.random.default_rng(1).normal(0, 1, (40, 300)), np.ones((40, 1))
    model = hg.Model(hg.fit(network, X, Y, epochs=1, batch_size=20))
    with Serving(Walking([Walked(model, "wide", seen=TrainingData(X, Y, np.arange(40)))], "en")) as serving:
        page = walked_page("#step=2", serving.address)
        settled(page)
        maps = page.locator(".layer").first.locator('[data-kind="weights"]')
        heat = maps.locator(".heat").first
        drawn_at(heat, 60, 50)
        heat.focus()
        assert "rows 0 to 3, columns 0 to 4" in maps.locator(".told").inner_text()
        page.keyboard.press("End")
        page.keyboard.press("Enter")
        settled(page)
        drawn_at(heat, 64, 64)
        page.keyboard.press("End")
        assert maps.locator(".told").inner_text().startswith("W1[0,299] = ")
        page.click("#back")
        settled(page)
        drawn_at(heat, 64, 64)
        maps.locator(".whole").click()
        drawn_at(heat, 60, 50)
        page.close()


def test_words_and_digits_follow_the_readers_choice(walked_page: Opened) -> None:
    page = walked_page("#step=5")
    page.select_option("#language", "bn")
    settled(page)
    assert page.evaluate("document.documentElement.lang") == "bn"
    assert "স্তর" in page.inner_text("#layers-title")
    page.select_option("#numerals", "bn")
    settled(page)
    assert "৫" in page.inner_text("#where")
    assert not re.search("[0-9]", page.inner_text("#where"))
    assert re.search("[\u0980-\u09ff]", sheet(page).inner_text())


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 768, 1400])
def test_nothing_is_wider_than_the_page(width: int, scheme: str, walked_page: Opened) -> None:
    page = walked_page("#step=5&against=1,7", viewport={"width": width, "height": 800}, color_scheme=scheme)
    settled(page)
    page.locator("[data-why]").first.click()
    page.wait_for_selector("#why h3")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.frame_locator("#sheet").locator("html").evaluate("e => e.scrollWidth <= e.clientWidth")


@pytest.mark.skipif("AXE_CORE" not in os.environ, reason="axe-core is not installed (AXE_CORE names it)")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("fragment", ["#step=5", "#step=5&against=1,7&language=bn&focus=W1%5B0,1%5D"])
def test_axe_finds_nothing(scheme: str, fragment: str, walked_page: Opened) -> None:
    page = walked_page(fragment, color_scheme=scheme, bypass_csp=True)
    settled(page)
    page.locator("[data-why]").first.click()
    page.wait_for_selector("#why h3")
    page.evaluate(Path(os.environ["AXE_CORE"]).read_text(encoding="utf-8"))
    found = page.evaluate(
        "axe.run().then((r) => r.violations.map((v) => [v.id, v.nodes.map((n) => n.html)]))"
    )
    assert found == []


def test_the_page_says_when_the_terminal_has_ended(local_browser: Any, walking: Walking) -> None:
    page = local_browser.new_page()
    with Serving(walking) as serving:
        page.goto(f"{serving.address}#step=5")
        page.evaluate("window.handgrad.ready.then(() => 1)")
    page.click("#forward")
    page.wait_for_selector("#said.wrong")
    assert "terminal has ended" in page.inner_text("#said")
    page.close()


def test_playing_goes_on_until_it_is_stopped(walked_page: Opened) -> None:
    page = walked_page("#step=1")
    page.click("#play")
    # a loaded machine may miss the moment in which one step is shown: any later one shows it too
    until = monotonic() + 60
    while int(page.input_value("#number")) < 3 and monotonic() < until:
        page.wait_for_timeout(50)
    page.click("#play")
    settled(page)
    assert int(page.input_value("#number")) >= 3
    stopped = page.input_value("#number")
    page.wait_for_timeout(600)
    assert page.input_value("#number") == stopped
