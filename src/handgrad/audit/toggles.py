"""Now the printed and now the unrounded number is used again: which of these ways leads to what is printed next.

With k printed results before it a number can be reached in 2^k ways, too many to run. How far each printed entry moves
what comes after it is found by one run for each; to first order a way is then a sum of such moves, and thousands are
tried at once. Ways on which an earlier printed number would not have come out are left on the spot, so that those which
remain are ways that the whole sheet allows (a particle filter: N. Gordon, D. Salmond, A. Smith, 1993). The best are run
as they are; only such a run decides.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np

from handgrad.audit.claims import Claim, Index
from handgrad.audit.ledger import Carried, carried_as
from handgrad.audit.rerun import Gaps, Seen, World, rerun
from handgrad.cases.case import Case
from handgrad.nn.arrays import Array

MOST_ENTRIES = 400
_WAYS = 3_000
_MOST_RUNS = 10
_SLACK = 0.02
"""Of a unit, for what is beyond the first order; the run that follows has none."""
_BLIND, _MOST_TIMES = 60, 6
_BEYOND = 0.5
"""Of what blind ways span: the outermost of all ways lie beyond those of some."""


class _Node(NamedTuple):
    """A printed quantity: its entries among all of them, how they stand beside the unrounded ones."""

    step: int
    name: str
    place: slice
    printed: Array
    units: Array


@dataclass(eq=False)
class Toggles:
    """The ways through one case, for what is printed of it."""

    case: Case
    claims: tuple[Claim, ...]
    carried: Carried
    full: Mapping[int, Seen]
    gaps: Gaps = field(default_factory=dict)
    _times: int = 0
    _blind: tuple[frozenset[tuple[int, str]], list[dict[int, Seen]]] | None = None

    @cached_property
    def _units(self) -> Mapping[tuple[int, str], dict[Index, float]]:
        found: dict[tuple[int, str], dict[Index, float]] = {}
        for claim in self.claims:
            if claim.formula is None:
                held = found.setdefault(carried_as(claim), {})
                for where, printed in claim.entries.items():
                    held[where] = min(held.get(where, np.inf), printed.unit)
        return found

    @cached_property
    def nodes(self) -> list[_Node]:
        """What is printed, in the order of the calculation; nothing where that is too much."""
        made: list[_Node] = []
        at = 0
        for step, seen in sorted(self.full.items()):
            for name in seen.raw:
                printed = self.carried.get(step, {}).get(name)
                if printed is None or printed.shape != np.shape(seen.raw[name]):
                    continue
                units = np.full(printed.shape, np.nan)
                for where, unit in self._units[step, name].items():
                    units[where] = unit
                made.append(_Node(step, name, slice(at, at + printed.size), printed.ravel(), units.ravel()))
                at += printed.size
        return made if at <= MOST_ENTRIES else []

    @cached_property
    def _exact(self) -> Array:
        """Every entry without any rounding."""
        return np.concatenate([np.ravel(self.full[n.step].raw[n.name]) for n in self.nodes])

    @cached_property
    def _moves(self) -> Array:
        """How far each entry (a row) moves when another (a column) does."""
        size = self.nodes[-1].place.stop
        moves = np.zeros((size, size))
        for node in self.nodes:
            exact = self._exact[node.place]
            for k in np.flatnonzero(~np.isnan(node.printed)):
                apart = node.printed[k] - exact[k]
                if not abs(apart) > node.units[k] / 20:
                    apart = 0.3 * node.units[k]
                one = np.full(node.printed.shape, np.nan)
                one[k] = exact[k] + apart
                after = self._run(
                    {node.step: {node.name: one.reshape(np.shape(self.full[node.step].raw[node.name]))}}
                )
                moved = (after - self._exact) / apart
                moved[: node.place.stop] = 0.0
                moves[:, node.place.start + k] = np.where(np.isfinite(moved), moved, 0.0)
        return moves

    def _run(self, carried: Carried) -> Array:
        seen = self._seen(carried)
        return np.concatenate(
            [np.ravel((seen if n.step in seen else self.full)[n.step].raw[n.name]) for n in self.nodes]
        )

    def _seen(self, carried: Carried) -> dict[int, Seen]:
        """The steps from the first on in which something is carried."""
        first = min(carried)
        steps = [step for step in self.full if step >= first]
        start = (first, self.full[first].before)
        return rerun(World(self.case, carried, gaps=self.gaps), steps, start)

    def ways_to(self, claim: Claim, bad: Collection[tuple[int, str]]) -> Iterator[Seen]:
        """Runs on which some printed numbers are used again and others are not, the likeliest to give the claim first.

        `bad` has the quantities that were judged wrong: they are not used again.
        """
        target = carried_as(claim)
        number = next((k for k, n in enumerate(self.nodes) if (n.step, n.name) == target), None)
        if number is None or claim.formula is not None:
            return
        used, apart = self._simulated(number, bad)
        order = np.argsort(apart, kind="stable")
        seen: set[bytes] = set()
        for way in order:
            if apart[way] > 1 or len(seen) >= _MOST_RUNS:
                return
            chosen = used[way]
            if chosen.tobytes() in seen or not chosen.any():
                continue
            seen.add(chosen.tobytes())
            carried: dict[int, dict[str, Array]] = {}
            for k in np.flatnonzero(chosen):
                node = self.nodes[k]
                shape = np.shape(self.full[node.step].raw[node.name])
                carried.setdefault(node.step, {})[node.name] = node.printed.reshape(shape)
            found = self._seen(carried)
            if claim.step in found:
                yield found[claim.step]

    def among(self, claim: Claim, bad: frozenset[tuple[int, str]]) -> tuple[Array, Array] | None:
        """Between which numbers the claim's equation comes out on ways that were chosen blindly.

        Where an optimizer divides by the root of a small printed number, no first order tells which way it was.
        """
        if claim.formula is not None or claim.step not in self.full:
            return None
        if self._blind is None or self._blind[0] != bad:
            if self._times >= _MOST_TIMES:
                return None
            self._times += 1
            self._blind = bad, [self._blindly(seed, bad) for seed in range(_BLIND)]
        values = [run[claim.step].raw.get(claim.quantity) for run in self._blind[1]]
        known = np.array([value for value in values if value is not None])
        if not len(known):
            return None
        low, high = known.min(axis=0), known.max(axis=0)
        return low - _BEYOND * (high - low), high + _BEYOND * (high - low)

    def _blindly(self, seed: int, bad: frozenset[tuple[int, str]]) -> dict[int, Seen]:
        random = np.random.default_rng(seed)
        share = (0.2, 0.5, 0.8)[seed % 3]
        carried: dict[int, dict[str, Array]] = {}
        for step, held in self.carried.items():
            for name, printed in held.items():
                if (step, name) not in bad and random.random() < share:
                    carried.setdefault(step, {})[name] = printed
        return rerun(World(self.case, carried, gaps=self.gaps), list(self.full))

    def _simulated(self, last: int, bad: Collection[tuple[int, str]]) -> tuple[Array, Array]:
        """Ways: what each uses again, and by how many units beyond a half it misses the number at `last`."""
        random = np.random.default_rng(last)
        used = np.zeros((_WAYS, last), dtype=bool)
        moved = np.zeros((_WAYS, self.nodes[last].place.stop))
        for k, node in enumerate(self.nodes[: last + 1]):
            before = slice(0, node.place.start)
            raw = self._exact[node.place] + moved[:, before] @ self._moves[node.place, before].T
            apart = _beyond(raw, node)
            if k == last:
                return used, apart
            if (node.step, node.name) in bad:
                continue
            good = np.flatnonzero(apart <= _SLACK)
            if 0 < len(good) < _WAYS:
                kept = np.where(apart <= _SLACK, np.arange(_WAYS), random.choice(good, _WAYS))
                used, moved, raw = used[kept], moved[kept], raw[kept]
            used[:, k] = random.random(_WAYS) < 1 / 2
            offset = np.where(np.isnan(node.printed), 0.0, node.printed - raw)
            moved[:, node.place] = np.where(used[:, k, None], offset, 0.0)
        raise AssertionError


def _beyond(raw: Array, node: _Node) -> Array:
    """By how many units the worst entry of each way misses what rounds, or is cut off, to the printed number."""
    units = (raw - node.printed) / node.units
    rounding = np.nanmax(np.abs(units), axis=1) - 0.5
    outwards = units * np.where(node.printed < 0, -1.0, 1.0)
    cutting = np.nanmax(np.abs(outwards - 0.5), axis=1) - 0.5
    worst: Array = np.maximum(0.0, np.minimum(rounding, cutting))
    return worst
