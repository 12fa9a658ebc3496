"""The arithmetic limit of a workload, from rates that this machine showed in the same run.

`limits.cpp` measures what the processor can do at most: fused multiply-adds in registers, bandwidth by the size of
what is moved, the functions of activations, an Adam update, and how long each takes where the next waits for it. The
limit of a step adds what no trainer can leave out: its matrix products at the multiply-add peak, its functions, its
optimizer's update and traffic, the gathering of its rows. Nothing overlaps in it but what one core does at once; a
trainer that overlaps more could pass it, and none was seen to.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.workloads import Workload

SOURCE = Path(__file__).with_name("limits.cpp")
FLAGS = (
    "-O3",
    "-march=native",
    "-std=c++20",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-ffp-contract=fast",
    "-Wno-psabi",
    "-pthread",
)
CACHES = (1 << 20, 16 << 20)
"""Bytes for a thread up to which the first and the second bandwidth hold; beyond them the memory's does."""
OPTIMIZER_ARRAYS = {"sgd": 1, "adam": 3}
"""Arrays of the parameters' size that an update reads and rewrites: W; with Adam m and v as well."""


class Rates(NamedTuple):
    """What the machine can do with a number of threads; seconds are those of one float."""

    threads: int
    fma: float
    """Multiplications and additions a second, float32, of all threads."""
    bandwidth: tuple[float, float, float]
    """Bytes read or written a second: second-level cache, third-level cache, memory."""
    exp: float
    tanh: float
    sigmoid: float
    adam: float
    latency: dict[str, float]
    """Seconds of a sigmoid, a fused multiply-add, a root, a division that wait for the one before."""

    def bytes_a_second(self, size: float) -> float:
        """The bandwidth for what has `size` bytes."""
        level = sum(size / self.threads > cache for cache in CACHES)
        return self.bandwidth[level]


def measure(directory: Path, threads: tuple[int, ...] = (1, 2)) -> list[Rates]:
    """The rates for each number of threads; none where there is no C++ compiler."""
    compiler = os.environ.get("CXX") or shutil.which("c++") or shutil.which("g++")
    if compiler is None:
        return []
    program = directory / "limits"
    if not program.exists():
        subprocess.run([compiler, *FLAGS, str(SOURCE), "-o", str(program)], check=True)
    return [_once(program, count) for count in threads if count <= (os.cpu_count() or 1)]


def best(measured: list[Rates]) -> list[Rates]:
    """For each number of threads the best of several measurements of each rate: what the machine can do."""
    found = []
    for threads in sorted({rates.threads for rates in measured}):
        same = [rates for rates in measured if rates.threads == threads]
        found.append(
            Rates(
                threads,
                max(rates.fma for rates in same),
                tuple(max(rates.bandwidth[level] for rates in same) for level in range(3)),  # type: ignore[arg-type]
                *(min(getattr(rates, name) for rates in same) for name in ("exp", "tanh", "sigmoid", "adam")),
                {name: min(rates.latency[name] for rates in same) for name in same[0].latency},
            )
        )
    return found


def _once(program: Path, threads: int) -> Rates:
    printed = subprocess.run([str(program), str(threads)], check=True, capture_output=True, text=True).stdout
    data: dict[str, Any] = json.loads(printed)
    return Rates(**(data | {"bandwidth": tuple(data["bandwidth"])}))


class Limit(NamedTuple):
    """Seconds that a step must take at least, and what they are made of."""

    products: float
    functions: float
    update: float
    gather: float
    chain: float
    """Operations that wait for each other, in a step too small to fill a processor with."""
    threads: int

    @property
    def seconds(self) -> float:
        """The sum; where the chain is longer, the chain."""
        return max(self.products + self.functions + self.update + self.gather, self.chain)


def limit(workload: Workload, measured: list[Rates]) -> Limit | None:
    """The least time of a step with the better number of threads; None where no rates were measured."""
    usable = [rates for rates in measured if rates.threads in workload.threads]
    return min((_limit(workload, rates) for rates in usable), key=lambda found: found.seconds, default=None)


def _limit(workload: Workload, rates: Rates) -> Limit:
    hidden = {"relu": 0.0, "tanh": rates.tanh, "sigmoid": rates.sigmoid}[workload.hidden]
    values = workload.batch * sum(workload.sizes[1:-1])
    outputs = workload.batch * workload.sizes[-1]
    functions = (values * hidden + outputs * rates.exp) / rates.threads
    arrays = OPTIMIZER_ARRAYS[workload.optimizer]
    resident = 4.0 * arrays * workload.parameter_count
    arithmetic = workload.parameter_count * (rates.adam if arrays > 1 else 0.0) / rates.threads
    update = max(arithmetic, 2 * resident / rates.bytes_a_second(resident))
    rows = 4.0 * workload.batch * workload.sizes[0]
    gather = rows / rates.bytes_a_second(4.0 * workload.rows * workload.sizes[0])
    return Limit(
        workload.operations / rates.fma,
        functions,
        update,
        gather,
        _chain(workload, rates.latency) if workload.tiny else 0.0,
        rates.threads,
    )


def _chain(workload: Workload, latency: dict[str, float]) -> float:
    """A step of one lane: each layer's sum and function forward, delta's two factors back, the update.

    The next step begins with these parameters, so nothing of it can be done before.
    """
    forward = sum(inputs * latency["fma"] for inputs in workload.sizes[:-1])
    functions = (len(workload.sizes) - 1) * latency["sigmoid"]
    backward = latency["fma"] * (
        1 + 2 * (len(workload.sizes) - 2)
    )  # yhat - y, then W delta and f' for each layer
    update = latency["fma"] * 2
    if workload.optimizer == "adam":
        update += latency["fma"] * 2 + latency["root"] + latency["division"]
    return forward + functions + backward + update
