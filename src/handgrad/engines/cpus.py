"""How many processors there are for a process."""

from __future__ import annotations

from pathlib import Path

CPU_LIMIT = Path("/sys/fs/cgroup/cpu.max")


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
