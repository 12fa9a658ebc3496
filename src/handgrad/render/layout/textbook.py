"""What textbooks say beside the calculation: the lessons of the record, each under its heading."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from handgrad.render.document import Block, Bullets, Formula, Table
from handgrad.render.layout.comparison import errors, losses, scalar_or_matrix
from handgrad.render.layout.context import Sheet
from handgrad.render.layout.flow import flow, roles
from handgrad.render.layout.takeaways import summary, takeaways
from handgrad.render.layout.training_loop import assigned, assignments, loop, variants
from handgrad.worked.expressions import Expression, Gradient, Relation, Symbol, Times, Transpose
from handgrad.worked.record import Equation, Words, words
from handgrad.worked.textbook.tables import activation_names

Part = Callable[[Sheet], Iterator[Block]]


def before(sheet: Sheet) -> Iterator[Block]:
    """What stands before the calculation."""
    return _parts(sheet, BEFORE)


def after(sheet: Sheet) -> Iterator[Block]:
    """What stands after it."""
    return _parts(sheet, AFTER)


def _parts(sheet: Sheet, parts: Mapping[str, Part]) -> Iterator[Block]:
    for name, part in parts.items():
        if name not in sheet.settings.parts:
            continue
        heading = sheet.heading(1, name)
        blocks = list(part(sheet))
        if not blocks:
            sheet.anchors.discard(heading.anchor)
            continue
        yield heading
        yield from (replace(block, aside=True) if isinstance(block, Formula) else block for block in blocks)


def _equations(sheet: Sheet, name: str) -> tuple[Equation, ...]:
    lesson = sheet.record.textbook.get(name)
    return () if lesson is None else lesson.equations


# --- rows and columns ---------------------------------------------------------------------------------------


def _vectors(sheet: Sheet) -> Iterator[Block]:
    """The inputs as a column and as a row, and the shapes of the parameters in words."""
    equations = _equations(sheet, "vectors")
    if not equations:
        return
    display = sheet.display()
    header = tuple(sheet.say(key) for key in ("vectors_kind", "vectors_column", "vectors_row"))
    letters = [(display.tree(e.target), " = ", display.tree(e.symbols[0])) for e in equations]
    rows = [(sheet.say("vectors_letters"), *letters)]
    if all(equation.result is not None for equation in equations):
        numbers = [(display.tree(e.result),) for e in equations if e.result is not None]
        rows.append((sheet.say("vectors_numbers"), *numbers))
    yield sheet.paragraph("vectors_text")
    yield Table(header, tuple(rows), "lll")
    inputs = sheet.record.network.inputs
    x, W, b = Symbol("x"), Symbol("W", "l"), Symbol("b", "l")
    shapes = sheet.shape_text(inputs, 1), sheet.shape_text(1, inputs)
    shape, other = shapes if sheet.column else shapes[::-1]
    yield Bullets(
        (
            sheet.say("vectors_turned", x=(x,), turned=(Transpose(x),), shape=shape, other=other),
            sheet.say("vectors_in_general", x=(x,), W=(W,), b=(b,)),
            *_weights(sheet),
        )
    )


def _weights(sheet: Sheet) -> Iterator[tuple[str | Expression, ...]]:
    """(hidden size, input size) of each matrix of weights."""
    network = sheet.record.network

    def size(number: int) -> Words:
        if number == 0:
            return words("size_input")
        if number == network.depth:
            return words("size_output")
        return words("size_hidden") if network.depth == 2 else words("size_hidden_of", number=number)

    for (number, layer), width in zip(network.numbered(), network.sizes, strict=False):
        yield sheet.say(
            "vectors_weights",
            W=(Symbol("W", number),),
            units_name=size(number),
            inputs_name=size(number - 1),
            units=layer.units,
            inputs=width,
        )


# --- one unit, the composition, backpropagation -----------------------------------------------------------------


def _unit(sheet: Sheet) -> Iterator[Block]:
    *general, example = _equations(sheet, "unit") or (None,)
    if example is None:
        return
    for equation in general:
        if equation is not None:
            yield sheet.formula(equation)
    yield sheet.paragraph("unit_text", j=Symbol("j"), l=Symbol("l"))
    yield sheet.formula(example, "a1")


def _composition(sheet: Sheet) -> Iterator[Block]:
    equations, depth = _equations(sheet, "composition"), sheet.record.network.depth
    if not equations:
        return
    yield sheet.paragraph("composition_text")
    yield from (sheet.formula(equation) for equation in equations[:depth])
    yield sheet.paragraph("composition_notes")
    if len(equations) > depth:
        yield sheet.paragraph("composition_whole")
        yield sheet.formula(equations[depth], "yhat")


def _delta(sheet: Sheet) -> Iterator[Block]:
    equations = _equations(sheet, "delta")
    if equations:
        yield sheet.paragraph("delta_text", m=Symbol("m"))
        yield from (sheet.formula(equation) for equation in equations)


def _neuron(sheet: Sheet) -> Iterator[Block]:
    equations = _equations(sheet, "neuron")
    if not equations:
        return
    yield sheet.paragraph("neuron_text")
    yield from (sheet.formula(equation) for equation in equations[:5])
    yield sheet.paragraph("neuron_updates", eta=Symbol("eta"))
    yield from (assigned(sheet, equation) for equation in equations[5:])


def _braces(sheet: Sheet) -> Iterator[Block]:
    equations = _equations(sheet, "braces")
    if equations:
        outer, middle, inner = Symbol("loss"), Symbol("yhat"), Symbol("z", "L")
        factors = (Gradient(outer, middle), Gradient(middle, inner))
        rule = Relation(Gradient(outer, inner), "=", Times(factors, sign=True))
        yield sheet.paragraph("braces_chain", outer=outer, middle=middle, inner=inner, rule=rule)
        yield sheet.paragraph("braces_text")
        yield from (sheet.formula(equation) for equation in equations)


def _activations(sheet: Sheet) -> Iterator[Block]:
    equations = _equations(sheet, "activations")
    if not equations:
        return
    display = sheet.display()
    rows = [
        (
            sheet.say(f"activation:{name}"),
            (display.tree(value.target), " = ", display.tree(value.symbols[0])),
            (display.tree(slope.target), " = ", display.tree(slope.symbols[0])),
        )
        for name, value, slope in zip(
            activation_names(sheet.record.network), equations[::2], equations[1::2], strict=True
        )
    ]
    yield sheet.paragraph("activations_text")
    header = tuple(sheet.say(key) for key in ("activation_label", "function", "derivative_label"))
    yield Table(header, tuple(rows), "lll")


BEFORE: dict[str, Part] = {
    "flow": flow,
    "roles": roles,
    "vectors": _vectors,
    "unit": _unit,
    "composition": _composition,
}
AFTER: dict[str, Part] = {
    "errors": errors,
    "losses": losses,
    "delta": _delta,
    "neuron": _neuron,
    "braces": _braces,
    "activations": _activations,
    "assignments": assignments,
    "variants": variants,
    "loop": loop,
    "scalar_or_matrix": scalar_or_matrix,
    "summary": summary,
    "takeaways": takeaways,
}
"""The parts in the order in which they stand; `two_terms` and `entries` stand within the calculation."""
