"""The way back to any step of the last `fit`: run again from its beginning, and opened as a sheet."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from handgrad.errors import ModelError, SpecificationError
from handgrad.estimators.parameters import from_coefficients, optimizer_of
from handgrad.estimators.stochastic import Beginning, Samples, replayed, with_rate
from handgrad.nn.arrays import Array
from handgrad.nn.forward import dropout_masks
from handgrad.nn.network import Network
from handgrad.nn.optimizers import OptimizerState
from handgrad.nn.regularization import Regularization
from handgrad.nn.step import Recipe, Training
from handgrad.worked.rounding import Rounding
from handgrad.worked.trace import Trace, trace_step
from handgrad.worksheets.worksheet import Worksheet


class Remembered(NamedTuple):
    """What the last call of `fit` or `partial_fit` leaves for `explain`."""

    beginning: Beginning | None
    """None for 'lbfgs', which takes no steps of this kind."""
    rates: tuple[float, ...]
    """The learning rate of each epoch."""
    last: int
    """Number of the last step."""
    fingerprint: float
    weighted: bool


def fingerprint(samples: Samples) -> float:
    """A number that a change of any entry changes: u^T X v + u^T Y w with fixed irregular u, v, w.

    Two passes over the data and no copy, so that it costs less than an epoch.
    """
    X, Y, weights = samples
    u = np.sin(np.arange(1.0, len(Y) + 1)).astype(X.dtype)
    v = np.cos(np.arange(1.0, X.shape[1] + 1)).astype(X.dtype)
    total = float(u @ (X @ v)) + float(u @ (Y @ np.sqrt(np.arange(1.0, Y.shape[1] + 1)).astype(Y.dtype)))
    return total if weights is None else total + float(u @ weights)


class FittedSource:
    """The steps of an estimator's last call of `fit` or `partial_fit`; see `worksheets.steps.Source`."""

    source = ""
    rounding = Rounding()

    def __init__(self, estimator: Sheets, samples: Samples) -> None:
        self._estimator, self._samples = estimator, samples
        self._remembered: Remembered = estimator._remembered
        self.network: Network = estimator._network()
        self.title = f"{type(estimator).__name__} ({'-'.join(map(str, self.network.sizes))})"
        parameters = estimator.get_params(deep=False)
        self.regularization = Regularization(l2=float(parameters["alpha"]), form="half_mean")
        stochastic = self._remembered.beginning is not None
        self.recipe = Recipe(optimizer_of(parameters), self.regularization) if stochastic else None
        self.total = max(1, self._remembered.last)

    def traces(self, first: int, last: int) -> Iterator[Trace]:
        for step in range(first, last + 1):
            yield self._trace(step) if self.recipe is not None else self._gradient()

    def _trace(self, step: int) -> Trace:
        """The step as it happened, from the beginning on."""
        beginning = self._remembered.beginning
        assert beginning is not None and self.recipe is not None
        if not beginning.step <= step <= self.total:
            raise SpecificationError(
                f"step {step}: the estimator remembers its last call, steps {beginning.step} to {self.total}"
            )
        samples = self._samples.take(beginning.rows)
        rates = self._remembered.rates
        epochs = self._estimator._epochs(self.network, self.recipe.optimizer, samples, beginning, rates[0])
        batch = replayed(epochs, iter(rates), step)
        rows = batch.rows if beginning.rows is None else beginning.rows[batch.rows]
        masks = dropout_masks(self.network, beginning.seed, step, len(rows))
        X, Y, _ = samples.take(batch.rows)
        return trace_step(
            self.network,
            with_rate(self.recipe, batch.rate),
            epochs.session.training(),
            _dense(X),
            Y,
            step,
            batch.rate,
            masks,
            rows=tuple(int(row) for row in rows),
        )

    def _gradient(self) -> Trace:
        """The gradient at the end of 'lbfgs', on all samples."""
        X, Y, _ = self._samples
        parameters = from_coefficients(
            self._estimator.coefs_, self._estimator.intercepts_, self._samples.X.dtype
        )
        training = Training(parameters, OptimizerState())
        return trace_step(
            self.network,
            None,
            training,
            _dense(X),
            Y,
            1,
            0.0,
            regularization=self.regularization,
            rows=tuple(range(len(Y))),
        )


class Sheets(ABC):
    """Opens the steps of an estimator's training."""

    _remembered: Remembered
    coefs_: list[Array]
    intercepts_: list[Array]
    get_params: Any

    def explain(
        self, X: Any, y: Any, *, step: int | None = None, sample: int | None = None, **choices: Any
    ) -> Worksheet:
        """The worked calculation of a step of the last `fit` or `partial_fit`, on the data it was given.

        `step` counts from 1 over all calls; without it the last one. `sample` (from 1) is one of the batch's
        samples; the other choices are those of `handgrad.explain`. After 'lbfgs' it is the gradient on all
        samples at the end.

        Raises ModelError where X and y are not the data of that call, SpecificationError for a step that was
        not taken, or after a training with sample weights.
        """
        remembered: Remembered | None = vars(self).get("_remembered")
        if remembered is None:
            raise SpecificationError(
                f"this {type(self).__name__} has not been fitted; call fit before explain"
            )
        if remembered.weighted:
            raise SpecificationError(
                "a step with sample weights or class weights has no sheet yet; fit without them to open it"
            )
        samples = self._samples_of(X, y)
        if not np.isclose(fingerprint(samples), remembered.fingerprint, rtol=1e-9):
            raise ModelError("X and y are not the data of the last fit; give the same arrays")
        source = FittedSource(self, samples)
        if remembered.beginning is None and step not in (None, 1):
            raise SpecificationError("lbfgs takes no steps of its own to be opened; leave step out")
        number = source.total if step is None else step
        if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= source.total:
            raise SpecificationError(f"step {step!r}: the training took the steps 1 to {source.total}")
        return Worksheet(source, number, number, chosen=True).with_choices(**choices, sample=sample)

    @abstractmethod
    def _samples_of(self, X: Any, y: Any) -> Samples:
        """The samples as training saw them."""

    @abstractmethod
    def _network(self) -> Network:
        """The network that was fitted."""

    @abstractmethod
    def _epochs(
        self, network: Network, optimizer: Any, samples: Samples, beginning: Beginning, rate: float
    ) -> Any:
        """The epochs from a beginning."""


def _dense(X: Any) -> Array:
    return X if isinstance(X, np.ndarray) else X.toarray()
