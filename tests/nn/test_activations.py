"""Activations against high-precision arithmetic, at the ends of the number range, and in both precisions."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext

import numpy as np
import pytest

from handgrad.errors import SpecificationError
from handgrad.nn.activations import ACTIVATIONS, Activation, log_softmax
from handgrad.nn.special import normal_cdf, normal_density

Z = [-30.0, -12.5, -3.7, -1.0, -0.25, -1e-9, 1e-9, 0.3, 1.0, 2.5, 9.0, 30.0]

HUNDREDTH = Decimal.from_float(0.01)  # alpha as the machine holds it


def sigmoid(z: Decimal) -> Decimal:
    return 1 / (1 + (-z).exp())


def tanh(z: Decimal) -> Decimal:
    return 1 - 2 / ((2 * z).exp() + 1)


ALPHA, SCALE = Decimal("1.6732632423543772848170429916717"), Decimal("1.0507009873554804934193349852946")


def mish_slope(z: Decimal) -> Decimal:
    """The derivative in Misra's own form: e^z omega / delta^2."""
    e = z.exp()
    omega = 4 * (z + 1) + 4 * e**2 + e**3 + e * (4 * z + 6)
    return e * omega / (2 * e + e**2 + 2) ** 2


EXACT = {
    "identity": (lambda z: z, lambda z: Decimal(1)),
    "sigmoid": (sigmoid, lambda z: sigmoid(z) * (1 - sigmoid(z))),
    "tanh": (tanh, lambda z: 1 - tanh(z) ** 2),
    "relu": (lambda z: max(z, Decimal(0)), lambda z: Decimal(int(z > 0))),
    "leaky_relu": (
        lambda z: max(z, z * HUNDREDTH),
        lambda z: Decimal(1) if z > 0 else HUNDREDTH,
    ),
    "elu": (lambda z: z if z > 0 else z.exp() - 1, lambda z: Decimal(1) if z > 0 else z.exp()),
    "silu": (
        lambda z: z * sigmoid(z),
        lambda z: sigmoid(z) + z * sigmoid(z) * (1 - sigmoid(z)),
    ),
    "softplus": (lambda z: (1 + z.exp()).ln(), sigmoid),
    "step": (lambda z: Decimal(int(z > 0)), lambda z: Decimal(0)),
    "relu6": (lambda z: min(max(z, Decimal(0)), Decimal(6)), lambda z: Decimal(int(0 < z < 6))),
    "hard_sigmoid": (
        lambda z: min(max(z / 6 + Decimal("0.5"), Decimal(0)), Decimal(1)),
        lambda z: Decimal(int(-3 < z < 3)) / 6,
    ),
    "selu": (
        lambda z: SCALE * z if z > 0 else SCALE * ALPHA * (z.exp() - 1),
        lambda z: SCALE if z > 0 else SCALE * ALPHA * z.exp(),
    ),
    "mish": (lambda z: z * tanh((1 + z.exp()).ln()), mish_slope),
    "exponential": (lambda z: z.exp(), lambda z: z.exp()),
}


@pytest.mark.parametrize("name", EXACT)
def test_values_and_derivatives_to_fifty_digits(name: str) -> None:
    activation = Activation(name)
    z = np.array([Z])
    a = activation.value(z)
    value, derivative = EXACT[name]
    with localcontext() as context:
        context.prec = 50
        exact = [float(value(Decimal(number))) for number in Z]
        slope = [float(derivative(Decimal(number))) for number in Z]
    np.testing.assert_allclose(a[0], exact, rtol=1e-14)
    # a(1 - a) and 1 - a^2 lose their last digits where a is nearly 1: the error is absolute, of 1 ulp of 1
    np.testing.assert_allclose(activation.derivative(z, a)[0], slope, rtol=1e-13, atol=3e-16)


def test_gelu_is_z_times_the_normal_distribution_function() -> None:
    z = np.linspace(-12, 12, 241)
    gelu = Activation("gelu")
    cdf = np.array([math.erfc(-number / math.sqrt(2)) / 2 for number in z])
    density = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    # the exponential of z^2 / 2 amplifies a rounding of z by z^2
    np.testing.assert_allclose(normal_cdf(z), cdf, rtol=2e-14)
    np.testing.assert_allclose(normal_density(z), density, rtol=1e-15)
    np.testing.assert_allclose(gelu.value(z), z * cdf, rtol=2e-14)
    np.testing.assert_allclose(gelu.derivative(z, gelu.value(z)), cdf + z * density, rtol=1e-12, atol=1e-16)


@pytest.mark.parametrize("parameter", [0.0, 0.1, 0.3, 1.0, 2.5])
@pytest.mark.parametrize("name", ["leaky_relu", "elu"])
def test_alpha_is_the_parameter_below_zero(name: str, parameter: float) -> None:
    activation = Activation(name, alpha=parameter)
    z = np.array([[-2.0, -0.5, 0.5]])
    below = {"leaky_relu": z, "elu": np.exp(z) - 1}[name]
    np.testing.assert_allclose(activation.value(z), np.where(z > 0, z, parameter * below), rtol=1e-15)
    slope = {"leaky_relu": np.ones_like(z), "elu": np.exp(z)}[name]
    expected = np.where(z > 0, 1, parameter * slope)
    np.testing.assert_allclose(activation.derivative(z, activation.value(z)), expected, rtol=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_thousand_overflows_nothing_and_keeps_the_precision(name: str, dtype: type) -> None:
    activation = Activation(name)
    z = np.array([[1000 if name != "exponential" else 80, -1000, 0]], dtype)  # e^1000 is no number of either
    a = activation.value(z)
    ends = {  # limits at z = 1000 and z = -1000
        "identity": (1000, -1000),
        "sigmoid": (1, 0),
        "tanh": (1, -1),
        "relu": (1000, 0),
        "leaky_relu": (1000, -10),
        "elu": (1000, -1),
        "gelu": (1000, 0),
        "silu": (1000, 0),
        "softplus": (1000, 0),
        "softmax": (1, 0),
        "step": (1, 0),
        "relu6": (6, 0),
        "hard_sigmoid": (1, 0),
        "selu": (1050.7009873554805, -1.7580993408473766),
        "mish": (1000, 0),
        "exponential": (np.exp(80.0), 0),
    }[name]
    assert a.dtype == activation.derivative(z, a).dtype == activation.backward(z, z, a).dtype == dtype
    np.testing.assert_allclose(a[0, :2], ends, rtol=1e-6)
    assert np.all(np.isfinite(activation.derivative(z, a)))
    assert np.all(np.isfinite(activation.backward(np.ones_like(z), z, a)))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_what_is_not_a_number_does_not_hide(name: str) -> None:
    a = Activation(name).value(np.array([[np.nan, 1.0]]))
    assert np.isnan(a[0, 0])


def test_derivatives_at_a_kink_are_those_from_below() -> None:
    zero = np.zeros((1, 1))
    for name, at, expected in (
        ("relu", 0.0, 0.0),
        ("leaky_relu", 0.0, 0.01),
        ("elu", 0.0, 1.0),
        ("step", 0.0, 0.0),
        ("relu6", 0.0, 0.0),
        ("relu6", 6.0, 0.0),
        ("hard_sigmoid", -3.0, 0.0),
        ("hard_sigmoid", 3.0, 0.0),
        ("selu", 0.0, pytest.approx(1.7580993408473766, rel=1e-15)),
    ):
        activation = Activation(name)
        assert activation.derivative(zero + at, activation.value(zero + at))[0, 0] == expected, name


def test_selu_keeps_mean_0_and_variance_1() -> None:
    """What its two constants are made for: z ~ N(0, 1) gives E a = 0 and E a^2 = 1, by quadrature."""
    fine = np.linspace(-12, 12, 2_400_001)
    density = np.exp(-(fine**2) / 2) / math.sqrt(2 * math.pi)
    a = Activation("selu").value(fine)
    assert np.trapezoid(a * density, fine) == pytest.approx(0.0, abs=1e-9)
    assert np.trapezoid(a * a * density, fine) == pytest.approx(1.0, rel=1e-9)


@pytest.mark.parametrize("name", [name for name, rule in ACTIVATIONS.items() if rule.elementwise])
def test_where_a_unit_is_saturated_or_dead(name: str) -> None:
    """Of the tails: in `flat` and just inside its end |f'| is below 1/100, just outside it is not; 0 in `dead`."""
    activation = Activation(name)

    def slope(z: np.ndarray) -> np.ndarray:
        return np.abs(activation.derivative(z, activation.value(z)))

    z = np.linspace(-50, 50, 20000)  # without a kink
    flat = np.zeros(z.shape, bool)
    for low, high in activation.rule.flat:
        flat |= (z > low) & (z < high)
        for end, inwards in ((low, 1e-3), (high, -1e-3)):
            if math.isfinite(end):
                assert slope(np.array([end + inwards])) < 0.01 <= slope(np.array([end - 2 * inwards]))
    assert np.all(slope(z)[flat] < 0.01)
    # what is not flat has a slope, but for the bottom of a curve that rises again to the left
    bottom = (z > -2) & (z < 0)
    assert np.all(slope(z)[~flat & ~bottom] >= 0.01)
    dead = np.zeros(z.shape, bool)
    for low, high in activation.rule.dead:
        dead |= (z > low) & (z < high)
    assert np.array_equal((slope(z) == 0)[np.abs(z) < 9], dead[np.abs(z) < 9])


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_interval_of_the_outputs(name: str) -> None:
    z = np.linspace(-30, 30, 60001).reshape(1, -1) if name != "softmax" else np.eye(3) * 60
    a, (low, high) = Activation(name).value(z), ACTIVATIONS[name].outputs
    assert np.all((a >= low) & (a <= high))
    assert not math.isfinite(low) or a.min() == pytest.approx(low, abs=1e-9)
    assert a.max() == pytest.approx(high, abs=1e-9) if math.isfinite(high) else a.max() > 29


@pytest.mark.parametrize("name", [name for name, rule in ACTIVATIONS.items() if rule.elementwise])
def test_the_derivative_jumps_at_the_kinks_alone(name: str) -> None:
    activation = Activation(name) if name != "elu" else Activation(name, 0.5)
    z = np.linspace(-8, 8, 16001)
    slope = activation.derivative(z, activation.value(z))
    value_jumps = np.flatnonzero(np.abs(np.diff(activation.value(z))) > 0.1 * (1 + np.abs(slope[1:])))
    jumps = np.union1d(np.flatnonzero(np.abs(np.diff(slope)) > 0.01 * (1 + np.abs(slope[1:]))), value_jumps)
    kinks = sorted({round(float(z[place]), 2) + 0.0 for place in jumps})
    assert kinks == sorted(activation.rule.kinks)


def test_the_product_with_the_jacobian_of_softmax() -> None:
    generator = np.random.default_rng(0)
    z, da = generator.normal(size=(4, 5)), generator.normal(size=(4, 5))
    softmax = Activation("softmax")
    a = softmax.value(z)
    for sample in range(4):
        jacobian = np.diag(a[sample]) - np.outer(a[sample], a[sample])
        expected = da[sample] @ jacobian
        np.testing.assert_allclose(softmax.backward(da, z, a)[sample], expected, rtol=1e-13, atol=1e-16)
        np.testing.assert_allclose(softmax.derivative(z, a)[sample], np.diag(jacobian), rtol=1e-15)


def test_softmax_does_not_feel_a_shift() -> None:
    z = np.array([[1.0, 2.0, 4.0]])
    softmax = Activation("softmax")
    expected = np.exp(z) / np.exp(z).sum()
    np.testing.assert_allclose(softmax.value(z), expected, rtol=1e-15)
    np.testing.assert_array_equal(softmax.value(z + 512.0), softmax.value(z))
    np.testing.assert_allclose(log_softmax(z + 512.0), np.log(expected), rtol=1e-15)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("swish",), r"unknown activation 'swish'; choose one of identity, sigmoid"),
        (("Sigmoid",), r"unknown activation 'Sigmoid'"),
        (("sigmoid", 0.1), r"'sigmoid' has no parameter alpha; leave it out"),
        (("leaky_relu", -0.1), r"'leaky_relu': alpha must be a finite number >= 0, got -0.1"),
        (("elu", math.inf), r"alpha must be a finite number >= 0, got inf"),
        (("elu", math.nan), r"alpha must be a finite number >= 0, got nan"),
    ],
)
def test_errors_name_what_was_expected(arguments: tuple, message: str) -> None:
    with pytest.raises(SpecificationError, match=message):
        Activation(*arguments)


def test_the_step_function_is_0_at_0() -> None:
    z = np.array([-1.0, 0.0, 5e-324, 2.0])
    assert Activation("step").value(z).tolist() == [0.0, 0.0, 1.0, 1.0]
