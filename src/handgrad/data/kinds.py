"""What a column means, from all its cells: the evidence, and what is left in doubt.

numeric      quantities
boolean      true and false, in words
categorical  words that repeat, codes with leading zeros
date         dates and times
identifier   names the rows: counters, codes and texts that never repeat
text         sentences
constant     says the same in every row
empty        says nothing
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from handgrad.data import identifiers, written_dates, written_truth
from handgrad.data.cells import (
    Parsed,
    among_numbers,
    is_date,
    is_plain,
    is_text,
    odd_cells,
    parsed,
    shortened,
    words,
)
from handgrad.data.tables import Table
from handgrad.data.words import Floats, Words, bools

USED = ("numeric", "boolean", "categorical", "date")
KINDS = (*USED, "identifier", "text", "constant", "empty")

_ODD = 0.2
"""A column of numbers or dates may hold up to this part of other cells; then they are mistakes."""
_FEWEST = 5  # cells before a part of them says anything


class Found(NamedTuple):
    """The kind of a column, how that was seen or what follows from it, and what is doubtful about it."""

    kind: str
    note: str = ""
    doubts: tuple[str, ...] = ()

    @property
    def used(self) -> bool:
        """True for kinds that give features."""
        return self.kind in USED


def find_kind(table: Table, name: str) -> Found:
    """What a column means."""
    column = table.column(name)
    if not is_plain(column):
        return Found("text", f"holds {column.type}")
    if column.null_count == len(column):
        return Found("empty", "all cells are missing")
    if is_text(column):
        return _of_words(table, name)
    if is_date(column):
        return _of_dates(table, name, parsed(table, name, "date"))
    if pa.types.is_boolean(column.type):
        return _constant(parsed(table, name, "boolean").values) or Found("boolean")
    whole = pa.types.is_integer(column.type) or table.text
    return _of_numbers(table, name, parsed(table, name, "number"), whole)


def _of_words(table: Table, name: str) -> Found:
    text = words(table, name)
    if text.present == 0:
        return Found("empty", "all cells are missing")
    if len(text.values) == 1 and text.present == table.rows:
        return Found("constant", f"is constant ({shortened(text.values[0].as_py())})")
    if pa.types.is_dictionary(table.column(name).type) and not table.text:
        return _of_categories(name, text)  # whoever wrote it says that they are categories
    for recognize in (_codes, _compact_dates, _numbers, _truth, _dates):
        found = recognize(table, name, text)
        if found is not None:
            return found
    return _of_categories(name, text)


def _codes(table: Table, name: str, text: Words) -> Found | None:
    """Numbers with leading zeros, all of one length: codes, not quantities."""
    if not bools(pc.match_substring_regex(text.values, pattern=r"^\d{2,}$")).all():
        return None
    length = pc.utf8_length(text.values)
    if pc.min(length).as_py() != pc.max(length).as_py() or not bools(pc.starts_with(text.values, "0")).any():
        return None
    if _compact_dates(table, name, text) is not None:
        return None
    if len(text.values) == text.present >= _FEWEST or identifiers.mostly_different(text):
        return Found("identifier", "zero-padded numbers that name the rows")
    return Found("categorical", "zero-padded numbers are codes, not quantities")


def _compact_dates(table: Table, name: str, text: Words) -> Found | None:
    """20100113: dates only if every one is."""
    if not bools(pc.match_substring_regex(text.values, pattern=written_dates.COMPACT)).all():
        return None
    made = parsed(table, name, "date")
    return None if len(made.bad) else _of_dates(table, name, made)


def _numbers(table: Table, name: str, text: Words) -> Found | None:
    made = parsed(table, name, "number")
    count = int(np.count_nonzero(~np.isnan(made.values)))
    if not _mostly(count, len(made.bad)):
        return None
    values = made.values[~np.isnan(made.values)]
    return _of_numbers(table, name, made, bool(np.all(values == np.floor(values))))


def _truth(table: Table, name: str, text: Words) -> Found | None:
    kept = text.values.filter(pa.array(~among_numbers(text.values)))
    if not written_truth.of_one_language(kept):
        return None
    return _constant(parsed(table, name, "boolean").values) or Found("boolean")


def _dates(table: Table, name: str, text: Words) -> Found | None:
    some = text.values.slice(0, 200)
    if written_dates.parse(some).wrong.mean() > 0.5:
        return None
    made = parsed(table, name, "date")
    if not _mostly(int(np.count_nonzero(~np.isnan(made.values))), len(made.bad)):
        return None
    return _of_dates(table, name, made)


def _mostly(fitting: int, bad: int) -> bool:
    """True where what does not fit is a mistake and not a kind of its own."""
    if fitting == 0:
        return False
    return bad == 0 or (bad <= _ODD * (fitting + bad) and fitting + bad >= _FEWEST)


def _constant(values: Floats) -> Found | None:
    present = values[~np.isnan(values)]
    if present.size == 0:
        return Found("empty", "all cells are missing")
    if present.size == values.size and present.min() == present.max():
        return Found("constant", f"is constant ({present[0]:g})")
    return None


def _of_numbers(table: Table, name: str, made: Parsed, whole: bool) -> Found:
    constant = _constant(made.values)
    if constant is not None:
        return constant
    whole = whole and bool(np.all(np.isnan(some := made.values[:1000]) | (some == np.floor(some))))
    reason = identifiers.of_numbers(name, made.values) if whole and not len(made.bad) else ""
    if reason:
        return Found("identifier", reason)
    notes, doubts = [], []
    numbers = made.how
    if numbers is not None:
        notes += _of_marks(*numbers.marks)
        notes += ["percent"] * numbers.percent + ["amounts of money"] * numbers.money
        if not numbers.marks.plain and not numbers.decided and table.reading.decimal is None:
            doubts.append(_doubtful_mark(table, name, numbers.marks.decimal))
    odd = odd_cells(table, name, "number")
    return Found(
        "numeric", "; ".join([*notes, odd] if odd else notes), (*filter(None, doubts), *_if(odd, name))
    )


def _of_marks(decimal: str, thousands: str) -> list[str]:
    called = {",": "commas", ".": "points", " ": "spaces", "'": "apostrophes"}
    notes = ["decimal comma"] if decimal == "," else []
    return notes + ([f"thousands separated by {called[thousands]}"] if thousands else [])


def _doubtful_mark(table: Table, name: str, decimal: str) -> str:
    """The doubt about the comma of "1,941" or the point of "1.941"."""
    text = words(table, name)
    mark = "," if decimal == "." else "."
    shown = text.values.filter(pc.match_substring(text.values, "," if decimal == "." else mark))
    if len(shown) == 0 or table.decimal is not None:
        return ""
    return (
        f"column {name!r}: {shortened(shown[0].as_py())} is read with {mark!r} between thousands; "
        f"--decimal '{mark}' makes it the decimal mark"
    )


def _of_dates(table: Table, name: str, made: Parsed) -> Found:
    constant = _constant(made.values)
    if constant is not None and constant.kind == "empty":
        return constant
    if constant is not None:
        return Found("constant", "is constant")
    dates, notes, doubts = made.how, [], []
    if dates.order:
        notes.append(f"read {dates.order.replace('-', ' ')}")
    if dates.order and not dates.decided and table.reading.dates is None:
        other = "day-first" if dates.order == "month-first" else "month-first"
        notes[-1] += ", though day and month could be the other way round"
        doubts.append(
            f"column {name!r}: nothing says which number is the day; read {dates.order.replace('-', ' ')}; "
            f"--dates {other} overrules it"
        )
    notes += ["times of the day"] * dates.clock + ["years of two digits are 1969 to 2068"] * dates.short_years
    odd = odd_cells(table, name, "date")
    return Found("date", "; ".join([*notes, odd] if odd else notes), (*doubts, *_if(odd, name)))


def _if(odd: str, name: str) -> tuple[str, ...]:
    return (f"column {name!r}: {odd}",) if odd else ()


def _of_categories(name: str, text: Words) -> Found:
    if text.present == 0:
        return Found("empty", "all cells are missing")
    kind, reason = identifiers.of_words(name, text)
    return Found(kind, reason)
