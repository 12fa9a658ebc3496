"""The connections: how wide and in which colour, and where the number of each one stands."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from handgrad.diagram.arrangement import Neuron
from handgrad.diagram.shapes import text_width

POSITIVE, NEGATIVE, NEUTRAL = "#3a85c9", "#c9702a", "#808080"
LABEL_SIZE = 11.0
THINNEST, THICKEST = 0.5, 4.0

_PLACES = (0.3, 0.7, 0.38, 0.62, 0.24, 0.76, 0.46, 0.54, 0.18, 0.82)


@dataclass(frozen=True, slots=True)
class Edge:
    """The connection from `source` to `target`, with its number."""

    source: Neuron
    target: Neuron
    value: float
    label: str

    def at(self, share: float) -> tuple[float, float]:
        """The point `share` of the way along."""
        return (
            self.source.x + share * (self.target.x - self.source.x),
            self.source.y + share * (self.target.y - self.source.y),
        )


@dataclass(frozen=True, slots=True)
class Chip:
    """The centred box of an edge's number."""

    x: float
    y: float
    width: float
    height: float
    edge: Edge

    def apart(self, other: Chip, margin: float = 3.0) -> bool:
        """Whether two boxes leave `margin` between them."""
        return (
            abs(self.x - other.x) >= (self.width + other.width) / 2 + margin
            or abs(self.y - other.y) >= (self.height + other.height) / 2 + margin
        )

    def clear_of(self, neuron: Neuron, radius: float) -> bool:
        """Whether the box stays away from a neuron."""
        dx = max(abs(self.x - neuron.x) - self.width / 2, 0.0)
        dy = max(abs(self.y - neuron.y) - self.height / 2, 0.0)
        return math.hypot(dx, dy) >= radius + 3.0

    def crossed_by(self, edge: Edge) -> bool:
        """Whether another edge runs behind the box."""
        steps = 24
        return any(
            abs(x - self.x) < self.width / 2 and abs(y - self.y) < self.height / 2
            for x, y in (edge.at(step / steps) for step in range(steps + 1))
        )


def colour(value: float) -> str:
    """Blue for positive, orange for negative, grey for zero: told apart by colour-blind readers too."""
    return POSITIVE if value > 0 else NEGATIVE if value < 0 else NEUTRAL


def width(value: float, largest: float) -> float:
    """Width in proportion to |value|, so that the largest is `THICKEST`."""
    share = abs(value) / largest if largest > 0 and math.isfinite(value) else 0.0
    return THINNEST + (THICKEST - THINNEST) * share


def place_chips(edges: Sequence[Edge], neurons: Sequence[Neuron], radius: float) -> tuple[Chip, ...] | None:
    """A box on every edge, none over another or over a neuron; None where there is no room for all of them.

    Each takes the place along its edge that the fewest other edges cross.
    """
    chips: list[Chip] = []
    for edge in edges:
        free = [
            chip
            for chip in (_chip(edge, share) for share in _PLACES)
            if all(chip.apart(other) for other in chips)
            and all(chip.clear_of(neuron, radius) for neuron in neurons)
        ]
        if not free:
            return None
        chips.append(min(free, key=lambda chip: sum(chip.crossed_by(o) for o in edges if o is not edge)))
    return tuple(chips)


def _chip(edge: Edge, share: float) -> Chip:
    x, y = edge.at(share)
    return Chip(x, y, text_width(edge.label, LABEL_SIZE) + 9, LABEL_SIZE + 6, edge)
