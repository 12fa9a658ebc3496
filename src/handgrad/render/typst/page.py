"""A document as Typst source, from which the PDF is made."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
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
    Paragraph,
    Table,
    fields_of,
)
from handgrad.render.math.aligned import Piece, abreast, pieces
from handgrad.render.math.boxes import Box, Operator, Quantity, row, tall, width
from handgrad.render.math.columns import Room
from handgrad.render.math.spoken import spoken
from handgrad.render.math.tables import rooms_of
from handgrad.render.math.typeset import Style, typeset
from handgrad.render.typst.blanks import PREAMBLE as BLANKS_PREAMBLE
from handgrad.render.typst.blanks import blanks
from handgrad.render.typst.figure import figure_source
from handgrad.render.typst.math import line_math, math, string
from handgrad.writing.phrasebook import Phrasebook, Spans
from handgrad.writing.scripts import LATIN

LINE = 52.0
"""Width of a line of text in em."""
TEXT_WIDTH = 498.0
"""The same in points: no figure is wider."""
MOST_HEIGHT = 190.0
"""A figure is not higher, in points: it is one of many things on its page."""
MOST_CONTENTS = 16
"""Entries of the contents from which on only the parts are listed."""
LONG_TABLE = range(14, 81)
"""Rows of a narrow table that stands in two halves side by side, both on one page."""
HALF = 28.0
"""How wide a table may be for that, in em."""

PREAMBLE = Path(__file__).with_name("page.typ")
"""Page, headings, tables, and the functions that the blocks call."""


def typst_source(document: Document) -> str:
    """The document as the text of a Typst file, in Typst's own fonts; `in_fonts` chooses others.

    Raises RenderError for a block or expression without a rule.
    """
    return in_fonts(PageSource(document).source(), LATIN)


def in_fonts(source: str, families: tuple[str, ...]) -> str:
    """The source with `families`, in the order in which a letter is looked for, as its first line."""
    listed = "".join(f"{string(name)}, " for name in families)
    return f"#let families = ({listed})\n{source.removeprefix(_families_line(source))}"


def _families_line(source: str) -> str:
    first = source.split("\n", 1)[0] + "\n"
    return first if first.startswith("#let families = ") else ""


class PageSource:
    """Writes the blocks of one document."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.style = Style(document.notation, document.language, quantities=True)
        self.words = Phrasebook(document.language)
        self.fields = 0

    def source(self) -> str:
        """The whole file."""
        return "\n".join([self.head(), *self._body(), ""])

    def head(self) -> str:
        """Everything before the first block."""
        document, language = self.document, self.document.language.replace("_", "-").split("-")[0]
        return "\n".join(
            [
                f'#set document(title: {string(document.title)}, keywords: "handgrad", date: none)',
                f"#set text(font: families, size: 9.5pt, lang: {string(language)})",
                '#show math.equation: set text(font: ("New Computer Modern Math", ..families))',
                f"#let title-text = {string(document.title)}",
                f"#let page-words(number, count) = {self._page_words()}",
                *(
                    f'#let q{kind}(it) = text(fill: rgb("{shade.light}"), it)'
                    for kind, shade in PALETTE.items()
                ),
                PREAMBLE.read_text(encoding="utf-8"),
                *([BLANKS_PREAMBLE] if any(fields_of(document.blocks)) else []),
            ]
        )

    def _page_words(self) -> str:
        words = string(self.words.text("page", number="\x01", count="\x02"))
        return words.replace("\x01", '" + str(number) + "').replace("\x02", '" + str(count) + "')

    def _body(self) -> list[str]:
        """The blocks; contents before the first part."""
        blocks = self.document.blocks
        if not self.document.contents:
            return [self.blocks(blocks)]
        parts = (place for place, each in enumerate(blocks) if isinstance(each, Heading) and each.level > 1)
        first = next(parts, len(blocks))
        contents = f"#contents({string(self.words.text('contents'))}, {self._depth(blocks)})"
        return [self.blocks(blocks[:first]), contents, self.blocks(blocks[first:])]

    @staticmethod
    def _depth(blocks: tuple[Block, ...]) -> int:
        """As many levels as make a list that is read at a glance; the bookmarks of the file have them all."""
        levels = [block.level for block in blocks if isinstance(block, Heading)]
        return 3 if sum(level in (2, 3) for level in levels) <= MOST_CONTENTS else 2

    def blocks(self, blocks: tuple[Any, ...]) -> str:
        """Blocks in order; words that lead to a formula, table or figure stay on its page."""
        written = []
        for block, following in pairwise((*abreast(blocks, self.style), None)):
            source = self.together(block) if isinstance(block, tuple) else self.block(block)
            leads = isinstance(block, Paragraph) and isinstance(following, _LED)
            written.append(f"#block(sticky: true)[{source}]" if leads else source)
        return "\n".join(written)

    def block(self, block: Any) -> str:
        rule = _RULES.get(type(block))
        if rule is None:
            raise RenderError(f"Typst has no rule for the block {type(block).__name__}")
        return rule(self, block)

    def spans(self, spans: Spans) -> str:
        """Running text with its mathematics."""
        return "".join(
            f"#{string(span)};" if isinstance(span, str) else self.inline(typeset(span, self.style))
            for span in spans
        )

    def inline(self, box: Box) -> str:
        """An equation within a line."""
        return self.equation(box, math(box))

    def equation(self, box: Box, source: str) -> str:
        """An equation, and what it says in words for those who hear it."""
        return f"#eq({string(spoken(box, self.words))}, ${source}$);"

    def heading(self, heading: Heading) -> str:
        label = f" <{heading.anchor}>" if heading.anchor else ""
        outlined = ", outlined: false, bookmarked: false" if heading.level == 1 else ""
        return f"#heading(level: {heading.level}{outlined})[{self.spans(heading.spans)}]{label}"

    def paragraph(self, paragraph: Paragraph) -> str:
        return f"#note({string(paragraph.role)})[{self.spans(paragraph.spans)}]"

    def formula(self, formula: Formula) -> str:
        """The target and its forms in pieces, which the page puts side by side where they fit."""
        target = typeset(formula.target, self.style)
        found = pieces(formula, self.style, LINE - width(target) - 2.5)
        written = "".join(f"{self._piece(piece)}, " for piece in found)
        shapes = f"[{self.spans(formula.shapes)}]" if formula.shapes else "none"
        return f"#formula({self._target(target)}, ({written}), {shapes})"

    def _target(self, target: Box) -> str:
        return f"({_flag(tall(target))}, [{self.equation(target, f'display({math(target)})')}])"

    def _piece(self, piece: Piece) -> str:
        """Its sign, whether it holds letters, whether it is tall, and itself."""
        sign = f"[{self.inline(Operator(piece.sign))}]" if piece.sign else "none"
        body = self.equation(piece.body, f"display({line_math(piece.body)})")
        return f"({sign}, {_flag(piece.letters)}, {_flag(tall(piece.body))}, [{body}])"

    def together(self, formulas: tuple[Formula, ...]) -> str:
        """Short formulas side by side."""
        written = []
        for formula in formulas:
            target = self._target(typeset(formula.target, self.style))
            found = "".join(f"{self._piece(piece)}, " for piece in pieces(formula, self.style, LINE))
            written.append(f"({target}, ({found})), ")
        return f"#together(({''.join(written)}))"

    def bullets(self, bullets: Bullets) -> str:
        return "#list(" + ", ".join(f"[{self.spans(item)}]" for item in bullets.items) + ")"

    def table(self, table: Table) -> str:
        sides = {"l": "left", "c": "center", "r": "right"}
        align = "".join(f"{sides[side]} + horizon, " for side in table.align)
        cells = ", ".join(f"[#strong[{self.spans(cell)}]]" for cell in table.header)

        written = [
            ", ".join(f"[{self.cell(cell, room)}]" for cell, room in zip(cells, rooms, strict=True))
            + ", table.hline(stroke: 0.3pt + luma(190))"
            for cells, rooms in zip(table.rows, rooms_of(table, self.style), strict=True)
        ]

        def of(some: list[str]) -> str:
            rows = ",\n".join(some)
            return (
                f"table(columns: {len(table.header)}, align: ({align}),\n"
                f"table.hline(stroke: 0.8pt), table.header({cells}), table.hline(stroke: 0.5pt),\n{rows})"
            )

        half = -(-len(written) // 2)
        body = f"#{of(written)}"
        if len(written) in LONG_TABLE and self._table_width(table) <= HALF:
            body = f"#halves({of(written[:half])}, {of(written[half:])})"
        if not table.caption:
            return body
        caption = f'caption: [{self.spans(table.caption)}], kind: "table", supplement: none, numbering: none'
        return f"#figure({body[1:]}, {caption})"

    def _table_width(self, table: Table) -> float:
        """About how wide the table is, in em."""
        columns = zip(table.header, *table.rows, strict=True)
        return sum(max(map(self._extent, column)) + 1.0 for column in columns)

    def _extent(self, spans: Spans) -> float:
        return sum(
            0.52 * len(span) if isinstance(span, str) else width(typeset(span, self.style)) for span in spans
        )

    def cell(self, spans: Spans, room: Room) -> str:
        """What stands in a cell, its mathematics as large as on a line of its own; then room, where it needs some."""
        source, high = "", False
        for span in spans:
            if isinstance(span, str):
                source += f"#{string(span)};"
                continue
            box = row(
                typeset(span, self.style), *room.boxes()
            )  # only a number alone in its cell has room behind it
            if isinstance(box, Quantity):  # the name of a row, a derivative too, is no higher than a line
                source += self.equation(box, math(box))
                continue
            high = high or tall(box)
            source += self.equation(box, f"display({math(box)})")
        return f"#pad(y: 1.6pt)[{source}]" if high else source

    def figure(self, figure: Figure) -> str:
        picture = figure_source(figure.scene, figure.scene.description, TEXT_WIDTH, MOST_HEIGHT)
        caption = f", caption: [{self.spans(figure.caption)}]" if figure.caption else ""
        return f'#figure({picture}{caption}, kind: "picture", supplement: none, numbering: none)'

    def code(self, code: Code) -> str:
        lines = ", ".join(string(line) for line in code.lines)
        return f"#code(({lines},))"

    def fold(self, fold: Fold) -> str:
        return f"#fold([{self.spans(fold.title)}])[\n{self.blocks(fold.blocks)}\n]"


_LED = (Formula, Table, Figure, Fold, tuple)
"""What stays on the page of the words before it."""


def _flag(true: bool) -> str:
    return "true" if true else "false"


_RULES: dict[type, Callable[[PageSource, Any], str]] = {
    Heading: PageSource.heading,
    Paragraph: PageSource.paragraph,
    Formula: PageSource.formula,
    Bullets: PageSource.bullets,
    Table: PageSource.table,
    Figure: PageSource.figure,
    Code: PageSource.code,
    Fold: PageSource.fold,
    Blanks: blanks,
}
