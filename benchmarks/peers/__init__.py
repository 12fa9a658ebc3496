"""Who is timed. Each peer has a file of its own, written as its own documentation recommends."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from benchmarks.workloads import Array, Problem, Workload


class Unavailable(Exception):
    """A peer that cannot run here, and why."""


class Peer(Protocol):
    """A training under way in one library; made by the `start(problem, threads)` of its file."""

    def reset(self) -> None:
        """Back to the initial parameters and a fresh optimizer; never timed."""
        ...

    def run(self, steps: int) -> None:
        """The first `steps` steps of the problem's order; returns when the result is there."""
        ...

    def parameters(self) -> list[tuple[Array, Array]]:
        """W (units, inputs) and b (units,) of each layer as they stand."""
        ...


class Entry(NamedTuple):
    """A row of the table of peers."""

    name: str
    title: str
    ours: bool = False
    pinned: bool = False
    """True where one thread has to be asked for by giving the process one processor."""


PEERS = (
    Entry("handgrad_native", "handgrad", ours=True),
    Entry("handgrad_reference", "handgrad reference", ours=True),
    Entry("handgrad_jax", "handgrad on JAX", ours=True, pinned=True),
    Entry("jax_scan", "JAX scan", pinned=True),
    Entry("pytorch_eager", "PyTorch eager"),
    Entry("torch_compile", "torch.compile"),
    Entry("sklearn_mlp", "scikit-learn"),
    Entry("keras3", "Keras 3 on JAX", pinned=True),
    Entry("numpy_out", "NumPy out="),
)

__all__ = ["PEERS", "Array", "Entry", "Peer", "Problem", "Unavailable", "Workload"]
