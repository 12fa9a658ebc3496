"""Sessions that the engines lack: weighted samples, and rows that lie in a sparse matrix.

Weights are shares of the batch here, as in scikit-learn: each sample counts m w_i / sum w, so that means become
weighted means; they run in NumPy on the equations of `nn`.
A sparse matrix is never made dense as a whole: some batches at a time are, in one buffer that is used again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from handgrad.engines import choose
from handgrad.engines.protocol import Run, Session, Stop
from handgrad.nn.arrays import Array
from handgrad.nn.forward import dropout_masks, predict
from handgrad.nn.network import Network
from handgrad.nn.step import Recipe, Training, training_step

_BUFFER = 8 << 20  # bytes of dense rows at a time

Start = Callable[[Any, Array, Array | None], Session]
"""Starts a session on X (n, inputs), Y (n, outputs) and the weights of the samples (n,) or None."""


def start_session(
    network: Network,
    recipe: Recipe,
    training: Training,
    X: Any,
    Y: Array,
    weights: Array | None,
    *,
    batch_size: int,
    seed: int = 0,
    engine: str = "auto",
) -> Session:
    """A session on dense or sparse X (n, inputs), with or without a weight for each sample (n,)."""

    def start(X: Array, Y: Array, weights: Array | None) -> Session:
        if weights is not None:
            return WeightedSession(network, recipe, training, X, Y, weights, seed)
        return choose(engine, network).start(network, recipe, training, X, Y, seed)

    if isinstance(X, np.ndarray):
        return start(X, Y, weights)
    return SparseSession(start, X, Y, weights, batch_size)


class WeightedSession:
    """A training whose samples have weights: loss = sum w_i loss_i / sum w; see `engines.protocol.Session`."""

    def __init__(
        self,
        network: Network,
        recipe: Recipe,
        training: Training,
        X: Array,
        Y: Array,
        weights: Array,
        seed: int,
    ) -> None:
        self._network, self._recipe, self._training = network, recipe, training
        self._X, self._Y, self._weights, self._seed = X, Y, weights, seed

    def run(
        self, order: Array, batch_size: int, rates: Array, first_step: int, stop: Stop | None = None
    ) -> Run:
        losses: list[float] = []
        for k, rate in enumerate(rates):
            rows = order[k * batch_size : (k + 1) * batch_size]
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # judged by the loss
                stepped = self._step(rows, first_step + k, float(rate))
            losses.append(float(stepped[1]))
            if not np.isfinite(losses[-1]):
                return Run(np.array(losses), failed=True)
            self._training = stepped[0]
            if stop is not None and stop():
                break
        return Run(np.array(losses), failed=False)

    def _step(self, rows: Array, t: int, rate: float) -> tuple[Training, Array]:
        weights, m = self._weights[rows], len(rows)
        total = float(np.sum(weights, dtype=np.float64))
        per_weight = m / total if total > 0 else 0.0  # a batch without weight moves nothing
        penalties = self._recipe.regularization
        recipe = replace(self._recipe, regularization=replace(penalties, l2=penalties.l2 * per_weight))
        return training_step(
            self._network,
            recipe,
            self._training,
            self._X[rows],
            self._Y[rows],
            t,
            rate,
            dropout_masks(self._network, self._seed, t, m),
            weights=(weights * per_weight).astype(self._X.dtype),
        )

    def training(self) -> Training:
        return self._training

    def predict(self, X: Array) -> Array:
        with np.errstate(over="ignore", invalid="ignore"):
            return predict(self._network, self._training.parameters, X)


class SparseSession:
    """A training on the rows of a CSR matrix, some batches of which are dense at a time."""

    def __init__(self, start: Start, X: Any, Y: Array, weights: Array | None, batch_size: int) -> None:
        batches = max(1, _BUFFER // (X.shape[1] * X.dtype.itemsize * batch_size))
        rows = min(batches * batch_size, X.shape[0])
        self._X, self._Y, self._weights = X, Y, weights
        self._rows = np.zeros((rows, X.shape[1]), X.dtype)
        self._targets = np.zeros((rows, Y.shape[1]), Y.dtype)
        self._their_weights = None if weights is None else np.zeros(rows, weights.dtype)
        self._session = start(self._rows, self._targets, self._their_weights)

    def run(
        self, order: Array, batch_size: int, rates: Array, first_step: int, stop: Stop | None = None
    ) -> Run:
        batches = max(1, len(self._rows) // batch_size)
        losses: list[Array] = []
        for k in range(0, len(rates), batches):
            count = self._fill(order[k * batch_size : (k + batches) * batch_size])
            part = rates[k : k + batches]
            run = self._session.run(np.arange(count), batch_size, part, first_step + k, stop)
            losses.append(run.losses)
            if run.failed or len(run.losses) < len(part):
                return Run(np.concatenate(losses), run.failed)
        return Run(np.concatenate(losses), failed=False)

    def _fill(self, rows: Array) -> int:
        """Puts these rows into the buffers that the session reads; how many they are."""
        count = len(rows)
        self._X[rows].toarray(out=self._rows[:count])
        self._targets[:count] = self._Y[rows]
        if self._weights is not None and self._their_weights is not None:
            self._their_weights[:count] = self._weights[rows]
        return count

    def training(self) -> Training:
        return self._session.training()

    def predict(self, X: Any) -> Array:
        return self._session.predict(X)


def rows_of(X: Any) -> Any:
    """X with rows that can be taken: C-ordered, or CSR."""
    return np.ascontiguousarray(X) if isinstance(X, np.ndarray) else X.tocsr()


def outputs_of(forward: Any, X: Any, outputs: int) -> Array:
    """The outputs for dense or sparse rows, sparse ones some at a time."""
    if isinstance(X, np.ndarray):
        dense: Array = forward(X)
        return dense
    rows = max(1, _BUFFER // (X.shape[1] * X.dtype.itemsize))
    parts = [forward(X[k : k + rows].toarray()) for k in range(0, X.shape[0], rows)]
    return np.concatenate(parts) if parts else np.empty((0, outputs))
