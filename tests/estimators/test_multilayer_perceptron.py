"""Our estimators beside scikit-learn's: the same steps, and what they have in addition."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import neural_network as theirs
from sklearn.datasets import make_multilabel_classification

import handgrad as hg
from handgrad import sklearn as ours
from handgrad.errors import HandgradError, SpecificationError
from handgrad.estimators.lbfgs import Objective, packed
from handgrad.estimators.stochastic import Samples
from handgrad.nn.activations import ACTIVATIONS
from handgrad.nn.optimizers import OPTIMIZERS
from tests.estimators.samples import X_DIGITS, X_IRIS, Y_DIGITS, Y_IRIS

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning"  # short trainings do not converge
)

SAME_STEPS: list[dict[str, Any]] = [
    {},
    {"momentum": 0},
    {"nesterovs_momentum": False},
    {"learning_rate": "invscaling", "learning_rate_init": 0.5, "power_t": 0.1},
    {"learning_rate": "invscaling", "learning_rate_init": 0.5, "power_t": 0.1, "nesterovs_momentum": False},
    {"learning_rate": "adaptive", "tol": 0.05, "n_iter_no_change": 1},
    {"early_stopping": True, "n_iter_no_change": 3, "tol": 0.01},
    {"activation": "logistic", "hidden_layer_sizes": (12, 7)},
    {"activation": "tanh", "batch_size": 64, "shuffle": False},
    {"activation": "identity", "alpha": 0.3},
]


@pytest.mark.parametrize("options", SAME_STEPS, ids=str)
@pytest.mark.parametrize("engine", ["native", "reference"])
def test_the_same_seed_takes_the_steps_of_scikit_learn(options: dict[str, Any], engine: str) -> None:
    given: dict[str, Any] = {
        "solver": "sgd",
        "learning_rate_init": 0.05,
        "max_iter": 12,
        "random_state": 3,
    } | options
    theirs_fitted = theirs.MLPClassifier(**given).fit(X_DIGITS, Y_DIGITS)
    fitted = ours.MLPClassifier(**given, engine=engine).fit(X_DIGITS, Y_DIGITS)
    for name in ("n_iter_", "t_", "n_layers_", "n_outputs_", "out_activation_", "n_features_in_"):
        assert getattr(fitted, name) == getattr(theirs_fitted, name)
    for mine, their in zip(
        fitted.coefs_ + fitted.intercepts_, theirs_fitted.coefs_ + theirs_fitted.intercepts_, strict=True
    ):
        np.testing.assert_allclose(mine, their, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(fitted.loss_curve_, theirs_fitted.loss_curve_, rtol=1e-9)
    assert (fitted.validation_scores_ is None) == (theirs_fitted.validation_scores_ is None)
    if fitted.validation_scores_ is not None:
        np.testing.assert_allclose(fitted.validation_scores_, theirs_fitted.validation_scores_)
    assert (fitted.best_loss_ is None) == (theirs_fitted.best_loss_ is None)
    np.testing.assert_allclose(
        fitted.predict_proba(X_DIGITS), theirs_fitted.predict_proba(X_DIGITS), rtol=1e-7
    )


@pytest.mark.parametrize("kind", ["binary", "multilabel", "regression"])
def test_one_epoch_of_adam_is_theirs_but_for_epsilon(kind: str) -> None:
    X, y = X_IRIS, {"binary": Y_IRIS == 1, "regression": X_IRIS @ [1.0, 2, 3, 4]}.get(kind, Y_IRIS)
    if kind == "multilabel":
        X, y = make_multilabel_classification(n_samples=80, random_state=0)
    name = "MLPRegressor" if kind == "regression" else "MLPClassifier"
    options: dict[str, Any] = {"random_state": 0, "max_iter": 5, "epsilon": 1e-16}
    mine = getattr(ours, name)(**options).fit(X, y)
    their = getattr(theirs, name)(**options).fit(X, y)
    for coef, coef_of_theirs in zip(mine.coefs_, their.coefs_, strict=True):
        np.testing.assert_allclose(coef, coef_of_theirs, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(mine.loss_, their.loss_, rtol=1e-5)


def test_partial_fit_goes_on_where_it_stood() -> None:
    whole = ours.MLPRegressor(random_state=0, max_iter=6, shuffle=False).fit(X_IRIS, Y_IRIS)
    parts = ours.MLPRegressor(random_state=0, shuffle=False)
    for _ in range(6):
        parts.partial_fit(X_IRIS, Y_IRIS)
    assert parts.n_iter_ == 1
    assert parts.t_ == whole.t_
    for one, other in zip(whole.coefs_, parts.coefs_, strict=True):
        np.testing.assert_array_equal(one, other)


# -- the objective of L-BFGS


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("engine", ["native", "reference"])
def test_the_gradient_is_that_of_the_loss(weighted: bool, outputs: int, engine: str) -> None:
    """Against central differences: also for several outputs, where scikit-learn's differ by their number."""
    random = np.random.default_rng(5)
    X, Y = random.normal(size=(7, 4)), random.normal(size=(7, outputs))
    network = hg.Network(4, [hg.Dense(5, "tanh"), hg.Dense(outputs)], hg.Loss("squared_error", scale=0.5))
    weights = random.uniform(0.5, 2, 7) if weighted else None
    objective = Objective(network, Samples(X, Y, weights), alpha=0.3, engine=engine)
    theta = packed(network.initial_parameters(1))
    _, gradient = objective(theta)
    h = 1e-6
    for j in range(len(theta)):
        step = np.zeros_like(theta)
        step[j] = h
        numeric = (objective(theta + step)[0] - objective(theta - step)[0]) / (2 * h)
        assert gradient[j] == pytest.approx(numeric, rel=1e-6, abs=1e-8), f"parameter {j}: {numeric}"


def test_the_loss_of_several_outputs_is_what_its_gradient_descends() -> None:
    """NumPy anew: half the squares added up over the outputs, averaged over the samples, plus the penalty."""
    Y = np.column_stack([X_IRIS @ [1.0, 2, 0, 1], X_IRIS @ [0, 1.0, -1, 2]])
    fitted = ours.MLPRegressor(
        hidden_layer_sizes=5, solver="lbfgs", alpha=0.5, random_state=0, max_iter=2000, max_fun=10**5
    )
    fitted.fit(X_IRIS, Y)
    penalty = 0.5 / (2 * len(Y)) * sum(np.sum(W**2) for W in fitted.coefs_)
    loss = 0.5 * np.mean(np.sum((fitted.predict(X_IRIS) - Y) ** 2, axis=1)) + penalty
    assert fitted.loss_ == pytest.approx(loss, rel=1e-9)
    other = theirs.MLPRegressor(
        hidden_layer_sizes=5, solver="lbfgs", alpha=0.5, random_state=0, max_iter=2000, max_fun=10**5
    )
    other.fit(X_IRIS, Y)
    its = 0.5 * np.mean(np.sum((other.predict(X_IRIS) - Y) ** 2, axis=1))
    its += 0.5 / (2 * len(Y)) * sum(np.sum(W**2) for W in other.coefs_)
    assert fitted.loss_ <= its * (1 + 1e-3), "a minimiser of the right function cannot end above theirs"


# -- more than the original


@pytest.mark.parametrize("name", sorted(set(ACTIVATIONS) - {"softmax", "step"}))
def test_every_activation(name: str) -> None:
    fitted = ours.MLPClassifier(8, activation=name, solver="lbfgs", random_state=0, max_iter=100).fit(
        X_IRIS, Y_IRIS
    )
    assert fitted.score(X_IRIS, Y_IRIS) > 0.9


def test_one_activation_for_each_layer() -> None:
    fitted = ours.MLPClassifier((6, 5), activation=["tanh", hg.Activation("leaky_relu", 0.2)], random_state=0)
    fitted.fit(X_IRIS, Y_IRIS)
    (W1, W2, W3), (b1, b2, b3) = fitted.coefs_, fitted.intercepts_
    hidden = np.tanh(X_IRIS @ W1 + b1) @ W2 + b2
    z = np.where(hidden > 0, hidden, 0.2 * hidden) @ W3 + b3
    e = np.exp(z - z.max(axis=1, keepdims=True))
    np.testing.assert_allclose(fitted.predict_proba(X_IRIS), e / e.sum(axis=1, keepdims=True), rtol=1e-10)


@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_every_optimizer(name: str) -> None:
    rate = 1.0 if name == "adadelta" else 0.05  # of the paper
    fitted = ours.MLPClassifier(
        8, solver=name, learning_rate_init=rate, random_state=0, max_iter=60, batch_size=30
    )
    assert fitted.fit(X_IRIS, Y_IRIS).score(X_IRIS, Y_IRIS) > 0.9


def test_dropout() -> None:
    options: dict[str, Any] = {"random_state": 0, "max_iter": 30, "hidden_layer_sizes": (20, 20)}
    with_masks = ours.MLPClassifier(**options, dropout=[0.5, 0.1]).fit(X_IRIS, Y_IRIS)
    again = ours.MLPClassifier(**options, dropout=[0.5, 0.1], engine="reference").fit(X_IRIS, Y_IRIS)
    without = ours.MLPClassifier(**options).fit(X_IRIS, Y_IRIS)
    np.testing.assert_allclose(with_masks.coefs_[0], again.coefs_[0], rtol=1e-6, atol=1e-9)
    assert with_masks.loss_ > without.loss_
    with pytest.raises(SpecificationError, match="dropout"):
        ours.MLPClassifier(dropout=0.5, solver="lbfgs").fit(X_IRIS, Y_IRIS)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"solver": "newton"}, "solver must be one of"),
        ({"hidden_layer_sizes": (4, 0)}, "hidden_layer_sizes must be > 0"),
        ({"hidden_layer_sizes": 2.5}, "hidden_layer_sizes must be > 0"),
        ({"activation": "sine"}, "unknown activation 'sine'"),
        ({"activation": ["relu", "relu"]}, "one for each of the 1 hidden layers"),
        ({"dropout": 1.0}, "dropout is the part"),
        ({"momentum": 1}, "'momentum' must be a number >= 0 and < 1"),
        ({"tol": -1}, "'tol' must be"),
        ({"max_iter": 2.5}, "'max_iter' must be a whole number"),
        ({"engine": "warp"}, "'engine' must be one of"),
        ({"learning_rate": "exp"}, "'learning_rate' must be"),
        ({"alpha": float("nan")}, "'alpha' must be"),
    ],
)
def test_a_parameter_outside_its_range(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as raised:
        ours.MLPClassifier(**options).fit(X_IRIS, Y_IRIS)
    assert isinstance(raised.value, HandgradError)
