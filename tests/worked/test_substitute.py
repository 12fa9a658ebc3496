"""Numbers in the place of letters, and each line that follows: what it writes, and that it is worth the same."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from tests.worked.plain import plain

from handgrad.worked.bindings import Bindings
from handgrad.worked.evaluate import evaluate
from handgrad.worked.expressions import (
    Apply,
    BigSum,
    Cases,
    Divide,
    Expression,
    Gradient,
    Hadamard,
    MatMul,
    Matrix,
    Negative,
    Number,
    Outer,
    Power,
    Relation,
    Sum,
    Symbol,
    Times,
    Transpose,
)
from handgrad.worked.substitute import (
    Line,
    added,
    as_outer,
    change_worked_out,
    factors_worked_out,
    is_put_in,
    marked,
    node,
    products_worked_out,
    same,
    sample_by_sample,
    substitute,
    turned,
    worked_out,
)

RNG = np.random.default_rng(2)
W, X, D = RNG.normal(size=(2, 3)), RNG.normal(size=(3, 2)), RNG.normal(size=(2, 2))
ONE, TWO = Number(1.0, exact=True), Number(2.0, exact=True)
LETTERS = Bindings(
    {
        "W1": Matrix(W),
        "x": Matrix(X),
        "delta1": Matrix(D),
        "b1": Matrix(np.array([[0.5], [0.25]])),
        "k": Number(3.0),
        "l": Number(-4.0),
        "m": Number(2.0, exact=True),
        "da1": Matrix(D),
        "v": Matrix(np.array([[1.0], [-2.0], [3.0]])),
        "u": Matrix(np.array([[4.0], [5.0]])),
        "row": Matrix(np.array([[6.0, 7.0, 8.0]])),
    }
)
w, x, delta, b, k, l, u, v = (
    Symbol("W", 1),
    Symbol("x"),
    Symbol("delta", 1),
    Symbol("b", 1),
    Symbol("k"),
    Symbol("l"),
    Symbol("u"),
    Symbol("v"),
)
row, m = Symbol("row"), Symbol("m")
v_k = Symbol("v", entry=("k",))

WRITTEN: list[tuple[Expression, str]] = [
    (Sum((MatMul(w, x), b)), "#2x3 . #3x2 + #2x1"),
    (Times((k, l)), "# x #"),
    (Times((ONE, k)), "1 x #"),
    (Times((k, w)), "# #2x3"),
    (Times((k, Sum((k, l)))), "# x (# + #)"),
    (Times((k, Transpose(w))), "# #2x3^T"),
    (Times((Divide(ONE, m), MatMul(w, x))), "1 / 2 #2x3 . #3x2"),
    (Hadamard((delta, delta)), "#2x2 * #2x2"),
    (Hadamard((k, l)), "# x #"),
    (Hadamard((k, Sum((k, l)))), "# x (# + #)"),
    (Hadamard((k, delta)), "# * #2x2"),
    (MatMul(k, l), "# x #"),
    (MatMul(k, row), "# . #1x3"),
    (Outer(k, l), "# x #"),
    (Outer(u, k), "#2x1 o #"),
    (Transpose(k), "#"),
    (Transpose(w), "#2x3^T"),
    (Negative(k), "-#"),
    (Divide(k, Sum((ONE, Apply("exp", (Negative(l),))))), "# / (1 + exp(-#))"),
    (Power(k, TWO), "#^2"),
    (Gradient(Symbol("loss"), Symbol("a", 1)), "#2x2"),
    (Symbol("W", 1, (1, 2)), "#"),
    (Symbol("x", sample=1), "#3x1"),
    (Apply("leaky_relu", (k,), (l,)), "leaky_relu(#; #)"),
    (BigSum("k", ONE, m, v_k), "# + #"),
    (BigSum("k", TWO, TWO, v_k), "#"),
    (BigSum("k", ONE, m, Symbol("k")), "1 + 2"),
    (BigSum("j", ONE, m, BigSum("k", ONE, m, Symbol("W", 1, ("j", "k")))), "# + # + # + #"),
    (Cases(((k, Relation(k, ">", l)), (l, None))), "#"),
    (Cases(((delta, Relation(u, ">", Number(4.5, exact=True))), (u, None))), "{#2x2 if #2x1 > 4.5; #2x1}"),
]


@pytest.mark.parametrize(
    ("tree", "written"), WRITTEN, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_tree_with_its_numbers(tree: Expression, written: str):
    numbers = substitute(tree, LETTERS)
    # a sum within a sum is written with its parentheses nowhere here
    assert plain(numbers).replace("# + (# + #)", "# + # + #").replace("(# + #) + ", "# + # + ") == written
    np.testing.assert_allclose(evaluate(numbers), evaluate(tree, LETTERS), rtol=1e-14)
    assert substitute(numbers, LETTERS) == numbers or "#2x2" in written or "x" in written


def test_the_branch_that_holds_is_chosen_and_the_others_are_gone():
    high, low = Relation(k, ">", l), Relation(k, "<", l)
    assert substitute(Cases(((ONE, low), (TWO, None))), LETTERS) == TWO
    assert substitute(Cases(((ONE, high), (TWO, None))), LETTERS) == ONE
    assert substitute(Cases(((ONE, low), (TWO, high), (k, None))), LETTERS) == TWO


def test_parts_of_letters_have_their_numbers():
    assert substitute(Symbol("W", 1, (1, 2)), LETTERS) == Number(W[1, 2])
    numbers = substitute(BigSum("k", ONE, m, v_k), LETTERS)
    assert numbers == Sum((Number(1.0), Number(-2.0)))
    assert substitute(v_k, LETTERS, {"k": 3}) == Number(3.0)
    assert substitute(Symbol("k"), LETTERS, {"k": 3}) == Number(3.0, exact=True)
    assert substitute(w, LETTERS) is LETTERS["W1"]


def test_dust_goes_with_its_entry():
    dusty = Bindings(
        {"v": Matrix(np.array([[1e-17], [2.0]]), np.array([[True], [False]])), "k": Number(1e-17, dust=True)}
    )
    first, second = (substitute(Symbol("v", entry=(i,)), dusty) for i in (0, 1))
    assert (first, second) == (Number(1e-17, dust=True), Number(2.0))
    assert substitute(BigSum("k", ONE, TWO, v_k), dusty) == Sum((first, second))
    assert substitute(Symbol("k"), dusty) == Number(1e-17, dust=True)


def test_marks_of_dust():
    two = Matrix(np.array([[1.0, 2.0]]))
    assert marked(two, None) is two
    assert marked(two, np.array([[False, False]])) is two
    held = marked(two, np.array([[False, True]]))
    assert isinstance(held, Matrix) and held.dust is not None and held.dust.tolist() == [[False, True]]
    assert marked(Number(3.0), np.array([[True]])) == Number(3.0, dust=True)
    assert marked(Number(3.0), np.array([[False]])) == Number(3.0)


def test_a_table_of_one_number_is_a_number():
    assert node(np.array(2.0)) == node(np.array([2.0])) == node(np.array([[2.0]])) == Number(2.0)
    assert plain(node(np.zeros((1, 2)))) == "#1x2"
    assert plain(node(np.zeros(2))) == "#1x2"
    assert added([k]) is k
    assert added([k, l]) == Sum((k, l))


NUMBERS = {name: substitute(Symbol(name, 1) if name in ("W", "delta", "b") else Symbol(name), LETTERS) for name in
           ("W", "x", "delta", "b", "k", "l", "u", "v", "row")}  # fmt: skip
A, B, P, Q = NUMBERS["W"], NUMBERS["x"], NUMBERS["k"], NUMBERS["l"]
U, V, ROW, D2 = NUMBERS["u"], NUMBERS["v"], NUMBERS["row"], NUMBERS["delta"]
SHARE = Divide(ONE, TWO)

LINES: list[tuple[Line, Expression, str]] = [
    (same, Sum((P, Q)), "# + #"),
    (products_worked_out, Sum((MatMul(A, B), NUMBERS["b"])), "#2x2 + #2x1"),
    (
        products_worked_out,
        Sum((Times((P, Q), sign=True), Outer(U, V), P, Negative(Times((P, Q))))),
        "# + #2x3 + # - # #",
    ),
    (products_worked_out, Times((P, Q)), "# #"),
    (factors_worked_out, Times((Sum((P, Q)), P), sign=True), "# #"),
    (factors_worked_out, Sum((P, Q)), "# + #"),
    (change_worked_out, Sum((P, Negative(Times((Q, Q))))), "# + #"),
    (change_worked_out, Sum((P, Times((Q, Q)))), "# + # #"),
    (change_worked_out, Sum((P, Negative(Q), Negative(Q))), "# - # - #"),
    (change_worked_out, P, "#"),
    (
        worked_out(Apply),
        Divide(Apply("exp", (P,)), Sum((Apply("exp", (P,)), Apply("exp", (Q,))))),
        "# / (# + #)",
    ),
    (
        worked_out(Apply, functions=lambda name: name == "abs"),
        Sum((Apply("exp", (P,)), Apply("abs", (Q,)))),
        "exp(#) + #",
    ),
    (worked_out(Times, Power), Sum((Times((P, Q)), Power(P, TWO), Negative(P))), "# + # - #"),
    (turned, MatMul(Transpose(A), U), "#3x2 . #2x1"),
    (turned, Transpose(Sum((A, A))), "(#2x3 + #2x3)^T"),
    (as_outer, MatMul(U, Transpose(V)), "#2x1 . #1x3"),
    (as_outer, MatMul(Transpose(ROW), ROW), "#3x1 . #1x3"),
    (as_outer, MatMul(P, ROW), "# x #1x3"),
    (as_outer, MatMul(U, P), "#2x1 x #"),
    (as_outer, MatMul(A, B), "#2x3 . #3x2"),
    (as_outer, Times((SHARE, MatMul(U, Transpose(V)))), "1 / 2 #2x1 . #1x3"),
    (as_outer, Times((SHARE, TWO, MatMul(U, Transpose(V)))), "1 / 2 2 #2x1 . #3x1^T"),
    (sample_by_sample, MatMul(A, B), "#2x1 . #1x2 + #2x1 . #1x2 + #2x1 . #1x2"),
    (sample_by_sample, MatMul(ROW, Transpose(ROW)), "# x # + # x # + # x #"),
    (sample_by_sample, Times((SHARE, MatMul(D2, D2))), "1 / 2 (#2x1 . #1x2 + #2x1 . #1x2)"),
    (sample_by_sample, MatMul(U, P), "#2x1 x #"),
    (sample_by_sample, P, "#"),
]


@pytest.mark.parametrize(
    ("line", "tree", "written"), LINES, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_line_writes_what_is_worked_out_and_is_worth_the_same(line: Line, tree: Expression, written: str):
    made = line(tree)
    assert plain(made) == written
    np.testing.assert_allclose(evaluate(made), evaluate(tree), rtol=1e-13)


def test_each_sample_is_its_own_column_and_row():
    made = sample_by_sample(MatMul(A, B))
    assert isinstance(made, Sum)
    for i, term in enumerate(made.terms):
        assert isinstance(term, MatMul)
        np.testing.assert_array_equal(evaluate(term.left), W[:, [i]])
        np.testing.assert_array_equal(evaluate(term.right), X[[i]])


DUST = np.array([[True, False], [False, True]])
DUSTY = Matrix(np.array([[1.0, 2.0], [3.0, 4.0]]), DUST)
COLUMN, LINE = Matrix(np.array([[1.0], [2.0]]), DUST[:, :1]), Matrix(np.array([[1.0, 2.0]]), DUST[:1])


def dusts(tree: Expression, pick: Callable[[Expression], Expression]) -> list | None:
    found = pick(tree)
    assert isinstance(found, Matrix)
    return None if found.dust is None else found.dust.tolist()


def test_dust_stays_with_its_numbers_from_line_to_line():
    assert dusts(turned(Transpose(DUSTY)), lambda t: t) == DUST.T.tolist()
    outer = as_outer(MatMul(COLUMN, Transpose(COLUMN)))
    assert dusts(outer, lambda t: t.left) == [[True], [False]]
    assert dusts(outer, lambda t: t.right) == [[True, False]]
    made = sample_by_sample(MatMul(DUSTY, Matrix(np.eye(2))))
    assert dusts(made.terms[1].left, lambda t: t) == [[False], [True]]
    assert dusts(made.terms[1].right, lambda t: t) is None
    made = sample_by_sample(MatMul(Matrix(np.eye(2)), DUSTY))
    assert dusts(made.terms[1].right, lambda t: t) == [[False, True]]
    change = change_worked_out(Sum((DUSTY, Negative(Times((TWO, DUSTY))))))
    assert dusts(change.terms[1], lambda t: t) == DUST.tolist()
    change = change_worked_out(Sum((DUSTY, Negative(Times((DUSTY, Number(1e-17, dust=True)))))))
    assert dusts(change.terms[1], lambda t: t) is None  # of two that are dust neither says which entries
    assert as_outer(MatMul(LINE, Number(1e-17, dust=True))) == MatMul(LINE, Number(1e-17, dust=True))
    single = as_outer(MatMul(COLUMN, Number(1e-17, dust=True)))
    assert single.factors[1] == Number(1e-17, dust=True)


PUT_IN: list[tuple[Expression, Expression, bool]] = [
    (k, LETTERS["k"], True),
    (k, LETTERS["l"], False),
    (w, LETTERS["W1"], True),
    (w, Matrix(W), False),  # the same numbers, yet not surely from there
    (Symbol("v", entry=(1,)), Number(-2.0), True),
    (Symbol("v", entry=(1,)), Number(2.0), False),
    (Symbol("v", entry=(1,)), Matrix(W), False),
    (Sum((k, l)), Sum((LETTERS["k"], LETTERS["l"])), True),
    (Sum((k, l)), Sum((LETTERS["l"], LETTERS["k"])), False),
    (Sum((k, l)), Sum((LETTERS["k"],)), False),
    (
        Times((k, l)),
        Times((LETTERS["k"], LETTERS["l"]), sign=True),
        True,
    ),  # the sign says nothing of the worth
    (Times((k, l)), Sum((LETTERS["k"], LETTERS["l"])), False),
    (Power(k, TWO), Power(LETTERS["k"], TWO), True),
    (Power(k, TWO), Power(LETTERS["k"], ONE), False),
    (Apply("exp", (k,)), Apply("exp", (LETTERS["k"],)), True),
    (Apply("exp", (k,)), Apply("abs", (LETTERS["k"],)), False),
    (Apply("softmax", (k,), axis=1), Apply("softmax", (LETTERS["k"],)), False),
    (BigSum("k", ONE, m, v_k), BigSum("k", ONE, m, v_k), False),
    (Cases(((k, None),)), Cases(((LETTERS["k"], None),)), True),
    (Cases(((k, None),)), Cases(((LETTERS["k"], Relation(ONE, "=", ONE)),)), False),
]


@pytest.mark.parametrize(("tree", "numbers", "surely"), PUT_IN, ids=str)
def test_what_is_surely_nothing_but_the_letters_with_their_numbers(
    tree: Expression, numbers: Expression, surely: bool
):
    assert is_put_in(tree, numbers, LETTERS) is surely


def test_the_very_matrix_and_sum_are_put_in():
    one, total = Matrix(W), BigSum("k", ONE, m, v_k)
    assert is_put_in(one, one, LETTERS)
    assert not is_put_in(one, Matrix(W), LETTERS)
    assert is_put_in(total, total, LETTERS)
