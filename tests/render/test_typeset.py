"""Boxes: a rule for every node, parentheses where they are needed, lines broken at operators."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handgrad.errors import RenderError
from handgrad.render.document import Formula, LaidMatrix, Literal, Paragraph
from handgrad.render.html import mathml
from handgrad.render.latex import math as latex
from handgrad.render.math import boxes
from handgrad.render.math.aligned import abreast, formula_lines
from handgrad.render.math.boxes import Box, Digits, Fence, Letter, Operator, Stack, items, row, width
from handgrad.render.math.line_breaks import lines
from handgrad.render.math.typeset import RULES, Style, typeset
from handgrad.worked.expressions import (
    NODES,
    Apply,
    BigSum,
    Divide,
    Expression,
    Factor,
    Hadamard,
    MatMul,
    Matrix,
    Negative,
    Number,
    Power,
    Sum,
    Symbol,
    Times,
    Transpose,
)
from handgrad.writing.letter_parts import Notation
from tests.render.everything import EXPRESSIONS, ONE, TWO, W2, YHAT, Y, document

A, B, C = Symbol("a"), Symbol("b"), Symbol("x")


def test_every_node_has_a_rule_and_every_box_has_one_in_each_medium():
    assert set(RULES) == {*NODES, Literal, LaidMatrix}
    assert set(latex.RULES) == set(boxes.BOXES)
    assert set(mathml.RULES) == set(boxes.BOXES)


def test_the_sample_holds_every_node_that_can_be_written():
    assert {type(tree) for tree in EXPRESSIONS.values()} == {*NODES, Literal, LaidMatrix} - {Matrix}


def test_unknown_nodes_and_unrounded_numbers_are_refused():
    @dataclass(frozen=True)
    class Strange(Expression):
        pass

    with pytest.raises(RenderError, match="Strange"):
        typeset(Strange(), Style(Notation()))
    with pytest.raises(RenderError, match=r"0\.1"):
        typeset(Number(0.1), Style(Notation()))
    with pytest.raises(RenderError, match="2 x 3"):
        typeset(Matrix(np.zeros((2, 3))), Style(Notation()))
    with pytest.raises(RenderError, match="Strange"):
        latex.box_latex(Strange())  # type: ignore[arg-type]
    with pytest.raises(RenderError, match="Strange"):
        mathml.box_mathml(Strange())  # type: ignore[arg-type]


def negative(text: str, substituted: bool = True) -> Literal:
    return Literal(text, substituted)


@pytest.mark.parametrize(
    ("tree", "written"),
    [
        (Sum((A, Negative(Sum((B, C))))), r"a - (b + x)"),
        (Sum((A, Sum((B, C)))), r"a + b + x"),
        (Sum((A, negative("-0.3"))), r"a + (-0.3)"),
        (Sum((A, negative("-0.3", False))), r"a + (-0.3)"),
        (Sum((negative("-0.3", False), A)), r"-0.3 + a"),
        (Sum((A, Negative(negative("-0.3")))), r"a - (-0.3)"),
        (Sum((A, Times((negative("-2", False), B), sign=True))), r"a + (-2 \times b)"),
        (Negative(Negative(A)), r"-(-a)"),
        (Times((TWO, Sum((A, B)))), r"2 (a + b)"),
        (Times((TWO, Literal("3"))), r"2 \times 3"),
        (Times((A, negative("-0.5", False)), sign=True), r"a \times (-0.5)"),
        (Times((Divide(ONE, A), Divide(ONE, B))), r"\frac{1}{a} \times \frac{1}{b}"),
        (Times((Divide(ONE, Symbol("m")), BigSum("i", None, None, A))), r"\frac{1}{m} \sum_{i} a"),
        (Hadamard((MatMul(A, B), C)), r"(a b) \odot x"),
        (MatMul(Sum((A, B)), C), r"(a + b) x"),
        (Power(Sum((A, B)), TWO), r"(a + b)^{2}"),
        (Power(Symbol("a", 1), TWO), r"(a^{[1]})^{2}"),
        (Power(Symbol("a", entry=(0,)), TWO), r"a_{1}^{2}"),
        (Transpose(Symbol("W", 2)), r"W^{[2] \top}"),
        (Transpose(MatMul(A, B)), r"(a b)^{\top}"),
        (Transpose(Factor("weights", Symbol("W", 2))), r"\underbrace{W^{[2] \top}}_{\text{weights}}"),
        (Divide(Sum((A, B)), C), r"\frac{a + b}{x}"),
        (
            Times((Factor("input", A), Factor("loss", Sum((YHAT, Negative(Y)))))),
            r"\underbrace{a}_{\text{input}} \enspace \underbrace{(\hat{y} - y)}_{\text{loss}}",
        ),
        (Apply("exp", (Negative(A),)), r"e^{-a}"),
        (Apply("sigmoid'", (A,)), r"\sigma^{\prime}(a)"),
        (Apply("max", (Literal("0"), A)), r"\max(0, a)"),
        (Literal("4.2 × 10⁻⁷"), r"4.2 \times 10^{-7}"),
        (Literal("0,5"), r"0{,}5"),
        (Literal("____"), r"\underline{\hspace{2em}}"),
        (MatMul(Transpose(W2), Literal("0.5")), r"W^{[2] \top} \times 0.5"),
    ],
)
def test_parentheses_and_signs(tree: Expression, written: str):
    plain = latex.latex(tree, Notation()).replace(r"\boldsymbol", "")
    for letter in "aWbxy":
        plain = plain.replace(
            f"{{{letter}}}", letter if f"\\hat{{{letter}}}" not in plain else f"{{{letter}}}"
        )
    assert plain == written


def test_a_power_of_a_symbol_with_the_layer_as_superscript_takes_parentheses():
    notation = Notation(layer="superscript")
    assert latex.latex(Transpose(Symbol("W", 1)), notation) == r"(\boldsymbol{W}^{1})^{\top}"


def flat(box: Box) -> list[Box]:
    """What stands in the row, brackets and lines within them opened all the way."""
    opened: list[Box] = []
    for part in items(box):
        match part:
            case Fence(left, body, right):
                opened += [Letter(left), *flat(body), Letter(right)]
            case Stack(lines):
                opened += [inner for line in lines for inner in flat(line)]
            case _:
                opened.append(part)
    return opened


def depth(box: Box) -> int:
    """How many brackets stand within each other."""
    inner = [depth(part.body) + 1 for part in items(box) if isinstance(part, Fence)]
    return max(inner, default=0)


terms = st.lists(st.text("0123456789.", min_size=1, max_size=9).map(Digits), min_size=1, max_size=12)


def joined(parts: list[Box], sign: str) -> Box:
    return row(*[box for part in parts for box in (Operator(sign), part)][1:])


rows = st.recursive(
    terms.map(lambda parts: joined(list(parts), "+")),
    lambda inner: st.tuples(
        st.sampled_from(["+", "-", "times", "hadamard", "beside"]), st.lists(inner, min_size=1)
    ).map(lambda made: joined([Fence("(", part, ")") for part in made[1]], made[0])),
    max_leaves=6,
)


@given(rows, st.floats(4, 60))
def test_broken_lines_hold_the_same_boxes_in_the_same_order_and_fit(box: Box, limit: float):
    broken = lines(box, limit)
    assert [part for line in broken for part in flat(line)] == flat(box)
    # a bracket is never parted from its body, so brackets within brackets need their room
    assert all(width(line) <= max(limit, 10.0) + 3.0 * depth(box) for line in broken)


def test_a_long_body_stands_in_lines_within_its_brackets():
    body = joined([Digits("0.1234")] * 9, "+")
    (line,) = lines(row(Digits("2"), Operator("times"), Fence("(", body, ")")), 20.0)
    fence = items(line)[-1]
    assert isinstance(fence, Fence)
    assert isinstance(fence.body, Stack)
    assert width(line) <= 20.0
    assert all(items(part)[0] == Operator("+") for part in fence.body.lines[1:])


def test_no_line_is_left_with_one_term_where_it_could_have_more():
    broken = lines(joined([Digits("0.1234")] * 10, "+"), 20.0)
    terms = [sum(isinstance(part, Digits) for part in items(line)) for line in broken]
    assert sum(terms) == 10
    assert max(terms) - min(terms) <= 1


def test_a_formula_that_fits_stays_on_one_line_and_a_long_one_is_aligned():
    style = Style(Notation())
    found = [block for block in document().blocks if type(block).__name__ == "Formula"]
    matrices, long = formula_lines(found[0], style), formula_lines(found[1], style)
    assert [line.sign for line in matrices] == ["="]
    assert [line.sign for line in long] == ["=", "", "", "~"]
    assert all(line.left is None for line in long[1:])
    assert isinstance(items(long[1].right)[0], Operator)


def test_numbers_begin_a_line_of_their_own_where_not_all_fits_on_one():
    matrix = LaidMatrix(((Literal("0.1234"),) * 4,) * 2, (2, 4))
    letters = MatMul(Symbol("W", 1), Symbol("x"))
    formula = Formula(Symbol("z", 1), (("=", letters), ("=", MatMul(matrix, matrix)), ("~", matrix)))
    first, second, third = formula_lines(formula, Style(Notation()))
    assert width(first.right) < 5.0
    assert [line.sign for line in (first, second, third)] == ["=", "=", "~"]


def test_short_formulas_of_one_kind_stand_together():
    given = [Formula(Symbol(letter), (("=", Literal("1")),)) for letter in "xyb"]
    rule = Formula(Symbol("z"), (("=", MatMul(Symbol("W"), Symbol("x"))),))
    groups = list(abreast((*given, rule, Paragraph(("so",)), rule, rule), Style(Notation())))
    assert [len(group) if isinstance(group, tuple) else 1 for group in groups] == [3, 1, 1, 2]
