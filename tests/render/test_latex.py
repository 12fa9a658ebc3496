"""LaTeX mathematics: the written form means what the tree means, and nothing is left unescaped."""

from __future__ import annotations

import re

import pytest
from hypothesis import given

from handgrad.render.latex.math import TEX, escape, formula_latex, latex
from handgrad.render.markdown.markdown import DIALECT
from handgrad.render.math.typeset import Style
from handgrad.worked.evaluate import evaluate
from handgrad.worked.expressions import Expression
from handgrad.writing.letter_parts import Notation
from tests.render.arithmetic import shown, trees, value_of_latex
from tests.render.everything import ELIDED, EXPRESSIONS, HOSTILE, document


@given(trees)
def test_the_written_form_has_the_value_of_the_tree(tree: Expression):
    value = float(evaluate(tree)[0, 0]) if _finite(tree) else None
    if value is not None:
        written = latex(shown(tree), Notation())
        assert value_of_latex(written) == pytest.approx(value, rel=1e-9), written


def _finite(tree: Expression) -> bool:
    value = float(evaluate(tree)[0, 0])
    return abs(value) < 1e12 and not _divides_by_nothing(tree)


def _divides_by_nothing(tree: Expression) -> bool:
    from handgrad.worked.expressions import Divide

    parts = [getattr(tree, name) for name in tree.__slots__]
    inner = [part for held in parts for part in (held if isinstance(held, tuple) else (held,))]
    small = isinstance(tree, Divide) and abs(float(evaluate(tree.denominator)[0, 0])) < 1e-6
    return small or any(_divides_by_nothing(part) for part in inner if isinstance(part, Expression))


@pytest.mark.parametrize("dialect", [TEX, DIALECT], ids=["tex", "markdown"])
@pytest.mark.parametrize("name", EXPRESSIONS)
def test_every_node_is_written_with_balanced_braces(name: str, dialect):
    written = latex(EXPRESSIONS[name], Notation(), dialect=dialect)
    assert written
    unescaped = re.sub(r"\\[{}]", "", written)
    assert unescaped.count("{") == unescaped.count("}")
    assert written.count(r"\begin") == written.count(r"\end")
    assert written.count(r"\left") == written.count(r"\right")


def test_matrices_show_their_shape_only_where_something_is_left_out():
    assert latex(EXPRESSIONS["LaidMatrix"], Notation()) == (
        r"\begin{bmatrix} 0.1 & -0.2 \\ 0.3 & \phantom{-} 0.4 \end{bmatrix}"
    )
    assert latex(ELIDED, Notation()).startswith(r"\underset{128 \times 784}{\begin{bmatrix} 0.1 & \cdots")


def test_formulas_are_aligned_at_their_equals_signs():
    formula = next(block for block in document().blocks if type(block).__name__ == "Formula")
    whole = formula_latex(formula, Style(Notation()))
    assert whole.startswith("\\boldsymbol{z}^{[1]} = \\boldsymbol{W}^{[1]} \\boldsymbol{x}")
    written = formula_latex(formula, Style(Notation()), limit=20.0)
    assert written.startswith(
        "\\begin{aligned}\n\\boldsymbol{z}^{[1]} &= \\boldsymbol{W}^{[1]} \\boldsymbol{x}"
    )
    assert written.count("&=") == 2
    assert r"\approx \begin{bmatrix} 0.21" in written


def test_escaped_text_holds_no_bare_markup():
    written = escape(HOSTILE)
    for sign in "$&#%_":
        assert not re.search(rf"(?<!\\)\{sign}", written), sign
    assert "<" not in written
    assert ">" not in written
    assert re.sub(r"\\text\w+\{\}|\\[{}]", "", written).count("{") == 0
