"""The views against NumPy: blocks of heat maps, norms, idle units, rows of a batch, differences, losses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import handgrad as hg
from handgrad.errors import HandgradError, SpecificationError
from handgrad.live.walk import views
from handgrad.live.walk.heat import Region, heat, largest_of_blocks, root_mean_square
from handgrad.live.walk.units import idle_units
from handgrad.live.walk.walked import Walked
from handgrad.models.training_data import TrainingData
from handgrad.worksheets.worksheet import explain


@pytest.fixture(scope="module")
def walked(models: list[Path]) -> Walked:
    return Walked(hg.Model.load(models[0]), "slow")


@pytest.mark.parametrize(("rows", "columns", "down", "across"), [(5, 7, 2, 3), (4, 4, 4, 1), (1, 9, 1, 2)])
def test_a_block_shows_its_number_of_largest_magnitude(
    rows: int, columns: int, down: int, across: int
) -> None:
    array = np.random.default_rng(rows).normal(0, 1, (rows, columns))
    found = largest_of_blocks(array, down, across)
    for i in range(0, rows, down):
        for j in range(0, columns, across):
            block = array[i : i + down, j : j + across].ravel()
            assert found[i // down, j // across] == max(block, key=abs)


def test_what_is_not_finite_is_not_hidden_in_a_block() -> None:
    array = np.zeros((200, 3))
    array[150, 1] = np.nan
    found = heat(array)
    assert found["down"] == 4
    assert found["cells"][150 // 4][1] is None
    assert found["unbounded"] == 1
    assert len(found["cells"]) == 50


def test_a_region_is_shown_entry_by_entry() -> None:
    array = np.arange(300 * 200, dtype=float).reshape(300, 200)
    found = heat(array, Region.parse("100:164,10:74"))
    assert (found["down"], found["across"]) == (1, 1)
    assert found["cells"][3][5] == pytest.approx(array[103, 15], rel=1e-3)
    for wrong in ("1:1,0:2", "0:301,0:2", "-1:3,0:2", "0:2", "a:b,c:d", "5:2,0:1"):
        with pytest.raises(SpecificationError):
            heat(array, Region.parse(wrong))


def test_the_root_mean_square_does_not_overflow() -> None:
    assert root_mean_square(np.full(3, 1e300)) == pytest.approx(1e300)
    assert root_mean_square(np.zeros(3)) == 0.0


@pytest.mark.parametrize("number", [1, 7, 24])
def test_a_step_is_the_one_that_explain_opens(walked: Walked, models: list[Path], number: int) -> None:
    wanted = explain(models[0], step=number).quantities()
    found = views.step(walked, number)
    assert found["numbers"]["loss"] == float(wanted["loss"])
    pairs = [(f"{letter}{l}", wanted[f"{letter}{l}"]) for l in (1, 2, 3) for letter in "Wb"]
    for kind, of in (
        ("gradient_norm", [wanted[f"d{name}"] for name, _ in pairs]),
        ("weight_norm", [value for _, value in pairs]),
        ("update_norm", [wanted[f"{name}_new"] - value for name, value in pairs]),
    ):
        norm = np.sqrt(sum(float((array.astype(float) ** 2).sum()) for array in of))
        assert found["numbers"][kind] == pytest.approx(norm, rel=1e-12), kind
    shown = {
        one["name"]: np.array(one["cells"], float)
        for layer in found["layers"]
        for maps in layer["maps"].values()
        for one in maps
    }
    for l in (1, 2, 3):
        assert np.allclose(shown[f"W{l}"], wanted[f"W{l}"], rtol=1e-3)
        assert np.allclose(shown[f"db{l}"][:, 0], wanted[f"db{l}"], rtol=1e-3)
        a = wanted["yhat"] if l == 3 else wanted[f"a{l}"]
        assert np.allclose(shown[f"a{l}"], a.T, rtol=1e-3)
    assert set(views.names(found)) == set(shown)


def test_idle_units_are_those_whose_derivative_says_so() -> None:
    network = hg.Network(1, [hg.Dense(4, "tanh"), hg.Dense(1)], "squared_error")
    slopes = np.array([[0.0, 0.001, 0.5, 0.0], [0.0, 0.009, 0.001, 0.002]])
    found = idle_units(network, {"derivative1": slopes, "derivative2": np.ones((2, 1))}, 1)
    assert found is not None
    assert (found["dead"], found["saturated"]) == ([0], [1, 3])
    assert found["share"] == 7 / 8
    assert idle_units(network, {"derivative2": np.zeros((2, 1))}, 2) is None


def test_a_difference_is_taken_entry_by_entry(walked: Walked, models: list[Path]) -> None:
    other = Walked(hg.Model.load(models[1]), "quick")
    found = views.step(walked, 9, (other, 4))
    wanted = explain(models[0], step=9).quantities()["W2"] - explain(models[1], step=4).quantities()["W2"]
    [shown] = [one for one in found["layers"][1]["maps"]["weights"] if one["name"] == "W2"]
    assert np.allclose(np.array(shown["cells"], float), wanted, rtol=2e-3, atol=1e-9)
    part = views.part(walked, 9, "W2", Region(0, 2, 1, 4), (other, 4))
    assert np.allclose(np.array(part["cells"], float), wanted[:2, 1:4], rtol=2e-3, atol=1e-9)


def test_networks_of_other_sizes_have_no_difference(walked: Walked) -> None:
    line = hg.Network(1, [hg.Dense(1)], "squared_error")
    X, Y = np.array([[0.0], [1.0]]), np.array([[1.0], [3.0]])
    other = Walked(hg.Model(hg.fit(line, X, Y, epochs=2)), "line", (X, Y))
    with pytest.raises(SpecificationError, match="other sizes"):
        views.step(walked, 1, (other, 1))


def test_the_rows_of_a_batch_are_those_of_the_file(walked: Walked, models: list[Path]) -> None:
    lines = [line.split(",") for line in (models[0].parent / "kinds.csv").read_text().splitlines()[1:]]
    found = views.batch(walked, 3)
    assert found["samples"] == 8
    assert found["columns"] == ["length", "<b>width</b>", "colour"]
    for row, cells, target in zip(found["rows"], found["cells"], found["targets"], strict=True):
        assert target == [lines[row][3]]
        assert cells[2] == lines[row][2]
        assert float(cells[0]) == float(lines[row][0])
    wanted = explain(models[0], step=3).quantities()
    assert np.mean(found["losses"]) == pytest.approx(float(wanted["loss"]), rel=1e-12)
    predicted = np.where(wanted["yhat"][:, 0] > 0.5, "yes", "no").tolist()
    assert found["predicted"] == predicted
    with pytest.raises(SpecificationError, match="places 0 to 7"):
        views.batch(walked, 3, 8)


def test_why_speaks_of_the_parameters_of_the_step(walked: Walked) -> None:
    early, late = (views.reasons(walked, number, 7) for number in (1, 24))
    assert early["row"] == late["row"] == 7
    for found in (early, late):
        total = sum(part["contribution"] for part in found["contributions"])
        assert found["baseline"] + total == pytest.approx(found["output"], abs=1e-3)
    assert early["output"] != late["output"]
    assert {part["column"]: part["value"] for part in early["contributions"]}["<b>width</b>"] is None
    with pytest.raises(SpecificationError, match="rows 0 to 39"):
        views.reasons(walked, 1, 40)


def test_the_losses_of_an_epoch_are_those_of_its_steps(walked: Walked, models: list[Path]) -> None:
    per = walked.fit.steps_per_epoch
    found = views.epoch(walked, per + 2)
    assert found["first"] == per + 1
    for k, loss in enumerate(found["losses"]):
        wanted = float(explain(models[0], step=per + 1 + k).quantities()["loss"])
        assert loss == pytest.approx(wanted, rel=1e-12)


def test_a_sheet_is_brief_unless_more_is_asked_for(walked: Walked) -> None:
    brief, focused = views.sheet(walked, 5).decode(), views.sheet(walked, 5, focus="W1[0,2]").decode()
    assert "<b>width</b>" not in brief
    assert brief != focused
    for number, choices in ((0, {}), (10**9, {}), (5, {"focus": "W9[0,0]"}), (5, {"detail": "all"})):
        with pytest.raises(HandgradError):
            views.sheet(walked, number, **choices)


def test_a_training_on_arrays_is_walked_where_its_arrays_are_given() -> None:
    network = hg.Network(2, [hg.Dense(3, "relu"), hg.Dense(1)], "squared_error")
    X, Y = np.random.default_rng(0).normal(0, 1, (9, 2)), np.ones((9, 1))
    model = hg.Model(hg.fit(network, X, Y, epochs=3, batch_size=4))
    walked = Walked(model, "arrays", seen=TrainingData(X, Y, np.arange(9)))
    found = views.batch(walked, 2)
    assert found["columns"] == ["x1", "x2"]
    assert found["targets"] == [["1"]] * 4
    assert not views.training(walked)["rows"]
    with pytest.raises(HandgradError, match="cannot be read again"):
        views.reasons(walked, 1, 0)


def test_a_long_history_is_thinned_and_says_so() -> None:
    line = hg.Network(1, [hg.Dense(1)], "squared_error")
    X, Y = np.array([[0.0], [1.0]]), np.array([[1.0], [3.0]])
    walked = Walked(hg.Model(hg.fit(line, X, Y, epochs=2500, batch_size=1)), "line", (X, Y))
    found = views.training(walked)
    assert found["every"] == 3
    assert len(found["history"]) <= 1001
    assert found["history"][-1]["epoch"] == 2500
