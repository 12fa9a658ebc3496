"""The functions of `Apply`, written once more, plainly, in float64.

A tree that was built wrongly must not be saved by the code that built it; so nothing here is taken from `nn`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import reduce

import numpy as np

from handgrad.errors import VerificationError
from handgrad.nn.arrays import Array
from handgrad.worked.computed import Computed, Error

ULPS = 8.0
"""Units roundoff that an elementary function of a good library, and the few operations around it, may be off."""


def _sigmoid(z: Array) -> Array:
    return np.where(z >= 0, 1 / (1 + np.exp(-np.abs(z))), np.exp(-np.abs(z)) / (1 + np.exp(-np.abs(z))))


def _phi(z: Array) -> Array:
    return np.exp(-z * z / 2) / math.sqrt(2 * math.pi)


_erfc = np.frompyfunc(math.erfc, 1, 1)


def _normal_cdf(z: Array) -> Array:
    return np.asarray(_erfc(-z / math.sqrt(2)), np.float64) / 2


def _softmax(z: Array, axis: int) -> Array:
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    return np.asarray(e / e.sum(axis=axis, keepdims=True))


def _ln_softmax(z: Array, axis: int) -> Array:
    shifted = z - z.max(axis=axis, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True)))


def _elu(z: Array, alpha: float) -> Array:
    return np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0)))


SELU = (1.6732632423543772, 1.0507009873554805)  # alpha and scale


def _mish_slope(z: Array) -> Array:
    gate = np.tanh(np.logaddexp(0, z))
    return np.asarray(gate + z * _sigmoid(z) / np.cosh(np.minimum(np.logaddexp(0, z), 350)) ** 2)


# name -> function of (arguments, parameters, axis); axis is -2 (down the columns) or -1 (along the rows)
FUNCTIONS: dict[str, Callable[[list[Array], list[float], int], Array]] = {
    "identity": lambda x, p, axis: x[0],
    "sigmoid": lambda x, p, axis: _sigmoid(x[0]),
    "tanh": lambda x, p, axis: np.tanh(x[0]),
    "relu": lambda x, p, axis: np.maximum(x[0], 0),
    "leaky_relu": lambda x, p, axis: np.where(x[0] > 0, x[0], p[0] * x[0]),
    "elu": lambda x, p, axis: _elu(x[0], p[0]),
    "gelu": lambda x, p, axis: x[0] * _normal_cdf(x[0]),
    "silu": lambda x, p, axis: x[0] * _sigmoid(x[0]),
    "softplus": lambda x, p, axis: np.logaddexp(0, x[0]),
    "softmax": lambda x, p, axis: _softmax(x[0], axis),
    "step": lambda x, p, axis: (x[0] > 0).astype(float),
    "relu6": lambda x, p, axis: np.clip(x[0], 0, 6),
    "hard_sigmoid": lambda x, p, axis: np.clip(x[0] / 6 + 0.5, 0, 1),
    "selu": lambda x, p, axis: SELU[1] * _elu(x[0], SELU[0]),
    "mish": lambda x, p, axis: x[0] * np.tanh(np.logaddexp(0, x[0])),
    "exponential": lambda x, p, axis: np.exp(x[0]),
    "identity'": lambda x, p, axis: np.ones_like(x[0]),
    "sigmoid'": lambda x, p, axis: _sigmoid(x[0]) * _sigmoid(-x[0]),
    "tanh'": lambda x, p, axis: 1 - np.tanh(x[0]) ** 2,
    "relu'": lambda x, p, axis: (x[0] > 0).astype(float),
    "leaky_relu'": lambda x, p, axis: np.where(x[0] > 0, 1.0, p[0]),
    "elu'": lambda x, p, axis: np.where(x[0] > 0, 1.0, p[0] * np.exp(np.minimum(x[0], 0))),
    "gelu'": lambda x, p, axis: _normal_cdf(x[0]) + x[0] * _phi(x[0]),
    "silu'": lambda x, p, axis: _sigmoid(x[0]) * (1 + x[0] * _sigmoid(-x[0])),
    "softplus'": lambda x, p, axis: _sigmoid(x[0]),
    "softmax'": lambda x, p, axis: _softmax(x[0], axis) * (1 - _softmax(x[0], axis)),
    "step'": lambda x, p, axis: np.zeros_like(x[0]),
    "relu6'": lambda x, p, axis: ((x[0] > 0) & (x[0] < 6)).astype(float),
    "hard_sigmoid'": lambda x, p, axis: (np.abs(x[0]) < 3) / 6,
    "selu'": lambda x, p, axis: SELU[1] * np.where(x[0] > 0, 1.0, SELU[0] * np.exp(np.minimum(x[0], 0))),
    "mish'": lambda x, p, axis: _mish_slope(x[0]),
    "exponential'": lambda x, p, axis: np.exp(x[0]),
    "exp": lambda x, p, axis: np.exp(x[0]),
    "ln": lambda x, p, axis: np.log(x[0]),
    "ln_softmax": lambda x, p, axis: _ln_softmax(x[0], axis),
    "max": lambda x, p, axis: reduce(np.maximum, x),
    "min": lambda x, p, axis: reduce(np.minimum, x),
    "abs": lambda x, p, axis: np.abs(x[0]),
    "sign": lambda x, p, axis: np.sign(x[0]),
    "erf_phi": lambda x, p, axis: _normal_cdf(x[0]),
    "phi": lambda x, p, axis: _phi(x[0]),
    "clip": lambda x, p, axis: np.clip(x[0], -p[0], p[0]),
    "indicator": lambda x, p, axis: (x[0] > 0).astype(float),
}


def _spread(z: Array, axis: int) -> Array:
    """How much larger than u the relative error of a softmax may be: each exponent is a difference, n are added."""
    return np.asarray(1 + np.abs(z - z.max(axis=axis, keepdims=True)) + z.shape[axis] / ULPS)


Size = Callable[[Array, Array, list[float], int], Array]

# name -> (value, argument, parameters, axis) -> the size that rounding is relative to, where it is not |value|
SIZES: dict[str, Size] = {
    "gelu": lambda f, z, p, axis: f * (1 + z * z),
    "gelu'": lambda f, z, p, axis: (_normal_cdf(z) + np.abs(z) * _phi(z)) * (1 + z * z),
    "erf_phi": lambda f, z, p, axis: f * (1 + z * z),
    "phi": lambda f, z, p, axis: f * (1 + z * z),
    "silu'": lambda f, z, p, axis: _sigmoid(z) * (1 + np.abs(z)),
    "sigmoid'": lambda f, z, p, axis: _sigmoid(z),  # training has a (1 - a)
    "tanh'": lambda f, z, p, axis: np.ones_like(f),  # training has 1 - a^2
    "hard_sigmoid": lambda f, z, p, axis: 0.5 + np.abs(z) / 6,  # z + 3 is rounded before it is limited
    "selu'": lambda f, z, p, axis: f + np.where(z > 0, 0.0, SELU[0] * SELU[1]),  # training has a + alpha
    "mish'": lambda f, z, p, axis: 1 + np.abs(z) * _sigmoid(z),  # training has 1 - tanh^2
    "elu'": lambda f, z, p, axis: f + np.where(z > 0, 0.0, p[0]),  # training has a + alpha
    "softmax": lambda f, z, p, axis: f * _spread(z, axis),
    "softmax'": lambda f, z, p, axis: _softmax(z, axis) * _spread(z, axis),
    "ln_softmax": lambda f, z, p, axis: np.abs(f) + _spread(z, axis),
}

EXACT = frozenset(
    ("abs", "sign", "indicator", "identity", "relu", "relu6", "step", "identity'", "relu'", "relu6'", "step'")
)
"""Functions that round nothing. Those that choose between numbers are not here: a constant among these (alpha, a limit)
was rounded when a training in float32 took it."""


def _nowhere(z: Array) -> Array:
    return np.zeros(z.shape, dtype=bool)


RATIONAL_AT: dict[str, Callable[[Array], Array]] = {
    "sigmoid": lambda z: z == 0,
    "tanh": lambda z: z == 0,
    "elu": lambda z: z >= 0,
    "gelu": lambda z: z == 0,
    "silu": lambda z: z == 0,
    "softplus": _nowhere,
    "softmax": lambda z: z == z.flat[0],
    "selu": lambda z: z >= 0,
    "mish": lambda z: z == 0,
    "exponential": lambda z: z == 0,
    "sigmoid'": lambda z: z == 0,
    "tanh'": lambda z: z == 0,
    "elu'": lambda z: z >= 0,
    "selu'": lambda z: z >= 0,
    "mish'": lambda z: z == 0,  # tanh(ln 2) is 3/5
    "exponential'": lambda z: z == 0,
    "gelu'": lambda z: z == 0,
    "silu'": lambda z: z == 0,
    "softplus'": lambda z: z == 0,
    "exp": lambda z: z == 0,
    "ln": lambda z: z == 1,
    "ln_softmax": _nowhere,
    "erf_phi": lambda z: z == 0,
    "phi": _nowhere,
}
"""Where a transcendental function of a number that can be written down is such a number itself; elsewhere it is not
(Lindemann 1882), so that sigma(50) is about 1, whatever float64 says."""


TOGETHER: dict[str, Callable[[Array], Array]] = {
    "softmax": np.abs,
    "softmax'": np.ones_like,
    "ln_softmax": np.ones_like,
}
"""Functions of all units together: the size of what comes through where each argument moves by at most 1/2."""


def applied(name: str, arguments: list[Computed], parameters: list[float], axis: int) -> Computed:
    """The function of this name with the bound on its error.

    What comes through is how far the function moves when its argument moves by its error.

    Raises VerificationError for a function that is not in the table.
    """
    function = FUNCTIONS.get(name)
    if function is None:
        raise VerificationError(f"unknown function {name!r} in a worked calculation")
    values = [argument.value for argument in arguments]
    value = np.asarray(function(values, parameters, axis), dtype=np.float64)
    first = arguments[0]
    if not first.unit:
        return first.exactly(value, 0.0)
    if name in TOGETHER:
        largest = np.broadcast_to(first.error, values[0].shape).max(axis=axis, keepdims=True)
        error: Error = 0.0 if isinstance(first.error, float) else 2 * largest * TOGETHER[name](value)
    else:
        error = _moved(function, arguments, parameters, axis, value)
    if name in EXACT:
        return first.exactly(value, error)
    size = SIZES[name](value, values[0], parameters, axis) if name in SIZES else value
    return first.made(value, error, size, ULPS)


def _moved(
    function: Callable[[list[Array], list[float], int], Array],
    arguments: list[Computed],
    parameters: list[float],
    axis: int,
    value: Array,
) -> Error:
    if all(isinstance(argument.error, float) for argument in arguments):
        return 0.0
    moves = [
        np.abs(function([x.value + sign * x.error for x in arguments], parameters, axis) - value)
        for sign in (1.0, -1.0)
    ]
    return np.asarray(np.fmax(*moves))
