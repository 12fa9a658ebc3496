"""A document as text for a terminal: as wide as it is, in colour or plain."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.cells import cell_len

from handgrad.errors import RenderError
from handgrad.render.document import (
    Blanks,
    Block,
    Bullets,
    Code,
    Document,
    Figure,
    Fold,
    Formula,
    Heading,
    LaidMatrix,
    Literal,
    Paragraph,
    Table,
)
from handgrad.render.terminal import textbox
from handgrad.render.terminal.colours import codes
from handgrad.render.terminal.flow import boxes_in_a_row
from handgrad.render.terminal.line_breaks import rows
from handgrad.render.terminal.math import SIGNS, Writer
from handgrad.render.terminal.textbox import TextBox, beside, blanks_behind, plain
from handgrad.writing.phrasebook import Phrasebook, Spans

DEFAULT_WIDTH = 80
NARROWEST = 20
READABLE = 100
"""Running text is never set wider than this."""
INDENT = GAP = 2


def to_text(
    document: Document, width: int = DEFAULT_WIDTH, color: bool = False, depth: str = "256", ground: str = ""
) -> str:
    """The document for a terminal `width` columns wide, without control codes unless in `color`.

    `depth`: how many colours there are (standard, 256, truecolor); `ground`: light, dark, or '' where unknown.

    Raises RenderError for a width below 20, or a node or block without a rule.
    """
    if width < NARROWEST:
        raise RenderError(f"a terminal must be at least {NARROWEST} columns wide, got {width}")
    phrasebook = Phrasebook(document.language)
    page = _Page(Writer(document.notation, phrasebook.text), phrasebook, width)
    boxes = list(page.blocks(document.blocks))
    styles = codes(depth, ground) if color else {}
    return "\n".join(_line(line, styles) for box in boxes for line in box.lines) + "\n"


def _words(text: str, width: int) -> Iterator[str]:
    """The words, each with the blanks behind it; one that is longer than a line, such as an address, in parts."""
    for word in re.findall(r"\s+|\S+\s*", text):
        if cell_len(word) <= width:
            yield word
        else:
            yield from re.findall(rf"\S{{1,{width}}}\s*", word)


def _line(line: textbox.Line, styles: Mapping[str, str]) -> str:
    text = "".join(_piece(piece, styles.get(style, "")) for piece, style in line)
    return text.rstrip(" ")


def _piece(text: str, code: str) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if code and text.strip() else text


@dataclass
class _Page:
    """Blocks set at a width."""

    writer: Writer
    phrasebook: Phrasebook
    width: int

    def blocks(self, blocks: Sequence[Block]) -> Iterator[TextBox]:
        """Blocks one below the other; values beside each other where there is room."""
        place, last = 0, None
        while place < len(blocks):
            block, count = blocks[place], _values(blocks[place:])
            boxes = list(self.values(blocks[place : place + count]) if count > 1 else self.block(block))
            low = isinstance(block, Formula) and all(box.height == 1 for box in boxes)
            if last is not None and not (low and last):
                yield plain("")
            yield from boxes
            last = low
            place += max(1, count)

    def block(self, block: Block) -> Iterator[TextBox]:
        """One block in rows."""
        rule = BLOCKS.get(type(block))
        if rule is None:
            raise RenderError(
                f"the terminal has no rule for {type(block).__name__}; add one to BLOCKS in {__name__}"
            )
        yield from rule(self, block)

    def values(self, formulas: Sequence[Any]) -> Iterator[TextBox]:
        """Formulas of one value each, beside each other."""
        gap, room = plain(" " * (2 * INDENT)), self.width - INDENT
        boxes = [_on_one_line(self, formula, self.writer.box(formula.target)) for formula in formulas]
        if any(box.width > room for box in boxes):
            for formula in formulas:
                yield from self.block(formula)
            return
        for place, row in enumerate(textbox.wrapped((beside(box, gap) for box in boxes), room)):
            if place:
                yield plain("")
            yield textbox.indented(row, INDENT)

    def words(self, spans: Spans, style: str = "") -> Iterator[TextBox]:
        """Words between which a line may break; mathematics stays joined to the punctuation after it."""
        pending: TextBox | None = None
        for span in spans:
            if not isinstance(span, str):
                box = textbox.styled(self.writer.box(span), style if style else "math")
                pending = box if pending is None else beside(pending, box)
                continue
            limit = min(self.width, READABLE)
            for word in _words(span, limit):
                box = plain(" " if word.isspace() else re.sub(r"\s+$", " ", word), style)
                pending = box if pending is None else beside(pending, box)
                if word[-1].isspace() or cell_len(word) >= limit:
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
    lines = page.text(block.spans, style)
    yield from lines
    if rule is not None:
        yield plain(rule * max(line.width for line in lines), "rule")


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
    if hanging > room // 2 or _too_wide(page, block, room - hanging):
        yield textbox.indented(target, INDENT)
        target, hanging = plain(" "), 4
    whole = _on_one_line(page, block, target)
    if len(block.forms) < 3 and whole.width <= room and whole.height == 1:
        yield textbox.indented(whole, INDENT)
    else:
        yield from _spaced(_line_by_line(page, block, target, room - hanging))
    if block.shapes:
        lines = page.text(block.shapes, "shape", room - hanging)
        yield from (textbox.indented(line, INDENT + hanging) for line in lines)


def _too_wide(page: _Page, block: Formula, room: int) -> bool:
    """True where a form, broken and narrowed, would still reach over the line behind its target."""
    return any(
        row.width > room
        for _, form in block.forms
        for row in rows(page.writer, form, max(room, NARROWEST // 2))
    )


def _line_by_line(page: _Page, block: Formula, target: TextBox, room: int) -> Iterator[TextBox]:
    """Each form on lines of its own, below the equals sign."""
    left = target
    for place, (sign, form) in enumerate(block.forms):
        style = "result" if place == len(block.forms) - 1 and place else ""
        for number, row in enumerate(rows(page.writer, form, max(room, NARROWEST // 2))):
            middle = "   " if number else f" {SIGNS[sign]} "
            yield textbox.indented(beside(left, plain(middle), textbox.styled(row, style)), INDENT)
            left = plain(" " * target.width)


def _spaced(boxes: Iterator[TextBox]) -> Iterator[TextBox]:
    """An empty line between tall rows, unless a remark parts them already."""
    above: TextBox | None = None
    for row in boxes:
        if above is not None and row.baseline > 0 and above.height - above.baseline > 1 and not above.notes:
            yield plain("")
        yield row
        above = row


def _values(blocks: Sequence[Block]) -> int:
    """How many blocks from the first on are formulas that state a value."""
    count = 0
    for block in blocks:
        if not isinstance(block, Formula) or block.shapes or len(block.forms) != 1:
            break
        if not isinstance(block.forms[0][1], LaidMatrix | Literal):
            break
        count += 1
    return count


def _on_one_line(page: _Page, block: Formula, target: TextBox) -> TextBox:
    """The whole formula on one line."""
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
    content = (block.header, *block.rows)
    columns = range(len(block.align))
    spare = _spare(page, block)
    widths = [
        max(
            beside(*page.words(row[j])).width + (spare[place - 1][j] if place else 0)
            for place, row in enumerate(content)
        )
        for j in columns
    ]
    # mathematics does not break: no column is narrower than the widest of it
    least = [
        max(
            [
                NARROWEST // 2,
                *(
                    piece.width + behind[j]
                    for row, behind in zip(block.rows, spare, strict=True)
                    for piece in page.words(row[j])
                ),
            ]
        )
        for j in columns
    ]
    gap = GAP if sum(widths) + GAP * (len(widths) - 1) <= page.width else 1
    while sum(widths) + gap * (len(widths) - 1) > page.width:
        room = [width - fewest for width, fewest in zip(widths, least, strict=True)]
        if max(room) <= 0:
            break
        widest = max((width for width, free in zip(widths, room, strict=True) if free > 0), default=0)
        widths[next(j for j in columns if widths[j] == widest and room[j] > 0)] -= 1
    if sum(widths) + gap * (len(widths) - 1) > page.width:
        yield from _records(page, block)
        return
    for place, row in enumerate(content):
        style = "" if place else "header"
        behind = spare[place - 1] if place else [0] * len(row)
        cells = [
            _cell(page, *cell, style=style) for cell in zip(row, widths, block.align, behind, strict=True)
        ]
        line = beside(cells[0], *(part for cell in cells[1:] for part in (plain(" " * gap), cell)))
        yield line
        if not place:
            yield plain("─" * line.width, "rule")


def _spare(page: _Page, block: Table) -> list[list[int]]:
    """Blanks behind each number of a table, so that decimal points stand under each other."""
    columns = [
        blanks_behind([beside(*page.words(row[j])) for row in block.rows])
        if side == "r"
        else [0] * len(block.rows)
        for j, side in enumerate(block.align)
    ]
    return [list(row) for row in zip(*columns, strict=True)]


def _records(page: _Page, block: Table) -> Iterator[TextBox]:
    """A table that is too wide for its columns: each row as lines, each cell behind its heading."""
    for place, row in enumerate(block.rows):
        if place:
            yield plain("─" * min(page.width, NARROWEST), "rule")
        for heading, cell in zip(block.header, row, strict=True):
            if cell:
                yield from page.text((*heading, ": ", *cell))


def _cell(page: _Page, spans: Spans, width: int, align: str, behind: int, *, style: str) -> TextBox:
    """The words of a cell in rows, as wide as the column."""
    filled = textbox.wrapped(page.words(spans, style), width) or [plain("")]
    box = beside(textbox.stacked(filled, filled[0].baseline), plain(" " * behind))
    lines = tuple(textbox.padded(line, width, align) for line in box.lines)
    return TextBox(lines, box.baseline, max(width, box.width))


def _figure(page: _Page, block: Figure) -> Iterator[TextBox]:
    """A terminal draws a row of boxes, and shows any other picture in words; its caption speaks of colours that are
    not there."""
    if not block.chain:
        yield from page.text((block.scene.description,), "note")
        return
    for row in textbox.wrapped(boxes_in_a_row(block.chain), page.width - INDENT):
        yield textbox.indented(row, INDENT)


def _code(page: _Page, block: Code) -> Iterator[TextBox]:
    """A program line by line; a line longer than the screen goes on in the next."""
    room = page.width - 2 * INDENT
    for line in block.lines:
        for start in range(0, max(1, len(line)), room):
            yield textbox.indented(plain(line[start : start + room]), 2 * INDENT)


def _fold(page: _Page, block: Fold) -> Iterator[TextBox]:
    yield from page.text(("▾ ", *block.title), "subheading")
    inner = page.narrower(INDENT)
    yield from (textbox.indented(box, INDENT) for box in inner.blocks(block.blocks))


def _blanks(page: _Page, block: Blanks) -> Iterator[TextBox]:
    """target = a matrix of lines to write on."""
    if not block.shown:
        return
    line = Literal("_" * block.digits)
    rows = tuple(tuple(line for _ in row) for row in block.rows)
    single = len(rows) == len(rows[0]) == 1
    places = page.writer.box(line if single else LaidMatrix(rows, (len(rows), len(rows[0])), False))
    target = textbox.wrapped(page.words(block.target), page.width)
    whole = beside(target[-1], plain(" "), places) if target else places
    yield from target[:-1]
    if whole.width + INDENT > page.width and target:
        yield target[-1]
        whole = places
    yield textbox.indented(whole, INDENT)
    if block.remark:
        yield from (textbox.indented(row, INDENT) for row in page.text(block.remark, "note"))


BLOCKS: dict[type, Callable[[_Page, Any], Iterator[TextBox]]] = {
    Heading: _heading,
    Paragraph: _paragraph,
    Formula: _formula,
    Bullets: _bullets,
    Table: _table,
    Figure: _figure,
    Code: _code,
    Fold: _fold,
    Blanks: _blanks,
}
"""How each kind of block is set."""
