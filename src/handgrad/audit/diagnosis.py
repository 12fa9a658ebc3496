"""From a wrong number to the mistake behind it: every alternative of the catalogue is run and compared.

A match of d digits could be an accident with a chance of about 10^-d for each alternative that was tried. So
a match counts its bits, the choice of the alternative costs the bits that name it among all that were tried, and
a cause is named only where the sum is well above zero: short numbers need more than one match.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

import numpy as np

from handgrad.audit.alternative import Alternative
from handgrad.audit.claims import Claim
from handgrad.audit.matching import Waiting, gain, matches, value_of
from handgrad.audit.miscopied import all_solved, with_given
from handgrad.audit.misreadings import Misreading, misreadings
from handgrad.audit.mistakes import CODES, MISTAKES
from handgrad.audit.rerun import Numbers, Seen, World, rerun
from handgrad.audit.verdicts import ALARMS, FOLLOWS, ROOTS, WRONG, Entry, Verdict
from handgrad.audit.worlds import LONG, Place, Worlds
from handgrad.cases.case import Case
from handgrad.errors import HandgradError
from handgrad.nn.arrays import Array

LIKELY, SURE = 2.0, 10.0
"""Bits from which on a cause is named, and from which on it is called sure."""
_FEW_STEPS = 3
_AMONG_CODES = math.log2(len(CODES))
_CONTRADICTION = 4.0
"""Bits that a right number costs which the mistake would have changed, for some of them at most."""
_MOST_AGAINST, _MOST_FINER = 3, 8
_OWN = 1.0
"""Bits for a mistake in the first wrong number's own equation: all before it is right, as far as it is printed."""
_SOLVED_ROOTS = 3
_READING = _AMONG_CODES + 2.0
"""Bits that a misreading costs: the equations have the first word."""


@dataclass(frozen=True)
class Explanation:
    """A named cause: its code, the layer, what else the sentence mentions, the numbers that it explains, its bits."""

    code: str
    places: frozenset[Place]
    bits: float
    layer: int | None = None
    details: Mapping[str, str] = field(default_factory=dict)
    alternative: Alternative | None = None

    @property
    def sure(self) -> bool:
        """True where an accident is as good as excluded."""
        return self.bits >= SURE


@dataclass(frozen=True, eq=False)
class _Run:
    """An alternative with the values that it gives, by step.

    From full precision, from the printed numbers, and from these with every other result rounded.
    """

    code: str
    alternative: Alternative
    siblings: int
    runs: tuple[Mapping[int, Seen], ...]


def diagnose(worlds: Worlds, verdicts: list[Verdict]) -> tuple[list[Verdict], list[Explanation]]:
    """The verdicts with their causes, and the causes themselves."""
    waiting = {
        (verdict.claim.number, entry.index): (verdict.claim, entry)
        for verdict in verdicts
        for entry in verdict.entries
        if entry.verdict in ROOTS
    }
    if not waiting:
        return verdicts, []
    right = [
        (verdict.claim, entry)
        for verdict in verdicts
        for entry in verdict.entries
        if entry.verdict not in ALARMS and entry.computed is not None
    ]
    found: list[Explanation] = []
    runs = list(_runs(worlds, {claim.step for claim, _ in waiting.values()}, right))
    while waiting:
        best = max(_explanations(worlds, runs, waiting, right), key=_preference, default=None)
        if best is None or best.bits < LIKELY:
            break
        found.append(best)
        for place in best.places:
            waiting.pop(place, None)
    found += _far(worlds, waiting, found)
    verdicts = _side_by_side(worlds, verdicts, found)
    return [_with_cause(verdict, found) for verdict in verdicts], found


def _preference(explanation: Explanation) -> tuple[float, int]:
    return round(explanation.bits, 6), -CODES.index(explanation.code)


def _runs(worlds: Worlds, steps: set[int], right: object) -> Iterator[_Run]:
    """Every alternative of the catalogue, run over the steps in which something is wrong."""
    near = {step for step in steps if step <= LONG}
    if not near:
        return
    carried = worlds.ledger.all
    finest = max(worlds.decimals, default=None)
    for mistake in MISTAKES:
        alternatives = [] if mistake.making is None else list(mistake.making(worlds.case))
        for alternative in alternatives:
            try:
                runs = tuple(_run(worlds, alternative, near, put) for put in ({}, carried))
                if alternative.digits is None and finest is not None and len(near) <= _FEW_STEPS:
                    runs += (_run(worlds, replace(alternative, digits=finest), near, carried),)
            except (HandgradError, KeyError, ValueError, IndexError):
                continue  # this mistake cannot be made in this case
            yield _Run(mistake.code, alternative, len(alternatives), runs)


def _run(
    worlds: Worlds, alternative: Alternative, steps: Iterable[int], carried: Mapping[int, Numbers]
) -> dict[int, Seen]:
    world = World(
        alternative.case or worlds.case,
        carried,
        alternative.rewrites,
        digits=alternative.digits,
        single=alternative.single,
        gaps=worlds.gaps,
    )
    return rerun(world, list(steps))


def _explanations(
    worlds: Worlds, runs: list[_Run], waiting: Waiting, right: list[tuple[Claim, Entry]]
) -> Iterator[Explanation]:
    near = max(2, sum(_acts(worlds, run, waiting) for run in runs))
    for run in runs:
        yield from _by_alternative(worlds, run, waiting, right, near)
    by_claim: dict[int, list[Place]] = {}
    for place in waiting:
        by_claim.setdefault(place[0], []).append(place)
    for places in by_claim.values():
        yield from _by_misreading(worlds, places, waiting)
    for places in list(by_claim.values())[:_SOLVED_ROOTS]:
        yield from _by_input(worlds, places, waiting)


def _acts(worlds: Worlds, run: _Run, waiting: Waiting) -> bool:
    """True where the alternative changes the first wrong number, whatever was printed before it."""
    claim, entry = next(iter(waiting.values()))
    base = value_of(worlds, claim, entry.index, worlds.printed)
    other = value_of(worlds, claim, entry.index, run.runs[1])
    return base is not None and other is not None and not abs(other - base) < entry.printed.unit / 2


def _by_alternative(
    worlds: Worlds, run: _Run, waiting: Waiting, right: list[tuple[Claim, Entry]], near: int
) -> Iterator[Explanation]:
    """The alternative, where it matches something.

    With everything printed carried forward only the `near` alternatives that act between the last printed
    number and the wrong one are in the running; without it, all of them are.
    """
    sets = [matches(worlds, seen, waiting, run.alternative) for seen in run.runs]
    if len(sets) > len(("full", "printed")):
        sets[2] -= matches(worlds, worlds.printed_rounded, waiting)  # what needs no mistake
    matched = set().union(*sets)
    if not matched:
        return
    explained = {(waiting[place][0].step, waiting[place][0].quantity, place[1]) for place in matched}
    steps = {waiting[place][0].step for place in matched}
    others = [
        (claim, entry)
        for claim, entry in right
        if claim.step in steps and (claim.step, claim.quantity, entry.index) not in explained
    ]
    digits = run.alternative.digits
    against = 0 if digits is None else sum(1 for _ in islice(_finer(others, digits), _MOST_FINER))
    against += sum(
        1 for _ in islice((1 for each in others if _contradicted(worlds, run, *each)), _MOST_AGAINST)
    )
    bits = gain(matched, waiting) - _CONTRADICTION * against
    bits -= math.log2(near) if matched <= set().union(*sets[1:]) else _AMONG_CODES + math.log2(run.siblings)
    details = _details(run.alternative)
    first = next(claim.quantity for place, (claim, _) in waiting.items() if place in matched)
    if first in run.alternative.rewrites:
        bits += _OWN
    yield Explanation(run.code, frozenset(matched), bits, run.alternative.layer, details, run.alternative)


def _contradicted(worlds: Worlds, run: _Run, claim: Claim, entry: Entry) -> bool:
    """True where a right number would be another one with this mistake, whatever rounding did to it before."""
    value = value_of(worlds, claim, entry.index, run.runs[1])
    without = value_of(worlds, claim, entry.index, worlds.printed)
    if value is None or without is None:
        return value is None and without is not None
    unchanged = abs(value - without) < entry.printed.unit / 2
    return not (unchanged or entry.printed.stands_for(value, claim.step) or entry.verdict != "exact")


def _finer(right: Iterable[tuple[Claim, Entry]], digits: int) -> Iterator[Entry]:
    """Right numbers that have more digits than all are said to have been rounded to."""
    unit = 10.0**-digits
    for _, entry in right:
        value = entry.printed.value
        if abs(value / unit - round(value / unit)) * unit > entry.printed.unit / 2:
            yield entry


def _details(alternative: Alternative) -> dict[str, str]:
    return {} if alternative.digits is None else {"digits": str(alternative.digits)}


def _by_misreading(worlds: Worlds, places: list[Place], waiting: Waiting) -> Iterator[Explanation]:
    claim = waiting[places[0]][0]
    wrong = [place[1] for place in places]
    found: dict[tuple[int, str, str], tuple[Misreading, list[Array]]] = {}
    runs = [worlds.full, worlds.clean()]
    if worlds.decimals and claim.step <= LONG:
        runs.append(worlds.rounding(max(worlds.decimals)))
    for run in runs:
        value = worlds.value(claim, run[claim.step])
        if value is None:
            continue
        others = misreadings(claim, np.asarray(value, dtype=np.float64), wrong, run[claim.step])
        for number, other in enumerate(others):
            _, both = found.setdefault((number, other.code, other.other), (other, []))
            both.append(other.values)
    for other, both in found.values():
        details = {"other": other.other}
        yield from _taken(claim, other.code, both, other.siblings, details, places, waiting)
    for code, step in (("step-early", claim.step - 1), ("step-late", claim.step + 1)):
        near = worlds.near(claim, step)
        yield from _taken(claim, code, near, 1, {"step": str(step)}, places, waiting)


def _taken(
    claim: Claim,
    code: str,
    runs: Sequence[Array],
    siblings: int,
    details: Mapping[str, str],
    places: list[Place],
    waiting: Waiting,
) -> Iterator[Explanation]:
    """The misreading, where it matches; each number as it is in full precision, or from the printed ones."""
    matched = set()
    for place in places:
        entry = waiting[place][1]
        for values in runs:
            value = float(values[entry.index]) if values.ndim else float(values)
            if entry.printed.stands_for(value, claim.step):
                matched.add(place)
    if matched:
        bits = gain(matched, waiting) - _READING - math.log2(max(1, siblings))
        yield Explanation(code, frozenset(matched), bits, None, details)


def _by_input(worlds: Worlds, places: list[Place], waiting: Waiting) -> Iterator[Explanation]:
    """One given number read wrongly: solved for with the first wrong entry, tried on all of them."""
    claim, entry = waiting[places[0]]
    if claim.step > LONG or entry.printed.value == 0:
        return
    carried = worlds.ledger.all

    def value_in(case: Case) -> float:
        seen = rerun(World(case, carried), [claim.step])
        value = value_of(worlds, claim, entry.index, seen)
        return math.nan if value is None else value

    steps = sorted({waiting[place][0].step for place in waiting if waiting[place][0].step <= LONG})
    for given, short, tried in all_solved(worlds.case, entry.printed.value, entry.printed.unit, value_in):
        changed = with_given(worlds.case, given, short)
        matched = set()
        for put in (carried, {}):
            matched |= matches(worlds, rerun(World(changed, put), steps), waiting)
        if matched:
            bits = gain(matched, waiting) - _READING - math.log2(tried)
            details = {"given": given.shown, "right": f"{given.value:g}", "read": f"{short:g}"}
            yield Explanation("miscopied-input", frozenset(matched), bits, None, details)


# -- after long trainings


def _far(
    worlds: Worlds, waiting: dict[Place, tuple[Claim, Entry]], found: list[Explanation]
) -> list[Explanation]:
    """Mistakes that explained something near, tried on what a long training shows."""
    far = {place: held for place, held in waiting.items() if held[0].step > LONG}
    codes = {explanation.code for explanation in found}
    named = []
    for mistake in MISTAKES:
        if mistake.making is None or mistake.code not in codes or not far:
            continue
        for alternative in list(mistake.making(worlds.case))[:1]:
            seen = _run(worlds, alternative, {claim.step for claim, _ in far.values()}, {})
            matched = matches(worlds, seen, far)
            bits = gain(matched, far) - _AMONG_CODES
            if matched and bits >= LIKELY:
                named.append(
                    Explanation(mistake.code, frozenset(matched), bits, alternative.layer, {}, alternative)
                )
                for place in matched:
                    far.pop(place)
                    waiting.pop(place)
    return named


def _side_by_side(worlds: Worlds, verdicts: list[Verdict], found: list[Explanation]) -> list[Verdict]:
    """Numbers of one step that a mistake in earlier steps explains are roots side by side.

    A program that trained with a mistake prints both yhat and the loss: neither was worked out from the other.
    """
    roots = {place: one for one in found if one.alternative is not None for place in one.places}
    return [_beside(worlds, verdict, roots) for verdict in verdicts]


def _beside(worlds: Worlds, verdict: Verdict, roots: dict[Place, Explanation]) -> Verdict:
    claim = verdict.claim
    if claim.step == 1 or not any(entry.verdict == FOLLOWS for entry in verdict.entries):
        return verdict
    causes = {id(one): one for (number, _), one in roots.items() if worlds.claims[number].step == claim.step}
    for cause in causes.values():
        assert cause.alternative is not None
        seen = _run(worlds, cause.alternative, {claim.step}, {})
        made = {
            entry.index
            for entry in verdict.entries
            if entry.verdict == FOLLOWS and _from_before(worlds, claim, entry, cause.alternative, seen)
        }
        if made:
            entries = tuple(
                replace(entry, verdict=WRONG) if entry.index in made else entry for entry in verdict.entries
            )
            return replace(verdict, entries=entries, explanation=cause)
    return verdict


def _from_before(
    worlds: Worlds, claim: Claim, entry: Entry, alternative: Alternative, seen: Mapping[int, Seen]
) -> bool:
    """True where the mistake in earlier steps, and nothing printed before, gives this number."""
    value = value_of(worlds, claim, entry.index, seen)
    if value is None or not entry.printed.stands_for(value, claim.step):
        return False
    here = World(alternative.case or worlds.case, {}, alternative.rewrites)
    local = rerun(here, [claim.step], (claim.step, worlds.full[claim.step].before))
    earlier = {place for place in worlds.ledger.bad if worlds.claims[place[0]].step < claim.step}
    carried = rerun(
        World(worlds.case, worlds.ledger.where(lambda place: place in earlier), gaps=worlds.gaps),
        [claim.step],
    )
    full = entry.computed
    same = [value_of(worlds, claim, entry.index, run) for run in (local, carried)]
    return full is not None and all(
        other is not None and abs(other - full) < entry.printed.unit / 2 for other in same
    )


def _with_cause(verdict: Verdict, found: list[Explanation]) -> Verdict:
    """The verdict with the first cause that explains one of its numbers."""
    if verdict.explanation is not None:
        return verdict
    places = {(verdict.claim.number, entry.index) for entry in verdict.entries}
    cause = next((explanation for explanation in found if explanation.places & places), None)
    return replace(verdict, explanation=cause)


__all__ = ["FOLLOWS", "WRONG", "Explanation", "diagnose"]
