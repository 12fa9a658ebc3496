"""Weights of samples: a row of weight k counts as k rows do, in the equations and in every engine."""

import numpy as np
import pytest

from handgrad.engines import choose, jax, native
from handgrad.errors import ShapeError, SpecificationError
from handgrad.nn.backward import backward, batch_loss
from handgrad.nn.forward import forward
from handgrad.nn.losses import Loss
from handgrad.nn.network import Dense, Network
from handgrad.nn.optimizers import SGD, Adam, initial_state
from handgrad.nn.step import Recipe, Training
from handgrad.training.fit import fit
from handgrad.training.replay import replay

PAIRS = [
    ("squared_error", "identity", "numbers"),
    ("squared_error", "tanh", "numbers"),
    ("huber", "identity", "numbers"),
    ("absolute_error", "identity", "numbers"),
    ("binary_cross_entropy", "sigmoid", "labels"),
    ("binary_cross_entropy", "softmax", "labels"),
    ("cross_entropy", "softmax", "classes"),
    ("cross_entropy", "sigmoid", "classes"),
    ("poisson", "exponential", "counts"),
    ("hinge", "identity", "signs"),
]


def drawn(kind: str, rows: int, outputs: int, seed: int = 5):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, 4))
    Y = {
        "numbers": rng.normal(size=(rows, outputs)),
        "labels": rng.integers(0, 2, (rows, outputs)).astype(float),
        "classes": np.eye(outputs)[rng.integers(0, outputs, rows)],
        "counts": rng.integers(0, 5, (rows, outputs)).astype(float),
        "signs": rng.choice([-1.0, 1.0], (rows, outputs)),
    }[kind]
    return X, Y, rng


@pytest.mark.parametrize("reduction", ["sum", "mean"])
@pytest.mark.parametrize(("loss", "output", "kind"), PAIRS)
def test_a_row_of_weight_k_counts_as_k_rows(loss, output, kind, reduction):
    X, Y, rng = drawn(kind, 7, 3)
    times = rng.integers(0, 4, 7)
    network = Network(4, [Dense(5, "tanh"), Dense(3, output)], Loss(loss, samples=reduction))
    parameters = network.initial_parameters(1)
    weights = times.astype(float)
    activity = forward(network, parameters, X)
    found = batch_loss(network, parameters, activity, Y, weights=weights)
    gradients = backward(network, parameters, activity, Y, weights=weights)

    many = np.repeat(np.arange(7), times)
    repeated = forward(network, parameters, X[many])
    share = len(many) / 7 if reduction == "mean" else 1.0  # the mean is over 7 rows, not over all of these
    np.testing.assert_allclose(found, share * batch_loss(network, parameters, repeated, Y[many]), rtol=1e-12)
    for ours, theirs in zip(gradients, backward(network, parameters, repeated, Y[many]), strict=True):
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(a, share * b, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("path", ["tiny", "sliced", "tiled"])
@pytest.mark.parametrize(("loss", "output", "kind"), PAIRS)
@pytest.mark.skipif(not native.available(), reason="no compiled core")
def test_the_native_core_weighs_as_the_equations_do(loss, output, kind, path, dtype):
    X, Y, rng = drawn(kind, 37, 3)
    weights = rng.uniform(0, 3, 37)
    weights[::5] = 0.0
    network = Network(4, [Dense(5, "tanh"), Dense(3, output)], loss)
    recipe, parameters = Recipe(SGD(0.05)), network.initial_parameters(2, dtype)
    start = Training(parameters, initial_state(recipe.optimizer, parameters))
    order, rates = rng.permutation(37), np.full(4, 0.05)  # the last batch is smaller
    ended = []
    for engine in (native.NativeEngine(path), choose("reference")):
        session = engine.start(network, recipe, start, X, Y, 0, 2, weights)
        run = session.run(order, 11, rates, 1)
        ended.append((run.losses, session.training().parameters))
    tolerance = 2e-5 if dtype == "float32" else 1e-12
    np.testing.assert_allclose(ended[0][0], ended[1][0], rtol=tolerance)
    for ours, theirs in zip(ended[0][1], ended[1][1], strict=True):
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(a, b, rtol=0, atol=tolerance * (1 + np.abs(b).max()))


@pytest.mark.skipif(not jax.available(), reason="no JAX")
def test_jax_weighs_as_the_equations_do():
    X, Y, rng = drawn("classes", 30, 3)
    weights = rng.uniform(0, 3, 30)
    network = Network(4, [Dense(5, "tanh"), Dense(3, "softmax")], "cross_entropy")
    ours, theirs = (
        fit(network, X, Y, weights=weights, epochs=2, batch_size=8, optimizer=SGD(0.1), engine=engine)
        for engine in ("jax:cpu", "reference")
    )
    for a, b in zip(ours.training.parameters, theirs.training.parameters, strict=True):
        np.testing.assert_allclose(a.W, b.W, rtol=1e-10)


def test_torch_weighs_cross_entropy_alike():
    torch = pytest.importorskip("torch")
    X, Y, rng = drawn("classes", 9, 3)
    weights = rng.uniform(0, 3, 9)
    network = Network(4, [Dense(3, "softmax")], "cross_entropy")
    parameters = network.initial_parameters(3)
    W, b = (torch.tensor(part, requires_grad=True) for part in parameters[0])
    terms = torch.nn.functional.cross_entropy(
        torch.tensor(X) @ W.T + b, torch.tensor(Y.argmax(1)), reduction="none"
    )
    loss = (torch.tensor(weights) * terms).mean()
    loss.backward()
    activity = forward(network, parameters, X)
    assert float(batch_loss(network, parameters, activity, Y, weights=weights)) == pytest.approx(loss.item())
    (dW, db) = backward(network, parameters, activity, Y, weights=weights)[0]
    np.testing.assert_allclose(dW, W.grad.numpy(), rtol=1e-10)
    np.testing.assert_allclose(db, b.grad.numpy(), rtol=1e-10)


def test_a_weighted_step_is_taken_again_with_its_weights():
    X, Y, rng = drawn("labels", 20, 1)
    weights = rng.uniform(0, 3, 20)
    network = Network(4, [Dense(1, "sigmoid")], "binary_cross_entropy")
    result = fit(
        network, X, Y, weights=weights, epochs=4, batch_size=6, optimizer=Adam(0.1), engine="reference"
    )
    before = replay(result, X, Y, 9, weights=weights)
    session = choose("reference").start(
        network, result.recipe, before.training, X, Y, result.plan.seed, weights=weights
    )
    plan = result.plan
    for part in plan.stretches(9, result.steps, result.training_rows, 0.1):
        session.run(part.rows, 6, part.rates, part.first)
    np.testing.assert_array_equal(session.training().parameters[0].W, result.training.parameters[0].W)
    with pytest.raises(SpecificationError, match="had weights; give them again"):
        replay(result, X, Y, 9)
    with pytest.raises(SpecificationError, match="had no weights"):
        replay(fit(network, X, Y, epochs=1), X, Y, 1, weights=weights)


def test_validation_is_weighted_as_training_is():
    X, Y, rng = drawn("numbers", 40, 1)
    weights = rng.uniform(0, 3, 40)
    network = Network(4, [Dense(1)], "squared_error")
    result = fit(network, X, Y, weights=weights, validation=0.3, epochs=1, batch_size=None)
    held = result.validation_rows
    errors = (result.predict(X[held]) - Y[held])[:, 0] ** 2
    assert result.history[-1].validation_loss == pytest.approx(float(np.mean(weights[held] * errors)))


@pytest.mark.parametrize(
    ("weights", "match"),
    [
        (np.ones(3), r"weights must have shape \(4,\)"),
        (np.array([1.0, -2.0, 1.0, 1.0]), r"weights holds -2 at \[1\]; weights are at least 0"),
        (np.array([1.0, np.nan, 1.0, 1.0]), r"weights holds nan at \[1\]"),
        (["a"] * 4, "weights must hold numbers"),
    ],
)
def test_weights_that_cannot_be_are_refused(weights, match):
    with pytest.raises(ShapeError, match=match):
        fit(Network(1, [Dense(1)], "squared_error"), np.ones((4, 1)), np.ones(4), weights=weights, epochs=1)
