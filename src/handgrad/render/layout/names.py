"""What columns and classes are called in equations: their own names, shortened where they are too long for a script."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from handgrad.render.document import Bullets, Fold, Formula, Heading, Paragraph, Table
from handgrad.worked.expressions import Expression, Symbol, names_of
from handgrad.writing.letter_parts import NAME, Notation
from handgrad.writing.letters import counted, unit_name

LONGEST = 12
"""Characters of a name that a script holds."""
FLAG = " missing"
"""What the name of an input ends in that says whether a cell is empty (`data/columns.py`)."""


def short_names(names: Sequence[str], longest: int = LONGEST) -> tuple[str, ...]:
    """A name for each, of about so many characters, no two alike; '' where a number has to do.

    Categories of a column go by their own names where one of them is too long with its column, a flag of empty cells
    by the name of its column; of other names the last words are left out first.

    >>> short_names(("island=Dream", "island=Torgersen", "bill_length_mm", "bill_length_mm missing", "sex=male"))
    ('Dream', 'Torgersen', 'bill_length', 'no bill_length', 'sex=male')
    """
    long_columns = {name.partition("=")[0] for name in names if "=" in name and len(name) > longest}
    short = {
        name: name
        for name in names
        if len(name) <= longest and names.count(name) == 1 and name.partition("=")[0] not in long_columns
    }
    taken = set(short.values())
    for name in sorted(set(names) - set(short), key=lambda name: name.endswith(FLAG)):
        free = (each for each in _shorter(name, longest, short) if each not in taken)
        short[name] = next(free, "") if names.count(name) == 1 else ""
        taken.add(short[name])
    return tuple(short[name].translate(_BARE) for name in names)


def _shorter(name: str, longest: int, short: Mapping[str, str]) -> Iterator[str]:
    """Shorter names, the most telling first."""
    column = short.get(name.removesuffix(FLAG), "")
    if name.endswith(FLAG) and column:
        yield f"no {column}"
    category = name.partition("=")[2]
    if 0 < len(category) <= longest and not category.isdecimal():
        yield category
    parts = re.split(r"([\s_.\-=/:]+)", name)
    for end in range(len(parts) - 2, 0, -2):
        kept = "".join(parts[:end])
        if len(kept) <= longest:
            yield kept
    yield f"{name[: longest - 1]}\u2026"


_BARE = dict.fromkeys(map(ord, NAME))


def shortened(
    body: Sequence[object], notation: Notation, inputs: Sequence[str], outputs: Sequence[str]
) -> dict[str, str]:
    """The names that equations of the body shorten: how each stands there, and the whole of it."""
    whole = {"inputs": inputs, "outputs": outputs}
    return {
        short: whole[counted(symbol, place, notation.depth)][index]
        for symbol in _symbols(body)
        for place, index in enumerate(symbol.entry)
        if isinstance(index, int)
        and (short := unit_name(symbol, place, notation))
        and short != whole[counted(symbol, place, notation.depth)][index]
    }


_HOLDERS = (Expression, Formula, Paragraph, Heading, Table, Bullets, Fold)


def _symbols(held: Any) -> Iterator[Symbol]:
    """The symbols in the mathematics of blocks."""
    if isinstance(held, tuple | list):
        for part in held:
            yield from _symbols(part)
    elif isinstance(held, Symbol):
        yield held
    elif isinstance(held, _HOLDERS):
        for name in names_of(type(held)):
            yield from _symbols(getattr(held, name))
