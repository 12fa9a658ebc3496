"""The live sheet in a notebook: its traits in Python, and the module that a notebook runs, with a model of its own."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

import handgrad as hg
from handgrad.errors import MissingExtraError
from tests.live.test_page import CASE

anywidget = pytest.importorskip("anywidget")


def test_state_is_set_from_python() -> None:
    sheet = hg.explain({**CASE, "training": {"steps": 4}}).live()
    assert isinstance(sheet, anywidget.AnyWidget)
    seen: list[Any] = []
    sheet.observe(lambda change: seen.append(change["new"]), "edits")
    sheet.set("W1", (0, 1), 0.5)
    sheet.set("W1", (0, 1), 0.75)
    sheet.set("learning_rate", (), 1)
    assert sheet.edits == [["W1", [0, 1], 0.75], ["learning_rate", [], 1.0]]
    sheet.reset()
    assert sheet.edits == []
    assert len(seen) == 4
    assert set(sheet.get_state()) >= {"page", "step", "edits", "quantities"}


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "anywidget", None)
    monkeypatch.delitem(sys.modules, "handgrad.live.widget", raising=False)
    with pytest.raises(MissingExtraError, match=r"handgrad\[notebook\]"):
        hg.explain(CASE).live()


NOTEBOOK = """
async ([module, state]) => {
  const { default: widget } = await import(`data:text/javascript,${encodeURIComponent(module)}`);
  const acts = {};
  window.model = {
    get: (name) => state[name],
    set: (name, value) => { state[name] = value; },
    save_changes: () => { window.saved = (window.saved ?? 0) + 1; },
    on: (event, act) => { acts[event] = act; },
    off: (event) => { delete acts[event]; },
    fromPython: (name, value) => { state[name] = value; acts[`change:${name}`](); },
  };
  await widget.render({ model: window.model, el: document.body });
  window.page = document.querySelector('iframe').contentWindow;
}
"""


def test_the_page_and_python_follow_each_other(browser: Any) -> None:
    sheet = hg.explain({**CASE, "training": {"steps": 4}}).live()
    state = {
        name: getattr(sheet, name) for name in ("page", "title", "height", "step", "edits", "quantities")
    }
    page, complaints = browser.new_page(), []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.evaluate(NOTEBOOK, [sheet._esm if isinstance(sheet._esm, str) else str(sheet._esm), state])
    wanted = json.loads(hg.explain({**CASE, "training": {"steps": 4}}).json())["steps"]
    assert page.evaluate("model.get('quantities').W1") == wanted[0]["quantities"]["W1"]
    page.evaluate("model.fromPython('edits', [['W1', [0, 1], 0.5], ['learning_rate', [], 0.2]])")
    assert page.evaluate("window.page.handgrad.quantities(1).W1[0][1]") == 0.5
    assert page.evaluate("model.get('edits')") == [["W1", [0, 1], 0.5], ["eta", [], 0.2]]
    page.evaluate("model.fromPython('step', 3)")
    assert page.evaluate("window.page.handgrad.state().step") == 3
    page.frame_locator("iframe").locator("#back").click()
    assert page.evaluate("model.get('step')") == 2
    page.frame_locator("iframe").locator('#given input[data-quantity="W2"][data-index="0,1"]').fill("-1.5")
    assert page.evaluate("model.get('edits').at(-1)") == ["W2", [0, 1], -1.5]
    found = page.evaluate("model.get('quantities').z2")
    assert found == page.evaluate("window.page.handgrad.quantities(2).z2")
    assert complaints == []
    page.close()
