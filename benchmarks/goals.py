"""What handgrad must reach on each workload, and whether it did.

A goal is a share of the machine's own limit (benchmarks/limits.py), measured in the same run, and to be ahead of every
peer. A ratio to one release of a peer would say more about that release than about handgrad.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

OURS = "handgrad_native"
NOT_OURS = ("handgrad_native", "handgrad_reference", "handgrad_jax")
BEST_PEER, LIMIT = "best peer", "machine's limit"


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


SHARES = {
    "tiny-1-sgd": 0.85,
    "tiny-4-sgd": 0.85,
    "tiny-1-adam": 0.85,
    "tiny-4-adam": 0.85,
    "small": 0.80,
    "table": 0.75,
    "table3": 0.88,
    "images": 0.82,
    "deep": 0.90,
    "wide": 0.90,
}
"""Of the limit of each workload, the part that must be reached."""

GOALS = tuple(
    goal
    for workload, share in SHARES.items()
    for goal in (Goal(workload, LIMIT, share), Goal(workload, BEST_PEER, 1.0))
)


def judge(workload: str, seconds: Mapping[str, float], limit_seconds: float | None) -> list[Outcome]:
    """The outcomes of a workload from the seconds of a step of each peer, and of the machine's limit.

    >>> [outcome.measured for outcome in judge("deep", {"handgrad_native": 1.0, "jax_scan": 2.0}, 0.5)]
    [0.5, 2.0]
    """
    return [_outcome(goal, seconds, limit_seconds) for goal in GOALS if goal.workload == workload]


def _outcome(goal: Goal, seconds: Mapping[str, float], limit_seconds: float | None) -> Outcome:
    ours = seconds.get(OURS)
    if goal.against == LIMIT:
        theirs, peer = limit_seconds, LIMIT
    else:
        peer = min((p for p in seconds if p not in NOT_OURS), key=lambda p: seconds[p], default=BEST_PEER)
        theirs = seconds.get(peer)
    if ours is None or theirs is None or not math.isfinite(theirs / ours):
        return Outcome(goal, None, peer)
    return Outcome(goal, theirs / ours, peer)
