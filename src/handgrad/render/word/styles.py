"""How the Word file looks: page, fonts, the styles that the writer uses, and the footer."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from docx.enum.style import WD_STYLE_TYPE
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Cm, Pt, RGBColor

from handgrad.render.document import Document
from handgrad.render.word.omml import COMPLEX_FONT, printable
from handgrad.writing.phrasebook import Phrasebook
from handgrad.writing.scripts import SCRIPTS

BODY, HEADINGS, MONOSPACED = "Cambria", "Calibri", "Consolas"
GREY = RGBColor(0x59, 0x59, 0x59)
INK = RGBColor(0x1F, 0x1F, 0x1F)

# name: (based on, size, bold, italic, grey, space before, space after) in points
_PARAGRAPHS: dict[str, tuple[str, float, bool, bool, bool, float, float]] = {
    "Source": ("Normal", 9, False, False, True, 0, 4),
    "Settings": ("Normal", 9, False, False, True, 2, 4),
    "Observation": ("Normal", 10, False, True, False, 3, 4),
    "Note": ("Normal", 10, False, True, False, 2, 4),
    "Equation": ("Normal", 10, False, False, False, 2, 2),
    "Shapes": ("Normal", 8.5, False, False, True, 0, 4),
    "FoldTitle": ("Normal", 10, True, False, False, 6, 2),
    "Picture": ("Normal", 10, False, False, False, 4, 2),
    "Cell": ("Normal", 9.5, False, False, False, 1, 1),
    "AfterTable": ("Normal", 6, False, False, False, 0, 0),
    "ContentsTitle": ("Normal", 14, True, False, False, 12, 4),
    "Code": ("Normal", 9, False, False, False, 0, 0),
    "Contents1": ("Normal", 10, False, False, False, 2, 0),
    "Contents2": ("Normal", 9.5, False, False, False, 0, 0),
}
_HEADINGS = {"Title": 18.0, "Heading 1": 14.0, "Heading 2": 12.0, "Heading 3": 10.5}


def prepare(file: Any, document: Document) -> None:
    """Gives an empty file the page, the styles, the footer and the properties of the document."""
    section = file.sections[0]
    section.page_width, section.page_height = Cm(21.0), Cm(29.7)
    section.left_margin = section.right_margin = Cm(1.9)
    section.top_margin = section.bottom_margin = Cm(1.8)
    language = next((script.language for script in SCRIPTS if script.code == document.language), "")
    _normal(file, document.language, language)
    for name, size in _HEADINGS.items():
        _font(file.styles[name], HEADINGS, size, bold=True, italic=False)
        file.styles[name].paragraph_format.space_before = Pt(0 if name == "Title" else 0.8 * size)
        file.styles[name].paragraph_format.space_after = Pt(0.35 * size)
        file.styles[name].font.color.rgb = INK
    _font(file.styles["Caption"], BODY, 9.5, bold=False, italic=True)
    file.styles["Caption"].font.color.rgb = GREY
    for name, (base, size, bold, italic, grey, before, after) in _PARAGRAPHS.items():
        style = file.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
        style.base_style = file.styles[base]
        _font(style, BODY, size, bold=bold, italic=italic)
        if grey:
            style.font.color.rgb = GREY
        style.paragraph_format.space_before, style.paragraph_format.space_after = Pt(before), Pt(after)
    _font(file.styles["Code"], MONOSPACED, 9, bold=False, italic=False)
    file.styles["FoldTitle"].paragraph_format.keep_with_next = True
    file.styles["Contents2"].paragraph_format.left_indent = Cm(0.6)
    _table_style(file)
    _footer(section, document)
    properties = file.core_properties
    properties.title, properties.language = printable(document.title)[:255], document.language
    properties.author = "handgrad"
    properties.comments = ""
    properties.created = properties.modified = datetime(2000, 1, 1)
    properties.revision = 1


def _normal(file: Any, language: str, complex_language: str) -> None:
    style = file.styles["Normal"]
    _font(style, BODY, 10, bold=False, italic=False)
    style.paragraph_format.space_after = Pt(4)
    style.paragraph_format.line_spacing = 1.0
    other = f' w:bidi="{complex_language}"' if complex_language else ""
    latin = "en-US" if complex_language or language == "en" else language
    style.element.get_or_add_rPr().append(parse_xml(f'<w:lang {nsdecls("w")} w:val="{latin}"{other}/>'))


def _font(style: Any, family: str, size: float, *, bold: bool, italic: bool) -> None:
    """Latin and complex scripts alike: Word keeps font, size, bold and italic once more for the latter."""
    font = style.font
    font.name, font.size, font.bold, font.italic = family, Pt(size), bold, italic
    font.cs_bold, font.cs_italic = bold, italic
    properties = style.element.get_or_add_rPr()
    fonts = properties.find(qn("w:rFonts"))
    for attribute in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
        fonts.attrib.pop(qn(f"w:{attribute}"), None)
    fonts.set(qn("w:cs"), COMPLEX_FONT)
    for old in properties.findall(qn("w:szCs")):
        properties.remove(old)
    size_element = properties.find(qn("w:sz"))
    size_element.addnext(parse_xml(f'<w:szCs {nsdecls("w")} w:val="{round(size * 2)}"/>'))


def _table_style(file: Any) -> None:
    """Rules above and below, one under the header, thin ones between the rows."""
    style = file.styles.add_style("Sheet", WD_STYLE_TYPE.TABLE)
    style.base_style = file.styles["Normal Table"]
    rule = 'w:val="single" w:space="0" w:color="595959"'
    style.element.append(
        parse_xml(
            f'<w:tblPr {nsdecls("w")}><w:tblBorders><w:top {rule} w:sz="8"/><w:bottom {rule} w:sz="8"/>'
            f'<w:insideH {rule} w:sz="2"/></w:tblBorders><w:tblCellMar><w:left w:w="80" w:type="dxa"/>'
            '<w:right w:w="80" w:type="dxa"/></w:tblCellMar></w:tblPr>'
        )
    )


def _footer(section: Any, document: Document) -> None:
    """Page number and number of pages, in the words of the language."""
    words = Phrasebook(document.language).text("page", number="\x01", count="\x02")
    paragraph = section.footer.paragraphs[0]
    paragraph.style.font.size = Pt(9)
    fields = {"\x01": "PAGE", "\x02": "NUMPAGES"}
    text = ""
    for character in f"{printable(document.title)}\t\t{words}":
        if character not in fields:
            text += character
            continue
        paragraph.add_run(text)
        text = ""
        field = f'<w:fldSimple {nsdecls("w")} w:instr="{fields[character]}">'
        paragraph._p.append(parse_xml(f"{field}<w:r><w:t>1</w:t></w:r></w:fldSimple>"))
    paragraph.add_run(text)
