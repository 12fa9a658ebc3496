"""The way of the numbers through a network as a row of boxes: inputs, layers, loss."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from handgrad.diagram.palette import PALETTE
from handgrad.diagram.shapes import Box, Line, Polyline, Scene, Shape, Text, text_width

HEIGHT, PAD, GAP, SIZE = 40.0, 12.0, 46.0, 14.0
MARGIN = 14.0
MOST_ACROSS = 4
"""Boxes of one row; a deeper network goes on in the next."""
INK, GROUND, WORDS = "#767676", "#f7f7f5", "#1f1f1f"


class Station(NamedTuple):
    """One box: what stands in it, and of what kind it is (input, hidden, output, or none)."""

    name: str
    kind: str = ""


def draw_flow(stations: Sequence[Station], title: str, description: str) -> Scene:
    """The boxes with an arrow on and an arrow back between each two.

    >>> scene = draw_flow((Station("Input (2)", "input"), Station("Loss")), "flow", "two boxes")
    >>> [shape.text for shape in scene.shapes if isinstance(shape, Text)]
    ['Input (2)', 'Loss']
    """
    rows = [stations[start : start + MOST_ACROSS] for start in range(0, len(stations), MOST_ACROSS)]
    shapes: list[Shape] = []
    widest = 0.0
    for place, row in enumerate(rows):
        y = MARGIN + place * (HEIGHT + MARGIN)
        x = MARGIN
        for number, station in enumerate(row):
            width = text_width(station.name, SIZE) + 2 * PAD
            colour = PALETTE[station.kind].light if station.kind else INK
            shapes.append(Box(x, y, width, HEIGHT, 6, GROUND, colour))
            shapes.append(Text(x + width / 2, y + HEIGHT / 2 + SIZE / 3, station.name, SIZE, WORDS))
            x += width
            if number < len(row) - 1 or place < len(rows) - 1:
                shapes += _arrow(x + 6, x + GAP - 6, y + HEIGHT / 3)
                shapes += _arrow(x + GAP - 6, x + 6, y + 2 * HEIGHT / 3)
                x += GAP
        widest = max(widest, x)
    height = MARGIN + len(rows) * (HEIGHT + MARGIN)
    return Scene(widest + MARGIN, height, title, description, tuple(shapes))


def _arrow(start: float, end: float, y: float) -> Iterator[Shape]:
    """A line with a head at its end."""
    back = -6.0 if end > start else 6.0
    yield Line(start, y, end, y, INK, 1.6)
    yield Polyline(((end + back, y - 4), (end, y), (end + back, y + 4)), INK, 1.6)
