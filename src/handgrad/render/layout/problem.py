"""The problem: the network, its data, its parameters, the loss and the optimizer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from handgrad.diagram import DrawingOptions, draw
from handgrad.diagram.captions import captions_in
from handgrad.nn.network import LayerParameters, Network
from handgrad.render.document import Block, Figure, Formula, Paragraph, Table
from handgrad.render.layout.cells import from_cells
from handgrad.render.layout.context import Sheet
from handgrad.render.layout.headings import outputs_are, parameters_key
from handgrad.worked.expressions import Number, Relation, Symbol
from handgrad.worked.forms.equations import (
    dropout_equations,
    forward_equations,
    loss_formula,
    penalty_formula,
)
from handgrad.worked.forms.optimizers import hyperparameters, optimizer_formulas
from handgrad.worked.record import Equation, StepRecord, words
from handgrad.writing.phrasebook import Span, Spans, joined


def problem(sheet: Sheet) -> Iterator[Block]:
    """Everything that is given before the first step."""
    yield from _network(sheet)
    step = sheet.record.steps[0] if sheet.record.steps else None
    if step is not None:
        yield from _data(sheet, step)
        yield from _parameters(sheet, step)
    yield from _loss(sheet, step)
    yield from _optimizer(sheet, step)


def _network(sheet: Sheet) -> Iterator[Block]:
    network = sheet.record.network
    yield sheet.paragraph(
        "network_sizes",
        inputs=words("n_inputs", count=network.inputs),
        layers=words("n_layers", count=network.depth),
        sizes=" → ".join(str(size) for size in network.sizes),
        parameters=words("n_parameters", count=network.parameter_count),
    )
    keys = ("layer_label", "units", "activation_label", "bias_label", "shape")
    rows: list[tuple[Spans, ...]] = [((sheet.text("inputs_label"),), (str(network.inputs),), (), (), ())]
    for (number, layer), width in zip(network.numbered(), network.sizes, strict=False):
        name = sheet.text("output_layer" if number == network.depth else "layer", number=number)
        shape: Spans = (Symbol("W", number), " " + sheet.shape_text(layer.units, width))
        rows.append(
            (
                (name,),
                (str(layer.units),),
                sheet.say(f"activation:{layer.function.name}"),
                sheet.say(f"bias:{layer.bias}"),
                shape,
            )
        )
    yield Table(tuple(sheet.say(key) for key in keys), tuple(rows), "lrlll")
    yield from _figure(sheet)
    weighted, output = forward_equations(
        "l", Symbol("a", "l-1"), Symbol("a", "l"), "f", sheet.column, bias=has_biases(network)
    )
    rule = [Relation(equation.target, "=", equation.symbols[0]) for equation in (weighted, output)]
    masked = any(name.startswith("mask") for step in sheet.record.steps[:1] for name in step.quantities)
    orientation = sheet.record.options.orientation + ("_dropout" if masked else "")
    yield sheet.paragraph(f"orientation_{orientation}", weighted=rule[0], output=rule[1])
    for number, layer in network.numbered():
        if layer.dropout is not None:
            yield dropout_is(sheet, number, layer.dropout.keep)
    if sheet.record.names:
        yield sheet.paragraph("input_columns", names=", ".join(sheet.record.names))
    if sheet.record.not_shown:
        yield sheet.paragraph("inputs_not_shown", count=sheet.record.not_shown)
    yield from outputs_are(sheet)
    yield from from_cells(sheet)


def dropout_is(sheet: Sheet, layer: int, keep: float) -> Paragraph:
    """What dropout does after a layer in this step, or that it does nothing there."""
    steps = sheet.record.steps
    probability = Number(keep, exact=True)
    if steps and f"mask{layer}" not in steps[0].quantities:
        return sheet.paragraph("dropout_off", layer=layer, keep=probability)
    function = sheet.record.network.layers[layer - 1].function.name
    unmasked, masked = dropout_equations(layer, function, sheet.activity(layer))
    relations = [Relation(equation.target, "=", equation.symbols[0]) for equation in (unmasked, masked)]
    return sheet.paragraph(
        "dropout_is",
        layer=layer,
        unmasked=relations[0],
        masked=relations[1],
        mask=Symbol("mask", layer),
        keep=Relation(Symbol("keep"), "=", probability),
    )


def has_biases(network: Network) -> bool:
    """True where any layer has a bias."""
    return any(layer.bias != "none" for layer in network.layers)


def _figure(sheet: Sheet) -> Iterator[Block]:
    network, steps = sheet.record.network, sheet.record.steps
    if not sheet.settings.figures or not steps:
        return
    quantities = steps[0].quantities
    if any(f"W{l}" not in quantities for l, _ in network.numbered()):
        return
    parameters = tuple(
        LayerParameters(quantities[f"W{l}"], quantities.get(f"b{l}", np.zeros(layer.units)))
        for l, layer in network.numbered()
    )
    # in the figure the names stand beside the units, whole, and the units have their numbers
    options = DrawingOptions(
        notation=replace(sheet.notation, inputs=(), outputs=()),
        captions=captions_in(sheet.phrasebook, network),
        inputs=sheet.record.names,
        outputs=sheet.record.outputs,
    )
    scene = draw(network, parameters, options=options)
    yield Figure(scene, sheet.say("figure_network"))


def _data(sheet: Sheet, step: StepRecord) -> Iterator[Block]:
    if "x" not in step.quantities:
        return
    samples = sheet.samples(step)
    yield Paragraph(sheet.say("batch_one") if samples == 1 else sheet.say("batch_many", samples=samples))
    if step.rows and sheet.record.names:
        most = sheet.settings.most_terms
        rows = [str(row + 1) for row in step.rows[:most]] + (["…"] if len(step.rows) > most else [])
        key = "row_of_data" if len(step.rows) == 1 else "rows_of_data"
        yield sheet.paragraph(key, rows=", ".join(rows))
    if sheet.record.engine is not None:
        engine, dtype = sheet.record.engine
        yield sheet.paragraph("taken_by", engine=engine, dtype=dtype)
    yield from (
        _given(sheet, step, name, Symbol(name)) for name in ("x", "y", "omega") if name in step.quantities
    )


def _parameters(sheet: Sheet, step: StepRecord) -> Iterator[Block]:
    if "W1" not in step.quantities:
        return
    yield sheet.paragraph(parameters_key(sheet, step), number=step.number)
    for number, layer in sheet.record.network.numbered():
        letters = "W" if layer.bias == "none" else "Wb"
        for letter in letters:
            if f"{letter}{number}" in step.quantities:
                yield _given(sheet, step, f"{letter}{number}", Symbol(letter, number))


def _given(sheet: Sheet, step: StepRecord, name: str, symbol: Symbol) -> Formula:
    return sheet.formula(Equation(symbol, result=sheet.quantity(step, name)), name)


def _loss(sheet: Sheet, step: StepRecord | None) -> Iterator[Block]:
    loss = sheet.record.network.loss
    if loss is None or (step is not None and "y" not in step.quantities):
        return
    samples = sheet.samples(step)
    penalty = penalty_formula(sheet.regularization, sheet.record.network.depth)
    yield sheet.paragraph("loss_is", loss=loss.name)
    target = Symbol("loss") if penalty is None else Symbol("data_loss")
    weighted = step is not None and "omega" in step.quantities
    tree = loss_formula(loss, sheet.record.network.outputs, samples, weighted)
    yield sheet.formula(Equation(target, (tree,)))
    values: list[tuple[Symbol, float]] = []
    if loss.threshold is not None:
        values.append((Symbol("threshold"), loss.threshold))
    if values:
        yield Paragraph(with_values(sheet, values))
    if penalty is None:
        return
    yield sheet.paragraph("penalty_is")
    yield sheet.formula(Equation(Symbol("penalty"), (penalty,)))
    strengths = [
        (Symbol(letter), strength)
        for letter, strength in (("lambda", sheet.regularization.l2), ("lambda1", sheet.regularization.l1))
        if strength
    ]
    yield Paragraph(with_values(sheet, strengths))


def _optimizer(sheet: Sheet, step: StepRecord | None) -> Iterator[Block]:
    recipe = sheet.record.recipe
    if recipe is None:
        held = () if step is None else tuple(step.quantities)
        forward_only = bool(held) and "y" not in held and not any(name.startswith("dW") for name in held)
        yield sheet.paragraph("network_without_target" if forward_only else "network_without_optimizer")
        return
    yield sheet.paragraph("optimizer_is", optimizer=recipe.optimizer.name)
    for equation in optimizer_formulas(recipe.optimizer):
        yield sheet.formula(equation)
    rate = recipe.optimizer.learning_rate if step is None else step.learning_rate
    yield Paragraph(with_values(sheet, [(Symbol("eta"), rate), *hyperparameters(recipe.optimizer)]))
    if recipe.clipping.value is not None:
        yield sheet.paragraph("clipping_value_is", limit=Number(recipe.clipping.value, exact=True))
    if recipe.clipping.norm is not None:
        yield sheet.paragraph("clipping_norm_is", limit=Number(recipe.clipping.norm, exact=True))


def with_values(sheet: Sheet, values: list[tuple[Symbol, float]]) -> Spans:
    """with eta = 0.1, mu = 0.9."""
    parts: list[Span] = []
    for symbol, value in values:
        parts.extend((", " if parts else "", Relation(symbol, "=", Number(value, exact=True))))
    return sheet.say("with_values", values=joined(parts))
