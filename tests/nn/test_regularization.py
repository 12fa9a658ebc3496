"""Penalties in each published form; their gradients are judged in test_gradients."""

from __future__ import annotations

import math

import numpy as np
import pytest

from handgrad.errors import SpecificationError
from handgrad.nn.network import LayerParameters
from handgrad.nn.regularization import Regularization

PARAMETERS = (
    LayerParameters(np.array([[1.0, -2.0]]), np.array([100.0])),
    LayerParameters(np.array([[3.0], [0.0]]), np.array([100.0, 100.0])),
)  # sum of squares 14, of absolute values 6


@pytest.mark.parametrize(
    ("penalty", "expected", "gradient"),
    [
        (Regularization(l2=0.1), 0.7, [[0.1, -0.2]]),
        (Regularization(l2=0.1, form="half_mean"), 0.175, [[0.025, -0.05]]),
        (Regularization(l2=0.1, form="full"), 1.4, [[0.2, -0.4]]),
        (Regularization(l1=0.1), 0.6, [[0.1, -0.1]]),
        (Regularization(l2=0.1, l1=0.1), 1.3, [[0.2, -0.3]]),
        (Regularization(), 0.0, [[0.0, 0.0]]),
    ],
)
def test_weights_are_punished_and_biases_are_not(penalty, expected: float, gradient) -> None:
    assert float(penalty.penalty(PARAMETERS, samples=4)) == pytest.approx(expected, rel=1e-15)
    np.testing.assert_allclose(penalty.gradient(PARAMETERS[0].W, samples=4), gradient, rtol=1e-15)


def test_the_gradient_of_l1_at_zero_is_zero() -> None:
    assert Regularization(l1=0.5).gradient(PARAMETERS[1].W, samples=1).tolist() == [[0.5], [0.0]]


def test_no_strength_is_no_regularization() -> None:
    assert not Regularization(form="full")
    assert Regularization(l1=1e-9)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"l2": -0.1}, "l2 must be a finite number >= 0, got -0.1"),
        ({"l1": math.nan}, "l1 must be a finite number >= 0, got nan"),
        ({"l2": math.inf}, "l2 must be a finite number >= 0, got inf"),
        ({"form": "mean"}, "l2 form must be one of half, half_mean, full, got 'mean'"),
    ],
)
def test_errors_name_what_was_expected(arguments: dict, message: str) -> None:
    with pytest.raises(SpecificationError, match=message):
        Regularization(**arguments)


def test_one_weight_is_punished_too() -> None:
    lone = (LayerParameters(np.array([[-2.0]]), np.array([5.0])),)
    assert float(Regularization(l2=0.5, l1=0.25).penalty(lone, samples=1)) == 0.5 * 0.5 * 4 + 0.25 * 2
