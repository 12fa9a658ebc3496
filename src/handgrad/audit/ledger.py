"""The author's printed numbers, by step and quantity: all of them, those that hold so far, and the wrong ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from handgrad.audit.claims import Claim, Index
from handgrad.nn.arrays import Array

Place = tuple[int, Index]
"""A number of a claim: the claim's number, the place of the entry."""

Carried = dict[int, dict[str, Array]]
"""Printed numbers by step and quantity, NaN where none is."""


class Ledger:
    """Keeps the printed numbers in the shapes of their quantities; `condemn` moves some to the wrong ones.

    `version` counts the condemnations, `changes` has the first step that each of them touched.
    """

    def __init__(self, claims: tuple[Claim, ...]) -> None:
        self._claims = {claim.number: claim for claim in claims}
        self._of: dict[tuple[int, str], list[Claim]] = {}
        for claim in claims:
            if claim.formula is None:
                self._of.setdefault(carried_as(claim), []).append(claim)
        self.bad: set[Place] = set()
        self.changes: list[int] = []
        self.all = self.where(lambda place: True)
        self.right = {step: dict(held) for step, held in self.all.items()}
        self.wrong: Carried = {}

    @property
    def version(self) -> int:
        """How often something was condemned."""
        return len(self.changes)

    def where(self, keeps: Callable[[Place], bool]) -> Carried:
        """The printed numbers whose place passes the test."""
        found: Carried = {}
        for (step, name), claims in self._of.items():
            array = self._array(claims, keeps)
            if array is not None:
                found.setdefault(step, {})[name] = array
        return found

    def _array(self, claims: list[Claim], keeps: Callable[[Place], bool]) -> Array | None:
        array = np.full(claims[0].shape, np.nan)
        for claim in claims:
            for where, printed in claim.entries.items():
                if keeps((claim.number, where)):
                    array[where] = printed.value
        return None if np.all(np.isnan(array)) else array

    def condemn(self, places: Iterable[Place]) -> None:
        """These numbers are wrong: they are no longer carried with the right ones."""
        new = set(places) - self.bad
        if not new:
            return
        self.bad |= new
        touched = {carried_as(self._claims[number]) for number, _ in new}
        for step, name in touched:
            claims = self._of.get((step, name), [])
            if claims:
                _put(self.right, step, name, self._array(claims, lambda place: place not in self.bad))
                _put(self.wrong, step, name, self._array(claims, lambda place: place in self.bad))
        self.changes.append(min(step for step, _ in touched))

    def first_change(self, since: int) -> int:
        """The first step that was touched since that version."""
        return min(self.changes[since:])


def _put(held: Carried, step: int, name: str, array: Array | None) -> None:
    of_step = dict(held.get(step, {}))  # runs that were made keep the one they were given
    if array is None:
        of_step.pop(name, None)
    else:
        of_step[name] = array
    held[step] = of_step


def carried_as(claim: Claim) -> tuple[int, str]:
    """Step and quantity; a weight at the start of a later step is the new weight of the one before."""
    if claim.step > 1 and claim.quantity[0] in "Wb" and claim.quantity[1:].isdigit():
        return claim.step - 1, f"{claim.quantity}_new"
    return claim.step, claim.quantity
