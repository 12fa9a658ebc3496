"""The rules of the measurement, apart from any process: medians, choice of threads, when a run is void."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import median
from typing import NamedTuple

CLOSE = 1.10  # a number of threads this much slower in the first block stays in the rounds


class Timing(NamedTuple):
    """What a peer showed with one number of threads; `rounds` holds seconds of a step, one for each round."""

    peer: str
    threads: int
    rounds: tuple[float, ...]
    losses: tuple[float, ...]
    cold_seconds: float
    peak_bytes: int | None

    @property
    def step_seconds(self) -> float:
        """Median over the rounds."""
        return median(self.rounds)

    @property
    def spread(self) -> float:
        """(slowest round - quickest round) / median."""
        return (max(self.rounds) - min(self.rounds)) / self.step_seconds


def worth_measuring(first_blocks: Mapping[int, float]) -> list[int]:
    """The numbers of threads to go on with: the quickest in the first block, and any that is close to it.

    >>> worth_measuring({1: 1.0, 2: 0.6})
    [2]
    >>> worth_measuring({1: 1.0, 2: 1.05})
    [1, 2]
    """
    quickest = min(first_blocks.values())
    return sorted(threads for threads, seconds in first_blocks.items() if seconds <= CLOSE * quickest)


def best(timings: Sequence[Timing]) -> dict[str, Timing]:
    """For each peer the number of threads with the smaller median."""
    chosen: dict[str, Timing] = {}
    for timing in timings:
        if timing.peer not in chosen or timing.step_seconds < chosen[timing.peer].step_seconds:
            chosen[timing.peer] = timing
    return chosen


def order_of_round(count: int, number: int) -> list[int]:
    """Who follows whom in a round: backwards every other time, and from another start every second.

    >>> order_of_round(3, 0), order_of_round(3, 1)
    ([0, 1, 2], [2, 1, 0])
    """
    turned = [(i + number // 2) % count for i in range(count)]
    return turned[::-1] if number % 2 else turned


def why_void(losses: Mapping[str, Sequence[float]], tolerance: float) -> str | None:
    """Why timings do not count, or None: every final loss must lie within `tolerance` of the median.

    >>> why_void({"a": [0.5, 0.5], "b": [0.5001]}, 1e-3) is None
    True
    >>> why_void({"a": [0.5], "b": [0.6], "c": [0.5]}, 1e-3)
    'final loss of b is 0.6, the median of all is 0.5; more than 0.1 % apart'
    """
    for peer, values in losses.items():
        for value in values:
            if not math.isfinite(value):
                return f"final loss of {peer} is {value}"
    middle = median(median(values) for values in losses.values())
    for peer, values in losses.items():
        for value in values:
            if abs(value - middle) > tolerance * abs(middle):
                return (
                    f"final loss of {peer} is {value:.6g}, the median of all is {middle:.6g}; "
                    f"more than {100 * tolerance:g} % apart"
                )
    return None
