"""Mathematics as it is set on paper: what stands beside, above and below what.

`typeset` makes these boxes of an expression tree; LaTeX and MathML each write the same dozen kinds. A box
knows no medium: a `Letter` holds its Unicode character, an `Operator` its name in `OPERATORS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from handgrad.writing.letter_parts import digits_in


@dataclass(frozen=True, slots=True)
class Box:
    """Root of all boxes."""


@dataclass(frozen=True, slots=True)
class Row(Box):
    """Boxes side by side; a row within a row is the same as its items."""

    items: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class Letter(Box):
    """A variable or the name of a function; `upright` for names of several letters."""

    text: str
    bold: bool = False
    upright: bool = False


@dataclass(frozen=True, slots=True)
class Quantity(Box):
    """The letter of a quantity: its public name (W1, dW1), and the entry and sample that are meant ("0,1")."""

    body: Box
    name: str
    entry: str = ""


@dataclass(frozen=True, slots=True)
class Digits(Box):
    """A number without a sign, with '.' or ',' as its language has it."""

    text: str


@dataclass(frozen=True, slots=True)
class Text(Box):
    """Words within mathematics."""

    text: str


@dataclass(frozen=True, slots=True)
class Blank(Box):
    """A place to write in, `width` digits wide."""

    width: int


@dataclass(frozen=True, slots=True)
class Phantom(Box):
    """As much room as the body takes, and nothing in it: what brings decimal points under each other."""

    body: Box


@dataclass(frozen=True, slots=True)
class Operator(Box):
    """A sign by its name in `OPERATORS`."""

    name: str


@dataclass(frozen=True, slots=True)
class Fence(Box):
    """A body between delimiters that grow with it: ( ) [ ] | ‖."""

    left: str
    body: Box
    right: str


@dataclass(frozen=True, slots=True)
class Stack(Box):
    """Lines one below the other, set left: a long body within its brackets, which hold all of them."""

    lines: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class Fraction(Box):
    """One box over another."""

    top: Box
    bottom: Box


@dataclass(frozen=True, slots=True)
class Radical(Box):
    """A square root."""

    body: Box


@dataclass(frozen=True, slots=True)
class Scripts(Box):
    """A base with a subscript, a superscript or both."""

    base: Box
    below: Box | None = None
    above: Box | None = None


@dataclass(frozen=True, slots=True)
class Series(Box):
    """The sign of a sum with what stands under and over it."""

    below: Box | None = None
    above: Box | None = None


@dataclass(frozen=True, slots=True)
class Accent(Box):
    """A base with a hat, tilde or bar."""

    base: Box
    accent: str


@dataclass(frozen=True, slots=True)
class Brace(Box):
    """A body with a brace and a label under it."""

    body: Box
    label: str


@dataclass(frozen=True, slots=True)
class Array(Box):
    """Rows and columns between delimiters: [ ] for a matrix, { and nothing for cases."""

    rows: tuple[tuple[Box, ...], ...]
    left: str = "["
    right: str = "]"
    shape: tuple[int, int] | None = None
    """Of a matrix that is not shown in full: its true shape, to stand below it."""


BOXES: tuple[type[Box], ...] = (
    Row, Letter, Quantity, Digits, Text, Blank, Phantom, Operator, Fence, Stack, Fraction, Radical, Scripts, Series,
    Accent, Brace, Array,
)  # fmt: skip
"""Every kind of box; a writer has a rule for each, and a test holds it to that."""


@dataclass(frozen=True, slots=True)
class Sign:
    """One row of `OPERATORS`: its Unicode character, its width in em with the space around it, and where a
    long line may break before it (0 first; None never)."""

    character: str
    width: float
    breaks: int | None = None


OPERATORS: dict[str, Sign] = {
    "+": Sign("+", 1.2, 1),
    "-": Sign("\u2212", 1.2, 1),
    "negative": Sign("\u2212", 0.8),
    "times": Sign("\u00d7", 1.2, 3),
    "hadamard": Sign("\u2299", 1.2, 2),
    "outer": Sign("\u2297", 1.2, 2),
    "beside": Sign("", 0.2, 4),
    "apply": Sign("", 0.0),
    "comma": Sign(",", 0.5),
    "semicolon": Sign(";", 0.5),
    "=": Sign("=", 1.3, 0),
    "<": Sign("<", 1.3, 0),
    ">": Sign(">", 1.3, 0),
    "<=": Sign("\u2264", 1.3, 0),
    ">=": Sign("\u2265", 1.3, 0),
    "!=": Sign("\u2260", 1.3, 0),
    "~": Sign("\u2248", 1.3, 0),
    ":=": Sign(":=", 1.6, 0),
    "partial": Sign("\u2202", 0.6),
    "transpose": Sign("\u22a4", 0.6),
    "horizontal": Sign("\u22ef", 1.0),
    "vertical": Sign("\u22ee", 0.3),
    "diagonal": Sign("\u22f1", 1.0),
}
"""`beside` joins factors without a sign, `apply` a function to its argument."""


def row(*items: Box) -> Box:
    """The items side by side, rows among them opened.

    >>> row(Digits("2"))
    Digits(text='2')
    """
    opened: list[Box] = []
    for item in items:
        opened.extend(item.items if isinstance(item, Row) else (item,))
    return opened[0] if len(opened) == 1 else Row(tuple(opened))


def joined(sign: str, parts: list[Box]) -> Box:
    """The parts with an operator between each two.

    >>> joined("comma", [Digits("1"), Digits("2")]).items
    (Digits(text='1'), Operator(name='comma'), Digits(text='2'))
    """
    rest = [box for part in parts[1:] for box in (Operator(sign), part)]
    return row(parts[0], *rest)


def fenced(box: Box) -> Box:
    """The box in round parentheses."""
    return Fence("(", box, ")")


def items(box: Box) -> tuple[Box, ...]:
    """The items of a row; a box alone is a row of one."""
    return box.items if isinstance(box, Row) else (box,)


def tall(box: Box) -> bool:
    """Is the box higher than a line, so that delimiters around it must grow?"""
    match box:
        case Fraction() | Array() | Brace() | Series() | Stack():
            return True
        case Row(parts):
            return any(tall(part) for part in parts)
        case Fence(_, body, _) | Radical(body) | Accent(body, _) | Scripts(body, _, _) | Quantity(body):
            return tall(body)
    return False


def width(box: Box) -> float:
    """Roughly how wide the box is set, in em; only where long lines break depends on it."""
    return _WIDTHS[type(box)](box)


def _width(box: Box | None) -> float:
    return 0.0 if box is None else width(box)


def _width_of_array(box: Array) -> float:
    columns = list(zip(*box.rows, strict=True))
    inner = sum(max(width(cell) for cell in column) for column in columns)
    return inner + 0.85 * (len(columns) - 1) + (2.4 if box.shape else 0.8)


_WIDTHS: dict[type[Box], Callable[[Any], float]] = {
    Row: lambda box: sum(width(item) for item in box.items),
    Letter: lambda box: (0.52 if box.upright else 0.62) * len(box.text),
    Quantity: lambda box: width(box.body),
    Digits: lambda box: 0.5 * len(box.text),
    Text: lambda box: 0.46 * len(box.text),
    Blank: lambda box: 0.5 * box.width,
    Phantom: lambda box: width(box.body),
    Operator: lambda box: OPERATORS[box.name].width,
    Fence: lambda box: width(box.body) + 0.9,
    Stack: lambda box: max(width(line) for line in box.lines),
    Fraction: lambda box: max(width(box.top), width(box.bottom)) + 0.3,
    Radical: lambda box: width(box.body) + 1.0,
    Scripts: lambda box: width(box.base) + 0.72 * max(_width(box.below), _width(box.above)),
    Series: lambda box: max(1.5, 0.72 * max(_width(box.below), _width(box.above))),
    Accent: lambda box: width(box.base),
    Brace: lambda box: max(width(box.body), 0.36 * len(box.label)),
    Array: _width_of_array,
}


def in_numerals(box: Box, numerals: str) -> Box:
    """The box with its digits in another script.

    >>> in_numerals(row(Letter("W"), Digits("12")), "bengali").items[1]
    Digits(text='১২')
    """
    if isinstance(box, Digits | Text):
        return replace(box, text=digits_in(box.text, numerals))
    slots: tuple[str, ...] = box.__slots__
    changes: dict[str, Any] = {name: _in_numerals(getattr(box, name), numerals) for name in slots}
    return replace(box, **changes)


def _in_numerals(held: Any, numerals: str) -> Any:
    if isinstance(held, Box):
        return in_numerals(held, numerals)
    return tuple(_in_numerals(part, numerals) for part in held) if isinstance(held, tuple) else held
