"""Decimal rounding, as on paper: half up, on the decimal text of the number.

0.285 is stored slightly below itself; on paper it rounds to 0.29, and so it does here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal

import numpy as np

from handgrad.errors import SpecificationError
from handgrad.nn.arrays import Array

_WIDE = Context(prec=400, rounding=ROUND_HALF_UP)  # every digit of the largest float64


def round_decimal(value: float, digits: int) -> float:
    """`value` rounded half up to `digits` decimals; what is not finite stays.

    >>> round_decimal(2.9 - 3.2, 2), round_decimal(0.285, 2)
    (-0.3, 0.29)
    >>> round_decimal(1e300, 4)
    1e+300
    """
    if not math.isfinite(value):
        return value
    rounded = float(Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-digits), context=_WIDE))
    return rounded + 0.0  # no negative zero


_each = np.frompyfunc(round_decimal, 2, 1)


def round_array(values: Array, digits: int) -> Array:
    """Each entry rounded half up to `digits` decimals, shape and dtype as `values`."""
    array = np.asarray(values)
    return np.asarray(_each(array.astype(np.float64), digits)).astype(array.dtype)


@dataclass(frozen=True)
class Rounding:
    """How many decimals are shown, and whether each result is rounded before it is used again (`carry`).

    `quantities` sets the decimals of single quantities (`{"a1": 2}`).

    Raises SpecificationError unless digits are whole numbers from 0 to 17.
    """

    digits: int | None = None
    carry: bool = False
    quantities: tuple[tuple[str, int], ...] = ()

    def __post_init__(self) -> None:
        for digits in (self.digits, *(digits for _, digits in self.quantities)):
            if digits is not None and not 0 <= digits <= 17:
                raise SpecificationError(f"rounding: digits must be 0 to 17, got {digits}")
        if self.carry and self.digits is None:
            raise SpecificationError("rounding: carry needs digits, the decimals that are carried")

    def of(self, quantity: str) -> int | None:
        """Decimals of a quantity; None: as the display chooses."""
        return dict(self.quantities).get(quantity, self.digits)
