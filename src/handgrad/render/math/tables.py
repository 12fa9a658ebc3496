"""Tables of numbers whose decimal points stand under each other, for media that set their own tables."""

from __future__ import annotations

from handgrad.render.document import Table
from handgrad.render.math.boxes import Box
from handgrad.render.math.columns import Room, rooms
from handgrad.render.math.typeset import Style, typeset
from handgrad.worked.expressions import Expression
from handgrad.writing.letter_parts import digits_in
from handgrad.writing.phrasebook import Spans


def rooms_of(table: Table, style: Style) -> tuple[tuple[Room, ...], ...]:
    """The room behind each cell of a table, row by row; its columns of numbers are those set to the right.

    >>> from handgrad.render.document import Literal
    >>> from handgrad.writing.letter_parts import Notation
    >>> table = Table((("n",),), (((Literal("0.5"),),), ((Literal("2"),),)), "r")
    >>> [line[0].text for line in rooms_of(table, Style(Notation()))]
    ['', '.0']
    """
    columns = [
        _rooms(tuple(line[j] for line in table.rows), style) if side == "r" else (Room(),) * len(table.rows)
        for j, side in enumerate(table.align)
    ]
    return tuple(zip(*columns, strict=True))


def _rooms(column: tuple[Spans, ...], style: Style) -> tuple[Room, ...]:
    numerals = style.notation.numerals
    found = rooms([_number(cell, style) for cell in column])
    return tuple(room._replace(text=digits_in(room.text, numerals)) for room in found)


def _number(cell: Spans, style: Style) -> Box | None:
    return typeset(cell[0], style) if len(cell) == 1 and isinstance(cell[0], Expression) else None
