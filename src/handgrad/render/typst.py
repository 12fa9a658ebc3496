"""A document as Typst source, from which the PDF is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from handgrad.errors import RenderError
from handgrad.render.boxes import Operator, tall, width
from handgrad.render.breaking import lines
from handgrad.render.document import (
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
from handgrad.render.typeset import Style, typeset
from handgrad.render.typst_math import line_math, math, string
from handgrad.render.words import Phrasebook

LINE = 42.0
"""Width of a line of text in em."""
WIDE = 0.85
"""Share of the line from which a piece is measured, and made smaller if it is too wide."""

PREAMBLE = """\
#set page(paper: "a4", margin: (x: 2.2cm, top: 2.2cm, bottom: 2.4cm), footer: context [
  #set text(size: 8.5pt, fill: luma(90))
  #title-text #h(1fr) #page-words(counter(page).display(), counter(page).final().first())
])
#set par(justify: false, leading: 0.7em, spacing: 0.95em)
#show heading: set block(sticky: true, above: 1.5em, below: 0.8em)
#show heading.where(level: 1): set text(size: 18pt)
#show heading.where(level: 2): set text(size: 14pt)
#show heading.where(level: 3): set text(size: 12pt)
#show heading.where(level: 4): set text(size: 10.5pt)
#show outline: set heading(level: 2, outlined: false)
#show figure: set block(breakable: true)
#show figure.where(kind: "table"): set figure.caption(position: top)
#show figure.caption: set block(sticky: true)
#set figure.caption(separator: none)
#set table(stroke: none, inset: (x: 6pt, y: 4.5pt))
#set math.mat(row-gap: 0.35em)
#let note(role, body) = if role == "source" {
  text(size: 9.5pt, fill: luma(70), body)
} else if role == "settings" {
  block(width: 100%, fill: luma(245), inset: 7pt, radius: 3pt, text(size: 9.5pt, body))
} else if role == "observation" {
  block(width: 100%, stroke: (left: 2pt + rgb("#1565c0")), inset: (left: 9pt, y: 3pt), body)
} else if role == "note" {
  par(emph(body))
} else { par(body) }
#let row(indent, first, body) = par(hanging-indent: indent + 1.7em)[#box(width: indent, first)#h(0.28em)#body]
#let shrunk(room, piece) = {
  let natural = if room == none { 0pt } else { measure(piece).width }
  if natural > 0pt and natural > room { text(size: 1em * (room / natural), piece) } else { piece }
}
#let aligned(target, rows, shapes, width, tall) = {
  let indent = measure(target).width
  let room = if width == none { none } else { width - indent - 2.4em.to-absolute() }
  set par(leading: 0.65em, spacing: if tall { 1.35em } else { 0.8em })
  for (place, (sign, pieces)) in rows.enumerate() {
    for (number, piece) in pieces.enumerate() {
      let piece = shrunk(room, piece)
      if number == 0 { row(indent, if place == 0 { target }, [$#sign$#h(0.28em)#piece]) }
      else { pad(left: indent + 2.2em, par(piece)) }
    }
  }
  if shapes != none { pad(left: indent + 0.28em, text(size: 9pt, fill: luma(70), shapes)) }
}
#let formula(target, rows, shapes, wide: false, tall: false) = block(above: 1em, below: 1em, width: 100%,
  if wide { layout(size => aligned(target, rows, shapes, size.width, tall)) }
  else { context aligned(target, rows, shapes, none, tall) })
#let edge = 0.7pt + luma(170)
#let fold(title, body) = block(width: 100%, above: 1.1em, stroke: (left: edge), inset: (left: 9pt))[
  #block(below: 0.8em, sticky: true, strong(title))
  #body
]
"""


def typst_source(document: Document, fonts: tuple[str, ...] = ("New Computer Modern",)) -> str:
    """The document as the text of a Typst file; `fonts` in the order in which a letter is looked for.

    Raises RenderError for a block or expression without a rule.
    """
    return _Writer(document).source(fonts)


class _Writer:
    """Writes the blocks of one document."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.style = Style(document.notation, document.language)
        self.words = Phrasebook(document.language)

    def source(self, fonts: tuple[str, ...]) -> str:
        document = self.document
        families = "".join(f"{string(name)}, " for name in fonts)
        return "\n".join(
            [
                f"#set document(title: {string(document.title)}, date: none)",
                f"#set text(font: ({families}), size: 10.5pt, lang: {string(document.language)})",
                f'#show math.equation: set text(font: ("New Computer Modern Math", {families}))',
                f"#let title-text = {string(document.title)}",
                f"#let page-words(number, count) = {self._page_words()}",
                PREAMBLE,
                *self._body(),
                "",
            ]
        )

    def _page_words(self) -> str:
        words = string(self.words.text("page", number="\x01", count="\x02"))
        return words.replace("\x01", '" + str(number) + "').replace("\x02", '" + str(count) + "')

    def _body(self) -> list[str]:
        """The blocks; contents before the first part."""
        written = []
        awaited = self.document.contents
        for block in self.document.blocks:
            if awaited and isinstance(block, Heading) and block.level > 1:
                title = string(self.words.text("contents"))
                written.append(f"#outline(title: {title}, depth: 3, indent: 1.2em)")
                awaited = False
            written.append(self.block(block))
        return written

    def block(self, block: Any) -> str:
        rule = _RULES.get(type(block))
        if rule is None:
            raise RenderError(f"Typst has no rule for the block {type(block).__name__}")
        return rule(self, block)

    def spans(self, spans: Spans) -> str:
        """Running text with its mathematics."""
        return "".join(
            f"#{string(span)};" if isinstance(span, str) else f"${math(typeset(span, self.style))}$"
            for span in spans
        )

    def heading(self, heading: Heading) -> str:
        label = f" <{heading.anchor}>" if heading.anchor else ""
        outlined = ", outlined: false, bookmarked: false" if heading.level == 1 else ""
        return f"#heading(level: {heading.level}{outlined})[{self.spans(heading.spans)}]{label}"

    def paragraph(self, paragraph: Paragraph) -> str:
        return f"#note({string(paragraph.role)})[{self.spans(paragraph.spans)}]"

    def formula(self, formula: Formula) -> str:
        target = typeset(formula.target, self.style)
        room = LINE - width(target) - 2.0
        rows, wide, high = "", False, tall(target)
        for sign, tree in formula.forms:
            pieces = lines(typeset(tree, self.style), room)
            rows += (
                f"({self._sign(sign)}, ({''.join(f'$display({line_math(piece)})$, ' for piece in pieces)})), "
            )
            wide = wide or any(width(piece) > WIDE * room for piece in pieces)
            high = high or any(tall(piece) for piece in pieces)
        shapes = f"[{self.spans(formula.shapes)}]" if formula.shapes else "none"
        flags = (", wide: true" if wide else "") + (", tall: true" if high else "")
        return f"#formula($display({math(target)})$, ({rows}), {shapes}{flags})"

    def _sign(self, sign: str) -> str:
        return f"${math(Operator(sign))}$"

    def bullets(self, bullets: Bullets) -> str:
        return "#list(" + ", ".join(f"[{self.spans(item)}]" for item in bullets.items) + ")"

    def table(self, table: Table) -> str:
        sides = {"l": "left", "c": "center", "r": "right"}
        align = "".join(f"{sides[side]} + horizon, " for side in table.align)
        cells = ", ".join(f"[#strong[{self.spans(cell)}]]" for cell in table.header)
        rows = ",\n".join(
            ", ".join(f"[{self.spans(cell)}]" for cell in row) + ", table.hline(stroke: 0.3pt + luma(190))"
            for row in table.rows
        )
        body = (
            f"#table(columns: {len(table.header)}, align: ({align}),\n"
            f"table.hline(stroke: 0.8pt), table.header({cells}), table.hline(stroke: 0.5pt),\n{rows})"
        )
        if not table.caption:
            return body
        caption = f'caption: [{self.spans(table.caption)}], kind: "table", supplement: none, numbering: none'
        return f"#figure({body[1:]}, {caption})"

    def figure(self, figure: Figure) -> str:
        # one pixel of SVG is three quarters of a point
        size = f"calc.min({figure.width * 0.75:.1f}pt, 16.6cm)"
        described = f"width: {size}, alt: {string(figure.description)}"
        picture = f'image(bytes({string(figure.svg)}), format: "svg", {described})'
        caption = f", caption: [{self.spans(figure.caption)}]" if figure.caption else ""
        return f'#figure({picture}{caption}, kind: "picture", supplement: none, numbering: none)'

    def fold(self, fold: Fold) -> str:
        body = "\n".join(self.block(block) for block in fold.blocks)
        return f"#fold([{self.spans(fold.title)}])[\n{body}\n]"


_RULES: dict[type, Callable[[_Writer, Any], str]] = {
    Heading: _Writer.heading,
    Paragraph: _Writer.paragraph,
    Formula: _Writer.formula,
    Bullets: _Writer.bullets,
    Table: _Writer.table,
    Figure: _Writer.figure,
    Fold: _Writer.fold,
}
