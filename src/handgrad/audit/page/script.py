"""Text that knows on which line of its page each of its characters stands."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

GAP = "   "
"""Between things of which none goes on in the next."""

_LETTERS = {
    **{chr(zero + n): str(n) for zero in (0x09E6, 0x0966, 0x0660, 0x06F0, 0xFF10) for n in range(10)},
    **dict.fromkeys("\u2212\u2010\u2011\u2012\u2013\uff0d\ufe63", "-"),
    **dict.fromkeys("\u22c5\u2219\u2022\u30fb", "·"),
    **dict.fromkeys("✕✖⨯", "×"),
    **dict.fromkeys("\u2044\u2215", "/"),
    **dict.fromkeys("≃≅≒≐≑∼", "≈"),
    **dict.fromkeys("\u00a0\u2009\u202f\u2002\u2003\u2007\u200a\t", " "),
    **dict.fromkeys("⟹⇒⟶➜➔", "→"),
    **dict.fromkeys("\u03f5ϵ", "ε"),
    **dict.fromkeys("′’ʹ", "'"),
    **dict.fromkeys("ℓ𝓛𝐿", "ℒ"),
    "⨂": "⊗", "⨀": "⊙", "〖": "[", "〗": "]", "：": ":", "＝": "=", "𝛅": "δ", "𝛿": "δ", "ϭ": "σ", "ς": "σ",
}  # fmt: skip
_STYLED = {
    letter: plain
    for letter in (*map(chr, range(0x1D400, 0x1D800)), "\u210e")
    if len(plain := unicodedata.normalize("NFKC", letter)) == 1 and letter not in _LETTERS
}
"""Letters that mathematics has in bold, italic or script: the same letters."""
_LETTERS |= {letter: _LETTERS.get(plain, plain) for letter, plain in _STYLED.items()}
_NOTHING = dict.fromkeys(map(ord, "\u200b\u200c\u200d\ufeff\u2060\ufe0f\u2061\u2062\u2063"))
_COMBINED = re.compile(".[\u0300-\u036f]")


@dataclass(frozen=True, slots=True)
class Script:
    """Characters, and the line of each; lines are counted from 1."""

    text: str
    lines: tuple[int, ...]

    @classmethod
    def of(cls, text: str, line: int = 1) -> Script:
        """Text that begins on a line; each end of a line in it leads to the next.

        >>> Script.of("a\\nb", 7).lines
        (7, 7, 8)
        """
        lines = []
        for letter in text:
            lines.append(line)
            line += letter == "\n"
        return cls(text, tuple(lines))

    @classmethod
    def on(cls, text: str, line: int) -> Script:
        """Text of which all stands on one line."""
        return cls(text, (line,) * len(text))

    @classmethod
    def joined(cls, parts: Iterable[Script]) -> Script:
        """One after another."""
        kept = list(parts)
        return cls("".join(part.text for part in kept), tuple(line for part in kept for line in part.lines))

    def cut(self, start: int, end: int | None = None) -> Script:
        """The characters from `start` to before `end`."""
        return Script(self.text[start:end], self.lines[start:end])

    def line_at(self, place: int) -> int:
        """The line of a character; beyond the end that of the last one."""
        return self.lines[min(place, len(self.lines) - 1)] if self.lines else 1

    def rows(self) -> list[Script]:
        """Line by line, without the ends."""
        found, start = [], 0
        for row in self.text.split("\n"):
            found.append(self.cut(start, start + len(row)))
            start += len(row) + 1
        return found

    def plain(self) -> Script:
        """With letters that mean the same made the same: digits of any script, minus signs, spaces.

        >>> Script.of("০.৪৭ − 1").plain().text
        '0.47 - 1'
        """
        text, lines = self.text, self.lines
        if not text.isascii():
            kept = [
                (_LETTERS.get(letter, letter), line)
                for letter, line in zip(text, lines, strict=True)
                if ord(letter) not in _NOTHING
            ]
            text, lines = "".join(letter for letter, _ in kept), tuple(line for _, line in kept)
            if _COMBINED.search(text):
                return _composed(text, lines)
            return Script(text, lines)
        return Script(text.replace("\t", " "), lines)


def _composed(text: str, lines: tuple[int, ...]) -> Script:
    """Letters with their marks as one where there is one (y and a circumflex)."""
    made: list[tuple[str, int]] = []
    for letter, line in zip(text, lines, strict=True):
        if made and unicodedata.combining(letter):
            whole = unicodedata.normalize("NFC", made[-1][0] + letter)
            # an arrow or a bar over a letter says only that it is a vector
            made[-1] = (whole if len(whole) == 1 else made[-1][0], made[-1][1])
        else:
            made.append((letter, line))
    return Script("".join(letter for letter, _ in made), tuple(line for _, line in made))


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of a page: a heading, running text, lines of code, or mathematics in linear form."""

    kind: str
    """heading | text | code | math."""
    script: Script
    level: int = 0
    """Of a heading."""


@dataclass(frozen=True, slots=True)
class Grid:
    """A table of a page."""

    header: tuple[Script, ...]
    rows: tuple[tuple[Script, ...], ...]
    line: int


Block: TypeAlias = Passage | Grid


@dataclass(frozen=True, slots=True)
class Page:
    """What was read of a page: its name, its own lines for quoting, its blocks in order.

    `cells` has the first line of each cell of a notebook, nothing for other pages.
    """

    name: str
    source: tuple[str, ...]
    blocks: tuple[Block, ...]
    cells: tuple[int, ...] = ()

    def quoted(self, line: int) -> str:
        """A line as it stands on the page."""
        return self.source[line - 1].strip() if 1 <= line <= len(self.source) else ""

    def place(self, line: int) -> tuple[int | None, int]:
        """The cell (from 1; None for a page without cells) and the line in it."""
        before = [start for start in self.cells if start <= line]
        return (len(before), line - before[-1] + 1) if before else (None, line)
