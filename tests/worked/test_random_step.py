"""Steps at random numbers: targets that their loss takes, biases and states of their kind, always the same."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import handgrad as hg
from handgrad.nn.arrays import Array
from handgrad.nn.losses import LOSSES
from handgrad.nn.optimizers import OPTIMIZERS, Adam
from handgrad.nn.regularization import Regularization
from handgrad.nn.step import Recipe
from handgrad.worked.derive.formulas import MOST_WIDE, formula_sheet
from handgrad.worked.derive.random_step import STEP, random_step
from handgrad.worked.record import Options
from handgrad.worked.trace import Trace

TARGETS: dict[str, Callable[[Array], bool]] = {
    "squared_error": lambda y: len(np.unique(y)) == y.size,
    "binary_cross_entropy": lambda y: set(np.unique(y)) == {0.0, 1.0},
    "cross_entropy": lambda y: bool(np.all(y.sum(axis=1) == 1)) and set(np.unique(y)) == {0.0, 1.0},
    "huber": lambda y: len(np.unique(y)) == y.size,
    "absolute_error": lambda y: len(np.unique(y)) == y.size,
    "hinge": lambda y: set(np.unique(y)) == {-1.0, 1.0},
    "poisson": lambda y: bool(np.all((y >= 0) & (y == np.round(y)))) and y.max() > 1,
}


def drawn(loss: str | None, samples: int = 8, bias: str = "trained", weighted: bool = False) -> Trace:
    layers = [
        hg.Dense(3, "tanh", bias=bias),
        hg.Dense(3, "softmax" if loss == "cross_entropy" else "sigmoid"),
    ]
    return random_step(hg.Network(2, layers, loss), Recipe(Adam(0.5)), Regularization(), samples, weighted)


@pytest.mark.parametrize("loss", LOSSES)
def test_targets_are_what_their_loss_takes(loss: str):
    y = drawn(loss).quantities["y"]
    assert y.shape == (8, 3)
    assert TARGETS[loss](y)


@pytest.mark.parametrize("bias", ["trained", "shared", "none", "frozen"])
def test_a_bias_is_of_its_kind(bias: str):
    b = drawn("squared_error", bias=bias).before.parameters[0].b
    assert len(np.unique(b)) == {"trained": 3, "frozen": 3, "shared": 1, "none": 1}[bias]
    assert (np.all(b == 0)) == (bias == "none")


def test_it_is_not_the_first_step_and_its_state_is_not_0():
    trace = drawn("squared_error")
    assert trace.number == STEP > 1
    assert trace.learning_rate == 0.5
    states = [array for of_layer in trace.before.state for slots in of_layer for array in slots]
    assert len(states) == 8
    assert all(np.all((array > 0) & (array < 1)) for array in states)
    np.testing.assert_array_equal(trace.quantities["x"], drawn("squared_error").quantities["x"])


def test_weights_are_around_1_where_samples_have_some():
    omega = drawn("squared_error", weighted=True).quantities["omega"]
    assert np.all((omega >= 0.5) & (omega <= 1.5)) and len(np.unique(omega)) == 8
    assert "omega" not in drawn("squared_error").quantities


def test_without_a_loss_it_goes_forward_only_and_without_a_recipe_at_a_rate_of_a_tenth():
    assert "y" not in drawn(None).quantities
    network = hg.Network(2, [hg.Dense(1)], "squared_error")
    trace = random_step(network, None, Regularization(), 1)
    assert (trace.learning_rate, trace.updated) == (0.1, False)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_takes_such_a_step(optimizer: str):
    network = hg.Network(2, [hg.Dense(1)], "squared_error")
    trace = random_step(network, Recipe(OPTIMIZERS[optimizer]()), Regularization(), 2)
    assert np.isfinite(trace.quantities["W1_new"]).all()


def test_a_wide_network_is_proved_with_layers_cut_to_64_but_for_its_outputs():
    network = hg.Network(80, [hg.Dense(70, "tanh"), hg.Dense(66, "sigmoid")], "squared_error")
    proof = formula_sheet(network, None, Regularization(), 1, Options()).proofs[0]
    assert MOST_WIDE == 64
    assert proof.quantities["W1"].shape == (64, 64)
    assert proof.quantities["W2"].shape == (66, 64)
    narrow = hg.Network(3, [hg.Dense(5, "tanh"), hg.Dense(2, "sigmoid")], "squared_error")
    assert formula_sheet(narrow, None, Regularization(), 1, Options()).proofs[0].quantities["W1"].shape == (
        5,
        3,
    )
