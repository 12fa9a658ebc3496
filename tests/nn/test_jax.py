"""JAX compiles the very same training step, and differentiates the very same forward pass."""

from __future__ import annotations

import numpy as np
import pytest

from handgrad.nn.backward import backward, batch_loss
from handgrad.nn.clipping import Clipping
from handgrad.nn.dropout import Dropout
from handgrad.nn.forward import dropout_masks, forward
from handgrad.nn.losses import Loss
from handgrad.nn.network import Dense, LayerParameters, Network
from handgrad.nn.optimizers import (
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    AdamW,
    Lion,
    Momentum,
    NAdam,
    Nesterov,
    RMSprop,
    initial_state,
)
from handgrad.nn.regularization import Regularization
from handgrad.nn.step import Recipe, Training, training_step
from tests.strategies import problem, random_parameters, targets

jax = pytest.importorskip("jax")


@pytest.fixture(autouse=True)
def double_precision():
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", False)


def to_jax(tree):
    return jax.tree.map(jax.numpy.asarray, tree)


# between them: every activation, loss, optimizer, penalty, clipping, dropout, kind of bias and reduction
COMPILED = [
    (
        ("relu", "gelu"),
        "softmax",
        Loss("cross_entropy"),
        Recipe(Adam(0.01, amsgrad=True), Regularization(l2=0.1)),
        "trained",
        0.7,
    ),
    (
        ("leaky_relu", "silu", "elu"),
        "sigmoid",
        Loss("binary_cross_entropy", outputs="mean"),
        Recipe(Momentum(0.1, form="heavy_ball"), Regularization(l1=0.1)),
        "shared",
        None,
    ),
    (
        ("tanh", "softplus"),
        "identity",
        Loss("squared_error", 0.5, samples="sum"),
        Recipe(RMSprop(0.01), Regularization(0.1, 0.1, "half_mean"), Clipping(value=0.3)),
        "frozen",
        None,
    ),
    (
        ("sigmoid", "softmax"),
        "tanh",
        Loss("huber", threshold=0.5),
        Recipe(AdamW(0.01), Regularization(l2=0.1, form="full"), Clipping(norm=0.2)),
        "none",
        0.5,
    ),
    (("step",), "softplus", Loss("cross_entropy"), Recipe(Nesterov(0.1)), "trained", None),
    (("identity",), "softmax", Loss("squared_error"), Recipe(SGD(0.1)), "trained", None),
    (("relu6", "selu"), "exponential", Loss("poisson"), Recipe(Adagrad(0.1)), "trained", None),
    (("hard_sigmoid",), "identity", Loss("absolute_error"), Recipe(Adadelta()), "trained", None),
    (("mish",), "tanh", Loss("hinge"), Recipe(NAdam(0.01)), "trained", None),
    (("mish", "relu6"), "softplus", Loss("poisson"), Recipe(Lion(0.01, weight_decay=0.1)), "shared", None),
]


@pytest.mark.parametrize(("hidden", "output", "loss", "recipe", "bias", "keep"), COMPILED)
def test_the_compiled_step_gives_the_same_numbers(hidden, output, loss, recipe, bias, keep) -> None:
    dropout = None if keep is None else Dropout(keep)
    layers = [Dense(4, name, bias=bias, dropout=dropout) for name in hidden]
    network = Network(3, [*layers, Dense(2, output)], loss)
    generator = np.random.default_rng(0)
    parameters = random_parameters(network, generator)
    training = Training(parameters, initial_state(recipe.optimizer, parameters))
    compiled = jax.jit(
        lambda training, X, Y, t, eta, masks: training_step(network, recipe, training, X, Y, t, eta, masks)
    )
    judged = to_jax(training)
    eta = recipe.optimizer.learning_rate
    for t in (1, 2, 3):
        X = generator.normal(size=(5, 3))
        Y = targets(loss.name, np.full((5, 2), 0.5), generator)
        masks = dropout_masks(network, 9, t, 5)
        training, plain = training_step(network, recipe, training, X, Y, t, eta, masks)
        judged, loss_there = compiled(judged, *to_jax((X, Y)), t, eta, masks)
        assert float(loss_there) == pytest.approx(float(plain), rel=1e-12)
        ours, theirs = jax.tree.leaves(training), jax.tree.leaves(judged)
        for mine, other in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(mine, np.asarray(other), rtol=1e-10, atol=1e-14)


def test_single_precision_stays_single_when_compiled() -> None:
    network = Network(2, [Dense(3, "gelu"), Dense(2, "softmax")], Loss("cross_entropy"))
    parameters = network.initial_parameters(0, np.float32)
    recipe = Recipe(Adam(), Regularization(0.1, 0.1), Clipping(norm=0.1))
    training = to_jax(Training(parameters, initial_state(recipe.optimizer, parameters)))
    X, Y = np.ones((2, 2), np.float32), np.eye(2, dtype=np.float32)
    stepped = jax.jit(lambda training, X, Y, t, eta: training_step(network, recipe, training, X, Y, t, eta))(
        training, X, Y, 1, 0.1
    )
    assert {leaf.dtype for leaf in jax.tree.leaves(stepped)} == {np.dtype(np.float32)}


@pytest.mark.parametrize(
    ("loss", "output"),
    [
        ("squared_error", "softmax"),
        ("binary_cross_entropy", "sigmoid"),
        ("cross_entropy", "softmax"),
        ("huber", "tanh"),
        ("absolute_error", "mish"),
        ("hinge", "identity"),
        ("poisson", "exponential"),
        ("poisson", "softplus"),
    ],
)
def test_its_automatic_derivative_is_our_backward_pass(loss: str, output: str) -> None:
    case = problem("silu", output, Loss(loss), 3, 4)
    network, X, Y = case.network, jax.numpy.asarray(case.X), jax.numpy.asarray(case.Y)
    penalty = Regularization(l2=0.3)

    def loss_of(parameters):
        return batch_loss(network, parameters, forward(network, parameters, X), Y, penalty)

    parameters = to_jax(case.parameters)
    automatic = jax.jit(jax.grad(loss_of))(parameters)
    activity = forward(network, parameters, X)
    ours = backward(network, parameters, activity, Y, penalty)
    for mine, theirs in zip(ours, automatic, strict=True):
        assert isinstance(theirs, LayerParameters)
        np.testing.assert_allclose(mine.W, theirs.W, rtol=1e-10, atol=1e-14)
        np.testing.assert_allclose(mine.b, theirs.b, rtol=1e-10, atol=1e-14)
