"""How a number is shown: rounded as on paper, from its decimal text.

Rounding is half up (away from zero) on the shortest decimal text that gives the number back, never on its
binary expansion: 2.675 to two decimals is 2.68, and 2.9 - 3.2 is -0.3. Nothing but zero is shown as 0.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import lru_cache
from typing import Any

from handgrad.errors import RenderError

MOST_DECIMALS = 17
"""More digits than a float64 has are not asked for."""
LARGEST_PLAIN = 7
"""Digits before the decimal point of the largest number that is written without a power of ten."""
PLAIN_FROM = -3
"""Powers of ten from here on are not needed: 0.045 to one decimal says more than 4.5 x 10^-2."""
EXTRA_DECIMALS = 1
"""Decimals added, if they suffice, before a small number takes a power of ten."""
NOISE = Decimal("1e-13")
"""Relative size below which a difference is an artefact of binary arithmetic."""
_WIDE = Context(prec=400, rounding=ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Precision:
    """`decimals` after the point, or `significant` digits where that is given; `decimal` is the point itself.

    Raises RenderError for a number of digits that cannot be.
    """

    decimals: int = 4
    significant: int | None = None
    decimal: str = "."

    def __post_init__(self) -> None:
        if not 0 <= self.decimals <= MOST_DECIMALS:
            raise RenderError(f"digits must be 0 to {MOST_DECIMALS} decimals, got {self.decimals}")
        if self.significant is not None and not 1 <= self.significant <= MOST_DECIMALS:
            raise RenderError(f"significant digits must be 1 to {MOST_DECIMALS}, got {self.significant}")


@dataclass(frozen=True, slots=True)
class Shown:
    """A number as it is shown: text, times ten to the `exponent` where that is given.

    `exact`: nothing was rounded away. `text` is empty for a bare power of ten.
    """

    text: str
    exponent: int | None = None
    exact: bool = True

    def __str__(self) -> str:
        if self.exponent is None:
            return self.text
        power = "10" + str(self.exponent).translate(_RAISED)
        return f"{self.text} × {power}" if self.text else power


_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def shown(value: Any, precision: Precision) -> Shown:
    """One number, rounded to the precision.

    >>> str(shown(2.9 - 3.2, Precision(4)))
    '-0.3'
    >>> str(shown(2.675, Precision(2)))
    '2.68'
    >>> str(shown(0.0000004, Precision(4)))
    '4 × 10⁻⁷'
    """
    return shown_together([[value]], precision)[0][0]


def shown_exactly(value: Any, precision: Precision) -> Shown:
    """A constant of a formula, with all its digits.

    >>> str(shown_exactly(2.0, Precision())), str(shown_exactly(1e-8, Precision()))
    ('2', '10⁻⁸')
    """
    number = _decimal(value)
    if number is None:
        return Shown(_not_finite(value))
    if number and not -5 < number.adjusted() < 15:
        return _scientific(number, len(number.normalize(_WIDE).as_tuple().digits), precision)
    return Shown(_text(number.normalize(_WIDE), precision))


def shown_together(values: Iterable[Iterable[Any]], precision: Precision) -> list[list[Shown]]:
    """The entries of a matrix with the same number of decimals; zeros at the end that all share are dropped.

    >>> [[str(s) for s in row] for row in shown_together([[0.5, 0.25], [1.0, 3.0]], Precision(4))]
    [['0.50', '0.25'], ['1.00', '3.00']]
    """
    values = [list(row) for row in values]
    numbers = [[_decimal(value) for value in row] for row in values]
    finite = [number for row in numbers for number in row if number is not None]
    if precision.significant is not None:
        digits = precision.significant
        return [
            [_significant(n, v, digits, precision) for n, v in zip(ns, vs, strict=True)]
            for ns, vs in zip(numbers, values, strict=True)
        ]
    decimals = _enough(finite, precision.decimals)
    plain = [n for n in finite if _fits(n, decimals)]
    if all(_same(_rounded(n, decimals), n) for n in plain):
        decimals = max((_decimals(_rounded(n, decimals)) for n in plain), default=0)
    return [
        [_fixed(n, v, decimals, precision) for n, v in zip(ns, vs, strict=True)]
        for ns, vs in zip(numbers, values, strict=True)
    ]


def _decimal(value: Any) -> Decimal | None:
    """The number as its shortest decimal text, None where it is not finite; -0.0 is 0."""
    number = Decimal(str(value))
    if not number.is_finite():
        return None
    return number if number else Decimal(0)


def _not_finite(value: Any) -> str:
    return {"inf": "∞", "-inf": "-∞"}.get(str(float(value)), "NaN")


def _rounded(number: Decimal, decimals: int) -> Decimal:
    return number.quantize(_unit(decimals), context=_WIDE)


@lru_cache(maxsize=256)
def _unit(decimals: int) -> Decimal:
    return Decimal(1).scaleb(-decimals)


def _same(rounded: Decimal, number: Decimal) -> bool:
    return abs(rounded - number) <= NOISE * max(abs(number), _unit(6))


def _decimals(number: Decimal) -> int:
    exponent = number.normalize(_WIDE).as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _enough(numbers: list[Decimal], decimals: int) -> int:
    """Decimals that leave the largest entry two significant digits, if at most EXTRA_DECIMALS more do."""
    largest = max((abs(n) for n in numbers), default=Decimal(0))
    rounded = _rounded(largest, decimals)
    if not largest or (rounded and _same(rounded, largest)):
        return decimals
    wanted = 1 - largest.adjusted()
    return wanted if decimals < wanted <= decimals + EXTRA_DECIMALS else decimals


def _fits(number: Decimal, decimals: int) -> bool:
    """Written without a power of ten: not so large, and not rounded to nothing."""
    if not number:
        return True
    if number.adjusted() >= LARGEST_PLAIN:
        return number.adjusted() < 15 and number == number.to_integral_value()
    return bool(_rounded(number, decimals))


def _fixed(number: Decimal | None, value: Any, decimals: int, precision: Precision) -> Shown:
    if number is None:
        return Shown(_not_finite(value))
    if not _fits(number, decimals):
        digits = max(2, precision.decimals)
        if PLAIN_FROM <= number.adjusted() < 0:
            return _to_text(number, digits, precision)
        return _scientific(number, digits, precision)
    rounded = _rounded(number, decimals)
    if not number:
        return Shown("0")
    return Shown(_text(rounded, precision), exact=_same(rounded, number))


def _significant(number: Decimal | None, value: Any, digits: int, precision: Precision) -> Shown:
    if number is None:
        return Shown(_not_finite(value))
    if not number:
        return Shown("0")
    rounded = _to_digits(number, digits)
    if not -5 < rounded.adjusted() < max(LARGEST_PLAIN, digits):
        return _scientific(number, digits, precision)
    return _to_text(number, digits, precision)


def _to_text(number: Decimal, digits: int, precision: Precision) -> Shown:
    """So many significant digits, without a power of ten."""
    rounded = _to_digits(number, digits)
    exact = _same(rounded, number)
    return Shown(_text(rounded.normalize(_WIDE) if exact else rounded, precision), exact=exact)


def _to_digits(number: Decimal, digits: int) -> Decimal:
    return Context(prec=digits, rounding=ROUND_HALF_UP).plus(_padded(number, digits))


def _padded(number: Decimal, digits: int) -> Decimal:
    """The number with zeros up to so many significant digits: 0.5 to three digits is 0.500."""
    wanted = number.adjusted() - digits + 1
    exponent = number.as_tuple().exponent
    if isinstance(exponent, int) and exponent > wanted:
        return number.quantize(Decimal(1).scaleb(wanted), context=_WIDE)
    return number


def _scientific(number: Decimal, digits: int, precision: Precision) -> Shown:
    rounded = _to_digits(number, digits)
    exponent = rounded.adjusted()
    mantissa = rounded.scaleb(-exponent, context=_WIDE)
    exact = abs(rounded - number) <= NOISE * abs(number)
    if exact:
        mantissa = mantissa.normalize(_WIDE)
    text = "" if exact and mantissa == 1 else _text(mantissa, precision)
    return Shown(text, exponent, exact)


def _text(number: Decimal, precision: Precision) -> str:
    return format(number, "f").replace(".", precision.decimal)
