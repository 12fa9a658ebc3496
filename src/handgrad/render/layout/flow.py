"""The network explained: its flow as a row of boxes, and what each of its layers does."""

from __future__ import annotations

from collections.abc import Iterator

from handgrad.diagram.flow import Station, draw_flow
from handgrad.render.document import Block, Bullets, Figure, Table
from handgrad.render.layout.context import Sheet
from handgrad.worked.expressions import Gradient, Relation, Symbol
from handgrad.worked.record import words
from handgrad.writing.phrasebook import Spans

MOST_INPUTS = 4
"""Inputs that the roles name one by one."""


def flow(sheet: Sheet) -> Iterator[Block]:
    """Input (2) -> Hidden (2, ReLU) -> Output (1, sigmoid) -> Loss, and the gradients the other way."""
    stations = _stations(sheet)
    chain = tuple(station.name for station in stations)
    yield sheet.paragraph("flow_text", back=way_back(sheet))
    scene = draw_flow(
        stations, sheet.text("flow_title"), sheet.text("flow_description", chain=" → ".join(chain))
    )
    yield Figure(scene, sheet.say("flow_caption"), chain)


def _stations(sheet: Sheet) -> tuple[Station, ...]:
    network = sheet.record.network
    found = [Station(sheet.text("flow_input", units=network.inputs), "input")]
    for number, layer in network.numbered():
        function = layer.function.name
        if number == network.depth:
            found.append(Station(sheet.text("flow_output", units=layer.units, function=function), "output"))
        elif network.depth == 2:
            found.append(Station(sheet.text("flow_hidden", units=layer.units, function=function), "hidden"))
        else:
            name = sheet.text("flow_hidden_of", number=number, units=layer.units, function=function)
            found.append(Station(name, "hidden"))
    if network.loss is not None:
        found.append(Station(sheet.text("flow_loss")))
    return tuple(found)


def way_back(sheet: Sheet) -> str:
    """Loss, output, hidden layers, input: the way of the gradients."""
    depth = sheet.record.network.depth
    hidden = [
        sheet.text("flow_hidden_alone") if depth == 2 else sheet.text("drawing_hidden", number=number)
        for number in range(depth - 1, 0, -1)
    ]
    ends = sheet.text("drawing_output"), sheet.text("drawing_input")
    return " → ".join((sheet.text("flow_loss"), ends[0], *hidden, ends[1]))


# --- roles ------------------------------------------------------------------------------------------------


def roles(sheet: Sheet) -> Iterator[Block]:
    """Each layer with its symbol and what it does, and what each letter stands for."""
    lesson = sheet.record.textbook.get("roles")
    if lesson is None:
        return
    network, rows = sheet.record.network, [_inputs(sheet)]
    for (number, layer), equation in zip(network.numbered(), lesson.equations, strict=True):
        last = number == network.depth
        key = "roles_output" if last and number > 1 else "roles_output_alone" if last else "roles_hidden"
        name = sheet.text("output_layer" if last else "layer", number=number)
        rule = Relation(equation.target, "=", equation.symbols[0])
        rows.append(((name,), (equation.target,), (str(layer.units),), sheet.say(key, rule=(rule,))))
    header = tuple(sheet.say(key) for key in ("layer_label", "roles_symbol", "units", "roles_role"))
    yield Table(header, tuple(rows), "llrl")
    yield sheet.paragraph("roles_connected")
    yield Bullets((*_parameters(sheet), *_letters(sheet)))


def _inputs(sheet: Sheet) -> tuple[Spans, ...]:
    inputs = sheet.record.network.inputs
    entries: list[Symbol | str] = []
    for place in range(min(inputs, MOST_INPUTS)):
        entries += [", " if place else "", Symbol("x", entry=(place,))]
    spans = tuple(part for part in (*entries, ", …" if inputs > MOST_INPUTS else "") if part != "")
    role = sheet.say("roles_input", entries=spans)
    return (sheet.text("inputs_label"),), (Symbol("x"),), (str(inputs),), role


def _parameters(sheet: Sheet) -> Iterator[Spans]:
    """Between which layers each weight and bias stands."""
    network = sheet.record.network
    for number, layer in network.numbered():
        before = words("roles_of_inputs") if number == 1 else words("roles_of_layer", number=number - 1)
        after = (
            words("roles_of_output") if number == network.depth else words("roles_of_layer", number=number)
        )
        key = "roles_parameters_alone" if layer.bias == "none" else "roles_parameters"
        yield sheet.say(key, W=(Symbol("W", number),), b=(Symbol("b", number),), before=before, layer=after)


def _letters(sheet: Sheet) -> Iterator[Spans]:
    network, loss = sheet.record.network, Symbol("loss")
    biased = any(layer.bias != "none" for layer in network.layers)
    for letter in ("W", "b", "z", "a"):
        if letter != "b" or biased:
            yield sheet.say(f"letter_{letter}", **{letter: (Symbol(letter, "l"),)})
    if network.loss is not None:
        yield sheet.say("letter_loss", loss=(loss,))
        gradients = {f"d{letter}": (Gradient(loss, Symbol(letter, "l")),) for letter in "Wb"}
        yield sheet.say("letter_gradients", **gradients)
