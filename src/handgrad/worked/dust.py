"""Dust: entries that would be 0 without rounding, such as the 5.55e-17 that is left of 0.1 + 0.2 - 0.3."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from handgrad.nn.arrays import Array
from handgrad.worked.bindings import Bindings, array_of, name_of
from handgrad.worked.evaluate import evaluate_bounded, leaves
from handgrad.worked.expressions import Expression, Gradient, Symbol
from handgrad.worked.record import Assignment

MOST_NUMBERS = 20_000
"""A step with more numbers than this is not looked through: nobody reads it entry by entry."""
SMALL = 2.0**10
"""So many units of roundoff of the largest operand is the most that dust can be."""


def dust(bindings: Bindings, program: Iterable[Assignment], unit: float) -> dict[str, Array]:
    """Where a quantity is nothing but rounding, by public name, as on paper.

    Errors are carried along the whole program, from decimals that float64 does not have exactly; an entry is dust
    where the bound on its error is as large as itself, and it is tiny beside what it was made of.
    """
    lines = list(program)
    if sum(array_of(value).size for value in bindings.values()) > MOST_NUMBERS:
        return {}
    if not any(_candidates(bindings, line.quantity, unit).any() for line in lines):
        return {}
    made = {line.quantity for line in lines}
    errors = {
        name: unit * np.abs(array_of(value))
        for name, value in bindings.items()
        if name not in made and name[0] in "xyWb"
    }
    found = {}
    for name, letters in lines:
        whole = array_of(bindings[name])
        computed = evaluate_bounded(letters, bindings, unit, errors)
        errors[name] = np.broadcast_to(computed.error, whole.shape)
        size = _largest(bindings, letters)
        with np.errstate(invalid="ignore"):
            nothing = (np.abs(whole) <= errors[name]) & (np.abs(whole) <= SMALL * unit * size) & (whole != 0)
        if nothing.any():
            found[name] = nothing
    return found


def _candidates(bindings: Bindings, name: str, unit: float) -> Array:
    whole = array_of(bindings[name])
    return np.asarray((whole != 0) & (np.abs(whole) < SMALL * unit))


def _largest(bindings: Bindings, letters: Expression) -> float:
    """The largest number among the operands."""
    names = {name_of(leaf) for leaf in _letters(letters)}
    sizes = [np.max(np.abs(array_of(bindings[name])), initial=0.0) for name in names if name in bindings]
    return float(max(sizes, default=0.0))


def _letters(tree: Expression) -> list[Symbol | Gradient]:
    return [leaf for leaf in leaves((tree,)) if isinstance(leaf, Symbol | Gradient)]
