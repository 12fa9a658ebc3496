"""Why a prediction: contributions add up, a linear model's are its terms; what matters matters."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from handgrad.cli.main import app
from handgrad.errors import ModelError, SpecificationError
from handgrad.models.fit_table import fit_table
from handgrad.models.importance import importance, partial_dependence
from handgrad.models.model import Model
from handgrad.models.why import why
from handgrad.nn.activations import ACTIVATIONS
from handgrad.nn.attribution import input_gradients, integrated_gradients
from handgrad.nn.network import Dense, Network
from handgrad.nn.optimizers import Adam
from handgrad.training.fit import fit

PENGUINS = Path(__file__).parents[2] / "examples" / "penguins.csv"


@pytest.fixture(scope="module")
def penguins() -> Model:
    return fit_table(PENGUINS, "species", epochs=15, seed=1)


@pytest.fixture(scope="module")
def mass() -> Model:
    return fit_table(PENGUINS, "body_mass_g", epochs=15, hidden=(16,), seed=1)


@pytest.mark.parametrize("name", [name for name in ACTIVATIONS if name not in ("step",)])
def test_input_gradients_are_central_differences(name: str) -> None:
    r = np.random.default_rng(3)
    layers = [Dense(4, "tanh"), Dense(3, name)]
    network = Network(2, layers, None if name != "softmax" else "cross_entropy")
    parameters = network.initial_parameters(7)
    X = r.normal(0, 1, (5, 2)) + 0.01
    _, gradient = input_gradients(network, parameters, X, 1)
    for j in range(2):
        step = np.zeros(2)
        step[j] = 1e-6
        up, down = (input_gradients(network, parameters, X + s * step, 1)[0] for s in (1, -1))
        assert np.allclose(gradient[:, j], (up - down) / 2e-6, rtol=1e-5, atol=1e-8)


def test_of_a_linear_model_the_contributions_are_its_terms() -> None:
    network = Network(3, [Dense(1, W=[[2.0, -1.0, 0.5]], b=[0.3])])
    x = np.array([1.0, 2.0, -4.0])
    found = integrated_gradients(network, network.initial_parameters(), x, np.zeros(3), 0)
    assert np.allclose(found.contributions, [2.0, -2.0, -2.0])
    assert (found.baseline, found.output) == (pytest.approx(0.3), pytest.approx(-1.7))


@pytest.mark.parametrize("row", [0, 3, 150, 340])
def test_contributions_add_up_to_the_output_less_the_baseline(penguins: Model, mass: Model, row: int) -> None:
    for model in (penguins, mass):
        found = why(model, PENGUINS, row)
        total = sum(part.contribution for part in found.contributions)
        difference = found.output - found.baseline
        assert abs(total - difference) <= 1e-3 * abs(difference) + 1e-9
        sizes = [abs(part.contribution) for part in found.contributions]
        assert sizes == sorted(sizes, reverse=True)


def test_the_output_is_what_the_model_predicts_in_the_targets_own_unit(penguins: Model, mass: Model) -> None:
    table = {name: column[:5] for name, column in _columns().items()}
    found = why(penguins, table, 2)
    assert found.predicted == penguins.predict(table)[2]
    classes = penguins.schema.target.classes[0] if penguins.schema is not None else ()
    probability = penguins.predict_proba(table)[2][classes.index(str(found.predicted))]
    assert found.probability == pytest.approx(probability) == pytest.approx(found.output)
    heavy = why(mass, table, 2)
    assert (
        heavy.output == pytest.approx(float(mass.predict(table)[2])) == pytest.approx(float(heavy.predicted))
    )
    assert {part.column for part in heavy.contributions} == {
        "species", "island", "bill_length_mm", "bill_depth_mm", "flipper_length_mm", "sex", "year"
    }  # fmt: skip


def _columns() -> dict[str, list[Any]]:
    from handgrad.data.tables import read_table

    table = read_table(PENGUINS)
    return {name: table.column(name).to_pylist() for name in table.names}


def test_another_class_can_be_asked_for_and_a_binary_output_explains_both() -> None:
    r = np.random.default_rng(0)
    table = {"a": r.normal(0, 1, 200).tolist(), "b": r.normal(0, 1, 200).tolist()}
    table["y"] = ["yes" if a > 0 else "no" for a in table["a"]]  # type: ignore[misc]
    model = fit_table(table, "y", hidden=(8,), epochs=30, seed=0)
    row = int(np.argmax(np.abs(table["a"])))  # far from the border a decides
    yes, no = (why(model, table, row, of=name) for name in ("yes", "no"))
    assert yes.output + no.output == pytest.approx(1)
    assert yes.contributions[0].column == "a"
    assert yes.contributions[0].contribution == pytest.approx(-no.contributions[0].contribution)


def test_what_is_not_there_is_told(penguins: Model) -> None:
    for call, message in (
        (lambda: why(penguins, PENGUINS, 344), "rows 0 to 343"),
        (lambda: why(penguins, PENGUINS, -1), "row -1"),
        (lambda: why(penguins, PENGUINS, 0, of="Emperor"), "no class 'Emperor'"),
        (lambda: why(penguins, PENGUINS, 0, target="sex"), "no target 'sex'"),
        (lambda: partial_dependence(penguins, PENGUINS, "species"), "does not use a column"),
    ):
        with pytest.raises(SpecificationError, match=message):
            call()
    arrays = Model(fit(Network(1, [Dense(1)], "squared_error"), [[1.0], [2.0]], [1.0, 2.0], epochs=1))
    with pytest.raises(ModelError, match="knows no columns"):
        why(arrays, [[1.0]], 0)


def test_shuffling_what_the_target_hangs_on_costs_most_and_noise_costs_nothing() -> None:
    r = np.random.default_rng(1)
    table = {"signal": r.normal(0, 1, 400), "noise": r.normal(0, 1, 400), "word": r.choice(["p", "q"], 400)}
    table["y"] = 3 * table["signal"] + 2 * (table["word"] == "p")
    model = fit_table(table, "y", hidden=(), optimizer=Adam(0.05), epochs=60, seed=0)
    found = importance(model, table, repeats=3)
    assert [part.column for part in found.columns[:2]] == ["signal", "word"]
    assert abs(found.columns[-1].fall) < 0.01
    answers = partial_dependence(model, table, "word")
    means = dict(zip(answers.values, answers.means, strict=True))
    assert means["p"] - means["q"] == pytest.approx(2, abs=0.1)
    rising = partial_dependence(model, table, "signal").means
    assert np.all(np.diff(rising) > 0)


def test_the_commands_print_what_the_contract_says(penguins: Model, tmp_path: Path) -> None:
    path = str(penguins.save(tmp_path / "p.safetensors"))
    run = CliRunner().invoke(app, ["why", path, str(PENGUINS), "--row", "3", "--json"])
    assert run.exit_code == 0, run.output
    data = json.loads(run.stdout)
    assert {"prediction", "baseline", "output", "contributions"} <= data.keys()
    assert {"column", "value", "contribution"} <= data["contributions"][0].keys()
    total = sum(part["contribution"] for part in data["contributions"])
    assert abs(total - (data["output"] - data["baseline"])) <= 1e-3 * abs(data["output"] - data["baseline"])
    values = {part["column"]: part["value"] for part in data["contributions"]}
    assert values["bill_length_mm"] is None and values["island"] == "Torgersen"  # row 3 has empty cells
    shown = CliRunner().invoke(app, ["why", path, str(PENGUINS), "--row", "3"])
    assert "contribution" in shown.stdout and "(empty)" in shown.stdout
    ranked = CliRunner().invoke(app, ["importance", path, str(PENGUINS), "--repeats", "1", "--json"])
    assert len(json.loads(ranked.stdout)["columns"]) == 7
    answers = CliRunner().invoke(app, ["importance", path, str(PENGUINS), "--column", "island"])
    assert "Torgersen" in answers.stdout
