"""Verdicts: what each printed number is, beside the calculation and beside the author's other numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from handgrad.audit.claims import Claim, Index
from handgrad.audit.printed import Printed
from handgrad.audit.rerun import World, rerun
from handgrad.audit.unknown import unknown_quantities
from handgrad.audit.worlds import Route, Worlds
from handgrad.nn.arrays import Array

EXACT, ROUNDED, TRUNCATED = "exact", "rounded", "truncated"
UNKNOWN, LAST_DIGIT, FOLLOWS, WRONG = "not-recomputable", "last-digit", "wrong-propagated", "wrong"
VERDICTS = (EXACT, ROUNDED, TRUNCATED, UNKNOWN, LAST_DIGIT, FOLLOWS, WRONG)
"""From the best to the worst; an array has the worst of its entries."""
ROOTS = (LAST_DIGIT, WRONG)
ALARMS = (LAST_DIGIT, FOLLOWS, WRONG)


class Cause(Protocol):
    """What a verdict tells of the mistake behind it."""

    @property
    def code(self) -> str:
        """The code in the catalogue of mistakes."""
        ...


@dataclass(frozen=True)
class Entry:
    """One number: as it was printed, as it should be (None where that cannot be known), and its verdict."""

    index: Index
    printed: Printed
    computed: float | None
    verdict: str


@dataclass(frozen=True)
class Verdict:
    """A claim judged, entry by entry; `cause` is a code of the catalogue of mistakes, `why` its words."""

    claim: Claim
    entries: tuple[Entry, ...]
    missing: str = ""
    """What a number that cannot be recomputed would need."""
    explanation: Cause | None = None
    """The mistake behind what is wrong, where it could be named."""

    @property
    def verdict(self) -> str:
        """The worst verdict of the entries."""
        return max((entry.verdict for entry in self.entries), key=VERDICTS.index)

    @property
    def cause(self) -> str | None:
        """The code of the mistake; of a rounded number that rounded results were carried."""
        if self.explanation is not None:
            return self.explanation.code
        return "rounded-carried" if self.verdict == ROUNDED else None

    @property
    def root(self) -> bool:
        """True where a number is wrong that does not follow from an earlier wrong one."""
        return any(entry.verdict in ROOTS for entry in self.entries)

    @property
    def alarm(self) -> bool:
        """True where something is wrong."""
        return self.verdict in ALARMS


def in_order(worlds: Worlds) -> list[Claim]:
    """The claims in the order of the calculation; what one step does not have comes after what it has."""

    def place(claim: Claim) -> tuple[int, float, int]:
        order = {name: float(k) for k, name in enumerate(worlds.full[claim.step].quantities)}
        for name in [name for name in order if name.startswith("derivative")]:
            order[name] = order.get("a" + name.removeprefix("derivative"), 0.0) + 0.5
        last = float(len(order))
        known = [order.get(name, last) for name in claim.names]
        beside = 0.5 if claim.formula is not None else 0.0
        return claim.step, max(known, default=last) + beside, claim.number

    return sorted(worlds.claims, key=place)


def verdicts_of(worlds: Worlds) -> list[Verdict]:
    """Every claim in the order of the calculation, each beside what was judged before it."""
    carried = worlds.ledger.all
    lost = unknown_quantities(worlds.case, worlds.steps)
    partly = unknown_quantities(worlds.case, worlds.steps, carried) if any(lost.values()) else lost
    found = []
    for claim in in_order(worlds):
        verdict = _verdict(claim, worlds, lost[claim.step], partly[claim.step])
        worlds.ledger.condemn((claim.number, e.index) for e in verdict.entries if e.verdict in ALARMS)
        found.append(verdict)
    return found


def _verdict(claim: Claim, worlds: Worlds, lost: frozenset[str], partly: frozenset[str]) -> Verdict:
    full = worlds.value(claim, worlds.full[claim.step])
    if full is None or not _fits(full, claim):
        return _cannot(claim, _missing(claim, worlds))
    if lost & set(claim.names):
        if partly & set(claim.names) or worlds.case.given.keys() & set(claim.names):
            return _cannot(claim, "weights")
        # its own equation reads numbers that the author printed, although those cannot be recomputed
        full = worlds.value(claim, worlds.clean()[claim.step])
        assert full is not None
    elif _only_given(claim, worlds):
        return _cannot(claim, "given")
    settled = _Settling(claim, worlds, full)
    settled.by_what_is_right()
    if worlds.ledger.bad:
        settled.by_what_is_wrong()
    settled.take(LAST_DIGIT, [Route("full", full)], Printed.one_off)
    verdicts = settled.verdicts
    entries = tuple(
        Entry(where, printed, _finite(_at(full, where)), verdicts.get(where, WRONG))
        for where, printed in claim.entries.items()
    )
    return Verdict(claim, entries)


Test = Callable[[Printed, float], bool]


class _Settling:
    """The numbers of one claim that still wait for their verdicts."""

    def __init__(self, claim: Claim, worlds: Worlds, full: Array) -> None:
        self.claim, self.worlds, self.full = claim, worlds, full
        self.waiting = dict(claim.entries)
        self.verdicts: dict[Index, str] = {}

    def take(self, verdict: str, routes: Iterable[Route], test: Test) -> None:
        """The verdict for all that still wait and pass the test on some route."""
        if not self.waiting:
            return
        for route in routes:
            passed = [where for where, p in self.waiting.items() if test(p, _at(route.value, where))]
            for where in passed:
                self.verdicts[where] = verdict
                del self.waiting[where]
            if not self.waiting:
                return

    def stands(self, printed: Printed, value: float) -> bool:
        """The value rounds to the printed number."""
        return printed.stands_for(value, self.claim.step)

    def either(self, printed: Printed, value: float) -> bool:
        """The value rounds to the printed number, or is cut off to it."""
        return self.stands(printed, value) or printed.cut_off_from(value)

    def by_what_is_right(self) -> None:
        """Exact, or reached from the author's right numbers."""
        claim, worlds, full = self.claim, self.worlds, Route("full", self.full)
        self.take(EXACT, [full], self.stands)
        if not self._near_any([self.full]):
            return
        self.take(ROUNDED, worlds.pure(claim), self.stands)
        self.take(TRUNCATED, [full], Printed.cut_off_from)
        self.take(TRUNCATED, worlds.pure(claim), Printed.cut_off_from)
        self.take(TRUNCATED, worlds.cut(claim), Printed.cut_off_from)
        self.take(ROUNDED, worlds.mixtures(claim), self.stands)
        self.take(ROUNDED, worlds.by_hand(claim), self.stands)
        self.take(ROUNDED, worlds.ways(claim), self.either)
        self.take(ROUNDED, worlds.samples(claim), self.either)
        self.take(ROUNDED, worlds.around_samples(claim), self.either)
        self.take(ROUNDED, worlds.among_ways(claim), self.stands)

    def by_what_is_wrong(self) -> None:
        """Reached from a wrong number of the author."""
        if not self.waiting:
            return
        claim, worlds = self.claim, self.worlds
        self.take(FOLLOWS, worlds.follows(claim), self.stands)
        self.take(FOLLOWS, worlds.follows(claim), Printed.cut_off_from)
        if not self.waiting or not self._touched():
            return
        self.take(FOLLOWS, worlds.mixtures(claim, wrong=True), self.stands)
        self.take(FOLLOWS, worlds.samples(claim, wrong=True), self.either)

    def _near_any(self, values: Iterable[Array]) -> bool:
        return any(
            self.worlds.in_reach(self.claim, where, _at(value, where))
            for value in values
            for where in self.waiting
        )

    def _touched(self) -> bool:
        """True where the wrong numbers carried lead away from the full value, and not far from the printed one."""
        values = [route.value for route in self.worlds.follows(self.claim)]
        for where, printed in self.waiting.items():
            ways = [_at(value, where) for value in (self.full, *values)]
            low, high = min(ways), max(ways)
            apart = high - low
            if apart > printed.unit / 10 and low - apart <= printed.value <= high + apart:
                return True
            if apart > printed.unit / 10 and self._near_any(values):
                return True
        return False


def _at(values: Array, where: Index) -> float:
    return float(values[where]) if values.ndim else float(values)


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _fits(values: Array, claim: Claim) -> bool:
    try:
        for where in claim.entries:
            _at(values, where)
    except (IndexError, TypeError):
        return False
    return True


def _only_given(claim: Claim, worlds: Worlds) -> bool:
    """A number that the case itself gives, with nothing to compute it from."""
    name, case = claim.quantity, worlds.case
    if claim.formula is not None or name not in case.given:
        return False
    if case.X is None:
        return True
    rest = {other: value for other, value in case.given.items() if other != name}
    alone = replace(case, given=rest)
    if name not in rerun(World(alone), [claim.step])[claim.step].quantities:
        return True
    return name in unknown_quantities(alone, (claim.step,))[claim.step]


def _cannot(claim: Claim, missing: str) -> Verdict:
    entries = tuple(Entry(where, printed, None, UNKNOWN) for where, printed in claim.entries.items())
    return Verdict(claim, entries, missing)


def _missing(claim: Claim, worlds: Worlds) -> str:
    """What the case would have to give."""
    case = worlds.case
    present: Mapping[str, Any] = worlds.full[claim.step].quantities
    lacking = [name for name in claim.names if name not in present]
    if case.X is None:
        return "data.x"
    if case.network.loss is None and "dyhat" not in case.given:
        return "network.loss"
    if case.Y is None and any(name != "yhat" for name in lacking):
        return "data.y"
    if case.recipe is None and any("_" in name for name in lacking):
        return "optimizer"
    return "quantity"


def not_right(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Those with something wrong in them."""
    return [verdict for verdict in verdicts if verdict.alarm]
