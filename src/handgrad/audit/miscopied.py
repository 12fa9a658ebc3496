"""A given number read wrongly: found by solving for the one that explains a wrong result."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial

import numpy as np

from handgrad.audit.claims import Index
from handgrad.cases.case import Case
from handgrad.errors import HandgradError
from handgrad.nn.arrays import Array
from handgrad.nn.network import Dense, Network

MOST_INPUTS = 150
_TYPICAL = 25
"""How many ways there are, more or less, to misread one number: a digit, two swapped, the sign, the point."""


@dataclass(frozen=True)
class Given:
    """A number that the case gives: the quantity, the entry, its value."""

    name: str
    index: Index
    value: float

    @property
    def shown(self) -> str:
        """Its name with its entry."""
        return self.name + (f"[{','.join(map(str, self.index))}]" if self.index else "")


def givens(case: Case) -> list[Given]:
    """Every number that the case gives: inputs, targets, weights, biases, the learning rate."""
    arrays: dict[str, Array] = {}
    for name, array in (("x", case.X), ("y", case.Y)):
        if array is not None:
            arrays[name] = array
    for l, layer in case.network.numbered():
        for name, given in ((f"W{l}", layer.W), (f"b{l}", layer.b)):
            if given is not None:
                arrays[name] = given
    found = [
        Given(name, where, float(array[where]))
        for name, array in arrays.items()
        for where in np.ndindex(array.shape)
    ]
    if case.recipe is not None:
        found.append(Given("eta", (), case.recipe.optimizer.learning_rate))
    return found if len(found) <= MOST_INPUTS else []


def with_given(case: Case, given: Given, value: float) -> Case:
    """The case with another number in that place."""
    if given.name == "eta":
        assert case.recipe is not None
        optimizer = replace(case.recipe.optimizer, learning_rate=value)
        return replace(case, recipe=replace(case.recipe, optimizer=optimizer))
    if given.name in ("x", "y"):
        held = case.X if given.name == "x" else case.Y
        assert held is not None
        changed = held.copy()
        changed[given.index] = value
        return replace(case, X=changed) if given.name == "x" else replace(case, Y=changed)
    layer = int(given.name[1:])
    layers = list(case.network.layers)
    old = layers[layer - 1]
    W, b = (None if part is None else np.array(part) for part in (old.W, old.b))
    part = W if given.name[0] == "W" else b
    assert part is not None
    part[given.index] = value
    bias = "frozen" if old.bias == "shared" else old.bias
    layers[layer - 1] = Dense(
        old.units, old.function, W=W, b=b, initializer=old.initializer, bias=bias, dropout=old.dropout
    )
    return replace(case, network=Network(case.network.inputs, layers, case.network.loss))


def solved(given: Given, target: float, unit: float, value_at: Callable[[float], float]) -> float | None:
    """The short number in the place of the given one that gives the printed result; None where there is none.

    `value_at` runs the calculation; the secant method finds where it meets the target.
    """
    step = max(abs(given.value), 0.1) * 0.5
    old, new = given.value, given.value + step
    at_old, at_new = value_at(old) - target, value_at(new) - target
    if abs(at_new - at_old) < unit * 1e-3:
        return None  # the result does not hang on this number
    for _ in range(12):
        slope = (at_new - at_old) / (new - old)
        if not math.isfinite(slope) or slope == 0:
            return None
        old, at_old = new, at_new
        new = new - at_new / slope
        if not math.isfinite(new) or abs(new) > 1e4 * max(1.0, abs(given.value)):
            return None
        at_new = value_at(new) - target
        if abs(at_new) < unit * 1e-3:
            break
    if not abs(at_new) < unit:
        return None
    for digits in range(decimals_of(given.value) + 2):
        short = round(new, digits)
        if short != given.value and abs(value_at(short) - target) <= unit * 0.5001:
            return short
    return None


def decimals_of(value: float) -> int:
    """Decimals of a number as it is written."""
    exponent = Decimal(repr(value)).normalize().as_tuple().exponent
    return max(0, -int(exponent))


def tries(given: Given, value: float, everything: list[Given]) -> float:
    """How many numbers were in the running for this one: few where it is a typical misreading."""
    if value in _misread(given.value) or any(value == other.value for other in everything):
        return _TYPICAL
    grid = 10.0 ** -max(decimals_of(given.value), decimals_of(value))
    return 4 * max(abs(given.value), abs(value)) / grid + _TYPICAL


def _misread(value: float) -> set[float]:
    """The number with another sign, its point moved, a digit dropped or doubled, two digits swapped, one changed."""
    text = format(Decimal(repr(abs(value))), "f")
    texts = {text[:i] + text[i + 1] + text[i] + text[i + 2 :] for i in range(len(text) - 1)}
    texts |= {text[:i] + digit + text[i + 1 :] for i in range(len(text)) for digit in "0123456789"}
    texts |= {text[:i] + text[i + 1 :] for i in range(len(text))}
    found = {-value, value * 10, value / 10, value * 100, value / 100}
    for candidate in texts:
        try:
            number = float(candidate)
        except ValueError:
            continue
        found |= {number, -number}
    return {float(f"{number:.12g}") for number in found}


def all_solved(
    case: Case, target: float, unit: float, value_in: Callable[[Case], float]
) -> Iterator[tuple[Given, float, float]]:
    """Every given number that can be replaced so, the number in its place, and how many were in the running."""
    everything = givens(case)

    def value_at(given: Given, value: float) -> float:
        try:
            return value_in(with_given(case, given, value))
        except HandgradError:  # a number that cannot stand there, such as a learning rate of 0
            return math.nan

    for given in everything:
        short = solved(given, target, unit, partial(value_at, given))
        if short is not None:
            yield given, short, tries(given, short, everything) * len(everything)
