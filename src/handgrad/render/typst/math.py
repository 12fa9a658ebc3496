"""Mathematics as Typst source: one rule for each kind of box."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from handgrad.diagram.palette import kind_of
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
    items,
)

_ACCENTS = {"hat": "hat", "tilde": "tilde", "bar": "macron"}
# Characters that Typst would read as syntax, and names of the spaces between boxes.
_OPERATORS = {"beside": "thin", "apply": "", "comma": "\\,", "semicolon": "\\;"}


def math(box: Box) -> str:
    """The box as the inside of a Typst equation.

    >>> print(math(Fraction(Digits("1"), Letter("m"))))
    frac("1", m)

    Raises RenderError for a kind of box without a rule.
    """
    rule = RULES.get(type(box))
    if rule is None:
        raise RenderError(
            f"Typst has no rule for {type(box).__name__}; add one to RULES in render/typst/math.py"
        )
    return rule(box)


def line_math(box: Box) -> str:
    """One line of a broken formula: the sign that it begins with keeps its space."""
    first, *rest = items(box)
    if not rest or not isinstance(first, Operator) or OPERATORS[first.name].breaks is None:
        return math(box)
    return f"{_operator(first)} med {math(Row(tuple(rest)))}"


def string(text: str) -> str:
    r"""A Typst string: nothing in it is read as markup.

    >>> print(string('a "b" #c'))
    "a \"b\" #c"
    """
    safe = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(" " if character in "\n\r\t" else character for character in safe) + '"'


def _row(box: Row) -> str:
    return joined(source for source in map(math, _braces_apart(box.items)) if source)


def _braces_apart(items: tuple[Box, ...]) -> Iterable[Box]:
    """The names under two braces side by side need room between them."""
    for place, item in enumerate(items):
        braces = [each for each in items[place - 1 : place + 2] if isinstance(each, Brace)]
        yield Text("  ") if item == Operator("beside") and len(braces) == 2 else item


def joined(sources: Iterable[str]) -> str:
    """Sources side by side: Typst prints a blank beside a string, so there is none; others it parts."""
    row = ""
    for source in sources:
        apart = row and not (row.endswith('"') or source.startswith('"'))
        row += f" {source}" if apart else source
    return row


def _letter(box: Letter) -> str:
    variable = len(box.text) == 1 and box.text.isalpha() and not box.upright
    source = box.text if variable else string(box.text)
    return f"bold({source})" if box.bold else source


def _quantity(box: Quantity) -> str:
    """The letter in the colour of its kind, by a function of the page."""
    kind, body = kind_of(box.name), math(box.body)
    return f"q{kind}({body})" if kind else body


def _blank(box: Blank) -> str:
    # in braces: else a parenthesis after it would hold its arguments
    return f"#{{box(width: {0.55 * box.width:.2f}em, height: 0.7em, stroke: (bottom: 0.5pt))}}"


def _operator(box: Operator) -> str:
    return _OPERATORS.get(box.name, OPERATORS[box.name].character)


def _fence(box: Fence) -> str:
    if box.left in "([":
        return f"{box.left}{math(box.body)}{box.right}"
    return f"lr({box.left} {math(box.body)} {box.right})"


def _stack(box: Stack) -> str:
    rows = "; ".join(f"display({line_math(line)})" for line in box.lines)
    return f"mat(delim: #none, align: #left, row-gap: #0.5em, {rows})"


def _scripts(box: Scripts) -> str:
    base = math(box.base)
    below = "" if box.below is None else math(box.below)
    above = "" if box.above is None else math(box.above)
    if isinstance(box.base, Letter | Digits | Fence):
        return base + (f"_({below})" if below else "") + (f"^({above})" if above else "")
    scripts = [f"{place}: {source}" for place, source in (("b", below), ("t", above)) if source]
    return f"attach({', '.join([base, *scripts])})"


def _series(box: Series) -> str:
    below = "" if box.below is None else f"_({math(box.below)})"
    above = "" if box.above is None else f"^({math(box.above)})"
    return f"∑{below}{above}"


def _array(box: Array) -> str:
    left, right = (string(delimiter) if delimiter else "none" for delimiter in (box.left, box.right))
    side = "right" if box.left == "[" else "left"
    rows = "; ".join(", ".join(map(math, row)) for row in box.rows)
    # a matrix within a fraction keeps its size: its numbers are read one by one
    source = f"display(mat(delim: #({left}, {right}), align: #{side}, column-gap: #0.7em, {rows}))"
    return source if box.shape is None else f'{source}_("{box.shape[0]}×{box.shape[1]}")'


RULES: dict[type[Box], Callable[[Any], str]] = {
    Row: _row,
    Letter: _letter,
    Quantity: _quantity,
    Digits: lambda box: string(box.text),
    Text: lambda box: string(box.text),
    Blank: _blank,
    Phantom: lambda box: f"room({math(box.body)})",
    Operator: _operator,
    Fence: _fence,
    Stack: _stack,
    Fraction: lambda box: f"frac({math(box.top)}, {math(box.bottom)})",
    Radical: lambda box: f"sqrt({math(box.body)})",
    Scripts: _scripts,
    Series: _series,
    Accent: lambda box: f"{_ACCENTS[box.accent]}({math(box.base)})",
    Brace: lambda box: f"underbrace({math(box.body)}, {string(box.label)})",
    Array: _array,
}
"""How each kind of box is written; a test holds the table to `boxes.BOXES`."""
