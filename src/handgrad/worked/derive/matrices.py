"""Why matrices: the first layer unit by unit and as one equation, its rows, the transpose, the other products."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from handgrad.worked.bindings import array_of
from handgrad.worked.derive.forward import linear
from handgrad.worked.derive.letters import constants_of
from handgrad.worked.derive.random_step import random_step
from handgrad.worked.expressions import (
    Expression,
    Gradient,
    Grid,
    Hadamard,
    MatMul,
    Matrix,
    Number,
    Outer,
    Sum,
    Symbol,
    Times,
    Transpose,
)
from handgrad.worked.paper import Paper
from handgrad.worked.real import number_of
from handgrad.worked.record import Equation, StepRecord, WorkedStep
from handgrad.worked.substitute import added, node, turned

MOST_UNITS = 3
"""Units whose scalar equations are written; the others follow in the same way."""


def matrix_view(paper: Paper) -> StepRecord:
    """The equations of the part, with the bindings of the first sample; `part` says what each is for.

    Where the step has no such numbers, or has them from elsewhere, they are made at random, and `number` is 0: then
    only the letters can be shown.
    """
    needed = ("x", "W1", "z1", f"W{paper.network.depth}")
    own = all(paper.has(name) for name in needed) and not paper.trace.given
    view = first_sample(paper if own else at_random(paper))
    return StepRecord(
        number=paper.trace.number if own else 0,
        learning_rate=paper.trace.learning_rate,
        quantities=dict(view.quantities),
        steps=tuple(_steps(view, alone=paper.samples == 1)),
        bindings=view.bindings,
    )


def at_random(paper: Paper) -> Paper:
    """The paper of a step of the same network at numbers drawn at random, one sample."""
    trace = random_step(paper.network, paper.recipe, paper.regularization, 1)
    constants = constants_of(trace, paper.network, paper.recipe, paper.regularization)
    return Paper(trace, paper.network, paper.recipe, paper.options, paper.regularization, constants)


def first_sample(paper: Paper) -> Paper:
    """The paper of the first sample alone: what belongs to samples has one row."""

    several = {
        name
        for name, array in paper.quantities.items()
        if name[0] not in "Wb" and name[:2] not in ("dW", "db") and np.ndim(array) == 2
    }
    quantities = {name: array[:1] if name in several else array for name, array in paper.quantities.items()}
    known = {
        name: (array[:, :1] if paper.column else array[:1]) if name in several else array
        for name, array in paper.known.items()
    }
    trace = replace(paper.trace, quantities=quantities, samples=1)
    return Paper(
        trace, paper.network, paper.recipe, paper.options, paper.regularization, paper.constants, known=known
    )


def _steps(paper: Paper, *, alone: bool) -> Iterator[WorkedStep]:
    for i in range(min(paper.sizes[1], MOST_UNITS)):
        yield WorkedStep("z1", "units", 1, _unit(paper, i))
    yield WorkedStep("z1", "whole", 1, _whole(paper))
    for i in range(min(paper.sizes[1], MOST_UNITS)):
        yield WorkedStep("z1", "rows", 1, _row(paper, i))
    depth = paper.network.depth
    for equation in _transposed(paper, depth):
        yield WorkedStep(f"W{depth}", "transpose", depth, equation)
    if not paper.has("delta1"):
        return
    yield WorkedStep("dW1", "outer", 1, _outer(paper, alone=alone))
    layer = paper.network.layers[0]
    plain = layer.dropout is None and layer.function.elementwise
    if depth > 1 and plain and all(paper.has(name) for name in ("da1", "derivative1", "delta1")):
        yield WorkedStep("delta1", "hadamard", 1, _hadamard(paper))


def _has_bias(paper: Paper) -> bool:
    return paper.network.layers[0].bias != "none"


def _unit(paper: Paper, i: int) -> Equation:
    """z_i = w_i1 x_1 + ... + b_i."""
    terms: list[Expression] = [
        Times((Symbol("W", 1, entry=(i, j)), Symbol("x", entry=(j,)))) for j in range(paper.sizes[0])
    ]
    if _has_bias(paper):
        terms.append(Symbol("b", 1, entry=(i,)))
    return paper.equation(Symbol("z", 1, entry=(i,)), added(terms), lines=())


def _whole(paper: Paper) -> Equation:
    """z = W x + b, in letters and with every entry written out."""
    inputs, units = paper.sizes[:2]
    weights = Grid(tuple(tuple(Symbol("W", 1, entry=(i, j)) for j in range(inputs)) for i in range(units)))
    written_out = paper.weighted(weights, _stack(paper, [Symbol("x", entry=(j,)) for j in range(inputs)]))
    if _has_bias(paper):
        written_out = Sum((written_out, _stack(paper, [Symbol("b", 1, entry=(i,)) for i in range(units)])))
    return paper.equation(Symbol("z", 1), linear(paper, 1), written_out, lines=())


def _stack(paper: Paper, entries: list[Symbol] | list[Gradient] | list[Times]) -> Grid:
    """The entries as a column, or as a row where samples are rows."""
    return Grid(tuple((entry,) for entry in entries) if paper.column else (tuple(entries),))


def _row(paper: Paper, i: int) -> Equation:
    """An entry of z as a row of W times the column, then multiplied in pairs."""
    W, x = (array_of(paper.value(name)) for name in ("W1", "x"))
    x = x.reshape(-1, 1)
    bias = [Number(number_of(array_of(paper.value("b1")).reshape(-1)[i]))] if _has_bias(paper) else []
    pairs = [
        Times((Number(number_of(w)), Number(number_of(value))), sign=True)
        for w, value in zip(W[i], x[:, 0], strict=True)
    ]
    product = MatMul(Matrix(W[i : i + 1]), Matrix(x))
    stated = paper.equation(Symbol("z", 1, entry=(i,)), _unit(paper, i).symbols[0], lines=())
    return replace(stated, symbols=(), numbers=(added([product, *bias]), added([*pairs, *bias])))


def _transposed(paper: Paper, depth: int) -> Iterator[Equation]:
    """The weights of the last layer, and the same with rows and columns exchanged."""
    W = Symbol("W", depth)
    yield Equation(W, result=paper.bindings.of(W))
    yield Equation(Transpose(W), result=node(array_of(paper.value(f"W{depth}")).T))


def _outer(paper: Paper, *, alone: bool) -> Equation:
    """The gradient of the first layer's weights for one sample; with its numbers where there is but one."""
    inputs, units = paper.sizes[:2]
    entries = Grid(
        tuple(
            tuple(Times((Symbol("delta", 1, entry=(i,)), Symbol("x", entry=(j,)))) for j in range(inputs))
            for i in range(units)
        )
    )
    target, letters = Gradient(Symbol("loss"), Symbol("W", 1)), Outer(Symbol("delta", 1), Symbol("x"))
    if not (alone and paper.has("dW1")) or paper.regularized:
        return Equation(target, (letters, entries))
    delta, x = Symbol("delta", 1), Symbol("x")
    numbers = Outer(delta, Transpose(x)) if paper.column else Outer(Transpose(delta), x)
    return paper.equation(target, letters, entries, numbers=numbers, lines=(turned,))


def _hadamard(paper: Paper) -> Equation:
    """delta = dloss/da * da/dz, in letters with every entry and with the numbers of the first sample."""
    units = range(paper.sizes[1])
    a = [Gradient(Symbol("loss"), Symbol("a", 1, entry=(i,))) for i in units]
    z = [Gradient(Symbol("a", 1, entry=(i,)), Symbol("z", 1, entry=(i,))) for i in units]
    products = [Times((before, slope)) for before, slope in zip(a, z, strict=True)]
    letters = Hadamard((_stack(paper, a), _stack(paper, z)))
    numbers = Hadamard((paper.symbol("da1"), paper.symbol("derivative1")))
    return paper.equation(paper.symbol("delta1"), letters, _stack(paper, products), numbers=numbers)
