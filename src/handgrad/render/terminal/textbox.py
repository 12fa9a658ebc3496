"""Boxes of text in two dimensions: what stands beside what, above what, and on which line.

A box is lines of equal width with a baseline; `beside` aligns baselines. A line is made of text pieces with
a style, so that one box serves a terminal in colour and a plain file. Widths count cells, as a terminal does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from rich.cells import cell_len

Piece = tuple[str, str]
"""Text and the name of its style."""
Line = tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class TextBox:
    """Lines of the same width; `baseline` is the line that stands level with its neighbours.

    The last `notes` lines are remarks below (a shape, a label), which delimiters do not embrace.
    """

    lines: tuple[Line, ...]
    baseline: int
    width: int
    notes: int = 0

    @property
    def height(self) -> int:
        """Lines."""
        return len(self.lines)

    @property
    def text(self) -> str:
        """The lines without styles."""
        return "\n".join("".join(text for text, _ in line) for line in self.lines)


def cells(line: Line) -> int:
    """Cells that a line takes."""
    taken = 0
    for text, _ in line:
        taken += len(text) if text.isascii() and text.isprintable() else cell_len(text)
    return taken


@lru_cache(maxsize=4096)
def plain(text: str, style: str = "") -> TextBox:
    """One line of text.

    >>> plain("ab").width
    2
    """
    return TextBox((((text, style),) if text else (),), 0, cell_len(text))


EMPTY = plain("")


def styled(box: TextBox, style: str) -> TextBox:
    """The box with a style for all pieces that have none."""
    lines = tuple(tuple((text, own or style) for text, own in line) for line in box.lines)
    return replace(box, lines=lines)


def restyled(box: TextBox, style: str) -> TextBox:
    """The box in one style, whatever styles its pieces had."""
    lines = tuple(tuple((text, style) for text, _ in line) for line in box.lines)
    return replace(box, lines=lines)


def blanks_behind(column: Sequence[TextBox]) -> list[int]:
    """Blanks behind each number of a column that is set to the right, so that points stand under each other.

    >>> blanks_behind([plain("0.25"), plain("-3"), plain("⋮")])
    [0, 3, 0]
    """
    numbers = [_NUMBER.fullmatch(box.text) for box in column]
    behind = [0 if found is None else cell_len(found["behind"]) for found in numbers]
    most = max(behind, default=0)
    return [0 if found is None else most - cells for found, cells in zip(numbers, behind, strict=True)]


_NUMBER = re.compile(r"[-\u2212]?\d+(?P<behind>(?:[.,]\d+)?(?: × 10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?)")


def padded(line: Line, width: int, align: str = "l") -> Line:
    """The line filled with blanks to a width; `align` is l, c or r."""
    missing = width - cells(line)
    if missing <= 0:
        return line
    left = {"l": 0, "c": missing // 2, "r": missing}[align]
    before: Line = ((" " * left, ""),) if left else ()
    after: Line = ((" " * (missing - left), ""),) if missing > left else ()
    return before + line + after


def stretched(box: TextBox, above: int, below: int) -> TextBox:
    """The box with empty lines around it."""
    if not above and not below:
        return box
    blank: Line = ((" " * box.width, ""),) if box.width else ()
    lines = (blank,) * above + box.lines + (blank,) * below
    return TextBox(lines, box.baseline + above, box.width, box.notes + below if box.notes else 0)


def beside(*boxes: TextBox) -> TextBox:
    """The boxes side by side, their baselines level.

    >>> print(beside(plain("x = "), stacked([plain("1"), plain("2")], baseline=0)).text)
    x = 1
        2
    """
    boxes = tuple(box for box in boxes if box.width or box.height > 1)
    if not boxes:
        return EMPTY
    if all(len(box.lines) == 1 and not box.baseline for box in boxes):  # most of a sheet
        line = tuple(piece for box in boxes for piece in box.lines[0])
        return TextBox((line,), 0, sum(box.width for box in boxes))
    above = max(box.baseline for box in boxes)
    below = max(box.height - box.baseline for box in boxes)
    rows: list[list[Piece]] = [[] for _ in range(above + below)]
    for box in boxes:
        first, end = above - box.baseline, above - box.baseline + len(box.lines)
        blank: Line = ((" " * box.width, ""),) if box.width else ()
        for place, row in enumerate(rows):
            row.extend(box.lines[place - first] if first <= place < end else blank)
    lines = tuple(map(tuple, rows))
    body = max(box.height - box.notes - box.baseline for box in boxes)
    return TextBox(lines, above, sum(box.width for box in boxes), below - body)


def stacked(boxes: Sequence[TextBox], baseline: int, align: str = "l") -> TextBox:
    """The boxes one below the other; the line `baseline` of the whole is its baseline."""
    width = max(box.width for box in boxes)
    lines = tuple(padded(line, width, align) for box in boxes for line in box.lines)
    return TextBox(lines, baseline, width)


_TALL = {
    "[": "⎡⎢⎣",
    "]": "⎤⎥⎦",
    "(": "⎛⎜⎝",
    ")": "⎞⎟⎠",
    "|": "│││",
    "‖": "‖‖‖",
}
"""Top, middle and bottom of a delimiter of several lines."""


def delimiter(sign: str, like: TextBox) -> TextBox:
    """One delimiter, as tall as the box beside it."""
    height = like.height - like.notes
    if height == 1:
        return plain(sign)
    top, middle, bottom = tuple(_TALL[sign])
    column = [top, *[middle] * (height - 2), bottom]
    return TextBox(tuple(((character, ""),) for character in column), like.baseline, 1)


def fenced(box: TextBox, left: str = "(", right: str = ")") -> TextBox:
    """The box between delimiters that grow with it.

    >>> print(fenced(stacked([plain("1"), plain("2")], 0), "[", "]").text)
    ⎡1⎤
    ⎣2⎦
    """
    return beside(delimiter(left, box), box, delimiter(right, box))


def braced(box: TextBox) -> TextBox:
    """A curly brace at the left, as for cases."""
    height = max(box.height, 2)
    box = stretched(box, 0, height - box.height)
    middle = (height - 1) // 2
    if height == 2:  # a brace of two rows has characters of its own
        column = ["⎰", "⎱"]
    else:
        column = ["⎪"] * height
        column[0], column[middle], column[-1] = "⎧", "⎨", "⎩"
    box = TextBox(box.lines, middle, box.width)
    return beside(TextBox(tuple(((sign, ""),) for sign in column), middle, 1), plain(" "), box)


def fraction(top: TextBox, bottom: TextBox) -> TextBox:
    """One box over another.

    >>> fraction(plain("a"), plain("bcd")).text.split("\\n")
    ['  a  ', '─────', ' bcd ']
    """
    width = max(top.width, bottom.width) + 2
    bar = plain("─" * width)
    box = stacked([centred(top, width), bar, centred(bottom, width)], top.height)
    return TextBox(box.lines, top.height, width)


def centred(box: TextBox, width: int) -> TextBox:
    """The box in the middle of a width."""
    return TextBox(tuple(padded(line, width, "c") for line in box.lines), box.baseline, width, box.notes)


def radical(box: TextBox) -> TextBox:
    """A square root over a box: the sign reaches from its foot to the line above it.

    >>> print(radical(plain("a + b")).text)
     _____
    √a + b
    """
    sign = ["╱" if i < box.height - 1 else "√" for i in range(box.height)]
    side = TextBox(tuple(((character, ""),) for character in sign), box.baseline, 1)
    body = beside(side, box)
    roof = plain(" " + "_" * box.width)
    return TextBox((*roof.lines, *body.lines), body.baseline + 1, body.width)


def superscript(base: TextBox, above: TextBox) -> TextBox:
    """A box raised beside the top line of another."""
    height = base.height + above.height
    right = stretched(TextBox(above.lines, 0, above.width), 0, height - above.height)
    left = stretched(base, above.height, 0)
    return beside(left, TextBox(right.lines, left.baseline, right.width))


def annotated(box: TextBox, note: TextBox) -> TextBox:
    """A note centred below the box; the baseline stays that of the box."""
    width = max(box.width, note.width)
    lines = (*(centred(box, width).lines), *(centred(note, width).lines))
    return TextBox(lines, box.baseline, width, box.notes + note.height)


def grid(rows: Sequence[Sequence[TextBox]], align: Sequence[str], gap: int = 2) -> TextBox:
    """Boxes in rows and columns, each column as wide as its widest entry."""
    widths = [max(row[j].width for row in rows) for j in range(len(align))]
    level = []
    for row in rows:
        entries: list[TextBox] = []
        for j, entry in enumerate(row):
            cell = TextBox(
                tuple(padded(line, widths[j], align[j]) for line in entry.lines), entry.baseline, widths[j]
            )
            entries.extend((plain(" " * gap), cell) if j else (cell,))
        level.append(beside(*entries))
    box = stacked(level, 0)
    middle = (len(level) - 1) // 2
    baseline = sum(row.height for row in level[:middle]) + level[middle].baseline
    return TextBox(box.lines, baseline, box.width)


def indented(box: TextBox, by: int) -> TextBox:
    """The box with blanks at its left."""
    return beside(plain(" " * by), box) if by else box


def wrapped(pieces: Iterable[TextBox], width: int) -> list[TextBox]:
    """Words (boxes, some of them several lines high) filled into lines; a word stands whole.

    A piece that ends in a blank is followed by the next with that blank between them, or by a new line.
    """
    rows: list[TextBox] = []
    row: list[TextBox] = []
    taken = 0
    for piece in pieces:
        if taken and taken + _visible(piece) > width:
            rows.append(trimmed(beside(*row)))
            row, taken = [], 0
        row.append(piece)
        taken += piece.width
    if taken:
        rows.append(trimmed(beside(*row)))
    return rows


def _visible(box: TextBox) -> int:
    return trimmed(box).width


def trimmed(box: TextBox) -> TextBox:
    """The box without the blanks at the right end that all its lines share."""
    texts = ["".join(text for text, _ in line) for line in box.lines]
    spare = min(len(text) - len(text.rstrip(" ")) for text in texts)
    if not spare:
        return box
    lines = tuple(_cut(line, spare) for line in box.lines)
    return TextBox(lines, box.baseline, box.width - spare, box.notes)


def _cut(line: Line, count: int) -> Line:
    pieces = list(line)
    while count and pieces:
        text, style = pieces.pop()
        kept = text[: max(0, len(text) - count)]
        count -= len(text) - len(kept)
        if kept:
            pieces.append((kept, style))
    return tuple(pieces)
