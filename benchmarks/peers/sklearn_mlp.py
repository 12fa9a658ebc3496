"""scikit-learn: MLPClassifier, fitted for the epochs of a block by `fit` with warm_start.

What had to be done to make it do the same work: the initial weights are put into `coefs_` and `intercepts_`,
which warm_start keeps; the order of the rows is handed over by a RandomState whose `shuffle` gives it; L2 is
switched off, and so is stopping early. What stays different: it is given only the rows that the block visits
(matters for table3, where the others gather from a larger table); Adam's epsilon is added before the
correction of v, not after it; its update is computed in float64 and stored in float32; it validates its input
and adds up its loss in every epoch.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from benchmarks.peers import Array, Problem, Unavailable

ACTIVATIONS = {"relu": "relu", "tanh": "tanh", "sigmoid": "logistic"}


class GivenOrder(np.random.RandomState):
    """A generator whose `shuffle` writes the order that was given."""

    def __init__(self, order: Array) -> None:
        super().__init__(0)
        self._order = order

    def shuffle(self, x: Any) -> None:
        x[:] = self._order


class Classifier:
    """See `benchmarks.peers.Peer`."""

    def __init__(self, problem: Problem) -> None:
        workload = problem.workload
        visited = np.unique(problem.order)
        self._problem = problem
        self._X, self._y = problem.X[visited], problem.classes[visited]
        self._epoch = min(workload.steps, len(visited) // workload.batch)  # steps in an epoch
        positions = np.searchsorted(visited, problem.order[: self._epoch].ravel())
        self._model = MLPClassifier(
            hidden_layer_sizes=workload.sizes[1:-1],
            activation=ACTIVATIONS[workload.hidden],
            solver=workload.optimizer,
            alpha=0.0,
            batch_size=workload.batch,
            learning_rate="constant",
            learning_rate_init=workload.learning_rate,
            shuffle=not workload.full_batch,
            random_state=GivenOrder(positions),
            tol=0.0,
            n_iter_no_change=10**9,
            momentum=0.0,
            nesterovs_momentum=False,
            warm_start=True,
            max_iter=1,
        )
        warnings.simplefilter("ignore", ConvergenceWarning)
        self._first_step()
        self.reset()

    def reset(self) -> None:
        self._model.coefs_ = [W.T.copy() for W, _ in self._problem.parameters]
        self._model.intercepts_ = [b.copy() for _, b in self._problem.parameters]

    def run(self, steps: int) -> None:
        if steps != self._problem.workload.steps:
            return  # the first step was taken when the model was made: scikit-learn counts in epochs
        self._model.set_params(max_iter=steps // self._epoch)
        self._model.fit(self._X, self._y)

    def parameters(self) -> list[tuple[Array, Array]]:
        return [
            (W.T.copy(), b.copy()) for W, b in zip(self._model.coefs_, self._model.intercepts_, strict=True)
        ]

    def _first_step(self) -> None:
        """One step on a batch that holds every class, which also makes the model's attributes."""
        batch = self._problem.workload.batch
        first = np.unique(self._y, return_index=True)[1]
        others = np.setdiff1d(np.arange(len(self._y)), first)
        rows = np.concatenate([first, others[: max(batch - len(first), 0)]])
        given, self._model.random_state = self._model.random_state, GivenOrder(np.arange(len(rows)))
        self._model.fit(self._X[rows], self._y[rows])
        self._model.random_state = given


def start(problem: Problem, threads: int) -> Classifier:
    """A training in scikit-learn; threads come from the BLAS's environment."""
    classes = max(problem.workload.sizes[-1], 2)
    if len(np.unique(problem.classes)) != classes:
        raise Unavailable(f"scikit-learn needs all {classes} classes in the data")
    return Classifier(problem)
