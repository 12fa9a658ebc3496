"""The formula sheet: the same network in symbols alone, without a number of the data."""

from __future__ import annotations

from collections.abc import Iterator

from handgrad.render.document import Block, Bullets, Paragraph, Table
from handgrad.render.layout.context import Sheet
from handgrad.render.layout.problem import has_biases, with_values
from handgrad.worked.expressions import Gradient, Relation, Symbol
from handgrad.worked.forms.equations import dropout_equations, forward_equations
from handgrad.worked.record import Equation, FormulaSheet
from handgrad.writing.phrasebook import Spans


def formulas(sheet: Sheet) -> Iterator[Block]:
    """In general, written out layer by layer, the functions used, the loss, the optimizer."""
    held = sheet.record.formulas
    if held is None:
        return
    after_numbers = sheet.record.steps or "problem" in sheet.settings.parts
    yield sheet.paragraph("formulas_intro" if after_numbers else "formulas_intro_alone", l=Symbol("l"))
    if any(layer.dropout is not None for layer in sheet.record.network.layers):
        yield _dropout(sheet)
    yield sheet.heading(1, "formulas_general")
    yield from _equations(sheet, held.general)
    yield sheet.heading(1, "formulas_written_out")
    yield from _equations(sheet, held.written_out)
    if "activations" not in sheet.settings.parts:
        yield sheet.heading(1, "formulas_activations")
        yield _activations(sheet, held)
    yield from _loss(sheet, held)
    if held.optimizer:
        yield sheet.heading(1, "formulas_optimizer")
        yield sheet.paragraph("formulas_optimizer_intro", theta=Symbol("theta"), g=Symbol("g"))
        yield from _equations(sheet, held.optimizer)
    if sheet.record.recipe is not None and held.loss is not None:
        if "loop" not in sheet.settings.parts:
            yield from _loop(sheet)
        if "variants" not in sheet.settings.parts:
            yield from _variants(sheet)


def _dropout(sheet: Sheet) -> Paragraph:
    """The mask that stands between f(z) and a."""
    unmasked, masked = dropout_equations("l", "f", Symbol("a", "l"))
    return sheet.paragraph(
        "formulas_dropout",
        activation=unmasked.symbols[0],
        unmasked=unmasked.target,
        masked=Relation(masked.target, "=", masked.symbols[0]),
    )


def _equations(sheet: Sheet, equations: tuple[Equation, ...]) -> Iterator[Block]:
    for equation in equations:
        yield sheet.formula(equation)


def _activations(sheet: Sheet, held: FormulaSheet) -> Table:
    header = tuple(sheet.say(key) for key in ("activation_label", "function", "derivative_label"))
    rows = tuple(
        (sheet.say(f"activation:{name}"), _relation(sheet, value), _relation(sheet, derivative))
        for name, value, derivative in held.activations
    )
    return Table(header, rows, "lll")


def _relation(sheet: Sheet, equation: Equation) -> Spans:
    """target = form, within a line of text."""
    display = sheet.display()
    return (display.tree(equation.target), " = ", display.tree(equation.symbols[0]))


def _loss(sheet: Sheet, held: FormulaSheet) -> Iterator[Block]:
    loss = sheet.record.network.loss
    if loss is None or held.loss is None:
        return
    yield sheet.heading(1, "formulas_loss")
    yield sheet.paragraph("loss_is", loss=loss.name)
    yield sheet.formula(held.loss)
    yield sheet.paragraph("formulas_term")
    yield from _equations(sheet, held.term)
    if loss.threshold is not None:
        yield Paragraph(with_values(sheet, [(Symbol("threshold"), loss.threshold)]))
    if held.penalty is not None:
        yield sheet.paragraph("penalty_is")
        yield sheet.formula(held.penalty)


VARIANTS = {
    "batch": "variant_batch",
    "stochastic": "variant_stochastic",
    "mini_batch": "variant_mini_batch",
    "momentum": "optimizer:momentum",
    "adam": "optimizer:adam",
}
"""Relatives of gradient descent, and the keys of their names."""


def _loop(sheet: Sheet) -> Iterator[Block]:
    """The whole of training in four lines."""
    bias = has_biases(sheet.record.network)
    weighted, output = (
        Relation(equation.target, "=", equation.symbols[0])
        for equation in forward_equations(
            "l", Symbol("a", "l-1"), Symbol("a", "l"), "f", sheet.column, bias=bias
        )
    )
    gradients = [Gradient(Symbol("loss"), Symbol(letter, "l")) for letter in ("W", "b")]
    l, L = Symbol("l"), Symbol("L")
    yield sheet.heading(1, "formulas_loop")
    yield sheet.paragraph("formulas_loop_intro")
    backward = "formulas_loop_backward" if bias else "formulas_loop_backward_without_bias"
    yield Bullets(
        (
            sheet.say("formulas_loop_forward", l=(l,), L=(L,), weighted=(weighted,), output=(output,)),
            sheet.say("formulas_loop_loss", yhat=(Symbol("yhat"),), y=(Symbol("y"),), loss=(Symbol("loss"),)),
            sheet.say(
                backward,
                l=(l,),
                L=(L,),
                delta=(Symbol("delta", "l"),),
                dW=(gradients[0],),
                db=(gradients[1],),
            ),
            sheet.say("formulas_loop_update"),
        )
    )


def _variants(sheet: Sheet) -> Iterator[Block]:
    """What gradient descent is called by the size of its batch, and its best known relatives."""
    yield sheet.heading(1, "formulas_variants")
    header = tuple(sheet.say(key) for key in ("method", "update_rule", "properties"))
    rows = tuple(
        (sheet.say(name), sheet.say(f"variant_{key}_rule"), sheet.say(f"variant_{key}_properties"))
        for key, name in VARIANTS.items()
    )
    yield Table(header, rows, "lll")
