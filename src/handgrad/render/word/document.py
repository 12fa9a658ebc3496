"""A document as a Word file: headings, tables and lists of Word's own, equations that can be edited."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import datetime
from itertools import pairwise
from typing import Any
from xml.sax.saxutils import quoteattr

from handgrad.errors import MissingExtraError, RenderError
from handgrad.render.document import (
    Blanks,
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
from handgrad.render.math.aligned import Line, abreast, formula_lines
from handgrad.render.math.boxes import Box, Operator, row, width
from handgrad.render.math.columns import Room
from handgrad.render.math.tables import rooms_of
from handgrad.render.math.typeset import Style, typeset
from handgrad.render.typst.raster import picture
from handgrad.render.word.blanks import blanks
from handgrad.render.word.omml import (
    NAMESPACES,
    begun,
    display,
    equation,
    names_apart,
    omml,
    printable,
    space,
    xml_text,
)
from handgrad.worked.expressions import Expression
from handgrad.writing.phrasebook import Phrasebook, Spans
from handgrad.writing.scripts import SCRIPTS

LINE = 44.0
"""Width of a line of mathematics in em."""
EM = 200
"""One em of text of 10 points, in Word's twentieths of a point."""
MOST_CONTENTS = 16
"""Entries of the contents from which on only the parts are listed."""
KEEP = "<w:keepNext/>"
SIDES = {"l": "left", "c": "center", "r": "right"}
TEXT_WIDTH_PX = 620.0
"""Width of the text in pixels of SVG: no figure is wider."""
MOMENT = datetime(2000, 1, 1)
"""When every file claims to have been made, so that two runs give the same bytes."""

APART = space(2)
"""Between formulas that stand side by side."""
_ROLES = {"source": "Source", "settings": "Settings", "observation": "Observation", "note": "Note"}


def write(document: Document) -> bytes:
    """The document as a Word file; the same document gives the same bytes.

    Raises MissingExtraError without the packages python-docx and typst (which draws the figures), RenderError
    for a block or expression without a rule.
    """
    try:
        import docx
        from docx.oxml import parse_xml
    except ImportError as error:
        raise MissingExtraError("Word output", "docs") from error
    from handgrad.render.word.styles import prepare

    file = docx.Document()
    prepare(file, document)
    writer = _Writer(document, file)
    written = parse_xml(f"<w:body {NAMESPACES}>{''.join(writer.body())}</w:body>")
    file.element.body[:-1] = list(written)  # before the last element, the properties of the section
    buffer = io.BytesIO()
    file.save(buffer)
    return _dated(buffer.getvalue())


def _dated(package: bytes) -> bytes:
    """The same parts in the same order, all of one date."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(package)) as old,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            part = zipfile.ZipInfo(name, MOMENT.timetuple()[:6])
            part.compress_type = zipfile.ZIP_DEFLATED
            part.external_attr = 0o600 << 16
            new.writestr(part, old.read(name))
    return buffer.getvalue()


def text_run(text: str, properties: str = "") -> str:
    """A run of text; one with letters of another script says its language, for Word to shape and spell."""
    script = next((script for script in SCRIPTS if script.occurs_in(text)), None)
    if script is not None:
        properties += f'<w:lang w:bidi="{script.language}"/>'
    described = f"<w:rPr>{properties}</w:rPr>" if properties else ""
    return f'<w:r>{described}<w:t xml:space="preserve">{xml_text(text)}</w:t></w:r>'


class _Writer:
    """Writes the blocks of one document, each as the XML of a paragraph or table."""

    def __init__(self, document: Document, file: Any) -> None:
        self.document = document
        self.file = file
        self.style = Style(document.notation, document.language, quantities=True)
        self.words = Phrasebook(document.language)
        self.bookmarks = 0
        self.controls = 0
        self.pictures = 0
        self.indent = 0
        self.leads = False

    def body(self) -> list[str]:
        """The blocks; contents before the first part."""
        blocks = self.document.blocks
        if not self.document.contents:
            return self.blocks(blocks)
        parts = (place for place, each in enumerate(blocks) if isinstance(each, Heading) and each.level > 1)
        first = next(parts, len(blocks))
        return [*self.blocks(blocks[:first]), *self.contents(), *self.blocks(blocks[first:])]

    def blocks(self, blocks: tuple[Any, ...]) -> list[str]:
        """Blocks in order; words that lead to a formula, table or figure stay on its page."""
        written: list[str] = []
        for block, following in pairwise((*abreast(blocks, self.style), None)):
            self.leads = isinstance(following, Formula | Table | Figure | Fold | tuple)
            written.extend(self.together(block) if isinstance(block, tuple) else self.block(block))
        return written

    def block(self, block: Any) -> list[str]:
        rule = _RULES.get(type(block))
        if rule is None:
            raise RenderError(f"Word has no rule for the block {type(block).__name__}")
        return rule(self, block)

    def spans(self, spans: Spans, properties: str = "") -> str:
        """Running text with its mathematics."""
        return "".join(
            text_run(span, properties) if isinstance(span, str) else self.inline(span) for span in spans
        )

    def inline(self, tree: Expression) -> str:
        """An equation within a line; its words in another script follow it."""
        names: list[str] = []
        written = equation(omml(names_apart(typeset(tree, self.style), names)))
        return written + "".join(text_run(f" ({place}) {name}") for place, name in enumerate(names, 1))

    def paragraph_xml(self, inner: str, style: str = "", properties: str = "", indent: int = 0) -> str:
        named = f'<w:pStyle w:val="{style}"/>' if style else ""
        left = self.indent + indent
        moved = f'<w:ind w:left="{left}"/>' if left else ""
        described = f"<w:pPr>{named}{properties}{moved}</w:pPr>" if named or properties or moved else ""
        return f"<w:p>{described}{inner}</w:p>"

    def heading(self, heading: Heading) -> list[str]:
        inner = self.spans(heading.spans)
        if heading.anchor:
            self.bookmarks += 1
            name = quoteattr(_bookmark(heading.anchor))
            inner = (
                f'<w:bookmarkStart w:id="{self.bookmarks}" w:name={name}/>{inner}'
                f'<w:bookmarkEnd w:id="{self.bookmarks}"/>'
            )
        style = "Title" if heading.level == 1 else f"Heading{heading.level - 1}"
        return [self.paragraph_xml(inner, style)]

    def contents(self) -> list[str]:
        """A table of contents that Word can bring up to date, filled with links to the headings."""
        title = self.paragraph_xml(text_run(self.words.text("contents")), "ContentsTitle")
        headings = [block for block in self.document.blocks if isinstance(block, Heading) and block.anchor]
        deepest = 3 if sum(heading.level in (2, 3) for heading in headings) <= MOST_CONTENTS else 2
        entries = [heading for heading in headings if 1 < heading.level <= deepest]
        if not entries:
            return []
        begin = (
            '<w:r><w:fldChar w:fldCharType="begin"/></w:r>'
            f'<w:r><w:instrText xml:space="preserve"> TOC \\o "1-{deepest - 1}" \\h \\u </w:instrText></w:r>'
            '<w:r><w:fldChar w:fldCharType="separate"/></w:r>'
        )
        written = [title]
        for place, entry in enumerate(entries):
            to = quoteattr(_bookmark(entry.anchor))
            link = f"<w:hyperlink w:anchor={to}>{self.spans(entry.spans)}</w:hyperlink>"
            first = begin if place == 0 else ""
            last = '<w:r><w:fldChar w:fldCharType="end"/></w:r>' if place == len(entries) - 1 else ""
            written.append(self.paragraph_xml(first + link + last, f"Contents{entry.level - 1}"))
        return written

    def paragraph(self, paragraph: Paragraph) -> list[str]:
        style, keep = _ROLES.get(paragraph.role, ""), KEEP if self.leads else ""
        return [self.paragraph_xml(self.spans(paragraph.spans), style, keep)]

    def formula(self, formula: Formula) -> list[str]:
        """As many forms to a line as it holds, each further line begun under the first equals sign."""
        target = typeset(formula.target, self.style)
        column = round(width(target) * EM)
        written: list[str] = []
        names: list[str] = []
        for line in formula_lines(formula, self.style, LINE - self.indent / EM):
            right = None if line.right is None else omml(names_apart(_begun(line), names))
            if line.left is not None:
                left = omml(names_apart(line.left, names))
                written.append(self.paragraph_xml(display(left + (right or "")), "Equation", KEEP))
            elif right is not None:
                # a piece of a broken line stands to the right of the equals sign
                indent = column + (0 if line.sign else round(1.3 * EM))
                written.append(self.paragraph_xml(display(begun(right)), "Equation", KEEP, indent))
        written += self.named(names, column)
        if formula.shapes:
            written.append(self.paragraph_xml(self.spans(formula.shapes), "Shapes", "", column))
        else:
            written[-1] = written[-1].replace(KEEP, "", 1)
        return written

    def together(self, formulas: tuple[Formula, ...]) -> list[str]:
        """Short formulas side by side, as many to a line as it holds."""
        names: list[str] = []
        whole = [names_apart(_on_one_line(formula, self.style), names) for formula in formulas]
        rows: list[list[Box]] = [[]]
        for box in whole:
            if (
                rows[-1]
                and sum(map(width, rows[-1])) + width(box) + 2 * len(rows[-1]) > LINE - self.indent / EM
            ):
                rows.append([])
            rows[-1].append(box)
        given = all(isinstance(form, LaidMatrix | Literal) for each in formulas for _, form in each.forms)
        side_by_side = _within_a_line if given else _on_display
        written = [self.paragraph_xml(side_by_side(list(map(omml, boxes))), "Equation") for boxes in rows]
        return [*written, *self.named(names, 0)]

    def named(self, names: list[str], indent: int) -> list[str]:
        """The words in another script that stand in equations as (1), (2)."""
        return [
            self.paragraph_xml(text_run(f"({number}) {name}"), "Shapes", KEEP, indent)
            for number, name in enumerate(names, 1)
        ]

    def bullets(self, bullets: Bullets) -> list[str]:
        return [self.paragraph_xml(self.spans(item), "ListBullet") for item in bullets.items]

    def table(self, table: Table) -> list[str]:
        widths = self._column_widths(table)
        columns = "".join(f'<w:gridCol w:w="{each}"/>' for each in widths)
        rows = self._table_row(table, table.header, widths, header=True)
        rooms = rooms_of(table, self.style)
        rows += "".join(
            self._table_row(table, cells, widths, room) for cells, room in zip(table.rows, rooms, strict=True)
        )
        layout = f'<w:tblW w:w="{sum(widths)}" w:type="dxa"/><w:tblLayout w:type="fixed"/>'
        look = '<w:tblLook w:val="0420" w:firstRow="1" w:noVBand="1"/>'
        properties = f'<w:tblPr><w:tblStyle w:val="Sheet"/>{layout}{look}</w:tblPr>'
        written = []
        if table.caption:
            written.append(self.paragraph_xml(self.spans(table.caption), "Caption", KEEP))
        written.append(f"<w:tbl>{properties}<w:tblGrid>{columns}</w:tblGrid>{rows}</w:tbl>")
        # two tables without a paragraph between them would be one
        written.append(self.paragraph_xml("", "AfterTable"))
        return written

    def _table_row(
        self,
        table: Table,
        cells: tuple[Spans, ...],
        widths: list[int],
        rooms: tuple[Room, ...] = (),
        header: bool = False,
    ) -> str:
        bold, repeated = ("<w:b/><w:bCs/>", "<w:tblHeader/>") if header else ("", "")
        written = "".join(
            f'<w:tc><w:tcPr><w:tcW w:w="{each}" w:type="dxa"/><w:vAlign w:val="center"/></w:tcPr>'
            f'<w:p><w:pPr><w:pStyle w:val="Cell"/><w:jc w:val="{SIDES[side]}"/></w:pPr>'
            f"{self.spans(cell, bold)}{''.join(equation(omml(box)) for box in room.boxes())}</w:p></w:tc>"
            for cell, side, each, room in zip(
                cells, table.align, widths, rooms or (Room(),) * len(cells), strict=True
            )
        )
        return f"<w:tr><w:trPr><w:cantSplit/>{repeated}</w:trPr>{written}</w:tr>"

    def _column_widths(self, table: Table) -> list[int]:
        """In twentieths of a point: as wide as the contents, the widest columns narrowed to fit the page."""
        wanted = [
            max(self._extent(row[place]) for row in (table.header, *table.rows)) + 1.5
            for place in range(len(table.header))
        ]
        excess = sum(wanted) - LINE
        while excess > 0.01:
            widest = max(wanted)
            second = max((each for each in wanted if each < widest), default=0.0)
            among = sum(each == widest for each in wanted)
            cut = min(widest - second, excess / among)
            wanted = [each - cut if each == widest else each for each in wanted]
            excess = sum(wanted) - LINE
        return [round(each * EM) for each in wanted]

    def _extent(self, spans: Spans) -> float:
        """About how wide the running text is, in em."""
        return sum(
            0.52 * len(span) if isinstance(span, str) else width(typeset(span, self.style)) for span in spans
        )

    def figure(self, figure: Figure) -> list[str]:
        from docx.shared import Pt
        from lxml import etree as xml_tree

        self.pictures += 1
        png = picture(figure.scene, "png", figure.scene.description)
        shown = min(figure.scene.width, TEXT_WIDTH_PX)
        inline = self.file.part.new_pic_inline(io.BytesIO(png), Pt(shown * 0.75), None)
        inline.docPr.set("id", str(self.pictures))
        inline.docPr.set("descr", printable(figure.scene.description))
        inline.docPr.set("name", f"picture-{self.pictures}")

        xml = xml_tree.tostring(inline, encoding="unicode")
        keep = KEEP if figure.caption else ""
        written = [self.paragraph_xml(f"<w:r><w:drawing>{xml}</w:drawing></w:r>", "Picture", keep)]
        if figure.caption:
            written.append(self.paragraph_xml(self.spans(figure.caption), "Caption"))
        return written

    def code(self, code: Code) -> list[str]:
        return [self.paragraph_xml(text_run(line), "Code") for line in code.lines]

    def fold(self, fold: Fold) -> list[str]:
        self.indent += 280
        inner = self.blocks(fold.blocks)
        self.indent -= 280
        return [self.paragraph_xml(self.spans(fold.title), "FoldTitle"), *inner]


def _on_display(equations: list[str]) -> str:
    """As one equation: fractions and sums keep their size."""
    return display(APART.join(equations))


def _within_a_line(equations: list[str]) -> str:
    """Each by itself, parted by commas, because LibreOffice drops blanks between equations; numbers need no display."""
    return text_run(",\u2003").join(map(equation, equations))


def _begun(line: Line) -> Box:
    """The right side of a line behind its sign."""
    assert line.right is not None
    return row(Operator(line.sign), line.right) if line.sign else line.right


def _on_one_line(formula: Formula, style: Style) -> Box:
    """target = form = form."""
    forms = (box for sign, tree in formula.forms for box in (Operator(sign), typeset(tree, style)))
    return row(typeset(formula.target, style), *forms)


def _bookmark(anchor: str) -> str:
    """Word's names of bookmarks begin with a letter, hold no hyphen and at most 40 characters."""
    return ("h_" + anchor.replace("-", "_"))[:40]


_RULES: dict[type, Callable[[_Writer, Any], list[str]]] = {
    Heading: _Writer.heading,
    Paragraph: _Writer.paragraph,
    Formula: _Writer.formula,
    Bullets: _Writer.bullets,
    Table: _Writer.table,
    Figure: _Writer.figure,
    Code: _Writer.code,
    Fold: _Writer.fold,
    Blanks: blanks,
}
