"""Estimators for raw tables: what a person puts into a frame, with the tools of scikit-learn around them."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split

import handgrad as hg
from handgrad.data.tables import read_table
from handgrad.errors import DataError, ModelError, SpecificationError
from handgrad.sklearn import TableClassifier, TableRegressor

PENGUINS = pd.read_csv(Path(__file__).parents[2] / "examples" / "penguins.csv")
X, Y = PENGUINS.drop(columns="species"), PENGUINS["species"]


@pytest.fixture(scope="module")
def fitted() -> TableClassifier:
    X_train, _, y_train, _ = train_test_split(X, Y, random_state=0)
    return TableClassifier(hidden=(16,), epochs=60, random_state=0).fit(X_train, y_train)


def test_a_raw_frame_in_its_classes_out(fitted: TableClassifier) -> None:
    _, X_test, _, y_test = train_test_split(X, Y, random_state=0)
    assert fitted.classes_.tolist() == sorted(Y.unique())
    assert fitted.feature_names_in_.tolist() == list(X.columns)
    assert fitted.score(X_test, y_test) > 0.95
    probabilities = fitted.predict_proba(X_test)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    np.testing.assert_array_equal(fitted.classes_[probabilities.argmax(axis=1)], fitted.predict(X_test))


def test_it_is_the_model_of_fit_table(fitted: TableClassifier) -> None:
    X_train, X_test, y_train, _ = train_test_split(X, Y, random_state=0)
    table = X_train.assign(species=y_train).reset_index(drop=True)
    model = hg.fit_table(table, "species", hidden=(16,), epochs=60, seed=0)
    np.testing.assert_array_equal(model.predict(X_test), fitted.predict(X_test))
    np.testing.assert_array_equal(model.parameters[0].W, fitted.model_.parameters[0].W)


def test_frames_of_other_libraries(fitted: TableClassifier) -> None:
    expected = fitted.predict(X)
    for frame in (pl.from_pandas(X), pa.Table.from_pandas(X), {name: X[name].to_numpy() for name in X}):
        np.testing.assert_array_equal(fitted.predict(frame), expected)


def test_the_index_of_a_frame_is_no_column() -> None:
    shuffled = X.sample(frac=1, random_state=0)
    assert read_table(shuffled).names == list(X.columns)


@pytest.mark.parametrize(
    "labels",
    [
        np.array([10, 9, 101]),
        np.array([True, False]),
        np.array(["b", "a", "10"]),
        np.array([2.0, -1.0]),
        np.array([None, "x"], object)[1:].repeat(2),
    ],
    ids=str,
)
def test_classes_come_back_as_they_were(labels: Any) -> None:
    X = np.random.default_rng(0).normal(size=(60, 2))
    y = labels[np.arange(60) % len(labels)]
    if len(set(labels.tolist())) == 1:
        with pytest.raises(DataError, match="one class only"):
            TableClassifier(hidden=(4,), epochs=5).fit(X, y)
        return
    X[:, 0] += 5 * (np.arange(60) % len(labels))
    fitted = TableClassifier(hidden=(8,), epochs=150, optimizer=hg.Adam(0.02), random_state=1).fit(X, y)
    assert fitted.predict(X).dtype == y.dtype
    assert fitted.score(X, y) > 0.9


def test_numbers_of_several_targets_in_their_units() -> None:
    table = pd.DataFrame({"x": np.arange(80.0), "kind": ["a", "b"] * 40})
    Y = np.column_stack([1000 + 30 * table["x"], np.where(table["kind"] == "a", 5.0, -5.0)])
    fitted = TableRegressor(
        hidden=(), epochs=2000, optimizer=hg.Adam(0.01), early_stopping=None, random_state=0
    ).fit(table, Y)
    np.testing.assert_allclose(fitted.predict(table), Y, rtol=0.01, atol=0.1)


def test_the_tools_of_scikit_learn() -> None:
    classifier = TableClassifier(hidden=(8,), epochs=30, random_state=0)
    assert cross_val_score(classifier, X, Y, cv=3).mean() > 0.9
    search = GridSearchCV(classifier, {"hidden": [(4,), (8,)]}, cv=2).fit(X, Y)
    assert search.best_estimator_.score(X, Y) > 0.9
    again = pickle.loads(pickle.dumps(search.best_estimator_))
    np.testing.assert_array_equal(again.predict(X), search.predict(X))
    assert "model_" not in vars(clone(again))


def test_any_step_opens(fitted: TableClassifier) -> None:
    X_train, _, y_train, _ = train_test_split(X, Y, random_state=0)
    quantities = fitted.explain(X_train, y_train, step=4).quantities()
    following = fitted.explain(X_train, y_train, step=5).quantities()
    # the step shown is the step taken to the rounding of float32, in which tables are trained
    np.testing.assert_allclose(quantities["W1_new"], following["W1"], rtol=4 * np.finfo(np.float32).eps)
    with pytest.raises(ModelError, match="not the data"):
        fitted.explain(X_train, y_train[::-1], step=4).quantities()
    with pytest.raises(ValueError, match="feature names"):
        fitted.predict(X.rename(columns={"island": "isle"}))


def test_why_a_row(fitted: TableClassifier) -> None:
    found = fitted.why(X, 3)
    assert found.predicted == fitted.predict(X.iloc[[3]])[0]
    total = sum(part.contribution for part in found.contributions)
    assert total == pytest.approx(
        found.output - found.baseline, abs=1e-3 * abs(found.output - found.baseline)
    )


@pytest.mark.parametrize("weights", ["balanced", {9: 4.0, 10: 0.5}], ids=str)
def test_weights_of_classes_by_their_labels(weights: Any) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 2))
    y = np.where(X[:, 0] + rng.normal(size=300) > 1.2, 9, 10)
    options: dict[str, Any] = {"hidden": (4,), "epochs": 30, "random_state": 2}
    plain, weighed = (TableClassifier(**options, class_weight=chosen).fit(X, y) for chosen in (None, weights))
    assert np.mean(weighed.predict(X) == 9) > np.mean(plain.predict(X) == 9)
    table = {"X1": X[:, 0], "X2": X[:, 1], "target": [str(label) for label in y]}
    named = weights if isinstance(weights, str) else {str(label): weight for label, weight in weights.items()}
    model = hg.fit_table(
        table, "target", hidden=(4,), epochs=30, seed=2, class_weight=named, numeric=["X1", "X2"]
    )
    np.testing.assert_array_equal(model.parameters[0].W, weighed.model_.parameters[0].W)


def test_a_weight_of_a_class_that_is_not_there() -> None:
    with pytest.raises(SpecificationError, match=r"class_weight names the class '9'; y has 9, 10"):
        TableClassifier(class_weight={"9": 2.0}).fit(np.eye(4), [9, 10, 9, 10])


def test_the_encoding_of_a_column_is_handed_on() -> None:
    fitted = TableClassifier(hidden=(4,), epochs=2, random_state=0, encode={"island": "sparse"}).fit(X, Y)
    assert fitted.model_.network.gathered == (3,)
