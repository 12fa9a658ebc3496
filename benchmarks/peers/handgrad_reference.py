"""handgrad's reference engine: NumPy executes the equations as they stand; here to be seen, not to win."""

from __future__ import annotations

import numpy as np

from benchmarks.peers import Array, Problem
from handgrad.engines.protocol import Engine, Session
from handgrad.engines.reference import ReferenceEngine
from handgrad.nn.losses import Loss
from handgrad.nn.network import Dense, LayerParameters, Network
from handgrad.nn.optimizers import SGD, Adam, initial_state
from handgrad.nn.step import Recipe, Training

LOSSES = {"sigmoid": "binary_cross_entropy", "softmax": "cross_entropy"}


class Handgrad:
    """See `benchmarks.peers.Peer`; both engines are driven by it."""

    def __init__(self, engine: Engine, problem: Problem, threads: int | None) -> None:
        workload = problem.workload
        activations = [workload.hidden] * (len(workload.sizes) - 2) + [workload.output]
        layers = [Dense(n, f) for n, f in zip(workload.sizes[1:], activations, strict=True)]
        self._network = Network(workload.sizes[0], layers, Loss(LOSSES[workload.output]))
        optimizer = Adam if workload.optimizer == "adam" else SGD
        self._recipe = Recipe(optimizer(workload.learning_rate))
        self._engine, self._threads = engine, threads
        self._problem, self._Y = problem, problem.Y
        self._order = problem.order.ravel()
        self._rates = np.full(len(problem.order), workload.learning_rate)
        self.reset()

    def reset(self) -> None:
        parameters = tuple(LayerParameters(W, b) for W, b in self._problem.parameters)
        training = Training(parameters, initial_state(self._recipe.optimizer, parameters))
        self._session: Session = self._engine.start(
            self._network, self._recipe, training, self._problem.X, self._Y, seed=0, threads=self._threads
        )
        batch = self._problem.workload.batch
        self._session.run(
            self._order[:batch], batch, self._rates[:0], first_step=1
        )  # no step: only makes ready

    def run(self, steps: int) -> None:
        batch = self._problem.workload.batch
        self._session.run(self._order[: steps * batch], batch, self._rates[:steps], first_step=1)

    def parameters(self) -> list[tuple[Array, Array]]:
        return [(W, b) for W, b in self._session.training().parameters]


def start(problem: Problem, threads: int) -> Handgrad:
    """A training in the reference engine; threads come from the BLAS's environment."""
    return Handgrad(ReferenceEngine(), problem, threads)
