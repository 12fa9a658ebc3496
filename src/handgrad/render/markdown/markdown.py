r"""A document as Markdown whose mathematics GitHub, Jupyter, Colab and VS Code all show.

Some of them read the text as Markdown before they look for mathematics, so none of it may look like
Markdown: rows end with \cr, an underscore behind a bracket has spaces around it (it cannot begin emphasis),
< is \lt, and no command is a backslash with a punctuation mark.
"""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote

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
)
from handgrad.render.latex.math import Dialect, box_latex, formula_latex
from handgrad.render.links import with_links
from handgrad.render.math import boxes
from handgrad.render.math.columns import Room
from handgrad.render.math.tables import rooms_of
from handgrad.render.math.typeset import Style, typeset
from handgrad.worked.expressions import Symbol
from handgrad.writing.letter_parts import NUMERALS
from handgrad.writing.letters import plain
from handgrad.writing.phrasebook import Phrasebook, Spans

# full-width twins of what is markup to Markdown or to LaTeX: the label shows, and is no command
_WIDE = str.maketrans({sign: chr(ord(sign) + 0xFEE0) for sign in "\\{}$&#%_^~<>`*|[]"})
_ESCAPES = {
    "\\": "&#92;",
    "$": "<span>&#36;</span>",  # alone in an element it cannot pair with another dollar sign
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    "|": "&#124;",
    **{sign: f"\\{sign}" for sign in "`*_[]#~!"},
}
_BLANKS = {
    **dict.fromkeys(map(ord, "".join(NUMERALS.values())), "\u2007"),
    ord("."): "\u2008",
    ord(","): "\u2008",
}
"""Digits and points as blanks of their width (Unicode 16.0, 6.2: figure space, punctuation space)."""
_LIKE_A_LIST = re.compile(r"(?P<mark>[-+]|\d+[.)])(?=\s)")
_UNDERSCORE = re.compile(r"(?<=[^A-Za-z0-9 ])_(?=\{)")
_CONTENTS_LEVEL = 3
_MOST_CONTENTS = 60

DIALECT = Dialect(r"\cr", r"\lt", r"\gt", lambda text: text.translate(_WIDE))
"""LaTeX that survives being read as Markdown."""


def write(document: Document, beside: str = "") -> bytes:
    """The document as Markdown, UTF-8.

    A figure is part of the text, as a data URI; with `beside`, the text links to the files that
    `figures(document, beside)` names, which is what GitHub shows.

    Raises RenderError for a kind of block, node or box without a rule.
    """
    link = (lambda number, _: quote(_figure_name(beside, number))) if beside else _data_uri
    return (MarkdownText(document, link).blocks(document.blocks) + "\n").encode()


def figures(document: Document, beside: str) -> dict[str, bytes]:
    """The figures of the document as files to stand beside its Markdown: name to SVG."""
    found = [block for block in document.blocks if isinstance(block, Figure)]
    return {
        _figure_name(beside, number): figure.scene.svg().encode() for number, figure in enumerate(found, 1)
    }


def _figure_name(beside: str, number: int) -> str:
    return f"{beside}-figure-{number}.svg"


def _data_uri(number: int, figure: Figure) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(figure.scene.svg().encode()).decode()}"


def escape(text: str) -> str:
    r"""Plain text for Markdown.

    >>> print(escape("a_b costs <$5>"))
    a\_b costs &lt;<span>&#36;</span>5&gt;
    """
    escaped = "".join(_ESCAPES.get(sign, sign) for sign in text.replace("\n", " "))
    return _LIKE_A_LIST.sub(
        lambda found: "\\".join((found["mark"][:-1], found["mark"][-1])), escaped, count=1
    )


class MarkdownText:
    """One text in the making; `link` says where a figure, counted from 1, is found."""

    def __init__(self, document: Document, link: Callable[[int, Figure], str]) -> None:
        self.document = document
        self.link = link
        self.style = Style(document.notation, document.language)
        self.words = Phrasebook(document.language)
        self.figures = 0
        self.listed = not document.contents

    def blocks(self, blocks: tuple[Block, ...]) -> str:
        """The blocks with an empty line between them; contents before the first part."""
        parts: list[str] = []
        for block in blocks:
            if not self.listed and isinstance(block, Heading) and block.level > 1:
                self.listed = True
                parts.append(self._contents())
            parts.append(self.block(block))
        return "\n\n".join(part for part in parts if part)

    def block(self, block: Block) -> str:
        """One block; raises RenderError for a kind without a rule."""
        rule = RULES.get(type(block))
        if rule is None:
            raise RenderError(
                f"no rule to write {type(block).__name__} as Markdown; add one to RULES in render/markdown/markdown.py"
            )
        return rule(self, block)

    def spans(self, spans: Spans, words: Callable[[str], str] = escape) -> str:
        """Running text; `words` writes what is not mathematics."""
        text = ""
        for span in spans:
            written = with_links(span, words, _link) if isinstance(span, str) else self._inline(span)
            # GitHub takes a dollar sign behind a letter for money
            glued = written.startswith("$") and text[-1:].isalnum()
            text += f" {written}" if glued else written
        return text

    def _inline(self, span: Any) -> str:
        if isinstance(span, Literal) and "_" not in span.text:
            return span.text
        return f"${_safe(box_latex(typeset(span, self.style), DIALECT))}$"

    def cell(self, spans: Spans, room: Room) -> str:
        """What stands in a cell, and blanks as wide as the digits that other numbers of its column have."""
        behind = f"${box_latex(boxes.Phantom(boxes.row(*room.power)), DIALECT)}$" if room.power else ""
        return self.spans(spans) + room.text.translate(_BLANKS) + behind

    def plain(self, spans: Spans) -> str:
        """The spans with symbols as text: what a link may hold."""
        texts = (
            span
            if isinstance(span, str)
            else plain(span, self.style.notation)
            if isinstance(span, Symbol)
            else ""
            for span in spans
        )
        return escape("".join(texts).strip())

    def formula(self, formula: Formula) -> str:
        """The display, dollar signs on lines of their own."""
        return f"$$\n{_safe(formula_latex(formula, self.style, DIALECT))}\n$$"

    def _contents(self) -> str:
        headings = [
            block
            for block in self.document.blocks
            if isinstance(block, Heading) and 1 < block.level <= _CONTENTS_LEVEL and block.anchor
        ]
        if len(headings) > _MOST_CONTENTS:
            headings = [heading for heading in headings if heading.level == 2]
        lines = [f"{'  ' * (h.level - 2)}- [{self.plain(h.spans)}](#{h.anchor})" for h in headings]
        return f"**{escape(self.words.text('contents'))}**\n\n" + "\n".join(lines)


def _link(address: str) -> str:
    return f"<{address}>".replace("$", "%24")


def _safe(latex: str) -> str:
    """An underscore behind a bracket cannot begin emphasis when it stands between spaces."""
    return _UNDERSCORE.sub(" _ ", latex)


def _heading(text: MarkdownText, heading: Heading) -> str:
    linked = text.document.contents or heading.level == 1  # by that of the title the file is known again
    anchor = f'<a id="{heading.anchor}"></a>\n\n' if heading.anchor and linked else ""
    return f"{anchor}{'#' * heading.level} {text.spans(heading.spans)}"


def _paragraph(text: MarkdownText, paragraph: Paragraph) -> str:
    quoted = "> " if paragraph.role in ("note", "observation", "settings") else ""
    return quoted + text.spans(paragraph.spans)


def _formula(text: MarkdownText, formula: Formula) -> str:
    shapes = f"\n\n{text.spans(formula.shapes)}" if formula.shapes else ""
    return text.formula(formula) + shapes


def _bullets(text: MarkdownText, bullets: Bullets) -> str:
    return "\n".join(f"- {text.spans(item)}" for item in bullets.items)


def _table(text: MarkdownText, table: Table) -> str:
    def line(cells: Iterable[str]) -> str:
        return f"| {' | '.join(cells)} |"

    rows = (map(text.cell, *pair) for pair in zip(table.rows, rooms_of(table, text.style), strict=True))
    sides = {"l": ":---", "c": ":---:", "r": "---:"}
    rule = f"| {' | '.join(sides[side] for side in table.align)} |"
    caption = f"{text.spans(table.caption)}\n\n" if table.caption else ""
    return caption + "\n".join([line(map(text.spans, table.header)), rule, *map(line, rows)])


def _figure(text: MarkdownText, figure: Figure) -> str:
    text.figures += 1
    caption = f"\n\n{text.spans(figure.caption)}" if figure.caption else ""
    return f"![{escape(figure.scene.description)}]({text.link(text.figures, figure)}){caption}"


def _code(text: MarkdownText, code: Code) -> str:
    lines = "\n".join(code.lines)
    return f"```{code.language}\n{lines}\n```"


def _fold(text: MarkdownText, fold: Fold) -> str:
    title = text.spans(fold.title, lambda words: html.escape(words, quote=False).replace("$", _ESCAPES["$"]))
    blocks = "\n\n".join(text.block(block) for block in fold.blocks)
    return f"<details>\n<summary>{title}</summary>\n\n{blocks}\n\n</details>"


def _blanks(text: MarkdownText, blanks: Blanks) -> str:
    """A table whose cells are to be filled in; the comment in each says which number belongs there."""
    if not blanks.shown:
        return "\n".join(
            f"<!-- {field.name} = {html.escape(field.value)} -->" for row in blanks.rows for field in row
        )
    columns = max(map(len, blanks.rows))
    head = [text.spans(blanks.target).strip(), *[""] * (columns - 1)]
    lines = [head, [":---:"] * columns]
    for row in blanks.rows:
        places = [f"{escape(field.value) or '_' * blanks.digits} <!-- {field.name} -->" for field in row]
        lines.append(places)
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"{table}\n\n{text.spans(blanks.remark)}" if blanks.remark else table


RULES: dict[type, Callable[[MarkdownText, Any], str]] = {
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
"""How each kind of block is written."""
