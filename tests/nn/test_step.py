"""The training step as a whole: shapes, names, precision, what is given or rounded, what is not a number."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handgrad.errors import SpecificationError
from handgrad.nn.activations import ACTIVATIONS
from handgrad.nn.arrays import Array
from handgrad.nn.backward import backward, batch_loss, output_delta
from handgrad.nn.clipping import Clipping
from handgrad.nn.dropout import Dropout
from handgrad.nn.forward import dropout_masks, forward, predict
from handgrad.nn.losses import Loss
from handgrad.nn.network import Dense, LayerParameters, Network
from handgrad.nn.observe import Observer
from handgrad.nn.optimizers import OPTIMIZERS, SGD, Adam, initial_state
from handgrad.nn.regularization import Regularization
from handgrad.nn.step import Recipe, Training, training_step
from tests.strategies import (
    LOSS_AND_OUTPUT,
    Problem,
    Watcher,
    problem,
    problems,
    random_parameters,
    targets,
)


def gradients(case: Problem, rows=slice(None)):
    activity = forward(case.network, case.parameters, case.X[rows])
    return backward(case.network, case.parameters, activity, case.Y[rows])


# --- properties -------------------------------------------------------------------------------------------


@given(problems())
def test_every_quantity_has_the_shape_of_its_definition(case: Problem) -> None:
    optimizer, watcher = Adam(), Watcher()
    training = Training(case.parameters, initial_state(optimizer, case.parameters))
    recipe = Recipe(optimizer, Regularization(l2=0.1), Clipping(norm=1.0))
    training_step(case.network, recipe, training, case.X, case.Y, 1, 0.01, None, watcher)
    m, sizes = len(case.X), case.network.sizes
    for l, layer in case.network.numbered():
        for name in (f"z{l}", f"a{l}", f"delta{l}"):
            assert watcher.seen[name].shape == (m, sizes[l]), name
        for name in (f"dW{l}", f"dW{l}_penalty", f"dW{l}_clipped", f"W{l}_m", f"W{l}_v_hat", f"W{l}_new"):
            assert watcher.seen[name].shape == (sizes[l], sizes[l - 1]), name
        assert (f"db{l}" in watcher.seen) == (layer.bias != "none")
        assert (f"b{l}_new" in watcher.seen) == (layer.bias != "none")
        if l < case.network.depth:
            assert watcher.seen[f"da{l}"].shape == (m, sizes[l])
    assert watcher.seen["yhat"].shape == watcher.seen["dyhat"].shape == case.Y.shape
    assert np.ndim(watcher.seen["loss"]) == 0
    assert watcher.seen["loss"] == watcher.seen["data_loss"] + watcher.seen["penalty"]


@given(problems())
def test_the_gradient_of_a_batch_is_made_of_those_of_its_samples(case: Problem) -> None:
    singles = [gradients(case, slice(k, k + 1)) for k in range(len(case.X))]
    share = len(case.X) if case.network.loss.samples == "mean" else 1
    for l, layer in enumerate(gradients(case)):
        for kind, whole in enumerate(layer):
            added = sum(single[l][kind] for single in singles) / share
            np.testing.assert_allclose(whole, added, rtol=1e-9, atol=1e-12)


@given(problems(), st.randoms(use_true_random=False))
def test_the_order_of_the_samples_does_not_matter(case: Problem, random) -> None:
    order = list(range(len(case.X)))
    random.shuffle(order)
    for straight, shuffled in zip(gradients(case), gradients(case, order), strict=True):
        np.testing.assert_allclose(straight.W, shuffled.W, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(straight.b, shuffled.b, rtol=1e-9, atol=1e-12)


@given(problems())
def test_the_loss_from_z_is_the_loss_from_the_outputs(case: Problem) -> None:
    loss, function = case.network.loss, case.network.layers[-1].function
    activity = forward(case.network, case.parameters, case.X)
    z, a = activity.Z[-1], activity.yhat
    np.testing.assert_allclose(
        loss.terms(a, case.Y, z, function.name), loss.terms(a, case.Y), rtol=1e-8, atol=1e-12
    )


@given(problems())
def test_the_units_of_a_hidden_layer_can_be_renamed(case: Problem) -> None:
    if case.network.depth < 2:
        return
    order = np.random.default_rng(0).permutation(case.network.sizes[1])
    first, second, *rest = case.parameters
    renamed = (
        LayerParameters(first.W[order], first.b[order]),
        LayerParameters(second.W[:, order], second.b),
        *rest,
    )
    np.testing.assert_allclose(
        predict(case.network, renamed, case.X), predict(case.network, case.parameters, case.X), rtol=1e-10
    )


# --- precision --------------------------------------------------------------------------------------------


def full_recipe(name: str) -> Recipe:
    return Recipe(OPTIMIZERS[name](), Regularization(0.1, 0.1, "half_mean"), Clipping(value=0.5, norm=0.5))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize(("loss", "output"), LOSS_AND_OUTPUT)
def test_the_precision_of_the_parameters_is_that_of_everything(loss, output, optimizer, dtype) -> None:
    hidden = [Dense(2, name, bias="shared", dropout=0.1) for name in ACTIVATIONS]
    network = Network(2, [*hidden, Dense(2, output)], Loss(loss, 0.5, "mean", "mean"))
    parameters = network.initial_parameters(3, dtype)
    recipe = full_recipe(optimizer)
    training = Training(parameters, initial_state(recipe.optimizer, parameters))
    X = np.ones((2, 2), dtype)
    Y = targets(loss, np.full((2, 2), 0.5), np.random.default_rng(0)).astype(dtype)
    for t in (1, 2):
        watcher = Watcher()
        masks = dropout_masks(network, 0, t, 2)
        stepped = training_step(network, recipe, training, X, Y, t, 0.01, masks, watcher)
        training = stepped.training
        wrong = {name: value.dtype for name, value in watcher.seen.items() if value.dtype != dtype}
        assert not wrong
        arrays = [a for layer in training.parameters for a in layer]
        arrays += [a for layer in training.state for state in layer for a in state]
        assert {a.dtype for a in arrays} == {np.dtype(dtype)}


@pytest.mark.parametrize(("loss", "output"), LOSS_AND_OUTPUT)
def test_single_precision_agrees_with_double(loss: str, output: str) -> None:
    case = problem("tanh", output, Loss(loss), 3, 4)
    single = Problem(
        case.network,
        tuple(LayerParameters(W.astype(np.float32), b.astype(np.float32)) for W, b in case.parameters),
        case.X.astype(np.float32),
        case.Y.astype(np.float32),
    )
    for double, narrow in zip(gradients(case), gradients(single), strict=True):
        np.testing.assert_allclose(narrow.W, double.W, rtol=1e-4, atol=1e-5)


# --- what is not a number ---------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["x", "W", "b", "y"])
@pytest.mark.parametrize(("loss", "output"), LOSS_AND_OUTPUT)
@pytest.mark.parametrize("hidden", ACTIVATIONS)
def test_a_nan_reaches_the_loss(hidden: str, loss: str, output: str, place: str) -> None:
    network = Network(2, [Dense(2, hidden), Dense(2, output)], Loss(loss))
    parameters = random_parameters(network, np.random.default_rng(0))
    X, Y = np.ones((3, 2)), np.eye(2)[[0, 1, 0]]
    {"x": X, "W": parameters[0].W, "b": parameters[0].b, "y": Y}[place][0] = np.nan
    activity = forward(network, parameters, X)
    assert np.isnan(batch_loss(network, parameters, activity, Y))


# --- what an observer gives or rounds ---------------------------------------------------------------------


class Giver(Watcher):
    """Puts the values given by hand in place of the computed ones."""

    def __init__(self, values: dict[str, Array]) -> None:
        super().__init__()
        self.values = values

    def __call__(self, name: str, value: Array) -> Array:
        return super().__call__(name, self.values.get(self.prefix + name, value))

    def given(self, name: str) -> bool:
        return self.prefix + name in self.values


def step_with(observer: Observer, network: Network, X: Array, Y: Array) -> None:
    parameters = network.initial_parameters()
    training = Training(parameters, initial_state(SGD(), parameters))
    training_step(network, Recipe(SGD(0.1)), training, X, Y, 1, 0.1, None, observer)


SMALL = Network(
    1,
    [Dense(1, "sigmoid", W=[[2.0]], b=[0.0]), Dense(1, "sigmoid", W=[[3.0]], b=[0.0])],
    "binary_cross_entropy",
)
ONE = np.array([[1.0]])


def test_a_given_output_of_a_layer_is_used_from_there_on() -> None:
    giver = Giver({"a1": np.array([[0.5]])})
    step_with(giver, SMALL, ONE, ONE)
    yhat = 1 / (1 + np.exp(-1.5))
    assert giver.seen["z2"] == pytest.approx(1.5)
    assert giver.seen["dW2"] == pytest.approx((yhat - 1) * 0.5)
    # the derivative of the sigmoid is a (1 - a) with the given a
    assert giver.seen["delta1"] == pytest.approx((yhat - 1) * 3 * 0.25)


def test_a_given_prediction_decides_the_loss() -> None:
    giver = Giver({"yhat": np.array([[0.25]])})
    step_with(giver, SMALL, ONE, ONE)
    assert float(giver.seen["loss"]) == pytest.approx(np.log(4), rel=1e-15)
    assert giver.seen["delta2"] == pytest.approx(-0.75, rel=1e-15)


def test_a_given_first_factor_needs_no_loss() -> None:
    network = Network(1, [Dense(1, "sigmoid", W=[[2.0]], b=[0.0])])
    giver = Giver({"dyhat": np.array([[1.0]])})
    parameters = network.initial_parameters()
    activity = forward(network, parameters, ONE, None, giver)
    (layer,) = backward(network, parameters, activity, None, None, giver)
    a = 1 / (1 + np.exp(-2.0))
    np.testing.assert_allclose(layer.W, [[a * (1 - a)]], rtol=1e-15)


def test_a_given_first_factor_takes_the_place_of_the_closed_delta() -> None:
    giver = Giver({"dyhat": np.array([[2.0]])})
    step_with(giver, SMALL, ONE, ONE)
    a = giver.seen["yhat"]
    assert giver.seen["delta2"] == pytest.approx(2 * a * (1 - a))


def test_given_gradients_are_what_is_applied() -> None:
    giver = Giver({"dW1": np.array([[7.0]]), "db1": np.array([-7.0])})
    step_with(giver, SMALL, ONE, ONE)
    assert giver.seen["W1_new"] == pytest.approx(2.0 - 0.7)
    assert giver.seen["b1_new"] == pytest.approx(0.7)


class Rounder(Watcher):
    """Paper arithmetic: two decimals, carried."""

    rounds = True

    def __call__(self, name: str, value: Array) -> Array:
        return super().__call__(name, np.round(value, 2))


def test_carried_rounding_is_used_again() -> None:
    rounder = Rounder()
    step_with(rounder, SMALL, ONE, ONE)
    seen = {name: float(np.squeeze(value)) for name, value in rounder.seen.items()}
    # sigmoid(2) = 0.8808, 3 * 0.88 = 2.64, sigmoid(2.64) = 0.9334, -ln 0.93 = 0.0726, 0.93 - 1, -0.07 * 0.88
    assert (seen["a1"], seen["z2"], seen["yhat"], seen["loss"]) == (0.88, 2.64, 0.93, 0.07)
    assert (seen["delta2"], seen["dW2"], seen["da1"]) == (-0.07, -0.06, -0.21)
    assert seen["W2_new"] == 3.01  # 3 + 0.1 * 0.06


def test_carried_rounding_takes_the_loss_from_the_rounded_output() -> None:
    rounder = Rounder()
    step_with(rounder, SMALL, ONE, 0 * ONE)
    assert float(rounder.seen["loss"]) == 2.66  # -ln(1 - 0.93); from z = 2.64 it would be 2.71


def test_a_complete_observer_changes_no_number() -> None:
    case = problem("tanh", "softmax", Loss("cross_entropy"), 3, 4)
    watcher = Watcher()
    activity = forward(case.network, case.parameters, case.X, None, watcher)
    watched = backward(case.network, case.parameters, activity, case.Y, None, watcher)
    for plain, seen in zip(gradients(case), watched, strict=True):
        np.testing.assert_array_equal(plain.W, seen.W)
    assert "dyhat" in watcher.seen


def test_dropout_shows_the_layer_before_and_after_its_mask() -> None:
    network = Network(
        1,
        [Dense(2, "identity", W=[[1.0], [2.0]], dropout=Dropout(0.5, ((1, 0),))), Dense(1, W=[[1.0, 1.0]])],
        Loss("squared_error", 0.5),
    )
    parameters, watcher = network.initial_parameters(), Watcher()
    activity = forward(network, parameters, ONE, dropout_masks(network, 0, 1, 1), watcher)
    backward(network, parameters, activity, np.array([[0.0]]), None, watcher)
    shown = {name: watcher.seen[name].tolist() for name in ("f1", "mask1", "a1", "da1", "df1", "delta1")}
    assert shown == {
        "f1": [[1, 2]],
        "mask1": [[1, 0]],
        "a1": [[2, 0]],
        "da1": [[2, 2]],
        "df1": [[4, 0]],
        "delta1": [[4, 0]],
    }


def test_a_loss_is_needed_where_one_is_asked_for() -> None:
    network = Network(1, [Dense(1)])
    parameters = network.initial_parameters()
    with pytest.raises(SpecificationError, match="the network has no loss; name one"):
        batch_loss(network, parameters, forward(network, parameters, ONE), ONE)


def test_the_names_that_are_shown_are_those_of_the_notation_and_no_others() -> None:
    network = Network(1, [Dense(2, "tanh"), Dense(1, "sigmoid", bias="none")], Loss("binary_cross_entropy"))
    training = Training(network.initial_parameters(), initial_state(SGD(), network.initial_parameters()))
    watcher = Watcher()
    training_step(network, Recipe(SGD()), training, ONE, 0 * ONE, 1, 0.1, None, watcher)
    assert set(watcher.seen) == {
        "z1", "a1", "z2", "a2", "yhat", "loss_terms", "data_loss", "loss",
        "dyhat", "delta2", "dW2", "da1", "delta1", "dW1", "db1", "W1_new", "b1_new", "W2_new",
    }  # fmt: skip


def test_dyhat_that_is_given_needs_no_targets() -> None:
    class Given(Watcher):
        def __call__(self, name, value):
            return np.array([[3.0]]) if name == "dyhat" else super().__call__(name, value)

        def given(self, name: str) -> bool:
            return name == "dyhat"

    network = Network(1, [Dense(1, "tanh", W=[[0.5]])], Loss("squared_error"))
    activity = forward(network, network.initial_parameters(), ONE)
    delta = output_delta(network, activity, None, Given())
    np.testing.assert_allclose(delta, 3.0 * (1 - np.tanh(0.5 * ONE) ** 2), rtol=1e-15)


def test_a_saturated_output_has_a_finite_loss_unless_somebody_rounds_on_the_way() -> None:
    network = Network(1, [Dense(1, "sigmoid", W=[[1.0]], b=[0.0])], "binary_cross_entropy")
    X, Y = np.array([[800.0]]), np.array([[0.0]])
    parameters = network.initial_parameters()
    activity = forward(network, parameters, X)

    class Rounds(Observer):
        rounds = True

    assert float(batch_loss(network, parameters, activity, Y)) == 800.0
    with np.errstate(divide="ignore"):
        assert np.isinf(batch_loss(network, parameters, activity, Y, observe=Rounds()))


def test_what_a_training_does_not_need_is_not_computed() -> None:
    seen: list[str] = []

    class Names(Observer):
        def __call__(self, name: str, value: Array) -> Array:
            seen.append(name)
            return value

    network = Network(1, [Dense(1, "sigmoid", W=[[1.0]], b=[0.0])], "binary_cross_entropy")
    X, Y = np.array([[0.5]]), np.array([[1.0]])
    activity = forward(network, network.initial_parameters(), X)
    output_delta(network, activity, Y, Names())
    assert seen == []
    Names.complete = True
    output_delta(network, activity, Y, Names())
    assert seen == ["dyhat"]
