"""A formula as pieces: the target, then = form = form, each piece whole, as many to a line as it holds.

All of a formula stands on one line where it fits. Else the letters end a line, and the numbers begin the next.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from handgrad.render.document import Block, Formula, LaidMatrix, Literal
from handgrad.render.math.boxes import Box, Operator, row, width
from handgrad.render.math.line_breaks import lines
from handgrad.render.math.parentheses import children
from handgrad.render.math.typeset import Style, typeset
from handgrad.worked.expressions import Expression, Gradient, Symbol

LIMIT = 38.0
"""How wide a line may be, in em: the text of a page."""
_SIGN = 1.3
"""Room for the relation before a form."""
ABREAST = 25.0
"""Formulas that are not wider than half a line stand side by side; what is given does wherever it fits one."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A form, or a part of one that is broken: `sign` its relation, '' where a form goes on; `letters` says
    that it holds no numbers yet."""

    sign: str
    body: Box
    letters: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One line: `left` the target, on the first only; `sign` the relation, '' where a form goes on."""

    left: Box | None
    sign: str
    right: Box | None


def pieces(formula: Formula, style: Style, room: float) -> tuple[Piece, ...]:
    """The forms of a formula in pieces of at most `room` em where operators allow."""
    forms = [(sign, tree, typeset(tree, style)) for sign, tree in formula.forms]
    return tuple(
        Piece(sign if place == 0 else "", body, has_letters(tree))
        for sign, tree, form in forms
        for place, body in enumerate(lines(form, room))
    )


def has_letters(tree: Expression) -> bool:
    """Does a quantity stand in the tree by its letter?"""
    return isinstance(tree, Symbol | Gradient) or any(map(has_letters, children(tree)))


def formula_lines(formula: Formula, style: Style, limit: float = LIMIT) -> tuple[Line, ...]:
    """The formula in lines of at most `limit` em where operators allow.

    >>> from handgrad.render.document import Literal, Notation
    >>> from handgrad.worked.expressions import Symbol
    >>> formula = Formula(Symbol("m"), (("=", Literal("2")),))
    >>> formula_lines(formula, Style(Notation()))
    (Line(left=Letter(text='m', bold=False, upright=False), sign='=', right=Digits(text='2')),)
    """
    target = typeset(formula.target, style)
    if not formula.forms:
        first, *others = lines(target, limit)
        return (Line(first, "", None), *(Line(None, "", other) for other in others))
    room = max(limit - width(target) - _SIGN, limit / 2)
    found = pieces(formula, style, room)
    written = list(_filled(found, room))
    return tuple(
        Line(target if place == 0 else None, line[0].sign, _chained(line))
        for place, line in enumerate(written)
    )


def _filled(found: Sequence[Piece], room: float) -> Iterator[list[Piece]]:
    """Pieces to a line: all of them, or the letters and then the numbers."""
    whole = sum(width(piece.body) + _SIGN for piece in found) - _SIGN <= room
    line: list[Piece] = []
    for piece in found:
        filled = sum(width(other.body) + _SIGN for other in line) + width(piece.body)
        if line and (not piece.sign or (not whole and (line[-1].letters != piece.letters or filled > room))):
            yield line
            line = []
        line.append(piece)
    yield line


def _chained(line: Sequence[Piece]) -> Box:
    """All pieces of a line side by side, with the relations between them."""
    first, *others = line
    return row(first.body, *(box for piece in others for box in (Operator(piece.sign), piece.body)))


def abreast(blocks: Iterable[Block], style: Style) -> Iterator[Block | tuple[Formula, ...]]:
    """The blocks in order, short formulas of one kind that follow one another together.

    The kinds are what is given (x, y, the parameters), rules in letters, and what is worked out.
    """
    for kind, run in groupby(blocks, lambda block: _kind(block, style)):
        group = list(run)
        formulas = tuple(block for block in group if isinstance(block, Formula))
        if kind and len(group) > 1:
            yield formulas
        else:
            yield from group


def _kind(block: Block, style: Style) -> str:
    """given, rule or worked; '' of a formula that has its line to itself, and of what is none."""
    if not isinstance(block, Formula) or block.shapes or not block.forms:
        return ""
    whole = width(typeset(block.target, style))
    whole += sum(width(typeset(form, style)) + _SIGN for _, form in block.forms)
    if len(block.forms) == 1 and isinstance(block.forms[0][1], LaidMatrix | Literal):
        return "given" if whole <= LIMIT else ""
    if whole > ABREAST:
        return ""
    return "rule" if all(has_letters(form) for _, form in block.forms) else "worked"
