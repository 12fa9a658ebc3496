"""PyTorch compiled: forward and loss through torch.compile (inductor's C++), the optimizer fused.

Inductor makes the backward pass from the same graph. It needs a C++ compiler; where there is none this peer
says so and is left out.
"""

from __future__ import annotations

import shutil

import torch

from benchmarks.peers import Problem, Unavailable
from benchmarks.peers.pytorch_eager import Eager


class Compiled(Eager):
    """See `benchmarks.peers.Peer`."""

    def __init__(self, problem: Problem, threads: int) -> None:
        super().__init__(problem, threads)
        self._forward = torch.compile(self._batch_loss)


def start(problem: Problem, threads: int) -> Compiled:
    """A training in compiled PyTorch; Raises Unavailable without a compiler."""
    if not any(shutil.which(compiler) for compiler in ("g++", "clang++", "c++")):
        raise Unavailable("torch.compile needs a C++ compiler, and none is on the path")
    peer = Compiled(problem, threads)
    try:
        peer.run(1)
    except Exception as error:  # inductor raises its own, torch's or the compiler's errors
        raise Unavailable(f"torch.compile does not work here: {str(error).splitlines()[0]}") from error
    return peer
