"""Loss functions: how far the outputs are from the targets, and the first factor of the chain rule.

The loss of a sample adds (or averages) a term per output; the loss of a batch averages (or adds) its samples:
`loss = R_samples R_outputs scale * term(a, y)`. A sample may have a weight omega, by which its loss counts:
`loss = 1/m sum_i omega_i loss_i`; weights whose mean is 1 leave the size of the loss as it is.

With `scale`, `outputs` and `samples` every published form of
the squared error can be said: (a - y)^2, 1/2 (a - y)^2, 1/n sum, 1/(2m) sum.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from handgrad.errors import SpecificationError
from handgrad.nn.activations import Activation, Range, log_softmax, softplus
from handgrad.nn.arrays import Array, namespace
from handgrad.nn.targets import CLASSES, COUNTS, LABELS, NUMBERS, SIGNS, Targets

REDUCTIONS = ("sum", "mean")


@dataclass(frozen=True)
class Loss:
    """A loss by name, with its explicit scale and reductions.

    `outputs` says how the terms of one sample are put together, `samples` how the samples of a batch are;
    `threshold` is Huber's. Logarithms are natural.

    >>> Loss("squared_error", scale=0.5).gradient_factor(outputs=2)
    0.5

    Raises SpecificationError for an unknown name, reduction or a scale that is not positive.
    """

    name: str = "squared_error"
    scale: float = 1.0
    outputs: str = "sum"
    samples: str = "mean"
    threshold: float | None = None

    def __post_init__(self) -> None:
        if self.name not in LOSSES:
            raise SpecificationError(f"unknown loss {self.name!r}; choose one of {', '.join(LOSSES)}")
        for over in ("outputs", "samples"):
            if getattr(self, over) not in REDUCTIONS:
                raise SpecificationError(
                    f"loss {self.name!r}: {over} must be 'sum' or 'mean', got {getattr(self, over)!r}"
                )
        if not (self.scale > 0 and math.isfinite(self.scale)):
            raise SpecificationError(f"loss {self.name!r}: scale must be > 0, got {self.scale}")
        if self.threshold is None:
            object.__setattr__(self, "threshold", self.rule.threshold)
        elif self.rule.threshold is None:
            raise SpecificationError(f"loss {self.name!r} has no threshold; leave it out")
        elif not (self.threshold > 0 and math.isfinite(self.threshold)):
            raise SpecificationError(f"loss {self.name!r}: threshold must be > 0, got {self.threshold}")

    @property
    def rule(self) -> LossRule:
        """The row of this loss."""
        return LOSSES[self.name]

    @property
    def targets(self) -> Targets:
        """What it takes as y."""
        return self.rule.targets

    def accepts(self, activation: Activation) -> bool:
        """True where whatever the activation gives is an output that the loss has a term for.

        >>> Loss("poisson").accepts(Activation("softplus")), Loss("poisson").accepts(Activation("identity"))
        (True, False)
        """
        low, high = activation.rule.outputs
        return self.rule.domain[0] <= low and high <= self.rule.domain[1]

    def gradient_factor(self, outputs: int) -> float:
        """Constant before each term: scale, divided by the number of outputs if they are averaged."""
        return self.scale / outputs if self.outputs == "mean" else self.scale

    def terms(self, a: Array, y: Array, z: Array | None = None, activation: str = "") -> Array:
        """scale * term(a, y), shape (samples, outputs), before any reduction.

        With `z` and the name of the output activation, the sigmoid and softmax pairs are computed from z
        (log-sum-exp), so that a saturated output does not end in ln 0.
        """
        closed = self.rule.closed.get(activation)
        if z is None or closed is None:
            return self.scale * self.rule.term(a, y, self._threshold)
        return self.scale * closed.term(z, y)

    def per_sample(self, terms: Array) -> Array:
        """Loss of each sample, shape (samples,), from its terms (samples, outputs)."""
        xp = namespace(terms)
        return xp.mean(terms, axis=1) if self.outputs == "mean" else xp.sum(terms, axis=1)

    def over_samples(self, losses: Array, weights: Array | None = None) -> Array:
        """Loss of the batch, a number, from the losses of its samples (samples,), each times its weight.

        >>> import numpy as np
        >>> float(Loss().over_samples(np.array([1.0, 3.0]), np.array([0.5, 1.5])))
        2.5
        """
        xp = namespace(losses)
        counted = losses if weights is None else weights * losses
        return xp.mean(counted) if self.samples == "mean" else xp.sum(counted)

    def gradient(self, a: Array, y: Array, weights: Array | None = None) -> Array:
        """d(the sample's loss)/da for each output, shape (samples, outputs); no 1/m in it, but its weight."""
        derivative = self.gradient_factor(a.shape[1]) * self.rule.derivative(a, y, self._threshold)
        return derivative if weights is None else weights[:, None] * derivative

    def fused(self, activation: str) -> bool:
        """True where dloss/dz has a closed form with the output activation (yhat - y and its kin)."""
        return activation in self.rule.closed

    def delta(self, a: Array, y: Array, activation: str, weights: Array | None = None) -> Array:
        """d(the sample's loss)/dz by the closed form, times its weight; only where `fused` says so."""
        delta = self.gradient_factor(a.shape[1]) * self.rule.closed[activation].delta(a, y)
        return delta if weights is None else weights[:, None] * delta

    def share(self, samples: int) -> int:
        """Divisor of the summed gradients: m where the loss averages the samples, else 1."""
        return samples if self.samples == "mean" else 1

    @property
    def _threshold(self) -> float:
        return 0.0 if self.threshold is None else self.threshold


class Closed(NamedTuple):
    """A loss with the output activation that cancels its denominators: from z and y, and dloss/dz from a and y."""

    term: Callable[[Array, Array], Array]
    delta: Callable[[Array, Array], Array]


@dataclass(frozen=True)
class LossRule:
    """One row of the table: all that is particular to a loss.

    `term(a, y, threshold)` and its derivative by a; `closed` by output activation; `domain` the outputs for which the
    term is a number, `infinite_at` those of its ends at which the derivative divides by 0; `vanishes_at` the target
    whose term is 0 whatever the output is; `tasks` of a table that it can judge; `threshold` the default of its
    parameter, None without one; `source` the paper.
    """

    label: str
    term: Callable[[Array, Array, float], Array]
    derivative: Callable[[Array, Array, float], Array]
    targets: Targets
    tasks: tuple[str, ...] = ()
    closed: Mapping[str, Closed] = field(default_factory=dict)
    domain: Range = (-math.inf, math.inf)
    infinite_at: tuple[float, ...] = ()
    vanishes_at: float | None = None
    threshold: float | None = None
    source: str = ""


def _y_log(y: Array, a: Array) -> Array:
    """y ln a, with 0 ln 0 = 0 (its limit)."""
    xp = namespace(a)
    return xp.where(y == 0, xp.zeros_like(a), y * xp.log(xp.where(y == 0, xp.ones_like(a), a)))


def _quotient(numerator: Array, denominator: Array, nothing: Array) -> Array:
    """numerator / denominator, and 0 where `nothing` holds, whatever the denominator is."""
    xp = namespace(denominator)
    safe = xp.where(nothing, xp.ones_like(denominator), denominator)
    return xp.where(nothing, xp.zeros_like(denominator), numerator / safe)


def _binary_derivative(a: Array, y: Array, threshold: float) -> Array:
    """(a - y) / (a (1 - a)); for y = 0 this is 1 / (1 - a) and for y = 1 it is -1 / a, also where a = y."""
    xp = namespace(a)
    between: Array = _quotient(a - y, a * (1 - a), (y == 0) | (y == 1))
    zero, one = _quotient(xp.ones_like(a), 1 - a, y != 0), _quotient(xp.ones_like(a), a, y != 1)
    derivative: Array = between + zero - one
    return derivative


def _huber(a: Array, y: Array, threshold: float) -> Array:
    """d^2 / 2 up to the threshold T, then T (d - T / 2); with r = min(d, T) both are r (d - r / 2)."""
    xp = namespace(a)
    distance = xp.abs(a - y)
    near = xp.where(distance > threshold, threshold, distance)
    return near * (distance - near / 2)


def _huber_derivative(a: Array, y: Array, threshold: float) -> Array:
    return namespace(a).clip(a - y, -threshold, threshold)


def _bce_of_logit(z: Array, y: Array) -> Array:
    """max(z, 0) - y z + ln(1 + e^-|z|): for y in {0, 1} the first two cancel without rounding."""
    xp = namespace(z)
    linear: Array = xp.maximum(z, xp.zeros_like(z)) - z * y
    return linear + xp.log1p(xp.exp(-xp.abs(z)))


def _hinge_derivative(a: Array, y: Array, threshold: float) -> Array:
    """-y within the margin, 0 beyond it and where y a = 1, at the kink; an a that is not a number stays one."""
    xp = namespace(a)
    return xp.where(1 - y * a > 0, -y, xp.where(1 - y * a <= 0, xp.zeros_like(a), a))


LOSSES: dict[str, LossRule] = {
    "squared_error": LossRule(
        label="squared error",
        term=lambda a, y, threshold: (a - y) * (a - y),
        derivative=lambda a, y, threshold: 2 * (a - y),
        targets=NUMBERS,
        tasks=("regression", "binary", "multiclass", "multilabel"),
        source="A. Legendre, Nouvelles methodes pour la determination des orbites des cometes (1805)",
    ),
    "binary_cross_entropy": LossRule(
        label="binary cross-entropy",
        term=lambda a, y, threshold: -(_y_log(y, a) + _y_log(1 - y, 1 - a)),
        derivative=_binary_derivative,
        targets=LABELS,
        tasks=("binary", "multilabel"),
        closed={"sigmoid": Closed(_bce_of_logit, lambda a, y: a - y)},
        domain=(0.0, 1.0),
        infinite_at=(0.0, 1.0),
        source="C. Bishop, Pattern Recognition and Machine Learning (2006), equations 4.90 and 5.21",
    ),
    "cross_entropy": LossRule(
        label="cross-entropy",
        term=lambda a, y, threshold: -_y_log(y, a),
        derivative=lambda a, y, threshold: _quotient(-y, a, y == 0),
        targets=CLASSES,
        tasks=("multiclass",),
        closed={
            "softmax": Closed(
                lambda z, y: 0.0 - y * log_softmax(z),  # 0 - 0 is 0, -0 is not
                # sum_k y_k (a_j - [k = j]); the sum of y is 1 for classes, and then this is a - y
                lambda a, y: a * namespace(a).sum(y, axis=1, keepdims=True) - y,
            ),
            "sigmoid": Closed(lambda z, y: y * softplus(-z), lambda a, y: y * (a - 1)),
        },
        domain=(0.0, math.inf),
        infinite_at=(0.0,),
        vanishes_at=0.0,
        source="C. Bishop, Pattern Recognition and Machine Learning (2006), equations 4.108 and 5.24",
    ),
    "huber": LossRule(  # quadratic near the target, linear far from it
        label="Huber loss",
        term=_huber,
        derivative=_huber_derivative,
        targets=NUMBERS,
        tasks=("regression",),
        threshold=1.0,
        source="P. Huber, Robust estimation of a location parameter (1964), with k for the threshold",
    ),
    "absolute_error": LossRule(
        label="absolute error",
        term=lambda a, y, threshold: namespace(a).abs(a - y),
        derivative=lambda a, y, threshold: namespace(a).sign(a - y),  # 0 at the kink
        targets=NUMBERS,
        tasks=("regression",),
        source="P. Laplace, Sur quelques points du systeme du monde (1789)",
    ),
    "hinge": LossRule(
        label="hinge loss",
        term=lambda a, y, threshold: namespace(a).maximum(1 - y * a, namespace(a).zeros_like(a)),
        derivative=_hinge_derivative,
        targets=SIGNS,
        source="C. Cortes, V. Vapnik, Support-vector networks (1995): the slack of the soft margin",
    ),
    "poisson": LossRule(  # without ln y!, which no output changes
        label="Poisson loss",
        term=lambda a, y, threshold: a - _y_log(y, a),
        derivative=lambda a, y, threshold: 1 - _quotient(y, a, y == 0),
        targets=COUNTS,
        closed={"exponential": Closed(lambda z, y: namespace(z).exp(z) - y * z, lambda a, y: a - y)},
        domain=(0.0, math.inf),
        infinite_at=(0.0,),
        source="P. McCullagh, J. Nelder, Generalized linear models (1989), chapter 6: -ln of the likelihood",
    ),
}
