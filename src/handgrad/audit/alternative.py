"""An alternative: the calculation with one mistake in it, ready to be run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from handgrad.audit.rerun import Moment, Rewrite
from handgrad.cases.case import Case
from handgrad.nn.arrays import Array


@dataclass(frozen=True, eq=False)
class Alternative:
    """One way to make a mistake: what is rewritten, or another case, and the layer where (None: in every one)."""

    rewrites: Mapping[str, Rewrite] = field(default_factory=dict)
    layer: int | None = None
    case: Case | None = None
    single: bool = False
    digits: int | None = None


Making = Callable[[Case], Iterable[Alternative]]


def layers_of(case: Case, first: int = 1, last: int | None = None) -> range:
    """Layer numbers from `first` to `last`, both included."""
    return range(first, (case.network.depth if last is None else last) + 1)


def each_and_all(per_layer: Mapping[int, Mapping[str, Rewrite]]) -> Iterator[Alternative]:
    """The mistake in every layer that can have it, and in each of them alone."""
    if len(per_layer) > 1:
        yield Alternative({name: rule for rules in per_layer.values() for name, rule in rules.items()})
    for layer, rules in per_layer.items():
        yield Alternative(rules, layer)


def scaled(factor: float | Callable[[Moment], float]) -> Rewrite:
    """The value times a factor."""

    def rule(moment: Moment, value: Array) -> Array:
        return value * (factor(moment) if callable(factor) else factor)

    return rule


def minus(moment: Moment, value: Array) -> Array:
    """The value with the other sign."""
    return -value


def samples_of(moment: Moment) -> float:
    """m, the number of samples in the batch."""
    return float(moment.q["yhat"].shape[0])
