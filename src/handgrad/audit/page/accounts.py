"""What became of each number on a page: nothing is passed over in silence."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from enum import Enum
from typing import NamedTuple

from handgrad.audit.page.chains import Line
from handgrad.audit.page.tokens import Token


class Fate(Enum):
    """What a number on a page was taken for."""

    CLAIM = "claim"
    """What a quantity is said to be: judged."""
    GIVEN = "given"
    """Data, a weight, the learning rate: compared with the case."""
    TERM = "term"
    """Within a calculation in numbers: its arithmetic was checked."""
    CONSTANT = "constant"
    """Within a formula, such as the 1 of 1 - a."""
    SCALE = "scale"
    """One of many that climb by equal steps, line by line, in no equation: the marks of a scale."""
    WORD = "word"
    """A whole number in running text, a size, a label."""
    UNPLACED = "unplaced"
    """Nothing says what it is."""


PLACED = (Fate.CLAIM, Fate.GIVEN, Fate.TERM, Fate.CONSTANT)


class Accounted(NamedTuple):
    """A number of the page, and its fate."""

    line: int
    text: str
    fate: Fate
    row: int
    start: int


_OPENING, _CLOSING = ("(", "[", "{"), (")", "]", "}")
_SHAPE = re.compile(r"\d+\s*[×x]\s*(?:\d+|[nmkdh]\b)|\b[nmkdh]\s*[×x]\s*\d+|\(\s*\d+\s*,\s*\d+\s*\)")


class Account:
    """The numbers of some lines, each with its fate; a number that is part of a name is none."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self._found: dict[tuple[int, int], Accounted] = {}
        for line in lines:
            shapes = [match.span() for match in _SHAPE.finditer(line.script.text)]
            for place, word in enumerate(line.words):
                if word.kind != "number" or _is_mark(line.words, place):
                    continue
                sized = any(a <= word.start < b for a, b in shapes)
                plain = sized or "." not in word.text or _is_ordinal(line.words, place)
                fate = Fate.WORD if plain else Fate.UNPLACED
                self._found[line.number, word.start] = Accounted(
                    word.line, word.text, fate, line.number, word.start
                )

    @classmethod
    def holding(cls, numbers: Iterable[Accounted]) -> Account:
        """Of numbers whose fates are known."""
        account = cls(())
        account._found = {(one.row, one.start): one for one in numbers}
        return account

    def set(self, row: int, start: int, fate: Fate) -> None:
        """The number there has this fate; what was placed stays so."""
        held = self._found.get((row, start))
        if held is None or (held.fate in PLACED and fate not in PLACED):
            return
        if held.fate is Fate.CLAIM and fate is not Fate.CLAIM:
            return
        self._found[row, start] = held._replace(fate=fate)

    @property
    def numbers(self) -> tuple[Accounted, ...]:
        """All in the order of the page."""
        return tuple(sorted(self._found.values(), key=lambda one: (one.row, one.start)))

    @property
    def counts(self) -> dict[str, int]:
        """How many have each fate."""
        found = Counter(one.fate for one in self._found.values())
        return {fate.value: found[fate] for fate in Fate if found[fate]}

    @property
    def unplaced(self) -> tuple[Accounted, ...]:
        """Those of which nothing says what they are."""
        return tuple(one for one in self.numbers if one.fate is Fate.UNPLACED)

    @property
    def found_any(self) -> bool:
        """True where a number was placed."""
        return any(one.fate in PLACED for one in self._found.values())

    @property
    def share(self) -> float:
        """The placed ones among all that belong to a calculation."""
        placed = sum(one.fate in PLACED for one in self._found.values())
        all_of_them = placed + len(self.unplaced)
        return placed / all_of_them if all_of_them else 1.0


def _is_mark(words: Sequence[Token], place: int) -> bool:
    """True for a number that belongs to a name: raised, lowered, or counting its entries."""
    before = words[place - 1] if place else None
    if before is not None and before.text in ("_", "^"):
        return words[place].text.isdigit()
    depth = 0
    for at in range(place - 1, max(-1, place - 12), -1):
        text = words[at].text
        depth += (text in _CLOSING) - (text in _OPENING)
        if depth >= 0:
            continue
        depth = 0  # what follows stands in this bracket
        behind = words[at - 1] if at else None
        if behind is None:
            return False
        if behind.text in ("_", "^"):
            return not any("." in word.text for word in words[at : place + 1])
        if text == "[" and (behind.kind in ("name", "sub", "sup") or behind.text in ("]", "}")):
            return "." not in words[place].text
        if behind.text != "{":
            return False
    return False


def _is_ordinal(words: Sequence[Token], place: int) -> bool:
    """True for 1.2 at the head of a line, before words: a heading's number."""
    before = [word for word in words[:place] if word.kind != "space"]
    follows = [word for word in words[place + 1 :] if word.kind != "space"]
    return (
        not before
        and bool(follows)
        and follows[0].kind == "name"
        and words[place].text.count(".") == 1
        and len(words[place].text) <= 4
    )
