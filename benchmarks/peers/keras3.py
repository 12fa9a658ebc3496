"""Keras 3 on JAX: Sequential, compile with jit_compile, fit on arrays that are already in order.

`steps_per_execution` puts several steps into one compiled call, as Keras recommends for small models. It gets
its rows in the order of the block with shuffle off, so it pays for no gather beyond its own slicing of
batches.
"""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "jax"  # the quickest of its backends on a CPU

import keras
import numpy as np

from benchmarks.peers import Array, Problem

MOST_STEPS_PER_EXECUTION = 20


class Sequential:
    """See `benchmarks.peers.Peer`."""

    def __init__(self, problem: Problem) -> None:
        workload = problem.workload
        self._problem = problem
        rows = problem.order[0] if workload.full_batch else problem.order.ravel()
        self._X, self._Y = problem.X[rows], problem.Y[rows]
        hidden = [keras.layers.Dense(n, activation=workload.hidden) for n in workload.sizes[1:-1]]
        self._model = keras.Sequential(
            [keras.layers.Input((workload.sizes[0],)), *hidden, keras.layers.Dense(workload.sizes[-1])]
        )
        rate = workload.learning_rate
        self._optimizer = (
            keras.optimizers.Adam(rate, epsilon=1e-8)
            if workload.optimizer == "adam"
            else keras.optimizers.SGD(rate)
        )
        loss = (
            keras.losses.BinaryCrossentropy(from_logits=True)
            if workload.output == "sigmoid"
            else keras.losses.CategoricalCrossentropy(from_logits=True)
        )
        executions = 1 if workload.full_batch else min(MOST_STEPS_PER_EXECUTION, workload.steps)
        while workload.steps % executions:
            executions -= 1
        self._model.compile(
            optimizer=self._optimizer, loss=loss, jit_compile=True, steps_per_execution=executions
        )
        self._optimizer.build(self._model.trainable_variables)
        self._fresh = [np.array(variable) for variable in self._optimizer.variables]
        self.reset()

    def reset(self) -> None:
        self._model.set_weights([p.T for layer in self._problem.parameters for p in layer])
        for variable, value in zip(self._optimizer.variables, self._fresh, strict=True):
            variable.assign(value)

    def run(self, steps: int) -> None:
        workload = self._problem.workload
        rows = min(steps * workload.batch, len(self._X))
        self._model.fit(
            self._X[:rows],
            self._Y[:rows],
            batch_size=workload.batch,
            epochs=max(1, steps * workload.batch // rows),
            shuffle=False,
            verbose=0,
        )

    def parameters(self) -> list[tuple[Array, Array]]:
        weights = [np.array(w) for w in self._model.get_weights()]
        return [(weights[i].T.copy(), weights[i + 1]) for i in range(0, len(weights), 2)]


def start(problem: Problem, threads: int) -> Sequential:
    """A training in Keras; the harness has already pinned the process where `threads` is 1."""
    return Sequential(problem)
