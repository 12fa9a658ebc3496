"""Places to write into as content controls: Word and LibreOffice let the reader fill them in, and nothing else.

Source: ECMA-376 part 1, 17.5.2 (structured document tags).
"""

from __future__ import annotations

from typing import Protocol
from xml.sax.saxutils import quoteattr

from handgrad.render.document import Blanks, Field
from handgrad.render.word.omml import printable, xml_text
from handgrad.writing.phrasebook import Spans

KEPT = "handgrad:"
"""What hidden fields begin with, in hidden text: LibreOffice shows what stands in a content control."""
_EM = 200
"""One em of text of 10 points, in Word's twentieths of a point."""
_TAG = 64
"""Characters that a tag may have."""
_LINE = 9_000
"""Width of the text, in twentieths of a point."""


class Writer(Protocol):
    """Writes running text and paragraphs; `controls` counts the content controls."""

    controls: int

    def spans(self, spans: Spans, properties: str = "") -> str: ...
    def paragraph_xml(self, inner: str, style: str = "", properties: str = "", indent: int = 0) -> str: ...


def blanks(writer: Writer, block: Blanks) -> list[str]:
    """One content control in its line, or a table with the target at its left and a control in each cell."""
    hidden = [field for row in block.rows for field in row if field.hidden]
    if not block.shown:
        return [_kept(writer, hidden)] if hidden else []
    if len(block.rows) == len(block.rows[0]) == 1:
        inner = writer.spans(block.target) + _space() + _control(writer, block.rows[0][0], block.digits)
        remark = _space() + writer.spans(block.remark) if block.remark else ""
        return [writer.paragraph_xml(inner + remark)]
    columns, most = len(block.rows[0]), _LINE - 2_000
    width = min(round((0.6 * block.digits + 1.5) * _EM), most // columns)
    grid = '<w:gridCol w:w="2000"/>' + f'<w:gridCol w:w="{width}"/>' * columns
    rows = "".join(_row(writer, block, number, width) for number in range(len(block.rows)))
    layout = f'<w:tblW w:w="{2000 + width * columns}" w:type="dxa"/><w:tblLayout w:type="fixed"/>'
    table = f"<w:tbl><w:tblPr>{layout}</w:tblPr><w:tblGrid>{grid}</w:tblGrid>{rows}</w:tbl>"
    return [table, writer.paragraph_xml(writer.spans(block.remark), "" if block.remark else "AfterTable")]


def _row(writer: Writer, block: Blanks, number: int, width: int) -> str:
    merged = '<w:vMerge w:val="restart"/>' if number == 0 else "<w:vMerge/>"
    target = writer.spans(block.target) if number == 0 else ""
    head = (
        f'<w:tc><w:tcPr><w:tcW w:w="2000" w:type="dxa"/>{merged}<w:vAlign w:val="center"/></w:tcPr>'
        f'<w:p><w:pPr><w:pStyle w:val="Cell"/></w:pPr>{target}</w:p></w:tc>'
    )
    side = '<w:{} w:val="single" w:sz="4" w:space="0" w:color="808080"/>'
    borders = "".join(side.format(name) for name in ("top", "left", "bottom", "right"))
    cells = "".join(
        f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/><w:tcBorders>{borders}</w:tcBorders></w:tcPr>'
        f'<w:p><w:pPr><w:pStyle w:val="Cell"/></w:pPr>{_control(writer, field, block.digits)}</w:p></w:tc>'
        for field in block.rows[number]
    )
    return f"<w:tr><w:trPr><w:cantSplit/></w:trPr>{head}{cells}</w:tr>"


def _control(writer: Writer, field: Field, digits: int) -> str:
    """A content control of plain text; while nothing is written, it holds a line, as its placeholder."""
    writer.controls += 1
    placeholder = "" if field.value else "<w:showingPlcHdr/>"
    text = xml_text(field.value or "_" * digits)
    # LibreOffice keeps the alias and drops the tag
    alias = quoteattr(printable(f"{field.name}: {field.label}")[:_TAG])
    tag = quoteattr(field.name[:_TAG])
    return (
        f"<w:sdt><w:sdtPr><w:alias w:val={alias}/><w:tag w:val={tag}/>"
        f'<w:id w:val="{1_000_000 + writer.controls}"/><w:lock w:val="sdtLocked"/>{placeholder}<w:text/></w:sdtPr>'
        f'<w:sdtContent><w:r><w:t xml:space="preserve">{text}</w:t></w:r></w:sdtContent></w:sdt>'
    )


def _kept(writer: Writer, fields: list[Field]) -> str:
    """A paragraph of hidden text: what travels with the document."""
    hidden = "<w:rPr><w:vanish/></w:rPr>"
    inner = "".join(
        f'<w:r>{hidden}<w:t xml:space="preserve">{KEPT}{xml_text(f"{field.name}={field.value}")} </w:t></w:r>'
        for field in fields
    )
    return f"<w:p><w:pPr>{hidden}</w:pPr>{inner}</w:p>"


def _space() -> str:
    return '<w:r><w:t xml:space="preserve"> </w:t></w:r>'
