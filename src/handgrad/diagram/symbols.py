"""A symbol of the calculation as pieces of text in a picture: base, subscript, superscript side by side."""

from __future__ import annotations

from handgrad.diagram.shapes import MATHEMATICS, Text, text_width
from handgrad.writing.letter_parts import Written

SCRIPT = 0.7
_ACCENTS = {"": "", "hat": "\u0302", "tilde": "\u0303", "bar": "\u0304"}
_COMPOSED = {"y\u0302": "\u0177", "z\u0302": "\u1e91"}


def symbol_text(written: Written, x: float, y: float, size: float, fill: str) -> tuple[Text, ...]:
    """The symbol centred at x with its baseline at y."""
    base = written.base + _ACCENTS[written.accent]
    base = _COMPOSED.get(base, base)
    script = size * SCRIPT
    base_width = text_width(written.base, size)
    script_width = max(text_width(written.subscript, script), text_width(written.superscript, script))
    left = x - (base_width + script_width + text_width(written.suffix, size)) / 2
    pieces = (
        (base, left, y, size, not written.upright),
        (written.superscript, left + base_width, y - size * 0.5, script, False),
        (written.subscript, left + base_width, y + size * 0.28, script, False),
        (written.suffix, left + base_width + script_width, y, size, False),
    )
    return tuple(
        Text(at, height, text, points, fill, "start", italic=italic, family=MATHEMATICS)
        for text, at, height, points, italic in pieces
        if text
    )


def figure_text(value: float, digits: int, decimal: str = ".") -> str:
    """`value` to `digits` significant digits, with a true minus sign.

    >>> figure_text(-0.12345, 3)
    '−0.123'
    >>> figure_text(1.5e-7, 2, ",")
    '1,5e−7'
    """
    # a thousand is read more easily than a power of ten
    text = f"{value:.0f}" if 10**digits <= abs(value) < 1e6 else f"{value:.{digits}g}"
    if "e" in text:
        mantissa, exponent = text.split("e")
        text = f"{mantissa}e{int(exponent)}"
    return text.replace("-", "\u2212").replace(".", decimal)
