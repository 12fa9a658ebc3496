"""What a user waits for and pays once: handgrad's first epoch from its import, and the memory of a training.

    python -m benchmarks.first_epoch DIRECTORY time|memory

`time`: from `import handgrad` to the end of the first block, beside the steady block. `memory`: the most that
was resident, less what was resident once the library was imported and no data were there.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

begun = time.perf_counter()
import numpy  # noqa: E402, F401  (its import is part of what is timed)

numpy_seconds = time.perf_counter() - begun

from benchmarks.worker import load, memory  # noqa: E402
from benchmarks.workloads import Problem  # noqa: E402

MOST_EXTRA_SECONDS = 0.3
ALLOWANCE_BYTES = 4 * 2**20  # Python's own objects, thread stacks, pages that the allocator keeps


def measure_time(directory: Path) -> dict[str, Any]:
    """Seconds of the first block, import included, and of a steady one."""
    problem = load(directory)
    steps = problem.workload.steps
    begun = time.perf_counter()
    peer = importlib.import_module("benchmarks.peers.handgrad_native").start(problem, None)
    peer.run(steps)
    first = time.perf_counter() - begun + numpy_seconds
    steady = []
    for _ in range(7):
        peer.reset()
        begun = time.perf_counter()
        peer.run(steps)
        steady.append(time.perf_counter() - begun)
    return {"first_seconds": first, "steady_seconds": median(steady)}


def bound(problem: Problem) -> int:
    """The data as they were given, six times the parameters, twice the activations of a batch, in bytes."""
    workload = problem.workload
    data = problem.X.nbytes + problem.classes.nbytes + problem.order.nbytes
    targets = workload.rows * workload.sizes[-1] * 4
    activations = workload.batch * sum(workload.sizes) * 4
    return data + targets + 6 * 4 * workload.parameter_count + 2 * activations


def measure_memory(directory: Path) -> dict[str, Any]:
    """Bytes beyond the imported library at the peak of one block, and the bound for them."""
    module = importlib.import_module("benchmarks.peers.handgrad_native")
    before = memory("VmRSS")
    problem = load(directory)
    peer = module.start(problem, None)
    peer.run(problem.workload.steps)
    peak = memory("VmHWM")
    used = None if before is None or peak is None else peak - before
    return {"used_bytes": used, "bound_bytes": bound(problem), "allowance_bytes": ALLOWANCE_BYTES}


if __name__ == "__main__":
    measure = {"time": measure_time, "memory": measure_memory}[sys.argv[2]]
    print(json.dumps(measure(Path(sys.argv[1]))))
