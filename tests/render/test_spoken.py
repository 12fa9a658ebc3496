"""What is said of an equation to somebody who hears it."""

from __future__ import annotations

import pytest

from handgrad.errors import RenderError
from handgrad.render.math import boxes
from handgrad.render.math.boxes import BOXES, Box
from handgrad.render.math.spoken import RULES, spoken
from handgrad.render.math.typeset import Style, typeset
from handgrad.worked.expressions import (
    Apply,
    Divide,
    Expression,
    Gradient,
    Hadamard,
    MatMul,
    Negative,
    Number,
    Power,
    Root,
    Sum,
    Symbol,
    Transpose,
)
from handgrad.writing.letter_parts import Notation
from handgrad.writing.phrasebook import Phrasebook
from tests.render.everything import ELIDED, EXPRESSIONS, numbers

TWO = Number(2.0, exact=True)
W1, X = Symbol("W", 1), Symbol("x")


def said(tree: Expression, language: str = "en", **notation: str) -> str:
    style = Style(Notation(**notation), language, quantities=True)  # type: ignore[arg-type]
    return spoken(typeset(tree, style), Phrasebook(language))


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        (Sum((MatMul(W1, X), Symbol("b", 1))), "W layer 1 x plus b layer 1"),
        (Gradient(Symbol("loss"), W1), "partial loss over partial W layer 1"),
        (Symbol("W", 1, (0, 1)), "W layer 1 sub 1 2"),
        (Symbol("x", None, (11,)), "x sub 12"),
        (Symbol("z", 2, sample=0), "z layer 2 sample 1"),
        (Hadamard((Symbol("delta", 1), X)), "delta layer 1 times, entry by entry, x"),
        (MatMul(Transpose(W1), Symbol("yhat")), "W layer 1 transposed y hat"),
        (Power(Sum((X, Negative(Symbol("y")))), TWO), "open bracket x minus y, close bracket squared"),
        (Apply("exp", (Negative(X),)), "e to the power minus x"),
        (Divide(Number(1.0, exact=True), Sum((TWO, X))), "the fraction 1, over 2 plus x, end of fraction"),
        (Root(X), "the square root of x, end of root"),
        (Apply("sigmoid", (Symbol("z", 2),)), "sigma of open bracket z layer 2, close bracket"),
        (numbers(("0.5",), ("-2",)), "the column 0.5, minus 2, end of column"),
        (
            numbers(("1", "2"), ("3", "4")),
            "the matrix of 2 rows and 2 columns: row 1: 1, 2; row 2: 3, 4, end of matrix",
        ),
    ],
)
def test_an_equation_in_words(tree: Expression, words: str) -> None:
    assert said(tree) == words


def test_a_matrix_that_is_not_shown_whole_says_its_true_shape() -> None:
    assert said(ELIDED).startswith(
        "the matrix of 128 rows and 784 columns: row 1: 0.1, and so on, minus 0.2;"
    )


@pytest.mark.parametrize("language", ["en", "bn"])
@pytest.mark.parametrize("name", EXPRESSIONS)
def test_every_kind_of_node_has_words(name: str, language: str) -> None:
    words = said(EXPRESSIONS[name], language)
    assert words.strip()
    assert "{" not in words and "  " not in words


def test_bengali_equations_are_said_in_bengali() -> None:
    assert said(Sum((MatMul(W1, X), Symbol("b", 1))), "bn") == "W স্তর 1 x যোগ b স্তর 1"


def test_there_is_a_rule_for_every_kind_of_box() -> None:
    assert set(RULES) == set(BOXES)

    class Unknown(Box):
        __slots__ = ()

    with pytest.raises(RenderError, match="Unknown"):
        spoken(Unknown(), Phrasebook("en"))


def test_room_for_digits_is_not_read() -> None:
    assert spoken(boxes.row(boxes.Digits("3"), boxes.Phantom(boxes.Digits(".00"))), Phrasebook("en")) == "3"
