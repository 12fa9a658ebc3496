"""The network as one formula, layer by layer and all at once; one unit with its sum; rows and columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from handgrad.worked.bindings import array_of
from handgrad.worked.expressions import (
    Apply,
    BigSum,
    Divide,
    Expression,
    Grid,
    Hadamard,
    Sum,
    Symbol,
    Times,
    Transpose,
)
from handgrad.worked.paper import ONE, Paper
from handgrad.worked.record import Equation, Lesson
from handgrad.worked.substitute import node, same
from handgrad.worked.textbook.desk import Desk, in_letters, proved, with_entries

MOST_NESTED = 4
"""Layers that one formula nests; that of a deeper network begins at the output of a layer below them."""


# --- the whole network ------------------------------------------------------------------------------------


def roles(desk: Desk) -> Lesson:
    """Each layer as one equation: a[l] = f(W[l] a[l-1] + b[l])."""
    proofs = _layers(desk.paper)
    return Lesson(tuple(map(in_letters, proofs)), (proved(desk.number, desk.paper, proofs),))


def _layers(paper: Paper) -> list[Equation]:
    return [
        paper.equation(paper.symbol(paper.activity(l)), _composed(paper, l, 1), lines=())
        for l in range(1, paper.network.depth + 1)
    ]


def composition(desk: Desk) -> Lesson:
    """Each layer as one equation, then all of them, one within the other.

    a[l] = f(W[l] a[l-1] + b[l]);  yhat = f(W[2] f(W[1] x + b[1]) + b[2])
    """
    paper = desk.paper
    proofs = _layers(paper)
    whole = _composed(paper, paper.network.depth, MOST_NESTED)
    combined = paper.equation(paper.symbol("yhat"), whole, lines=(same,) if desk.small else ())
    shown = [in_letters(equation) for equation in proofs]
    if paper.network.depth > 1:
        shown.append(combined if desk.own else in_letters(combined))
    return Lesson(tuple(shown), (proved(desk.number, paper, (*proofs, combined)),))


def _composed(paper: Paper, l: int, nested: int) -> Expression:
    """The output of layer l from that of the layer `nested` layers below it."""
    if l == 0 or nested == 0:
        return paper.symbol(paper.activity(l))
    layer = paper.network.layers[l - 1]
    z = paper.weighted(paper.symbol(f"W{l}"), _composed(paper, l - 1, nested - 1))
    if layer.bias != "none":
        z = Sum((z, paper.symbol(f"b{l}")))
    output = _through(paper, l, z)
    if not paper.has(f"mask{l}"):
        return output
    return Divide(Hadamard((paper.symbol(f"mask{l}"), output)), paper.letter("keep", l))


def _through(paper: Paper, l: int, z: Expression) -> Expression:
    """f(z) of layer l; z itself where the layer has no curve."""
    function = paper.network.layers[l - 1].function
    if function.name == "identity":
        return z
    parameters = () if function.alpha is None else (paper.letter("alpha", l),)
    return Apply(function.name, (z,), parameters, paper.unit_axis)


# --- one unit ---------------------------------------------------------------------------------------------


def unit(desk: Desk) -> Lesson:
    """What unit j of any layer computes, and the first unit of the first layer with its numbers.

    z_j = sum_k w_jk a_k + b_j;  a_j = f(z_j)
    """
    paper = desk.alone
    general = [_weighted(paper, "l", bias=any(layer.bias != "none" for layer in paper.network.layers))]
    general.append(Equation(Symbol("a", "l", ("j",)), (Apply("f", (Symbol("z", "l", ("j",)),)),)))
    instances = [
        paper.equation(equation.target, *equation.symbols, lines=())
        for l, layer in paper.network.numbered()
        for j in range(min(layer.units, 3))
        for equation in _of_unit(paper, l, j)
    ]
    example = _example(paper)
    shown = [*general, example if desk.own else in_letters(example)]
    return Lesson(tuple(shown), (proved(desk.number, paper, (*instances, example)),))


def _weighted(paper: Paper, l: int | str, *, bias: bool) -> Equation:
    """z_j of layer l as a sum over the outputs k of the layer below."""
    below = "l-1" if isinstance(l, str) else l - 1
    activity = Symbol("a", below) if isinstance(below, str) else paper.symbol(paper.activity(below))
    assert isinstance(activity, Symbol)
    product = Times((Symbol("W", l, ("j", "k")), replace(activity, entry=("k",))))
    terms: list[Expression] = [BigSum("k", ONE, Symbol("n", below), product)]
    if bias:
        terms.append(Symbol("b", l, ("j",)))
    return Equation(Symbol("z", l, ("j",)), (Sum(tuple(terms)) if bias else terms[0],))


def _of_unit(paper: Paper, l: int, j: int) -> Iterator[Equation]:
    """The two equations of unit j of layer l; softmax has none for a unit alone, dropout a mask between."""
    layer = paper.network.layers[l - 1]
    yield with_entries(_weighted(paper, l, bias=layer.bias != "none"), {"j": j})
    if layer.function.elementwise and not paper.has(f"mask{l}"):
        output = paper.symbol(paper.activity(l))
        assert isinstance(output, Symbol)
        yield Equation(replace(output, entry=(j,)), (_through(paper, l, Symbol("z", l, (j,))),))


def _example(paper: Paper) -> Equation:
    """The first unit of the first layer: its output where that is its own, else its weighted sum."""
    layer = paper.network.layers[0]
    weighted = with_entries(_weighted(paper, 1, bias=layer.bias != "none"), {"j": 0})
    if not layer.function.elementwise or paper.has("mask1"):
        return paper.equation(weighted.target, *weighted.symbols)
    output = paper.symbol(paper.activity(1))
    assert isinstance(output, Symbol)
    inner = weighted.symbols[0]
    return paper.equation(replace(output, entry=(0,)), _through(paper, 1, inner))


# --- rows and columns -------------------------------------------------------------------------------------


def vectors(desk: Desk) -> Lesson:
    """The inputs of the first sample as a column and as a row, which is the transpose of the other."""
    paper = desk.alone
    entries = tuple(Symbol("x", entry=(k,)) for k in range(paper.sizes[0]))
    upright, across = Grid(tuple((entry,) for entry in entries)), Grid((entries,))
    x, turned = Symbol("x"), Transpose(Symbol("x"))
    column, row = (x, turned) if paper.column else (turned, x)
    values = array_of(paper.value("x")).reshape(-1, 1)
    equations = (
        Equation(column, (upright,), result=node(values)),
        Equation(row, (across,), result=node(values.T)),
    )
    turned_over = Equation(
        turned,
        (Transpose(upright if paper.column else across),),
        result=node(values.T if paper.column else values),
    )
    shown = equations if desk.own else tuple(map(in_letters, equations))
    return Lesson(shown, (proved(desk.number, paper, (*equations, turned_over)),))
