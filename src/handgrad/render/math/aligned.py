"""A formula as lines: target = form = form, each form on a line of its own under the equals sign."""

from __future__ import annotations

from dataclasses import dataclass

from handgrad.render.document import Formula
from handgrad.render.math.boxes import Array, Box, Operator, items, row, width
from handgrad.render.math.line_breaks import lines
from handgrad.render.math.typeset import Style, typeset

LIMIT = 38.0
"""How wide a line may be, in em: the text of a page."""
_SHORT = 22.0
"""A formula not wider than this stays on one line."""
_RESULT = 9.0
"""A last form not wider than this may stand behind the form before it."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line: `left` the target, on the first only; `sign` the relation, '' where a form goes on."""

    left: Box | None
    sign: str
    right: Box | None


def formula_lines(formula: Formula, style: Style, limit: float = LIMIT) -> tuple[Line, ...]:
    """The formula in lines of at most `limit` em where operators allow.

    >>> from handgrad.render.document import Literal, Notation
    >>> from handgrad.worked.expressions import Symbol
    >>> formula = Formula(Symbol("m"), (("=", Literal("2")),))
    >>> formula_lines(formula, Style(Notation()))
    (Line(left=Letter(text='m', bold=False, upright=False), sign='=', right=Digits(text='2')),)
    """
    target = typeset(formula.target, style)
    forms = [(sign, typeset(form, style)) for sign, form in formula.forms]
    if not forms:
        first, *others = lines(target, limit)
        return (Line(first, "", None), *(Line(None, "", other) for other in others))
    if width(target) + sum(width(form) + 1.3 for _, form in forms) <= _SHORT:
        return (Line(target, forms[0][0], _chained(forms)),)
    room = max(limit - width(target) - 1.3, limit / 2)
    written = [
        Line(target if place == 0 and part == 0 else None, sign if part == 0 else "", body)
        for place, (sign, form) in enumerate(_with_result(forms, room))
        for part, body in enumerate(lines(form, room))
    ]
    return tuple(written)


def _chained(forms: list[tuple[str, Box]]) -> Box:
    """All forms side by side, with the relations between them."""
    return row(forms[0][1], *(box for sign, form in forms[1:] for box in (Operator(sign), form)))


def _with_result(forms: list[tuple[str, Box]], room: float) -> list[tuple[str, Box]]:
    """The last form put behind the one before it, if it is short and there is room."""
    if len(forms) < 2:
        return forms
    (sign, form), last = forms[-2], forms[-1]
    joined = _chained([(sign, form), last])
    parts = items(last[1])
    is_result = width(last[1]) <= _RESULT or (len(parts) == 1 and isinstance(parts[0], Array))
    if is_result and width(joined) <= room:
        return [*forms[:-2], (sign, joined)]
    return forms
