"""Every kind of node has the value that NumPy gives it at random numbers, and walks of trees see all of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from handgrad.errors import VerificationError
from handgrad.nn.arrays import Array
from handgrad.worked.bindings import Bindings
from handgrad.worked.computed import Computed
from handgrad.worked.evaluate import MANY, evaluate, evaluate_bounded, is_rounded, leaves, map_tree
from handgrad.worked.expressions import (
    Apply,
    BigSum,
    Cases,
    Divide,
    Ellipsis,
    Expression,
    Factor,
    Gradient,
    Grid,
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

RNG = np.random.default_rng(11)
A, B, V, R = (RNG.normal(size=shape) for shape in ((2, 3), (2, 3), (3, 1), (1, 2)))
C = np.array([[1.0, -2.0, 0.5], [-3.0, 4.0, -0.25]])
K, N = 1.75, 3
a, b, c, v, r, k = (Symbol(letter) for letter in "abcvrk")
LETTERS = Bindings(
    {
        **{name: Matrix(array) for name, array in zip("abcvr", (A, B, C, V, R), strict=True)},
        "k": Number(K),
        "n": Number(N),
        "m": Number(2),
        "da": Matrix(2 * A),
        "W1": Matrix(A),
    }
)
V_k, V_j = Symbol("v", entry=("k",)), Symbol("v", entry=("j",))
ONE = Number(1.0, exact=True)
SOFT = np.exp(A) / np.exp(A).sum(axis=0)
SOFT_ROWS = np.exp(A) / np.exp(A).sum(axis=1, keepdims=True)
NINE = tuple(Number(x) for x in RNG.normal(size=MANY + 1))

NODES: dict[str, tuple[Expression, Any]] = {
    "number": (Number(2.5), 2.5),
    "matrix": (Matrix(A), A),
    "letter": (a, A),
    "letter of one number": (k, K),
    "gradient": (Gradient(Symbol("loss"), a), 2 * A),
    "an entry of a vector": (Symbol("v", entry=(1,)), V[1, 0]),
    "an entry of a matrix": (Symbol("W", 1, entry=(1, 2)), A[1, 2]),
    "a sample": (Symbol("a", sample=1), A[:, [1]]),
    "a unit of a sample": (Symbol("a", entry=(1,), sample=2), A[1, 2]),
    "grid": (Grid(((k, ONE), (ONE, k))), [[K, 1], [1, K]]),
    "sum": (Sum((a, b, Negative(c))), A + B - C),
    "sum with a column": (Sum((a, Transpose(r))), A + R.T),
    "sum of many numbers": (Sum(NINE), sum(number.value for number in NINE)),
    "sum of many matrices": (Sum((a,) * (MANY + 2)), (MANY + 2) * A),
    "negative": (Negative(a), -A),
    "times": (Times((k, a, Number(2.0))), 2 * K * A),
    "product of matrices": (MatMul(a, v), A @ V),
    "entry by entry": (Hadamard((a, b, c)), A * B * C),
    "outer of columns": (Outer(v, v), V @ V.T),
    "outer of rows": (Outer(r, v), R.T @ V.T),
    "transpose": (Transpose(a), A.T),
    "quotient": (Divide(a, b), A / B),
    "power": (Power(a, Number(2.0)), A**2),
    "power of a number": (Power(Number(3.0), k), 3**K),
    "root": (Root(Power(a, Number(2.0))), np.abs(A)),
    "norm": (Norm(a), np.sqrt((A**2).sum())),
    "sum of sizes": (Norm(a, 1), np.abs(A).sum()),
    "function": (Apply("tanh", (a,)), np.tanh(A)),
    "function with a parameter": (Apply("leaky_relu", (a,), (k,)), np.where(A > 0, A, K * A)),
    "function of two": (Apply("max", (a, b)), np.maximum(A, B)),
    "softmax of columns": (Apply("softmax", (a,)), SOFT),
    "softmax of rows": (Apply("softmax", (a,), axis=1), SOFT_ROWS),
    "factor": (Factor("label", a), A),
    "sum over an index": (BigSum("k", ONE, Symbol("n"), Power(V_k, Number(2.0))), (V**2).sum()),
    "sum over an index from 2": (BigSum("k", Number(2.0), Symbol("n"), V_k), V[1:].sum()),
    "sum over two indices": (
        BigSum("k", ONE, Symbol("n"), BigSum("j", ONE, Symbol("m"), Times((V_k, V_j)))),
        V.sum() * V[:2].sum(),
    ),
    "sum over an index that depends on another": (
        BigSum("k", ONE, Symbol("n"), Times((Symbol("k"), V_k))),
        (V[:, 0] * [1, 2, 3]).sum(),
    ),
    "norms within a sum": (BigSum("k", ONE, Symbol("n"), Norm(V_k)), np.abs(V).sum()),
    "sum of what has no index": (BigSum("k", ONE, Symbol("n"), v), 3 * V),
    "sum over samples": (
        BigSum("i", ONE, Symbol("n"), Symbol("a", sample="i")),
        A.sum(axis=1, keepdims=True),
    ),
    "all entries": (SumOver(a, None), A.sum()),
    "down": (SumOver(a, 0), A.sum(axis=0, keepdims=True)),
    "across": (SumOver(a, 1), A.sum(axis=1, keepdims=True)),
    "mean of all": (SumOver(a, None, mean=True), A.mean()),
    "mean down": (SumOver(a, 0, mean=True), A.mean(axis=0, keepdims=True)),
    "cases": (
        Cases(
            ((Negative(c), Relation(c, "<", Number(-2.0))), (Number(9.0), Relation(c, "<", ONE)), (c, None))
        ),
        np.where(C < -2, -C, np.where(C < 1, 9.0, C)),
    ),
    "one case for all": (Cases(((c, Relation(k, ">", ONE)), (a, None))), C),
    "the other case for all": (Cases(((c, Relation(k, ">", Number(9.0))), (a, None))), A),
}


@pytest.mark.parametrize("name", NODES)
def test_a_node_has_the_value_that_numpy_gives_it(name: str):
    tree, wanted = NODES[name]
    wanted = np.atleast_2d(np.asarray(wanted, float))
    for found in (evaluate(tree, LETTERS), evaluate_bounded(tree, LETTERS, 2.0**-53).value):
        assert found.shape == wanted.shape
        np.testing.assert_allclose(found, wanted, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("name", NODES)
def test_an_error_of_a_letter_comes_through_as_far_as_it_moves_the_value(name: str):
    """The bound covers what happens where every letter is off by its error, and is no larger than it must be."""
    tree, _ = NODES[name]
    if name in ("function with a parameter", "cases"):
        return  # a parameter is a constant without error; one of the cases lies where its condition changes
    small = 1e-7
    off = {
        letter: small * (1 + np.abs(evaluate(value)))
        for letter, value in LETTERS.items()
        if letter in "abcvrkda"
    }
    bound = evaluate_bounded(tree, LETTERS, 1e-300, off).error
    moved = np.zeros(1)
    for signs in RNG.choice([-1.0, 1.0], size=(40, len(off))):
        held = {
            letter: Matrix(
                evaluate(value) + sign * off[letter] * RNG.choice([0.999, 0.999, -0.999], off[letter].shape)
            )
            if letter in off
            else value
            for (letter, value), sign in zip(LETTERS.items(), [*signs, *np.ones(len(LETTERS))], strict=False)
        }
        moved = np.maximum(moved, np.abs(evaluate(tree, Bindings(held)) - evaluate(tree, LETTERS)))
    assert np.all(moved <= np.asarray(bound) * (1 + 1e-5) + 1e-14)
    assert np.all(np.asarray(bound) <= 12 * np.max(moved) + 1e-14)


SIGNS = {"=": (0, 1, 0), "<": (1, 0, 0), ">": (0, 0, 1), "<=": (1, 1, 0), ">=": (0, 1, 1), "!=": (1, 0, 1)}


@pytest.mark.parametrize("sign", SIGNS)
def test_a_relation_holds_or_not(sign: str):
    beside = Matrix(np.array([[1.0, 2.0, 3.0]]))
    assert evaluate(Relation(beside, sign, Number(2.0))).tolist() == [list(map(float, SIGNS[sign]))]


REFUSED: dict[str, tuple[Expression, str]] = {
    "a letter that stands for nothing": (Symbol("q"), "the letter q stands for no number"),
    "two matrices in a product of numbers": (Times((a, b)), "2 x 3 times 2 x 3"),
    "shapes that do not fit": (MatMul(a, b), "shapes do not fit in MatMul"),
    "no case": (Cases(((a, Relation(k, ">", Number(9.0))),)), "none of the cases applies"),
    "a sum without ends": (BigSum("i", None, None, a), "does not say from where to where"),
    "an entry that is not there": (Symbol("v", entry=(3,)), "lies outside its 3 x 1"),
    "dots": (Ellipsis(), "Ellipsis has no value"),
    "no function": (Apply("f", (a,)), "unknown function 'f'"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_has_no_value_is_refused(what: str):
    tree, message = REFUSED[what]
    with pytest.raises(VerificationError, match=message):
        evaluate(tree, LETTERS)


def test_an_error_of_an_entry_is_that_entry_of_the_errors():
    error = np.arange(6.0).reshape(2, 3)
    found = evaluate_bounded(Symbol("W", 1, entry=(1, 2)), LETTERS, 1e-300, {"W1": error})
    assert found.error.tolist() == [[5.0]]
    assert evaluate_bounded(Symbol("k"), LETTERS, 1e-300, {"W1": error}).error == 0.0


def test_of_many_numbers_the_errors_are_added_too():
    names = [f"x{i}" for i in range(MANY + 2)]
    letters = Bindings({name: Number(1.0 + i) for i, name in enumerate(names)})
    tree = Sum(tuple(Symbol("x", i) for i in range(MANY + 2)))
    errors = {name: np.array([[0.5]]) for name in names}
    assert evaluate_bounded(tree, letters, 1e-300, errors).error == pytest.approx(0.5 * len(names))
    found = evaluate_bounded(tree, letters, 2.0**-53)
    assert found.value.tolist() == [[55.0]]
    assert found.error == pytest.approx(len(names) * 55.0 * 2.0**-53)
    assert found.value.shape == (1, 1)


def test_entries_of_a_grid_keep_their_errors():
    grid = Grid(((k, ONE), (ONE, k)))
    assert evaluate_bounded(grid, LETTERS, 1e-300, {"k": np.array([[0.5]])}).error.tolist() == [
        [0.5, 0],
        [0, 0.5],
    ]
    stacked = Grid(((Symbol("a", sample=0), Symbol("a", sample=2)),))
    np.testing.assert_array_equal(evaluate(stacked, LETTERS), A[:, [0, 2]])


TREE = Sum(
    (
        Times((k, a)),
        Negative(Apply("leaky_relu", (b,), (Symbol("alpha"),))),
        Cases(((v, Relation(r, ">", c)),)),
    )
)


def test_leaves_stand_from_left_to_right():
    alpha = Symbol("alpha")
    assert list(leaves((TREE, Matrix(A))))[:-1] == [k, a, b, alpha, v, r, c]
    assert isinstance(next(iter(leaves((Matrix(A),)))), Matrix)
    assert list(leaves((Gradient(a, b),))) == [a, b]


def test_a_tree_in_which_nothing_changes_is_the_same_tree():
    assert map_tree(TREE, lambda part: part) is TREE
    changed = map_tree(TREE, lambda part: b if part == a else part)
    assert changed != TREE
    assert isinstance(changed, Sum)
    assert changed.terms[1] is TREE.terms[1]
    seen: list[Expression] = []
    map_tree(TREE, lambda part: seen.append(part) or part)  # type: ignore[func-returns-value]
    assert seen[:3] == [k, a, Times((k, a))]  # leaves first
    assert seen[-1] is TREE


@pytest.mark.parametrize(
    ("tree", "endless"),
    [
        (Number(2.0), False),
        (Apply("exp", (Matrix(np.array([[0.0, 1.0]])),)), True),
        (Sum((Apply("exp", (Number(0.0),)), Apply("tanh", (Number(1.0),)))), True),
        (Sum((Apply("tanh", (Number(1.0),)), Apply("exp", (Number(0.0),)))), True),
        (Apply("relu", (Number(1.5),)), False),
    ],
)
def test_one_function_without_a_decimal_makes_a_tree_of_numbers_rounded(tree: Expression, endless: bool):
    assert is_rounded(tree) is endless


def exact_within(found: Computed, wanted: Array) -> bool:
    return bool(np.all(np.abs(found.value - wanted) <= np.asarray(found.error)))


def test_a_mean_divides_its_error_too():
    found = evaluate_bounded(SumOver(a, 1, mean=True), LETTERS, 1e-300, {"a": np.full((2, 3), 0.6)})
    np.testing.assert_allclose(found.error, [[0.6], [0.6]], rtol=1e-12)
    assert exact_within(found, A.mean(axis=1, keepdims=True) + 0.5)
