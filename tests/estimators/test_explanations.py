"""What a fitted estimator says of itself: a step of its training, and why it predicts what it does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from handgrad import sklearn as ours
from handgrad.errors import HandgradError, ModelError, SpecificationError
from tests.estimators.samples import X_IRIS, X_IRIS_FRAME, Y_IRIS

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning"  # short trainings do not converge
)

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
