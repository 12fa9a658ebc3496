"""handgrad's engine on JAX: the functions of `nn` compiled by XLA, one call for the whole block."""

from __future__ import annotations

from benchmarks.peers import Problem, Unavailable
from benchmarks.peers.handgrad_reference import Handgrad
from handgrad.engines.jax import JaxEngine
from handgrad.errors import MissingExtraError


def start(problem: Problem, threads: int) -> Handgrad:
    """A training on JAX's processors; the harness has already pinned the process where `threads` is 1."""
    try:
        return Handgrad(JaxEngine("cpu"), problem, threads)
    except MissingExtraError as error:
        raise Unavailable(str(error)) from error
