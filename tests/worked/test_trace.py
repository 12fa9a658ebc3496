"""A step as it is watched: what is kept, what is given or rounded, and how far it goes with what there is."""

from __future__ import annotations

import numpy as np
import pytest

import handgrad as hg
from handgrad.errors import CaseError
from handgrad.nn.arrays import Array
from handgrad.nn.network import LayerParameters
from handgrad.nn.optimizers import SGD, OptimizerState, initial_state
from handgrad.nn.step import Recipe, Training
from handgrad.worked.rounding import Rounding
from handgrad.worked.trace import Recorder, Trace, flat_weights, trace_step

NETWORK = hg.Network(2, [hg.Dense(2, "tanh"), hg.Dense(1, "sigmoid", bias="none")], "squared_error")
W1, W2 = np.array([[0.5, -0.25], [0.75, 1.5]]), np.array([[1.0, -0.5]])
PARAMETERS = (LayerParameters(W1, np.array([0.1, -0.2])), LayerParameters(W2, np.zeros(1)))
X, Y = np.array([[0.5, -1.5], [1.0, 0.25], [0.0, 2.0]]), np.array([[1.0], [0.0], [0.5]])
RECIPE = Recipe(SGD(0.1))

FORWARD = {"x", "W1", "b1", "W2", "z1", "a1", "z2", "a2", "yhat"}
LOSS = {"y", "loss_terms", "data_loss", "penalty", "loss"}
BACK = {"dyhat", "delta2", "dW2", "db2", "da1", "delta1", "dW1", "db1", "derivative1", "derivative2"}


def traced(X: Array | None = X, Y: Array | None = Y, recipe: Recipe | None = RECIPE, **more: object) -> Trace:
    state = OptimizerState() if recipe is None else initial_state(recipe.optimizer, PARAMETERS)
    return trace_step(NETWORK, recipe, Training(PARAMETERS, state), X, Y, 3, 0.1, **more)  # type: ignore[arg-type]


def test_a_step_keeps_every_quantity_and_where_it_ended():
    trace = traced(rows=(4, 5, 6))
    assert FORWARD | LOSS | {"W1_new", "b1_new", "W2_new"} | (BACK - {"db2"}) <= set(trace.quantities)
    assert (trace.number, trace.learning_rate, trace.samples, trace.rows, trace.updated) == (
        3,
        0.1,
        3,
        (4, 5, 6),
        True,
    )
    np.testing.assert_array_equal(trace.after.parameters[0].W, trace.quantities["W1_new"])
    assert trace.before.parameters is PARAMETERS
    assert trace.given == frozenset()
    a = np.tanh(X @ W1.T + PARAMETERS[0].b)
    np.testing.assert_allclose(trace.quantities["derivative1"], 1 - a**2, rtol=1e-14)


def test_without_a_recipe_nothing_moves_and_without_targets_nothing_goes_back():
    still = traced(recipe=None)
    assert still.after is still.before and not still.updated
    assert "dW1" in still.quantities and "W1_new" not in still.quantities
    forward = traced(Y=None)
    assert set(forward.quantities) == FORWARD
    assert not forward.updated


def test_without_inputs_and_without_given_quantities_there_are_the_parameters():
    nothing = traced(X=None, Y=None)
    assert set(nothing.quantities) == {"W1", "b1", "W2"}
    assert nothing.samples == 1
    assert not nothing.updated


def test_outputs_that_were_given_have_a_loss_and_its_derivative_alone():
    for name in ("yhat", "a2"):
        trace = traced(X=None, given={name: np.array([[0.25], [0.5], [0.75]])})
        assert set(trace.quantities) == {"y", "yhat", "a2", "dyhat"} | LOSS
        assert trace.samples == 3
        np.testing.assert_allclose(
            trace.quantities["dyhat"], 2 * (np.array([[0.25], [0.5], [0.75]]) - Y), rtol=1e-15
        )
        assert float(trace.quantities["penalty"]) == 0.0
    without = traced(X=None, Y=None, given={"yhat": np.array([[0.25]])})
    assert set(without.quantities) == {"yhat", "a2"}


def test_an_error_that_was_given_goes_back_without_targets():
    trace = traced(Y=None, given={"delta2": np.array([[1.0], [2.0], [3.0]])})
    np.testing.assert_array_equal(trace.quantities["delta2"], [[1.0], [2.0], [3.0]])
    assert trace.updated and "y" not in trace.quantities
    assert traced(Y=None, given={"dyhat": np.array([[1.0], [2.0], [3.0]])}).updated
    given = {"dW1": np.ones((2, 2)), "db1": np.ones(2), "dW2": np.ones((1, 2))}
    assert traced(Y=None, given=given).updated
    assert not traced(Y=None, given={"z1": np.ones((3, 2))}).updated


def test_gradients_that_were_given_are_all_there_or_named():
    given = {"dW1": np.ones((2, 2)), "db1": np.full(2, 2.0), "dW2": np.full((1, 2), 3.0)}
    trace = traced(X=None, Y=None, given=given)
    np.testing.assert_allclose(trace.quantities["W1_new"], W1 - 0.1)
    np.testing.assert_allclose(trace.quantities["b1_new"], PARAMETERS[0].b - 0.2)
    np.testing.assert_allclose(trace.quantities["W2_new"], W2 - 0.3)
    assert trace.given == set(given)
    with pytest.raises(CaseError, match=r"db1 is missing.*layer 1"):
        traced(X=None, Y=None, given={"dW1": np.ones((2, 2)), "dW2": np.ones((1, 2))})


def test_samples_count_by_their_weights():
    weights = np.array([0.5, 1.0, 2.0])
    trace = traced(weights=weights)
    assert trace.quantities["omega"].tolist() == [[0.5], [1.0], [2.0]]
    assert flat_weights(trace.quantities).tolist() == weights.tolist()
    terms = (trace.quantities["yhat"] - Y)[:, 0] ** 2
    assert float(trace.quantities["loss"]) == pytest.approx((weights * terms).mean(), rel=1e-14)
    assert flat_weights(traced().quantities) is None
    assert "omega" not in traced(Y=None, weights=weights).quantities


def test_a_recorder_puts_given_values_in_place_and_rounds_the_others():
    see = Recorder({"z1": np.array([[2.0]])}, Rounding(1, carry=True, quantities=(("a1", 2),)))
    assert see("z1", np.zeros((2, 1), np.float32)).tolist() == [[2.0], [2.0]]
    assert see.quantities["z1"].dtype == np.float32
    assert see("a1", np.array([0.125])).tolist() == [0.13]
    assert see("z2", np.array([0.25])).tolist() == [0.3]
    assert see("mask1", np.array([0.25])).tolist() == [0.25]
    assert see.given("z1") and not see.given("a1")
    assert see.complete and see.within("W1").complete
    see.within("W1")("m", np.array([0.55]))
    assert see.quantities["W1_m"].tolist() == [0.6]
    plain = Recorder(None, Rounding(1))
    assert plain("a1", np.array([0.125])).tolist() == [0.125]
    by_name = Recorder(None, Rounding(0, carry=True))
    assert by_name("a1", np.array([0.5])).tolist() == [1.0]


def test_a_saturated_output_warns_nobody():
    network = hg.Network(1, [hg.Dense(1, "sigmoid")], "binary_cross_entropy")
    parameters = (LayerParameters(np.array([[900.0]]), np.zeros(1)),)
    training = Training(parameters, OptimizerState())
    trace = trace_step(network, None, training, np.array([[1.0]]), np.array([[0.0]]), 1, 0.1)
    assert np.isinf(trace.quantities["dyhat"]).all()
    assert trace.samples == 1
