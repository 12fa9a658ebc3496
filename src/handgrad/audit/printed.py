"""Printed numbers: a value, the unit of its last digit, and what it may stand for."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import NamedTuple

_TIE = 1e-6  # of a unit: a half is rounded up by one author and down by another
_ROUNDING = 4e-15  # relative: what float64 itself leaves after a short calculation


class Printed(NamedTuple):
    """A number as it was printed; `unit` is the value of one in its last digit.

    >>> Printed(0.4794, 1e-4).stands_for(0.47936), Printed(0.4794, 1e-4).stands_for(0.479005)
    (True, False)
    """

    value: float
    unit: float

    def stands_for(self, value: float, steps: int = 1) -> bool:
        """True where `value` rounds to the printed number; a tie may be rounded either way.

        `steps` is the number of updates before it, which let the rounding of float64 grow.
        """
        return abs(self.value - value) <= (0.5 + _TIE) * self.unit + self._noise(value, steps)

    def cut_off_from(self, value: float) -> bool:
        """True where `value` without the digits after the last printed one is the printed number."""
        units = abs(value) / self.unit  # may be beyond all numbers where the value itself is not
        if not math.isfinite(units) or self.value * value < 0:
            return False
        kept = math.floor(units + _TIE) * self.unit
        return abs(kept - abs(self.value)) <= 0.01 * self.unit + self._noise(value, 1)

    def one_off(self, value: float) -> bool:
        """True where the printed number misses the rounded one by one in its last digit."""
        return abs(self.value - value) <= (1.5 + _TIE) * self.unit

    @property
    def bits(self) -> float:
        """How much a match says: the binary logarithm of how many such numbers there are up to this size."""
        return math.log2(1 + abs(self.value) / self.unit)

    @staticmethod
    def _noise(value: float, steps: int) -> float:
        return _ROUNDING * math.sqrt(steps) * abs(value) if math.isfinite(value) else 0.0


def unit_of_decimals(decimals: int) -> float:
    """One in the last of so many decimals.

    >>> unit_of_decimals(2)
    0.01
    """
    return float(Decimal(1).scaleb(-decimals))


def unit_of_significant(value: float, significant: int) -> float:
    """One in the last of so many significant digits.

    >>> unit_of_significant(0.0473, 2), unit_of_significant(1234.0, 2)
    (0.001, 100.0)
    """
    leading = math.floor(math.log10(abs(value))) if value else -1
    return float(Decimal(1).scaleb(leading - significant + 1))


def unit_as_written(value: float) -> float:
    """One in the last digit of the number's shortest text; zeros at its end cannot be seen.

    >>> unit_as_written(0.25), unit_as_written(3.0), unit_as_written(3.51085e-05)
    (0.01, 1.0, 1e-10)
    """
    exponent = Decimal(repr(value)).normalize().as_tuple().exponent
    assert isinstance(exponent, int)
    return float(Decimal(1).scaleb(min(exponent, 0)))
