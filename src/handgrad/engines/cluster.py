"""Several processes that train one network together, on one host or on many (`jax.distributed`).

Each process runs the same program on the same table and holds its part of every batch. The first one writes.
"""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from handgrad.errors import SpecificationError

HEARTBEAT = 10
"""Seconds without a sign of life after which a process counts as lost."""

JOINING = 120
"""Seconds to wait for all processes at the beginning."""

WRITING = 600
"""Seconds that the others wait at the end for the first one, which writes."""

_LAUNCHERS = (  # what a launcher says to each of its processes, and how many there are
    ("SLURM_STEP_NUM_TASKS", "SLURM_PROCID"),
    ("OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"),
)


class Cluster(NamedTuple):
    """Which process of how many this one is; the address is the first one's, HOST:PORT."""

    coordinator: str | None
    processes: int
    process: int

    @property
    def writes(self) -> bool:
        """True for the one process that writes files and shows results."""
        return self.process == 0


ALONE = Cluster(None, 1, 0)


def described(coordinator: str | None, processes: int | None, process: int | None) -> Cluster:
    """The cluster that three options describe; all of them or none.

    Raises SpecificationError for some of them only, or numbers that do not fit.
    """
    given = (coordinator, processes, process)
    if all(part is None for part in given):
        return launched()
    if coordinator is None or processes is None or process is None:
        raise SpecificationError("--coordinator, --processes and --process belong together; give all three")
    host, colon, port = coordinator.rpartition(":")
    if not (host and colon and port.isdecimal() and 0 < int(port) < 2**16):
        raise SpecificationError(f"--coordinator must be HOST:PORT, as in 10.0.0.1:1234, got {coordinator!r}")
    if processes < 1 or not 0 <= process < processes:
        raise SpecificationError(f"--process counts from 0 to --processes - 1, got {process} of {processes}")
    return Cluster(coordinator, processes, process)


def launched(environment: Any = None) -> Cluster:
    """The cluster that SLURM or Open MPI started this process in; one process without them.

    >>> launched({"OMPI_COMM_WORLD_SIZE": "4", "OMPI_COMM_WORLD_RANK": "1"})
    Cluster(coordinator=None, processes=4, process=1)
    """
    environment = os.environ if environment is None else environment
    for count, index in _LAUNCHERS:
        if environment.get(count, "").isdecimal() and environment.get(index, "").isdecimal():
            return Cluster(None, int(environment[count]), int(environment[index]))
    return ALONE


def join(jax: Any, cluster: Cluster) -> None:
    """Meets the other processes; JAX finds the address of the first one where a launcher started them.

    Raises SpecificationError where they do not come.
    """
    named = cluster.coordinator is not None
    try:
        jax.distributed.initialize(
            coordinator_address=cluster.coordinator,
            num_processes=cluster.processes if named else None,
            process_id=cluster.process if named else None,
            initialization_timeout=JOINING,
            heartbeat_timeout_seconds=HEARTBEAT,
            shutdown_timeout_seconds=WRITING,
        )
    except (RuntimeError, ValueError) as error:
        where = cluster.coordinator or "the launcher's first host"
        reason = str(error).splitlines()[0]
        raise SpecificationError(
            f"process {cluster.process} of {cluster.processes} did not meet the others at {where} within "
            f"{JOINING} s ({reason}); start all of them, with the same address"
        ) from None
