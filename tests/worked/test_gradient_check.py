"""Which entries are probed, and that a central difference is what it says."""

from __future__ import annotations

import numpy as np
import pytest

import handgrad as hg
from handgrad.nn.forward import dropout_masks
from handgrad.worked.gradient_check import central_differences, relative_error

RNG = np.random.default_rng(5)


def checks(network: hg.Network, samples: int = 3, regularization=None, masks=None):
    X = RNG.normal(size=(samples, network.inputs))
    Y = RNG.normal(size=(samples, network.outputs))
    parameters = network.initial_parameters(2)
    found = central_differences(network, parameters, X, Y, regularization or hg.Regularization(), masks)
    return {check.quantity: check for check in found}, parameters, X, Y


def test_every_entry_of_400_is_probed():
    found, *_ = checks(hg.Network(20, [hg.Dense(20, "tanh"), hg.Dense(1)], "squared_error"))
    assert not np.isnan(found["dW1"].numeric).any()


def test_of_more_64_are_probed_from_the_first_to_the_last_evenly():
    for shape in ((401, 1), (83, 7)):
        inputs, units = shape
        found, *_ = checks(hg.Network(inputs, [hg.Dense(units)], "squared_error"))
        probed = np.flatnonzero(~np.isnan(found["dW1"].numeric))
        assert len(probed) == 64
        assert (probed[0], probed[-1]) == (0, inputs * units - 1)
        gaps = np.diff(probed)
        assert gaps.max() - gaps.min() <= 1
        assert not np.isnan(found["db1"].numeric).any()


def test_a_difference_is_that_of_the_loss_written_out():
    """dloss/dW by hand for mean over samples of (a - y)^2, with lambda/2 |W|^2: 2/m sum (a - y) x + lambda W."""
    found, parameters, X, Y = checks(
        hg.Network(3, [hg.Dense(2)], "squared_error"), 4, hg.Regularization(l2=0.3)
    )
    W, b = parameters[0]
    error = X @ W.T + b - Y
    np.testing.assert_allclose(found["dW1"].numeric, 2 / 4 * error.T @ X + 0.3 * W, rtol=1e-8)
    np.testing.assert_allclose(found["db1"].numeric, 2 / 4 * error.sum(axis=0), rtol=1e-8)
    for check in found.values():
        assert check.largest_relative_error == relative_error(check.analytic, check.numeric) < 1e-8


def test_a_shared_bias_moves_as_one_and_no_bias_is_not_probed():
    network = hg.Network(2, [hg.Dense(3, "tanh", bias="shared"), hg.Dense(1, bias="none")], "squared_error")
    found, *_ = checks(network)
    assert list(found) == ["dW1", "db1", "dW2"]
    np.testing.assert_allclose(found["db1"].numeric, found["db1"].analytic, rtol=1e-7)
    assert np.ptp(found["db1"].numeric) == 0


def test_masks_of_dropout_hold_still_while_parameters_move():
    network = hg.Network(2, [hg.Dense(8, "tanh", dropout=0.5), hg.Dense(1)], "squared_error")
    found, *_ = checks(network, masks=dropout_masks(network, 0, 1, 3))
    for check in found.values():
        np.testing.assert_allclose(check.numeric, check.analytic, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(
    ("analytic", "numeric", "error"),
    [
        ([1.0, 2.0], [1.0, 2.5], 0.2),  # by the largest of both
        ([4.0, 2.0], [4.0, 2.5], 0.125),
        ([-4.0, 1.0], [-4.0, 2.0], 0.25),
        ([1.0, 9.0], [1.5, np.nan], 1 / 3),  # what was not probed counts neither as error nor as size
        ([0.0], [1e-10], 0.01),  # never by less than 1e-8
        ([3.0], [np.nan], 0.0),
    ],
)
def test_the_relative_error(analytic, numeric, error):
    assert relative_error(np.array(analytic), np.array(numeric)) == pytest.approx(error, rel=1e-12)
