"""The loss over the epochs, drawn: in the terminal with Braille dots, or as SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence

from handgrad.diagram.curve import Curve, Scale, Words, draw_curves
from handgrad.rich_repr import number
from handgrad.training.history import Epoch

_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))  # Unicode Braille: column, row from the top


def curves(history: Sequence[Epoch]) -> list[Curve]:
    """The training loss, and the validation loss where there is one."""
    validation = [line.validation_loss for line in history if line.validation_loss is not None]
    found = [Curve("loss", [line.loss for line in history])]
    return [*found, Curve("validation loss", validation)] if validation else found


def in_terminal(history: Sequence[Epoch], width: int = 72, height: int = 12) -> str:
    """The curves as lines of text, each with the axis of all.

    >>> history = [Epoch(e, 1.0 / e, None, None, 0.1, 0.0, e) for e in (1, 2, 3, 4)]
    >>> print(in_terminal(history, width=12, height=2))
    loss
       1 ⠙⣆
    0.25  ⠈⠓⠦⢤⣀
         epoch 1 to 4
    """
    drawn = []
    scale = Scale.of([value for curve in curves(history) for value in curve.values])
    for name, values in curves(history):
        drawn.append(f"{name} (logarithmic)" if scale.logarithmic else name)
        drawn += _braille(values, scale, width, height)
    return "\n".join([*drawn, f"     epoch 1 to {len(history)}"])


def _braille(values: Sequence[float], scale: Scale, width: int, height: int) -> list[str]:
    labels = [number(scale.high, 3), number(scale.low, 3)]
    margin = max(map(len, labels))
    columns = max(4, width - margin - 2)
    cells = [[0] * columns for _ in range(height)]
    across, down = 2 * columns - 1, 4 * height - 1
    before: int | None = None
    for x in range(across + 1):
        value = _at(values, x / across)
        if not math.isfinite(value):
            before = None
            continue
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


def as_svg(history: Sequence[Epoch]) -> str:
    """The curves as an SVG document with axes and their names."""
    drawn = curves(history)
    description = f"Curves over {len(history)} epochs: " + "; ".join(
        f"{curve.name} from {number(curve.values[0])} to {number(curve.values[-1])}" for curve in drawn
    )
    words = Words("Loss over the epochs", description, "epoch", "loss, logarithmic")
    return draw_curves(drawn, words, lambda value: number(value, 3)).svg()
