"""Numbers as they are shown: rounded as on paper, and never 0 unless they are."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from handgrad.errors import RenderError
from handgrad.writing.numerals import Precision, Shown, shown, shown_exactly, shown_together

finite = st.floats(allow_nan=False, allow_infinity=False)


def value_of(number: Shown) -> Decimal:
    """What the shown text says."""
    return Decimal(number.text or "1").scaleb(number.exponent or 0)


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (2.9 - 3.2, 4, "-0.3"),
        (0.1 + 0.2, 4, "0.3"),
        (2.675, 2, "2.68"),
        (0.285, 2, "0.29"),
        (-0.285, 2, "-0.29"),
        (0.5, 0, "1"),
        (1.0, 4, "1"),
        (0.61940123, 4, "0.6194"),
        (0.50003, 4, "0.5000"),
        (0.99999999, 4, "1.0000"),
        (-0.0, 4, "0"),
        (0.000312, 4, "0.00031"),
        (0.0000312, 4, "3.12 × 10⁻⁵"),
        (-1e-300, 4, "-1 × 10⁻³⁰⁰"),
        (4e-7, 2, "4 × 10⁻⁷"),
        (12345678.9, 4, "1.235 × 10⁷"),
        (1e12, 4, "1000000000000"),
        (float("inf"), 4, "∞"),
        (float("-inf"), 4, "-∞"),
        (float("nan"), 4, "NaN"),
        (np.float32(0.1), 4, "0.1"),
    ],
)
def test_numbers_are_rounded_half_up_on_their_decimal_text(value: float, decimals: int, text: str):
    assert str(shown(value, Precision(decimals))) == text


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.61940123, 3, "0.619"),
        (0.5, 3, "0.5"),
        (123456.0, 3, "123000"),
        (0.000123456, 3, "0.000123"),
        (0.0000123456, 3, "1.23 × 10⁻⁵"),
        (99.96, 3, "100"),
        (0.0, 3, "0"),
    ],
)
def test_significant_digits(value: float, digits: int, text: str):
    assert str(shown(value, Precision(significant=digits))) == text


@given(finite, st.integers(0, 10))
def test_what_is_not_zero_is_not_shown_as_zero(value: float, decimals: int):
    number = shown(value, Precision(decimals))
    assert (value_of(number) == 0) == (value == 0)
    assert (value_of(number) < 0) == (value < 0)


@given(st.floats(-1e6, 1e6), st.integers(0, 10))
def test_the_error_is_at_most_half_of_the_last_decimal(value: float, decimals: int):
    number = shown(value, Precision(decimals))
    half = Decimal(5).scaleb(-decimals - 1)
    assert abs(value_of(number) - Decimal(str(value))) <= half


@given(st.floats(-1e6, 1e6), st.integers(1, 10))
def test_exact_means_that_nothing_was_rounded_away(value: float, decimals: int):
    number = shown(value, Precision(decimals))
    assume(value)
    if number.exact:
        assert abs(float(value_of(number)) - value) <= 1e-12 * max(abs(value), 1e-6)
    else:
        assert float(value_of(number)) != value


@given(finite)
def test_a_constant_has_all_its_digits(value: float):
    assert float(value_of(shown_exactly(value, Precision(2)))) == value


def texts(rows: list[list[float]], precision: Precision) -> list[list[str]]:
    return [[str(number) for number in row] for row in shown_together(rows, precision)]


def test_a_matrix_has_common_decimals_and_drops_the_zeros_that_all_share():
    assert texts([[0.5, 0.25], [1.0, 3.0]], Precision(4)) == [["0.50", "0.25"], ["1.00", "3.00"]]
    assert texts([[1.0, 2.0]], Precision(4)) == [["1", "2"]]
    assert texts([[0.1, 1 / 3]], Precision(4)) == [["0.1000", "0.3333"]]
    assert texts([[0.1, 0.0]], Precision(4)) == [["0.1", "0"]]


def test_a_tiny_entry_of_a_matrix_keeps_its_digits():
    assert texts([[0.5, -1.5e-7]], Precision(4)) == [["0.5", "-1.5 × 10⁻⁷"]]


def test_the_decimal_comma():
    assert str(shown(0.61940123, Precision(4, decimal=","))) == "0,6194"
    assert str(shown(3.12e-7, Precision(4, decimal=","))) == "3,12 × 10⁻⁷"


@pytest.mark.parametrize("wrong", [{"decimals": -1}, {"decimals": 18}, {"significant": 0}])
def test_digits_that_cannot_be_are_refused(wrong: dict[str, int]):
    with pytest.raises(RenderError, match="got"):
        Precision(**wrong)
