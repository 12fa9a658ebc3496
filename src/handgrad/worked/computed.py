"""Arrays with a bound on their rounding errors: running error analysis.

Each operation gives its result and a bound on how far that result may lie from the exact one:

    fl(x op y) = (x op y)(1 + d),  |d| <= u          the bound of x op y grows by u |x op y|

and the errors of the operands come through as the operation carries them. A sum of n terms adds n u sum |x_i|.

Source: N. Higham, Accuracy and Stability of Numerical Algorithms, 2nd edition (2002), sections 2.2, 3.1 and 3.3.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from handgrad.nn.arrays import Array

Error = Array | float


def roundoff(dtype: np.dtype) -> float:
    """The unit roundoff u of a floating-point type: half the distance from 1 to the next number.

    >>> roundoff(np.dtype(np.float32)) == 2.0**-24
    True
    """
    return float(np.finfo(dtype).eps) / 2


@dataclass(frozen=True, slots=True, eq=False)
class Computed:
    """An array, a bound on the error of each entry, and the unit roundoff of its arithmetic.

    An error that is the float 0.0 is none at all; with the unit 0.0 no bound is kept.

    >>> from fractions import Fraction
    >>> x, y = Computed(np.array(0.1), 0.0, 2.0**-53), Computed(np.array(0.2), 0.0, 2.0**-53)
    >>> total = x + y
    >>> exact = Fraction(0.1) + Fraction(0.2)  # of the two floats, not of 1/10 and 2/10
    >>> float(abs(Fraction(float(total.value)) - exact)) <= float(total.error) <= 1e-16
    True
    """

    value: Array
    error: Error
    unit: float

    def made(
        self, value: Array, error: Error, size: Array | None = None, operations: float = 1.0
    ) -> Computed:
        """A result of the same arithmetic: `error` came through, rounding adds `operations` u `size`."""
        if not self.unit:
            return Computed(value, 0.0, 0.0)
        added = operations * self.unit * np.abs(value if size is None else size)
        return Computed(value, added if _none(error) else error + added, self.unit)

    def exactly(self, value: Array, error: Error) -> Computed:
        """A result of an operation that does not round."""
        return Computed(value, error, self.unit)

    def __neg__(self) -> Computed:
        return self.exactly(-self.value, self.error)

    def __add__(self, other: Computed) -> Computed:
        return self.made(self.value + other.value, _plus(self.error, other.error))

    def __mul__(self, other: Computed) -> Computed:
        return self.made(self.value * other.value, _through(self, other, np.multiply))

    def __truediv__(self, other: Computed) -> Computed:
        quotient = self.value / other.value
        if _none(self.error) and _none(other.error):
            return self.made(quotient, 0.0)
        least = np.abs(other.value) - other.error  # where it is not > 0, nothing is known of the quotient
        through = (self.error + np.abs(quotient) * other.error) / np.where(least > 0, least, 0.0)
        return self.made(quotient, through)

    def __matmul__(self, other: Computed) -> Computed:
        product = self.value @ other.value
        if not self.unit:
            return self.exactly(product, 0.0)
        size = np.abs(self.value) @ np.abs(other.value)
        return self.made(product, _through(self, other, np.matmul), size, self.value.shape[-1] + 1.0)

    def power(self, exponent: Computed) -> Computed:
        """self^exponent, entry by entry."""
        value = self.value**exponent.value
        if _none(self.error) and _none(exponent.error):
            return self.made(value, 0.0, operations=4.0)
        through = np.abs(exponent.value * self.value ** (exponent.value - 1)) * self.error
        if not _none(exponent.error):
            through = through + np.abs(value * np.log(np.abs(self.value))) * exponent.error
        return self.made(value, through, operations=4.0)

    def root(self) -> Computed:
        """The square root: its error is at most the error over the root, and at most the root of the error."""
        value = np.sqrt(self.value)
        if _none(self.error):
            return self.made(value, 0.0)
        return self.made(value, np.fmin(self.error / value, np.sqrt(self.error)))

    def total(self, axes: int | tuple[int, ...], keepdims: bool = True) -> Computed:
        """The sum along axes."""
        value = self.value.sum(axis=axes, keepdims=keepdims)
        if not self.unit:
            return self.exactly(value, 0.0)
        count = self.value.size / max(1, value.size)
        error = self.error if _none(self.error) else _sum(self.error, self.value, axes, keepdims)
        return self.made(value, error, np.abs(self.value).sum(axis=axes, keepdims=keepdims), count)

    def shaped(self, change: Callable[[Array], Array]) -> Computed:
        """The same entries in other places: `change` reshapes, turns or takes some."""
        if _none(self.error):
            return self.exactly(change(self.value), 0.0)
        return self.exactly(change(self.value), change(np.broadcast_to(self.error, self.value.shape)))

    def where(self, condition: Array, other: Computed) -> Computed:
        """Entries of self where the condition holds, of the other elsewhere."""
        value = np.where(condition, self.value, other.value)
        if _none(self.error) and _none(other.error):
            return self.exactly(value, 0.0)
        return self.exactly(value, np.where(condition, self.error, other.error))


def _none(error: Error) -> bool:
    return isinstance(error, float) and error == 0.0


def _plus(left: Error, right: Error) -> Error:
    if _none(left):
        return right
    return left if _none(right) else left + right


def _through(left: Computed, right: Computed, product: Callable[[Array, Array], Array]) -> Error:
    """|x| dy + dx |y| + dx dy, for the product of any kind."""
    error: Error = 0.0
    if not _none(right.error):
        error = product(np.abs(left.value), np.broadcast_to(right.error, right.value.shape))
    if not _none(left.error):
        spread = np.broadcast_to(left.error, left.value.shape)
        error = _plus(error, product(spread, np.abs(right.value) + right.error))
    return error


def _sum(error: Error, value: Array, axes: int | tuple[int, ...], keepdims: bool) -> Array:
    return np.asarray(np.broadcast_to(error, value.shape).sum(axis=axes, keepdims=keepdims))
