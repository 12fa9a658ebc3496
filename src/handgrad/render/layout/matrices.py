"""Why matrices: the matrix form beside the scalar form, and what each kind of product is for."""

from __future__ import annotations

from collections.abc import Iterator

from handgrad.render.document import Block, Bullets, Table
from handgrad.render.layout.context import Sheet
from handgrad.worked.expressions import Symbol
from handgrad.worked.record import Equation, StepRecord, words
from handgrad.writing.phrasebook import Spans

MOST_LAYERS = 3
"""Layers whose matrix of weights is explained; the others follow in the same way."""


def matrices(sheet: Sheet) -> Iterator[Block]:
    """Both forms of the first layer, its parts, then the other products and the operations."""
    view = sheet.record.steps[0].matrices if sheet.record.steps else None
    if view is None:
        return
    yield sheet.paragraph("matrices_intro")
    yield from _both_forms(sheet, view)
    if view.number:
        yield sheet.heading(1, "matrices_row_by_row")
        yield sheet.paragraph("matrices_row_by_row_text")
        yield from (sheet.formula(equation, "z1") for equation in _of(view, "rows"))
    yield from _transpose(sheet, view)
    for part in ("outer", "hadamard"):
        yield from _product(sheet, view, part)
    yield from _operations(sheet)


def _of(view: StepRecord, part: str) -> list[Equation]:
    return [worked.equation for worked in view.steps if worked.part == part]


def _in_letters(equation: Equation) -> Equation:
    return Equation(equation.target, equation.symbols)


def _both_forms(sheet: Sheet, view: StepRecord) -> Iterator[Block]:
    inputs, units = sheet.record.network.inputs, sheet.record.network.layers[0].units
    yield sheet.paragraph("matrices_scalar", layer=1)
    written = _of(view, "units")
    yield from (sheet.formula(_in_letters(equation)) for equation in written)
    if units > len(written):
        yield sheet.paragraph("left_out", "note", count=units - len(written))
    yield sheet.paragraph("matrices_matrix")
    yield from (sheet.formula(_in_letters(equation)) for equation in _of(view, "whole"))
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
    for (number, layer), width in list(zip(network.numbered(), network.sizes, strict=False))[:MOST_LAYERS]:
        yield sheet.say(
            "matrices_connects",
            W=(Symbol("W", number),),
            shape=sheet.shape_text(layer.units, width),
            units=words("n_units", count=layer.units),
            inputs=words("n_inputs", count=width),
        )


def _transpose(sheet: Sheet, view: StepRecord) -> Iterator[Block]:
    depth = sheet.record.network.depth
    yield sheet.heading(1, "matrices_transpose")
    yield sheet.paragraph("matrices_transpose_text", W=Symbol("W", depth))
    if view.number:
        yield from (sheet.formula(equation, f"W{depth}") for equation in _of(view, "transpose"))


def _product(sheet: Sheet, view: StepRecord, part: str) -> Iterator[Block]:
    """The outer product of the gradient, or the product entry by entry of delta."""
    for worked in view.steps:
        if worked.part == part:
            yield sheet.heading(1, f"matrices_{part}")
            yield sheet.paragraph(f"matrices_{part}_text")
            equation = worked.equation if view.number else _in_letters(worked.equation)
            yield sheet.formula(equation, worked.quantity if part == "outer" else "")


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
