"""Why an estimator predicts what it does, and the fitted network as a model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import numpy as np

from handgrad.errors import ShapeError, SpecificationError
from handgrad.estimators.parameters import from_coefficients
from handgrad.interop.foreign import Foreign
from handgrad.models.model import Model
from handgrad.nn.arrays import Array
from handgrad.nn.attribution import integrated_gradients
from handgrad.nn.network import Dense, Network


class Reason(NamedTuple):
    """The contributions of the features to one output: together they are `output` - `baseline`."""

    place: int
    """The output that is explained, from 0."""
    output: float
    baseline: float
    contributions: dict[str, float]
    """By feature, the largest first."""
    left_over: float
    """What the contributions lack of output - baseline."""


class Reasons(ABC):
    """`why`, and `to_model`."""

    coefs_: list[Array]
    intercepts_: list[Array]

    def why(self, x: Any, *, output: int | None = None, baseline: Any = None) -> Reason:
        """What each feature of one sample x (features,) or (1, features) had to do with what is predicted for it.

        `output` (from 0) names an output: of several classes the probability of that class; without it the largest
        one. `baseline` (features,) is the sample that x is compared with; without it all zeros, which is the mean of
        standardised features.

        Raises ShapeError for more than one sample, SpecificationError for an output that is not there.

        Source: M. Sundararajan, A. Taly, Q. Yan, Axiomatic Attribution for Deep Networks (2017), equation 1.
        """
        flat = isinstance(x, list | np.ndarray) and np.ndim(x) == 1
        row = self._inputs(np.reshape(x, (1, -1)) if flat else x)
        if len(row) != 1:
            raise ShapeError(f"why takes one sample, got {len(row)}")
        start = np.zeros(row.shape[1]) if baseline is None else np.asarray(baseline, np.float64).reshape(-1)
        if start.shape != (row.shape[1],):
            raise ShapeError(f"the baseline must have shape ({row.shape[1]},), got {start.shape}")
        model = self.to_model()
        outputs = model.network.outputs
        place = int(np.argmax(model.predict(row.astype(np.float64))[0])) if output is None else output
        if isinstance(place, bool) or not isinstance(place, int) or not 0 <= place < outputs:
            raise SpecificationError(f"there are the outputs 0 to {outputs - 1}, got {output!r}")
        found = integrated_gradients(model.network, model.parameters, row[0], start, place)
        names = vars(self).get("feature_names_in_", [f"X{j + 1}" for j in range(row.shape[1])])
        largest = sorted(zip(names, found.contributions, strict=True), key=lambda pair: -abs(pair[1]))
        parts = {str(name): float(part) for name, part in largest}
        return Reason(place, found.output, found.baseline, parts, found.left_over)

    def to_model(self) -> Model:
        """The fitted network as a `handgrad.Model`, which can be saved, drawn and exported.

        It takes and gives arrays: the features as `fit` took them, the outputs as they are.
        """
        described = self._network()
        parameters = from_coefficients(self.coefs_, self.intercepts_, np.float64)
        layers = [
            Dense(layer.units, layer.function, W=W, b=b, dropout=layer.dropout)
            for layer, (W, b) in zip(described.layers, parameters, strict=True)
        ]
        return Foreign("handgrad.sklearn", Network(described.inputs, layers, described.loss)).model()

    @abstractmethod
    def _network(self) -> Network:
        """The network that was fitted."""

    @abstractmethod
    def _inputs(self, X: Any) -> Array:
        """X judged and dense. Raises NotFittedError before `fit`."""
