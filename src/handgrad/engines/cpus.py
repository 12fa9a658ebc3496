"""How many processors there are for a process."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

CPU_LIMIT = Path("/sys/fs/cgroup/cpu.max")
TOPOLOGY = Path("/sys/devices/system/cpu")


def allowed_cores(allowed: int) -> int:
    """Cores among the CPUs that the process may use, `allowed` of them; two hardware threads of a core are one.

    >>> 1 <= allowed_cores(4) <= 4 or allowed_cores(4) <= (os.cpu_count() or 1)
    True
    """
    try:
        return cores_of(frozenset(os.sched_getaffinity(0)))
    except AttributeError:  # another operating system
        return allowed


@lru_cache(maxsize=8)
def cores_of(cpus: frozenset[int], topology: Path = TOPOLOGY) -> int:
    """Cores that these CPUs belong to; as many as CPUs where the kernel does not say.

    >>> cores_of(frozenset({0, 1}), Path("no such folder"))
    2
    """
    try:
        return len({(topology / f"cpu{n}" / "topology/thread_siblings_list").read_text() for n in cpus})
    except OSError:
        return len(cpus)


def cpu_share(limit: Path = CPU_LIMIT) -> float:
    """CPUs' worth of time that the process may use, as the kernel limits it; infinite without a limit.

    >>> cpu_share(Path("no such file"))
    inf
    """
    try:
        quota, period = limit.read_text().split()
        return float("inf") if quota == "max" else int(quota) / int(period)
    except (OSError, ValueError):  # another operating system, or a kernel without such limits
        return float("inf")
