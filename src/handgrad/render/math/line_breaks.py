"""Long lines of mathematics, broken at operators.

A line breaks before its weakest operator first: a sum between its terms, then a Hadamard product, then a
product with signs. What is in a bracket is never parted from it: a bracket that is too wide holds its body in
lines of their own, and so does a fraction, a root or a brace.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from handgrad.render.math.boxes import (
    OPERATORS,
    Box,
    Brace,
    Fence,
    Fraction,
    Operator,
    Radical,
    Scripts,
    Series,
    Stack,
    items,
    row,
    width,
)

_LAST = max(sign.breaks for sign in OPERATORS.values() if sign.breaks is not None)
_LEAST = 8.0
"""Lines within a bracket are not made shorter than this."""
_PRODUCTS = 2
"""Rank of the weakest sign between factors."""
_ORPHAN = 2.4
"""A first factor that is not wider than this, such as 1/m, keeps the next one beside it, whatever the line holds."""


def lines(box: Box, limit: float) -> tuple[Box, ...]:
    """The box in as many lines as it takes to keep each within `limit` em, if operators allow.

    Each line after the first begins with the operator before which it was broken; all are about as long.

    >>> from handgrad.render.math.boxes import Digits
    >>> long = row(Digits("0.1234"), *(Operator("+"), Digits("0.1234")) * 7)
    >>> [round(width(line)) for line in lines(long, 20.0)]
    [16, 17]
    """
    if width(box) <= limit:
        return (box,)
    for rank in range(_LAST + 1):
        parts = _parted(items(box), rank)
        if len(parts) == 1:
            continue
        if any(width(part) > limit for part in parts):
            whole = _narrowed(box, limit)
            if width(whole) <= limit:
                return (whole,)
        return tuple(line for part in _evenly(parts, limit) for line in lines(part, limit))
    return (_narrowed(box, limit),)


def loose(box: Box, limit: float) -> tuple[Box, ...]:
    """The box in parts that may stand on one line or on several: cut at its own operators, brackets left whole.

    Parts of at most `limit` em where operators allow; for pages whose width is the reader's.
    """
    if width(box) <= limit:
        return (box,)
    for rank in range(_LAST + 1):
        parts = _parted(items(box), rank)
        if len(parts) > 1:
            return tuple(piece for part in _packed(parts, limit) for piece in loose(part, limit))
    return (box,)


def _parted(parts: tuple[Box, ...], rank: int) -> list[Box]:
    """The row cut before each operator of this rank, but never at its beginning."""
    cuts = [0, *(place for place, part in enumerate(parts) if place and _breaks_at(part, rank))]
    ends = [*cuts[1:], len(parts)]
    cut = [row(*parts[start:end]) for start, end in zip(cuts, ends, strict=True)]
    return _kept_company(cut) if rank >= _PRODUCTS else cut


def _kept_company(parts: list[Box]) -> list[Box]:
    """No small factor first and alone, and no sign of a sum without what it adds up."""
    kept: list[Box] = []
    for part in parts:
        first = len(kept) == 1 and width(kept[0]) <= _ORPHAN
        if kept and (first or isinstance(items(kept[-1])[-1], Series)):
            kept[-1] = row(kept[-1], part)
        else:
            kept.append(part)
    return kept


def _breaks_at(part: Box, rank: int) -> bool:
    return isinstance(part, Operator) and OPERATORS[part.name].breaks == rank


def _evenly(parts: list[Box], limit: float) -> list[Box]:
    """As few lines as hold the parts, and those about as long as each other: no factor is left alone."""
    packed = _packed(parts, limit)
    low, high = limit / 2, limit
    while high - low > 0.5:
        middle = (low + high) / 2
        closer = _packed(parts, middle)
        if len(closer) > len(packed):
            low = middle
        else:
            packed, high = closer, middle
    return packed


def _packed(parts: list[Box], limit: float) -> list[Box]:
    """As many parts to a line as it holds."""
    packed = [parts[0]]
    for part in parts[1:]:
        if width(packed[-1]) + width(part) <= limit:
            packed[-1] = row(packed[-1], part)
        else:
            packed.append(part)
    return packed


def _narrowed(box: Box, limit: float) -> Box:
    """The row with the bodies of its widest brackets in lines, one after the other until it fits."""
    parts = list(items(box))
    for place in sorted(range(len(parts)), key=lambda place: -width(parts[place])):
        excess = width(row(*parts)) - limit
        if excess <= 0:
            break
        parts[place] = _in_lines(parts[place], max(width(parts[place]) - excess, _LEAST))
    return row(*parts)


def _in_lines(box: Box, limit: float) -> Box:
    """What holds a body, with that body in lines."""
    spare = limit - width(box)
    narrow = _HOLDERS.get(type(box))
    return box if spare >= 0 or narrow is None else narrow(box, spare)


_HOLDERS: dict[type[Box], Callable[[Any, float], Box]] = {
    Fence: lambda box, spare: replace(box, body=_stack(box.body, width(box.body) + spare)),
    Fraction: lambda box, spare: Fraction(
        *(_stack(part, width(box) + spare) for part in (box.top, box.bottom))
    ),
    Radical: lambda box, spare: Radical(_stack(box.body, width(box.body) + spare)),
    Brace: lambda box, spare: replace(box, body=_narrowed(box.body, width(box.body) + spare)),
    Scripts: lambda box, spare: replace(box, base=_in_lines(box.base, width(box.base) + spare)),
}
"""What holds a body, and how it is made narrower by `spare` (less than 0)."""


def _stack(body: Box, limit: float) -> Box:
    written = lines(body, limit)
    return written[0] if len(written) == 1 else Stack(written)
