"""Curves over the epochs: the scale of their axis, and the one picture that is drawn of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from handgrad.diagram.shapes import Circle, Polyline, Scene, Shape, Text

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 480.0, 240.0, 70.0, 30.0, 16.0, 40.0
COLOURS, MARK, INK = ("#1565c0", "#c8553d"), "#c62828", "#767676"
SIZE = 11.0
_COLUMNS = 400  # of a longer curve each column shows its least and its largest value


class Curve(NamedTuple):
    """A name, and one value for each epoch."""

    name: str
    values: Sequence[float]


@dataclass(frozen=True)
class Scale:
    """Maps values to 0..1, on a logarithmic axis where all are positive and the largest is over ten times the least.

    >>> scale = Scale.of([1.0, 10.0, 100.0])
    >>> scale.logarithmic, scale(10.0)
    (True, 0.5)
    """

    low: float
    high: float
    logarithmic: bool

    @classmethod
    def of(cls, values: Sequence[float]) -> Scale:
        """The scale that holds all of these; what is not finite has no place on it."""
        finite = [value for value in values if math.isfinite(value)] or [0.0]
        low, high = min(finite), max(finite)
        return cls(low, high, low > 0 and high > 10 * low)

    def __call__(self, value: float) -> float:
        if self.logarithmic:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5


class Words(NamedTuple):
    """What is written on the picture, in the reader's language."""

    title: str
    description: str
    across: str
    """What runs across: the epochs."""
    logarithmic: str
    """Said of the upward axis where it is logarithmic."""


def draw_curves(
    curves: Sequence[Curve],
    words: Words,
    shown: Callable[[float], str],
    mark: int | None = None,
    ends: tuple[str, str] | None = None,
) -> Scene:
    """The curves with their axes, the first solid; a dot at epoch `mark` (from 1) of the first one.

    `shown` writes a number. `ends` stand below the ends of the axis across, where these are no epochs. Each axis
    bears its least and its largest value; several curves bear their names.

    >>> scene = draw_curves([Curve("loss", (1.0, 0.5))], Words("loss", "falls", "epoch", "log"), str)
    >>> [shape.text for shape in scene.shapes if isinstance(shape, Text)]
    ['1.0', '0.5', '1', '2', 'epoch']
    """
    scale = Scale.of([value for curve in curves for value in curve.values])
    epochs = max(len(curve.values) for curve in curves)
    shapes = [*_axes(scale, ends or ("1", str(epochs)), words, shown)]
    for place, curve in enumerate(curves):
        colour = COLOURS[place % len(COLOURS)]
        for part in _parts(curve.values):
            points = tuple(_point(scale, epochs, epoch, value) for epoch, value in part)
            shapes.append(Polyline(points, colour, 2, dashed=place > 0))
        if len(curves) > 1:
            shapes.append(Text(WIDTH - RIGHT, TOP + 12 * (place + 1), curve.name, SIZE, colour, "end"))
    values = curves[0].values
    if mark is not None and 1 <= mark <= len(values) and math.isfinite(values[mark - 1]):
        x, y = _point(scale, epochs, mark, values[mark - 1])
        shapes.append(Circle(x, y, 4, MARK))
    return Scene(WIDTH, HEIGHT, words.title, words.description, tuple(shapes))


def _axes(
    scale: Scale, ends: tuple[str, str], words: Words, shown: Callable[[float], str]
) -> Iterator[Shape]:
    floor, end = HEIGHT - BOTTOM, WIDTH - RIGHT
    yield Polyline(((LEFT, TOP), (LEFT, floor), (end, floor)), INK, 1)
    if scale.high > scale.low:
        yield Text(LEFT - 6, TOP + 4, shown(scale.high), SIZE, INK, "end")
        yield Text(LEFT - 6, floor + 4, shown(scale.low), SIZE, INK, "end")
    else:
        yield Text(LEFT - 6, (TOP + floor) / 2 + 4, shown(scale.low), SIZE, INK, "end")
    yield Text(LEFT, floor + 16, ends[0], SIZE, INK)
    yield Text(end, floor + 16, ends[1], SIZE, INK)
    yield Text((LEFT + end) / 2, floor + 32, words.across, SIZE, INK)
    if scale.logarithmic:
        yield Text(LEFT, TOP - 10, words.logarithmic, SIZE, INK, "start")


def _point(scale: Scale, epochs: int, epoch: int, value: float) -> tuple[float, float]:
    across = (epoch - 1) / max(1, epochs - 1)
    x = LEFT + across * (WIDTH - LEFT - RIGHT)
    return x, TOP + (1 - scale(value)) * (HEIGHT - TOP - BOTTOM)


def _parts(values: Sequence[float]) -> Iterator[list[tuple[int, float]]]:
    """(epoch, value) of the curve, broken where a value is not finite, thinned where it is long."""
    part: list[tuple[int, float]] = []
    for epoch, value in enumerate(values, 1):
        if math.isfinite(value):
            part.append((epoch, value))
        elif part:
            yield _thinned(part)
            part = []
    if part:
        yield _thinned(part)


def _thinned(part: list[tuple[int, float]]) -> list[tuple[int, float]]:
    if len(part) <= 2 * _COLUMNS:
        return part
    kept = {part[0], part[-1]}
    for column in range(_COLUMNS):
        some = part[column * len(part) // _COLUMNS : (column + 1) * len(part) // _COLUMNS]
        kept |= {min(some, key=lambda point: point[1]), max(some, key=lambda point: point[1])}
    return sorted(kept)
