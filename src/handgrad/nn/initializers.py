"""How the parameters begin, where they are not given.

A weight matrix of shape (units, inputs) is drawn row by row from one NumPy generator, layer after layer, in
float64, and then cast; so the same seed gives the same network in every precision.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from handgrad.errors import SpecificationError
from handgrad.nn.arrays import Array


@dataclass(frozen=True)
class Initializer:
    """An initializer by name, drawn from a 'uniform' or a 'normal' distribution.

    `scale` is the half-width of 'uniform' and the deviation of 'normal'; for the others it multiplies the
    variance.

    >>> Initializer("glorot").draw(np.random.default_rng(0), units=2, inputs=4).shape
    (2, 4)

    Raises SpecificationError for an unknown name, distribution or a scale that is not positive.

    Source: X. Glorot, Y. Bengio, Understanding the difficulty of training deep feedforward neural networks (2010),
    equations 12 and 16; K. He et al., Delving deep into rectifiers (2015), equation 10; Y. LeCun et al., Efficient
    BackProp (1998), section 4.6.
    """

    name: str = "he"
    distribution: str | None = None
    scale: float | None = None

    def __post_init__(self) -> None:
        if self.name not in INITIALIZERS:
            raise SpecificationError(
                f"unknown initializer {self.name!r}; choose one of {', '.join(INITIALIZERS)}"
            )
        if self.distribution not in (None, "uniform", "normal"):
            raise SpecificationError(
                f"initializer {self.name!r}: distribution must be 'uniform' or 'normal', "
                f"got {self.distribution!r}"
            )
        if self.scale is not None and not (self.scale > 0 and math.isfinite(self.scale)):
            raise SpecificationError(f"initializer {self.name!r}: scale must be > 0, got {self.scale}")
        if self.scale is not None and self.scale > _LARGEST_SCALE:
            raise SpecificationError(
                f"initializer {self.name!r}: scale must be at most {_LARGEST_SCALE:g}, got {self.scale}"
            )

    def draw(self, generator: np.random.Generator, units: int, inputs: int) -> Array:
        """Weights of shape (units, inputs), float64.

        A variance v is met by a normal deviation sqrt(v) or a uniform half-width sqrt(3 v).
        """
        distribution, variance = INITIALIZERS[self.name](units, inputs)
        distribution = self.distribution or distribution
        if self.scale is not None and self.name not in ("uniform", "normal"):
            variance *= self.scale
        elif self.scale is not None:
            variance = self.scale**2 / (3 if distribution == "uniform" else 1)
        if variance == 0:
            return np.zeros((units, inputs))
        if distribution == "uniform":
            bound = math.sqrt(3 * variance)
            return generator.uniform(-bound, bound, (units, inputs))
        return generator.normal(0.0, math.sqrt(variance), (units, inputs))


_LARGEST_SCALE = 1e100  # its square, and a sum of many such weights, stay within float64

INITIALIZERS: dict[str, Callable[[int, int], tuple[str, float]]] = {
    "zeros": lambda units, inputs: ("normal", 0.0),
    "uniform": lambda units, inputs: ("uniform", 1.0 / 3),  # -1 to 1 unless `scale` says otherwise
    "normal": lambda units, inputs: ("normal", 0.01**2),
    # Glorot, Bengio (2010), equations 12 and 16
    "glorot": lambda units, inputs: ("uniform", 2.0 / (units + inputs)),
    # He, Zhang, Ren, Sun (2015), equation 10
    "he": lambda units, inputs: ("normal", 2.0 / inputs),
    # LeCun, Bottou, Orr, Mueller (1998), section 4.6
    "lecun": lambda units, inputs: ("normal", 1.0 / inputs),
}
