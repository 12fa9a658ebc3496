"""The runs that claims are compared with: in full precision, and with the author's own numbers carried forward."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice, product
from typing import NamedTuple

import numpy as np

from handgrad.audit.by_hand import shortenings, worked_by_hand
from handgrad.audit.claims import Claim, Index
from handgrad.audit.ledger import Ledger, Place, carried_as
from handgrad.audit.needs import read_by
from handgrad.audit.rerun import Gaps, Seen, World, rerun, step_again
from handgrad.audit.toggles import Toggles
from handgrad.cases.case import Case
from handgrad.nn.arrays import Array
from handgrad.nn.step import Training

LONG = 300
"""Steps beyond which only the plain runs are made."""
_MOST_MIXTURES = 160
_MOST_SAMPLES, _SPREAD_RUNS = 150, 24
_AROUND, _MOST_AROUND = 40, 16
_BUDGET = 2_000
_MANY_STEPS = 20
_SQUARES = ("v", "s", "u", "v_max")
"""Slots of optimizers that divide by the root of a running square."""
_FORMULA_REACH, _REACH = 50, 8


class Route(NamedTuple):
    """A way to a value: how it was carried, and the value of each entry by its quantity's equation."""

    kind: str
    value: Array


def _with_digits(seen: Seen, exact: Mapping[str, Array]) -> Seen:
    """The step with certified quantities where there are such."""
    quantities, raw = (
        {name: exact.get(name, value) for name, value in held.items()} for held in (seen.quantities, seen.raw)
    )
    return seen._replace(quantities=quantities, raw=raw)


@dataclass(eq=False)
class Worlds:
    """All runs of one case, made when they are first needed.

    The ledger knows what was judged wrong so far; what is carried leaves that out, or not.
    """

    case: Case
    claims: tuple[Claim, ...]
    _made: dict[str, tuple[int, dict[int, Seen]]] = field(default_factory=dict)
    _samples: dict[bool, tuple[int | None, list[dict[int, Seen]]]] = field(default_factory=dict)
    spent: int = 0
    """Steps that were run in search of roundings; beyond a limit the search ends."""
    _near: dict[int, Seen] = field(default_factory=dict)
    exact: Mapping[int, Mapping[str, Array]] = field(default_factory=dict)
    """Certified quantities by step, in the place of what float64 comes to."""
    gaps: Gaps = field(default_factory=dict)

    @cached_property
    def ledger(self) -> Ledger:
        """The printed numbers."""
        return Ledger(self.claims)

    @cached_property
    def steps(self) -> tuple[int, ...]:
        """The steps that claims are about, and the last one before a far step."""
        steps = {claim.step for claim in self.claims}
        return tuple(sorted(steps | {step - 1 for step in steps if step > LONG})) or (1,)

    @cached_property
    def full(self) -> dict[int, Seen]:
        """Every step in full precision, or with certified digits where they are known."""
        seen = rerun(World(self.case, gaps=self.gaps), self.steps)
        return {number: _with_digits(step, self.exact.get(number, {})) for number, step in seen.items()}

    @cached_property
    def decimals(self) -> tuple[int, ...]:
        """The numbers of decimals that the author prints."""
        units = {printed.unit for claim in self.claims for printed in claim.entries.values()}
        found = sorted({max(0, round(-np.log10(unit))) for unit in units}, reverse=True)
        return tuple(digits for digits in found if 0 < digits <= 12)[:4]

    @cached_property
    def written(self) -> frozenset[str]:
        """The quantities that some claim is about."""
        return frozenset(name for claim in self.claims for name in claim.names)

    @cached_property
    def chains(self) -> bool:
        """True where delta of the outputs has a short form, and the author printed dyhat all the same."""
        loss, output = self.case.network.loss, self.case.network.layers[-1].function.name
        return "dyhat" in self.written and loss is not None and loss.fused(output)

    def _run(self, key: str, world: World, last: int | None = None) -> dict[int, Seen]:
        """The run, made again only from the first step on which it differs from the last one of this name."""
        made = self._made.get(key)
        if made is not None and made[0] == self.ledger.version:
            return made[1]
        steps = [step for step in self.steps if last is None or step <= last]
        if made is None:
            seen = rerun(world, steps)
        else:
            changed = self.ledger.first_change(made[0])
            start = max((step for step in steps if step <= changed), default=None)
            later = {step for step in steps if start is None or step >= start}
            before = None if start is None else (start, made[1][start].before)
            seen = {**made[1], **rerun(world, later, before)} if later else made[1]
        self._made[key] = (self.ledger.version, seen)
        return seen

    def clean(self, chained: bool = False) -> dict[int, Seen]:
        """Everything printed is carried but what was judged wrong."""
        world = World(self.case, dict(self.ledger.right), gaps=self.gaps, chained=chained)
        return self._run(f"clean{chained}", world)

    @cached_property
    def printed(self) -> dict[int, Seen]:
        """Everything printed is carried, right or wrong."""
        return rerun(World(self.case, self.ledger.all, gaps=self.gaps), self.steps)

    @cached_property
    def printed_chained(self) -> dict[int, Seen]:
        """The same, with delta of the outputs from the printed dyhat."""
        return rerun(World(self.case, self.ledger.all, gaps=self.gaps, chained=True), self.steps)

    @cached_property
    def printed_rounded(self) -> dict[int, Seen]:
        """Everything printed is carried, right or wrong, and every other result is rounded to the finest decimals."""
        world = World(self.case, self.ledger.all, digits=max(self.decimals), gaps=self.gaps)
        return rerun(world, [step for step in self.steps if step <= LONG])

    def wrong_only(self) -> dict[int, Seen]:
        """Only what was judged wrong is carried."""
        return self._run("wrong", World(self.case, dict(self.ledger.wrong), gaps=self.gaps))

    def rounding(self, digits: int, cutting: bool = False) -> dict[int, Seen]:
        """Everything printed is carried but what was judged wrong; every other result is rounded, or cut off."""
        world = World(self.case, dict(self.ledger.right), gaps=self.gaps, digits=digits, cutting=cutting)
        return self._run(f"rounded{digits}{cutting}", world, LONG)

    @cached_property
    def spread(self) -> dict[int, dict[str, Array]]:
        """How far rounding on the way can lead, by step and quantity, whatever was printed."""
        if not self.decimals:
            return {}
        coarse, near = min(self.decimals), [step for step in self.steps if step <= LONG]
        reach: dict[int, dict[str, Array]] = {step: {} for step in near}
        for seed in range(_SPREAD_RUNS if near else 0):
            mixed = None if seed < len((False, True)) else seed
            world = World(self.case, {}, digits=coarse, mixed=mixed, cutting=seed % 2 == 1, gaps=self.gaps)
            run = rerun(world, near)
            for step in near:
                _widen(reach[step], run[step], self.full[step])
        return reach

    def in_reach(self, claim: Claim, where: Index, from_value: float) -> bool:
        """True where rounding on the way may lead from the value to the printed number."""
        printed = claim.entries[where]
        apart = abs(printed.value - from_value)
        if claim.formula is not None or claim.step > LONG:
            return apart <= _FORMULA_REACH * printed.unit
        array = self.spread.get(claim.step, {}).get(claim.quantity)
        spread = 0.0 if array is None else float(array[where] if array.ndim else array)
        return not apart > _REACH * spread + 3 * printed.unit

    def near(self, claim: Claim, step: int) -> list[Array]:
        """The claim's quantity in another step: in full precision, and from what is printed there."""
        if step < 1 or (self.case.recipe is None and step > 1):
            return []
        if step not in self.full and step not in self._near:
            start = max((other for other in self.full if other <= step), default=None)
            before = None if start is None else (start, self.full[start].before)
            self._near.update(rerun(World(self.case), [step], before))
        runs = [self.full.get(step) or self._near[step]]
        if step in self.printed:
            runs.append(self.printed[step])
        return [value for seen in runs if (value := self.value(claim, seen)) is not None]

    # -- the value that a claim is compared with

    def value(self, claim: Claim, seen: Seen) -> Array | None:
        """What the claim's equation gives in a run; None where it cannot be computed."""
        if claim.formula is not None:
            try:
                return claim.formula(seen.quantities)
            except (KeyError, ValueError, IndexError):
                return None
        found = seen.equation(claim.quantity)
        return None if found is None else np.asarray(found)

    def _routes(self, claim: Claim, runs: Iterable[tuple[str, Mapping[int, Seen]]]) -> Iterator[Route]:
        for kind, run in runs:
            value = self.value(claim, run[claim.step])
            if value is not None:
                yield Route(kind, value)

    def pure(self, claim: Claim) -> Iterator[Route]:
        """The author's right numbers carried, or each result rounded as printed."""

        def runs() -> Iterator[tuple[str, Mapping[int, Seen]]]:
            yield "carried", self.clean()
            if self.chains:
                yield "carried", self.clean(chained=True)
            if claim.step <= LONG:
                for digits in self.decimals:
                    yield "rounded", self.rounding(digits)

        return self._routes(claim, runs())

    def cut(self, claim: Claim) -> Iterator[Route]:
        """What is not printed cut off on the way."""
        digits = self.decimals if claim.step <= LONG else ()
        return self._routes(claim, (("cut", self.rounding(d, cutting=True)) for d in digits))

    def follows(self, claim: Claim) -> Iterator[Route]:
        """The author's wrong numbers carried: with the right ones, or alone."""

        def runs() -> Iterator[tuple[str, Mapping[int, Seen]]]:
            yield "follows", self.printed
            if self.chains:
                yield "follows", self.printed_chained
            yield "follows", self.wrong_only()

        return self._routes(claim, runs())

    def by_hand(self, claim: Claim) -> Iterator[Route]:
        """Exponentials rounded before they are used."""
        if not any(name == "yhat" or name.startswith("a") for name in claim.names) or claim.step > LONG:
            return
        finest = max((digits for digits in self.decimals), default=4)
        unit = min(printed.unit for printed in claim.entries.values())
        own = min(finest, max(1, round(-np.log10(unit))))
        for short in shortenings(own):
            world = World(
                self.case,
                dict(self.ledger.right),
                worked_by_hand(self.case.network, short),
                gaps=self.gaps,
            )
            yield from self._routes(claim, [("rounded", rerun(world, [claim.step], self._start(claim.step)))])

    def samples(self, claim: Claim, wrong: bool = False) -> Iterator[Route]:
        """Ways along the whole calculation on which now the rounded and now the unrounded result was used."""
        for count in range(_MOST_SAMPLES if claim.step <= LONG else 0):
            if self.spent > _BUDGET:
                return
            yield from self._routes(claim, [("mixed", self._sampled(count, wrong))])

    def ways(self, claim: Claim) -> Iterator[Route]:
        """Ways over several updates on which some printed numbers were used again, and the others unrounded."""
        if not 1 < max(self.steps) <= _MANY_STEPS or self.spent > _BUDGET:
            return
        bad = {carried_as(self.claims[number]) for number, _ in self.ledger.bad}
        for seen in self._toggles.ways_to(claim, bad):
            yield from self._routes(claim, [("mixed", {claim.step: seen})])

    def among_ways(self, claim: Claim) -> Iterator[Route]:
        """After an update by an adaptive optimizer: of the numbers that ways span the one nearest to the printed."""
        rule = None if self.case.recipe is None else self.case.recipe.optimizer
        adaptive = rule is not None and any(slot in _SQUARES for slot in rule.slots)
        if not adaptive or claim.step == 1 or max(self.steps) > _MANY_STEPS:
            return
        bad = frozenset(carried_as(self.claims[number]) for number, _ in self.ledger.bad)
        span = self._toggles.among(claim, bad)
        if span is not None:
            printed = np.full(span[0].shape, np.nan)
            for where, number in claim.entries.items():
                printed[where] = number.value
            yield Route("mixed", np.clip(printed, *span))

    @cached_property
    def _toggles(self) -> Toggles:
        return Toggles(self.case, self.claims, self.ledger.all, self.full, self.gaps)

    def _sampled(self, number: int, wrong: bool) -> Mapping[int, Seen]:
        version = -1 if wrong else self.ledger.version
        if self._samples.get(wrong, (None, []))[0] != version:
            self._samples[wrong] = version, []
        made = self._samples[wrong][1]
        while len(made) <= number:
            k = len(made)
            digits = self.decimals[k // 3 % len(self.decimals)] if self.decimals else None
            carried = self.ledger.all if wrong else dict(self.ledger.right)
            world = World(self.case, carried, digits=digits, mixed=k, cutting=k % 3 == 2, gaps=self.gaps)
            self.spent += len(self.steps)
            made.append(rerun(world, [step for step in self.steps if step <= LONG]))
        return made[number]

    def _start(self, step: int) -> tuple[int, Training]:
        return step, self.clean()[step].before

    def mixtures(self, claim: Claim, wrong: bool = False) -> Iterator[Route]:
        """Each number that the equation reads taken from any run: in full, as printed, or rounded on the way."""
        runs = [self.full, self.printed if wrong else self.clean()]
        if wrong:
            runs.append(self.wrong_only())
        elif claim.step <= LONG:
            runs += [self.rounding(digits) for digits in self.decimals]
        yield from self._mixtures_of(claim, [run[claim.step] for run in runs], _MOST_MIXTURES)

    def around_samples(self, claim: Claim) -> Iterator[Route]:
        """The same around the first samples: what came before as it comes there, what is read now in every way."""
        if claim.step > LONG or claim.formula is not None:
            return
        clean = self.clean()[claim.step]
        for number in range(_AROUND if self.spent <= _BUDGET else 0):
            seen = self._sampled(number, wrong=False)[claim.step]
            both = Seen({**clean.quantities, **_rounded_of(seen)}, seen.raw, seen.before)
            yield from self._mixtures_of(claim, [both], _MOST_AROUND)

    def _mixtures_of(self, claim: Claim, seen: list[Seen], most: int) -> Iterator[Route]:
        network, known = self.case.network, list(seen[0].quantities)
        names = claim.names if claim.formula else read_by(claim.quantity, network, known, self.written)
        if not claim.formula:
            names = tuple(name for name in names if name in seen[0].raw)
        options = [_options(name, seen) for name in names]
        if not names:
            return
        for chosen in islice(product(*options), most):
            if self.spent > _BUDGET:
                return
            put = dict(zip(names, chosen, strict=True))
            yield from self._mixed(claim, put, seen)

    def _mixed(self, claim: Claim, put: dict[str, Array], seen: list[Seen]) -> Iterator[Route]:
        kind = "mixed"
        if claim.formula is not None:
            value = self.value(claim, Seen({**seen[0].quantities, **put}, {}, seen[0].before))
            if value is not None:
                yield Route(kind, value)
            return
        befores = seen[:2] if claim.step > 1 else seen[:1]
        for one in befores:
            for chained in (False, True) if self.chains and "dyhat" in put else (False,):
                self.spent += 1
                again = step_again(World(self.case, gaps=self.gaps), one.before, claim.step, put, chained)
                value = self.value(claim, again)
                if value is not None:
                    yield Route(kind, value)


def _rounded_of(seen: Seen) -> dict[str, Array]:
    """What a run went on with where that is not what its equation gave."""
    return {name: used for name, used in seen.quantities.items() if used is not seen.raw.get(name)}


def _widen(reach: dict[str, Array], run: Seen, full: Seen) -> None:
    for name, exact in full.quantities.items():
        other = run.equation(name)
        if other is not None and other.shape == exact.shape:
            apart = np.abs(other - exact)
            reach[name] = apart if name not in reach else np.fmax(reach[name], apart)


def _options(name: str, seen: list[Seen]) -> list[Array]:
    """The values that a quantity has in some run, before and after it was rounded; each once."""
    found: list[Array] = []
    for one in seen:
        for values in (one.quantities.get(name), one.raw.get(name)):
            if values is not None and not any(np.array_equal(values, other) for other in found):
                found.append(np.asarray(values))
    return found


__all__ = ["LONG", "Place", "Route", "Worlds"]
