"""The functions of `Apply` in real numbers: their definitions, without any care for rounding.

A definition that loses digits in float64 (ln(1 + e^z), 1 - a) loses none where more bits are to be had.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np

from handgrad.errors import VerificationError
from handgrad.nn.arrays import Array
from handgrad.worked.computed import Computed
from handgrad.worked.functions import SELU
from handgrad.worked.real import Real, reals

ONE, TWO = 1, 2


def _sigmoid(z: Real) -> Real:
    return ONE / (ONE + (-z).exp())


def _softplus(z: Real) -> Real:
    return (ONE + z.exp()).log()


def _phi(z: Real) -> Real:
    return (-(z * z) / TWO).exp() / (Real.of(TWO) * Real.pi()).sqrt()


def _normal_cdf(z: Real) -> Real:
    return (-z / Real.of(TWO).sqrt()).erfc() / TWO


def _elu(z: Real, alpha: Any) -> Real:
    return z if z > 0 else alpha * (z.exp() - ONE)


def _elu_slope(z: Real, alpha: Any) -> Any:
    return ONE if z > 0 else alpha * z.exp()


def _clipped(z: Any, low: Any, high: Any) -> Any:
    return low if z < low else high if z > high else z


def _mish_slope(z: Real) -> Real:
    gate = _softplus(z).tanh()
    return gate + z * _sigmoid(z) * (ONE - gate * gate)


# name -> function of one number and the parameters
OF_ONE: dict[str, Callable[..., Any]] = {
    "identity": lambda z: z,
    "sigmoid": _sigmoid,
    "tanh": lambda z: z.tanh(),
    "relu": lambda z: z if z > 0 else 0,
    "leaky_relu": lambda z, alpha: z if z > 0 else alpha * z,
    "elu": _elu,
    "gelu": lambda z: z * _normal_cdf(z),
    "silu": lambda z: z * _sigmoid(z),
    "softplus": _softplus,
    "step": lambda z: int(z > 0),
    "relu6": lambda z: _clipped(z, 0, 6),
    "hard_sigmoid": lambda z: _clipped((z + 3) / 6, 0, 1),
    "selu": lambda z: SELU[1] * _elu(z, SELU[0]),
    "mish": lambda z: z * _softplus(z).tanh(),
    "exponential": lambda z: z.exp(),
    "identity'": lambda z: ONE,
    "sigmoid'": lambda z: _sigmoid(z) * _sigmoid(-z),
    "tanh'": lambda z: ONE - z.tanh() ** 2,
    "relu'": lambda z: int(z > 0),
    "leaky_relu'": lambda z, alpha: ONE if z > 0 else alpha,
    "elu'": _elu_slope,
    "gelu'": lambda z: _normal_cdf(z) + z * _phi(z),
    "silu'": lambda z: _sigmoid(z) * (ONE + z * _sigmoid(-z)),
    "softplus'": _sigmoid,
    "step'": lambda z: 0,
    "relu6'": lambda z: int(z > 0 and z < 6),
    "hard_sigmoid'": lambda z: Real.of(ONE) / 6 if z > -3 and z < 3 else 0,
    "selu'": lambda z: SELU[1] * _elu_slope(z, SELU[0]),
    "mish'": _mish_slope,
    "exponential'": lambda z: z.exp(),
    "exp": lambda z: z.exp(),
    "ln": lambda z: z.log(),
    "abs": abs,
    "sign": lambda z: z.sign(),
    "erf_phi": _normal_cdf,
    "phi": _phi,
    "clip": lambda z, limit: _clipped(z, -limit, limit),
    "indicator": lambda z: int(z > 0),
}


def _softmax(z: Array, axis: int) -> Array:
    e = _each(Real.exp, z)
    return np.asarray(e / e.sum(axis=axis, keepdims=True))


def _ln_softmax(z: Array, axis: int) -> Array:
    return np.asarray(z - _each(Real.log, _each(Real.exp, z).sum(axis=axis, keepdims=True)))


# name -> function of all units of a sample
TOGETHER: dict[str, Callable[[Array, int], Array]] = {
    "softmax": _softmax,
    "softmax'": lambda z, axis: _softmax(z, axis) * (ONE - _softmax(z, axis)),
    "ln_softmax": _ln_softmax,
}

CHOSEN: dict[str, Callable[[Any, Any], Any]] = {
    "max": lambda a, b: a if a >= b else b,
    "min": lambda a, b: a if a <= b else b,
}


def applied_in_reals(name: str, arguments: list[Computed], parameters: list[Real], axis: int) -> Computed:
    """The function of this name, in real numbers.

    Raises VerificationError for a function that is not in the tables.
    """
    values = [reals(argument.value) for argument in arguments]
    if name in TOGETHER:
        return Computed(TOGETHER[name](values[0], axis), 0.0, 0.0)
    if name in CHOSEN:
        chosen = np.frompyfunc(CHOSEN[name], 2, 1)
        return Computed(reals(reduce(chosen, values)), 0.0, 0.0)
    if name not in OF_ONE:
        raise VerificationError(f"unknown function {name!r} in a worked calculation")
    function = OF_ONE[name]
    return Computed(reals(_each(lambda z: function(z, *parameters), values[0])), 0.0, 0.0)


def _each(function: Callable[[Any], Any], values: Array) -> Array:
    return np.asarray(np.frompyfunc(function, 1, 1)(values), dtype=object)
