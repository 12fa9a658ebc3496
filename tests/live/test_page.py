"""What a reader does with the live sheet: change, walk, pick, ask, be asked; on a phone, in the dark, by keyboard."""

from __future__ import annotations

import os
import re
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from handgrad.cases.case import Case
from handgrad.errors import SpecificationError
from handgrad.live.page import live_page
from handgrad.writing.numerals import Precision, shown_together
from tests.live.conftest import Opened

CASE: dict[str, Any] = {
    "title": "Two <inputs> & one output",
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
}


def number(page: Any, quantity: str, index: str) -> str:
    shown = page.locator(f'#calculation [data-quantity="{quantity}"][data-index="{index}"]').first
    return str(shown.text_content())


def test_what_is_written_is_what_the_record_prints(opened: Opened) -> None:
    page = opened(CASE)
    quantities = page.evaluate("handgrad.quantities(1)")
    for name in ("z1", "yhat", "delta1", "dW1", "W1_new", "b1_new"):
        value = quantities[name]
        rows = value if isinstance(value[0], list) else [[x] for x in value]
        for i, row in enumerate(shown_together(rows, Precision(4))):
            for j, text in enumerate(row):
                index = f"{i},{j}" if isinstance(value[0], list) else str(i)
                assert number(page, name, index) == str(text).replace("-", "−"), f"{name} {index}"
    assert number(page, "loss", "") == "0.4790"
    assert "0.4790" in page.inner_text("#closing") and "0.4493" in page.inner_text("#closing")


@pytest.mark.parametrize(("first", "names"), [(0, ["x₀", "x₁"]), (1, ["x₁", "x₂"])])
def test_the_plane_counts_its_inputs_as_the_sheet_does(opened: Opened, first: int, names: list[str]) -> None:
    page = opened({**CASE, "notation": {"first": first}})
    said = page.locator("#plane text").all_text_contents()
    assert [name for name in names if any(name in text for text in said)] == names
    assert len({name for name in ("x₀", "x₁", "x₂") if any(name in text for text in said)}) == len(names)


def test_typing_a_number_changes_all_that_follows_and_undo_brings_it_back(opened: Opened) -> None:
    page = opened(CASE)
    field = page.locator('#given input[data-quantity="W2"][data-index="0,1"]')
    field.fill("-1.5")
    assert number(page, "z2", "0,0") == "−0.5"
    assert "changed" in str(field.get_attribute("class"))
    assert page.locator('#calculation mrow.changed[data-quantity="yhat"]').count() == 1
    assert page.locator('#figure .edge.negative[data-quantity="W2"]').count() == 1
    assert "e=W2" in page.evaluate("location.hash")
    page.click("#undo")
    assert number(page, "z2", "0,0") == "0.4870" or number(page, "z2", "0,0") == "0.487"
    field.focus()
    page.keyboard.press("ArrowUp")
    assert float(field.input_value()) > 0.6
    page.click("#reset")
    assert float(field.input_value()) == 0.6


def test_what_is_dragged_or_typed_in_a_field_is_one_edit(opened: Opened) -> None:
    page = opened(CASE)
    field = page.locator('#given input[data-quantity="W1"][data-index="1,0"]')
    field.scroll_into_view_if_needed()
    box = field.bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 8)
    page.mouse.down()
    for k in range(1, 8):
        page.mouse.move(box["x"] + 20 + 12 * k, box["y"] + 8)
    page.mouse.up()
    assert float(field.input_value()) == pytest.approx(0.3 + 14 * 0.01)
    assert number(page, "z1", "0,1") == "0.54"  # 0.44 * 0.5 + 0.4 * 0.3 + 0.2
    page.click("#undo")
    assert float(field.input_value()) == 0.3
    assert page.is_disabled("#undo")
    field.press("Control+a")
    field.press_sequentially("0.75")
    page.click("#undo")
    assert float(field.input_value()) == 0.3
    assert page.is_disabled("#undo")


def test_an_edit_draws_only_what_reads_otherwise(opened: Opened) -> None:
    """The letters of an equation, its words and what does not depend on the edit stay the elements that they were."""
    page = opened(CASE)
    page.evaluate(
        "() => { window.seen = new Set(); new MutationObserver((all) => all.forEach((m) => {"
        " const card = m.target.closest?.('[data-card]'); if (card) seen.add(card.dataset.card); }))"
        ".observe(document.getElementById('calculation'), { childList: true, subtree: true, characterData: true });"
        " window.letters = document.querySelector('#q-z2 mtable > mtr');"
        " window.words = document.querySelector('#q-z2 p'); }"
    )
    page.evaluate("handgrad.set('W2', '0,1', -1.5)")
    assert number(page, "z2", "0,0") == "−0.5"
    assert page.evaluate("letters.isConnected && words.isConnected")
    drawn = set(page.evaluate("[...seen]"))
    assert {"z2", "yhat", "delta2", "dW2", "W2_new", "delta1", "dW1", "W1_new"} <= drawn
    assert not drawn & {"z1", "a1"}  # W2 stands behind them


def test_many_edits_in_a_row_end_in_the_address_of_the_last(opened: Opened) -> None:
    page = opened(CASE)
    page.evaluate("for (let k = 0; k < 70; k++) handgrad.set('W1', [0, 0], k / 100)")
    until = monotonic() + 20
    while (written := page.evaluate("decodeURIComponent(location.hash)")) != "#e=W1,0,0,0.69":
        assert monotonic() < until, written
        page.wait_for_timeout(100)


def test_print_leaves_nothing_out(opened: Opened) -> None:
    page = opened(CASE)
    page.emulate_media(media="print")
    skipped = page.evaluate(
        "[...document.querySelectorAll('.card')].filter((card) => !card.querySelector('mn')"
        ".checkVisibility({ contentVisibilityAuto: true })).map((card) => card.id)"
    )
    assert skipped == []
    assert page.evaluate("document.querySelectorAll('.card').length") > 8


def test_walking_grows_the_curve_and_its_points_lead_back(opened: Opened) -> None:
    page = opened(CASE | {"training": {"steps": 5}})
    for _ in range(3):
        page.click("#forward")
    assert page.inner_text("#step") == "Step 4 of 5"
    assert page.locator("#curve .point").count() == 4
    page.locator('#curve .point[data-step="2"]').dispatch_event("click")
    assert page.inner_text("#step") == "Step 2 of 5"
    page.keyboard.press("ArrowRight")
    assert page.inner_text("#step") == "Step 3 of 5"


def test_a_picked_quantity_says_where_it_comes_from_and_shows_an_entry_in_scalars(opened: Opened) -> None:
    page = opened(CASE)
    page.click('[data-pick="dW1"]')
    detail = page.locator("#q-dW1 .detail")
    assert {link.get_attribute("data-pick") for link in detail.locator(".link").all()} >= {"delta1", "x"}
    detail.locator('[data-entry="1"]').fill("2")
    detail.locator('[data-entry="1"]').press("Tab")
    assert "−0.0571" in str(page.locator("#q-dW1 .detail .formula").text_content())
    page.click('#q-dW1 .link[data-pick="delta1"]')
    assert page.locator("#q-delta1 .detail").count() == 1


def test_the_quiz_hides_the_results_and_judges_what_is_typed(opened: Opened) -> None:
    page = opened(CASE)
    page.click("#quiz")
    assert number(page, "z1", "0,0") == "?"
    for key, typed, verdict in (
        ("z1:0:0", "0.21", "exact"),
        ("z1:1:0", "0.4", "cut off instead of rounded"),
        ("z2:0:0", "0.44", "right, given your earlier answer"),
        ("yhat:0:0", "0.9", "not yet; the equation above is the hint"),
    ):
        answer = page.locator(f'[data-answer="{key}"]')
        answer.fill(typed)
        answer.press("Tab")
        assert page.locator(f'[data-answer="{key}"] + .verdict').inner_text() == verdict, key
        if key == "z1:1:0":  # what follows from it: a1 as typed too
            page.locator('[data-answer="a1:1:0"]').fill("0.4")
            page.locator('[data-answer="a1:1:0"]').press("Tab")
    page.click("#quiz")
    assert number(page, "z1", "0,0") == "0.21"


def test_words_digits_and_notation_follow_the_readers_choice(opened: Opened) -> None:
    page = opened(CASE)
    page.evaluate("document.querySelector('details').open = true")
    page.select_option("select[data-choice=language]", "bn")
    assert page.evaluate("document.documentElement.lang") == "bn"
    assert re.search("[\u0980-\u09ff]", page.inner_text("#given-title"))
    page.select_option("select[data-choice=numerals]", "bn")
    assert number(page, "z1", "0,0") == "০.২১"
    page.select_option("select[data-choice=digits]", "2")
    assert number(page, "yhat", "0,0") == "০.৬২"
    page.select_option("select[data-choice=layer]", "subscript")
    assert page.locator("#q-z1 msub").count() > 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1200])
def test_nothing_is_wider_than_the_page(width: int, scheme: str, opened: Opened) -> None:
    page = opened(CASE, viewport={"width": width, "height": 800}, color_scheme=scheme)
    page.add_style_tag(content=".card { content-visibility: visible !important }")  # off the screen as well
    page.click('[data-pick="dW1"]')
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.skipif("AXE_CORE" not in os.environ, reason="axe-core is not installed (AXE_CORE names it)")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(scheme: str, opened: Opened) -> None:
    page = opened(CASE, color_scheme=scheme)
    page.click("#forward")
    page.click("#quiz")
    page.click('[data-pick="delta1"]')
    page.evaluate(Path(os.environ["AXE_CORE"]).read_text(encoding="utf-8"))
    found = page.evaluate(
        "axe.run().then((r) => r.violations.map((v) => [v.id, v.nodes.map((n) => n.html)]))"
    )
    assert found == []


def test_a_small_sheet_is_small_and_quick(opened: Opened) -> None:
    assert len(live_page(Case.from_dict(CASE))) < 300_000
    page = opened(CASE)
    page.evaluate("handgrad.set('W1', [0, 0], 0.2)")  # warm
    spent = page.evaluate(
        "(() => { const t = []; for (let k = 0; k < 21; k++) { const b = performance.now();"
        " handgrad.set('W1', [0, 0], k / 50); t.push(performance.now() - b); }"
        " return t.sort((a, b) => a - b)[10]; })()"
    )
    assert spent < 500  # a guard against quadratic work, not a measurement


def test_a_sheet_without_numbers_is_refused() -> None:
    with pytest.raises(SpecificationError, match="needs numbers"):
        live_page(Case.from_dict({"network": {"inputs": 1, "layers": [{"units": 1, "W": [[1.0]]}]}}))


def test_nothing_in_a_title_becomes_markup() -> None:
    hostile = {
        **CASE,
        "title": '</script><script>alert(1)</script>"\u2028',
        "source": "<img src=x onerror=alert(1)>",
    }
    page = live_page(Case.from_dict(hostile)).decode()
    assert "<script>alert" not in page and "<img" not in page
    assert page.count("</script>") == 2
