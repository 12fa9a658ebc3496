"""Which wrong numbers a run of the calculation gives, and how many bits that says."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from handgrad.audit.alternative import Alternative
from handgrad.audit.claims import Claim, Index
from handgrad.audit.printed import Printed
from handgrad.audit.rerun import Seen, rounded
from handgrad.audit.verdicts import Entry
from handgrad.audit.worlds import Place, Worlds
from handgrad.nn.arrays import Array

Waiting = Mapping[Place, tuple[Claim, Entry]]
_ZERO = 4.0


def matches(
    worlds: Worlds, run: Mapping[int, Seen], waiting: Waiting, alternative: Alternative | None = None
) -> set[Place]:
    """The places among the wrong numbers where what was printed is what this run gives."""
    matched = set()
    for place, (claim, entry) in waiting.items():
        value = value_of(worlds, claim, entry.index, run)
        values = [value]
        if value is not None and alternative is not None and alternative.digits is not None:
            values.append(float(rounded(np.asarray(value), alternative.digits)))  # printed as it was rounded
        if any(v is not None and _stands(entry.printed, v, claim.step, alternative) for v in values):
            matched.add(place)
    return matched


def value_of(worlds: Worlds, claim: Claim, where: Index, run: Mapping[int, Seen]) -> float | None:
    """A number of a claim as a run has it; None where the run has none."""
    if claim.step not in run:
        return None
    values = worlds.value(claim, run[claim.step])
    return None if values is None else _entry(values, where)


def _entry(values: Array, where: Index) -> float | None:
    try:
        return float(values[where]) if values.ndim else float(values)
    except IndexError:
        return None


def _stands(printed: Printed, value: float, step: int, alternative: Alternative | None) -> bool:
    if alternative is not None and alternative.single:
        # another library may round its last bit the other way; what it printed was a single all the same
        single = float(np.float32(printed.value))
        near = abs(printed.value - value) <= 1.5 * float(np.spacing(np.float32(abs(value))))
        return near and printed.unit < 1e-6 * abs(value) and printed.stands_for(single)
    if alternative is not None and alternative.digits is not None:
        return printed.unit < 0.5 * 10.0**-alternative.digits and printed.stands_for(value, step)
    return printed.stands_for(value, step)


def _bits(entry: Entry) -> float:
    """What a match says; a printed 0 in the place of a number says a little, however many digits it has."""
    if entry.printed.value or entry.computed is None:
        return entry.printed.bits
    return min(_ZERO, Printed(entry.computed, entry.printed.unit).bits)


def gain(matched: set[Place], waiting: Waiting) -> float:
    """The bits of the matches, less those that choose the matching entries among the wrong ones of a claim."""
    bits = 0.0
    for number in {place[0] for place in matched}:
        here = [place for place in waiting if place[0] == number]
        hits = [place for place in here if place in matched]
        bits += sum(_bits(waiting[place][1]) for place in hits)
        bits -= len(hits) * math.log2(len(here) / len(hits))
    return bits
