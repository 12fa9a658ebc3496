"""The smallest things that are set: a number from its text, a sub- or superscript, the base of a symbol."""

from __future__ import annotations

import re

from handgrad.render.math import boxes
from handgrad.render.math.boxes import Box, Operator, row
from handgrad.writing.letter_parts import NAME, Written

_PLAIN = re.compile(r"[0-9০-৯]+(?:[.,][0-9০-৯]+)?")
_SCIENTIFIC = re.compile(
    r"(?P<mantissa>[\d.,]+)\s*(?:[eE](?P<e>[+-]?\d+)|×\s*10(?P<power>[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+))|10(?P<bare>[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)"
)
_LOWER = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
_SCRIPT = re.compile(rf"{NAME[0]}[^{NAME[1]}]*{NAME[1]}|\d+|[^\W\d_]+|\S")


def digits(text: str) -> Box:
    """A number from its text: a sign, digits, perhaps a power of ten; blanks and words as they are."""
    if text.startswith("-"):
        return row(Operator("negative"), digits(text[1:]))
    if _PLAIN.fullmatch(text):
        return boxes.Digits(text)
    scientific = _SCIENTIFIC.fullmatch(text)
    if scientific:
        mantissa = scientific["mantissa"]
        exponent = (scientific["e"] or scientific["power"] or scientific["bare"]).translate(_LOWER)
        power = boxes.Scripts(boxes.Digits("10"), above=digits(str(int(exponent))))
        return row(boxes.Digits(mantissa), Operator("times"), power) if mantissa else power
    if text and not text.strip("_"):
        return boxes.Blank(len(text))
    return boxes.Letter(text, upright=True) if text == "∞" else boxes.Text(text)


def script(text: str) -> Box | None:
    """A sub- or superscript from its text: digits, single letters, words, commas, brackets, signs, names."""
    parts: list[Box] = []
    for token in _SCRIPT.findall(text):
        if token[0] == NAME[0]:
            parts.append(boxes.Text(token[1:-1]))
        elif token.isdigit():
            parts.append(boxes.Digits(token))
        elif token.isalpha():
            parts.append(boxes.Letter(token, upright=len(token) > 1))
        elif token in _SCRIPT_SIGNS:
            parts.append(Operator(_SCRIPT_SIGNS[token]))
        else:
            parts.append(boxes.Letter(token, upright=True))
    return row(*parts) if parts else None


_SCRIPT_SIGNS = {",": "comma", "\u2212": "-", "-": "-", "+": "+"}


def named(name: Written) -> Box:
    """The base of a symbol, with its accent, without its scripts."""
    if name.upright:
        base: Box = boxes.Letter(name.base, upright=True)
    else:
        base = row(*(boxes.Letter(character, name.bold, not character.isalpha()) for character in name.base))
    return boxes.Accent(base, name.accent) if name.accent else base


def with_scripts(base: Box, below: Box | None, above: Box | None) -> Box:
    """The base with what there is of a sub- and a superscript."""
    return boxes.Scripts(base, below, above) if below is not None or above is not None else base
