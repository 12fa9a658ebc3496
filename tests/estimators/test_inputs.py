"""What the estimators take: weights, sparse matrices, data frames, and scikit-learn's tools around them."""

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
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import handgrad as hg
from handgrad import sklearn as ours
from tests.estimators.samples import X_DIGITS, X_IRIS, X_IRIS_FRAME, Y_DIGITS, Y_IRIS

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning"  # short trainings do not converge
)

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
