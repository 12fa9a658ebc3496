"""The search for settings, as a function and as a command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import handgrad as hg
from handgrad.cli.main import status
from handgrad.data.tables import read_table
from handgrad.errors import DataError, MissingExtraError, SpecificationError
from handgrad.models.fit_table import fit_prepared, network_for
from handgrad.models.prepared import Prepared, prepare
from handgrad.models.search import FIRST_TRIALS, Search, Settings, search
from handgrad.models.splits import Parting

pytest.importorskip("optuna")
GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(120, 3))
TABLE = {"a": X[:, 0], "b": X[:, 1], "c": X[:, 2], "y": np.sin(2 * X[:, 0]) + X[:, 1]}


@pytest.fixture(scope="module")
def ready() -> Prepared:
    return prepare(read_table(TABLE), ["y"], parting=Parting(0.25), seed=1)


@pytest.fixture(scope="module")
def found(ready: Prepared) -> Search:
    return search(ready, trials=9, epochs=12, seed=4)


def test_the_best_is_the_lowest_of_its_trials(found: Search) -> None:
    losses = [trial.loss for trial in found.trials if trial.loss is not None]
    assert len(found.trials) == 9
    assert found.best.loss == min(losses)
    assert found.trials[0].settings == Settings((64, 32), 0.001, 1e-6, 0.0, 32), "the defaults begin"
    assert [trial.number for trial in found.trials] == list(range(1, 10))
    assert all(trial.ended != "worse than the median" for trial in found.trials[:FIRST_TRIALS])
    history = found.model.fit.history
    assert (
        min(line.validation_loss for line in history if line.validation_loss is not None) == found.best.loss
    )


def test_the_model_is_what_its_settings_train(ready: Prepared, found: Search) -> None:
    hidden, rate, l2, dropout, batch_size = found.best.settings
    again = fit_prepared(
        ready,
        network_for(ready.schema, hidden, dropout=dropout),
        optimizer=hg.Adam(rate),
        regularization=hg.Regularization(l2=l2),
        batch_size=batch_size,
        epochs=12,
        seed=4,
    )
    np.testing.assert_array_equal(again.parameters[0].W, found.model.parameters[0].W)


def test_the_same_seed_tries_the_same(ready: Prepared, found: Search) -> None:
    again = search(ready, trials=3, epochs=12, seed=4)
    assert [trial.settings for trial in again.trials] == [trial.settings for trial in found.trials[:3]]
    assert [trial.loss for trial in again.trials] == [trial.loss for trial in found.trials[:3]]


def test_a_bad_trial_is_ended_early(found: Search) -> None:
    ended = [trial for trial in found.trials if trial.loss is None]
    assert ended, "with this seed one is worse than the median"
    assert all(trial.epochs < 12 for trial in ended)


def test_what_cannot_be_searched(ready: Prepared, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SpecificationError, match="at least 1"):
        search(ready, trials=0)
    with pytest.raises(DataError, match="validation rows"):
        search(prepare(read_table(TABLE), ["y"], parting=Parting(0.0)))
    monkeypatch.setitem(__import__("sys").modules, "optuna", None)
    with pytest.raises(MissingExtraError, match=r"handgrad\[tune\]"):
        search(ready)


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.chdir(tmp_path)
    np.savez("table.npz", **TABLE)
    call = ["tune", "table.npz", "--target", "y", "--trials", "2", "--epochs", "3", "-o", "best.safetensors"]
    assert status(call) == 0
    shown = capsys.readouterr()
    assert "again: handgrad train ... --optimizer adam --hidden" in shown.out
    assert "which flatters it" in shown.out.replace("\n", " ")
    assert shown.err.count("trial ") == 2
    assert hg.Model.load("best.safetensors").predict({name: TABLE[name] for name in "abc"}).shape == (120,)
    assert status([*call, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [trial["trial"] for trial in told["trials"]] == [1, 2]
    assert status(["tune", "table.npz", "--target", "y", "-o", "table.npz"]) == 2
    assert status([*call, "--trials", "0"]) == 2
