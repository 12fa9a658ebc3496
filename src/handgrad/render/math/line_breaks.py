"""Long lines of mathematics, broken at operators.

A line breaks before its weakest operator first: a sum between its terms, then a Hadamard product, then a
product with signs. Factors that stand side by side are parted only if that is enough; otherwise the widest
bracket is opened and what is in it broken the same way.
"""

from __future__ import annotations

from handgrad.render.math.boxes import OPERATORS, Box, Delimiter, Fence, Operator, items, row, tall, width

_LAST = max(sign.breaks for sign in OPERATORS.values() if sign.breaks is not None)


def lines(box: Box, limit: float) -> tuple[Box, ...]:
    """The box in as many lines as it takes to keep each within `limit` em, if operators allow.

    Each line after the first begins with the operator before which it was broken.

    >>> from handgrad.render.math.boxes import Digits
    >>> long = row(Digits("0.1234"), *(Operator("+"), Digits("0.1234")) * 7)
    >>> [round(width(line)) for line in lines(long, 20.0)]
    [20, 13]
    """
    if width(box) <= limit:
        return (box,)
    for rank in range(_LAST + 1):
        parts = _parted(items(box), rank)
        if len(parts) == 1 or (rank == _LAST and any(width(part) > limit for part in parts)):
            continue
        return tuple(line for part in _packed(parts, limit) for line in lines(part, limit))
    opened = _opened(items(box))
    return (box,) if opened is None else lines(opened, limit)


def _parted(parts: tuple[Box, ...], rank: int) -> list[Box]:
    """The row cut before each operator of this rank, but never at its beginning or within parted brackets
    that stand deeper than the row's own."""
    cuts, depth = [0], 0
    shallowest = _depth_of(parts, rank)
    for place, part in enumerate(parts):
        if isinstance(part, Delimiter):
            depth += 1 if part.opens else -1
        breakable = isinstance(part, Operator) and OPERATORS[part.name].breaks == rank
        if breakable and depth == shallowest and place > 0:
            cuts.append(place)
    ends = [*cuts[1:], len(parts)]
    return [row(*parts[start:end]) for start, end in zip(cuts, ends, strict=True)]


def _depth_of(parts: tuple[Box, ...], rank: int) -> int:
    """The shallowest depth at which the row has an operator of this rank after its first item."""
    depth, depths = 0, [0]
    found: list[int] = []
    for place, part in enumerate(parts):
        if isinstance(part, Delimiter):
            depth += 1 if part.opens else -1
        depths.append(depth)
        if place > 0 and isinstance(part, Operator) and OPERATORS[part.name].breaks == rank:
            found.append(depth)
    return min(found, default=0)


def _packed(parts: list[Box], limit: float) -> list[Box]:
    """As many parts to a line as it holds."""
    packed = [parts[0]]
    for part in parts[1:]:
        if width(packed[-1]) + width(part) <= limit:
            packed[-1] = row(packed[-1], part)
        else:
            packed.append(part)
    return packed


def _opened(parts: tuple[Box, ...]) -> Box | None:
    """The row with its widest bracket opened; None if it has none."""
    fences = [(place, part) for place, part in enumerate(parts) if isinstance(part, Fence)]
    if not fences:
        return None
    place, fence = max(fences, key=lambda found: width(found[1]))
    large = tall(fence.body)
    return row(
        *parts[:place],
        Delimiter(fence.left, True, large),
        fence.body,
        Delimiter(fence.right, False, large),
        *parts[place + 1 :],
    )
