"""The table of shapes: every quantity with its rows and columns on paper, and what it means."""

from __future__ import annotations

import re
from collections.abc import Iterator

from handgrad.render.document import Block, Table
from handgrad.render.layout.context import Sheet
from handgrad.worked.expressions import Expression, Gradient, Matrix, Symbol
from handgrad.writing.phrasebook import Spans

_LAYERED = re.compile(r"(W|b|z|a|delta|dW|db)(\d+)")
ORDER = ("W", "b", "z", "a", "delta", "dW", "db")


def shapes(sheet: Sheet) -> Iterator[Block]:
    """Inputs, then layer by layer, then prediction, target and loss."""
    if not sheet.record.steps:
        return
    quantities = sheet.record.steps[0].quantities
    names = [name for name in _names(sheet) if name in quantities]
    yield sheet.paragraph("shapes_intro")
    header = tuple(sheet.say(key) for key in ("quantity", "shape", "meaning"))
    yield Table(header, tuple(_row(sheet, name) for name in names), "lll")


def _names(sheet: Sheet) -> Iterator[str]:
    yield "x"
    depth = sheet.record.network.depth
    for layer in range(1, depth + 1):
        for letter in ORDER[:4]:
            if not (letter == "a" and layer == depth):
                yield f"{letter}{layer}"
    yield from ("yhat", "y", "loss")
    for layer in range(depth, 0, -1):
        for letter in ORDER[4:]:
            yield f"{letter}{layer}"


def _row(sheet: Sheet, name: str) -> tuple[Spans, ...]:
    value = sheet.record.steps[0].quantities[name]
    weights = name.lstrip("d").startswith("W")
    tree = sheet.on_paper(value, weights=weights)
    rows, columns = tree.shape if isinstance(tree, Matrix) else (1, 1)
    return ((symbol_of(name),), (sheet.shape_text(rows, columns),), _meaning(sheet, name))


def symbol_of(name: str) -> Expression:
    """The symbol of a quantity by its public name.

    >>> symbol_of("dW2") == Gradient(Symbol("loss"), Symbol("W", 2))
    True
    """
    matched = _LAYERED.fullmatch(name)
    if matched is None:
        return Symbol(name)
    letter, layer = matched.group(1), int(matched.group(2))
    if letter in ("dW", "db"):
        return Gradient(Symbol("loss"), Symbol(letter[1:], layer))
    return Symbol(letter, layer)


def _meaning(sheet: Sheet, name: str) -> Spans:
    matched = _LAYERED.fullmatch(name)
    if matched is not None:
        return sheet.say(f"meaning_{matched.group(1)}", layer=int(matched.group(2)))
    direction = sheet.text(f"direction_{sheet.record.options.orientation}")
    return sheet.say(f"meaning_{name}", direction=direction)
