"""Notation: one symbol in every choice of notation, apart for typesetting and as plain text."""

from __future__ import annotations

import pytest

from handgrad.errors import RenderError
from handgrad.nn.activations import ACTIVATIONS
from handgrad.worked.expressions import Symbol
from handgrad.worked.functions import FUNCTIONS
from handgrad.writing.letter_parts import Notation, Written
from handgrad.writing.letters import LABELS, LETTERS, STATES, function_written, plain, written

BRACKET, SUPER, SUB = (Notation(layer=layer) for layer in ("bracket", "superscript", "subscript"))
ZERO_BASED = Notation(layer="subscript", first=0)


@pytest.mark.parametrize(
    ("symbol", "notation", "expected", "text"),
    [
        (Symbol("W", 1), BRACKET, Written("W", superscript="[1]", bold=True), "W[1]"),
        (Symbol("W", 1), SUPER, Written("W", superscript="1", bold=True), "W¹"),
        (Symbol("W", 1), SUB, Written("W", subscript="1", bold=True), "W₁"),
        (Symbol("W", 1, (0, 1)), BRACKET, Written("W", subscript="12", superscript="[1]"), "W[1]₁₂"),
        (Symbol("W", 1, (0, 11)), BRACKET, Written("W", subscript="1,12", superscript="[1]"), "W[1]₁,₁₂"),
        (Symbol("W", 1, (0, 1)), ZERO_BASED, Written("W", subscript="1", suffix="[0,1]"), "W₁[0,1]"),
        (Symbol("x", entry=(0,)), ZERO_BASED, Written("x", suffix="[0]"), "x[0]"),
        (Symbol("x", entry=(0,)), BRACKET, Written("x", subscript="1"), "x₁"),
        (Symbol("z", entry=("i",)), SUB, Written("z", subscript="i"), "zᵢ"),
        (Symbol("yhat"), BRACKET, Written("y", accent="hat", bold=True), "ŷ"),
        (Symbol("a", 2), Notation(names="hy"), Written("h", superscript="[2]", bold=True), "h[2]"),
        (Symbol("a", 1), Notation(names="xyz"), Written("y", superscript="[1]", bold=True), "y[1]"),
        (Symbol("yhat"), Notation(names="xyz"), Written("z", bold=True), "z"),
        (Symbol("y"), Notation(names="xyz"), Written("t", bold=True), "t"),
        (Symbol("W", 1, mark="new"), BRACKET, Written("W", "", "new", "[1]", bold=True), "W[1]_new"),
        (
            Symbol("W", 1, mark="m", old=True),
            BRACKET,
            Written("m", "", "W,t−1", "[1]", bold=True),
            "m_W[1]ₜ₋₁",
        ),
        (Symbol("b", 2, mark="v_hat"), SUB, Written("v", "hat", "b,2,t", bold=True), "v̂_b₂ₜ"),
        (Symbol("theta", mark="m"), BRACKET, Written("m", subscript="t", bold=True), "mₜ"),
        (Symbol("x", sample=1), BRACKET, Written("x", superscript="(2)", bold=True), "x⁽²⁾"),
        (Symbol("a", 1, sample=0), SUPER, Written("a", superscript="1,(1)", bold=True), "a¹⁽¹⁾"),
        (Symbol("loss"), BRACKET, Written("ℒ"), "ℒ"),
        (Symbol("data_loss"), BRACKET, Written("ℒ", subscript="data"), "ℒ_data"),
        (Symbol("beta1"), BRACKET, Written("β", subscript="1"), "β₁"),
        (Symbol("z", "l-1"), BRACKET, Written("z", superscript="[l−1]", bold=True), "z[l−1]"),
    ],
)
def test_a_symbol_is_written_in_the_readers_notation(
    symbol: Symbol, notation: Notation, expected: Written, text: str
):
    assert written(symbol, notation) == expected
    assert plain(symbol, notation) == text


@pytest.mark.parametrize("layer", ["bracket", "superscript", "subscript"])
@pytest.mark.parametrize("names", ["az", "hy", "xyz", "capital"])
def test_symbols_that_meet_in_a_sheet_are_written_apart(layer: str, names: str):
    notation = Notation(layer=layer, names=names)
    letters = [Symbol(letter, 1) for letter in ("W", "b", "z", "a", "delta", "f", "mask")]
    single = [
        Symbol(letter) for letter in LETTERS if letter not in {"W", "b", "z", "a", "delta", "f", "mask"}
    ]
    states = [Symbol("W", 1, mark=mark) for mark in (*LABELS, "m", "v", "m_hat", "v_hat", "v_max", "s")]
    symbols = [*letters, *single, *states, Symbol("W", 1, (0, 1)), Symbol("W", 1, mark="m", old=True)]
    texts = [plain(symbol, notation) for symbol in symbols]
    assert len(set(texts)) == len(texts), sorted(texts)


def test_in_capital_letters_the_prediction_is_the_output_of_the_last_layer():
    notation = Notation("subscript", "capital", depth=2, numbers=frozenset({"yhat"}))
    assert written(Symbol("yhat"), notation) == Written("A", subscript="2")
    assert written(Symbol("yhat"), Notation("subscript", "capital")) == Written("A", subscript="L", bold=True)
    assert plain(Symbol("yhat", sample=0), notation) == "A₂⁽¹⁾"
    assert plain(Symbol("loss"), notation) == "C"


def test_velocity_and_second_moment_belong_to_different_optimizers():
    assert STATES["velocity"] == STATES["v"]


def test_unknown_letters_marks_and_functions_are_refused():
    for symbol in (Symbol("digamma"), Symbol("W", 1, mark="odd")):
        with pytest.raises(RenderError, match="add a row"):
            written(symbol, BRACKET)
        with pytest.raises(RenderError, match="add a row"):
            plain(symbol, BRACKET)
    with pytest.raises(RenderError, match="add a row"):
        function_written("cosine")


def test_every_function_of_a_tree_has_a_name():
    for name in {*ACTIVATIONS, *FUNCTIONS, "f", "f'"} - {"abs"}:
        assert function_written(name).base
    assert function_written("sigmoid'").base == "σ′"
