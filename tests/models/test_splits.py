"""Rows that train, validate and test: groups stay together, time goes forward, folds cover everything once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from handgrad.data.tables import read_table
from handgrad.errors import DataError, SpecificationError
from handgrad.models.fit_table import fit_table
from handgrad.models.splits import Parting, checked_parting, folds_of, parted

G = np.random.default_rng(0)
ROWS = 200
TABLE = {
    "x": G.normal(size=ROWS),
    "who": np.array([f"w{k}" for k in range(20)])[G.integers(0, 20, ROWS)],
    "when": [f"2020-{1 + k % 12:02}-{1 + k // 12:02}" for k in range(ROWS)],
    "y": np.where(G.random(ROWS) < 0.3, "yes", "no"),
}
CLASSES = (TABLE["y"] == "yes").astype(int)


@pytest.mark.parametrize(
    "parting",
    [
        Parting(0.2, 0.3),
        Parting(0.2, 0.3, group="who"),
        Parting(0.2, 0.3, time="when"),
        Parting(0.25, group="who"),
    ],
)
def test_parts_are_disjoint_and_of_the_size_asked_for(parting: Parting) -> None:
    table = read_table(TABLE)
    split, test = parted(table, CLASSES, parting, seed=3)
    everything = np.sort(np.concatenate([split.training, split.validation, test]))
    assert everything.tolist() == list(range(ROWS))
    slack = 0.1 if parting.group else 0.011
    assert len(test) / ROWS == pytest.approx(parting.test, abs=slack)
    assert len(split.validation) / ROWS == pytest.approx(parting.validation, abs=slack)
    parts = [split.training, split.validation, test]
    if parting.group:
        who = [set(TABLE["who"][rows]) for rows in parts]
        assert not who[0] & who[1] and not who[0] & who[2] and not who[1] & who[2]
    if parting.time:
        when = [[TABLE["when"][row] for row in rows] for rows in parts]
        assert max(when[0]) <= min(when[1]) and max(when[1]) <= min(when[2])


@pytest.mark.parametrize("column", [{}, {"group": "who"}, {"time": "when"}])
def test_each_row_validates_in_one_fold(column: dict[str, str]) -> None:
    table, held = read_table(TABLE), []
    for parting in folds_of(Parting(folds=5, **column)):  # type: ignore[arg-type]
        split, test = parted(table, CLASSES, parting, seed=1)
        assert not set(split.training) & set(split.validation) and not len(test)
        held += split.validation.tolist()
        if not column:  # of each class the same part
            assert abs(CLASSES[split.validation].sum() - CLASSES.sum() / 5) < 1
    assert sorted(held) == list(range(ROWS))


def test_what_cannot_be_parted_is_told() -> None:
    with pytest.raises(SpecificationError, match="not by both"):
        checked_parting(Parting(group="a", time="b"))
    with pytest.raises(SpecificationError, match="leave some"):
        checked_parting(Parting(0.5, 0.5))
    with pytest.raises(SpecificationError, match="at least 2"):
        checked_parting(Parting(folds=1))
    with pytest.raises(DataError, match="dates or numbers"):
        parted(read_table(TABLE), None, Parting(time="who"), 0)
    with pytest.raises(DataError, match="no column 'else'"):
        parted(read_table(TABLE), None, Parting(group="else"), 0)


def test_a_table_of_its_own_validates_and_the_training_opens(tmp_path: Path) -> None:
    other = {name: values[:50] for name, values in TABLE.items()}
    model = fit_table(TABLE, "y", validation=other, epochs=3, hidden=(4,), ignore=["who"])
    assert len(model.fit.training_rows) == ROWS
    assert model.fit.history[-1].validation_loss is not None
    model = type(model).load(model.save(tmp_path / "m.safetensors"))
    assert model.training_data(TABLE).X.shape[0] == ROWS
    model.replay(5, TABLE)


def test_the_column_of_the_groups_is_no_feature_and_test_rows_are_not_trained_on() -> None:
    model = fit_table(TABLE, "y", group="who", test=0.25, epochs=1)
    assert model.schema is not None
    assert not any(feature.startswith("who") for feature in model.schema.features)
    assert len(model.fit.training_rows) + len(model.fit.validation_rows) < ROWS * 0.85
