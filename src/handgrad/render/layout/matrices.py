"""Why matrices: the matrix form beside the scalar form, and what each kind of product is for."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from handgrad.render.document import Block, Bullets, Table
from handgrad.render.layout.context import Sheet
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
from handgrad.worked.record import Equation, StepRecord, words
from handgrad.writing.phrasebook import Spans

MOST_UNITS = 3
"""Units whose scalar equations are written; the others follow in the same way."""


def matrices(sheet: Sheet) -> Iterator[Block]:
    """Both forms of the first layer, its parts, then the other products and the operations."""
    yield sheet.paragraph("matrices_intro")
    yield from _both_forms(sheet)
    step = sheet.record.steps[0] if sheet.record.steps else None
    if step is not None and all(name in step.quantities for name in ("x", "W1", "z1")):
        yield from _row_by_row(sheet, step)
    yield from _transpose(sheet, step)
    if sheet.record.network.loss is not None:
        yield from _outer(sheet, step)
        yield from _hadamard(sheet, step)
    yield from _operations(sheet)


def _weight(i: int, j: int) -> Symbol:
    return Symbol("W", 1, entry=(i, j))


def _unit(sheet: Sheet, i: int) -> Equation:
    inputs = sheet.record.network.inputs
    products = [Times((_weight(i, j), Symbol("x", entry=(j,)))) for j in range(inputs)]
    bias = [Symbol("b", 1, entry=(i,))] if _has_bias(sheet) else []
    terms: tuple[Expression, ...] = (*products, *bias)
    return Equation(Symbol("z", 1, entry=(i,)), (terms[0] if len(terms) == 1 else Sum(terms),))


def _has_bias(sheet: Sheet) -> bool:
    return sheet.record.network.layers[0].bias != "none"


def _vector(sheet: Sheet, letter: str, layer: int | None, count: int) -> Grid:
    entries = tuple(Symbol(letter, layer, entry=(i,)) for i in range(count))
    return Grid(tuple((entry,) for entry in entries) if sheet.column else (entries,))


def _both_forms(sheet: Sheet) -> Iterator[Block]:
    inputs, units = sheet.record.network.inputs, sheet.record.network.layers[0].units
    yield sheet.paragraph("matrices_scalar", layer=1)
    for i in range(min(units, MOST_UNITS)):
        yield sheet.formula(_unit(sheet, i))
    if units > MOST_UNITS:
        yield sheet.paragraph("left_out", "note", count=units - MOST_UNITS)
    yield sheet.paragraph("matrices_matrix")
    weights = Grid(tuple(tuple(_weight(i, j) for j in range(inputs)) for i in range(units)))
    x, b = _vector(sheet, "x", None, inputs), _vector(sheet, "b", 1, units)
    forms: list[Expression] = [_product(sheet, Symbol("W", 1), Symbol("x")), _product(sheet, weights, x)]
    if _has_bias(sheet):
        forms = [Sum((form, bias)) for form, bias in zip(forms, (Symbol("b", 1), b), strict=True)]
    yield sheet.formula(Equation(Symbol("z", 1), tuple(forms)))
    W = Symbol("W", 1)
    yield Bullets(
        (
            sheet.say("matrices_rows", W=W),
            sheet.say("matrices_columns", W=W),
            sheet.say(
                "matrices_inner",
                left=sheet.shape_text(units, inputs) if sheet.column else sheet.shape_text(1, inputs),
                right=sheet.shape_text(inputs, 1) if sheet.column else sheet.shape_text(inputs, units),
                result=sheet.shape_text(units, 1) if sheet.column else sheet.shape_text(1, units),
            ),
            *_connections(sheet),
        )
    )


def _connections(sheet: Sheet) -> Iterator[Spans]:
    """Why each matrix of weights has its shape."""
    network = sheet.record.network
    for (number, layer), width in list(zip(network.numbered(), network.sizes, strict=False))[:MOST_UNITS]:
        yield sheet.say(
            "matrices_connects",
            W=(Symbol("W", number),),
            shape=sheet.shape_text(layer.units, width),
            units=words("n_units", count=layer.units),
            inputs=words("n_inputs", count=width),
        )


def _product(sheet: Sheet, W: Expression, x: Expression) -> Expression:
    return MatMul(W, x) if sheet.column else MatMul(x, Transpose(W))


def _row_by_row(sheet: Sheet, step: StepRecord) -> Iterator[Block]:
    """Each entry of z as a row times a column, with the numbers of the first sample."""
    yield sheet.heading(1, "matrices_row_by_row")
    yield sheet.paragraph("matrices_row_by_row_text")
    W, b = step.quantities["W1"], step.quantities.get("b1") if _has_bias(sheet) else None
    x, z = step.quantities["x"][0], step.quantities["z1"][0]
    for i in range(min(len(W), MOST_UNITS)):
        row, column = Matrix(W[i : i + 1]), Matrix(np.asarray(x).reshape(-1, 1))
        products = [
            Times((Number(float(w)), Number(float(value))), sign=True)
            for w, value in zip(W[i], x, strict=True)
        ]
        bias = [] if b is None else [Number(float(b[i]))]
        product, terms = MatMul(row, column), (*products, *bias)
        yield sheet.formula(
            Equation(
                Symbol("z", 1, entry=(i,)),
                numbers=(
                    Sum((product, *bias)) if bias else product,
                    Sum(terms) if len(terms) > 1 else terms[0],
                ),
                result=Number(float(z[i])),
            ),
            "z1",
        )


def _transpose(sheet: Sheet, step: StepRecord | None) -> Iterator[Block]:
    depth = sheet.record.network.depth
    W = Symbol("W", depth)
    yield sheet.heading(1, "matrices_transpose")
    yield sheet.paragraph("matrices_transpose_text", W=W)
    if step is None or f"W{depth}" not in step.quantities:
        return
    values = step.quantities[f"W{depth}"]
    yield sheet.formula(Equation(W, result=Matrix(values)), f"W{depth}")
    yield sheet.formula(Equation(Transpose(W), result=Matrix(values.T)), f"W{depth}")


def _outer(sheet: Sheet, step: StepRecord | None) -> Iterator[Block]:
    """The gradient of the first layer's weights for one sample."""
    inputs, units = sheet.record.network.inputs, sheet.record.network.layers[0].units
    delta, x = Symbol("delta", 1), Symbol("x")
    yield sheet.heading(1, "matrices_outer")
    yield sheet.paragraph("matrices_outer_text")
    entries = Grid(
        tuple(
            tuple(Times((Symbol("delta", 1, entry=(i,)), Symbol("x", entry=(j,)))) for j in range(inputs))
            for i in range(units)
        )
    )
    target = Gradient(Symbol("loss"), Symbol("W", 1))
    numbers: tuple[Expression, ...] = ()
    result = None
    names = ("delta1", "dW1", "x")
    if step is not None and all(name in step.quantities for name in names):
        errors, gradient, values = (np.asarray(step.quantities[name]) for name in names)
        if len(values) == 1 and not sheet.regularization:
            numbers = (Outer(Matrix(errors.reshape(-1, 1)), Matrix(values.reshape(1, -1))),)
            result = Matrix(gradient)
    yield sheet.formula(Equation(target, (Outer(delta, x), entries), numbers, result), "dW1")


def _hadamard(sheet: Sheet, step: StepRecord | None) -> Iterator[Block]:
    if sheet.record.network.depth < 2:
        return
    yield sheet.heading(1, "matrices_hadamard")
    yield sheet.paragraph("matrices_hadamard_text")
    count = sheet.record.network.layers[0].units
    units = range(count)
    a = [Gradient(Symbol("loss"), Symbol("a", 1, entry=(i,))) for i in units]
    z = [Gradient(Symbol("a", 1, entry=(i,)), Symbol("z", 1, entry=(i,))) for i in units]
    products = [Times((before, slope)) for before, slope in zip(a, z, strict=True)]
    yield sheet.formula(
        Equation(
            Symbol("delta", 1),
            (Hadamard((_stack(sheet, a), _stack(sheet, z))), _stack(sheet, products)),
            *_hadamard_numbers(sheet, step),
        )
    )


def _hadamard_numbers(
    sheet: Sheet, step: StepRecord | None
) -> tuple[tuple[Expression, ...], Expression | None]:
    """The same with the numbers of the only sample; nothing for a batch, dropout or softmax."""
    names = ("da1", "derivative1", "delta1")
    layer = sheet.record.network.layers[0]
    if step is None or layer.dropout is not None or not layer.function.elementwise:
        return (), None
    if any(name not in step.quantities or len(step.quantities[name]) != 1 for name in names):
        return (), None
    before, slope, product = (sheet.quantity(step, name) for name in names)
    return (Hadamard((before, slope)),), product


def _stack(sheet: Sheet, entries: list[Gradient] | list[Times]) -> Grid:
    """The entries as a column, or as a row where samples are rows."""
    return Grid(tuple((entry,) for entry in entries) if sheet.column else (tuple(entries),))


def _operations(sheet: Sheet) -> Iterator[Block]:
    network = sheet.record.network
    yield sheet.heading(1, "matrices_operations")
    yield sheet.paragraph("matrices_operations_text")
    rows, products, sums = [], 0, 0
    for (number, layer), inputs in zip(network.numbered(), network.sizes, strict=False):
        multiplications = layer.units * inputs
        additions = layer.units * (inputs if layer.bias != "none" else inputs - 1)
        products, sums = products + multiplications, sums + additions
        rows.append((sheet.say("layer", number=number), (str(multiplications),), (str(additions),)))
    rows.append((sheet.say("total"), (str(products),), (str(sums),)))
    header = tuple(sheet.say(key) for key in ("layer_label", "multiplications", "additions"))
    yield Table(header, tuple(rows), "lrr")
    yield sheet.paragraph("matrices_operations_note", count=products)
