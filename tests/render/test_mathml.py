"""MathML: well formed, of MathML Core alone, and with the meaning of the tree."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import assume, given

from handgrad.render.document import Formula
from handgrad.render.html.mathml import formula_mathml, mathml
from handgrad.render.math.typeset import Style
from handgrad.worked.evaluate import evaluate
from handgrad.worked.expressions import Expression, Symbol
from handgrad.writing.letter_parts import Notation
from tests.render.arithmetic import shown, trees, value_of_mathml
from tests.render.everything import EXPRESSIONS, HOSTILE, document
from tests.render.test_latex import _finite

CORE = {
    "math", "mrow", "mi", "mn", "mo", "mtext", "mspace", "mfrac", "msqrt", "msub", "msup", "msubsup",
    "munder", "mover", "munderover", "mtable", "mtr", "mtd",
}  # fmt: skip


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


def test_forms_stand_in_rows_under_the_equals_sign():
    formulas = [block for block in document().blocks if isinstance(block, Formula)]
    table = ElementTree.fromstring(formula_mathml(formulas[1], Style(Notation())))[0]
    assert table.get("class") == "lines"
    assert [len(row) for row in table] == [2, 2, 2, 2]
    signs = [row[1][0][0].text for row in table]
    assert signs == ["=", None, None, "\u2248"]  # a line that goes on begins with space
    # a sign that begins a line stays binary, with its space
    assert table[1][1][0][1][0].get("form") == "infix"
