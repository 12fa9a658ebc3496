"""Mathematics as MathML Core, which browsers show without a script.

What MathML Core leaves to CSS (the alignment of columns, the fonts) is in page.css.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any
from xml.sax.saxutils import escape

from handgrad.diagram.palette import kind_of
from handgrad.errors import RenderError
from handgrad.render.document import Formula
from handgrad.render.math import boxes
from handgrad.render.math.aligned import LIMIT, Piece, pieces
from handgrad.render.math.boxes import Box, tall, width
from handgrad.render.math.line_breaks import loose
from handgrad.render.math.typeset import Style, typeset
from handgrad.worked.expressions import Expression
from handgrad.writing.letter_parts import Notation

_BOLD_ITALIC = {
    **{chr(ord("A") + i): chr(0x1D468 + i) for i in range(26)},
    **{chr(ord("a") + i): chr(0x1D482 + i) for i in range(26)},
    **{chr(0x3B1 + i): chr(0x1D736 + i) for i in range(25)},
    "Ω": "\U0001d734",
    "Φ": "\U0001d731",
}
"""MathML Core has no bold of its own: the letters are characters."""

# italic shapes that are usual on paper, where the plain character of many fonts is the other one
_SHAPES = {"φ": "\u03d5", "ε": "\u03f5"}
_ACCENTS = {"hat": "^", "tilde": "~", "bar": "\u00af"}
_STRETCHY_BRACE = "\u23df"


NARROW = 17.0
"""Where it can be broken, mathematics is not wider than this on a narrow page, in em."""


def mathml(tree: Expression, notation: Notation, language: str = "en") -> str:
    """An expression as a `math` element within the line.

    >>> from handgrad.worked.expressions import Symbol
    >>> mathml(Symbol("m"), Notation())
    '<math><mi>m</mi></math>'

    Raises RenderError for a node that has no rule and for a number that was not rounded for display.
    """
    return inline_mathml(tree, Style(notation, language))


def inline_mathml(tree: Expression, style: Style) -> str:
    """An expression within a line, in a style that the caller has."""
    return f"<math>{box_mathml(typeset(tree, style))}</math>"


def formula_mathml(formula: Formula, style: Style) -> tuple[str, str]:
    """The target and the forms of a formula: a `math` element for each piece, which flow as words do.

    Letters that do not share a line with all the numbers end theirs.
    """
    target = typeset(formula.target, style)
    room = max(LIMIT - width(target), LIMIT / 2)
    found = pieces(formula, style, room)
    one_line = sum(width(piece.body) + 1.3 for piece in found) <= room
    written = ""
    for before, piece in pairwise((None, *found)):
        assert piece is not None
        turn = before is not None and before.letters and not piece.letters and not one_line
        written += "<br>" if turn else " " if written else ""
        written += _piece(piece)
    return f"<math{_DISPLAY}>{box_mathml(target)}</math>", written


_DISPLAY = ' displaystyle="true"'


def _piece(piece: Piece) -> str:
    """The form with its sign, in parts between which a narrow page may end a line."""
    kind = ' class="letters"' if piece.letters else ""
    # the first thing in its element, so the form has to be told for the space on both sides
    sign = _infix(boxes.OPERATORS[piece.sign].character) if piece.sign else ""
    first, *others = loose(piece.body, NARROW)
    parts = [f"{sign}{_side_by_side(first)}", *map(_side_by_side, others)]
    return " ".join(f"<math{kind}{_DISPLAY}>{part}</math>" for part in parts)


def _infix(character: str) -> str:
    return f'<mo form="infix">{escape(character)}</mo>'


def box_mathml(box: Box) -> str:
    """A box as a MathML element.

    Raises RenderError for a kind of box without a rule.
    """
    rule = RULES.get(type(box))
    if rule is None:
        raise RenderError(
            f"no rule to write {type(box).__name__} as MathML; add one to RULES in render/html/mathml.py"
        )
    return rule(box)


def _row(box: boxes.Row) -> str:
    if all(isinstance(item, boxes.Digits) or item in _BRACKETS for item in box.items):
        return f"<mtext>{''.join(_plain(item) for item in box.items)}</mtext>"
    return f"<mrow>{_side_by_side(box)}</mrow>"


_BRACKETS = tuple(boxes.Letter(mark, upright=True) for mark in "[]()")


def _plain(box: Box) -> str:
    """The text of digits and brackets, such as the index of a layer."""
    return box.text if isinstance(box, boxes.Digits | boxes.Letter) else ""


def _side_by_side(box: Box) -> str:
    """The items of a row without an element around them: for places that are a row by themselves."""
    first, *others = boxes.items(box)
    written = _first(first) if isinstance(first, boxes.Operator) else box_mathml(first)
    before = first
    for item in others:
        if _is_name(item) and before == boxes.Operator("beside"):
            # a thin space, so that y ln x does not read as yln x
            written += '<mspace width="0.17em"/>'
        written += box_mathml(item)
        before = item
    return written


def _first(sign: boxes.Operator) -> str:
    """A sign that begins a row: a browser takes it for a prefix, which only a leading minus is."""
    known = boxes.OPERATORS[sign.name]
    if sign.name == "negative":
        return f"<mo>{known.character}</mo>"
    return _infix(known.character) if known.character and known.breaks is not None else _operator(sign)


def _is_name(box: Box) -> bool:
    """The name of a function in several letters, perhaps with scripts."""
    base = box.base if isinstance(box, boxes.Scripts) else box
    return isinstance(base, boxes.Letter) and base.upright and len(base.text) > 1


def _letter(box: boxes.Letter) -> str:
    text = box.text
    if not text.replace("′", "").isalnum() and text != "∞":
        return f'<mo stretchy="false" lspace="0" rspace="0">{escape(text)}</mo>'
    if set(text) == {"′"}:
        return f"<mo>{text}</mo>"
    if box.bold and box.upright:
        return f'<mi mathvariant="normal">{"".join(_bold_digit(c) for c in text)}</mi>'
    if box.bold:
        return f"<mi>{''.join(_BOLD_ITALIC.get(c, c) for c in text)}</mi>"
    upright = ' mathvariant="normal"' if box.upright and len(text) == 1 else ""
    return f"<mi{upright}>{escape(_SHAPES.get(text, text))}</mi>"


def _bold_digit(character: str) -> str:
    return chr(0x1D7CE + int(character)) if character.isdigit() else _BOLD_ITALIC.get(character, character)


def _quantity(box: boxes.Quantity) -> str:
    """The letter with the name of its quantity, by which the page colours it and finds where it is from."""
    kind = kind_of(box.name)
    entry = f' data-entry="{escape(box.entry)}"' if box.entry else ""
    colour = f' class="q-{kind}"' if kind else ""
    return f'<mrow{colour} data-q="{escape(box.name)}"{entry}>{box_mathml(box.body)}</mrow>'


_SIGNS = {
    # nothing to see, something to say aloud: invisible times, application of a function
    "beside": "<mo>\u2062</mo>",
    "apply": "<mo>\u2061</mo>",
    "negative": '<mo form="prefix">\u2212</mo>',
    "partial": '<mi mathvariant="normal">\u2202</mi>',
    "transpose": '<mi mathvariant="normal">\u22a4</mi>',
}
"""Signs that are not plain operators."""


def _operator(box: boxes.Operator) -> str:
    return _SIGNS.get(box.name) or f"<mo>{escape(boxes.OPERATORS[box.name].character)}</mo>"


def _fence(box: boxes.Fence) -> str:
    # a delimiter that need not grow stays plain: browsers set grown ones with more space around them
    grows = "" if tall(box.body) else ' stretchy="false"'
    return f"<mrow><mo{grows}>{box.left}</mo>{box_mathml(box.body)}<mo{grows}>{box.right}</mo></mrow>"


def _stack(box: boxes.Stack) -> str:
    rows = "".join(f"<mtr><mtd>{_side_by_side(line)}</mtd></mtr>" for line in box.lines)
    return f'<mtable class="stack" displaystyle="true">{rows}</mtable>'


def _scripts(box: boxes.Scripts) -> str:
    base = box_mathml(box.base)
    if box.below is not None and box.above is not None:
        return f"<msubsup>{base}{box_mathml(box.below)}{box_mathml(box.above)}</msubsup>"
    if box.below is not None:
        return f"<msub>{base}{box_mathml(box.below)}</msub>"
    return base if box.above is None else f"<msup>{base}{box_mathml(box.above)}</msup>"


def _series(box: boxes.Series) -> str:
    sign = "<mo>\u2211</mo>"
    if box.below is not None and box.above is not None:
        return f"<munderover>{sign}{box_mathml(box.below)}{box_mathml(box.above)}</munderover>"
    if box.below is not None:
        return f"<munder>{sign}{box_mathml(box.below)}</munder>"
    return sign if box.above is None else f"<mover>{sign}{box_mathml(box.above)}</mover>"


def _accent(box: boxes.Accent) -> str:
    mark = f'<mo stretchy="false">{_ACCENTS[box.accent]}</mo>'
    return f'<mover accent="true">{box_mathml(box.base)}{mark}</mover>'


def _brace(box: boxes.Brace) -> str:
    braced = f'<munder>{box_mathml(box.body)}<mo stretchy="true">{_STRETCHY_BRACE}</mo></munder>'
    # the space keeps the labels of neighbours apart
    space = '<mspace width="0.4em"/>'
    label = f'<mrow>{space}<mtext class="label">{escape(box.label)}</mtext>{space}</mrow>'
    return f"<munder>{braced}{label}</munder>"


def _array(box: boxes.Array) -> str:
    kind = "matrix" if box.left == "[" else "cases"
    if kind == "matrix" and all(_is_number(cell) for line in box.rows for cell in line):
        kind = "matrix numbers"
    rows = "".join(
        f"<mtr>{''.join(f'<mtd>{_side_by_side(cell)}</mtd>' for cell in line)}</mtr>" for line in box.rows
    )
    right = f"<mo>{box.right}</mo>" if box.right else ""
    table = f'<mtable class="{kind}">{rows}</mtable>'
    if box.left == "[":
        # within a fraction, too, the numbers keep their size
        table = f'<mstyle displaystyle="false" scriptlevel="0">{table}</mstyle>'
    matrix = f"<mrow><mo>{box.left}</mo>{table}{right}</mrow>"
    if box.shape is None:
        return matrix
    shape = f"<mrow><mn>{box.shape[0]}</mn><mo>\u00d7</mo><mn>{box.shape[1]}</mn></mrow>"
    return f"<munder>{matrix}{shape}</munder>"


def _is_number(box: Box) -> bool:
    """A number, or the dots that stand for some."""
    match boxes.items(box):
        case (boxes.Digits(),) | (boxes.Operator("negative"), boxes.Digits()):
            return True
        case (boxes.Operator("horizontal" | "vertical" | "diagonal"),):
            return True
        case (*number, boxes.Phantom()):
            return _is_number(boxes.row(*number))
    return False


RULES: dict[type[Box], Callable[[Any], str]] = {
    boxes.Row: _row,
    boxes.Letter: _letter,
    boxes.Quantity: _quantity,
    boxes.Digits: lambda box: f"<mn>{escape(box.text)}</mn>",
    boxes.Text: lambda box: f'<mtext class="label">{escape(box.text)}</mtext>',
    boxes.Blank: lambda box: f'<mspace class="blank" width="{0.5 * box.width:g}em" height="0.8em"/>',
    boxes.Phantom: lambda box: f"<mphantom>{_side_by_side(box.body)}</mphantom>",
    boxes.Operator: _operator,
    boxes.Fence: _fence,
    boxes.Stack: _stack,
    boxes.Fraction: lambda box: f"<mfrac>{box_mathml(box.top)}{box_mathml(box.bottom)}</mfrac>",
    boxes.Radical: lambda box: f"<msqrt>{_side_by_side(box.body)}</msqrt>",
    boxes.Scripts: _scripts,
    boxes.Series: _series,
    boxes.Accent: _accent,
    boxes.Brace: _brace,
    boxes.Array: _array,
}
"""How each kind of box is written; a test holds the table to `boxes.BOXES`."""
