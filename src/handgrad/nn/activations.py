"""Activation functions: a = f(z), and what the chain rule needs of them.

One row of `ACTIVATIONS` each: value, derivative, parameter. The derivative is written in terms of the
output `a` wherever the textbook writes it so (sigmoid, tanh, ELU), in terms of `z` elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

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
        rule = ACTIVATIONS.get(self.name)
        if rule is None:
            raise SpecificationError(
                f"unknown activation {self.name!r}; choose one of {', '.join(ACTIVATIONS)}"
            )
        if self.alpha is None:
            object.__setattr__(self, "alpha", rule.alpha)
        elif rule.alpha is None:
            raise SpecificationError(f"activation {self.name!r} has no parameter alpha; leave it out")
        elif not 0 <= self.alpha < float("inf"):
            raise SpecificationError(
                f"activation {self.name!r}: alpha must be a finite number >= 0, got {self.alpha}"
            )

    @property
    def elementwise(self) -> bool:
        """False for softmax, whose outputs depend on all inputs of the layer."""
        return self.name != "softmax"

    def value(self, z: Array) -> Array:
        """a = f(z), shape (samples, units) as z."""
        return ACTIVATIONS[self.name].value(z, self._alpha)

    def derivative(self, z: Array, a: Array) -> Array:
        """f'(z) elementwise, shape as z; for softmax the diagonal a(1 - a) of the Jacobian."""
        return ACTIVATIONS[self.name].derivative(z, a, self._alpha)

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


@dataclass(frozen=True)
class ActivationRule:
    """One row of the table: f(z), f'(z) and the default parameter (None: it has none)."""

    value: Callable[[Array, float], Array]
    derivative: Callable[[Array, Array, float], Array]
    alpha: float | None = None


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


ACTIVATIONS: dict[str, ActivationRule] = {
    "identity": ActivationRule(
        value=lambda z, alpha: z,
        derivative=lambda z, a, alpha: namespace(z).ones_like(z),
    ),
    "sigmoid": ActivationRule(
        value=_sigmoid,
        derivative=lambda z, a, alpha: a * (1 - a),
    ),
    "tanh": ActivationRule(
        value=lambda z, alpha: namespace(z).tanh(z),
        derivative=lambda z, a, alpha: 1 - a * a,
    ),
    "relu": ActivationRule(
        value=lambda z, alpha: namespace(z).maximum(z, namespace(z).zeros_like(z)),
        derivative=lambda z, a, alpha: _positive(z),
    ),
    "leaky_relu": ActivationRule(  # Maas, Hannun, Ng (2013)
        value=lambda z, alpha: namespace(z).where(z > 0, z, alpha * z),
        derivative=lambda z, a, alpha: _where_positive(z, alpha),
        alpha=0.01,
    ),
    "elu": ActivationRule(  # Clevert, Unterthiner, Hochreiter (2016), equation 15
        value=_elu,
        derivative=lambda z, a, alpha: _where_positive(z, a + alpha),
        alpha=1.0,
    ),
    "gelu": ActivationRule(  # Hendrycks, Gimpel (2016): z Phi(z), the exact form
        value=lambda z, alpha: z * normal_cdf(z),
        derivative=lambda z, a, alpha: normal_cdf(z) + z * normal_density(z),
    ),
    "silu": ActivationRule(  # Elfwing, Uchibe, Doya (2018): z sigma(z), also called swish
        value=lambda z, alpha: z * _sigmoid(z),
        derivative=lambda z, a, alpha: _sigmoid(z) * (1 + z * (1 - _sigmoid(z))),
    ),
    "softplus": ActivationRule(  # Dugas et al. (2001)
        value=softplus,
        derivative=lambda z, a, alpha: _sigmoid(z),
    ),
    "softmax": ActivationRule(  # Bridle (1990)
        value=_softmax,
        derivative=lambda z, a, alpha: a * (1 - a),
    ),
    "step": ActivationRule(  # McCulloch, Pitts (1943): fires above 0; nothing is learned through it
        value=_step,
        derivative=lambda z, a, alpha: namespace(z).zeros_like(z),
    ),
}
