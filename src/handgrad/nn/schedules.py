"""Learning-rate schedules: the rate as a function of the epoch or of the step, both counted from 0."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from handgrad.errors import SpecificationError

UNITS = ("epoch", "step")


@dataclass(frozen=True)
class Schedule:
    """A schedule by name; `per` says what t counts, `warmup` lets the rate rise over the first `warmup` t.

        constant       rate
        step           rate * factor^floor(t / every)
        exponential    rate * factor^t
        inverse_time   rate / (1 + decay * floor(t / every))
        cosine         floor + (rate - floor) (1 + cos(pi t / over)) / 2, `floor` from t = over on
        warmup         rate * (t + 1) / warmup while t < warmup, before any of these

    >>> Schedule("inverse_time", decay=1.0).rate(0.5, step=0, epoch=2)
    0.16666666666666666

    Raises SpecificationError for an unknown name or a parameter outside its range.

    Source: I. Loshchilov, F. Hutter, SGDR (ICLR 2017), equation 5, for cosine; P. Goyal et al., Accurate, large
    minibatch SGD (2017), section 2.2, for warmup; H. Robbins, S. Monro, A stochastic approximation method (1951), for
    rates that fall as 1 / t.
    """

    name: str = "constant"
    factor: float = 0.5
    every: int = 1
    decay: float = 1.0
    over: int = 100
    floor: float = 0.0
    warmup: int = 0
    per: str = "epoch"

    def __post_init__(self) -> None:
        if self.name not in SCHEDULES:
            raise SpecificationError(f"unknown schedule {self.name!r}; choose one of {', '.join(SCHEDULES)}")
        if self.per not in UNITS:
            raise SpecificationError(f"schedule: per must be 'epoch' or 'step', got {self.per!r}")
        if self.every < 1 or self.over < 1 or self.warmup < 0:
            raise SpecificationError("schedule: every and over are at least 1, warmup at least 0")
        for name, value in (("factor", self.factor), ("decay", self.decay), ("floor", self.floor)):
            if not (value >= 0 and math.isfinite(value)):
                raise SpecificationError(f"schedule: {name} must be a finite number >= 0, got {value}")

    def rate(self, rate: float, step: int, epoch: int) -> float:
        """The learning rate of a step (counted from 0) in an epoch (counted from 0).

        Raises SpecificationError where a factor above 1 has carried it beyond all numbers.
        """
        t = step if self.per == "step" else epoch
        if t < self.warmup:
            return rate * (t + 1) / self.warmup
        try:
            return SCHEDULES[self.name](self, rate, t - self.warmup)
        except OverflowError as error:
            raise SpecificationError(
                f"schedule {self.name!r}: the learning rate grows beyond all numbers at {self.per} {t} "
                f"(factor {self.factor}); choose a factor <= 1"
            ) from error


def _cosine(schedule: Schedule, rate: float, t: int) -> float:
    # Loshchilov, Hutter (2017), equation 5
    part = min(t / schedule.over, 1.0)
    return schedule.floor + (rate - schedule.floor) * (1 + math.cos(math.pi * part)) / 2


SCHEDULES: dict[str, Callable[[Schedule, float, int], float]] = {
    "constant": lambda s, rate, t: rate,
    "step": lambda s, rate, t: rate * s.factor ** (t // s.every),
    "exponential": lambda s, rate, t: rate * s.factor**t,
    "inverse_time": lambda s, rate, t: rate / (1 + s.decay * (t // s.every)),
    "cosine": _cosine,
}
