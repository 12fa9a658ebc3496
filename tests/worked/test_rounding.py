"""Rounding is that of decimals on paper, and what was asked for is held to what there is."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handgrad.errors import SpecificationError
from handgrad.worked.rounding import Rounding, round_array, round_decimal


@given(st.floats(-1e6, 1e6), st.integers(0, 12))
def test_a_number_is_rounded_as_its_decimal_text(value: float, digits: int):
    wanted = Decimal(repr(value)).quantize(Decimal(10) ** -digits, ROUND_HALF_UP)
    assert round_decimal(value, digits) == float(wanted)


def test_the_ends():
    assert round_decimal(float("inf"), 2) == float("inf")
    assert np.isnan(round_decimal(float("nan"), 2))
    assert round_decimal(1e300, 17) == 1e300
    assert str(round_decimal(-0.001, 2)) == "0.0"
    assert round_decimal(5e-324, 17) == 0.0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_an_array_keeps_its_shape_and_type(dtype: type):
    found = round_array(np.array([[0.285, -0.125], [2.5, 0.004]], dtype), 2)
    np.testing.assert_array_equal(
        found, np.array([[0.29 if dtype is np.float64 else 0.28, -0.13], [2.5, 0.0]], dtype)
    )
    assert found.dtype == dtype


@pytest.mark.parametrize("digits", [-1, 18])
def test_digits_that_there_are_not_are_refused(digits: int):
    with pytest.raises(SpecificationError, match=f"digits must be 0 to 17, got {digits}"):
        Rounding(digits)
    with pytest.raises(SpecificationError, match=f"digits must be 0 to 17, got {digits}"):
        Rounding(2, quantities=(("a1", digits),))


@pytest.mark.parametrize("digits", [0, 17])
def test_the_least_and_the_most_digits(digits: int):
    assert Rounding(digits).of("z1") == digits
    assert Rounding(digits, carry=True).carry


def test_what_is_carried_says_how_far():
    with pytest.raises(SpecificationError, match="carry needs digits"):
        Rounding(carry=True)
    assert not Rounding().carry
    assert Rounding().of("z1") is None


def test_a_quantity_may_have_digits_of_its_own():
    rounding = Rounding(3, quantities=(("a1", 2), ("yhat", 6)))
    assert [rounding.of(name) for name in ("a1", "yhat", "z1")] == [2, 6, 3]
