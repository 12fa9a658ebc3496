"""Every metric of classes and numbers beside scikit-learn's, the trivial predictor, and rows that are known again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from handgrad.data.fingerprints import row_hashes
from handgrad.errors import ModelError, SpecificationError
from handgrad.models import probabilities
from handgrad.models.fit_table import fit_table
from handgrad.models.model import Model
from handgrad.nn.optimizers import Adam

ROWS = 240


def samples(kind: str, seed: int = 0) -> dict[str, Any]:
    """A table with the target y: two classes, three classes, or a number."""
    g = np.random.default_rng(seed)
    x, z = g.normal(size=(2, ROWS))
    score = x + z * z + g.normal(size=ROWS) / 2
    y = {
        "binary": np.where(score > 1.5, "yes", "no"),
        "multiclass": np.array(["low", "middle", "top"])[np.digitize(score, [0.3, 1.8])],
        "regression": 7 + 3 * score,
    }[kind]
    return {"x": x, "z": z, "y": y}


def trained(kind: str) -> tuple[Model, dict[str, Any]]:
    model = fit_table(samples(kind), "y", hidden=(8,), epochs=30, optimizer=Adam(0.02), dtype="float64")
    return model, samples(kind, seed=1)


def test_two_classes_agree_with_scikit_learn() -> None:
    model, table = trained("binary")
    found = model.evaluate(table)
    p, y = model.predict_proba(table)[:, 1], table["y"] == "yes"
    guess = model.predict(table)
    assert found.balanced_accuracy == pytest.approx(metrics.balanced_accuracy_score(table["y"], guess))
    assert found.roc_auc == pytest.approx(metrics.roc_auc_score(y, p))
    assert found.pr_auc == pytest.approx(metrics.average_precision_score(y, p))
    assert found.log_loss == pytest.approx(metrics.log_loss(y, p))
    assert found.brier == pytest.approx(metrics.brier_score_loss(y, p))
    assert found.confusion == tuple(map(tuple, metrics.confusion_matrix(table["y"], guess).tolist()))
    assert sum(part.rows for part in found.calibration) == ROWS
    assert found.accuracy is not None and found.trivial["accuracy"] is not None
    assert found.accuracy > found.trivial["accuracy"] == np.mean(table["y"] == "no")
    assert found.trivial["roc_auc"] == 0.5
    assert found.trivial["pr_auc"] == pytest.approx(np.mean(y))


def test_three_classes_agree_with_scikit_learn() -> None:
    model, table = trained("multiclass")
    found = model.evaluate(table)
    P, guess = model.predict_proba(table), model.predict(table)
    one_hot = np.array(["low", "middle", "top"]) == table["y"][:, None]
    assert found.balanced_accuracy == pytest.approx(metrics.balanced_accuracy_score(table["y"], guess))
    assert found.roc_auc == pytest.approx(metrics.roc_auc_score(table["y"], P, multi_class="ovr"))
    assert found.pr_auc == pytest.approx(metrics.average_precision_score(one_hot, P))
    assert found.log_loss == pytest.approx(metrics.log_loss(table["y"], P))
    assert found.brier == pytest.approx(float(np.mean(np.sum((P - one_hot) ** 2, axis=1))))
    assert found.confusion == tuple(map(tuple, metrics.confusion_matrix(table["y"], guess).tolist()))


def test_numbers_agree_with_scikit_learn() -> None:
    model, table = trained("regression")
    (found,), judged = model.evaluate(table).outputs, model.evaluate(table)
    guess = model.predict(table)
    assert pytest.approx(metrics.mean_absolute_percentage_error(table["y"], guess)) == found.MAPE
    np.testing.assert_allclose(
        found.residuals, np.quantile(guess - table["y"], [0.05, 0.25, 0.5, 0.75, 0.95])
    )
    assert model.schema is not None
    mean = np.full(ROWS, model.schema.target.means[0])
    assert judged.trivial["R2"] == pytest.approx(metrics.r2_score(table["y"], mean))
    assert judged.trivial["RMSE"] == pytest.approx(metrics.root_mean_squared_error(table["y"], mean))


@given(rows=st.lists(st.tuples(st.booleans(), st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, 1.0])), min_size=2))
def test_ranks_and_areas_with_ties(rows: list[tuple[bool, float]]) -> None:
    truth, p = (np.array(part, float) for part in zip(*rows, strict=True))
    if 0 < truth.sum() < len(truth):
        assert probabilities.roc_auc(truth, p) == pytest.approx(metrics.roc_auc_score(truth, p))
        assert probabilities.average_precision(truth, p) == pytest.approx(
            metrics.average_precision_score(truth, p)
        )
    else:
        assert probabilities.roc_auc(truth, p) is None


def test_a_threshold_moves_the_border_between_two_classes() -> None:
    model, table = trained("binary")
    p = model.predict_proba(table)[:, 1]
    for threshold in (0.1, 0.5, 0.9):
        assert (model.predict(table, threshold) == "yes").tolist() == (p > threshold).tolist()
        assert sum(line[1] for line in model.evaluate(table, threshold).confusion) == int(
            (p > threshold).sum()
        )
    for wrong in (0, 1, "high", True):
        with pytest.raises(SpecificationError, match="threshold"):
            model.evaluate(table, wrong)  # type: ignore[arg-type]


def test_a_class_that_is_not_known_is_counted() -> None:
    model, table = trained("binary")
    more = {name: np.append(values, values[:3]) for name, values in table.items()}
    more["y"][-3:] = "??"
    found = model.evaluate(more)
    assert (found.rows, found.unknown) == (ROWS, 3)
    assert found.accuracy == model.evaluate(table).accuracy
    with pytest.raises(ModelError, match="no row has a class"):
        model.evaluate({**table, "y": np.full(ROWS, "??")})


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_rows_of_the_training_are_known_again(dtype: str, tmp_path: Path) -> None:
    table, other = samples("binary"), samples("binary", seed=1)
    model = fit_table(table, "y", hidden=(), validation=0.25, epochs=1, dtype=dtype)
    model = Model.load(model.save(tmp_path / "m.safetensors"))
    training = model.fit.training_rows
    assert model.evaluate(table).seen == len(training) == 180
    assert model.evaluate(other).seen == 0
    mixed = {name: np.append(values[training[:7]], other[name]) for name, values in table.items()}
    assert model.evaluate(pa.table(mixed)).seen == 7


def test_hashes_tell_rows_apart() -> None:
    X = np.random.default_rng(0).normal(size=(50_000, 3))
    Y = np.zeros((50_000, 1))
    hashes = row_hashes(X, Y)
    assert np.unique(hashes).size == 50_000
    np.testing.assert_array_equal(row_hashes(X[40_000:], Y[40_000:]), hashes[40_000:])
    assert row_hashes(np.array([[-0.0]]), Y[:1]) == row_hashes(np.array([[0.0]]), Y[:1])
