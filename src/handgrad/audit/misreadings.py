"""Misreadings of a right calculation: the number of another entry, sample, quantity or step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import NamedTuple

import numpy as np

from handgrad.audit.claims import Claim, Index
from handgrad.audit.rerun import Seen
from handgrad.nn.arrays import Array

MOST_PAIRS = 400
_PER_SAMPLE = ("x", "y", "yhat", "dyhat", "loss_terms")


class Misreading(NamedTuple):
    """Other numbers for a claim: its code, what would be printed, where it comes from, how many such there are."""

    code: str
    values: Array
    other: str
    siblings: int


def misreadings(claim: Claim, value: Array, wrong: list[Index], seen: Seen) -> Iterator[Misreading]:
    """What the claim would print if its numbers were taken from elsewhere in the same step."""
    yield from _swapped(value, wrong)
    yield from _other_rows(claim, value)
    yield from _other_entries(value, wrong, claim)
    yield from _other_quantities(claim, value, wrong, seen.quantities)


def _swapped(value: Array, wrong: list[Index]) -> Iterator[Misreading]:
    if value.ndim == 2 and value.shape[0] == value.shape[1] > 1:
        yield Misreading("entries-swapped", value.T, "", 2)
    pairs = list(combinations(wrong, 2))[:MOST_PAIRS]
    for one, other in pairs:
        swapped = value.copy()
        swapped[one], swapped[other] = value[other], value[one]
        yield Misreading("entries-swapped", swapped, "", len(pairs) + 2)


def _is_per_sample(claim: Claim) -> bool:
    name = claim.names[0] if claim.names else ""
    return name in _PER_SAMPLE or name[:1] in "zaf" or name.startswith(("delta", "mask", "da", "df", "der"))


def _other_rows(claim: Claim, value: Array) -> Iterator[Misreading]:
    if value.ndim != 2 or not _is_per_sample(claim) or not 1 < value.shape[0] <= 20:
        return
    rows = value.shape[0]
    for i in range(rows):
        for j in range(rows):
            if i != j:
                taken = value.copy()
                taken[i] = value[j]
                yield Misreading("other-sample", taken, "", rows * (rows - 1))


def _other_entries(value: Array, wrong: list[Index], claim: Claim) -> Iterator[Misreading]:
    if value.ndim == 0 or value.size > MOST_PAIRS:
        return
    per_sample = _is_per_sample(claim) and value.ndim == len((0, 1))
    for where in wrong:
        if len(where) != value.ndim:
            continue
        for other in np.ndindex(value.shape):
            if other != where and not (per_sample and other[1] == where[1]):  # that is another sample
                taken = value.copy()
                taken[where] = value[other]
                yield Misreading(
                    "wrong-index", taken, f"{claim.quantity}[{','.join(map(str, other))}]", value.size
                )


def _other_quantities(
    claim: Claim, value: Array, wrong: list[Index], quantities: Mapping[str, Array]
) -> Iterator[Misreading]:
    others = {name: np.asarray(q) for name, q in quantities.items() if name not in claim.names}
    others.pop(claim.quantity.removesuffix("_new"), None)  # that is a parameter that was not updated
    fitting = {name: q for name, q in others.items() if q.shape == value.shape}
    for name, q in fitting.items():
        yield Misreading("other-quantity", q, name, len(fitting))
    if len(wrong) != 1:
        return
    entries = [(name, where) for name, q in others.items() for where in np.ndindex(q.shape)][:MOST_PAIRS]
    for name, where in entries:
        taken = np.array(value, dtype=np.float64)
        taken[wrong[0] if taken.ndim else ()] = others[name][where]
        shown = f"{name}[{','.join(map(str, where))}]" if others[name].size > 1 else name
        yield Misreading("other-quantity", taken, shown, len(entries))
