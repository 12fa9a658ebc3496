"""Real numbers: fractions as fractions, balls to their last bit, ties told from what lies near one."""

from __future__ import annotations

import operator
from collections.abc import Callable
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from handgrad.errors import VerificationError
from handgrad.worked.computed import Computed
from handgrad.worked.real import (
    NotFinite,
    Real,
    Undecided,
    agree,
    as_numbers,
    computing,
    in_reals,
    number_of,
    reals,
)
from handgrad.worked.real_functions import applied_in_reals

flint = pytest.importorskip("flint", reason="python-flint, of the extra certify, is not installed")


def fraction(number: Real) -> Fraction:
    assert number.exact is not None
    return Fraction(int(number.exact.p), int(number.exact.q))


ARITHMETIC: list[tuple[Callable[[Any, Any], Any], Any, Any, Fraction]] = [
    (operator.add, Real.of, 0.2, Fraction(1, 2)),
    (operator.sub, Real.of, 0.2, Fraction(1, 10)),
    (operator.mul, Real.of, 0.2, Fraction(3, 50)),
    (operator.truediv, Real.of, 0.2, Fraction(3, 2)),
    (operator.pow, Real.of, 3, Fraction(27, 1000)),
    (operator.pow, Real.of, -2, Fraction(100, 9)),
    (operator.pow, Real.of, 0, Fraction(1)),
]


@pytest.mark.parametrize(("act", "of", "other", "wanted"), ARITHMETIC)
def test_decimals_and_numbers_beside_them_are_fractions(act: Any, of: Any, other: Any, wanted: Fraction):
    with computing(64):
        assert fraction(act(of(0.3), other)) == wanted
        assert fraction(act(of(0.3), of(other))) == wanted


def test_a_number_may_stand_before_a_real_one():
    with computing(64):
        x = Real.of(0.5)
        assert [fraction(value) for value in (2 + x, 2 - x, 2 * x, 2 / x, 3**Real.of(2), -x, abs(-x), abs(x))] == [
            Fraction(5, 2), Fraction(3, 2), 1, 4, 9, Fraction(-1, 2), Fraction(1, 2), Fraction(1, 2),
        ]  # fmt: skip


def test_balls_and_fractions_meet():
    with computing(128):
        e, x = Real.of(1).exp(), Real.of(0.5)
        for value, wanted in ((e + x, 3.218281828459045), (x - e, -2.218281828459045), (e * x, 1.3591409142295225),
                              (x / e, 0.18393972058572117), (e / x, 5.43656365691809), (e**2, 7.38905609893065),
                              (e**x, 1.6487212707001282), (x**e, 0.15195522325791297), (e**-1, 0.36787944117144233),
                              (abs(-e), 2.718281828459045), (e**0.5, 1.6487212707001282)):  # fmt: skip
            assert value.exact is None
            assert float(value) == pytest.approx(wanted, rel=1e-15)


def test_nothing_times_anything_is_surely_nothing():
    with computing(64):
        e = Real.of(1).exp()
        assert (e * 0).is_zero
        assert (Real.of(0) * e).is_zero
        assert not e.is_zero
        assert not Real.of(1).is_zero
        assert fraction(e * 0) == 0


def test_powers():
    with computing(64):
        assert fraction(Real.of(4) ** 0.5) == 2
        assert fraction(Real.of(0) ** 0) == 1
        assert fraction(Real.of(0) ** 2) == 0
        assert (Real.of(1.5) ** 10_000).exact is not None
        assert (Real.of(1.5) ** 10_001).exact is None
        assert (Real.of(1.5) ** -10_000).exact is not None
        assert (Real.of(2) ** 0.25).exact is None
        for power in (-1, -2):
            with pytest.raises(NotFinite):
                Real.of(0) ** power


ROOTS = {0.0: 0, 1.0: 1, 0.25: Fraction(1, 2), 2.25: Fraction(3, 2), 144.0: 12}


@pytest.mark.parametrize("square", ROOTS)
def test_a_root_of_a_square_is_a_fraction(square: float):
    with computing(64):
        assert fraction(Real.of(square).sqrt()) == ROOTS[square]


def test_other_roots_and_functions_are_balls():
    with computing(200):
        two, half = Real.of(2), Real.of(0.5)
        with localcontext() as context:
            context.prec = 70
            wanted = {
                two.sqrt(): Decimal(2).sqrt(), half.sqrt(): Decimal("0.5").sqrt(), two.exp(): Decimal(2).exp(),
                two.log(): Decimal(2).ln(), two.exp().sqrt(): Decimal(1).exp(), two.sqrt().log(): Decimal(2).ln() / 2,
                half.tanh(): (Decimal(1).exp() - 1) / (Decimal(1).exp() + 1),
                Real.pi(): Decimal("3.14159265358979323846264338327950288419716939937510582097494459"),
                half.erfc(): Decimal("0.47950012218695346231725334610803547126354842424203"),
            }  # fmt: skip
            for found, number in wanted.items():
                assert found.exact is None
                assert abs(Decimal(str(found)) - number) < Decimal("1e-48")


def test_what_is_known_exactly_is_no_ball():
    with computing(64):
        assert fraction(Real.of(0).exp()) == 1
        assert fraction(Real.of(1).log()) == 0
        assert fraction(Real.of(0).erfc()) == 1


@pytest.mark.parametrize(
    "make",
    [
        lambda: Real.of(1) / 0,
        lambda: Real.of(1) / Real.of(0),
        lambda: Real.of(0).log(),
        lambda: Real.of(-2).log(),
        lambda: Real.of(-4).sqrt(),
        lambda: Real.of(float("nan")),
        lambda: Real.of(float("inf")),
    ],
)
def test_what_has_no_value_is_not_finite(make: Any):
    with computing(64), pytest.raises(NotFinite):
        make()


def test_a_ball_that_may_have_no_value_asks_for_more_bits():
    with computing(64):
        zero = Real.of(2).sqrt() ** 2 - 2
        for act in (
            lambda: Real.of(1) / zero,
            zero.sign,
            zero.log,
            lambda: bool(zero),
            lambda: Real(flint.arb("nan")),
        ):
            with pytest.raises(Undecided):
                act()
    with computing(64, last=True) as held:
        zero = Real.of(2).sqrt() ** 2 - 2
        assert zero.sign() == 0
        assert held.ties == ["a sign"]
        assert held.bits == 64
        with pytest.raises(NotFinite):
            _ = Real.of(1) / zero


def test_floats_are_the_decimals_that_they_are_written_as_or_binary():
    assert fraction(Real.of(0.1)) == Fraction(1, 10)
    assert fraction(Real.binary(0.1)) == Fraction(0.1)
    assert fraction(Real.of(1e-7)) == Fraction(1, 10**7)
    assert [fraction(Real.of(one)) for one in (True, 3, np.int64(-4), np.bool_(True), np.float32(0.5))] == [
        1,
        3,
        -4,
        1,
        0.5,
    ]
    one = Real.of(1)
    assert Real.of(one) is one
    assert one.inexact is None
    assert Real(flint.arb(3)).exact == 3  # a ball without a radius is a fraction
    assert Real(flint.arb(3)).inexact is None


ORDER: dict[str, tuple[Callable[[Any, Any], bool], tuple[bool, bool, bool]]] = {
    "<": (operator.lt, (True, False, False)),
    "<=": (operator.le, (True, True, False)),
    "==": (operator.eq, (False, True, False)),
    "!=": (operator.ne, (True, False, True)),
    ">=": (operator.ge, (False, True, True)),
    ">": (operator.gt, (False, False, True)),
}


@pytest.mark.parametrize("sign", ORDER)
def test_order_is_that_of_the_numbers(sign: str):
    act, wanted = ORDER[sign]
    with computing(64):
        assert tuple(act(Real.of(2), other) for other in (Real.of(3), Real.of(2), Real.of(1))) == wanted
        assert tuple(act(Real.of(0.3), other) for other in (0.4, 0.3, 0.2)) == wanted
        e = Real.of(1).exp()
        assert (act(e, 3), act(e, 2)) == (wanted[0], wanted[2])
    if sign in ("==", "!="):  # of the digits that were settled
        assert tuple(act(Real.of(2), other) for other in (3.0, 2.0, 1)) == wanted


def test_what_is_no_number_is_not_equal():
    assert Real.of(1).__eq__("1") is NotImplemented
    with computing(64):
        assert (Real.of(1) == "1") is False
        e = Real.of(1).exp()
        assert e == e  # noqa: PLR0124
        assert len({e, Real.of(1)}) == 2


def test_signs():
    with computing(64):
        assert [Real.of(x).sign() for x in (-0.5, 0, 7)] == [-1, 0, 1]
        assert [bool(Real.of(x)) for x in (-0.5, 0, 7)] == [True, False, True]
        e = Real.of(1).exp()
        assert (e.sign(), (-e).sign()) == (1, -1)


# --- digits ---------------------------------------------------------------------------------------------

ROUNDED = [
    (0.125, 2, "0.13"),
    (-0.125, 2, "-0.13"),
    (0.1249, 2, "0.12"),
    (2.5, 0, "3"),
    (-2.5, 0, "-3"),
    (0.04, 1, "0"),
]


@pytest.mark.parametrize(("number", "digits", "text"), ROUNDED)
def test_a_fraction_is_rounded_half_away_from_0(number: float, digits: int, text: str):
    with computing(64):
        assert Decimal(str(Real.of(number).rounded(digits))) == Decimal(text)


def test_a_ball_is_rounded_where_all_of_it_is_rounded_alike():
    with computing(64):
        e = Real.of(1).exp()
        assert [str(e.rounded(digits)) for digits in (0, 1, 3)] == ["3", "2.7", "2.718"]
        assert str((-e).rounded(3)) == "-2.718"
        eighth = (Real.of(2).sqrt() / 16) * Real.of(2).sqrt()
        assert eighth.exact is None
        assert str(eighth.rounded(1)) == "0.1"
        with pytest.raises(Undecided, match="a tie"):
            eighth.rounded(2)
    with computing(64, last=True) as held:
        eighth = (Real.of(2).sqrt() / 16) * Real.of(2).sqrt()
        assert [str(eighth.rounded(2)), str((-eighth).rounded(2))] == ["0.13", "-0.13"]
        assert held.ties == ["a tie", "a tie"]


def test_the_text_of_a_ball_is_its_digits_or_the_tie_that_it_may_be():
    with computing(64), pytest.raises(Undecided):
        str(Real.of(2).sqrt() ** 2)
    with computing(64, last=True) as held:
        assert str(Real.of(2).sqrt() ** 2) == "2"
        assert held.ties
    with computing(400):
        small = Real.of(-70).exp()  # 3.97...e-31: decimals alone would say 0
        assert Decimal(str(small)).adjusted() == -31
        assert abs(float(small) / 3.975449735908647e-31 - 1) < 1e-15
        tiny = (Real.of(2).sqrt() ** 2) * Real.of(1e-25)
        with pytest.raises(Undecided):
            str(tiny)
    with computing(400, last=True):
        tiny = (Real.of(2).sqrt() ** 2) * Real.of(1e-25)
        assert Decimal(str(tiny)) == Decimal("2e-25")


def test_the_text_of_a_fraction_ends_or_says_that_it_does_not():
    assert str(Real.of(1) / 8) == "0.125"
    third = str(Real.of(1) / 3)
    assert third == "0." + 60 * "3" + "1"
    assert str(Real.of(-1) / 3) == "-" + third
    assert Decimal(str(Real.of(2) / 3)) < Decimal(2) / 3 + Decimal("1e-50")
    assert str(Real.of(2) / 3).startswith("0." + 60 * "6" + "1")
    assert str(Real.of(12345)) == "12345"


def test_a_real_number_is_shown_as_a_float():
    x = Real.of(2.75)
    assert (repr(x), f"{x:.1f}", float(x), int(x), int(-x)) == ("Real(2.75)", "2.8", 2.75, 2, -2)
    with computing(256):
        assert float(Real.of(1).exp()) == 2.718281828459045


def test_within_computing_arrays_are_real_and_outside_floats():
    assert not in_reals()
    assert as_numbers(np.array([0.1])).dtype == np.float64
    with computing(80) as held:
        assert in_reals()
        assert flint.ctx.prec == 80
        numbers = as_numbers(np.array([[0.1, 2.0]]))
        assert [fraction(number) for number in numbers[0]] == [Fraction(1, 10), 2]
        assert numbers.shape == (1, 2)
        with computing(160):
            assert flint.ctx.prec == 160
        assert flint.ctx.prec == 80
        assert held.last is False
    assert not in_reals()
    one = Real.of(1)
    assert number_of(one) is one
    assert number_of(np.float32(0.5)) == 0.5
    assert type(number_of(np.float64(0.5))) is float


def test_numbers_agree_within_the_tolerance_and_no_further():
    a, b = Real.of(1), Real.of(1.25)
    assert [agree(a, b, tolerance) for tolerance in (0.3, 0.25, 0.2, 0.0)] == [True, True, False, False]
    assert [agree(b, a, tolerance) for tolerance in (0.25, 0.2)] == [True, False]
    with computing(64):
        e = Real.of(1).exp()
        assert agree(e, Real.of(2), 0.72)
        assert agree(Real.of(2), e, 0.72)
        assert not agree(e, Real.of(2), 0.71)
        assert agree(Real.of(2).sqrt() ** 2, Real.of(2), 0.0)  # may be the same
        assert agree(a, a, 0.0)


# --- functions at their kinks ---------------------------------------------------------------------------

KINKS: dict[str, dict[float, Any]] = {
    "relu": {-1.0: 0, 0.0: 0, 2.0: 2},
    "relu'": {-1.0: 0, 0.0: 0, 2.0: 1},
    "leaky_relu": {-2.0: -1, 0.0: 0, 2.0: 2},
    "leaky_relu'": {-2.0: Fraction(1, 2), 0.0: Fraction(1, 2), 2.0: 1},
    "elu": {0.0: 0, 2.0: 2},
    "elu'": {0.0: Fraction(1, 2), 2.0: 1},
    "step": {-1.0: 0, 0.0: 0, 0.5: 1},
    "step'": {-1.0: 0, 0.0: 0, 0.5: 0},
    "relu6": {-1.0: 0, 0.0: 0, 5.0: 5, 6.0: 6, 7.0: 6},
    "relu6'": {-1.0: 0, 0.0: 0, 0.5: 1, 5.0: 1, 6.0: 0, 7.0: 0},
    "hard_sigmoid": {-4.0: 0, -3.0: 0, -1.5: Fraction(1, 4), 0.0: Fraction(1, 2), 3.0: 1, 4.0: 1},
    "hard_sigmoid'": {-4.0: 0, -3.0: 0, -2.5: Fraction(1, 6), 2.5: Fraction(1, 6), 3.0: 0, 4.0: 0},
    "clip": {-1.0: Fraction(-1, 2), -0.5: Fraction(-1, 2), 0.25: Fraction(1, 4), 1.0: Fraction(1, 2)},
    "indicator": {-1.0: 0, 0.0: 0, 0.5: 1},
    "sign": {-2.0: -1, 0.0: 0, 2.0: 1},
    "abs": {-2.0: 2, 0.0: 0, 2.0: 2},
    "identity": {2.0: 2},
    "identity'": {2.0: 1},
    "sigmoid": {0.0: Fraction(1, 2)},
    "sigmoid'": {0.0: Fraction(1, 4)},
    "silu'": {0.0: Fraction(1, 2)},
    "softplus'": {0.0: Fraction(1, 2)},
    "gelu'": {0.0: Fraction(1, 2)},
    "erf_phi": {0.0: Fraction(1, 2)},
    "exp": {0.0: 1},
    "ln": {1.0: 0},
}  # fmt: skip


@pytest.mark.parametrize("name", KINKS)
def test_a_function_in_real_numbers_is_exact_where_it_can_be(name: str):
    with computing(64):
        parameters = [Real.of(0.5)] if name.removesuffix("'") in ("leaky_relu", "elu", "clip") else []
        for z, wanted in KINKS[name].items():
            found = applied_in_reals(name, [Computed(reals(np.array([[z]])), 0.0, 0.0)], parameters, -1).value
            assert found[0, 0] == Real.of(wanted.numerator) / wanted.denominator, z


@pytest.mark.parametrize("axis", [-1, -2])
def test_softmax_in_real_numbers_is_that_of_its_axis(axis: int):
    z = np.array([[0.0, 0.0], [0.0, 1.0]])
    e = np.exp(z) / np.exp(z).sum(axis=axis, keepdims=True)
    with computing(128):
        of = [Computed(reals(z), 0.0, 0.0)]
        for name, wanted in (("softmax", e), ("softmax'", e * (1 - e)), ("ln_softmax", np.log(e))):
            np.testing.assert_allclose(
                applied_in_reals(name, of, [], axis).value.astype(float), wanted, rtol=1e-14
            )


def test_the_larger_and_the_smaller_of_several():
    with computing(64):
        several = [Computed(reals(np.array([[x]])), 0.0, 0.0) for x in (1.0, 3.0, 2.0)]
        assert applied_in_reals("max", several, [], -1).value[0, 0] == 3
        assert applied_in_reals("min", several[::-1], [], -1).value[0, 0] == 1


def test_a_function_that_is_not_there_is_named():
    with computing(64), pytest.raises(VerificationError, match="unknown function 'f'"):
        applied_in_reals("f", [Computed(reals(np.zeros((1, 1))), 0.0, 0.0)], [], -1)
