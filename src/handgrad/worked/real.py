"""Real numbers that know their digits: an exact fraction, or a ball that surely holds the number.

Sums, products and quotients of fractions are fractions, so that a tie is told apart from what lies near one; an
exponential or a root becomes a ball (a midpoint and a radius) of as many bits as are asked for. Where a ball is too
wide to tell a sign or a digit, `Undecided` asks for more bits.

Source: F. Johansson, Arb: efficient arbitrary-precision midpoint-radius interval arithmetic, IEEE Transactions on
Computers 66 (8), 1281-1292 (2017).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from decimal import ROUND_DOWN, Context, Decimal
from typing import Any, NamedTuple

import numpy as np

from handgrad.errors import MissingExtraError
from handgrad.nn.arrays import Array

PLACES = 18
"""More decimals, or significant digits, than this are never shown."""
KEPT = 60
"""Significant digits that a number is written with."""


class Undecided(ArithmeticError):
    """More bits are needed to tell a sign or a digit."""


class NotFinite(ArithmeticError):
    """A quotient by 0, or the logarithm of what is not positive."""


class Bits(NamedTuple):
    """How finely is computed. `last`: nothing finer will be; what is still open then is taken as a tie."""

    bits: int
    last: bool
    ties: list[str]


_BITS: ContextVar[Bits | None] = ContextVar("bits", default=None)


@contextmanager
def computing(bits: int, last: bool = False) -> Iterator[Bits]:
    """Within it every tree is evaluated in real numbers, balls having so many bits.

    Raises MissingExtraError without python-flint.
    """
    flint = _flint()
    held = Bits(bits, last, [])
    token = _BITS.set(held)
    try:
        with flint.ctx.workprec(bits):
            yield held
    finally:
        _BITS.reset(token)


def in_reals() -> bool:
    """True within `computing`."""
    return _BITS.get() is not None


def _flint() -> Any:
    try:
        import flint
    except ImportError as error:
        raise MissingExtraError("certified digits", "certify") from error
    return flint


def _open(what: str) -> None:
    """Something is undecided: more bits, or where there are none left, a tie."""
    held = _BITS.get()
    if held is None or not held.last:
        raise Undecided(what)
    held.ties.append(what)


class Real:
    """A real number: the fraction `exact`, or else a ball.

    Arithmetic with floats takes these as the decimals that they are written with: 0.1 is 1/10. Comparisons are
    those of the numbers. `str` gives decimal text from which every rounding to at most 18 places is right.

    >>> with computing(128):
    ...     third = Real.of(1.0) / Real.of(3.0)
    ...     str(third.rounded(2)), str(Real.of(0.1) + 0.2 == 0.3), third.exp() > 1.39
    ('0.33', 'True', True)
    """

    __slots__ = ("_text", "exact", "inexact")
    exact: Any
    inexact: Any

    def __init__(self, value: Any) -> None:
        flint = _flint()
        self._text: str | None = None
        if isinstance(value, flint.arb) and value.is_exact() and value.is_finite():
            value = value.fmpq()
        self.exact = None if isinstance(value, flint.arb) else flint.fmpq(value)
        self.inexact = value if self.exact is None else None
        if self.inexact is not None and not self.inexact.is_finite():
            _open("a number that may lie where it has no value")
            raise NotFinite

    @classmethod
    def of(cls, value: Any) -> Real:
        """The number that a float is written as.

        Raises NotFinite for what is no number.
        """
        if isinstance(value, Real):
            return value
        numerator, denominator = _ratio(value)
        return cls(_flint().fmpq(numerator, denominator))

    @classmethod
    def binary(cls, value: float) -> Real:
        """The number that a float is, to its last binary digit."""
        numerator, denominator = float(value).as_integer_ratio()
        return cls(_flint().fmpq(numerator, denominator))

    @classmethod
    def pi(cls) -> Real:
        """The circle's number."""
        return cls(_flint().arb.pi())

    @property
    def ball(self) -> Any:
        """The number as a ball."""
        return _flint().arb(self.exact) if self.inexact is None else self.inexact

    # -- arithmetic

    def __add__(self, other: Any) -> Real:
        return _combined(self, other, lambda a, b: a + b)

    __radd__ = __add__

    def __neg__(self) -> Real:
        return Real(-self.inexact if self.exact is None else -self.exact)

    def __sub__(self, other: Any) -> Real:
        return self + -Real.of(other)

    def __rsub__(self, other: Any) -> Real:
        return Real.of(other) + -self

    def __mul__(self, other: Any) -> Real:
        other = Real.of(other)
        if self.is_zero or other.is_zero:
            return Real.of(0)
        return _combined(self, other, lambda a, b: a * b)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Real:
        other = Real.of(other)
        if other.sign() == 0:
            raise NotFinite
        return _combined(self, other, lambda a, b: a / b)

    def __rtruediv__(self, other: Any) -> Real:
        return Real.of(other) / self

    def __pow__(self, other: Any) -> Real:
        power = Real.of(other)
        whole = power.exact is not None and power.exact.q == 1
        if whole and self.exact is not None and abs(int(power.exact.p)) <= 10_000:
            if self.is_zero and int(power.exact.p) < 0:
                raise NotFinite
            return Real(self.exact ** int(power.exact.p))
        if power == 0.5:
            return self.sqrt()
        return Real(self.ball ** (int(power.exact.p) if whole else power.ball))

    def __rpow__(self, other: Any) -> Real:
        return Real.of(other) ** self

    def __abs__(self) -> Real:
        return -self if self.sign() < 0 else self

    def sqrt(self) -> Real:
        """The square root; of a square a fraction."""
        if self.exact is not None:
            if self.sign() < 0:
                raise NotFinite
            top, bottom = (_whole_root(int(part)) for part in (self.exact.p, self.exact.q))
            if top is not None and bottom is not None:
                return Real(_flint().fmpq(top, bottom))
        return Real(self.ball.sqrt())

    def exp(self) -> Real:
        """e to the number."""
        return Real.of(1) if self.is_zero else Real(self.ball.exp())

    def log(self) -> Real:
        """The natural logarithm.

        Raises NotFinite for what is not positive.
        """
        if self == 1:
            return Real.of(0)
        if self.sign() <= 0:
            raise NotFinite
        return Real(self.ball.log())

    def tanh(self) -> Real:
        """The hyperbolic tangent."""
        return Real(self.ball.tanh())

    def erfc(self) -> Real:
        """1 less the error function."""
        return Real.of(1) if self.is_zero else Real(self.ball.erfc())

    # -- order

    @property
    def is_zero(self) -> bool:
        """True for what is surely 0."""
        return self.exact is not None and self.exact == 0

    def sign(self) -> int:
        """-1, 0 or 1."""
        if self.exact is not None:
            return int(self.exact > 0) - int(self.exact < 0)
        if self.inexact > 0:
            return 1
        if self.inexact < 0:
            return -1
        _open("a sign")
        return 0

    def _beside(self, other: Any) -> int:
        apart: Real = self - other
        return apart.sign()

    def __gt__(self, other: Any) -> bool:
        return self._beside(other) > 0

    def __lt__(self, other: Any) -> bool:
        return self._beside(other) < 0

    def __ge__(self, other: Any) -> bool:
        return self._beside(other) >= 0

    def __le__(self, other: Any) -> bool:
        return self._beside(other) <= 0

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Real | float | int | np.number):
            return NotImplemented
        if not in_reals():  # the digits that were settled
            return self is other or float(self) == float(other)
        return self is other or self._beside(other) == 0

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        return self.sign() != 0

    # -- digits

    def rounded(self, digits: int) -> Real:
        """The number rounded to so many decimals, half away from 0, as on paper."""
        if self.exact is not None:
            return Real(self._half_up(self.exact, digits))
        middle, radius = self._middle_and_radius()
        low, high = self._half_up(middle - radius, digits), self._half_up(middle + radius, digits)
        if low == high:
            return Real(low)
        _open("a tie")
        return Real(self._half_up(self._nearest(digits + 1), digits))

    def _half_up(self, value: Any, digits: int) -> Any:
        flint = _flint()
        scaled = abs(value) * flint.fmpq(10) ** digits + flint.fmpq(1, 2)
        size = flint.fmpq(scaled.floor()) / flint.fmpq(10) ** digits
        return -size if value < 0 else size

    def _middle_and_radius(self) -> tuple[Any, Any]:
        return self.inexact.mid().fmpq(), self.inexact.rad().fmpq()

    def _nearest(self, places: int) -> Any:
        """The number with so many decimals that is nearest to the midpoint."""
        flint = _flint()
        scaled = self.inexact.mid().fmpq() * flint.fmpq(10) ** places
        return flint.fmpq((scaled + flint.fmpq(1, 2)).floor()) / flint.fmpq(10) ** places

    def __str__(self) -> str:
        if self._text is None:
            self._text = self._written()
        return self._text

    def __repr__(self) -> str:
        return f"Real({float(self)!r})"

    def __format__(self, spec: str) -> str:
        return format(float(self), spec)

    def __float__(self) -> float:
        return float(str(self))

    def __int__(self) -> int:
        return int(Decimal(str(self)))

    def _written(self) -> str:
        if self.exact is not None:
            return _text(self.exact)
        middle, radius = self._middle_and_radius()
        size = Decimal(_text(middle)).adjusted() if middle else 0
        for places in (PLACES, PLACES - size):
            near = self._nearest(places)
            if abs(near - middle) <= radius:
                _open("a tie")
                return _text(near)
        return _text(middle)


def _ratio(value: Any) -> tuple[int, int]:
    if isinstance(value, bool | int | np.integer | np.bool_):
        return int(value), 1
    number = Decimal(repr(float(value)))
    if not number.is_finite():
        raise NotFinite
    return number.as_integer_ratio()


def _combined(left: Real, right: Any, operation: Any) -> Real:
    other = Real.of(right)
    if left.exact is not None and other.exact is not None:
        return Real(operation(left.exact, other.exact))
    return Real(operation(left.ball, other.ball))


def _whole_root(number: int) -> int | None:
    root = math.isqrt(number)
    return root if root * root == number else None


def _text(fraction: Any) -> str:
    """Decimal text of a fraction; of one that does not end, its digits cut off and a last 1 that says so."""
    top, bottom = Decimal(int(fraction.p)), Decimal(int(fraction.q))
    quotient = Context(prec=KEPT, rounding=ROUND_DOWN).divide(top, bottom)
    if quotient.as_integer_ratio() == (int(fraction.p), int(fraction.q)):
        return str(quotient)
    sign, digits, exponent = quotient.as_tuple()
    assert isinstance(exponent, int)
    return str(Decimal((sign, (*digits, 1), exponent - 1)))


def reals(values: Array) -> Array:
    """An array of floats as real numbers."""
    return np.asarray(_of_each(np.asarray(values, dtype=object)), dtype=object)


_of_each = np.frompyfunc(Real.of, 1, 1)


def as_numbers(values: Array) -> Array:
    """float64; within `computing` real numbers."""
    return reals(values) if in_reals() else np.asarray(values, dtype=np.float64)


def number_of(value: Any) -> Any:
    """A float, or a real number as it is."""
    return value if isinstance(value, Real) else float(value)


def agree(left: Real, right: Real, tolerance: float) -> bool:
    """True where two numbers may be the same, or no further apart than the tolerance."""
    apart = left - right
    if apart.exact is not None:
        return bool(abs(apart.exact) <= Real.of(tolerance).exact)
    return bool(abs(apart.ball).lower() <= Real.of(tolerance).ball)
