"""Penalties on the weights; biases are left out.

    L2  half:       1/2 lambda |W|^2,       gradient lambda W
        half_mean:  lambda / (2m) |W|^2,    gradient lambda / m W
        full:       lambda |W|^2,           gradient 2 lambda W
    L1              lambda |W|_1,           gradient lambda sign(W), 0 at 0

|W|^2 adds the squares of all weights of all layers; m is the number of samples in the batch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from handgrad.errors import SpecificationError
from handgrad.nn.arrays import Array, namespace
from handgrad.nn.network import Parameters

FORMS = ("half", "half_mean", "full")


@dataclass(frozen=True)
class Regularization:
    """Strengths of the L2 and L1 penalties, and the published form of L2 that is meant.

    >>> Regularization(l2=0.1).l2_coefficient(samples=4)
    0.05

    Raises SpecificationError for a negative strength or an unknown form.

    Source: A. Krogh, J. Hertz, A simple weight decay can improve generalization (NIPS 1991) for L2;
    R. Tibshirani, Regression shrinkage and selection via the lasso (1996), for L1.
    """

    l2: float = 0.0
    l1: float = 0.0
    form: str = "half"

    def __post_init__(self) -> None:
        for name, value in (("l2", self.l2), ("l1", self.l1)):
            if not (value >= 0 and math.isfinite(value)):
                raise SpecificationError(f"{name} must be a finite number >= 0, got {value}")
        if self.form not in FORMS:
            raise SpecificationError(f"l2 form must be one of {', '.join(FORMS)}, got {self.form!r}")

    def __bool__(self) -> bool:
        return self.l2 > 0 or self.l1 > 0

    def l2_coefficient(self, samples: int) -> float:
        """The number before |W|^2 for a batch of `samples`."""
        return {"half": 0.5, "half_mean": 0.5 / samples, "full": 1.0}[self.form] * self.l2

    def penalty(self, parameters: Parameters, samples: int) -> Array:
        """What the penalties add to the loss of a batch, a number."""
        xp = namespace(parameters[0].W)
        squares = absolutes = xp.zeros_like(parameters[0].W[0, 0])
        for W, _ in parameters:
            squares = squares + xp.sum(W * W)
            absolutes = absolutes + xp.sum(xp.abs(W))
        penalty: Array = self.l2_coefficient(samples) * squares + self.l1 * absolutes
        return penalty

    def gradient(self, W: Array, samples: int) -> Array:
        """d(penalty)/dW, shape as W."""
        gradient = 2 * self.l2_coefficient(samples) * W
        return gradient + self.l1 * namespace(W).sign(W) if self.l1 else gradient
