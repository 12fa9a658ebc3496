"""A row of boxes with arrows between them, drawn in characters: forward above, back below."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len

from handgrad.render.terminal.textbox import TextBox, beside, plain, stacked

FORWARD, BACK = " → ", " ← "


def boxes_in_a_row(names: Sequence[str]) -> Iterator[TextBox]:
    """Each name in a box; behind each but the last an arrow on, and below it an arrow back.

    >>> for box in boxes_in_a_row(("a", "b")):
    ...     for line in box.text.splitlines():
    ...         print(line.rstrip())
    ┌───┐
    │ a │ →
    └───┘ ←
    ┌───┐
    │ b │
    └───┘
    """
    for place, name in enumerate(names):
        box = _box(name)
        yield box if place == len(names) - 1 else beside(box, _arrows())


def _box(name: str) -> TextBox:
    edge = "─" * (cell_len(name) + 2)
    return stacked((plain(f"┌{edge}┐", "rule"), plain(f"│ {name} │"), plain(f"└{edge}┘", "rule")), 1)


def _arrows() -> TextBox:
    return stacked((plain(" " * len(FORWARD)), plain(FORWARD), plain(BACK)), 1)
