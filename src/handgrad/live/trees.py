"""Trees as the page's data hold them: the fields of each node, and what each letter means."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from handgrad.errors import RenderError
from handgrad.worked.bindings import name_of
from handgrad.worked.expressions import Expression, Gradient, Matrix, Symbol

Plain = dict[str, Any]


def as_data(tree: Expression) -> Plain:
    """A tree as plain data: `op` is the kind of node, letters carry the public `name` of their quantity.

    >>> as_data(Symbol("W", 1, (0, 1)))
    {'op': 'Symbol', 'letter': 'W', 'layer': 1, 'entry': [0, 1], 'name': 'W1', 'weights': True}

    Raises RenderError for a matrix of numbers: what the page shows, it puts in itself.
    """
    if isinstance(tree, Matrix):
        raise RenderError(
            "a matrix of numbers stands in a letter's place; a live sheet puts numbers in itself"
        )
    found: Plain = {"op": type(tree).__name__}
    for field in dataclasses.fields(tree):
        value = _plain(getattr(tree, field.name))
        if value != _plain(field.default) and value != []:
            found[field.name] = value
    if isinstance(tree, Symbol | Gradient):
        found["name"] = name_of(tree)
        inner = tree.by if isinstance(tree, Gradient) else tree
        if isinstance(inner, Symbol):
            if isinstance(tree, Gradient):
                found |= {key: value for key, value in as_data(inner).items() if key in ("entry", "sample")}
            if inner.letter == "W":
                found["weights"] = True
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, Expression):
        return as_data(value)
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def whole(letter: Symbol | Gradient) -> Symbol | Gradient:
    """The letter of the whole quantity, without entry and sample.

    >>> whole(Symbol("z", 1, (0,), 2))
    Symbol(letter='z', layer=1, entry=(), sample=None, mark='', old=False)
    """
    if isinstance(letter, Gradient):
        by = letter.by
        return dataclasses.replace(letter, by=whole(by)) if isinstance(by, Symbol) else letter
    return dataclasses.replace(letter, entry=(), sample=None)


def letters_of(tree: Any) -> list[Symbol | Gradient]:
    """Every letter of a tree, from left to right; a derivative is one letter."""
    if isinstance(tree, Symbol | Gradient):
        return [tree]
    if isinstance(tree, tuple):
        return [letter for part in tree for letter in letters_of(part)]
    if isinstance(tree, Expression):
        return [
            letter for field in dataclasses.fields(tree) for letter in letters_of(getattr(tree, field.name))
        ]
    return []
