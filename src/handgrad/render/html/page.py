"""A document as one HTML page: mathematics as MathML, the figure as inline SVG, no network, light and dark.

The script at its end is for comfort only: it opens folded detail for printing in browsers whose CSS cannot,
and lets the keyboard scroll what is wider than the screen.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from handgrad.diagram.palette import PALETTE
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
    Literal,
    Paragraph,
    Table,
    fields_of,
)
from handgrad.render.html.blanks import SCRIPT as BLANKS_SCRIPT
from handgrad.render.html.blanks import STYLE as BLANKS_STYLE
from handgrad.render.html.blanks import blanks, button
from handgrad.render.html.mathml import box_mathml, formula_mathml, inline_mathml
from handgrad.render.links import with_links
from handgrad.render.math.aligned import abreast
from handgrad.render.math.boxes import Phantom, row
from handgrad.render.math.columns import Room
from handgrad.render.math.tables import rooms_of
from handgrad.render.math.typeset import Style
from handgrad.worked.bindings import name_of
from handgrad.worked.expressions import Gradient, Symbol
from handgrad.writing.letters import MINUS
from handgrad.writing.phrasebook import Phrasebook, Spans

_MOST_CONTENTS = 60
"""Entries of a table of contents from which on only the first level of headings is listed."""

_SCRIPT = """\
const folds = () => document.querySelectorAll("details:not([open])");
let opened = [];
addEventListener("beforeprint", () => { opened = [...folds()]; opened.forEach(fold => fold.open = true); });
addEventListener("afterprint", () => { opened.forEach(fold => fold.open = false); });
const reach = () => document.querySelectorAll(".formula, .table").forEach(box => {
  if (box.scrollWidth > box.clientWidth) box.tabIndex = 0; else box.removeAttribute("tabindex");
});
addEventListener("resize", reach);
addEventListener("toggle", reach, true);
reach();"""

_CODE_STYLE = """\
pre { margin: 0; padding: 0.8em 1em; background: var(--shade); border-radius: 6px; width: max-content;
  min-width: 100%; font: 0.875rem/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }"""
"""How a program looks, on a page that has one."""


def write(document: Document) -> bytes:
    """The document as a page of HTML, UTF-8.

    Raises RenderError for a kind of block, node or box without a rule.
    """
    return PageWriter(document).text().encode()


def fragment(document: Document) -> str:
    """The blocks of the document alone, to stand in somebody else's page; figures are pictures within the text."""
    page = PageWriter(document)
    return "\n".join(page.block(block) for block in document.blocks)


@cache
def stylesheet() -> str:
    """The style of the page, and a font of mathematics in it: many devices have none whose brackets grow."""
    here = Path(__file__).parent
    font = base64.b64encode((here / "mathfont" / "handgrad-math.woff2").read_bytes()).decode()
    source = f'url(data:font/woff2;base64,{font}) format("woff2")'
    face = f'@font-face {{ font-family: "Handgrad Math"; src: {source}; }}'
    return f"{(here / 'page.css').read_text(encoding='utf-8').strip()}\n{_colours()}\n{face}"


@cache
def _origin_source() -> str:
    return (Path(__file__).parent / "origin.js").read_text(encoding="utf-8")


@cache
def _colours() -> str:
    """The colours of quantities, for a light ground, a dark one and paper."""
    light, dark = (
        " ".join(f".q-{kind} {{ color: {shade[ground]}; }}" for kind, shade in PALETTE.items())
        for ground in (0, 1)
    )
    return f"{light}\n@media screen and (prefers-color-scheme: dark) {{ {dark} }}"


class PageWriter:
    """One page in the making: the document, its words and its notation."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.style = Style(document.notation, document.language, quantities=True)
        self.words = Phrasebook(document.language)

    def text(self) -> str:
        document = self.document
        title = escape(document.title)
        skip = escape(self.words.text("skip_to_content"))
        style, script = stylesheet(), _SCRIPT
        if any(fields_of(document.blocks)):
            style, script = f"{style}\n{BLANKS_STYLE}", f"{script}\n{BLANKS_SCRIPT}"
        if any(isinstance(block, Code) for block in document.blocks):
            style = f"{style}\n{_CODE_STYLE}"
        return (
            f'<!DOCTYPE html>\n<html lang="{escape(document.language)}">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            '<meta name="color-scheme" content="light dark">\n<meta name="generator" content="handgrad">\n'
            f"<title>{title}</title>\n<style>\n{style}\n</style>\n</head>\n<body>\n"
            f'<a class="skip" href="#content">{skip}</a>\n<main id="content" tabindex="-1">\n'
            f"{self._body()}\n</main>\n{self._origin()}"
            f"<script>\n{script}{self._origin_script()}\n</script>\n</body>\n</html>\n"
        )

    def _traced(self) -> bool:
        """True where the page holds equations whose quantities can be followed; an exercise tells nothing."""
        blocks = self.document.blocks
        return any(isinstance(block, Formula) for block in blocks) and not any(fields_of(blocks))

    def _origin(self) -> str:
        """The card of the quantity under the pointer."""
        label = escape(self.words.text("origin_label"))
        return (
            f'<aside id="origin" aria-label="{label}" aria-live="polite" hidden></aside>\n'
            if self._traced()
            else ""
        )

    def _origin_script(self) -> str:
        if not self._traced():
            return ""
        words = {
            key: self.words.text(f"origin_{key}")
            for key in ("equation", "value", "from", "to", "gradient", "of")
        }
        said = json.dumps(words, ensure_ascii=False).replace("<", "\\u003c")
        return f"\n{{\nconst say = {said};\n{_origin_source()}}}"

    def _body(self) -> str:
        blocks = list(self.document.blocks)
        parts: list[str] = []
        if not any(isinstance(block, Heading) and block.level == 1 for block in blocks):
            parts.append(f"<h1>{escape(self.document.title)}</h1>")
        listed = not self.document.contents
        for block in abreast(blocks, self.style):
            if not listed and isinstance(block, Heading) and block.level > 1:
                parts.append(self._contents())
                listed = True
            parts.append(self.together(block) if isinstance(block, tuple) else self.block(block))
        if any(fields_of(blocks)):
            parts.append(button(self.words.text("save_answers")))
        return "\n".join(parts)

    def blocks(self, blocks: tuple[Block, ...]) -> str:
        """Blocks in order, short formulas side by side."""
        return "\n".join(
            self.together(block) if isinstance(block, tuple) else self.block(block)
            for block in abreast(blocks, self.style)
        )

    def together(self, formulas: tuple[Formula, ...]) -> str:
        """Short formulas side by side."""
        return f'<div class="abreast">{"".join(map(self.block, formulas))}</div>'

    def block(self, block: Block) -> str:
        rule = RULES.get(type(block))
        if rule is None:
            raise RenderError(
                f"no rule to write {type(block).__name__} as HTML; add one to RULES in render/html/page.py"
            )
        return rule(self, block)

    def spans(self, spans: Spans) -> str:
        return "".join(self._span(span) for span in spans)

    def _span(self, span: Any) -> str:
        if isinstance(span, str):
            return with_links(span, lambda words: escape(words, quote=False), _link)
        if isinstance(span, Literal) and "_" not in span.text:
            number = span.text.replace("-", MINUS)
            return f'<span class="n">{escape(number, quote=False)}</span>'
        return inline_mathml(span, self.style)

    def _contents(self) -> str:
        """The headings as nested lists of links."""
        headings = [heading for heading in _headings(self.document.blocks) if 1 < heading.level < 4]
        if len(headings) > _MOST_CONTENTS:
            headings = [heading for heading in headings if heading.level == 2]
        title = escape(self.words.text("contents"))
        entries = "".join(self._entries(headings))
        return (
            f'<nav class="contents" aria-labelledby="contents-title">\n<h2 id="contents-title">{title}</h2>\n'
            f"<ol>\n{entries}</ol>\n</nav>"
        )

    def _entries(self, headings: list[Heading]) -> Iterator[str]:
        """Each heading of the first level with a list of those below it."""
        place = 0
        while place < len(headings):
            heading = headings[place]
            end = place + 1
            while end < len(headings) and headings[end].level > heading.level:
                end += 1
            below = "".join(self._entries(headings[place + 1 : end]))
            nested = f"\n<ol>\n{below}</ol>\n" if below else ""
            yield f'<li><a href="#{escape(heading.anchor)}">{self.spans(heading.spans)}</a>{nested}</li>\n'
            place = end


def _link(address: str) -> str:
    return f'<a href="{escape(address)}">{escape(address, quote=False)}</a>'


def _headings(blocks: Iterable[Block]) -> Iterator[Heading]:
    for block in blocks:
        if isinstance(block, Heading) and block.anchor:
            yield block
        elif isinstance(block, Fold):
            yield from _headings(block.blocks)


def _heading(page: PageWriter, heading: Heading) -> str:
    anchor = f' id="{escape(heading.anchor)}"' if heading.anchor else ""
    return f"<h{heading.level}{anchor}>{page.spans(heading.spans)}</h{heading.level}>"


def _paragraph(page: PageWriter, paragraph: Paragraph) -> str:
    role = f' class="{escape(paragraph.role)}"' if paragraph.role else ""
    return f"<p{role}>{page.spans(paragraph.spans)}</p>"


def _formula(page: PageWriter, formula: Formula) -> str:
    target, forms = formula_mathml(formula, page.style)
    shapes = f' <span class="shapes">{page.spans(formula.shapes)}</span>' if formula.shapes else ""
    named = ""
    if isinstance(formula.target, Symbol | Gradient) and not formula.aside:
        named = f' data-target="{escape(name_of(formula.target))}"'
    body = f'<div class="forms">{forms}{shapes}</div>' if forms or shapes else ""
    return f'<div class="formula"{named}>{target}{body}</div>'


def _bullets(page: PageWriter, bullets: Bullets) -> str:
    return "<ul>\n" + "".join(f"<li>{page.spans(item)}</li>\n" for item in bullets.items) + "</ul>"


def _cells(page: PageWriter, cells: tuple[Spans, ...], sides: list[str], rooms: tuple[Room, ...]) -> str:
    return "".join(
        f"<td{side}>{page.spans(cell)}{_room(room)}</td>"
        for side, cell, room in zip(sides, cells, rooms, strict=True)
    )


def _room(room: Room) -> str:
    """Nothing to see, as wide as the digits that another number of the column has."""
    text = f'<span class="room" data-room="{escape(room.text)}"></span>' if room.text else ""
    if not room.power:
        return text
    return f"{text}<math>{box_mathml(Phantom(row(*room.power)))}</math>"


def _table(page: PageWriter, table: Table) -> str:
    sides = [{"l": "", "c": ' class="c"', "r": ' class="r"'}[side] for side in table.align]
    caption = f"<caption>{page.spans(table.caption)}</caption>\n" if table.caption else ""
    header = "".join(
        f'<th scope="col"{side}>{page.spans(cell)}</th>'
        for side, cell in zip(sides, table.header, strict=True)
    )
    lines = zip(table.rows, rooms_of(table, page.style), strict=True)
    rows = "".join(f"<tr>{_cells(page, cells, sides, rooms)}</tr>\n" for cells, rooms in lines)
    return (
        f'<div class="table"><table>\n{caption}<thead><tr>{header}</tr></thead>\n<tbody>\n{rows}</tbody>\n'
        "</table></div>"
    )


def _figure(page: PageWriter, figure: Figure) -> str:
    caption = f"\n<figcaption>{page.spans(figure.caption)}</figcaption>" if figure.caption else ""
    return f"<figure>\n{figure.scene.svg().strip()}{caption}\n</figure>"


def _code(page: PageWriter, code: Code) -> str:
    text = escape("\n".join(code.lines), quote=False)
    return f'<div class="table"><pre><code>{text}\n</code></pre></div>'


def _fold(page: PageWriter, fold: Fold) -> str:
    blocks = page.blocks(fold.blocks)
    return f"<details>\n<summary>{page.spans(fold.title)}</summary>\n{blocks}\n</details>"


RULES: dict[type, Callable[[PageWriter, Any], str]] = {
    Heading: _heading,
    Paragraph: _paragraph,
    Formula: _formula,
    Bullets: _bullets,
    Table: _table,
    Figure: _figure,
    Code: _code,
    Fold: _fold,
    Blanks: blanks,
}
"""How each kind of block is written."""
