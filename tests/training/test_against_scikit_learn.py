"""Held-out scores beside scikit-learn's own network of the same architecture, over five seeds.

handgrad trains with its defaults, as `handgrad train` does; the yardstick with scikit-learn's, on
standardised features. The score may fall short by no more than the standard error of the difference.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn import datasets
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler

from handgrad.models.fit_table import fit_table

HIDDEN = (64, 32)
SEEDS = range(5)


def table(X: Any, y: Any) -> dict[str, Any]:
    return {**{f"x{j}": X[:, j] for j in range(X.shape[1])}, "target": y}


@pytest.mark.parametrize(
    "load",
    [
        datasets.load_breast_cancer,
        datasets.load_wine,
        datasets.load_iris,
        datasets.load_digits,
        datasets.load_diabetes,
    ],
    ids=lambda load: load.__name__.removeprefix("load_"),
)
def test_held_out_scores(load: Callable[..., Any]) -> None:
    X, y = load(return_X_y=True)
    regression = load is datasets.load_diabetes
    ours, theirs = [], []
    for seed in SEEDS:
        split = train_test_split(X, y, test_size=0.3, random_state=seed, stratify=None if regression else y)
        X_train, X_test, y_train, y_test = split
        judged = fit_table(table(X_train, y_train), "target", hidden=HIDDEN, seed=seed).evaluate(
            table(X_test, y_test)
        )
        ours.append(judged.R2 if regression else judged.accuracy)
        scaler = StandardScaler().fit(X_train)
        yardstick = (MLPRegressor if regression else MLPClassifier)(
            hidden_layer_sizes=HIDDEN, random_state=seed
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            yardstick.fit(scaler.transform(X_train), y_train)
        theirs.append(yardstick.score(scaler.transform(X_test), y_test))
    difference = np.array(ours, float) - np.array(theirs)
    error = difference.std(ddof=1) / np.sqrt(len(difference))
    assert difference.mean() >= -error, f"ours {ours}, scikit-learn's {theirs}"
