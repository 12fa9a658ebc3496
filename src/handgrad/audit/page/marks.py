"""Names with their marks, read off a list of words: what is raised, lowered, in brackets."""

from __future__ import annotations

from collections.abc import Sequence

from handgrad.audit.page.formula_trees import Name
from handgrad.audit.page.tokens import Token, plain_marks

FUNCTION_LETTERS = ("max", "min", "log", "ln", "exp", "tanh")


class Words:
    """A place in a list of words, and what can be seen from it."""

    def __init__(self, words: Sequence[Token], running: bool = False) -> None:
        self.words, self.running = words, running
        self.place = 0
        self._depth = 0
        self._spaced = False

    def _word(self, place: int) -> Token | None:
        return self.words[place] if 0 <= place < len(self.words) else None

    def _text(self, place: int) -> str:
        word = self._word(place)
        return "" if word is None else word.text

    def _behind_space(self, widest: int = 2) -> int:
        """The place of the next word, if no more than so many spaces stand before it."""
        word = self._word(self.place)
        if word is None or word.kind != "space":
            return self.place
        inside = self._depth and not self._spaced  # within brackets a gap ends nothing
        if "\n" in word.text and not inside:
            return len(self.words)
        return self.place + 1 if inside or len(word.text) <= widest else len(self.words)

    def _grouped_mark(self) -> str:
        """The text of a raised or lowered mark: what is in its braces or brackets, else one word."""
        word = self._word(self.place)
        if word is None:
            return ""
        closing = {"{": "}", "[": "]", "(": ")"}.get(word.text)
        if closing is None:
            self.place += 1
            text = word.text
            if text in ("-", "+") and self._word(self.place) is not None:
                text += self._text(self.place)
                self.place += 1
            return text
        depth, begin = 0, self.place
        while (word := self._word(self.place)) is not None:
            depth += (word.text == self._text(begin)) - (word.text == closing)
            self.place += 1
            if not depth:
                break
        inner = "".join(token.text for token in self.words[begin + 1 : self.place - 1])
        return inner if closing == "}" else f"{self._text(begin)}{inner}{closing}"

    def _name(self) -> Name | None:
        word = self._word(self.place)
        if word is None or word.kind != "name":
            return None
        lowered: list[str] = []
        raised: list[str] = []
        entries: list[str] = []
        primes = 0
        self.place += 1
        while (mark := self._word(self.place)) is not None:
            if mark.kind == "sub":
                lowered.append(plain_marks(mark.text))
                self.place += 1
            elif mark.kind == "sup":
                raised.append(plain_marks(mark.text))
                self.place += 1
            elif mark.text in ("_", "^", "**"):
                self.place += 1
                (lowered if mark.text == "_" else raised).append(self._grouped_mark())
            elif mark.text == "[" and not (self._spaced or word.text in FUNCTION_LETTERS):
                entries.append(self._grouped_mark()[1:-1])
            elif mark.text == "'":
                primes += 1
                self.place += 1
            elif mark.text == "." and self._text(self.place + 1) == "T":
                raised.append("T")
                self.place += 2
            else:
                break
        return Name(word.text, tuple(lowered), tuple(raised), tuple(entries), primes, word.start, word.line)

    def _calculates(self, at: int) -> bool:
        """True for parentheses that hold a calculation; others hold a remark."""
        inside: list[str] = []
        for word in self.words[at + 1 :]:
            if word.text == ")":
                break
            inside.append(word.text)
        return any(text in ("+", "-") for text in inside)

    def _is_spaced(self) -> bool:
        """True for a list whose numbers have only spaces between them."""
        depth = 0
        for word in self.words[self.place :]:
            depth += (word.text in ("[", "(", "{")) - (word.text in ("]", ")", "}"))
            if not depth:
                return True
            if depth == 1 and word.text == ",":
                return False
        return True

    def _skip_arguments(self) -> None:
        depth = 0
        for place in range(self.place, len(self.words)):
            depth += (self.words[place].text == "(") - (self.words[place].text == ")")
            if self.words[place].kind == "number":
                return
            if not depth:
                self.place = place + 1
                return
