"""Columns of numbers whose decimal points stand under each other.

A column is set to the right; a number with less behind its point than another is followed by that much empty room.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from handgrad.render.math.boxes import Box, Digits, Operator, Phantom, Scripts, Text, items, row, width

_MARKS = (".", ",")


class Behind(NamedTuple):
    """What stands behind the point of a number: digits, the point itself if it has one, a power of ten."""

    digits: int
    mark: str
    power: tuple[Box, ...] = ()


class Room(NamedTuple):
    """The room to leave behind a number: for `text` (a point, digits), then for a power of ten."""

    text: str = ""
    power: tuple[Box, ...] = ()

    def boxes(self) -> tuple[Box, ...]:
        """The room as boxes of nothing."""
        # a sign that is first has less room around it than one behind something
        held = (Digits(self.text) if self.text else Text(""), *self.power)
        return (Phantom(row(*held)),) if self.text or self.power else ()


def rooms(column: Sequence[Box | None]) -> list[Room]:
    """The room behind each cell of a column; none behind what is no number.

    >>> rooms([Digits("0.25"), Digits("3")])
    [Room(text='', power=()), Room(text='.00', power=())]
    """
    behind = [None if cell is None else _behind(cell) for cell in column]
    found = [each for each in behind if each is not None]
    digits = max((each.digits for each in found), default=0)
    mark = next((each.mark for each in found if each.mark), "")
    power = max(
        (each.power for each in found), key=lambda held: width(row(*held)) if held else 0.0, default=()
    )
    return [Room() if each is None else _room(each, digits, mark, power) for each in behind]


def aligned(lines: tuple[tuple[Box, ...], ...]) -> tuple[tuple[Box, ...], ...]:
    """The cells of a matrix with room behind those that have less behind their point."""
    columns = [rooms(column) for column in zip(*lines, strict=True)]
    return tuple(
        tuple(row(cell, *columns[j][i].boxes()) for j, cell in enumerate(line))
        for i, line in enumerate(lines)
    )


def centred(lines: tuple[tuple[Box, ...], ...]) -> tuple[tuple[Box, ...], ...]:
    """The cells with room before them, too: for a medium that centres its columns."""
    columns = [_before(column) for column in zip(*lines, strict=True)]
    return tuple(
        tuple(row(*columns[j][i], cell) for j, cell in enumerate(line)) for i, line in enumerate(lines)
    )


def _before(column: Sequence[Box]) -> list[tuple[Box, ...]]:
    """Room for the sign and the digits before the point that another number of the column has."""
    fronts = [_front(cell) for cell in column]
    found = [front for front in fronts if front is not None]
    sign = any(front.sign for front in found)
    digits = max((front.digits for front in found), default=0)
    rooms = [
        () if front is None else (
            *((Operator("negative"),) if sign and not front.sign else ()),
            *((Digits("0" * (digits - front.digits)),) if digits > front.digits else ()),
        )
        for front in fronts
    ]  # fmt: skip
    return [(Phantom(row(*held)),) if held else () for held in rooms]


class Front(NamedTuple):
    """What stands before the point of a number."""

    sign: bool
    digits: int


def _front(cell: Box) -> Front | None:
    if _behind(cell) is None:
        return None
    first, *rest = items(cell)
    sign = first == Operator("negative")
    number = rest[0] if sign else first
    assert isinstance(number, Digits)
    return Front(sign, len(number.text.replace(",", ".").partition(".")[0]))


def _behind(cell: Box) -> Behind | None:
    """What stands behind the point; None of what is no number with digits."""
    match items(cell):
        case (Operator("negative"), *rest):
            parts = rest
        case (*rest,):
            parts = rest
    match parts:
        case [Digits(text)] | [Digits(text), Phantom()]:
            return _digits(text)
        case [Digits(text), Operator("times"), Scripts(Digits()) as power, *_]:
            return _digits(text)._replace(power=(Operator("times"), power))
    return None


def _digits(text: str) -> Behind:
    mark = next((mark for mark in _MARKS if mark in text), "")
    return Behind(len(text.partition(mark)[2]) if mark else 0, mark)


def _room(behind: Behind, digits: int, mark: str, power: tuple[Box, ...]) -> Room:
    """Behind a power of ten stands room for the digits that are missing before it: they are as wide there."""
    text = "0" * (digits - behind.digits)
    if text and not behind.mark:
        text = mark + text
    return Room(text, () if behind.power else power)
