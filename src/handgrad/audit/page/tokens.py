"""The words of a linear formula: numbers, names with their marks, signs."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from handgrad.audit.page.script import Script
from handgrad.audit.printed import Printed

RELATIONS = {"=": "=", "==": "=", ":=": "=", "≈": "≈", "~=": "≈", "≡": "=", "←": "=", "~": "≈"}
SUB, SUP = "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚₓᵤᵥ", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ᵀᵗˡⁿⁱᴸ⁽⁾ᵐ"
_PLAIN = dict(zip(SUB + SUP, "0123456789+-=()aehijklmnopxuv" + "0123456789+-=()TtlniL()m", strict=True))
_LETTER = r"(?:[\u0980-\u09e5\u09f0-\u09ff]|[^\W\d_½¼¾⅓⅔⅛⁰¹²³⁴-⁹⁺-ⁿ₀-ₜᵀᵗᴸᵢ-ᵪˡ])"
_TOKEN = re.compile(
    rf"""(?P<space>\s+)
    |(?P<number>(?:\d{{1,3}}(?:,\d{{3}})+(?!\d)|\d+)(?:\.\d+)?(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?|[½¼¾⅓⅔⅛])
    |(?P<sub>[{SUB}]+)|(?P<sup>[{SUP}]+)
    |(?P<relation>:=|==|~=|=|≈|≡|←)
    |(?P<name>(?:[∂∇]|{_LETTER}(?:{_LETTER}|\d)*))
    |(?P<sign>\*\*|->|.)""",
    re.VERBOSE | re.DOTALL,
)
_GROUPED = re.compile(r"\d{1,3}(,\d{3})+")


class Token(NamedTuple):
    """A word of a formula, and where it begins in its script."""

    kind: str
    """number | sub | sup | relation | name | sign | space."""
    text: str
    start: int
    line: int

    @property
    def end(self) -> int:
        """The place behind its last character."""
        return self.start + len(self.text)


def tokens(script: Script) -> list[Token]:
    """The words of a formula in linear form; brackets hold lists, in which a comma groups no thousands.

    >>> [token.text for token in tokens(Script.of("z₁[0] = 0.05 + .1"))]
    ['z', '₁', '[', '0', ']', ' ', '=', ' ', '0.05', ' ', '+', ' ', '.1']
    """
    found: list[Token] = []
    text, place, depth = script.text, 0, 0
    while match := _TOKEN.match(text, place):
        kind, word = str(match.lastgroup), match[0]
        if kind == "number" and depth and "," in word:
            word = word.partition(",")[0]
        depth += (word in ("[", "(")) - (word in ("]", ")"))
        found.append(Token(kind, word, place, script.line_at(place)))
        place += len(word)
    return found


def plain_marks(text: str) -> str:
    """Raised and lowered letters as plain ones.

    >>> plain_marks("₁₂"), plain_marks("⁻⁵")
    ('12', '-5')
    """
    return "".join(_PLAIN.get(letter, letter) for letter in text)


def printed(text: str) -> Printed | None:
    """A number as it was printed; None for one that is beyond float64.

    >>> printed("0.60")
    Printed(value=0.6, unit=0.01)
    """
    if len(text) == 1 and not text.isdigit():
        return Printed(unicodedata.numeric(text), 0.01)
    try:
        exact = Decimal(text.replace(",", ""))
        exponent = exact.as_tuple().exponent
        value = float(exact)
    except (InvalidOperation, ValueError):
        return None
    if not isinstance(exponent, int) or not -300 < exponent < 300 or value in (float("inf"), float("-inf")):
        return None
    return Printed(value, float(Decimal(1).scaleb(exponent)))
