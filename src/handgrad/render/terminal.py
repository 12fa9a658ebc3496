"""A document as text for a terminal: as wide as it is, in colour or plain."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from handgrad.errors import RenderError
from handgrad.render import textbox
from handgrad.render.document import (
    Block,
    Bullets,
    Document,
    Figure,
    Fold,
    Formula,
    Heading,
    Paragraph,
    Spans,
    Table,
)
from handgrad.render.terminal_math import SIGNS, Writer
from handgrad.render.textbox import TextBox, beside, plain
from handgrad.render.words import Phrasebook

DEFAULT_WIDTH = 80
NARROWEST = 20
READABLE = 100
"""Running text is never set wider than this."""
INDENT = 2

STYLES: dict[str, str] = {
    "title": "1",
    "heading": "1;36",
    "subheading": "1",
    "shape": "2",
    "label": "36",
    "result": "1;32",
    "note": "2",
    "observation": "1",
    "math": "36",
    "header": "1",
    "rule": "2",
}
"""Names of styles and what a terminal does for them (SGR codes)."""


def to_text(document: Document, width: int = DEFAULT_WIDTH, color: bool = False) -> str:
    """The document for a terminal `width` columns wide; `color` adds control codes, without it there are none.

    Raises RenderError for a width below 20, or a node or block without a rule.
    """
    if width < NARROWEST:
        raise RenderError(f"a terminal must be at least {NARROWEST} columns wide, got {width}")
    phrasebook = Phrasebook(document.language)
    page = _Page(Writer(document.notation, phrasebook.text), phrasebook, width)
    lines: list[str] = []
    for block in document.blocks:
        boxes = list(page.block(block))
        tight = bool(lines) and isinstance(block, Formula) and not boxes[0].height > 1 and page.tight
        if lines and not tight:
            lines.append("")
        page.tight = isinstance(block, Formula) and all(box.height == 1 for box in boxes)
        lines.extend(_line(line, color) for box in boxes for line in box.lines)
    return "\n".join(lines) + "\n"


def _line(line: textbox.Line, color: bool) -> str:
    text = "".join(_piece(piece, style, color) for piece, style in line)
    return text.rstrip(" ")


def _piece(text: str, style: str, color: bool) -> str:
    return f"\x1b[{STYLES[style]}m{text}\x1b[0m" if color and style and text.strip() else text


@dataclass
class _Page:
    """Blocks set at a width."""

    writer: Writer
    phrasebook: Phrasebook
    width: int
    tight: bool = False

    def block(self, block: Block) -> Iterator[TextBox]:
        rule = BLOCKS.get(type(block))
        if rule is None:
            raise RenderError(
                f"the terminal has no rule for {type(block).__name__}; add one to BLOCKS in {__name__}"
            )
        yield from rule(self, block)

    def words(self, spans: Spans, style: str = "") -> Iterator[TextBox]:
        """Words between which a line may break; mathematics stays joined to the punctuation after it."""
        pending: TextBox | None = None
        for span in spans:
            if not isinstance(span, str):
                box = textbox.styled(self.writer.box(span), "math" if not style else style)
                pending = box if pending is None else beside(pending, box)
                continue
            for word in re.findall(r"\s+|\S+\s*", span):
                box = plain(" " if word.isspace() else re.sub(r"\s+$", " ", word), style)
                pending = box if pending is None else beside(pending, box)
                if word[-1].isspace():
                    yield pending
                    pending = None
        if pending is not None:
            yield pending

    def text(self, spans: Spans, style: str = "", width: int | None = None) -> list[TextBox]:
        """Running text in rows."""
        return textbox.wrapped(self.words(spans, style), min(width or self.width, READABLE))

    def narrower(self, by: int) -> _Page:
        return _Page(self.writer, self.phrasebook, max(NARROWEST, self.width - by))


def _heading(page: _Page, block: Heading) -> Iterator[TextBox]:
    style = {1: "title", 2: "heading"}.get(block.level, "subheading")
    rule = {1: "═", 2: "─"}.get(block.level)
    rows = page.text(block.spans, style)
    yield from rows
    if rule is not None:
        yield plain(rule * max(row.width for row in rows), "rule")


def _paragraph(page: _Page, block: Paragraph) -> Iterator[TextBox]:
    style = {"note": "note", "settings": "note", "source": "note", "observation": "observation"}.get(
        block.role, ""
    )
    yield from page.text(block.spans, style)


def _formula(page: _Page, block: Formula) -> Iterator[TextBox]:
    """target = form, each further form on a line of its own below the equals sign."""
    target = page.writer.box(block.target)
    room = page.width - INDENT
    hanging = target.width + 3
    if hanging > room // 2:
        yield textbox.indented(target, INDENT)
        target, hanging = plain(" "), 4
    whole = _on_one_line(page, block, target)
    if whole is not None and whole.width <= room and whole.height == 1:
        yield textbox.indented(whole, INDENT)
    else:
        first = True
        for place, (sign, form) in enumerate(block.forms):
            style = "result" if place == len(block.forms) - 1 and place else ""
            rows = page.writer.rows(form, max(room - hanging, NARROWEST // 2))
            for number, row in enumerate(rows):
                left = target if first else plain(" " * target.width)
                middle = f" {SIGNS[sign]} " if number == 0 else "   "
                yield textbox.indented(beside(left, plain(middle), textbox.styled(row, style)), INDENT)
                first = False
    if block.shapes:
        yield from (
            textbox.indented(row, INDENT + hanging)
            for row in page.text(block.shapes, "shape", room - hanging)
        )


def _on_one_line(page: _Page, block: Formula, target: TextBox) -> TextBox | None:
    """The whole formula on one line, if it has one or two forms."""
    if len(block.forms) > 2:
        return None
    boxes = [target]
    for place, (sign, form) in enumerate(block.forms):
        style = "result" if place == len(block.forms) - 1 and place else ""
        boxes.extend((plain(f" {SIGNS[sign]} "), textbox.styled(page.writer.box(form), style)))
    return beside(*boxes)


def _bullets(page: _Page, block: Bullets) -> Iterator[TextBox]:
    inner = page.narrower(INDENT)
    for item in block.items:
        for number, row in enumerate(inner.text(item)):
            yield beside(plain("  " if number else "• "), row)


def _table(page: _Page, block: Table) -> Iterator[TextBox]:
    """Columns as wide as they need; where they need too much, words wrap in the widest."""
    if block.caption:
        yield from page.text(block.caption, "note")
    gap = 2
    natural = [
        max(_natural(page, row[j]) for row in (block.header, *block.rows)) for j in range(len(block.align))
    ]
    widths = list(natural)
    spare = page.width - gap * (len(widths) - 1)
    while sum(widths) > spare and max(widths) > NARROWEST // 2:
        widths[widths.index(max(widths))] -= 1
    header = _row(page, block.header, widths, block.align, gap, "header")
    yield header
    yield plain("─" * header.width, "rule")
    for row in block.rows:
        yield _row(page, row, widths, block.align, gap, "")


def _natural(page: _Page, cell: Spans) -> int:
    return beside(*page.words(cell)).width


def _row(
    page: _Page, cells: tuple[Spans, ...], widths: list[int], align: str, gap: int, style: str
) -> TextBox:
    boxes: list[TextBox] = []
    for cell, width, side in zip(cells, widths, align, strict=True):
        rows = textbox.wrapped(page.words(cell, style), width) or [plain("")]
        baseline = rows[0].baseline
        box = textbox.stacked(rows, baseline)
        widened = TextBox(
            tuple(textbox.padded(line, width, side) for line in box.lines), baseline, max(width, box.width)
        )
        boxes.extend((plain(" " * gap), widened) if boxes else (widened,))
    return beside(*boxes)


def _figure(page: _Page, block: Figure) -> Iterator[TextBox]:
    """A terminal shows a picture in words."""
    if block.caption:
        yield from page.text(block.caption)
    yield from page.text((block.description,), "note")


def _fold(page: _Page, block: Fold) -> Iterator[TextBox]:
    yield from page.text(("▾ ", *block.title), "subheading")
    inner = page.narrower(INDENT)
    for content in block.blocks:
        yield from (textbox.indented(box, INDENT) for box in inner.block(content))


BLOCKS: dict[type, Callable[[_Page, Any], Iterator[TextBox]]] = {
    Heading: _heading,
    Paragraph: _paragraph,
    Formula: _formula,
    Bullets: _bullets,
    Table: _table,
    Figure: _figure,
    Fold: _fold,
}
"""How each kind of block is set."""
