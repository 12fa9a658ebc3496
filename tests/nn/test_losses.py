"""Losses: their published forms, their closed deltas, and their values where outputs saturate."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext

import numpy as np
import pytest

from handgrad.errors import SpecificationError
from handgrad.nn.activations import ACTIVATIONS, Activation
from handgrad.nn.losses import LOSSES, Loss

CLOSED = [(name, activation) for name, rule in LOSSES.items() for activation in rule.closed]
A = np.array([[0.2, 0.7, 0.1], [0.5, 0.25, 0.25]])
Y = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])


def total(loss: Loss, a, y, z=None, activation: str = "") -> float:
    return float(loss.over_samples(loss.per_sample(loss.terms(a, y, z, activation))))


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        # squared differences: .04 .09 .01 and .25 .0625 .0625
        (Loss("squared_error", samples="sum"), 0.14 + 0.375),
        (Loss("squared_error"), (0.14 + 0.375) / 2),
        (Loss("squared_error", scale=0.5), (0.14 + 0.375) / 4),  # 1/(2m) sum
        (Loss("squared_error", outputs="mean"), (0.14 + 0.375) / 6),  # 1/(mn) sum
        (Loss("squared_error", scale=0.5, samples="sum"), (0.14 + 0.375) / 2),
        (Loss("cross_entropy"), -(math.log(0.7) + math.log(0.5)) / 2),
        (Loss("cross_entropy", samples="sum"), -(math.log(0.7) + math.log(0.5))),
        (
            Loss("binary_cross_entropy", outputs="mean", samples="sum"),
            -(math.log(0.8 * 0.7 * 0.9) + math.log(0.5 * 0.75 * 0.75)) / 3,
        ),
        (Loss("huber", threshold=0.3, samples="sum"), 0.02 + 0.045 + 0.005 + 0.3 * 0.35 + 2 * 0.03125),
        (Loss("absolute_error", outputs="mean"), (0.6 + 1.0) / 6),
        (Loss("poisson", samples="sum"), 1 - math.log(0.7) + 1 - math.log(0.5)),
    ],
)
def test_published_forms(loss: Loss, expected: float) -> None:
    assert total(loss, A, Y) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("outputs", ["sum", "mean"])
@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0])
def test_the_gradient_is_that_of_one_sample(name: str, outputs: str, scale: float) -> None:
    loss = Loss(name, scale, outputs, "mean")
    h = 1e-6
    numeric = np.zeros_like(A)
    for index in np.ndindex(A.shape):
        step = np.zeros_like(A)
        step[index] = h
        up, down = loss.per_sample(loss.terms(A + step, Y)), loss.per_sample(loss.terms(A - step, Y))
        numeric[index] = (up - down)[index[0]] / (2 * h)
    np.testing.assert_allclose(loss.gradient(A, Y), numeric, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(("name", "activation"), CLOSED)
@pytest.mark.parametrize("outputs", ["sum", "mean"])
def test_the_closed_delta_is_the_chain_rule(name: str, activation: str, outputs: str) -> None:
    generator = np.random.default_rng(0)
    z = 2 * generator.normal(size=(5, 3))
    function, loss = Activation(activation), Loss(name, 0.7, outputs)
    a = function.value(z)
    hard = np.eye(3)[[0, 2, 1, 1, 0]]
    soft = generator.uniform(size=(5, 3))  # need not add up to 1
    for y in (hard, soft):
        assert loss.fused(activation)
        chained = function.backward(loss.gradient(a, y), z, a)
        np.testing.assert_allclose(loss.delta(a, y, activation), chained, rtol=1e-11, atol=1e-15)


@pytest.mark.parametrize("loss", ["squared_error", "huber", "absolute_error", "hinge"])
def test_losses_without_a_closed_delta(loss: str) -> None:
    assert not any(Loss(loss).fused(name) for name in ("identity", "sigmoid", "softmax"))


def decimal_terms(name: str, activation: str, z: list[float], y: list[float]) -> list[float]:
    """The terms of one sample, to 60 digits."""
    with localcontext() as context:
        context.prec = 60
        zs = [Decimal(number) for number in z]
        ys = [Decimal(number) for number in y]
        if activation == "softmax":
            total = sum(number.exp() for number in zs)
            a = [number.exp() / total for number in zs]
        elif activation == "exponential":
            a = [number.exp() for number in zs]
            return [float(rate - count * number) for rate, count, number in zip(a, ys, zs, strict=True)]
        else:
            a = [1 / (1 + (-number).exp()) for number in zs]
        one = [-target * output.ln() for output, target in zip(a, ys, strict=True)]
        if name == "cross_entropy":
            return [float(term) for term in one]
        zero = [-(1 - target) * (1 - output).ln() for output, target in zip(a, ys, strict=True)]
        return [float(p + q) for p, q in zip(one, zero, strict=True)]


@pytest.mark.parametrize(("name", "activation"), CLOSED)
@pytest.mark.parametrize(
    ("z", "y"),
    [
        ([0.3, -0.2, 1.1], [0.0, 1.0, 0.0]),
        ([12.0, -7.0, 3.5], [0.0, 0.0, 1.0]),
        ([-40.0, 25.0, 0.0], [1.0, 0.0, 0.0]),
        ([30.0, -30.0, 29.0], [0.25, 0.5, 0.25]),
    ],
)
def test_terms_from_z_to_sixty_digits(name: str, activation: str, z: list[float], y: list[float]) -> None:
    function = Activation(activation)
    zs = np.array([z])
    terms = Loss(name).terms(function.value(zs), np.array([y]), zs, activation)
    np.testing.assert_allclose(terms[0], decimal_terms(name, activation, z, y), rtol=2e-15, atol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("name", "activation", "z", "y", "expected", "delta"),
    [
        ("binary_cross_entropy", "sigmoid", [1000], [1], 0, [0]),
        ("binary_cross_entropy", "sigmoid", [1000], [0], 1000, [1]),
        ("binary_cross_entropy", "sigmoid", [-1000], [1], 1000, [-1]),
        ("binary_cross_entropy", "sigmoid", [-1000], [0], 0, [0]),
        ("cross_entropy", "sigmoid", [-1000], [1], 1000, [-1]),
        ("cross_entropy", "sigmoid", [-1000], [0], 0, [0]),
        ("cross_entropy", "softmax", [1000, -1000], [1, 0], 0, [0, 0]),
        ("cross_entropy", "softmax", [1000, -1000], [0, 1], 2000, [1, -1]),
        ("cross_entropy", "softmax", [-1000, -1000], [0, 1], math.log(2), [0.5, -0.5]),
        ("cross_entropy", "softmax", [1000, 1000, 1000], [0, 0, 1], math.log(3), [1 / 3, 1 / 3, -2 / 3]),
    ],
)
def test_saturated_outputs_have_finite_right_losses(name, activation, z, y, expected, delta, dtype) -> None:
    zs, ys = np.array([z], dtype), np.array([y], dtype)
    loss, a = Loss(name), Activation(activation).value(zs)
    assert total(loss, a, ys, zs, activation) == pytest.approx(expected, rel=1e-6)
    np.testing.assert_allclose(loss.delta(a, ys, activation)[0], delta, rtol=1e-6)
    assert loss.terms(a, ys, zs, activation).dtype == loss.delta(a, ys, activation).dtype == dtype


def test_no_nought_by_nought_where_a_saturated_output_is_right() -> None:
    a = np.array([[0.0, 1.0]])
    assert Loss("cross_entropy").gradient(a, a).tolist() == [[0.0, -1.0]]
    assert Loss("binary_cross_entropy").gradient(a, a).tolist() == [[1.0, -1.0]]
    assert total(Loss("binary_cross_entropy"), a, a) == 0.0
    assert total(Loss("cross_entropy"), a, a) == 0.0


@pytest.mark.parametrize("name", LOSSES)
def test_what_is_not_a_number_does_not_hide(name: str) -> None:
    a = np.array([[np.nan, 0.5]])
    y = np.array([[1.0, 0.0]])
    assert math.isnan(total(Loss(name), a, y))
    assert np.isnan(Loss(name).gradient(a, y)[0, 0])


def test_huber_does_not_square_a_large_distance() -> None:
    loss = Loss("huber", threshold=2.0)
    a, y = np.array([[1e200, -3.0, 0.5]]), np.zeros((1, 3))
    np.testing.assert_allclose(loss.terms(a, y)[0], [2e200, 2 * (3 - 1), 0.125], rtol=1e-15)
    np.testing.assert_allclose(loss.gradient(a, y)[0], [2.0, -2.0, 0.5], rtol=1e-15)


def test_hinge_counts_what_is_missing_to_the_margin() -> None:
    a, y = np.array([[2.0, 0.25, -0.5, 1.0, -3.0]]), np.array([[1.0, 1.0, 1.0, 1.0, -1.0]])
    assert Loss("hinge").terms(a, y).tolist() == [[0.0, 0.75, 1.5, 0.0, 0.0]]
    assert Loss("hinge").gradient(a, y).tolist() == [[0.0, -1.0, -1.0, 0.0, 0.0]]
    assert Loss("hinge").gradient(a, -y).tolist() == [[1.0, 1.0, 1.0, 1.0, -1.0]]


def test_the_absolute_error_has_no_slope_at_its_kink() -> None:
    assert Loss("absolute_error").gradient(np.array([[1.0, 2.0, 0.5]]), np.ones((1, 3))).tolist() == [
        [0, 1, -1]
    ]


def test_poisson_of_a_count_of_0_is_its_rate() -> None:
    rates, counts = np.array([[0.0, 3.0]]), np.zeros((1, 2))
    assert Loss("poisson").terms(rates, counts).tolist() == [[0.0, 3.0]]
    assert Loss("poisson").gradient(rates, counts).tolist() == [[1.0, 1.0]]


@pytest.mark.parametrize("name", LOSSES)
def test_the_domain_is_where_the_term_is_a_number(name: str) -> None:
    low, high = LOSSES[name].domain
    a = np.array([[-0.5, -1e-9, 1e-9, 0.5, 1 - 1e-9, 1 + 1e-9, 50.0]])
    y = np.full(a.shape, 1.0 if name == "hinge" else 0.5)
    with np.errstate(invalid="ignore"):
        terms = Loss(name).terms(a, y)
    np.testing.assert_array_equal(np.isfinite(terms), (a > low) & (a < high))


def test_which_targets_a_loss_takes() -> None:
    y = np.array([-1.0, 0.0, 0.3, 1.0, 4.0])
    for name, allowed in (
        ("squared_error", [1, 1, 1, 1, 1]),
        ("absolute_error", [1, 1, 1, 1, 1]),
        ("binary_cross_entropy", [0, 1, 1, 1, 0]),
        ("cross_entropy", [0, 1, 1, 1, 1]),
        ("hinge", [1, 0, 0, 1, 0]),
        ("poisson", [0, 1, 1, 1, 1]),
    ):
        assert Loss(name).targets.allowed(y).astype(int).tolist() == allowed, name


def test_what_is_right_about_a_prediction() -> None:
    yhat = np.array([[0.2, 0.7], [-0.1, 0.6]])
    for name, y, right in (
        ("cross_entropy", [[0, 1], [1, 0]], [True, False]),
        ("binary_cross_entropy", [[1, 1], [0, 0]], [[False, True], [True, False]]),
        ("hinge", [[1, 1], [-1, -1]], [[True, True], [True, False]]),
    ):
        assert Loss(name).targets.right(yhat, np.array(y)).tolist() == right, name
    assert Loss("hinge").targets.groups(np.array([[-1.0], [1.0]])).tolist() == [False, True]


def test_share_is_the_number_of_samples_of_a_mean() -> None:
    assert (Loss(samples="mean").share(8), Loss(samples="sum").share(8)) == (8, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "mse"}, "unknown loss 'mse'; choose one of squared_error, binary_cross_entropy"),
        ({"outputs": "max"}, "'squared_error': outputs must be 'sum' or 'mean', got 'max'"),
        ({"samples": "none"}, "samples must be 'sum' or 'mean', got 'none'"),
        ({"scale": 0.0}, "scale must be > 0, got 0.0"),
        ({"scale": math.nan}, "scale must be > 0, got nan"),
        ({"scale": math.inf}, "scale must be > 0, got inf"),
        ({"threshold": 1.0}, "'squared_error' has no threshold; leave it out"),
        ({"name": "huber", "threshold": -1.0}, "'huber': threshold must be > 0, got -1.0"),
    ],
)
def test_errors_name_what_was_expected(arguments: dict, message: str) -> None:
    with pytest.raises(SpecificationError, match=message):
        Loss(**arguments)


def test_a_target_at_the_boundary_is_not_the_upper_class() -> None:
    assert Loss("binary_cross_entropy").targets.groups(np.array([[0.5], [0.75]])).tolist() == [False, True]


def test_a_probability_is_at_most_1() -> None:
    y = np.array([1.0, 1.0 + 1e-15, 1.2])
    assert Loss("binary_cross_entropy").targets.allowed(y).tolist() == [True, False, False]


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("binary_cross_entropy", {"sigmoid", "softmax", "step", "hard_sigmoid"}),
        ("squared_error", set(ACTIVATIONS)),
        (
            "poisson",
            {"sigmoid", "softmax", "step", "hard_sigmoid", "relu", "relu6", "softplus", "exponential"},
        ),
    ],
)
def test_which_output_activations_a_loss_has_terms_for(name: str, taken: set[str]) -> None:
    assert {function for function in ACTIVATIONS if Loss(name).accepts(Activation(function))} == taken


@pytest.mark.parametrize("name", LOSSES)
def test_where_the_derivative_of_a_loss_divides_by_0(name: str) -> None:
    rule, loss = LOSSES[name], Loss(name)
    ends = [end for end in rule.domain if math.isfinite(end)]
    with np.errstate(divide="ignore"):
        infinite = [
            end
            for end in ends
            if any(np.isinf(loss.gradient(np.full((1, 1), end), np.full((1, 1), y))) for y in (0.5, 1))
        ]
    assert list(rule.infinite_at) == infinite


def test_only_the_cross_entropy_of_classes_has_targets_that_count_for_nothing() -> None:
    a = np.array([[0.1, 0.5, 0.9]])
    for name, rule in LOSSES.items():
        nothing = [y for y in (-1.0, 0.0, 1.0) if not np.any(Loss(name).terms(a, np.full_like(a, y)))]
        assert nothing == ([] if rule.vanishes_at is None else [rule.vanishes_at]), name


def test_huber_is_linear_from_1_on_unless_it_is_told_otherwise() -> None:
    a, y = np.array([[0.5, 1.0, 3.0]]), np.zeros((1, 3))
    assert Loss("huber").terms(a, y).tolist() == [[0.125, 0.5, 2.5]]
    assert Loss("huber", threshold=0.25).terms(a, y).tolist() == [[0.09375, 0.21875, 0.71875]]
    with pytest.raises(SpecificationError, match="threshold"):
        Loss("huber", threshold=0.0)


def test_two_labels_are_grouped_by_the_larger_and_one_by_its_boundary() -> None:
    pairs = np.array([[0.9, 0.2], [0.1, 0.7], [0.0, 0.0]])
    for name in ("binary_cross_entropy", "cross_entropy"):
        targets = Loss(name).targets
        assert np.asarray(targets.groups(pairs)).astype(int).tolist() == [0, 1, 0]
        assert targets.groups(np.array([[0.6], [0.5]])).tolist() == [True, False]


def test_a_target_at_the_boundary_counts_as_the_lower_class() -> None:
    yhat, y = np.array([[0.4, 0.5, 0.6]]), np.array([[0.5, 0.5, 0.5]])
    assert Loss("binary_cross_entropy").targets.right(yhat, y).tolist() == [[True, True, False]]
