"""The brief sheet: each rule once, one unit and one weight in full, all other quantities in a table.

Also the path to one entry, which is nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from handgrad.nn.arrays import Array
from handgrad.render.document import Block, Formula, Paragraph, Table
from handgrad.render.layout.cells import from_cells
from handgrad.render.layout.changes import loss_before_and_after
from handgrad.render.layout.context import Sheet
from handgrad.render.layout.headings import outputs_are
from handgrad.render.layout.problem import has_biases, with_values
from handgrad.render.layout.shorter import without_idle_steps
from handgrad.worked.bindings import Bindings, array_of, position
from handgrad.worked.entries import letter_at
from handgrad.worked.expressions import Divide, Expression, Gradient, Hadamard, Symbol
from handgrad.worked.forms.equations import (
    dropout_equations,
    forward_equations,
    gradient_equations,
    hidden_delta,
    loss_formula,
    output_delta,
    penalty_formula,
)
from handgrad.worked.forms.optimizers import hyperparameters
from handgrad.worked.record import Equation, StepRecord, WorkedStep, words
from handgrad.writing.phrasebook import Spans, joined

_BETWEEN = re.compile(r"dyhat|d[af]\d+|derivative\d+|db\d+(_\w+)?")
"""Quantities on the way to others, which a brief table passes by."""
MOST_CHANGES = 4
"""Parameters in the table of the largest changes."""


def brief_problem(sheet: Sheet) -> Iterator[Block]:
    """The network in a sentence, and what the batch is."""
    network = sheet.record.network
    said = sheet.say(
        "network_sizes",
        inputs=words("n_inputs", count=network.inputs),
        layers=words("n_layers", count=network.depth),
        sizes=" → ".join(str(size) for size in network.sizes),
        parameters=words("n_parameters", count=network.parameter_count),
    )
    step = sheet.record.steps[0] if sheet.record.steps else None
    if step is not None and "x" in step.quantities:
        samples = sheet.samples(step)
        batch = sheet.say("batch_one") if samples == 1 else sheet.say("batch_many", samples=samples)
        said = joined((*said, " ", *batch))
    yield Paragraph(said)
    if sheet.record.names:
        yield sheet.paragraph("input_columns", names=", ".join(sheet.record.names))
    if sheet.record.not_shown:
        yield sheet.paragraph("inputs_not_shown", count=sheet.record.not_shown)
    yield from outputs_are(sheet)
    yield from from_cells(sheet)
    if sheet.record.engine is not None:
        engine, dtype = sheet.record.engine
        yield sheet.paragraph("taken_by", engine=engine, dtype=dtype)
    yield sheet.heading(1, "brief_rules")
    for equation in _rules(sheet, step):
        yield sheet.formula(equation)
    recipe = sheet.record.recipe
    if recipe is not None:
        rate = recipe.optimizer.learning_rate if step is None else step.learning_rate
        values = with_values(sheet, [(Symbol("eta"), rate), *hyperparameters(recipe.optimizer)])
        name = sheet.text(f"optimizer:{recipe.optimizer.name}")
        yield Paragraph(sheet.say("brief_optimizer", method=name, values=values))


def _rules(sheet: Sheet, step: StepRecord | None) -> Iterator[Equation]:
    """Each rule once: layer by layer where they are few, for any layer where they are many."""
    network, column = sheet.record.network, sheet.column
    samples, bias = sheet.samples(step), has_biases(network)
    counted = step is not None and "omega" in step.quantities
    functions = [layer.function.name for layer in network.layers]
    hidden = dict.fromkeys(functions[:-1])
    below, last = Symbol("a", "l-1"), functions[-1]
    weighted, _ = forward_equations("l", below, Symbol("a", "l"), last, column, bias=bias)
    yield weighted
    masked = _masked(sheet, step)
    for function in hidden:
        if masked:
            yield from dropout_equations("l", function, Symbol("a", "l"))
        else:
            yield forward_equations("l", below, Symbol("a", "l"), function, column)[1]
    yield forward_equations("L", below, Symbol("yhat"), last, column)[1]
    loss = network.loss
    if loss is None:
        return
    penalty = penalty_formula(sheet.regularization, network.depth)
    yield Equation(
        Symbol("loss" if penalty is None else "data_loss"),
        (loss_formula(loss, network.outputs, samples, counted),),
    )
    if penalty is not None:
        yield Equation(Symbol("penalty"), (penalty,))
    short = output_delta("L", last, column, loss, weighted=counted)
    yield Equation(short.target, short.symbols[-1:])
    for function in hidden:
        rule = hidden_delta("l", "l+1", function, column)
        yield _through_mask(rule) if masked else rule
    kinds = {layer.bias for layer in network.layers}
    kind = "shared" if "shared" in kinds else "trained" if bias else "none"
    mean = loss.samples == "mean"
    yield from gradient_equations(
        "l", below, column, samples, mean, bias=kind, regularization=sheet.regularization
    )


def _masked(sheet: Sheet, step: StepRecord | None) -> bool:
    """True where a mask stands between f(z) and a in this step."""
    return step is not None and any(name.startswith("mask") for name in step.quantities)


def _through_mask(rule: Equation) -> Equation:
    """delta of a hidden layer whose error comes back through the mask."""
    (letters,) = rule.symbols
    mask = Divide(Symbol("mask", "l"), Symbol("keep"))
    factors = letters.factors if isinstance(letters, Hadamard) else (letters,)
    return Equation(rule.target, (Hadamard((factors[0], mask, *factors[1:])),))


def brief_step(sheet: Sheet, step: StepRecord) -> Iterator[Block]:
    """The representative, the table of all quantities, the largest changes, the loss before and after."""
    if step.path:
        yield sheet.heading(1, "brief_example")
        yield sheet.paragraph("brief_example_intro", entry=_followed(step), sample=_sample(sheet, step))
        yield from path(sheet, step)
    yield sheet.heading(1, "brief_quantities")
    yield _quantities(sheet, step)
    if step.changes:
        yield sheet.heading(1, "brief_changes")
        yield _changes(sheet, step)
    if step.loss_before is not None and step.loss_after is not None:
        if _masked(sheet, step):
            yield sheet.paragraph("second_forward_masked")
        yield from loss_before_and_after(sheet, step)
    elif step.loss_before is not None:
        yield Formula(Symbol("loss"), (("~", sheet.number(step.loss_before, "loss")),))


def path(sheet: Sheet, step: StepRecord) -> Iterator[Block]:
    """The equations of the path, one after another."""
    for worked in step.path:
        for equation in worked.scalar:
            yield sheet.formula(without_idle_steps(equation), worked.quantity)


def _followed(step: StepRecord) -> Expression:
    """The parameter or the unit that the path leads to."""
    target = step.path[-1].scalar[0].target
    if isinstance(target, Symbol) and target.mark == "new":
        return Symbol(target.letter, target.layer, target.entry)
    return target.by if isinstance(target, Gradient) else target


def _sample(sheet: Sheet, step: StepRecord) -> Spans:
    """Which sample of the batch is followed, where there are several."""
    if sheet.samples(step) == 1:
        return ()
    samples = {
        sample
        for worked in step.path
        for _, sample in (position(worked.scalar[0].target),)
        if isinstance(sample, int)
    }
    if len(samples) != 1:
        return ()
    place = samples.pop()
    if step.rows and sheet.record.names:
        return sheet.say("brief_row", row=str(step.rows[place] + 1))
    return sheet.say("brief_sample", number=str(place + sheet.notation.first))


def _quantities(sheet: Sheet, step: StepRecord) -> Table:
    """Each quantity of the calculation: its shape, its usual size, its largest entry."""
    header = tuple(
        sheet.say(key) for key in ("brief_quantity", "shape", "brief_size", "brief_largest", "brief_value")
    )
    rows = [
        row
        for worked in step.steps
        if worked.part in ("forward", "loss", "backward") and not _BETWEEN.fullmatch(worked.quantity)
        for row in _quantity(sheet, step.bindings, worked)
    ]
    return Table(header, tuple(rows), "llrlr")


def _quantity(sheet: Sheet, bindings: Bindings, worked: WorkedStep) -> Iterator[tuple[Spans, ...]]:
    letter = worked.equation.target
    if worked.quantity not in bindings or not isinstance(letter, Symbol | Gradient):
        return
    values = array_of(bindings[worked.quantity]).astype(np.float64)
    if not np.isfinite(values).all():
        return
    row, column = np.unravel_index(int(np.argmax(np.abs(values))), values.shape)
    size = float(np.sqrt(np.mean(values * values)))
    yield (
        (letter,),
        (sheet.shape_text(*values.shape),) if values.size > 1 else (),
        (sheet.roughly(size),) if values.size > 1 else (),
        (letter_at(letter, int(row), int(column), bindings),) if values.size > 1 else (),
        (sheet.number(float(values[row, column]), worked.quantity),),
    )


def _changes(sheet: Sheet, step: StepRecord) -> Table:
    """The parameters that the step moved most."""
    entries: list[tuple[float, Symbol, float, float, float, str]] = []
    for change in step.changes:
        moved = np.abs(_flat(change.after) - _flat(change.before))
        for place in np.argsort(-moved, kind="stable")[:MOST_CHANGES]:
            entry = tuple(int(i) for i in np.unravel_index(int(place), np.shape(change.before)))
            symbol = change.symbol if np.size(change.before) == 1 else _at(change.symbol, entry)
            before, gradient, after = (
                float(_flat(array)[place]) for array in (change.before, change.gradient, change.after)
            )
            entries.append((float(moved[place]), symbol, before, gradient, after, change.quantity))
    chosen = sorted(entries, key=lambda entry: -entry[0])[:MOST_CHANGES]
    header = tuple(sheet.say(key) for key in ("parameter", "before", "gradient", "change", "after"))
    rows = [
        (
            (symbol,),
            (sheet.number(before, name),),
            (sheet.number(gradient, f"d{name}"),),
            (sheet.number(after - before, name),),
            (sheet.number(after, f"{name}_new"),),
        )
        for _, symbol, before, gradient, after, name in chosen
    ]
    return Table(header, tuple(rows), "lrrrr")


def _at(symbol: Symbol, entry: tuple[int, ...]) -> Symbol:
    return Symbol(symbol.letter, symbol.layer, entry)


def _flat(values: Array) -> Array:
    return np.asarray(values, dtype=np.float64).reshape(-1)
