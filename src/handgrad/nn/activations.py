"""Activation functions: a = f(z), and what the chain rule needs of them.

One row of `ACTIVATIONS` each: value, derivative, parameter. The derivative is written in terms of the
output `a` wherever the textbook writes it so (sigmoid, tanh, ELU), in terms of `z` elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from handgrad.errors import SpecificationError
from handgrad.nn.arrays import Array, namespace
from handgrad.nn.special import normal_cdf, normal_density


@dataclass(frozen=True)
class Activation:
    """An activation function by name, with its parameter where it has one.

    >>> Activation("leaky_relu", alpha=0.1)
    Activation(name='leaky_relu', alpha=0.1)

    Raises SpecificationError for an unknown name or a parameter that does not belong to it.
    """

    name: str = "identity"
    alpha: float | None = None

    def __post_init__(self) -> None:
        if self.name not in ACTIVATIONS:
            raise SpecificationError(
                f"unknown activation {self.name!r}; choose one of {', '.join(ACTIVATIONS)}"
            )
        if self.alpha is None:
            object.__setattr__(self, "alpha", self.rule.alpha)
        elif self.rule.alpha is None:
            raise SpecificationError(f"activation {self.name!r} has no parameter alpha; leave it out")
        elif not 0 <= self.alpha < float("inf"):
            raise SpecificationError(
                f"activation {self.name!r}: alpha must be a finite number >= 0, got {self.alpha}"
            )

    @property
    def rule(self) -> ActivationRule:
        """The row of this activation."""
        return ACTIVATIONS[self.name]

    @property
    def elementwise(self) -> bool:
        """False for softmax, whose outputs depend on all inputs of the layer."""
        return self.rule.elementwise

    def value(self, z: Array) -> Array:
        """a = f(z), shape (samples, units) as z."""
        return self.rule.value(z, self._alpha)

    def derivative(self, z: Array, a: Array) -> Array:
        """f'(z) elementwise, shape as z; for softmax the diagonal a(1 - a) of the Jacobian."""
        return self.rule.derivative(z, a, self._alpha)

    def backward(self, da: Array, z: Array, a: Array) -> Array:
        """dloss/dz from dloss/da: the product of `da` with the Jacobian of f, sample by sample.

        Elementwise functions: da * f'(z). Softmax: J^T da = a * (da - sum_k da_k a_k), because
        J_kj = a_k ([k = j] - a_j). Shapes (samples, units).

        Source: C. Bishop, Pattern Recognition and Machine Learning (2006), equation 4.106.
        """
        if self.elementwise:
            dz: Array = da * self.derivative(z, a)
        else:
            dz = a * (da - namespace(a).sum(da * a, axis=1, keepdims=True))
        return dz

    @property
    def _alpha(self) -> float:
        return 0.0 if self.alpha is None else self.alpha


Range: TypeAlias = tuple[float, float]
"""An open interval of weighted sums."""


@dataclass(frozen=True)
class ActivationRule:
    """One row of the table: all that is particular to an activation.

    `value(z, alpha)` and `derivative(z, a, alpha)`; `initializer` the one that suits it; `alpha` the default of its
    parameter, None without one; `outputs` the interval in which f(z) lies, its ends perhaps among them; `source` the
    paper. A unit is saturated where z lies in `flat`, a tail in which |f'(z)| is below 1/100, so that hardly any error
    passes back; where z lies in `dead` none does, and a unit that is there for every sample never learns again. `kinks`
    are the z where f' jumps; there it is that of the side below, and at the upper end of relu6 and hard_sigmoid 0, as
    in PyTorch.
    """

    label: str
    value: Callable[[Array, float], Array]
    derivative: Callable[[Array, Array, float], Array]
    initializer: str = "glorot"
    alpha: float | None = None
    elementwise: bool = True
    outputs: Range = (-math.inf, math.inf)
    flat: tuple[Range, ...] = ()
    dead: tuple[Range, ...] = ()
    kinks: tuple[float, ...] = ()
    source: str = ""


def _sigmoid(z: Array, alpha: float = 0.0) -> Array:
    xp = namespace(z)
    e = xp.exp(-xp.abs(z))  # never overflows
    return xp.where(z >= 0, 1 / (1 + e), e / (1 + e))


def softplus(z: Array, alpha: float = 0.0) -> Array:
    """ln(1 + e^z) without overflow: max(z, 0) + ln(1 + e^-|z|)."""
    xp = namespace(z)
    return xp.maximum(z, xp.zeros_like(z)) + xp.log1p(xp.exp(-xp.abs(z)))


def log_softmax(z: Array) -> Array:
    """z_k - ln sum_j e^{z_j} along the last axis, by the log-sum-exp with the maximum taken out."""
    xp = namespace(z)
    shifted = z - xp.max(z, axis=-1, keepdims=True)
    return shifted - xp.log(xp.sum(xp.exp(shifted), axis=-1, keepdims=True))


def _softmax(z: Array, alpha: float) -> Array:
    xp = namespace(z)
    e = xp.exp(z - xp.max(z, axis=-1, keepdims=True))
    return e / xp.sum(e, axis=-1, keepdims=True)


def _positive(z: Array) -> Array:
    """1 where z > 0, else 0, in z's dtype; the derivative at 0 is taken as 0."""
    return namespace(z).astype(z > 0, z.dtype)


def _step(z: Array, alpha: float) -> Array:
    """1 where z > 0, else 0; a z that is not a number stays one, so that it cannot hide."""
    xp = namespace(z)
    return xp.where(z > 0, xp.ones_like(z), xp.where(z <= 0, xp.zeros_like(z), z))


def _elu(z: Array, alpha: float) -> Array:
    xp = namespace(z)
    return xp.where(z > 0, z, alpha * xp.expm1(xp.minimum(z, xp.zeros_like(z))))


def _where_positive(z: Array, otherwise: Array | float) -> Array:
    xp = namespace(z)
    return xp.where(z > 0, xp.ones_like(z), otherwise * xp.ones_like(z))


def _between(z: Array, low: float, high: float) -> Array:
    """1 where low < z < high, else 0, in z's dtype."""
    return namespace(z).astype((z > low) & (z < high), z.dtype)


def _mish_derivative(z: Array) -> Array:
    t = namespace(z).tanh(softplus(z))
    derivative: Array = t + z * (1 - t * t) * _sigmoid(z)
    return derivative


SELU_ALPHA, SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946
"""The fixed point of mean 0 and variance 1: their appendix gives these digits."""

BELOW_0: Range = (-math.inf, 0.0)
EVERYWHERE: Range = (-math.inf, math.inf)
ABOVE_0: Range = (0.0, math.inf)
UNIT: Range = (0.0, 1.0)


def _beyond(distance: float) -> tuple[Range, ...]:
    """Both tails of a curve that is symmetric about 0."""
    return (-math.inf, -distance), (distance, math.inf)


ACTIVATIONS: dict[str, ActivationRule] = {
    "identity": ActivationRule(
        label="identity",
        value=lambda z, alpha: z,
        derivative=lambda z, a, alpha: namespace(z).ones_like(z),
    ),
    "sigmoid": ActivationRule(
        label="sigmoid",
        value=_sigmoid,
        derivative=lambda z, a, alpha: a * (1 - a),
        flat=_beyond(4.58487),  # a (1 - a) = 0.01
        outputs=UNIT,
        source="P. Verhulst, Recherches mathematiques sur la loi d'accroissement de la population (1845)",
    ),
    "tanh": ActivationRule(
        label="tanh",
        value=lambda z, alpha: namespace(z).tanh(z),
        derivative=lambda z, a, alpha: 1 - a * a,
        flat=_beyond(2.99323),  # 1 - a^2 = 0.01
        outputs=(-1.0, 1.0),
        source="Y. LeCun et al., Efficient BackProp (1998), section 4.4",
    ),
    "relu": ActivationRule(
        label="ReLU",
        value=lambda z, alpha: namespace(z).maximum(z, namespace(z).zeros_like(z)),
        derivative=lambda z, a, alpha: _positive(z),
        initializer="he",
        flat=(BELOW_0,),
        dead=(BELOW_0,),
        kinks=(0.0,),
        outputs=ABOVE_0,
        source="V. Nair, G. Hinton, Rectified linear units improve restricted Boltzmann machines (ICML 2010)",
    ),
    "leaky_relu": ActivationRule(
        label="leaky ReLU",
        value=lambda z, alpha: namespace(z).where(z > 0, z, alpha * z),
        derivative=lambda z, a, alpha: _where_positive(z, alpha),
        initializer="he",
        alpha=0.01,
        kinks=(0.0,),
        source="A. Maas, A. Hannun, A. Ng, Rectifier nonlinearities improve acoustic models (ICML 2013)",
    ),
    "elu": ActivationRule(
        label="ELU",
        value=_elu,
        derivative=lambda z, a, alpha: _where_positive(z, a + alpha),
        initializer="he",
        alpha=1.0,
        flat=((-math.inf, -4.60518),),  # e^z = 0.01
        kinks=(0.0,),  # none at alpha 1
        source="D. Clevert, T. Unterthiner, S. Hochreiter, ELUs (ICLR 2016), equation 15",
    ),
    "gelu": ActivationRule(
        label="GELU",
        value=lambda z, alpha: z * normal_cdf(z),
        derivative=lambda z, a, alpha: normal_cdf(z) + z * normal_density(z),
        initializer="he",
        flat=((-math.inf, -3.06741),),
        source="D. Hendrycks, K. Gimpel, Gaussian error linear units (2016): z Phi(z), the exact form",
    ),
    "silu": ActivationRule(
        label="SiLU",
        value=lambda z, alpha: z * _sigmoid(z),
        derivative=lambda z, a, alpha: _sigmoid(z) * (1 + z * (1 - _sigmoid(z))),
        initializer="he",
        flat=((-math.inf, -6.26131),),
        source="S. Elfwing, E. Uchibe, K. Doya, Sigmoid-weighted linear units (2018): z sigma(z), also called swish",
    ),
    "softplus": ActivationRule(
        label="softplus",
        value=softplus,
        derivative=lambda z, a, alpha: _sigmoid(z),
        flat=((-math.inf, -4.59513),),  # sigma(z) = 0.01
        outputs=ABOVE_0,
        source="C. Dugas et al., Incorporating second-order functional knowledge (NIPS 2000)",
    ),
    "softmax": ActivationRule(
        label="softmax",
        value=_softmax,
        derivative=lambda z, a, alpha: a * (1 - a),
        elementwise=False,
        outputs=UNIT,
        source="J. Bridle, Probabilistic interpretation of feedforward classification network outputs (1990)",
    ),
    "step": ActivationRule(  # nothing is learned through it
        label="step function",
        value=_step,
        derivative=lambda z, a, alpha: namespace(z).zeros_like(z),
        flat=(EVERYWHERE,),
        dead=(EVERYWHERE,),
        kinks=(0.0,),
        outputs=UNIT,
        source="W. McCulloch, W. Pitts, A logical calculus of the ideas immanent in nervous activity (1943)",
    ),
    "relu6": ActivationRule(
        label="ReLU6",
        value=lambda z, alpha: namespace(z).clip(z, 0.0, 6.0),
        derivative=lambda z, a, alpha: _between(z, 0.0, 6.0),
        initializer="he",
        flat=(BELOW_0, (6.0, math.inf)),
        dead=(BELOW_0, (6.0, math.inf)),
        kinks=(0.0, 6.0),
        outputs=(0.0, 6.0),
        source="A. Krizhevsky, Convolutional deep belief networks on CIFAR-10 (2010): min(max(0, z), 6)",
    ),
    "hard_sigmoid": ActivationRule(  # PyTorch's and Keras 3's; ONNX has max(0, min(1, z / 5 + 1 / 2)) by default
        label="hard sigmoid",
        value=lambda z, alpha: namespace(z).clip(z + 3.0, 0.0, 6.0) / 6.0,
        derivative=lambda z, a, alpha: _between(z, -3.0, 3.0) / 6.0,
        flat=_beyond(3.0),
        dead=_beyond(3.0),
        kinks=(-3.0, 3.0),
        outputs=UNIT,
        source="A. Howard et al., Searching for MobileNetV3 (ICCV 2019), section 5.2: ReLU6(z + 3) / 6",
    ),
    "selu": ActivationRule(
        label="SELU",
        value=lambda z, alpha: SELU_SCALE * _elu(z, SELU_ALPHA),
        derivative=lambda z, a, alpha: _where_positive(z, a / SELU_SCALE + SELU_ALPHA) * SELU_SCALE,
        initializer="lecun",
        flat=((-math.inf, -5.16940),),
        kinks=(0.0,),
        source="G. Klambauer et al., Self-normalizing neural networks (NIPS 2017): equation 2, its fixed point",
    ),
    "mish": ActivationRule(
        label="Mish",
        value=lambda z, alpha: z * namespace(z).tanh(softplus(z)),
        derivative=lambda z, a, alpha: _mish_derivative(z),
        initializer="he",
        flat=((-math.inf, -6.26394),),
        source="D. Misra, Mish: a self regularized non-monotonic activation function (BMVC 2020)",
    ),
    "exponential": ActivationRule(  # for outputs that are rates
        label="exponential",
        value=lambda z, alpha: namespace(z).exp(z),
        derivative=lambda z, a, alpha: a,
        flat=((-math.inf, -4.60518),),  # e^z = 0.01
        outputs=ABOVE_0,
        source="J. Nelder, R. Wedderburn, Generalized linear models (1972): the inverse of the logarithmic link",
    ),
}
