"""Verdicts: what each printed number is, beside the calculation and beside the author's other numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
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


def judge(worlds: Worlds) -> list[Verdict]:
    """Every claim in the order of the calculation, each beside what was judged before it."""
    carried = worlds.carried()
    lost = unknown_quantities(worlds.case, worlds.steps)
    partly = unknown_quantities(worlds.case, worlds.steps, carried) if any(lost.values()) else lost
    found = []
    for claim in in_order(worlds):
        verdict = _judged(claim, worlds, lost[claim.step], partly[claim.step])
        worlds.bad |= {(claim.number, e.index) for e in verdict.entries if e.verdict in ALARMS}
        found.append(verdict)
    return found


def _judged(claim: Claim, worlds: Worlds, lost: frozenset[str], partly: frozenset[str]) -> Verdict:
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
    waiting = dict(claim.entries)
    verdicts: dict[Index, str] = {}

    def settle(verdict: str, routes: Iterable[Route], test: Callable[[Printed, float], bool]) -> None:
        """The verdict for all that are still waiting and pass the test on some route."""
        if not waiting:
            return
        for route in routes:
            for where in [where for where, p in waiting.items() if test(p, _at(route.value, where))]:
                verdicts[where] = verdict
                del waiting[where]
            if not waiting:
                return

    def stands(printed: Printed, value: float) -> bool:
        return printed.stands_for(value, claim.step)

    settle(EXACT, [Route("full", full)], stands)
    settle(ROUNDED, worlds.pure(claim), stands)
    settle(TRUNCATED, _and(Route("full", full), worlds.pure(claim)), Printed.cut_off_from)
    settle(ROUNDED, worlds.mixtures(claim), stands)
    settle(ROUNDED, worlds.by_hand(claim), stands)
    if worlds.bad:
        settle(FOLLOWS, worlds.follows(claim), stands)
        settle(FOLLOWS, worlds.follows(claim), Printed.cut_off_from)
        settle(FOLLOWS, worlds.mixtures(claim, wrong=True), stands)
    settle(LAST_DIGIT, [Route("full", full)], Printed.one_off)
    entries = tuple(
        Entry(where, printed, _finite(_at(full, where)), verdicts.get(where, WRONG))
        for where, printed in claim.entries.items()
    )
    return Verdict(claim, entries)


def _and(first: Route, others: Iterable[Route]) -> Iterator[Route]:
    yield first
    yield from others


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
