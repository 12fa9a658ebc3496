"""The normal distribution function, which the array API standard lacks."""

from __future__ import annotations

import math

from handgrad.nn.arrays import Array, namespace

# Chebyshev coefficients of erfcx(x) = exp(x^2) erfc(x) in t = (x - K)/(x + K), x >= 0,
# computed with mpmath at 60 digits; the first omitted term is below 1e-17.
_K = 3.75
_ERFCX = (
    0.3050715409616002,
    -0.4348412727125775,
    0.1763511936436055,
    -0.06071079560924941,
    0.017712068995694115,
    -0.004321119385567294,
    0.0008542166768870987,
    -0.00012715509060916275,
    1.1248167243671189e-05,
    3.1306388542182096e-07,
    -2.70988068537762e-07,
    3.073762270140769e-08,
    2.515620384817623e-09,
    -1.0289299213203192e-09,
    2.994405211994994e-11,
    2.6051789687266936e-11,
    -2.634839924171969e-12,
    -6.43404509890636e-13,
    1.124574018016639e-13,
    1.7281533389986507e-14,
    -4.264101694942015e-15,
    -5.453719778798822e-16,
    1.5869760776192665e-16,
    2.0899837844535715e-17,
    -5.900526869261597e-18,
)


def _erfcx(x: Array) -> Array:
    """exp(x^2) erfc(x) for x >= 0, by Clenshaw's recurrence; relative error below 1e-15."""
    t = (x - _K) / (x + _K)
    b1, b2 = namespace(t).zeros_like(t), namespace(t).zeros_like(t)
    for c in reversed(_ERFCX[1:]):
        b1, b2 = 2 * t * b1 - b2 + c, b1
    return t * b1 - b2 + _ERFCX[0]


def normal_cdf(z: Array) -> Array:
    """Standard normal distribution function Phi(z), elementwise.

    Phi(z) = erfc(-z / sqrt 2) / 2, without cancellation in the lower tail.

    >>> import numpy as np
    >>> normal_cdf(np.array([0.0, 1.0])).round(6).tolist()
    [0.5, 0.841345]

    Source: M. Abramowitz, I. Stegun, Handbook of Mathematical Functions (1964), 26.2.2 and 7.1.2.
    """
    xp = namespace(z)
    distance = xp.abs(z) * (1 / math.sqrt(2))
    tail = xp.exp(-(z * z) / 2) * _erfcx(distance) / 2
    return xp.where(z < 0, tail, 1 - tail)


def normal_density(z: Array) -> Array:
    """Standard normal density phi(z) = exp(-z^2 / 2) / sqrt(2 pi), elementwise.

    >>> import numpy as np
    >>> float(normal_density(np.array(0.0)).round(6))
    0.398942

    Source: M. Abramowitz, I. Stegun, Handbook of Mathematical Functions (1964), 26.2.1.
    """
    return namespace(z).exp(-(z * z) / 2) * (1 / math.sqrt(2 * math.pi))
