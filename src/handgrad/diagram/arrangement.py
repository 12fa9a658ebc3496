"""Where the layers and neurons of a network stand, and which of them are left out.

Wide layers keep their first and last units and lose the middle; a deep network keeps its first and last
layers.
"""

from __future__ import annotations

from dataclasses import dataclass

MOST_COLUMNS = 9


@dataclass(frozen=True, slots=True)
class Neuron:
    """Unit `unit` (zero-based) of layer `layer` (0: the inputs), centred at (x, y)."""

    layer: int
    unit: int
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Column:
    """One layer as it is drawn: its neurons from top to bottom; `left_out` units are missing at `gap_y`."""

    layer: int
    x: float
    neurons: tuple[Neuron, ...]
    left_out: int = 0
    gap_y: float = 0.0


@dataclass(frozen=True, slots=True)
class Arrangement:
    """The columns from left to right; `left_out` layers are missing at `gap_x`, before column
    `gap_before`."""

    columns: tuple[Column, ...]
    width: float
    height: float
    left_out: int = 0
    gap_before: int = 0
    gap_x: float = 0.0


@dataclass(frozen=True, slots=True)
class Spacing:
    """Distances in pixels: between columns, between neurons, radius of a neuron, and the margins."""

    column: float
    row: float
    radius: float
    left: float
    right: float
    top: float
    bottom: float


def arrange(sizes: tuple[int, ...], most_units: int, spacing: Spacing) -> Arrangement:
    """Places for a network of `sizes`; a layer shows at most `most_units` neurons.

    >>> spacing = Spacing(100, 50, 10, 20, 20, 20, 20)
    >>> [len(column.neurons) for column in arrange((784, 4, 2), 6, spacing).columns]
    [5, 4, 2]
    """
    kept, left_out = _kept(len(sizes), MOST_COLUMNS)
    slots = [min(size, most_units) for size in sizes]
    height = (max(slots[layer] for layer in kept) - 1) * spacing.row + 2 * spacing.radius
    middle = spacing.top + height / 2
    columns: list[Column] = []
    x, gap_before, gap_x = spacing.left + spacing.radius, 0, 0.0
    for place, layer in enumerate(kept):
        if place and layer != kept[place - 1] + 1:
            gap_before, gap_x = place, x
            x += spacing.column
        columns.append(_column(layer, _kept(sizes[layer], most_units), (x, middle), spacing.row))
        x += spacing.column
    width = x - spacing.column + spacing.radius + spacing.right
    return Arrangement(
        tuple(columns), width, spacing.top + height + spacing.bottom, left_out, gap_before, gap_x
    )


def _column(layer: int, kept: tuple[list[int], int], centre: tuple[float, float], row: float) -> Column:
    (units, left_out), (x, middle) = kept, centre
    slots = len(units) + (1 if left_out else 0)
    top = middle - (slots - 1) * row / 2
    neurons, gap_y = [], 0.0
    slot = 0
    for place, unit in enumerate(units):
        if place and unit != units[place - 1] + 1:
            gap_y = top + slot * row
            slot += 1
        neurons.append(Neuron(layer, unit, x, top + slot * row))
        slot += 1
    return Column(layer, x, tuple(neurons), left_out, gap_y)


def _kept(count: int, most: int) -> tuple[list[int], int]:
    """Which of `count` things stand in `most` places, one of which holds the dots where some are left out."""
    if count <= most:
        return list(range(count)), 0
    shown = max(most - 1, 2)
    first = (shown + 1) // 2
    return [*range(first), *range(count - (shown - first), count)], count - shown
