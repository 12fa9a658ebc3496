"""The bank: every situation, and which of them a sheet speaks of."""

from __future__ import annotations

import numpy as np

from handgrad.worked.paper import Paper
from handgrad.worked.record import Words
from handgrad.worked.situations.batch import BATCH
from handgrad.worked.situations.facts import Facts, Situation
from handgrad.worked.situations.motion import MOTION
from handgrad.worked.situations.units import UNITS

SITUATIONS: tuple[Situation, ...] = tuple(
    sorted((*UNITS, *BATCH, *MOTION), key=lambda situation: -situation.weight)
)
"""All of them, what matters most first."""
MOST_SAID = {"brief": 2, "matrix": 3, "scalar": 3}
"""A reader remembers so many; a sheet in brief says two."""


def situations(paper: Paper, before: float | None, after: float | None) -> tuple[Words, ...]:
    """Every situation that the step is in, what matters most first, as the keys of its sentences."""
    facts = Facts(paper, before, after)
    found: list[Words] = []
    with np.errstate(all="ignore"):
        for situation in SITUATIONS:
            arguments = situation.holds(facts)
            if arguments is not None:
                found.append(Words(situation.key, tuple(arguments.items())))
    return tuple(found)
