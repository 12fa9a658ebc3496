"""MathML: well formed, of MathML Core alone, and with the meaning of the tree."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import assume, given

from handgrad.render.document import Formula
from handgrad.render.html.mathml import formula_mathml, inline_mathml, mathml
from handgrad.render.math.typeset import Style
from handgrad.worked.evaluate import evaluate
from handgrad.worked.expressions import Expression, Gradient, Symbol
from handgrad.writing.letter_parts import Notation
from tests.render.arithmetic import shown, trees, value_of_mathml
from tests.render.everything import EXPRESSIONS, HOSTILE, document
from tests.render.test_latex import _finite

CORE = {
    "math",
    "mrow",
    "mi",
    "mn",
    "mo",
    "mtext",
    "mspace",
    "mfrac",
    "msqrt",
    "msub",
    "msup",
    "msubsup",
    "munder",
    "mover",
    "munderover",
    "mtable",
    "mtr",
    "mtd",
    "mstyle",
}


@given(trees)
def test_the_written_form_has_the_value_of_the_tree(tree: Expression):
    assume(_finite(tree))
    written = mathml(shown(tree), Notation())
    assert value_of_mathml(written) == pytest.approx(float(evaluate(tree)[0, 0]), rel=1e-9), written


@pytest.mark.parametrize("name", EXPRESSIONS)
@pytest.mark.parametrize("notation", [Notation(), Notation(layer="subscript", first=0), Notation(names="hy")])
def test_every_node_is_mathml_core(name: str, notation: Notation):
    root = ElementTree.fromstring(mathml(EXPRESSIONS[name], notation))
    assert {element.tag for element in root.iter()} <= CORE
    for element in root.iter():
        expected = {"mfrac": 2, "msub": 2, "msup": 2, "munder": 2, "mover": 2, "msubsup": 3, "munderover": 3}
        assert len(element) == expected.get(str(element.tag), len(element)), element.tag


def test_labels_are_escaped_and_the_brace_stretches():
    from handgrad.worked.expressions import Factor

    root = ElementTree.fromstring(mathml(Factor(HOSTILE, Symbol("m")), Notation()))
    assert [element.text for element in root.iter("mtext")] == [HOSTILE]
    assert [element.get("stretchy") for element in root.iter("mo") if element.text == "\u23df"] == ["true"]


def _flow(formula: Formula) -> tuple[ElementTree.Element, list[ElementTree.Element]]:
    target, forms = formula_mathml(formula, Style(Notation()))
    return ElementTree.fromstring(target), list(
        ElementTree.fromstring(f"<p>{forms.replace('<br>', '<br/>')}</p>")
    )


def test_forms_flow_and_each_begins_with_its_sign():
    formulas = [block for block in document().blocks if isinstance(block, Formula)]
    target, forms = _flow(formulas[0])
    assert target.tag == "math"
    assert [form[0].text for form in forms] == ["=", "=", "\u2248"]
    assert [form.get("class") for form in forms] == ["letters", None, None]
    assert all(form[0].get("form") == "infix" for form in forms)  # binary, with its space on both sides


def test_a_long_form_may_end_its_line_before_any_of_its_terms():
    formulas = [block for block in document().blocks if isinstance(block, Formula)]
    _, forms = _flow(formulas[1])
    assert [form[0].text for form in forms][:2] == ["=", "+"]
    assert len(forms) > 4
    assert sum(len(list(form.iter("mn"))) for form in forms) == 19


def test_letters_say_which_quantity_they_are():
    letter, derivative = Symbol("W", 1, (0, 1)), Gradient(Symbol("loss"), Symbol("W", 1))
    named = Style(Notation(), quantities=True)
    found = [
        element
        for tree in (letter, derivative)
        for element in ElementTree.fromstring(inline_mathml(tree, named)).iter()
        if element.get("data-q")
    ]
    assert [(part.get("data-q"), part.get("data-entry"), part.get("class")) for part in found] == [
        ("W1", "0,1", "q-parameter"),
        ("dW1", None, "q-gradient"),
    ]
