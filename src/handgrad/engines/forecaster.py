"""What a network says of many samples: by the native core, whose weights are laid out once, or by the equations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from handgrad.engines import ENGINES, native
from handgrad.engines.protocol import Forecast
from handgrad.engines.reference import forecast
from handgrad.errors import SpecificationError
from handgrad.nn.arrays import Array
from handgrad.nn.network import Network, Parameters

_CHUNK_BYTES = 4 << 20  # of inputs that are cast on the way: a chunk stays in the caches


class Forecaster:
    """A network with the parameters that it keeps, ready to be asked.

    `engine`: 'reference' for the equations in NumPy; every other one means the native core where it was built.
    The core lays the weights out when it is first asked, so the parameters are closed to writing from then on.
    Several threads may ask at once.

    >>> from handgrad.nn.network import Dense
    >>> network = Network(2, [Dense(1, "relu", W=[[1.0, 2.0]], b=[0.5])])
    >>> Forecaster(network, network.initial_parameters()).forecast(np.array([[1.0, 1.0]])).outputs.tolist()
    [[3.5]]

    Raises SpecificationError for an unknown engine.
    """

    def __init__(
        self, network: Network, parameters: Parameters, engine: str = "auto", threads: int | None = None
    ) -> None:
        if engine.partition(":")[0] not in ENGINES:
            raise SpecificationError(f"unknown engine {engine!r}; choose one of {', '.join(ENGINES)}")
        self.network, self.parameters, self.engine, self.threads = network, parameters, engine, threads
        self.dtype = np.asarray(parameters[0].W).dtype
        self.inputs, self.outputs = network.columns, network.outputs
        self._by_core = engine != "reference" and native.available() and self.dtype in native.DTYPES
        self._idle: list[native.Predictor] = []

    def __getstate__(self) -> tuple[Any, ...]:
        return self.network, self.parameters, self.engine, self.threads

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        Forecaster.__init__(self, *state)

    def finite(self, X: Array) -> Array | None:
        """The outputs for X (samples, inputs), float64, where X and they are finite, else None."""
        if self._by_core and X.dtype == self.dtype and X.flags.c_contiguous:
            out = np.empty((len(X), self.outputs), self.dtype)
            _, finite = self._asked(X, out, None)
            return out.astype(np.float64, copy=False) if finite else None
        made, finite = self._judged(X, None)
        return made.outputs if finite else None

    def forecast(self, X: Array, Y: Array | None = None) -> Forecast:
        """The outputs without dropout, and with targets the loss without penalties."""
        return self._judged(X, Y)[0]

    def _judged(self, X: Array, Y: Array | None) -> tuple[Forecast, bool]:
        if not self._by_core:
            return self._by_equations(X, Y)
        loss = self.network.loss if Y is not None else None
        outputs, total, all_finite = np.empty((len(X), self.outputs)), 0.0, True
        for part in self._chunks(X):
            x = self._cast(X[part])
            y = self._cast(Y[part]) if Y is not None and loss is not None else None
            out = np.empty((len(x), self.outputs), self.dtype)
            lost, finite = self._asked(x, out, y)
            outputs[part] = out
            total += lost * (len(x) / len(X) if loss is not None and loss.samples == "mean" else 1.0)
            all_finite = all_finite and finite
        return Forecast(outputs, None if loss is None else total), all_finite

    def _by_equations(self, X: Array, Y: Array | None) -> tuple[Forecast, bool]:
        x = self._cast(X)
        made = forecast(self.network, self.parameters, x, None if Y is None else self._cast(Y))
        return made, bool(np.isfinite(x).all() and np.isfinite(made.outputs).all())

    def _cast(self, array: Array) -> Array:
        with np.errstate(over="ignore"):  # what overflows is infinite, and seen
            return np.ascontiguousarray(array, self.dtype)

    def _chunks(self, X: Array) -> Iterator[slice]:
        """All rows at once where they can be taken as they are, else some at a time."""
        plain = X.dtype == self.dtype and X.flags.c_contiguous
        rows = len(X) if plain else max(1024, _CHUNK_BYTES // (self.inputs * self.dtype.itemsize))
        return (slice(start, start + rows) for start in range(0, len(X), max(rows, 1)))

    def _asked(self, X: Array, out: Array, Y: Array | None) -> tuple[float, bool]:
        """(loss, all finite) from a laid-out copy of the weights that no other thread uses."""
        try:
            predictor = self._idle.pop()
        except IndexError:
            for pair in self.parameters:
                for array in pair:
                    array.flags.writeable = False
            predictor = native.Predictor(self.network, self.parameters, threads=self.threads)
        found = predictor.write(X, out, Y)
        self._idle.append(predictor)
        return found
