"""Every entry of every quantity, in scalars, has the number of the whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.worked.plain import plain

from handgrad.cases.case import Case
from handgrad.worked.bindings import Bindings
from handgrad.worked.entries import entry_of, letters_in
from handgrad.worked.evaluate import evaluate
from handgrad.worked.expressions import (
    Apply,
    BigSum,
    Cases,
    Divide,
    Expression,
    Factor,
    Gradient,
    Hadamard,
    MatMul,
    Matrix,
    Negative,
    Norm,
    Number,
    Outer,
    Power,
    Relation,
    Root,
    Sum,
    SumOver,
    Symbol,
    Times,
    Transpose,
)
from handgrad.worksheets.worksheet import explain

EXAMPLES = Path(__file__).parents[2] / "examples"
CASES = (
    "relu-sigmoid-2-2-1",
    "mazur-2015",
    "zhou-2019",
    "planar-backward",
    "trask-2015-two-layers",
    "cs231n-softmax-slides",
)


@pytest.mark.parametrize("orientation", ["column", "row"])
@pytest.mark.parametrize("stem", CASES)
def test_an_entry_in_scalars_is_the_entry_of_the_whole(stem: str, orientation: str) -> None:
    case = Case.load(EXAMPLES / f"{stem}.toml")
    (step,) = explain(case, step=1, orientation=orientation).record.steps
    seen = 0
    for quantity, letters in step.program:
        whole = evaluate(letters, step.bindings)
        for row, column in list(np.ndindex(*whole.shape))[:12]:
            tree = entry_of(letters, row, column, step.bindings)
            found = evaluate(tree, step.bindings)
            place = min(row, found.shape[0] - 1), min(column, found.shape[1] - 1)
            scale = np.max(np.abs(whole))
            assert np.isclose(found[place], whole[row, column], rtol=1e-12, atol=1e-13 * scale), (
                quantity,
                row,
                column,
            )
            seen += found.shape == (1, 1)
    assert seen > 8


# --- every kind of node, written ------------------------------------------------------------------------

RNG = np.random.default_rng(4)
W, X, U = RNG.normal(size=(2, 3)), RNG.normal(size=(3, 2)), RNG.normal(size=(2, 1))
LETTERS = {
    column: Bindings(
        {
            "W1": Matrix(W),
            "x": Matrix(X if column else X.T),
            "b1": Matrix(U if column else U.T),
            "k": Number(2.0),
            "z1": Matrix(X[:2] if column else X[:2].T),
            "dW1": Matrix(W),
            "dyhat": Matrix(X if column else X.T),
            "m": Number(2),
            "delta1": Matrix(X[:2] if column else X[:2].T),
            "s1": Matrix(RNG.normal(size=(1, 2) if column else (2, 1))),
        },
        column,
    )
    for column in (True, False)
}
w, x, b, k, z = Symbol("W", 1), Symbol("x"), Symbol("b", 1), Symbol("k"), Symbol("z", 1)
ONE = Number(1.0, exact=True)

OPENED: list[tuple[Expression, tuple[int, int], str]] = [
    (w, (1, 2), "W1[1,2]"),
    (x, (2, 1), "x[2](1)"),
    (b, (1, 0), "b1[1]"),
    (k, (0, 0), "k"),
    (Symbol("s", 1), (0, 1), "s1(1)"),
    (Gradient(Symbol("loss"), w), (0, 1), "dloss/dW1[0,1]"),
    (Gradient(Symbol("loss", sample="i"), Symbol("yhat")), (2, 1), "dloss(1)/dyhat[2](1)"),
    (Symbol("W", 1, (0, 1)), (0, 0), "W1[0,1]"),
    (MatMul(w, x), (1, 0), "W1[1,0] x[0](0) + W1[1,1] x[1](0) + W1[1,2] x[2](0)"),
    (Sum((MatMul(w, x), b)), (0, 1), "W1[0,0] x[0](1) + W1[0,1] x[1](1) + W1[0,2] x[2](1) + b1[0]"),
    (MatMul(Transpose(w), z), (2, 1), "W1[0,2] z1[0](1) + W1[1,2] z1[1](1)"),
    (Transpose(x), (1, 2), "x[2](1)"),
    (Outer(b, b), (1, 0), "b1[1] b1[0]"),
    (Outer(Transpose(b), b), (1, 0), "b1[1] b1[0]"),
    (Hadamard((z, z)), (1, 1), "z1[1](1) z1[1](1)"),
    (Times((k, w), sign=True), (1, 0), "k x W1[1,0]"),
    (Divide(z, b), (1, 0), "z1[1](0) / b1[1]"),
    (Power(z, Number(2.0, exact=True)), (0, 1), "z1[0](1)^2"),
    (Root(z), (0, 1), "root(z1[0](1))"),
    (Negative(z), (0, 1), "-z1[0](1)"),
    (Norm(w), (0, 0), "norm2(W1)"),
    (Factor("label", z), (0, 1), "z1[0](1)"),
    (Relation(z, ">", k), (1, 0), "z1[1](0) > k"),
    (
        Cases(((z, Relation(z, ">", k)), (Times((k, z)), None))),
        (1, 0),
        "{z1[1](0) if z1[1](0) > k; k z1[1](0)}",
    ),
    (Apply("leaky_relu", (z,), (k,)), (1, 0), "leaky_relu(z1[1](0); k)"),
    (Apply("softmax", (z,)), (1, 0), "exp(z1[1](0)) / (exp(z1[0](0)) + exp(z1[1](0)))"),
    (Apply("ln_softmax", (z,)), (1, 0), "ln_softmax(z1)"),
    (Apply("softmax'", (z,)), (1, 0), "softmax'(z1)"),
    (SumOver(z, 1), (1, 0), "z1[1](0) + z1[1](1)"),
    (SumOver(z, 0), (0, 1), "z1[0](1) + z1[1](1)"),
    (SumOver(z, None), (0, 0), "z1[0](0) + z1[0](1) + z1[1](0) + z1[1](1)"),
    (SumOver(z, 1, mean=True), (1, 0), "(z1[1](0) + z1[1](1)) / 2"),
    (BigSum("i", ONE, Symbol("m"), Symbol("delta", 1, sample="i")), (1, 0), "sum i=1..m delta1[1](i)"),
    (Matrix(W), (1, 2), "#"),
    (Number(3.0), (0, 0), "#"),
]


@pytest.mark.parametrize(
    ("tree", "place", "written"), OPENED, ids=lambda value: value if isinstance(value, str) else ""
)
def test_an_entry_is_written_in_scalars(tree: Expression, place: tuple[int, int], written: str) -> None:
    opened = entry_of(tree, *place, LETTERS[True])
    assert plain(opened) == written
    if "softmax(" in written or "'" in written or "norm" in written:
        assert opened is tree
        return
    whole = evaluate(tree, LETTERS[True])
    row, column = min(place[0], whole.shape[0] - 1), min(place[1], whole.shape[1] - 1)
    np.testing.assert_allclose(evaluate(opened, LETTERS[True]), whole[row, column], rtol=1e-13)


ROWS: list[tuple[Expression, tuple[int, int], str]] = [
    (x, (1, 2), "x[2](1)"),
    (b, (0, 1), "b1[1]"),
    (MatMul(x, Transpose(w)), (0, 1), "x[0](0) W1[1,0] + x[1](0) W1[1,1] + x[2](0) W1[1,2]"),
    (Apply("softmax", (z,), axis=1), (0, 1), "exp(z1[1](0)) / (exp(z1[0](0)) + exp(z1[1](0)))"),
    (BigSum("i", ONE, Symbol("m"), Symbol("delta", 1, sample="i")), (0, 1), "sum i=1..m delta1[1](i)"),
    (Symbol("s", 1), (1, 0), "s1(1)"),
]


@pytest.mark.parametrize(
    ("tree", "place", "written"), ROWS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_an_entry_where_samples_are_rows(tree: Expression, place: tuple[int, int], written: str) -> None:
    opened = entry_of(tree, *place, LETTERS[False])
    assert plain(opened) == written
    np.testing.assert_allclose(
        evaluate(opened, LETTERS[False]), evaluate(tree, LETTERS[False])[place], rtol=1e-13
    )


def test_what_is_one_along_an_axis_is_repeated_along_it() -> None:
    assert plain(entry_of(Sum((z, b)), 1, 1, LETTERS[True])) == "z1[1](1) + b1[1]"
    assert plain(entry_of(Sum((z, k)), 1, 1, LETTERS[True])) == "z1[1](1) + k"
    assert plain(entry_of(Sum((z, Symbol("s", 1))), 1, 1, LETTERS[True])) == "z1[1](1) + s1(1)"


def test_letters_of_a_tree_each_once_from_left_to_right() -> None:
    slope = Gradient(Symbol("loss"), w)
    tree = Cases(((Sum((k, z, k)), Relation(slope, ">", b)), (Apply("clip", (x,), (Symbol("c"),)), None)))
    assert letters_in(tree) == [k, z, slope, b, x, Symbol("c")]
    assert letters_in(Sum((Matrix(W), Number(1.0)))) == []
