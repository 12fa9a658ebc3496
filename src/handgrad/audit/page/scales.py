"""The marks of a scale: numbers that climb by equal steps, line by line, and belong to no equation.

A ruler, an axis or a list of page numbers in a picture is left so by character recognition. It is no calculation,
and calling each mark a number that could not be placed hides those that are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from handgrad.audit.page.accounts import Account, Fate
from handgrad.audit.page.chains import Line
from handgrad.audit.page.tokens import printed
from handgrad.audit.printed import Printed

FEWEST_MARKS = 10
_EVEN = 0.9
"""Of the steps, so many are equal: a mark that was misread is still one of the scale."""


class _Row(NamedTuple):
    line: Line
    form: str
    """The line with a sign in the place of each number."""
    numbers: tuple[tuple[int, Printed], ...]
    """Where each begins, and what it is."""


def mark_scales(lines: Sequence[Line], account: Account) -> None:
    """Gives the unplaced numbers that are marks of a scale their fate."""
    lost = {(one.row, one.start) for one in account.unplaced}
    for run in _runs([_row(line, lost) for line in lines if line.script.text.strip()]):
        if _climbs(run):
            for row in run:
                for start, _ in row.numbers:
                    account.set(row.line.number, start, Fate.SCALE)


def _row(line: Line, lost: set[tuple[int, int]]) -> _Row | None:
    """The line, where all its numbers wait for a place and nothing in it says that two things are equal."""
    if any(word.kind == "relation" for word in line.words):
        return None
    numbers, form = [], []
    for word in line.words:
        if word.kind != "number":
            form.append(word.text)
            continue
        if (line.number, word.start) not in lost:
            return None
        number = printed(word.text)
        if number is None:
            return None
        form.append("#")
        numbers.append((word.start, number))
    return _Row(line, "".join(form).strip(), tuple(numbers)) if numbers else None


def _runs(rows: Sequence[_Row | None]) -> Iterator[list[_Row]]:
    """Lines of one form under each other."""
    run: list[_Row] = []
    for row in (*rows, None):
        if run and (row is None or row.form != run[-1].form):
            if len(run) >= FEWEST_MARKS:
                yield run
            run = []
        if row is not None:
            run.append(row)


def _climbs(run: Sequence[_Row]) -> bool:
    """True where every column climbs, or falls, in steps of which nine in ten are equal in the digits printed."""
    for column in range(len(run[0].numbers)):
        marks = [row.numbers[column][1] for row in run]
        steps = [after.value - before.value for before, after in pairwise(marks)]
        usual = sorted(steps)[len(steps) // 2]
        unit = max(mark.unit for mark in marks)
        even = sum(abs(step - usual) < unit / 2 for step in steps)
        if usual == 0 or any(step * usual <= 0 for step in steps) or even < _EVEN * len(steps):
            return False
    return True
