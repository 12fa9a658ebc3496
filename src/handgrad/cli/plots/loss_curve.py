"""The loss over the epochs, drawn: in the terminal with Braille dots, or as SVG."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from handgrad.rich_repr import number
from handgrad.training.history import Epoch

_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))  # Unicode Braille: column, row from the top
_COLOURS = ("#1b6ca8", "#c8553d")


def curves(history: Sequence[Epoch]) -> dict[str, list[float]]:
    """The curves by name: the training loss, and the validation loss where there is one."""
    found = {"loss": [line.loss for line in history]}
    validation = [line.validation_loss for line in history if line.validation_loss is not None]
    return found | ({"validation loss": validation} if validation else {})


def in_terminal(history: Sequence[Epoch], width: int = 72, height: int = 12) -> str:
    """The curves as lines of text; the loss axis is logarithmic where all losses are positive.

    >>> history = [Epoch(e, 1.0 / e, None, None, 0.1, 0.0, e) for e in (1, 2, 3, 4)]
    >>> print(in_terminal(history, width=12, height=2))
    loss
       1 ⠙⢦⡀
    0.25   ⠉⠓⠦⣄
         epoch 1 to 4
    """
    drawn = []
    scale = _scale([value for curve in curves(history).values() for value in curve])
    for name, values in curves(history).items():
        drawn.append(name)
        drawn += _braille(values, scale, width, height, history)
    return "\n".join([*drawn, f"     epoch 1 to {len(history)}"])


def _braille(
    values: Sequence[float], scale: _Scale, width: int, height: int, history: Sequence[Epoch]
) -> list[str]:
    labels = [number(scale.high, 3), number(scale.low, 3)]
    margin = max(map(len, labels))
    columns = max(4, width - margin - 2)
    cells = [[0] * columns for _ in range(height)]
    across, down = 2 * columns - 1, 4 * height - 1
    before: int | None = None
    for x in range(across + 1):
        value = _at(values, x / across)
        y = round((1 - scale(value)) * down)
        # dots between two heights are filled, so that a steep fall stays one line
        for dot in range(
            min(y, before if before is not None else y), max(y, before if before is not None else y) + 1
        ):
            cells[dot // 4][x // 2] |= _DOTS[x % 2][dot % 4]
        before = y
    lines = []
    for place, row in enumerate(cells):
        label = labels[0] if place == 0 else labels[1] if place == height - 1 else ""
        lines.append(
            f"{label:>{margin}} " + "".join(chr(0x2800 + dots) if dots else " " for dots in row).rstrip()
        )
    return lines


def _at(values: Sequence[float], part: float) -> float:
    """The curve at a part 0..1 of its length, between two epochs on the straight line."""
    place = part * (len(values) - 1)
    low = min(int(place), len(values) - 1)
    high = min(low + 1, len(values) - 1)
    return values[low] + (values[high] - values[low]) * (place - low)


class _Scale:
    """Maps a loss to 0..1, on a logarithmic axis where that is possible."""

    def __init__(self, low: float, high: float) -> None:
        self.low, self.high = low, high
        self.mapped: Callable[[float], float] = math.log if low > 0 else float

    def __call__(self, value: float) -> float:
        span = self.mapped(self.high) - self.mapped(self.low)
        return (self.mapped(value) - self.mapped(self.low)) / span if span > 0 else 0.5


def _scale(values: Sequence[float]) -> _Scale:
    return _Scale(min(values), max(values))


def as_svg(history: Sequence[Epoch], width: int = 640, height: int = 320) -> str:
    """The curves as an SVG document with axes and a legend."""
    left, top, right, bottom = 64, 24, 16, 40
    scale = _scale([value for curve in curves(history).values() for value in curve])
    across, down = width - left - right, height - top - bottom
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        'font-size="12" role="img">',
        "<title>Loss over the epochs</title>",
        f'<rect width="{width}" height="{height}" fill="white"/>',
        f'<path d="M{left} {top}V{top + down}H{left + across}" fill="none" stroke="black"/>',
        f'<text x="{left - 6}" y="{top + 4}" text-anchor="end">{number(scale.high, 3)}</text>',
        f'<text x="{left - 6}" y="{top + down}" text-anchor="end">{number(scale.low, 3)}</text>',
        f'<text x="{left}" y="{top + down + 18}">1</text>',
        f'<text x="{left + across}" y="{top + down + 18}" text-anchor="end">{len(history)}</text>',
        f'<text x="{left + across / 2:g}" y="{height - 8}" text-anchor="middle">epoch</text>',
    ]
    for place, (name, values) in enumerate(curves(history).items()):
        step = across / max(1, len(values) - 1)
        points = " ".join(
            f"{left + k * step:.2f},{top + (1 - scale(value)) * down:.2f}" for k, value in enumerate(values)
        )
        colour, dash = _COLOURS[place], ' stroke-dasharray="6 3"' if place else ""
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"{dash}/>')
        parts.append(
            f'<text x="{left + across}" y="{top + 14 * (place + 1)}" text-anchor="end" '
            f'fill="{colour}">{name}</text>'
        )
    return "\n".join([*parts, "</svg>", ""])
