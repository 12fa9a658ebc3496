"""The formula sheet: the same network in symbols alone, without a number of the data."""

from __future__ import annotations

from collections.abc import Iterator

from handgrad.render.document import Block, Bullets, Paragraph, Table
from handgrad.render.layout.context import Sheet
from handgrad.render.layout.problem import has_biases, with_values
from handgrad.worked.expressions import Gradient, Relation, Symbol
from handgrad.worked.forms.activations import ACTIVATION_FORMS
from handgrad.worked.forms.equations import (
    forward_equations,
    gradient_equations,
    hidden_delta,
    loss_formula,
    output_delta,
    penalty_formula,
)
from handgrad.worked.forms.losses import term_formula
from handgrad.worked.forms.optimizers import optimizer_formulas
from handgrad.worked.record import Equation
from handgrad.writing.phrasebook import Spans


def formula_sheet(sheet: Sheet) -> Iterator[Block]:
    """In general, written out layer by layer, the functions used, the loss, the optimizer."""
    yield sheet.paragraph("formulas_intro", l=Symbol("l"))
    yield sheet.heading(1, "formulas_general")
    yield from _equations(sheet, _general(sheet))
    yield sheet.heading(1, "formulas_written_out")
    yield from _equations(sheet, _written_out(sheet))
    yield sheet.heading(1, "formulas_activations")
    yield _activations(sheet)
    yield from _loss(sheet)
    yield from _optimizer(sheet)
    if sheet.record.recipe is not None and sheet.record.network.loss is not None:
        yield from _loop(sheet)
        yield from _variants(sheet)


def _equations(sheet: Sheet, equations: Iterator[Equation]) -> Iterator[Block]:
    for equation in equations:
        yield sheet.formula(equation)


def _samples(sheet: Sheet) -> int:
    """The batch of the first step; without any step the formulas are those of a batch of m samples."""
    return sheet.samples(sheet.record.steps[0]) if sheet.record.steps else 2


def _mean(sheet: Sheet) -> bool:
    loss = sheet.record.network.loss
    return loss is not None and loss.samples == "mean"


def _general(sheet: Sheet) -> Iterator[Equation]:
    network, below, column = sheet.record.network, Symbol("a", "l-1"), sheet.column
    bias = has_biases(network)
    yield from forward_equations("l", below, Symbol("a", "l"), "f", column, bias=bias)
    if network.loss is not None:
        last = network.layers[-1].function
        yield output_delta("L", "f" if last.elementwise else last.name, column)
        if network.depth > 1:
            yield hidden_delta("l", "l+1", "f", column)
        yield from gradient_equations("l", below, column, _samples(sheet), _mean(sheet), bias=bias)


def _written_out(sheet: Sheet) -> Iterator[Equation]:
    network, column = sheet.record.network, sheet.column
    for l, layer in network.numbered():
        below, above = sheet.activity(l - 1), sheet.activity(l)
        yield from forward_equations(l, below, above, layer.function.name, column, bias=layer.bias != "none")
    if network.loss is None:
        return
    for l, layer in reversed(list(network.numbered())):
        if l == network.depth:
            yield output_delta(l, layer.function.name, column, network.loss)
        else:
            yield hidden_delta(l, l + 1, layer.function.name, column)
        below, bias = sheet.activity(l - 1), layer.bias != "none"
        yield from gradient_equations(l, below, column, _samples(sheet), _mean(sheet), bias=bias)


def _activations(sheet: Sheet) -> Table:
    used = dict.fromkeys(layer.function.name for layer in sheet.record.network.layers)
    header = tuple(sheet.say(key) for key in ("activation_label", "function", "derivative_label"))
    return Table(header, tuple(_activation_row(sheet, name) for name in used), "lll")


def _activation_row(sheet: Sheet, name: str) -> tuple[Spans, ...]:
    row = ACTIVATION_FORMS[name].formula
    return sheet.say(f"activation:{name}"), _relation(sheet, row.value), _relation(sheet, row.derivative)


def _relation(sheet: Sheet, equation: Equation) -> Spans:
    """target = form, within a line of text."""
    display = sheet.display()
    return (display.tree(equation.target), " = ", display.tree(equation.symbols[0]))


def _loss(sheet: Sheet) -> Iterator[Block]:
    network = sheet.record.network
    if network.loss is None:
        return
    yield sheet.heading(1, "formulas_loss")
    yield sheet.paragraph("loss_is", loss=network.loss.name)
    tree = loss_formula(network.loss, network.outputs, _samples(sheet))
    penalty = penalty_formula(sheet.regularization, network.depth)
    yield sheet.formula(Equation(Symbol("loss" if penalty is None else "data_loss"), (tree,)))
    yield sheet.paragraph("formulas_term")
    term = term_formula(network.loss.name)
    yield sheet.formula(term.value)
    yield sheet.formula(term.derivative)
    if network.loss.threshold is not None:
        yield Paragraph(with_values(sheet, [(Symbol("threshold"), network.loss.threshold)]))
    if penalty is not None:
        yield sheet.paragraph("penalty_is")
        yield sheet.formula(Equation(Symbol("penalty"), (penalty,)))


def _optimizer(sheet: Sheet) -> Iterator[Block]:
    if sheet.record.recipe is None:
        return
    optimizer = sheet.record.recipe.optimizer
    yield sheet.heading(1, "formulas_optimizer")
    yield sheet.paragraph("formulas_optimizer_intro", theta=Symbol("theta"), g=Symbol("g"))
    for equation in optimizer_formulas(optimizer):
        yield sheet.formula(equation)


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
