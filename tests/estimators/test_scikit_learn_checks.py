"""scikit-learn's own checks of an estimator, none of which may fail."""

from __future__ import annotations

import warnings
from typing import Any

from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.estimator_checks import parametrize_with_checks

from handgrad.sklearn import MLPClassifier, MLPRegressor, TableClassifier, TableRegressor

ESTIMATORS = [
    MLPClassifier(max_iter=100),
    MLPRegressor(max_iter=100),
    MLPClassifier(solver="lbfgs", max_iter=50),
    TableClassifier(hidden=(16,), epochs=60),
    TableRegressor(hidden=(16,), epochs=60),
]


@parametrize_with_checks(ESTIMATORS)
def test_check(estimator: Any, check: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        check(estimator)
