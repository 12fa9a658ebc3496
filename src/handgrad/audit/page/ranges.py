"""Arithmetic with printed numbers: every one of them stands for all values that it may have been rounded from.

A number that the case gives is itself. One that a quantity rounds to stands for everything between the two. Any other
with three digits or more stands for half a unit of its last digit to either side; a shorter one is itself.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice, product
from typing import Any, NamedTuple

import numpy as np

from handgrad.audit.page.formula_trees import (
    Call,
    Derivative,
    Listing,
    Minus,
    Name,
    Number,
    Operation,
    Tree,
    Turned,
    literal,
)
from handgrad.audit.printed import Printed
from handgrad.nn.arrays import Array

_MOST = 8
_HUGE = 1e300


class Range(NamedTuple):
    """Arrays of the least and the greatest values."""

    low: Array
    high: Array

    @property
    def shape(self) -> tuple[int, ...]:
        """Of either."""
        return self.low.shape


@dataclass(frozen=True)
class Known:
    """The numbers of a case: `given` ones are exact, `computed` ones may be printed rounded; both are sorted."""

    given: tuple[float, ...] = ()
    computed: tuple[float, ...] = ()
    written: dict[tuple[float, float], tuple[float, float]] = field(default_factory=dict)
    """What results on the page stood for, by value and unit."""
    exact: bool = False
    """True: every number is itself."""

    @classmethod
    def of(cls, given: Iterable[float], computed: Iterable[float]) -> Known:
        """From the numbers in any order; of computed ones the negatives too."""
        finite = [value for value in computed if np.isfinite(value)]
        return cls(tuple(sorted(set(given))), tuple(sorted({*finite, *(-value for value in finite)})))

    def meant(self, printed: Printed) -> tuple[float, float]:
        """The least and the greatest value that a printed number may stand for."""
        value, unit = printed
        if self.exact:
            return value, value
        at = bisect_left(self.given, value)
        exactly = at < len(self.given) and self.given[at] == value
        if exactly and (unit >= 0.05 * abs(value) or value == int(value)):
            return value, value
        low = bisect_left(self.computed, value - 0.5 * unit)
        high = bisect_right(self.computed, value + 0.5 * unit)
        near = self.computed[low:high] if high - low < 50 else ()
        least, greatest = min((value, *near)), max((value, *near))
        if not (near or exactly) and abs(value) >= 100 * unit and value != int(value):
            least, greatest = value - 0.5 * unit, value + 0.5 * unit
        held = self.written.get((value, unit))
        return (least, greatest) if held is None else (min(least, held[0]), max(greatest, held[1]))

    def remember(self, printed: Printed, low: float, high: float) -> None:
        """A result on the page stood for these values; it may be used again."""
        if printed.unit < 1 and abs(high - low) < 2 * printed.unit:
            self.written[printed.value, printed.unit] = (min(low, printed.value), max(high, printed.value))


AS_WRITTEN = Known(exact=True)
"""Every number is what it says."""


def evaluated(tree: Tree | None, known: Known) -> list[Range]:
    """The values that the numbers of a tree give, one for each way to read its products; none where it has names."""
    if tree is None:
        return []
    with np.errstate(all="ignore"):
        try:
            found = list(islice(_values(tree, known), _MOST))
        except (ValueError, RecursionError, MemoryError):
            return []
    return [value for value in found if np.all(np.isfinite(value.low)) and np.all(np.isfinite(value.high))]


def _values(tree: Tree, known: Known) -> Iterator[Range]:
    match tree:
        case Number(printed):
            low, high = known.meant(printed)
            yield Range(np.float64(low), np.float64(high))  # type: ignore[arg-type]
        case Minus(of):
            for value in _values(of, known):
                yield Range(-value.high, -value.low)
        case Turned(of):
            for value in _values(of, known):
                column = value.low.ndim == 1
                yield Range(*(part[:, None] if column else part.T for part in value))
        case Listing(items):
            yield from _listed(items, known)
        case Operation(sign, left, right):
            for a, b in product(islice(_values(left, known), _MOST), islice(_values(right, known), _MOST)):
                yield from _combined(sign, a, b)
        case Call(function, arguments):
            yield from _called(function, arguments, known)
        case Name() | Derivative():
            return


def _listed(items: tuple[Tree, ...], known: Known) -> Iterator[Range]:
    parts = [next(_values(item, known), None) for item in items]
    kept = [part for part in parts if part is not None]
    if len(kept) == len(items) and len({part.shape for part in kept}) == 1:
        yield Range(np.stack([part.low for part in kept]), np.stack([part.high for part in kept]))


def _hull(*values: Array) -> Range:
    return Range(np.minimum.reduce(values), np.maximum.reduce(values))


def _times(a: Range, b: Range) -> Range:
    return _hull(a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high)


def _matrix_product(a: Range, b: Range) -> Range | None:
    left, right = (Range(*(np.atleast_1d(part) for part in value)) for value in (a, b))
    if left.shape[-1] != right.shape[0]:
        return None
    middle = [(part.low + part.high) / 2 for part in (left, right)]
    radius = [(part.high - part.low) / 2 for part in (left, right)]
    exact = middle[0] @ middle[1]
    spread = abs(middle[0]) @ radius[1] + radius[0] @ abs(middle[1]) + radius[0] @ radius[1]
    return Range(exact - spread, exact + spread)


def _outer(a: Range, b: Range) -> Range:
    left, right = (Range(part.low.ravel(), part.high.ravel()) for part in (a, b))
    return _times(
        Range(left.low[:, None], left.high[:, None]), Range(right.low[None, :], right.high[None, :])
    )


def _combined(sign: str, a: Range, b: Range) -> Iterator[Range]:
    if sign in ("+", "-"):
        a, b = _alike(a, b)
        if _fit(a, b):
            yield (
                Range(a.low + b.low, a.high + b.high)
                if sign == "+"
                else Range(a.low - b.high, a.high - b.low)
            )
    elif sign == "/":
        if _fit(a, b) and not np.any((b.low <= 0) & (b.high >= 0)):
            yield _times(a, Range(1 / b.high, 1 / b.low))
    elif sign == "^":
        if b.low.ndim == 0 and b.low == b.high:
            yield _power(a, float(b.low))
    else:
        yield from _products(sign, a, b)


def _products(sign: str, a: Range, b: Range) -> Iterator[Range]:
    """All that a sign of multiplication may mean between these: entry by entry, of matrices, outer."""
    single = a.low.size == 1 or b.low.size == 1
    if sign != "⊗" and (single or _fit(a, b)):
        yield _times(a, b)
    if sign != "⊙":
        matrix = None if single and a.low.ndim + b.low.ndim < 4 else _matrix_product(a, b)
        if sign != "⊗" and matrix is not None:
            yield matrix
        if a.low.size > 1 or b.low.size > 1:
            yield _outer(a, b)
    if a.low.ndim == b.low.ndim == 1 and a.low.size != b.low.size:
        yield _outer(a, b)


def _alike(a: Range, b: Range) -> tuple[Range, Range]:
    """A column beside a plain list of as many numbers is that list."""
    if a.shape != b.shape and a.low.size == b.low.size:
        return Range(a.low.ravel(), a.high.ravel()), Range(b.low.ravel(), b.high.ravel())
    return a, b


def _fit(a: Range, b: Range) -> bool:
    return a.shape == b.shape or a.low.size == 1 or b.low.size == 1


def _power(a: Range, exponent: float) -> Range:
    found = _hull(a.low**exponent, a.high**exponent)
    if exponent % 2 == 0:
        found = Range(np.where((a.low < 0) & (a.high > 0), 0.0, found.low), found.high)
    return found


def _sigmoid(z: Array) -> Array:
    value: Array = 1 / (1 + np.exp(-z))
    return value


_RISING: Mapping[str, Callable[[Array], Array]] = {
    "exp": np.exp, "log": np.log, "ln": np.log, "log10": np.log10, "log2": np.log2, "sqrt": np.sqrt,
    "tanh": np.tanh, "sigmoid": _sigmoid, "relu": lambda z: np.maximum(z, 0.0),
    "leaky_relu": lambda z: np.where(z > 0, z, 0.01 * z), "softplus": lambda z: np.log1p(np.exp(z)),
}  # fmt: skip
_SLOPES: Mapping[str, Callable[[Array], Array]] = {
    "sigmoid'": lambda z: _sigmoid(z) * (1 - _sigmoid(z)),
    "tanh'": lambda z: 1 - np.tanh(z) ** 2,
    "relu'": lambda z: (z > 0).astype(float),
}


def _called(function: str, arguments: tuple[Tree, ...], known: Known) -> Iterator[Range]:
    if function in ("max", "min"):
        parts = [next(_values(argument, known), None) for argument in arguments]
        kept = [part for part in parts if part is not None]
        if len(kept) == len(parts) > 1:
            rule: Callable[[Any, Any], Any] = np.maximum if function == "max" else np.minimum
            low, high = kept[0]
            for part in kept[1:]:
                low, high = rule(low, part.low), rule(high, part.high)
            yield Range(low, high)
        return
    for value in _values(arguments[0], known):
        if function in _RISING:
            yield Range(_RISING[function](value.low), _RISING[function](value.high))
        elif function in _SLOPES:
            slope = _SLOPES[function]
            yield _hull(slope(value.low), slope(value.high), slope((value.low + value.high) / 2))
        elif function == "softmax":
            middle = (
                np.exp(value.low) / np.sum(np.exp(value.low)),
                np.exp(value.high) / np.sum(np.exp(value.high)),
            )
            yield _hull(*middle)
        elif function == "abs":
            yield _hull(abs(value.low), abs(value.high))
        elif function in ("sum", "mean"):
            whole: Callable[[Any], Any] = np.sum if function == "sum" else np.mean
            yield Range(whole(value.low), whole(value.high))


def as_printed(tree: Tree | None) -> Array | None:
    """The numbers of a result as an array; None where they make none."""
    if tree is None or not literal(tree):
        return None
    exact = evaluated(tree, AS_WRITTEN)
    signed = list(_flat(tree, 1))
    if not exact or len(signed) != exact[0].low.size:
        return None
    if isinstance(tree, Turned):
        return exact[0].low
    return np.array([sign * number.printed.value for number, sign in signed]).reshape(exact[0].shape)


def signed_numbers(tree: Tree) -> list[tuple[Number, int]]:
    """The numbers of a result, each with its sign, row by row."""
    return list(_flat(tree, 1))


def _flat(tree: Tree, sign: int) -> Iterator[tuple[Number, int]]:
    match tree:
        case Number():
            yield tree, sign
        case Minus(of):
            yield from _flat(of, -sign)
        case Turned(of):
            yield from _flat(of, sign)
        case Listing(items):
            for item in items:
                yield from _flat(item, sign)
