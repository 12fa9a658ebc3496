"""How long one layer takes on this machine, unit by unit and as one matrix product."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from time import perf_counter

import numpy as np

from handgrad.nn.network import Network
from handgrad.worked.record import Timing

UNITS, INPUTS = 500, 1000
"""A layer of the size that books count: half a million weights."""
ROUNDS = 3
SECONDS = 0.1
"""The least of so many rounds, and of all within so many seconds, is taken: what else the machine does only adds."""


def timings(network: Network) -> tuple[Timing, ...]:
    """The first layer of the network, and a layer of half a million weights.

    >>> from handgrad.nn.network import Dense
    >>> [timing.units for timing in timings(Network(2, [Dense(3)]))]
    [3, 500]
    """
    sizes = dict.fromkeys(((network.sizes[1], network.sizes[0]), (UNITS, INPUTS)))
    return tuple(timed(units, inputs) for units, inputs in sizes if units * inputs <= UNITS * INPUTS)


@cache
def timed(units: int, inputs: int) -> Timing:
    """One forward pass W x + b both ways, float64; both give the same sums. A process measures a layer once."""
    draw = np.random.default_rng(0)
    W, x, b = draw.normal(size=(units, inputs)), draw.normal(size=inputs), draw.normal(size=units)
    rows, column, biases = W.tolist(), x.tolist(), b.tolist()
    return Timing(
        units,
        inputs,
        scalar=_least(lambda: unit_by_unit(rows, column, biases)),
        matrix=_least(lambda: W @ x + b),
    )


def unit_by_unit(W: list[list[float]], x: list[float], b: list[float]) -> list[float]:
    """z_j = sum_k w_jk x_k + b_j, one multiplication after another.

    >>> unit_by_unit([[1.0, 2.0]], [3.0, 4.0], [0.5])
    [11.5]
    """
    z = []
    for weights, bias in zip(W, b, strict=True):
        total = bias
        for weight, value in zip(weights, x, strict=True):
            total += weight * value
        z.append(total)
    return z


def _least(run: Callable[[], object]) -> float:
    """Seconds of the quickest of several runs, the first of which is not counted."""
    run()
    found: list[float] = []
    while len(found) < ROUNDS or sum(found) < SECONDS:
        begun = perf_counter()
        run()
        found.append(perf_counter() - begun)
    return min(found)
