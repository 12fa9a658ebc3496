"""What handgrad must reach on each workload, and whether it did."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

OURS = "handgrad_native"
NOT_OURS = ("handgrad_native", "handgrad_reference")
BEST_PEER, PRODUCT_RATE = "best peer", "matrix product rate"


class Goal(NamedTuple):
    """Handgrad's speed divided by that of `against` must be at least `factor`."""

    workload: str
    against: str
    factor: float


class Outcome(NamedTuple):
    """A goal and what was measured; `measured` is None where it could not be."""

    goal: Goal
    measured: float | None
    peer: str

    @property
    def verdict(self) -> str:
        """'met', 'not met' or 'not measured'."""
        if self.measured is None:
            return "not measured"
        return "met" if self.measured >= self.goal.factor else "not met"


TINY = ("tiny-1-sgd", "tiny-4-sgd", "tiny-1-adam", "tiny-4-adam")
GOALS = (
    *(Goal(tiny, "jax_scan", 6) for tiny in TINY),
    *(Goal(tiny, "pytorch_eager", 500) for tiny in TINY),
    Goal("small", BEST_PEER, 4),
    Goal("table", "jax_scan", 2.5),
    Goal("table", "sklearn_mlp", 10),
    Goal("table3", BEST_PEER, 2.2),
    Goal("images", "jax_scan", 1.8),
    Goal("images", "sklearn_mlp", 4),
    Goal("deep", BEST_PEER, 1.7),
    Goal("wide", BEST_PEER, 1.05),
    Goal("wide", PRODUCT_RATE, 0.9),
)


def judge(workload: str, seconds: Mapping[str, float], product_seconds: float | None) -> list[Outcome]:
    """The outcomes of a workload from the seconds of a step of each peer, and of its products alone.

    >>> judge("deep", {"handgrad_native": 1.0, "jax_scan": 2.0, "pytorch_eager": 3.0}, None)[0].measured
    2.0
    """
    return [_outcome(goal, seconds, product_seconds) for goal in GOALS if goal.workload == workload]


def _outcome(goal: Goal, seconds: Mapping[str, float], product_seconds: float | None) -> Outcome:
    ours = seconds.get(OURS)
    if goal.against == PRODUCT_RATE:
        theirs, peer = product_seconds, PRODUCT_RATE
    elif goal.against == BEST_PEER:
        peer = min((p for p in seconds if p not in NOT_OURS), key=lambda p: seconds[p], default=BEST_PEER)
        theirs = seconds.get(peer)
    else:
        theirs, peer = seconds.get(goal.against), goal.against
    if ours is None or theirs is None or not math.isfinite(theirs / ours):
        return Outcome(goal, None, peer)
    return Outcome(goal, theirs / ours, peer)
