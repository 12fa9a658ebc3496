"""The reference engine: NumPy executes the equations of `nn` as they stand, in any dtype."""

from __future__ import annotations

from time import perf_counter

import numpy as np

from handgrad.engines.protocol import Forecast, Run, Stop
from handgrad.nn.arrays import Array
from handgrad.nn.forward import dropout_masks, forward, predict
from handgrad.nn.network import Network, Parameters
from handgrad.nn.observe import UNOBSERVED, Observer
from handgrad.nn.step import Recipe, Training, training_step

_LONG = 0.1  # seconds, after which a step is left where stopping is wished
_ROWS = 8192  # whose activity is held at once


def forecast(
    network: Network,
    parameters: Parameters,
    X: Array,
    Y: Array | None = None,
    weights: Array | None = None,
) -> Forecast:
    """The outputs without dropout, and the loss without penalties, by the equations, some thousand rows at a time.

    `weights` (samples,): by which the losses of the samples count.
    """
    loss, total = network.loss, 0.0
    outputs = np.empty((len(X), network.outputs))
    for start in range(0, len(X), _ROWS):
        part = slice(start, start + _ROWS)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # the caller looks at them
            activity = forward(network, parameters, X[part])
            outputs[part] = activity.yhat
            if loss is not None and Y is not None:
                terms = loss.terms(activity.yhat, Y[part], activity.Z[-1], network.layers[-1].function.name)
                losses = loss.per_sample(terms)
                counted = losses if weights is None else weights[part] * losses
                total += float(np.sum(counted, dtype=np.float64))
    if loss is None or Y is None:
        return Forecast(outputs, None)
    return Forecast(outputs, total / len(X) if loss.samples == "mean" else total)


class _Left(Exception):
    """A long step was left in its middle."""


class _Leaving(Observer):
    """Leaves a step that has taken long where the caller wishes to stop."""

    def __init__(self, stop: Stop) -> None:
        self._stop, self._began = stop, perf_counter()

    def __call__(self, name: str, value: Array) -> Array:
        if perf_counter() - self._began > _LONG and self._stop():
            raise _Left
        return value


class ReferenceSession:
    """A training under way in NumPy; see `handgrad.engines.protocol.Session`."""

    def __init__(
        self,
        network: Network,
        recipe: Recipe,
        training: Training,
        X: Array,
        Y: Array,
        seed: int,
        weights: Array | None = None,
    ) -> None:
        dtype = training.parameters[0].W.dtype
        self._network, self._recipe, self._training = network, recipe, training
        self._X, self._Y = np.asarray(X, dtype), np.asarray(Y, dtype)
        self._seed, self._weights = seed, None if weights is None else np.asarray(weights, dtype)

    def run(
        self, order: Array, batch_size: int, rates: Array, first_step: int, stop: Stop | None = None
    ) -> Run:
        losses: list[float] = []
        for k, rate in enumerate(rates):
            rows = order[k * batch_size : (k + 1) * batch_size]
            masks = dropout_masks(self._network, self._seed, first_step + k, len(rows))
            observe = UNOBSERVED if stop is None else _Leaving(stop)
            try:
                with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # the loss shows it
                    stepped = training_step(
                        self._network,
                        self._recipe,
                        self._training,
                        self._X[rows],
                        self._Y[rows],
                        first_step + k,
                        float(rate),
                        masks,
                        observe,
                        None if self._weights is None else self._weights[rows],
                    )
            except _Left:
                break
            losses.append(float(stepped.loss))
            if not np.isfinite(losses[-1]):
                return Run(np.array(losses), failed=True)
            self._training = stepped.training
            if stop is not None and stop():
                break
        return Run(np.array(losses), failed=False)

    def training(self) -> Training:
        return self._training  # the equations never write into an array that they were given

    def predict(self, X: Array) -> Array:
        dtype = self._training.parameters[0].W.dtype
        with np.errstate(over="ignore", invalid="ignore"):
            return predict(self._network, self._training.parameters, np.asarray(X, dtype))

    def score(self, rows: Array) -> Forecast:
        weights = None if self._weights is None else self._weights[rows]
        return forecast(self._network, self._training.parameters, self._X[rows], self._Y[rows], weights)


class ReferenceEngine:
    """Starts `ReferenceSession`s; `threads` is left to NumPy's BLAS."""

    name = "reference"

    def start(
        self,
        network: Network,
        recipe: Recipe,
        training: Training,
        X: Array,
        Y: Array,
        seed: int,
        threads: int | None = None,
        weights: Array | None = None,
    ) -> ReferenceSession:
        return ReferenceSession(network, recipe, training, X, Y, seed, weights)
