"""The worked calculation of a report, each claim under the equation of its quantity."""

from __future__ import annotations

from typing import Any

import pytest

import handgrad as hg
from handgrad.render.document import Formula, Heading, Paragraph
from handgrad.render.terminal.sheet import to_text
from handgrad.worked.expressions import Symbol


def case(*claims: dict[str, Any], **keys: Any) -> dict[str, Any]:
    return {
        "network": keys.pop("network", None)
        or {
            "inputs": 2,
            "loss": "squared_error",
            "layers": [
                {"units": 2, "W": [[0.5, 0.25], [1.0, -0.5]], "activation": "relu"},
                {"units": 1, "W": [[2.0, 1.0]]},
            ],
        },
        "data": {"x": [[2.0, 4.0]], "y": [[5.0]]},
        "optimizer": {"name": "sgd", "learning_rate": 0.1},
        "training": {"steps": keys.pop("steps", 1)},
        "claims": list(claims),
        **keys,
    }


def after(audit: Any, letter: str, layer: int | None) -> list[str]:
    """The paragraphs that stand between the equation of a quantity and the next equation, in the calculation."""
    blocks = list(audit.document("en").blocks)
    start = next(
        i for i, block in enumerate(blocks) if isinstance(block, Heading) and block.anchor == "calculation"
    )
    found: list[str] = []
    inside = False
    for block in blocks[start:]:
        if isinstance(block, Formula):
            target = block.target
            inside = isinstance(target, Symbol) and (target.letter, target.layer) == (letter, layer)
        elif inside and isinstance(block, Paragraph):
            found.append("".join(part if isinstance(part, str) else "*" for part in block.spans))
    return found


def test_a_wrong_number_stands_under_its_equation_with_the_right_one():
    audit = hg.check(case({"quantity": "z2", "value": [[4.5]]}))
    (mark,) = [text for text in after(audit, "z", 2) if "printed" in text]
    assert mark.startswith("✗") and "WRONG" in mark
    text = audit.text(100)
    assert text.index("What is wrong") < text.index("The calculation, with each printed number")
    assert "printed 4.5, WRONG; right is 4" in text


def test_right_numbers_are_marked_once_an_array():
    audit = hg.check(case({"quantity": "z1", "value": [[2.0, 0.0]]}, {"quantity": "yhat", "value": [[4.0]]}))
    assert after(audit, "z", 1)[0] == "✓ *: every printed number is exact."
    assert any(text.startswith("✓ *: printed *, exact") for text in after(audit, "yhat", None))


def test_what_is_called_a2_stands_under_the_prediction():
    audit = hg.check(case({"quantity": "a2", "value": [[4.25]]}))
    assert any(text.startswith("✗") for text in after(audit, "yhat", None))


def test_the_steps_with_something_wrong_come_before_others():
    right = [{"quantity": "y", "step": step, "value": [[5.0]]} for step in (1, 2, 3, 4)]
    claims = [*right, {"quantity": "loss", "step": 9, "value": 123.0}]
    audit = hg.check(case(*claims, steps=10))
    text = audit.text(100)
    calculation = text[text.index("The calculation, with") :]
    shown = [step for step in range(1, 11) if f"Step {step} of 10" in calculation]
    assert shown == [1, 2, 9]


def test_of_a_large_network_there_is_the_table_alone():
    layers = [{"units": 30, "W": [[0.5, 0.25]] * 30}, {"units": 1, "W": [[0.1] * 30]}]
    network = {"inputs": 2, "loss": "squared_error", "layers": layers}
    audit = hg.check(case({"quantity": "loss", "value": 12.0}, network=network))
    assert "Every number" in audit.text(100) and "The calculation, with" not in audit.text(100)


@pytest.mark.parametrize("medium", ["md", "html", "tex", "ipynb"])
def test_every_medium_has_the_marks(medium: str):
    content = hg.check(case({"quantity": "z2", "value": [[4.5]]})).to(
        medium, "bn" if medium == "html" else "en"
    )
    assert {"tex": r"\observation{$\times$ "}.get(medium, "✗") in content.decode()


def test_it_is_said_in_bengali():
    audit = hg.check(case({"quantity": "z2", "value": [[4.5]]}))
    assert "✗" in to_text(audit.document("bn"), 100) and "ছাপা" in audit.text(100, language="bn")
