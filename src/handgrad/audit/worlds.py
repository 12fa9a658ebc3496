"""The runs that claims are compared with: in full precision, and with the author's own numbers carried forward."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice, product
from typing import NamedTuple

import numpy as np

from handgrad.audit.by_hand import shortenings, worked_by_hand
from handgrad.audit.claims import Claim, Index
from handgrad.audit.needs import read_by
from handgrad.audit.rerun import Gaps, Seen, World, rerun, step_again
from handgrad.cases.case import Case
from handgrad.nn.arrays import Array
from handgrad.nn.step import Training

Place = tuple[int, Index]
"""A number of a claim: the claim's number, the place of the entry."""

LONG = 300
"""Steps beyond which only the plain runs are made."""
_MOST_MIXTURES = 160


class Route(NamedTuple):
    """A way to a value: how it was carried, and the value of each entry by its quantity's equation."""

    kind: str
    value: Array


@dataclass(eq=False)
class Worlds:
    """All runs of one case, made when they are first needed.

    `bad` holds the numbers that were judged wrong so far; what is carried leaves them out, or not.
    """

    case: Case
    claims: tuple[Claim, ...]
    bad: set[Place] = field(default_factory=set)
    _made: dict[str, tuple[frozenset[Place], dict[int, Seen]]] = field(default_factory=dict)
    _near: dict[int, Seen] = field(default_factory=dict)
    gaps: Gaps = field(default_factory=dict)

    @cached_property
    def steps(self) -> tuple[int, ...]:
        """The steps that claims are about, and the last one before a far step."""
        steps = {claim.step for claim in self.claims}
        return tuple(sorted(steps | {step - 1 for step in steps if step > LONG})) or (1,)

    @cached_property
    def full(self) -> dict[int, Seen]:
        """Every step in full precision."""
        return rerun(World(self.case, gaps=self.gaps), self.steps)

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

    def carried(
        self, keep: Collection[Place] | None = None, drop: Collection[Place] = ()
    ) -> dict[int, dict[str, Array]]:
        """The printed numbers by step and quantity, NaN where none is; only those to `keep`, none to `drop`."""
        found: dict[int, dict[str, Array]] = {}
        for claim in self.claims:
            if claim.formula is not None:
                continue
            for where, printed in claim.entries.items():
                place = (claim.number, where)
                if place in drop or (keep is not None and place not in keep):
                    continue
                step, name = _carried_as(claim)
                whole = found.setdefault(step, {}).setdefault(name, np.full(claim.shape, np.nan))
                whole[where] = printed.value
        return found

    def _run(
        self, key: str, world: World, version: frozenset[Place], last: int | None = None
    ) -> dict[int, Seen]:
        """The run, made again only from the first step on which it differs from the last one of this name."""
        made = self._made.get(key)
        if made is not None and made[0] == version:
            return made[1]
        steps = [step for step in self.steps if last is None or step <= last]
        if made is None:
            seen = rerun(world, steps)
        else:
            changed = min(self._step_of(place) for place in made[0] ^ version)
            start = max((step for step in steps if step <= changed), default=None)
            later = {step for step in steps if start is None or step >= start}
            before = None if start is None else (start, made[1][start].before)
            seen = {**made[1], **rerun(world, later, before)}
        self._made[key] = (version, seen)
        return seen

    def _step_of(self, place: Place) -> int:
        return _carried_as(self.claims[place[0]])[0]

    def clean(self, chained: bool = False) -> dict[int, Seen]:
        """Everything printed is carried but what was judged wrong."""
        return self._run(
            f"clean{chained}",
            World(self.case, self.carried(drop=self.bad), gaps=self.gaps, chained=chained),
            frozenset(self.bad),
        )

    def printed(self, chained: bool = False) -> dict[int, Seen]:
        """Everything printed is carried, right or wrong."""
        return self._run(
            f"printed{chained}",
            World(self.case, self.carried(), gaps=self.gaps, chained=chained),
            frozenset(),
        )

    def wrong_only(self) -> dict[int, Seen]:
        """Only what was judged wrong is carried."""
        return self._run(
            "wrong", World(self.case, self.carried(keep=self.bad), gaps=self.gaps), frozenset(self.bad)
        )

    def rounding(self, digits: int) -> dict[int, Seen]:
        """Everything printed is carried but what was judged wrong; every other result is rounded."""
        world = World(self.case, self.carried(drop=self.bad), gaps=self.gaps, digits=digits)
        return self._run(f"rounded{digits}", world, frozenset(self.bad), LONG)

    def near(self, claim: Claim, step: int) -> Array | None:
        """The claim's quantity in full precision in another step; None where there is no such step."""
        if step < 1 or (self.case.recipe is None and step > 1):
            return None
        if step in self.full:
            return self.value(claim, self.full[step])
        if step not in self._near:
            start = max((other for other in self.full if other <= step), default=None)
            before = None if start is None else (start, self.full[start].before)
            self._near.update(rerun(World(self.case), [step], before))
        return self.value(claim, self._near[step])

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

    def follows(self, claim: Claim) -> Iterator[Route]:
        """The author's wrong numbers carried: with the right ones, or alone."""

        def runs() -> Iterator[tuple[str, Mapping[int, Seen]]]:
            yield "follows", self.printed()
            yield "follows", self.wrong_only()
            if self.chains:
                yield "follows", self.printed(chained=True)

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
                self.carried(drop=self.bad),
                worked_by_hand(self.case.network, short),
                gaps=self.gaps,
            )
            yield from self._routes(claim, [("rounded", rerun(world, [claim.step], self._start(claim.step)))])

    def _start(self, step: int) -> tuple[int, Training]:
        return step, self.clean()[step].before

    def mixtures(self, claim: Claim, wrong: bool = False) -> Iterator[Route]:
        """Each number that the equation reads taken from any run: in full, as printed, or rounded on the way."""
        runs = [self.full, self.printed() if wrong else self.clean()]
        if wrong:
            runs.append(self.wrong_only())
        elif claim.step <= LONG:
            runs += [self.rounding(digits) for digits in self.decimals]
        seen = [run[claim.step] for run in runs]
        network = self.case.network
        known = list(seen[0].quantities)
        names = claim.names if claim.formula else read_by(claim.quantity, network, known, self.written)
        if not claim.formula:
            names = tuple(name for name in names if name in seen[0].raw)
        finest = max(self.decimals, default=4)
        options = [_options(name, seen, finest) for name in names]
        if not names:
            return
        for chosen in islice(product(*options), _MOST_MIXTURES):
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
                again = step_again(World(self.case, gaps=self.gaps), one.before, claim.step, put, chained)
                value = self.value(claim, again)
                if value is not None:
                    yield Route(kind, value)


def _carried_as(claim: Claim) -> tuple[int, str]:
    """A weight at the start of a later step is the new weight of the one before."""
    if claim.step > 1 and claim.quantity[0] in "Wb" and claim.quantity[1:].isdigit():
        return claim.step - 1, f"{claim.quantity}_new"
    return claim.step, claim.quantity


def _options(name: str, seen: list[Seen], finest: int) -> list[Array]:
    """The values that a quantity has in some run, before and after it was rounded; each once."""
    found: list[Array] = []
    for one in seen:
        for values in (one.quantities.get(name), one.raw.get(name)):
            if values is not None and not any(np.array_equal(values, other) for other in found):
                found.append(np.asarray(values))
    return found


__all__ = ["LONG", "Place", "Route", "Worlds"]
