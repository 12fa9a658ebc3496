"""One peer in a process of its own: lines on its standard input, answers as JSON on its standard output.

    python -m benchmarks.worker DIRECTORY PEER THREADS

After the cold start it answers once; then `round SECONDS` times blocks, `quit` ends. Only the standard
library and NumPy are imported before the clock starts, and NumPy's own import is added to every peer's cold
start.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import resource
import sys
import time
from pathlib import Path
from typing import IO, Any

begun = time.perf_counter()
import numpy as np  # noqa: E402  (its import is timed)

numpy_seconds = time.perf_counter() - begun

from benchmarks.peers import PEERS, Peer, Unavailable  # noqa: E402
from benchmarks.workloads import WORKLOADS, Problem, loss  # noqa: E402

MOST_BLOCKS = 10_000


def save(problem: Problem, directory: Path) -> None:
    """Writes a problem for the workers."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, array in (("X", problem.X), ("classes", problem.classes), ("order", problem.order)):
        np.save(directory / f"{name}.npy", array)
    for l, (W, b) in enumerate(problem.parameters):
        np.save(directory / f"W{l}.npy", W)
        np.save(directory / f"b{l}.npy", b)
    (directory / "workload").write_text(problem.workload.name)


def load(directory: Path) -> Problem:
    """Reads a problem that `save` wrote."""
    workload = WORKLOADS[(directory / "workload").read_text()]
    X, classes, order = (np.load(directory / f"{name}.npy") for name in ("X", "classes", "order"))
    layers = range(len(workload.sizes) - 1)
    parameters = [(np.load(directory / f"W{l}.npy"), np.load(directory / f"b{l}.npy")) for l in layers]
    return Problem(workload, X, classes, order, parameters)


def memory(key: str) -> int | None:
    """Bytes resident now (`VmRSS`) or at most so far (`VmHWM`).

    Linux's own count comes first: getrusage's maximum is inherited from the process that started this one.
    """
    status = Path("/proc/self/status")
    if status.exists():
        found = re.search(rf"{key}:\s+(\d+) kB", status.read_text())
        return int(found.group(1)) * 1024 if found else None
    if key == "VmHWM":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return None


def timed_blocks(peer: Peer, steps: int, seconds: float) -> list[float]:
    """Seconds of each block, each from a fresh beginning, until `seconds` have been spent in them."""
    taken: list[float] = []
    while not taken or (len(taken) < MOST_BLOCKS and sum(taken) < seconds):
        peer.reset()
        begun = time.perf_counter()
        peer.run(steps)
        taken.append(time.perf_counter() - begun)
    return taken


def _kernels() -> list[str]:
    """Which kernels the libraries of this process chose, as threadpoolctl reads them."""
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return []
    return sorted(
        {
            " ".join(str(pool[key]) for key in ("internal_api", "version", "architecture") if pool.get(key))
            for pool in threadpool_info()
        }
    )


def serve(directory: Path, name: str, threads: int, out: IO[str]) -> None:
    """Starts the peer, reports its cold start, then obeys."""

    def answer(**fields: Any) -> None:
        out.write(json.dumps(fields) + "\n")
        out.flush()

    problem = load(directory)
    steps = problem.workload.steps
    data_bytes = problem.X.nbytes + problem.classes.nbytes + problem.order.nbytes
    before = memory("VmRSS")
    begun = time.perf_counter()
    try:
        peer: Peer = importlib.import_module(f"benchmarks.peers.{name}").start(problem, threads)
    except (Unavailable, ImportError) as error:
        answer(skipped=str(error))
        return
    peer.run(1)
    cold = time.perf_counter() - begun + numpy_seconds
    peer.reset()
    peer.run(steps)  # warms everything up
    peak = memory("VmHWM")
    warm = min(timed_blocks(peer, steps, 0.0)[0] for _ in range(2))
    answer(
        cold_seconds=cold,
        block_seconds=warm,
        peak_bytes=peak,
        bytes_before=before,
        data_bytes=data_bytes,
        loss=loss(problem, peer.parameters()),
        kernels=_kernels(),
    )
    for line in sys.stdin:
        command, *arguments = line.split()
        if command == "quit":
            return
        blocks = timed_blocks(peer, steps, float(arguments[0]))
        answer(blocks=blocks, loss=loss(problem, peer.parameters()))


def main(arguments: list[str]) -> None:
    """Keeps the real standard output for the answers, so that nothing a library prints gets between them."""
    directory, name, threads = Path(arguments[0]), arguments[1], int(arguments[2])
    pinned = {entry.name for entry in PEERS if entry.pinned}
    if name in pinned and threads == 1 and sys.platform == "linux":
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    serve(directory, name, threads, out)


if __name__ == "__main__":
    main(sys.argv[1:])
