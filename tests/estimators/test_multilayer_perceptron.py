"""Our estimators beside scikit-learn's: the same steps, the same conduct, and what they have in addition."""

from __future__ import annotations

import pickle
import warnings
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse
import sklearn
from sklearn import neural_network as theirs
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits, load_iris, make_multilabel_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import handgrad as hg
from handgrad import sklearn as ours
from handgrad.errors import HandgradError, ModelError, SpecificationError
from handgrad.estimators.lbfgs import Objective, packed
from handgrad.estimators.stochastic import Samples
from handgrad.nn.activations import ACTIVATIONS
from handgrad.nn.optimizers import OPTIMIZERS

X_DIGITS, Y_DIGITS = load_digits(return_X_y=True)
X_DIGITS = X_DIGITS[:400] / 16
Y_DIGITS = Y_DIGITS[:400]
X_IRIS, Y_IRIS = load_iris(return_X_y=True)
X_IRIS = StandardScaler().fit_transform(X_IRIS)
X_DIABETES, Y_DIABETES = load_diabetes(return_X_y=True)
Y_DIABETES = (Y_DIABETES - Y_DIABETES.mean()) / Y_DIABETES.std()


@pytest.fixture(autouse=True)
def _short_trainings_do_not_converge() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


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


# -- weights, sparse matrices, data frames


@pytest.mark.parametrize("solver", ["lbfgs", "adam", "sgd"])
def test_a_whole_weight_is_a_repeated_sample(solver: str) -> None:
    counts = np.random.default_rng(0).integers(0, 4, len(X_IRIS))
    options: dict[str, Any] = {
        "solver": solver,
        "random_state": 0,
        "max_iter": 20,
        "batch_size": 1000,
        "hidden_layer_sizes": 6,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a batch of all
        weighted = ours.MLPClassifier(**options).fit(X_IRIS, Y_IRIS, sample_weight=counts)
        repeated = ours.MLPClassifier(**options).fit(
            np.repeat(X_IRIS, counts, axis=0), np.repeat(Y_IRIS, counts)
        )
    for one, other in zip(weighted.coefs_, repeated.coefs_, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_class_weights_are_sample_weights() -> None:
    chosen = ours.MLPClassifier(5, class_weight={0: 1, 1: 3, 2: 0.5}, random_state=0, max_iter=10)
    plain = ours.MLPClassifier(5, random_state=0, max_iter=10)
    weights = np.array([1, 3, 0.5])[Y_IRIS]
    for one, other in zip(
        chosen.fit(X_IRIS, Y_IRIS).coefs_,
        plain.fit(X_IRIS, Y_IRIS, sample_weight=weights).coefs_,
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("weights", [[-1.0] + [1.0] * 149, [0.0] * 150])
def test_weights_that_cannot_be(weights: list[float]) -> None:
    with pytest.raises(ValueError, match=r"(?i)sample.weight"):
        ours.MLPClassifier().fit(X_IRIS, Y_IRIS, sample_weight=weights)


@pytest.mark.parametrize("container", [scipy.sparse.csr_matrix, scipy.sparse.csc_array])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_sparse_samples_train_as_dense_ones(
    container: Any, weighted: bool, solver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handgrad.estimators.sessions._BUFFER", 64 * 8 * 100)  # many windows of few batches
    X = np.where(np.random.default_rng(0).random(X_DIGITS.shape) < 0.2, X_DIGITS, 0)
    options: dict[str, Any] = {"random_state": 0, "max_iter": 8, "solver": solver, "batch_size": 50}
    weights = np.linspace(0.5, 2, len(X)) if weighted else None
    dense = ours.MLPClassifier(**options).fit(X, Y_DIGITS, weights)
    sparse = ours.MLPClassifier(**options).fit(container(X), Y_DIGITS, weights)
    for one, other in zip(dense.coefs_, sparse.coefs_, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(dense.predict_proba(X), sparse.predict_proba(container(X)), rtol=1e-9)


def test_a_sparse_matrix_is_never_dense_as_a_whole() -> None:
    X = scipy.sparse.random(400, 20_000, density=1e-4, random_state=0, format="csr", dtype=np.float32)
    y = np.asarray(X.sum(axis=1)).ravel() > 0.5
    import tracemalloc

    tracemalloc.start()
    ours.MLPClassifier(4, batch_size=20, max_iter=2, random_state=0).fit(X, y)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < X.shape[0] * X.shape[1] * 4, f"{peak} bytes"


def test_data_frames() -> None:
    names = ["a", "b", "c", "d"]
    by_pandas = ours.MLPClassifier(5, random_state=0, max_iter=5).fit(
        pd.DataFrame(X_IRIS, columns=names), pd.Series(Y_IRIS)
    )
    by_polars = ours.MLPClassifier(5, random_state=0, max_iter=5).fit(
        pl.DataFrame(X_IRIS, schema=names), pl.Series(Y_IRIS)
    )
    for fitted in (by_pandas, by_polars):
        assert fitted.feature_names_in_.tolist() == names
        np.testing.assert_array_equal(
            fitted.predict(pl.DataFrame(X_IRIS, schema=names)), by_pandas.predict(X_IRIS_FRAME)
        )
    with pytest.raises(ValueError, match="feature names"):
        by_pandas.predict(pd.DataFrame(X_IRIS, columns=["d", "c", "b", "a"]))


X_IRIS_FRAME = pd.DataFrame(X_IRIS, columns=["a", "b", "c", "d"])


# -- scikit-learn's tools


def test_pipelines_search_and_cross_validation() -> None:
    pipeline = make_pipeline(
        StandardScaler(), ours.MLPClassifier(8, random_state=0, solver="lbfgs", max_iter=30)
    )
    assert cross_val_score(pipeline, X_IRIS, Y_IRIS, cv=3).mean() > 0.9
    search = GridSearchCV(pipeline, {"mlpclassifier__alpha": [1e-3, 1.0]}, cv=2, n_jobs=2).fit(X_IRIS, Y_IRIS)
    assert search.best_score_ > 0.9
    assert set(search.cv_results_["param_mlpclassifier__alpha"]) == {1e-3, 1.0}


def test_set_output_of_a_pipeline() -> None:
    pipeline = make_pipeline(
        StandardScaler(), ours.MLPRegressor(hidden_layer_sizes=3, random_state=0, max_iter=3)
    )
    fitted = pipeline.set_output(transform="pandas").fit(X_IRIS_FRAME, Y_IRIS)
    assert fitted[-1].feature_names_in_.tolist() == ["a", "b", "c", "d"]


def test_metadata_routing() -> None:
    weights = np.linspace(0.1, 2, len(Y_IRIS))
    with sklearn.config_context(enable_metadata_routing=True):
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        inner = ours.MLPClassifier(4, random_state=0, max_iter=5).set_fit_request(sample_weight=True)
        pipeline = make_pipeline(scaler, inner).fit(X_IRIS, Y_IRIS, sample_weight=weights)
    direct = ours.MLPClassifier(4, random_state=0, max_iter=5).fit(
        StandardScaler().fit_transform(X_IRIS), Y_IRIS, weights
    )
    np.testing.assert_array_equal(pipeline[-1].coefs_[0], direct.coefs_[0])


@pytest.mark.parametrize("solver", ["adam", hg.AdamW(0.01), "lbfgs"])
def test_clone_and_pickle(solver: Any) -> None:
    fitted = ours.MLPClassifier(6, activation=["tanh"], solver=solver, random_state=0, max_iter=5).fit(
        X_IRIS, Y_IRIS
    )
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.predict_proba(X_IRIS), fitted.predict_proba(X_IRIS))
    copy = clone(fitted)
    assert "coefs_" not in vars(copy)
    np.testing.assert_array_equal(copy.fit(X_IRIS, Y_IRIS).coefs_[0], fitted.coefs_[0])


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


# -- the way back to a step


@pytest.mark.parametrize(
    "options",
    [
        {"solver": "sgd", "learning_rate": "invscaling", "learning_rate_init": 0.3, "power_t": 0.2},
        {"solver": "adam", "dropout": 0.25},
        {"solver": "adam", "early_stopping": True, "validation_fraction": 0.2},
    ],
    ids=["sgd", "dropout", "early stopping"],
)
@pytest.mark.parametrize("engine", ["native", "reference"])
def test_a_step_is_the_one_that_happened(options: dict[str, Any], engine: str) -> None:
    """The steps of the last epoch, opened one after another, lead to the parameters that `fit` found."""
    fitted = ours.MLPClassifier(
        5, batch_size=60, max_iter=3, random_state=0, tol=0, engine=engine, **options
    ).fit(X_IRIS, Y_IRIS)
    per_epoch = 2 if "early_stopping" in options else 3
    last = 3 * per_epoch
    before = fitted.explain(X_IRIS, Y_IRIS, step=last - 1).quantities()
    sheet = fitted.explain(X_IRIS, Y_IRIS)
    assert sheet.first == last
    quantities = sheet.quantities()
    np.testing.assert_allclose(quantities["W1"], before["W1_new"], rtol=1e-9)
    if "early_stopping" not in options:  # which restores the best epoch
        np.testing.assert_allclose(quantities["W1_new"].T, fitted.coefs_[0], rtol=1e-9)
    assert "relu" in sheet.text().lower() or "max" in sheet.text()


def test_the_step_of_partial_fit_is_counted_over_all_calls() -> None:
    fitted = ours.MLPRegressor(hidden_layer_sizes=3, random_state=0, batch_size=50)
    for _ in range(3):
        fitted.partial_fit(X_IRIS, Y_IRIS)
    assert fitted.explain(X_IRIS, Y_IRIS).first == 9
    with pytest.raises(SpecificationError, match="steps 7 to 9"):
        fitted.explain(X_IRIS, Y_IRIS, step=2).quantities()


def test_the_gradient_where_lbfgs_ended() -> None:
    fitted = ours.MLPRegressor(
        hidden_layer_sizes=3, solver="lbfgs", random_state=0, tol=1e-6, max_iter=3000, max_fun=10**5
    )
    quantities = fitted.fit(X_IRIS, Y_IRIS).explain(X_IRIS, Y_IRIS).quantities()
    assert quantities["loss"] == pytest.approx(fitted.loss_)
    assert np.abs(quantities["dW1"]).max() < 1e-3


def test_what_cannot_be_explained() -> None:
    fitted = ours.MLPClassifier(3, random_state=0, max_iter=2)
    with pytest.raises(SpecificationError, match="not been fitted"):
        fitted.explain(X_IRIS, Y_IRIS)
    fitted.fit(X_IRIS, Y_IRIS)
    other = X_IRIS.copy()
    other[17, 2] += 1e-3
    with pytest.raises(ModelError, match="not the data"):
        fitted.explain(other, Y_IRIS)
    with pytest.raises(SpecificationError, match="steps 1 to 2"):
        fitted.explain(X_IRIS, Y_IRIS, step=3)
    fitted.fit(X_IRIS, Y_IRIS, sample_weight=np.ones(150))
    with pytest.raises(SpecificationError, match="weights"):
        fitted.explain(X_IRIS, Y_IRIS)


# -- why


def test_contributions_add_up_to_the_output_less_the_baseline() -> None:
    fitted = ours.MLPClassifier((6, 5), random_state=0, max_iter=80).fit(X_IRIS_FRAME, Y_IRIS)
    found = fitted.why(X_IRIS_FRAME.iloc[[120]])
    probabilities = fitted.predict_proba(X_IRIS_FRAME.iloc[[120]])[0]
    assert found.place == probabilities.argmax()
    assert found.output == pytest.approx(probabilities.max())
    at_zero = fitted.predict_proba(pd.DataFrame(np.zeros((1, 4)), columns=["a", "b", "c", "d"]))[0]
    assert found.baseline == pytest.approx(at_zero[found.place])
    assert sum(found.contributions.values()) == pytest.approx(found.output - found.baseline, rel=1e-4)
    sizes = [abs(part) for part in found.contributions.values()]
    assert sizes == sorted(sizes, reverse=True)
    assert set(found.contributions) == {"a", "b", "c", "d"}


def test_contributions_to_a_straight_line_are_its_slopes() -> None:
    regressor = ours.MLPRegressor(hidden_layer_sizes=(), solver="lbfgs", alpha=0, random_state=0)
    regressor.fit(X_IRIS, X_IRIS @ [1.0, -2.0, 3.0, 0.0] + 5)
    found = regressor.why(X_IRIS[7], baseline=X_IRIS[3])
    slopes = regressor.coefs_[0][:, 0] * (X_IRIS[7] - X_IRIS[3])
    for name, slope in zip(("X1", "X2", "X3", "X4"), slopes, strict=True):
        assert found.contributions[name] == pytest.approx(slope, abs=1e-9)


def test_why_asked_wrongly() -> None:
    fitted = ours.MLPClassifier(3, random_state=0, max_iter=2)
    with pytest.raises(ValueError, match="not fitted"):
        fitted.why(X_IRIS[0])
    fitted.fit(X_IRIS, Y_IRIS)
    with pytest.raises(HandgradError, match="one sample"):
        fitted.why(X_IRIS[:2])
    with pytest.raises(SpecificationError, match="outputs 0 to 2"):
        fitted.why(X_IRIS[0], output=3)
    with pytest.raises(HandgradError, match="baseline"):
        fitted.why(X_IRIS[0], baseline=[0.0])
