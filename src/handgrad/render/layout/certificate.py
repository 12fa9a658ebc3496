"""The foot of a certified sheet: what its digits are, and which of them float64 has otherwise."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from handgrad.nn.arrays import Array
from handgrad.render.document import Block
from handgrad.render.layout.context import Sheet, in_words
from handgrad.worked.bindings import array_of
from handgrad.worked.record import Certificate, StepRecord
from handgrad.writing.numerals import shown_together

MOST_NAMED = 5
"""Digits that are named one by one; of more their number is said."""


def certificate(sheet: Sheet) -> Iterator[Block]:
    """How the digits were had, and every one of them that float64 has otherwise."""
    held = sheet.record.certificate
    if held is None:
        return
    yield sheet.paragraph("certified_binary" if held.binary else "certified", "note", bits=held.bits)
    if held.ties:
        yield sheet.paragraph("certified_ties", "note", count=held.ties)
    differing = list(_differing(sheet, held))
    if not differing:
        yield sheet.paragraph("certified_same", "note")
        return
    yield sheet.paragraph("certified_otherwise", "note", count=len(differing))
    for step, name, right, wrong in differing[:MOST_NAMED]:
        yield sheet.paragraph("certified_digit", "note", name=name, step=step, right=right, wrong=wrong)


Difference = tuple[int, str, str, str]
"""The step, the entry by its public name, its digits, and those that float64 has."""


def _differing(sheet: Sheet, held: Certificate) -> Iterator[Difference]:
    for step, computed in zip(sheet.record.steps, held.computed, strict=True):
        for name in computed.keys() & step.bindings.keys():
            yield from _of_quantity(sheet, step, name, computed[name])


def _of_quantity(sheet: Sheet, step: StepRecord, name: str, computed: Array) -> Iterator[Difference]:
    precision = sheet.precision(name)
    right, wrong = (shown_together(values, precision) for values in (array_of(step.bindings[name]), computed))
    base = sheet.notation.first
    for (i, j), _ in np.ndenumerate(computed):
        if str(right[i][j]) != str(wrong[i][j]):
            place = "" if computed.size == 1 else f"[{i + base},{j + base}]"
            yield step.number, f"{name}{place}", in_words(right[i][j]), in_words(wrong[i][j])
