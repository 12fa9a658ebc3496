"""One of several processes that train together: it meets the others, and only the first one writes."""

from __future__ import annotations

from handgrad.cli import streams
from handgrad.engines import cluster, jax
from handgrad.errors import SpecificationError


def meet(engine: str, coordinator: str | None, processes: int | None, process: int | None) -> bool:
    """Meets the other processes of the training, where there are any; True for the one that writes.

    Raises SpecificationError for another engine than jax, and where the others do not come.
    """
    if engine != "jax":
        if (coordinator, processes, process) != (None, None, None):
            raise SpecificationError(
                "several processes train together on the engine jax only; add --engine jax"
            )
        return True
    together = cluster.described(coordinator, processes, process)
    if together.processes > 1:
        streams.keep_output()  # XLA's collectives print to the standard output
    jax.join(together)
    return together.writes
