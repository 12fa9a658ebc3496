"""handgrad's native engine: one call for the whole block."""

from __future__ import annotations

from benchmarks.peers import Problem
from benchmarks.peers.handgrad_reference import Handgrad
from handgrad.engines.native import NativeEngine


def start(problem: Problem, threads: int | None) -> Handgrad:
    """A training in the native engine; None leaves the number of threads to it."""
    return Handgrad(NativeEngine(), problem, threads)
