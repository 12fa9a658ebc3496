"""Initializers: the moments of what is drawn, and that a seed draws it again."""

from __future__ import annotations

import math

import numpy as np
import pytest

from handgrad.errors import SpecificationError
from handgrad.nn.initializers import INITIALIZERS, Initializer
from handgrad.nn.network import Dense, Network

UNITS, INPUTS = 300, 500


@pytest.mark.parametrize(
    ("initializer", "distribution", "variance"),
    [
        (Initializer("uniform"), "uniform", 1 / 3),
        (Initializer("uniform", scale=0.05), "uniform", 0.05**2 / 3),
        (Initializer("normal"), "normal", 0.01**2),
        (Initializer("normal", scale=2.0), "normal", 4.0),
        (Initializer("glorot"), "uniform", 2 / (UNITS + INPUTS)),
        (Initializer("glorot", "normal"), "normal", 2 / (UNITS + INPUTS)),
        (Initializer("he"), "normal", 2 / INPUTS),
        (Initializer("he", "uniform"), "uniform", 2 / INPUTS),
        (Initializer("lecun"), "normal", 1 / INPUTS),
        (Initializer("lecun", scale=4.0), "normal", 4 / INPUTS),
    ],
)
def test_moments(initializer: Initializer, distribution: str, variance: float) -> None:
    W = initializer.draw(np.random.default_rng(0), UNITS, INPUTS) / math.sqrt(variance)
    deviation = 1 / math.sqrt(W.size)  # of the mean of W.size draws with variance 1
    assert abs(W.mean()) < 4 * deviation
    assert W.var() == pytest.approx(1.0, abs=4 * 1.5 * deviation)
    kurtosis = {"uniform": 1.8, "normal": 3.0}[distribution]
    assert (W**4).mean() == pytest.approx(kurtosis, abs=0.1)
    if distribution == "uniform":
        assert math.sqrt(3) * 0.999 < abs(W).max() <= math.sqrt(3)


def test_zeros() -> None:
    assert not Initializer("zeros").draw(np.random.default_rng(0), 3, 2).any()


def drawn(seed: int, dtype=np.float64):
    layers = [Dense(4, "relu"), Dense(3, "tanh"), Dense(2, initializer="lecun")]
    return Network(5, layers).initial_parameters(seed, dtype)


def test_a_seed_draws_the_same_again_in_both_precisions() -> None:
    for again, double, single in zip(drawn(7), drawn(7), drawn(7, np.float32), strict=True):
        np.testing.assert_array_equal(again.W, double.W)
        assert single.W.dtype == single.b.dtype == np.float32
        np.testing.assert_array_equal(single.W, double.W.astype(np.float32))
        assert not double.b.any()
    assert not np.array_equal(drawn(7)[0].W, drawn(8)[0].W)


def test_a_given_layer_leaves_the_others_their_draws() -> None:
    W = np.arange(4.0).reshape(2, 2)
    free = Network(2, [Dense(2), Dense(3)]).initial_parameters(0)
    given = Network(2, [Dense(2), Dense(3, W=np.ones((3, 2)), b=[1, 2, 3])]).initial_parameters(0)
    np.testing.assert_array_equal(given[0].W, free[0].W)
    assert given[1].W.tolist() == [[1, 1]] * 3
    assert given[1].b.tolist() == [1, 2, 3]
    assert Network(2, [Dense(2, W=W)]).initial_parameters(0)[0].W.tolist() == W.tolist()


@pytest.mark.parametrize(
    ("activation", "initializer"),
    [("relu", "he"), ("leaky_relu", "he"), ("gelu", "he"), ("sigmoid", "glorot"), ("softmax", "glorot")],
)
def test_the_activation_chooses_where_nobody_does(activation: str, initializer: str) -> None:
    assert Dense(1, activation).initializer == Initializer(initializer)


def test_every_initializer_keeps_its_shape() -> None:
    for name in INITIALIZERS:
        assert Initializer(name).draw(np.random.default_rng(0), 2, 7).shape == (2, 7)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("xavier",),
            "unknown initializer 'xavier'; choose one of zeros, uniform, normal, glorot, he, lecun",
        ),
        (("he", "cauchy"), "'he': distribution must be 'uniform' or 'normal', got 'cauchy'"),
        (("he", None, 0.0), "'he': scale must be > 0, got 0.0"),
        (("he", None, math.nan), "scale must be > 0, got nan"),
    ],
)
def test_errors_name_what_was_expected(arguments: tuple, message: str) -> None:
    with pytest.raises(SpecificationError, match=message):
        Initializer(*arguments)


def test_a_negative_seed_is_an_error_of_ours() -> None:
    with pytest.raises(SpecificationError, match="a seed is a whole number >= 0, got -1"):
        drawn(-1)


def test_zeros_draw_nothing_so_that_the_next_layer_is_as_without_them() -> None:
    generator, untouched = np.random.default_rng(4), np.random.default_rng(4)
    assert not Initializer("zeros").draw(generator, 3, 2).any()
    assert generator.random() == untouched.random()


def test_a_scale_below_one_and_of_one() -> None:
    for scale in (0.25, 1.0):
        drawn = Initializer("uniform", scale=scale).draw(np.random.default_rng(0), 200, 50)
        assert 0.99 * scale < np.abs(drawn).max() <= scale
        drawn = Initializer("normal", scale=scale).draw(np.random.default_rng(0), 200, 50)
        assert drawn.std() == pytest.approx(scale, rel=0.03)


def test_the_largest_scale_is_still_one() -> None:
    assert Initializer("normal", scale=1e100).scale == 1e100
    with pytest.raises(SpecificationError, match=r"scale must be at most 1e\+100"):
        Initializer("normal", scale=1.01e100)
