"""Scalings, missing cells, rare and very many categories: what the features are, and that training uses them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sklearn.preprocessing import RobustScaler

from handgrad.data.columns import MOST_CATEGORIES, decide_kind, measure
from handgrad.data.effects import Goal, cross_fitted, effects_of
from handgrad.data.schema import Choices, decide, measured_schema
from handgrad.data.tables import Table, read_table
from handgrad.errors import DataError
from handgrad.models.fit_table import fit_table
from handgrad.models.model import Model
from handgrad.nn.optimizers import Adam

G = np.random.default_rng(3)
SKEWED = G.lognormal(0, 2, 500)


def encoded(column: Any, table: Table) -> Any:
    return column.encode(table)[0]


def test_robust_scaling_is_that_of_scikit_learn() -> None:
    table = read_table({"x": SKEWED})
    expected = RobustScaler(unit_variance=True).fit_transform(SKEWED[:, None])
    np.testing.assert_allclose(encoded(measure(table, "x", "number", scaling="robust"), table), expected)


def test_quantile_scaling_takes_outliers_to_the_end() -> None:
    table = read_table({"x": SKEWED})
    column = measure(table, "x", "number", scaling="quantile")
    values = encoded(column, table)[:, 0]
    np.testing.assert_allclose([values.mean(), values.std()], [0, 1], atol=1e-9)
    assert np.array_equal(np.argsort(values, kind="stable"), np.argsort(SKEWED, kind="stable"))
    assert abs(values).max() < 2 < abs(SKEWED - SKEWED.mean()).max() / SKEWED.std()
    far = encoded(column, read_table({"x": [1e300, -1e300]}))[:, 0]
    np.testing.assert_allclose(far, [values.max(), values.min()])


def test_a_missing_number_may_be_the_median() -> None:
    table = read_table({"x": [1.0, None, 2.0, 30.0]})
    column = measure(table, "x", "number", missing="median")
    values = np.array([1.0, 2.0, 2.0, 30.0])
    present = values[[0, 2, 3]]
    np.testing.assert_allclose(encoded(column, table)[:, 0], (values - present.mean()) / present.std())
    assert column.features == ("x", "x missing")


def test_rows_with_missing_cells_may_be_left_out_or_refused(tmp_path: Path) -> None:
    x = np.where(np.arange(60) % 10 == 3, np.nan, G.normal(size=60))
    table = {"x": x, "y": ["a", "b"] * 30}
    model = fit_table(table, "y", epochs=2, missing="drop")
    assert model.origin is not None and (model.origin.rows, model.origin.left_out) == (60, 6)
    assert model.training_data(table).X.shape == (54, 1)
    with pytest.raises(DataError, match="row 4, column 'x': the cell is missing"):
        fit_table(table, "y", missing="refuse")


def test_rare_categories_share_a_feature_and_new_ones_are_told_apart() -> None:
    cells = ["a"] * 600 + ["b"] * 597 + ["rare 1", "rare 2", "rare 2"]
    table = read_table({"c": cells})
    column = measure(table, "c", "category")
    assert column.features == ("c=a", "c=b", "c is rare")
    new = read_table({"c": ["b", "rare 1", "never seen", None]})
    features, unknown = column.encode(new)
    assert features.tolist() == [[0, 1, 0], [0, 0, 1], [0, 0, 0], [0, 0, 0]]
    assert unknown == 1


def test_effects_are_shrunken_means() -> None:
    places, Y = np.array([0, 0, 1, -1]), np.array([[1.0], [3.0], [8.0], [4.0]])
    effects = effects_of(places, 2, Y)
    mean = 4.0
    np.testing.assert_allclose(effects[:, 0], [(4 + 5 * mean) / 7, (8 + 5 * mean) / 6, mean])
    np.testing.assert_allclose(effects[:, 1], np.log([3, 2, 1]))


def test_no_row_tells_its_own_target() -> None:
    """The effect of a row does not change when its own target does."""
    places, Y = G.integers(0, 9, 80), G.normal(size=(80, 1))
    before = cross_fitted(places, 9, Y, seed=4)
    for row in (0, 17, 79):
        other = Y.copy()
        other[row] += 100
        np.testing.assert_allclose(cross_fitted(places, 9, other, seed=4)[row], before[row], atol=1e-13)
    assert not np.array_equal(before, cross_fitted(places, 9, Y, seed=5))


def many(rows: int = 6000, kinds: int = 1000) -> dict[str, Any]:
    """The class is a function of a column of very many categories."""
    c = G.integers(0, kinds, rows)
    wins = np.random.default_rng(9).random(kinds) < 0.5
    return {"c": np.array([f"kind {k}" for k in range(kinds)])[c], "x": G.normal(size=rows),
            "y": np.where(wins[c], "yes", "no")}  # fmt: skip


@pytest.mark.parametrize("encoding", ["effect", "sparse"])
def test_a_column_of_a_thousand_categories_keeps_its_signal(tmp_path: Path, encoding: str) -> None:
    table = many()
    model = fit_table(table, "y", epochs=15, optimizer=Adam(0.01), seed=1, encode={"c": encoding})
    assert model.schema is not None
    if encoding == "effect":
        assert model.schema.features == ("c effect on yes", "c frequency", "x")
    else:
        assert model.schema.features[:2] == ("x", "c=kind 0")
    assert (model.evaluate(many()).accuracy or 0) > 0.9
    again = Model.load(model.save(tmp_path / "m.safetensors"))
    np.testing.assert_array_equal(again.predict(table), model.predict(table))
    seen = again.training_data(table)  # the fingerprint agrees, cross-fitted effects and all
    again.replay(model.fit.steps, table)
    assert seen.X.shape == (6000, 3 if encoding == "effect" else 2)


def test_effects_learn_from_the_training_rows_alone() -> None:
    table = read_table(many(3000, 400))
    rows = np.arange(2000)
    schema = measured_schema(table, decide(table, ["y"]), rows, Choices(encode={"c": "effect"}))
    (column,) = (column for column in schema.columns if column.name == "c")
    first = table.take(rows)
    Y = schema.target.encode(first)
    alone = measure(first, "c", "category", goal=Goal(Y, ("yes",)), encoding="effect")
    order = [alone.categories.index(category) for category in column.categories]
    np.testing.assert_allclose(np.array(column.effects)[:-1], np.array(alone.effects)[order])


@pytest.mark.parametrize("kinds", [MOST_CATEGORIES, MOST_CATEGORIES + 1])
def test_more_categories_than_a_few_hundred_are_effects(kinds: int) -> None:
    table = read_table({"c": pa.array([f"c{k % kinds}" for k in range(900)])})
    column = measure(table, "c", "category", goal=Goal(np.arange(900.0)[:, None], ("y",)))
    assert bool(column.effects) == (kinds > MOST_CATEGORIES)
    assert column.width == len(column.features) == (2 if column.effects else kinds)
    gathered = measure(table, "c", "category", encoding="sparse")
    assert (gathered.width, len(gathered.features)) == (1, kinds)
    assert column.unknown(table) == gathered.unknown(table) == 0


@pytest.mark.parametrize(("different", "kind"), [(600, "category"), (900, "ignored")])
def test_a_category_may_be_rare_in_most_of_its_rows(different: int, kind: str) -> None:
    """Where a fifth of the rows come again, texts are categories; where nearly none do, they name the rows."""
    texts = [f"shop {k}" for k in range(different)] + [f"shop {k}" for k in range(1000 - different)]
    assert decide_kind(read_table({"c": texts, "y": [1.0, 2.0] * 500}), "c")[0] == kind


def test_times_of_the_day_are_a_circle(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("d\n2020-01-01 06:00\n2020-01-02 18:00\n2020-01-05 12:00\n")
    column = measure(read_table(path), "d", "date")
    assert column.features == ("d", "d year sine", "d year cosine", "d day sine", "d day cosine")
    np.testing.assert_allclose(encoded(column, read_table(path))[:, 3], [1, -1, 0], atol=1e-12)


def test_dates_of_a_new_file_are_read_as_those_of_the_training(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("d,y\n13/02/2010,1.5\n14/03/2011,2\n15/04/2012,7.5\n16/05/2013,3\n")
    column = measure(read_table(path), "d", "date")
    assert column.order == "day-first"
    path.write_text("d\n02/03/2010\n")
    assert column.filler(read_table(path)) is not None
    days = np.datetime64("2010-03-02").astype(int)
    features = encoded(column, read_table(path))
    np.testing.assert_allclose(features[0, 0] * column.deviation + column.mean, days)
