"""Mathematics as Word's own equations: Office Math Markup, ECMA-376 part 1, section 22.1."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from handgrad.diagram.palette import PALETTE, kind_of
from handgrad.errors import RenderError
from handgrad.render.math.boxes import (
    OPERATORS,
    Accent,
    Array,
    Blank,
    Box,
    Brace,
    Digits,
    Fence,
    Fraction,
    Letter,
    Operator,
    Phantom,
    Quantity,
    Radical,
    Row,
    Scripts,
    Series,
    Stack,
    Text,
)
from handgrad.writing.scripts import SCRIPTS

NAMESPACES = (
    'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math" '
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
)
COMPLEX_FONT = "Nirmala UI"
"""The font for letters of other scripts: Windows has it, and elsewhere one that has the letters is taken."""
_FONT = '<w:rPr><w:rFonts w:ascii="Cambria Math" w:hAnsi="Cambria Math"/></w:rPr>'
_ACCENTS = {"hat": "\u0302", "tilde": "\u0303", "bar": "\u0304"}
_ENDS_SUM = ("+", "-", "=", "<", ">", "<=", ">=", "!=", "~", ":=")


def omml(box: Box) -> str:
    """The box as the inside of an `m:oMath`.

    >>> print(omml(Digits("2")).split("</w:rPr>")[1])
    <m:t xml:space="preserve">2</m:t></m:r>

    Raises RenderError for a kind of box without a rule.
    """
    rule = RULES.get(type(box))
    if rule is None:
        raise RenderError(
            f"Word has no rule for {type(box).__name__}; add one to RULES in render/word/omml.py"
        )
    return rule(box)


def equation(inner: str) -> str:
    """An equation within a line of text."""
    return f"<m:oMath>{inner}</m:oMath>"


def display(inner: str) -> str:
    """An equation on a line of its own, set left."""
    properties = '<m:oMathParaPr><m:jc m:val="left"/></m:oMathParaPr>'
    return f"<m:oMathPara>{properties}<m:oMath>{inner}</m:oMath></m:oMathPara>"


def begun(inner: str) -> str:
    """A line that begins with a sign: before it stands a blank of no width, as its left side."""
    return _words("\u200b") + inner


def space(ems: int) -> str:
    """Blanks of so many em within an equation."""
    return _words("\u2003" * ems)


def printable(text: str) -> str:
    """The text without the characters that XML cannot hold."""
    return "".join(character for character in text if character.isprintable() or character in " \u00a0\u200b")


def xml_text(text: str) -> str:
    """Text between tags."""
    return escape(printable(text))


def names_apart(box: Box, names: list[str]) -> Box:
    """The box with words of another script replaced by (1), (2), ...; `names` takes up the words.

    Equations shape Latin words alone: letters that join or change places come out wrong in them.

    >>> names: list[str] = []
    >>> names_apart(Brace(Digits("2"), "ওজন"), names).label, names
    ('(1)', ['ওজন'])
    """
    if isinstance(box, Brace) and _complex(box.label):
        return Brace(names_apart(box.body, names), _mark(box.label, names))
    if isinstance(box, Text) and _complex(box.text):
        return Text(_mark(box.text, names))
    slots: tuple[str, ...] = box.__slots__
    changes = {slot: _names_apart_in(getattr(box, slot), names) for slot in slots}
    return dataclasses.replace(box, **changes)


def _names_apart_in(held: Any, names: list[str]) -> Any:
    if isinstance(held, Box):
        return names_apart(held, names)
    return tuple(_names_apart_in(item, names) for item in held) if isinstance(held, tuple) else held


def _complex(text: str) -> bool:
    return any(script.occurs_in(text) for script in SCRIPTS)


def _mark(name: str, names: list[str]) -> str:
    if name not in names:
        names.append(name)
    return f"({names.index(name) + 1})"


def _run(text: str, style: str = "") -> str:
    """A run of mathematics; style p is upright, b bold, bi bold and italic."""
    properties = f'<m:rPr><m:sty m:val="{style}"/></m:rPr>' if style else ""
    return f'<m:r>{properties}{_FONT}<m:t xml:space="preserve">{xml_text(text)}</m:t></m:r>'


def _words(text: str) -> str:
    """Words within mathematics, in the font and language of the text."""
    script = next((script for script in SCRIPTS if script.occurs_in(text)), None)
    language = f'<w:lang w:bidi="{script.language}"/>' if script is not None else ""
    fonts = f'<w:rFonts w:ascii="Cambria Math" w:hAnsi="Cambria Math" w:cs="{COMPLEX_FONT}"/>'
    described = f"<w:rPr>{fonts}{language}</w:rPr>"
    return f'<m:r><m:rPr><m:nor/></m:rPr>{described}<m:t xml:space="preserve">{xml_text(text)}</m:t></m:r>'


def _row(box: Row) -> str:
    written, parts = [], list(box.items)
    while parts:
        part = parts.pop(0)
        if isinstance(part, Series):
            body = _body_of_sum(parts)
            written.append(_series(part, Row(tuple(body))))
            del parts[: len(body)]
        else:
            written.append(omml(part))
    return "".join(written)


def _body_of_sum(parts: list[Box]) -> list[Box]:
    """What a sum adds up: everything to the next + or -."""
    for place, part in enumerate(parts):
        if isinstance(part, Operator) and part.name in _ENDS_SUM:
            return parts[:place]
    return list(parts)


def _quantity(box: Quantity) -> str:
    """The letter in the colour of its kind."""
    kind, body = kind_of(box.name), omml(box.body)
    return _FONTS.sub(rf'\1<w:color w:val="{PALETTE[kind].light[1:].upper()}"/>', body) if kind else body


_FONTS = re.compile(r"(<w:rFonts [^>]*/>)")


def _letter(box: Letter) -> str:
    if box.upright and len(box.text) > 1 and not box.bold:
        return _words(box.text)  # a name, not a product of letters
    variable = not box.upright and box.text.isalpha()
    styles = {(True, True): "bi", (True, False): "b", (False, False): "p"}
    return _run(box.text, styles.get((box.bold, variable), ""))


def _operator(box: Operator) -> str:
    character = OPERATORS[box.name].character
    return _run(character) if character else ""


def _element(name: str, box: Box | None) -> str:
    return f"<m:{name}>{'' if box is None else omml(box)}</m:{name}>"


def _delimited(left: str, inner: str, right: str) -> str:
    signs = f"<m:begChr m:val={quoteattr(left)}/><m:endChr m:val={quoteattr(right)}/>"
    return f"<m:d><m:dPr>{signs}</m:dPr><m:e>{inner}</m:e></m:d>"


def _radical(box: Radical) -> str:
    return f'<m:rad><m:radPr><m:degHide m:val="1"/></m:radPr><m:deg/>{_element("e", box.body)}</m:rad>'


def _scripts(box: Scripts) -> str:
    below = "" if box.below is None else _element("sub", box.below)
    above = "" if box.above is None else _element("sup", box.above)
    name = {(True, True): "sSubSup", (True, False): "sSub", (False, True): "sSup"}.get(
        (bool(below), bool(above))
    )
    if name is None:
        return omml(box.base)
    return f"<m:{name}>{_element('e', box.base)}{below}{above}</m:{name}>"


def _series(box: Series, body: Box = Row(())) -> str:  # noqa: B008 - a row without items is a constant
    hide = "".join(
        f'<m:{name} m:val="1"/>'
        for name, part in (("subHide", box.below), ("supHide", box.above))
        if part is None
    )
    properties = f'<m:naryPr><m:chr m:val="∑"/><m:limLoc m:val="undOvr"/>{hide}</m:naryPr>'
    limits = _element("sub", box.below) + _element("sup", box.above)
    return f"<m:nary>{properties}{limits}{_element('e', body)}</m:nary>"


def _accent(box: Accent) -> str:
    properties = f'<m:accPr><m:chr m:val="{_ACCENTS[box.accent]}"/></m:accPr>'
    return f"<m:acc>{properties}{_element('e', box.base)}</m:acc>"


def _brace(box: Brace) -> str:
    properties = '<m:groupChrPr><m:chr m:val="⏟"/><m:pos m:val="bot"/><m:vertJc m:val="top"/></m:groupChrPr>'
    braced = f"<m:groupChr>{properties}{_element('e', box.body)}</m:groupChr>"
    return f"<m:limLow><m:e>{braced}</m:e><m:lim>{_words(box.label)}</m:lim></m:limLow>"


def _stack(box: Stack) -> str:
    column = '<m:mcPr><m:count m:val="1"/><m:mcJc m:val="left"/></m:mcPr>'
    rows = "".join(f"<m:mr>{_element('e', line)}</m:mr>" for line in box.lines)
    return f"<m:m><m:mPr><m:mcs><m:mc>{column}</m:mc></m:mcs></m:mPr>{rows}</m:m>"


def _array(box: Array) -> str:
    side = "right" if box.left == "[" else "left"
    column = f'<m:mcPr><m:count m:val="{len(box.rows[0])}"/><m:mcJc m:val="{side}"/></m:mcPr>'
    rows = "".join(f"<m:mr>{''.join(_element('e', cell) for cell in row)}</m:mr>" for row in box.rows)
    matrix = f"<m:m><m:mPr><m:mcs><m:mc>{column}</m:mc></m:mcs></m:mPr>{rows}</m:m>"
    source = _delimited(box.left, matrix, box.right)
    if box.shape is None:
        return source
    shape = _run(f"{box.shape[0]}×{box.shape[1]}")
    return f"<m:sSub><m:e>{source}</m:e><m:sub>{shape}</m:sub></m:sSub>"


RULES: dict[type[Box], Callable[[Any], str]] = {
    Row: _row,
    Letter: _letter,
    Quantity: _quantity,
    Digits: lambda box: _run(box.text),
    Text: lambda box: _words(box.text),
    Blank: lambda box: _words("_" * box.width),
    Phantom: lambda box: (
        f'<m:phant><m:phantPr><m:show m:val="0"/></m:phantPr>{_element("e", box.body)}</m:phant>'
    ),
    Operator: _operator,
    Fence: lambda box: _delimited(box.left, omml(box.body), box.right),
    Stack: _stack,
    Fraction: lambda box: f"<m:f>{_element('num', box.top)}{_element('den', box.bottom)}</m:f>",
    Radical: _radical,
    Scripts: _scripts,
    Series: _series,
    Accent: _accent,
    Brace: _brace,
    Array: _array,
}
"""How each kind of box is written; a test holds the table to `boxes.BOXES`."""
