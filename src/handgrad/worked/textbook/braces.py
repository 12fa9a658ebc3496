"""The chain rule in one line: every factor under a brace of its own, sigma apart from 1 - sigma, 2a - 2y undivided."""

from __future__ import annotations

from handgrad.worked.derive.chain_rule import braced
from handgrad.worked.record import Equation, Lesson
from handgrad.worked.textbook.desk import Desk, in_letters, proved

MOST_LAYERS = 3
"""Layers, from the last one down, whose chains are written; those of the others only grow."""


def braces(desk: Desk) -> Lesson | None:
    """The gradients of the weights and the bias of each layer, from the last one back to the first."""
    paper = desk.paper
    if paper.network.loss is None or not paper.has("y"):
        return None
    found: list[Equation] = []
    for l in range(paper.network.depth, max(0, paper.network.depth - MOST_LAYERS), -1):
        for letter in ("W", "b"):
            equation = braced(paper, l, bias=letter == "b") if _has_gradient(desk, l, letter) else None
            if equation is not None:
                found.append(equation)
    if not found:
        return None
    return Lesson(tuple(map(in_letters, found)), (proved(desk.number, paper, found),))


def _has_gradient(desk: Desk, l: int, letter: str) -> bool:
    return letter == "W" or desk.paper.network.layers[l - 1].bias == "trained"
