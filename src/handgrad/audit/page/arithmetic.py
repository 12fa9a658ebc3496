"""The arithmetic of a chain, part by part: does what stands before an equals sign give what stands behind it?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from handgrad.audit.page.chains import Chain, Part
from handgrad.audit.page.formula_trees import Listing, Minus, Operation, Tree, literal, names_in, numbers_in
from handgrad.audit.page.ranges import AS_WRITTEN, Known, Range, evaluated, signed_numbers
from handgrad.audit.printed import Printed

_TIE = 1e-6
_TINY = 1e-12


@dataclass(frozen=True, slots=True)
class Slip:
    """Numbers that do not give what is said to equal them: `gives` is what they give, as near to it as they can."""

    line: int
    left: str
    right: str
    gives: float
    says: float
    unit: float
    entry: int
    """Which number of the part behind the sign, from 0; -1 where that is no plain result."""
    row: int
    start: int
    """Where in its row that number stands; -1 where it is none."""


def slips(chain: Chain, known: Known) -> tuple[list[Slip], set[int]]:
    """What does not hold in a chain, and the numbers of its parts whose arithmetic could be compared."""
    found: list[Slip] = []
    compared: set[int] = set()
    before: tuple[int, list[Range]] | None = None
    for number, part in enumerate(chain.parts):
        values = [] if number and part.relation == ":" else evaluated(part.tree, known)
        if values and before is not None and part.tree is not None:
            result = _compared(chain.parts[before[0]], before[1], part, values, known)
            if result is not None:
                compared |= {before[0], number}
                found += result
        if values:
            before = (number, values)
    return found, compared


def _compared(
    left: Part, values: list[Range], right: Part, others: list[Range], known: Known
) -> list[Slip] | None:
    """What does not hold between two parts; None where their shapes allow no comparison."""
    assert right.tree is not None
    if literal(right.tree):
        return _with_result(left, values, right, known)
    if any(True for _ in names_in(right.tree)):
        return None
    if (terms := _term_by_term(left, right, known)) is not None:
        return terms
    slack = _slack(right.tree, known)
    best: Slip | None = None
    for a in values:
        for b in others:
            if a.low.size != b.low.size:
                continue
            apart = np.maximum(a.low.ravel() - b.high.ravel(), b.low.ravel() - a.high.ravel())
            worst = int(np.argmax(apart))
            if apart[worst] <= slack + _noise(b.high.ravel()[worst]):
                return []
            gives = _middle(a, worst)
            best = Slip(
                right.line,
                left.text,
                right.text,
                gives,
                _middle(b, worst),
                _unit(right.tree),
                -1,
                right.row,
                -1,
            )
    return None if best is None else [best]


def _with_result(left: Part, values: list[Range], right: Part, known: Known) -> list[Slip] | None:
    assert right.tree is not None
    numbers = signed_numbers(right.tree)
    best: list[Slip] | None = None
    plain = evaluated(left.tree, AS_WRITTEN)
    for value in values:
        written = next((other for other in plain if other.shape == value.shape), value)
        for flat, exact in zip(
            _orders(value, right.tree, len(numbers)), _orders(written, right.tree, len(numbers)), strict=True
        ):
            wrong = []
            for entry, ((number, sign), low, high) in enumerate(
                zip(numbers, flat.low, flat.high, strict=True)
            ):
                printed = Printed(sign * number.printed.value, number.printed.unit)
                if _holds(printed, float(low), float(high)):
                    known.remember(number.printed, *sorted((sign * float(low), sign * float(high))))
                    continue
                gives = float(exact.low[entry])
                wrong.append(
                    Slip(
                        number.line,
                        left.text,
                        right.text,
                        gives,
                        printed.value,
                        printed.unit,
                        entry,
                        right.row,
                        number.start,
                    )
                )
            if not wrong:
                return []
            if best is None or len(wrong) < len(best):
                best = wrong
    return best


def _orders(value: Range, tree: Tree, count: int) -> Iterator[Range]:
    """The value's entries as the result may list them: row by row, or turned over."""
    if value.low.size != count:
        return
    yield Range(value.low.ravel(), value.high.ravel())
    if value.low.ndim == 2 and min(value.low.shape) > 1 and isinstance(tree, Listing):
        yield Range(value.low.T.ravel(), value.high.T.ravel())


def _holds(printed: Printed, low: float, high: float) -> bool:
    """True where some value between the two rounds to the printed number, or is cut off to it."""
    half = (0.5 + _TIE) * printed.unit
    noise = _noise(max(abs(low), abs(high)))
    if low - half - noise <= printed.value <= high + half + noise:
        return True
    return printed.cut_off_from(low) or printed.cut_off_from(high)


def _noise(value: float) -> float:
    return float(_TINY * max(1.0, abs(value)))


def _term_by_term(left: Part, right: Part, known: Known) -> list[Slip] | None:
    """Sums of as many terms, compared each with its own; None where they are not such sums."""
    assert right.tree is not None
    ours, theirs = list(_terms(right.tree)), list(_terms(left.tree)) if left.tree is not None else []
    if len(ours) < 2 or len(ours) != len(theirs) or not all(literal(term) for term in ours):
        return None
    found: list[Slip] = []
    for mine, before in zip(ours, theirs, strict=True):
        values = evaluated(before, known)
        part = Part("=", mine, "", right.line, right.row)
        result = _with_result(Part("", before, "", left.line, left.row), values, part, known)
        if result is None:
            return None
        found += [
            Slip(s.line, left.text, right.text, s.gives, s.says, s.unit, s.entry, s.row, s.start)
            for s in result
        ]
    return found


def _terms(tree: Tree) -> Iterator[Tree]:
    match tree:
        case Operation("+", left, right):
            yield from _terms(left)
            yield from _terms(right)
        case Operation("-", left, right):
            yield from _terms(left)
            yield Minus(right)
        case _:
            yield tree


def _slack(tree: Tree, known: Known) -> float:
    """What the numbers of a part may have lost when they were rounded."""
    return sum(
        0.5 * number.printed.unit
        for number in numbers_in(tree)
        if number.printed.unit < 1 and number.printed.value not in known.given
    )


def _unit(tree: Tree) -> float:
    return min((number.printed.unit for number in numbers_in(tree)), default=1.0)


def _middle(value: Range, place: int) -> float:
    low, high = value.low.ravel()[place], value.high.ravel()[place]
    return float((low + high) / 2)
