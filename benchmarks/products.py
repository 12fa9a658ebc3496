"""No trainer: only the matrix products of a step, one after the other, the yardstick for every trainer.

`start_numpy` and `start_torch` make the products of a workload as callables on buffers of their shapes; the
harness times each one and takes, for each shape, the quickest library and number of threads of the same run.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.workloads import WORKLOADS, Workload


def _buffers(workload: Workload, units: int, inputs: int) -> tuple[Any, Any, Any]:
    generator = np.random.default_rng(0)
    shapes = ((workload.batch, inputs), (units, inputs), (workload.batch, units))
    A, W, delta = (generator.standard_normal(shape, dtype=np.float32) for shape in shapes)
    return A, W, delta


def start_numpy(workload: Workload) -> list[Callable[[], Any]]:
    """Each product as NumPy's matmul with out=."""

    def product(kind: str, units: int, inputs: int) -> Callable[[], Any]:
        A, W, delta = _buffers(workload, units, inputs)
        left, right = {"forward": (A, W.T), "weights": (delta.T, A), "inputs": (delta, W)}[kind]
        out = left @ right
        return lambda: np.matmul(left, right, out=out)

    return [product(*what) for what in workload.products]


def start_torch(workload: Workload, threads: int) -> list[Callable[[], Any]]:
    """Each product as torch.mm with out=."""
    import torch

    torch.set_num_threads(threads)

    def product(kind: str, units: int, inputs: int) -> Callable[[], Any]:
        A, W, delta = (torch.from_numpy(array) for array in _buffers(workload, units, inputs))
        left, right = {"forward": (A, W.T), "weights": (delta.T, A), "inputs": (delta, W)}[kind]
        out = left @ right
        return lambda: torch.mm(left, right, out=out)

    return [product(*what) for what in workload.products]


def seconds_each(products: list[Callable[[], Any]], budget: float) -> list[float]:
    """Seconds of one call of each product, the quickest of several bursts: what can be reached."""
    taken = []
    for product in products:
        product()
        begun = time.perf_counter()
        product()
        once = max(time.perf_counter() - begun, 1e-7)
        calls = max(1, int(budget / len(products) / 4 / once))
        bursts = []
        for _ in range(4):
            begun = time.perf_counter()
            for _ in range(calls):
                product()
            bursts.append((time.perf_counter() - begun) / calls)
        taken.append(min(bursts))
    return taken


def main(arguments: list[str]) -> None:
    """`python -m benchmarks.products WORKLOAD LIBRARY THREADS`: a JSON line at first and each `round`."""
    workload, library, threads = WORKLOADS[arguments[0]], arguments[1], int(arguments[2])
    try:
        products = start_numpy(workload) if library == "numpy" else start_torch(workload, threads)
    except ImportError as error:
        print(json.dumps({"skipped": str(error)}), flush=True)
        return
    print(json.dumps({"products": len(products)}), flush=True)
    for line in sys.stdin:
        command, *rest = line.split()
        if command == "quit":
            return
        print(json.dumps({"products": seconds_each(products, float(rest[0]))}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
