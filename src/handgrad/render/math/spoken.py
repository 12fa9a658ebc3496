"""Boxes in words, as they are read aloud: the alternative text of an equation.

What stands above or below is said with its role (layer 1, sub 2, transposed, squared), long fractions, roots and
matrices with their end, so that the ear can tell what belongs together.
Source: the habits of T. V. Raman, Audio System for Technical Readings (1994), and of MathSpeak.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from handgrad.errors import RenderError
from handgrad.render.math.boxes import (
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
from handgrad.writing.messages import SENTENCES
from handgrad.writing.phrasebook import Phrasebook

_SILENT = ("beside", "comma", "semicolon")
_DOTS = ("horizontal", "vertical", "diagonal")
_NORMS = {"|": "spoken_absolute", "‖": "spoken_norm"}


def spoken(box: Box, words: Phrasebook) -> str:
    """The box in words.

    >>> spoken(Fraction(Digits("1"), Letter("m")), Phrasebook("en"))
    '1 over m'

    Raises RenderError for a kind of box without a rule.
    """
    rule = RULES.get(type(box))
    if rule is None:
        raise RenderError(f"no words for {type(box).__name__}; add a rule to RULES in render/math/spoken.py")
    return rule(box, words)


def _said(parts: Iterable[str]) -> str:
    """Phrases one after another; a comma stands at the end of what is before it."""
    return " ".join(part for part in parts if part).replace(" ,", ",")


def _row(box: Row, words: Phrasebook) -> str:
    return _said(spoken(item, words) for item in box.items)


def _letter(box: Letter, words: Phrasebook) -> str:
    primes = box.text.count("′")
    base = box.text.replace("′", "")
    key = f"spoken_{base}"
    named = words.text(key) if key in SENTENCES else base
    return _said([named, *[words.text("spoken_prime")] * primes])


def _quantity(box: Quantity, words: Phrasebook) -> str:
    """W_12 is the entry 1 2 of a matrix, and not its twelfth."""
    pair = box.name.lstrip("d").startswith("W") and box.entry.count(",") == 1
    return spoken(_spread(box.body) if pair else box.body, words)


def _spread(box: Box) -> Box:
    match box:
        case Scripts(_, Digits(text)) if len(text) == 2:
            return replace(box, below=Digits(" ".join(text)))
        case Scripts(_, Row((Digits(text), *rest))) if len(text) == 2:
            return replace(box, below=Row((Digits(" ".join(text)), *rest)))
        case Fraction(top, bottom):
            return Fraction(top, Row(tuple(map(_spread, items(bottom)))))
    return box


def _operator(box: Operator, words: Phrasebook) -> str:
    if box.name in _SILENT:
        return "," if box.name != "beside" else ""
    if box.name == "apply":
        return words.text("spoken_of")
    return words.text("spoken_dots" if box.name in _DOTS else f"spoken_{box.name}")


def _fence(box: Fence, words: Phrasebook) -> str:
    body = spoken(box.body, words)
    if box.left in _NORMS:
        return words.text(_NORMS[box.left], body=body)
    return _said([words.text("spoken_open"), f"{body},", words.text("spoken_close")])


def _fraction(box: Fraction, words: Phrasebook) -> str:
    short = all(
        len(items(part)) == 1 and not isinstance(part, Fraction | Array) for part in (box.top, box.bottom)
    )
    derivative = items(box.top)[0] == Operator("partial") == items(box.bottom)[0]
    key = "spoken_fraction" if short or derivative else "spoken_long_fraction"
    return words.text(key, top=spoken(box.top, words), bottom=spoken(box.bottom, words))


def _scripts(box: Scripts, words: Phrasebook) -> str:
    parts = [spoken(box.base, words)]
    if box.above is not None:
        parts.append(_above(box.above, box.base, words))
    if box.below is not None:
        parts.append(words.text("spoken_below", script=spoken(box.below, words)))
    return _said(parts)


def _above(above: Box, base: Box, words: Phrasebook) -> str:
    """A layer in square brackets, a sample in round ones, the sign of the transpose, or a power."""
    held = list(items(above))
    said: list[str] = []
    for marks, key in (("[]", "spoken_layer"), ("()", "spoken_sample")):
        signs = [item.text if isinstance(item, Letter) else "" for item in held]
        if marks[0] in signs and marks[1] in signs:
            start, end = signs.index(marks[0]), signs.index(marks[1])
            said.append(words.text(key, number=_said(spoken(item, words) for item in held[start + 1 : end])))
            del held[start : end + 1]
    rest = [item for item in held if item != Operator("transpose")]
    if rest:
        said.append(_power(Row(tuple(rest)), base, words))
    if len(rest) < len(held):
        said.append(words.text("spoken_transpose"))
    return _said(said)


def _power(above: Row, base: Box, words: Phrasebook) -> str:
    if all(isinstance(item, Letter) and set(item.text) == {"′"} for item in above.items):
        return _said(spoken(item, words) for item in above.items)
    raised = isinstance(base, Fence | Digits | Fraction | Array) or base == Letter("e")
    if raised and above.items == (Digits("2"),):
        return words.text("spoken_squared")
    return words.text("spoken_power" if raised else "spoken_above", script=spoken(above, words))


def _series(box: Series, words: Phrasebook) -> str:
    if box.below is None:
        return words.text("spoken_sum")
    index = spoken(box.below, words)
    if box.above is None:
        return _said([words.text("spoken_sum_over", index=index), words.text("spoken_of")])
    last = spoken(box.above, words)
    return _said([words.text("spoken_sum_to", index=index, last=last), words.text("spoken_of")])


def _array(box: Array, words: Phrasebook) -> str:
    rows = [", ".join(spoken(cell, words) for cell in line) for line in box.rows]
    if box.left == "{":
        cases = [_case(line, words) for line in box.rows]
        return words.text("spoken_cases", entries="; ".join(cases))
    if len(box.rows) == 1:
        return words.text("spoken_row", entries=rows[0])
    if len(box.rows[0]) == 1:
        return words.text("spoken_column", entries=", ".join(rows))
    shape = box.shape or (len(box.rows), len(box.rows[0]))
    lines = [words.text("spoken_matrix_row", number=n, entries=row) for n, row in enumerate(rows, 1)]
    return words.text("spoken_matrix", rows=shape[0], columns=shape[1], entries="; ".join(lines))


def _case(line: tuple[Box, ...], words: Phrasebook) -> str:
    value, condition = (spoken(cell, words) for cell in line)
    if isinstance(line[1], Text):  # otherwise
        return f"{value} {condition}"
    return words.text("spoken_case", value=value, condition=condition)


RULES: dict[type[Box], Callable[[Any, Phrasebook], str]] = {
    Row: _row,
    Letter: _letter,
    Quantity: _quantity,
    Digits: lambda box, words: box.text,
    Text: lambda box, words: box.text.strip(),
    Blank: lambda box, words: words.text("spoken_blank"),
    Phantom: lambda box, words: "",
    Operator: _operator,
    Fence: _fence,
    Stack: lambda box, words: _said(spoken(line, words) for line in box.lines),
    Fraction: _fraction,
    Radical: lambda box, words: words.text("spoken_root", body=spoken(box.body, words)),
    Scripts: _scripts,
    Series: _series,
    Accent: lambda box, words: words.text(f"spoken_{box.accent}", base=spoken(box.base, words)),
    Brace: lambda box, words: words.text("spoken_brace", body=spoken(box.body, words), label=box.label),
    Array: _array,
}
"""How each kind of box is said; a test holds the table to `boxes.BOXES`."""
