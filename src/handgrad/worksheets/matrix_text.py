"""A matrix calculation written as text: `[1 2; 3 4] . [5; 6]`, read into a tree.

sum      = product { ("+" | "-") product }
product  = prefix { ("." | "*" | "⊙" | "⊗" and their other spellings) prefix }
prefix   = [ "-" ] postfix
postfix  = atom { "'" }
atom     = number | "[" rows "]" | "(" sum ")" | function "(" sum ")"
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from handgrad.errors import SpecificationError
from handgrad.nn.activations import ACTIVATIONS
from handgrad.worked.expressions import (
    Apply,
    Expression,
    Hadamard,
    MatMul,
    Matrix,
    Negative,
    Number,
    Outer,
    Sum,
    Times,
    Transpose,
)

FUNCTIONS = (*(name for name, rule in ACTIVATIONS.items() if rule.alpha is None), "exp", "ln", "abs", "sign")
"""Functions that a calculation may apply, entry by entry (softmax down each column)."""

SPELLINGS = {
    "·": ".",
    "@": ".",
    "×": "*",
    "o": "⊙",
    ".*": "⊙",
    "(x)": "⊗",
    "outer": "⊗",
    "^T": "'",
    "ᵀ": "'",
    "⊤": "'",
    "\u2212": "-",
}
"""Other ways to write an operator."""

_NUMBER = r"\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?"
_TOKEN = re.compile(
    rf"\s*(?:(?P<matrix>\[[^()]*?\](?!\s*[;,\]]))|(?P<number>{_NUMBER})"
    r"|(?P<operator>\(x\)|\.\*|\^T|outer\b|o\b|[-+*.@·×⊙⊗'ᵀ⊤()\u2212])|(?P<name>[a-z_0-9]+))"
)
_ENTRY = re.compile(rf"[-+\u2212]?\s*(?:{_NUMBER})(?:\s*/\s*(?:{_NUMBER}))?")
MOST_TEXT = 100_000


@dataclass(frozen=True)
class Token:
    """A piece of the text and where it begins, counted from 0."""

    kind: str
    text: str
    place: int


def parse(text: str) -> Expression:
    """The tree of a calculation written as text.

    >>> parse("2 * [1 2]")
    Times(factors=(Number(value=2.0, exact=True), Matrix(values=array([[1., 2.]]))), sign=True)

    Raises SpecificationError that says at which character it went wrong.
    """
    if len(text) > MOST_TEXT:
        raise SpecificationError(
            f"the calculation has {len(text):,} characters; at most {MOST_TEXT:,} are read"
        )
    reader = _Reader(text, _tokens(text))
    tree = reader.sum()
    if reader.next is not None:
        raise reader.error("an operator or the end")
    return tree


def _tokens(text: str) -> list[Token]:
    found, place = [], 0
    while text[place:].strip():
        matched = _TOKEN.match(text, place)
        if matched is None:
            start = place + len(text[place:]) - len(text[place:].lstrip())
            raise SpecificationError(
                f"character {start + 1}: cannot read {text[start : start + 12]!r}; a calculation is made of matrices "
                "such as [1 2; 3 4], numbers, + - * . ⊙ ⊗ ' and functions such as relu(...)"
            )
        kind = str(matched.lastgroup)
        piece = matched.group(kind)
        found.append(Token(kind, SPELLINGS.get(piece, piece), matched.start(kind)))
        place = matched.end()
    return found


class _Reader:
    """Reads tokens from left to right, each rule of the grammar a method."""

    def __init__(self, text: str, tokens: Sequence[Token]) -> None:
        self.text, self.tokens, self.at = text, tokens, 0

    @property
    def next(self) -> Token | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def take(self, *operators: str) -> Token | None:
        token = self.next
        if token is None or token.kind != "operator" or token.text not in operators:
            return None
        self.at += 1
        return token

    def error(self, expected: str) -> SpecificationError:
        token = self.next
        came = "the end" if token is None else repr(token.text)
        place = len(self.text) if token is None else token.place
        return SpecificationError(f"character {place + 1}: expected {expected}, got {came}")

    def sum(self) -> Expression:
        terms = [self.product()]
        while operator := self.take("+", "-"):
            term = self.product()
            terms.append(Negative(term) if operator.text == "-" else term)
        return terms[0] if len(terms) == 1 else Sum(tuple(terms))

    def product(self) -> Expression:
        tree = self.prefix()
        while operator := self.take(".", "*", "⊙", "⊗"):
            right = self.prefix()
            tree = _joined(operator.text, tree, right)
        return tree

    def prefix(self) -> Expression:
        if self.take("-"):
            inner = self.prefix()
            return Number(-inner.value, exact=True) if isinstance(inner, Number) else Negative(inner)
        return self.postfix()

    def postfix(self) -> Expression:
        tree = self.atom()
        while self.take("'"):
            tree = Transpose(tree)
        return tree

    def atom(self) -> Expression:
        token = self.next
        if token is None:
            raise self.error("a matrix or a number")
        if token.kind == "number":
            self.at += 1
            return Number(float(token.text), exact=True)
        if token.kind == "matrix":
            self.at += 1
            return _matrix(token)
        if token.kind == "name":
            return self.call(token)
        if self.take("("):
            return self.closed()
        raise self.error("a matrix or a number")

    def call(self, token: Token) -> Expression:
        if token.text not in FUNCTIONS:
            raise SpecificationError(
                f"character {token.place + 1}: there is no function {token.text!r}; choose from {', '.join(FUNCTIONS)}"
            )
        self.at += 1
        if not self.take("("):
            raise self.error(f"( after {token.text}")
        return Apply(token.text, (self.closed(),))

    def closed(self) -> Expression:
        tree = self.sum()
        if not self.take(")"):
            raise self.error(")")
        return tree


def _joined(operator: str, left: Expression, right: Expression) -> Expression:
    if operator == "⊙":
        return Hadamard((left, right))
    if operator == "⊗":
        return Outer(left, right)
    if operator == "*" and (isinstance(left, Number) or isinstance(right, Number)):
        return Times((left, right), sign=True)
    return MatMul(left, right)


def _matrix(token: Token) -> Expression:
    inside = token.text.strip()[1:-1].strip()
    nested = inside.startswith("[")
    pieces = re.findall(r"\[([^\[\]]*)\]", inside) if nested else re.split(r"[;\n]", inside)
    rows = [_row(piece, token) for piece in pieces if piece.strip() or not nested]
    if len({len(row) for row in rows}) > 1:
        sizes = ", ".join(str(len(row)) for row in rows)
        raise SpecificationError(
            f"character {token.place + 1}: the rows of {token.text[:40]} have {sizes} entries; give each row as many"
        )
    return Matrix(np.array(rows, dtype=np.float64))


def _row(piece: str, token: Token) -> list[float]:
    entries = _ENTRY.findall(piece)
    if not entries or re.sub(r"[\s,]", "", _ENTRY.sub("", piece)):
        raise SpecificationError(
            f"character {token.place + 1}: cannot read the row {piece.strip()[:40]!r}; write numbers with blanks "
            "or commas between them, and a semicolon between rows"
        )
    return [_entry(entry) for entry in entries]


def _entry(text: str) -> float:
    clean = re.sub(r"\s", "", text).replace("\u2212", "-")
    top, _, bottom = clean.partition("/")
    if bottom and float(bottom) == 0:
        raise SpecificationError(f"{text.strip()} divides by zero")
    return float(top) / float(bottom) if bottom else float(top)
