"""What a sheet says is so: each sentence here once said something else."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

import handgrad as hg
from handgrad.worked.verify import verify
from handgrad.writing.numerals import Precision, shown


def case(
    layers: list[dict[str, object]], loss: str, x: object, y: object, **more: object
) -> dict[str, object]:
    inputs = len(np.atleast_2d(np.asarray(x))[0])
    return {
        "network": {"inputs": inputs, "loss": loss, "layers": layers},
        "data": {"x": x, "y": y},
        **more,
    }


SGD = {"name": "sgd", "learning_rate": 0.1}
TABLE = {
    "length": [0.1, 0.9, 0.2, 0.8, 0.4, 0.7, 0.3, 0.6] * 4,
    "label": ["no", "yes", "no", "yes", "no", "yes", "no", "yes"] * 4,
}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return hg.fit_table(
        TABLE, "label", hidden=(3,), epochs=4, batch_size=8, validation=0, seed=1, engine="reference"
    )


@pytest.fixture(scope="module")
def stopped():
    """A training that was stopped early: its parameters are not the last ones."""
    rng = np.random.default_rng(0)
    table = {"x": rng.normal(size=40).tolist(), "y": rng.choice(["a", "b"], 40).tolist()}
    made = hg.fit_table(
        table, "y", hidden=(8,), epochs=60, batch_size=8, validation=0.4, seed=3, engine="reference",
        optimizer=hg.Adam(0.05), early_stopping=hg.EarlyStopping(patience=5),
    )  # fmt: skip
    assert made.fit.best_epoch is not None
    assert made.fit.best_epoch < len(made.fit.history)
    return made, table


def flat(text: str) -> str:
    """The text without line breaks, as its sentences are."""
    return " ".join(text.split())


# --- which step it is -----------------------------------------------------------------------------------


def test_a_step_on_chosen_rows_is_none_of_the_training(model):
    text = hg.explain(model, data=TABLE, rows="0:1").text()
    steps = model.fit.steps
    assert f"of {steps + 1}" not in text
    assert "A step from the trained parameters" in text
    assert f"The training had {steps} steps in 4 epochs. This is not one of them" in flat(text)


def test_the_parameters_of_an_earlier_epoch_are_said_and_counted(stopped):
    model, table = stopped
    sheet = hg.explain(model, data=table, rows="0:1")
    best = model.fit.best_epoch
    assert f"early stopping kept the parameters of epoch {best}" in flat(sheet.text())
    number = model.fit.history[best - 1].steps + 1
    assert f"it is step {number}." in flat(sheet.text())
    trace = next(sheet.traces())
    assert trace.number == number
    np.testing.assert_array_equal(trace.quantities["W1"], model.parameters[0].W)
    replayed = model.replay(number, table)
    np.testing.assert_allclose(replayed.training.parameters[0].W, model.parameters[0].W, rtol=1e-12)


def test_a_step_of_the_training_on_other_rows_says_so_and_keeps_its_number(model):
    text = hg.explain(model, data=TABLE, rows="0:1", step=3).text()
    assert f"Step 3 of {model.fit.steps}, on rows of your choice" in text
    assert f"of {model.fit.steps + 1}" not in text
    assert f"Step 3 of {model.fit.steps}\n" in hg.explain(model, data=TABLE, step=3).text()


# --- classes by their names -----------------------------------------------------------------------------


def test_one_output_is_the_probability_of_the_second_class(model):
    text = flat(hg.explain(model, data=TABLE, rows="0:1", detail="matrix").text())
    assert "The output is the probability of yes; the other class is no." in text
    assert re.search(r"the prediction says: yes with [\d.]+ %", text)
    assert "class 1" not in text
    assert "in this order: no, yes" not in text


# --- dropout --------------------------------------------------------------------------------------------


def dropped(mask: list[list[int]], steps: int = 1) -> dict[str, object]:
    hidden = {
        "units": 3, "activation": "relu", "W": [[0.1, 0.2], [0.3, 0.4], [0.5, -0.2]],
        "dropout": {"keep": 0.5, "mask": mask},
    }  # fmt: skip
    layers = [hidden, {"units": 1, "W": [[0.5, 0.6, 0.1]]}]
    return case(layers, "squared_error", [[0.5, 0.3]], [[1.0]], optimizer=SGD, training={"steps": steps})


@pytest.mark.parametrize("detail", ["brief", "matrix"])
def test_the_mask_stands_between_the_activation_and_the_output(detail):
    text = hg.explain(dropped([[1, 0, 1]]), detail=detail).text()
    assert "a[1] = ReLU(z[1])" not in text
    assert "a[l] = ReLU(z[l])" not in text
    assert ("u[1] = ReLU(z[1])" in text) or ("u[l] = ReLU(z[l])" in text)
    assert "f[1]" not in text  # f is the function


def test_the_mask_of_the_second_pass_is_said():
    sheet = hg.explain(dropped([[1, 0, 1]]))
    assert "with the same mask and the new parameters" in flat(sheet.text())
    plain = dropped([[1, 0, 1]])
    plain["network"]["layers"][0].pop("dropout")
    assert "with the same mask" not in flat(hg.explain(plain).text())


def test_the_next_step_has_a_mask_of_its_own():
    drawn = dropped([[1, 0, 1]], steps=2)
    drawn["network"]["layers"][0]["dropout"] = {"keep": 0.5}
    drawn["network"]["layers"][0] |= {"units": 8, "W": [[0.1, 0.2]] * 8}
    drawn["network"]["layers"][1]["W"] = [[0.5] * 8]
    sheet = hg.explain(drawn)
    first, second = (step.quantities["mask1"] for step in sheet.record.steps)
    assert not np.array_equal(first, second)
    assert "The next step draws another mask, so it opens with another loss." in flat(sheet.text())
    given = hg.explain(dropped([[1, 0, 1]], steps=2))
    assert "draws another mask" not in flat(given.text())


def test_the_next_step_sees_other_samples():
    layers = [{"units": 1, "W": [[0.5]]}]
    data = {"x": [[1.0], [2.0]], "y": [[1.0], [1.0]]}
    network = {"inputs": 1, "loss": "squared_error", "layers": layers}
    one = {"steps": 2, "batch_size": 1}
    alternating = {"network": network, "data": data, "optimizer": SGD, "training": one}
    assert "The next step sees other samples" in flat(hg.explain(alternating).text())
    whole = {"network": network, "data": data, "optimizer": SGD, "training": {"steps": 2}}
    assert "other samples" not in flat(hg.explain(whole).text())


@pytest.mark.parametrize(
    ("mask", "said"),
    [
        ([[0, 0, 0]], "switches all 3 outputs off"),
        ([[1, 0, 1]], "keeps 2 of 3 outputs"),
        ([[1, 1, 1]], "keeps all 3 outputs"),
    ],
)
def test_what_a_mask_kept_is_said(mask, said):
    assert said in flat(hg.explain(dropped(mask), detail="matrix").text())


def test_chosen_rows_of_a_model_are_seen_without_dropout():
    made = hg.fit_table(TABLE, "label", hidden=(4,), epochs=2, validation=0, engine="reference", dropout=0.5)
    text = flat(hg.explain(made, data=TABLE, rows="0:1", detail="matrix").text())
    assert "Here all units are used" in text
    assert "Here all units are used" not in flat(hg.explain(made, data=TABLE, step=1, detail="matrix").text())


# --- mathematics ----------------------------------------------------------------------------------------


ADAM = {"name": "adam", "learning_rate": 0.1}


@pytest.mark.parametrize(("optimizer", "width", "said"), [(ADAM, 2, True), (ADAM, 1, False), (SGD, 2, False)])
def test_operations_entry_by_entry_are_said_where_there_are_some(optimizer, width, said):
    layers = [{"units": 1, "bias": "none", "W": [[0.5] * width]}]
    text = hg.explain(case(layers, "squared_error", [[1.0] * width], [[0.0]], optimizer=optimizer)).text()
    assert ("A fraction bar between two matrices" in flat(text)) is said


def test_identity_is_no_function_that_is_applied():
    layers = [{"units": 2, "W": [[1.0], [2.0]]}, {"units": 1, "W": [[10.0, 20.0]]}]
    for detail in ("matrix", "scalar", "brief"):
        sheet = hg.explain(case(layers, "squared_error", [[4.0]], [[1.0]], optimizer=SGD), detail=detail)
        text = sheet.text()
        assert "id(" not in text
        assert "id′" not in text
        assert verify(sheet.record) > 10
    assert "ŷ = z[2] = 200" in hg.explain(case(layers, "squared_error", [[4.0]], [[1.0]])).text()


def softmax_case(samples: int) -> dict[str, object]:
    layer = {"units": 3, "activation": "softmax", "W": [[0.1, 0.2], [0.3, 0.4], [0.5, -0.2]]}
    x, y = [[0.5, 0.3], [1.0, -1.0]][:samples], [1, 0][:samples]
    return case([layer], "cross_entropy", x, y, optimizer=SGD)


@pytest.mark.parametrize("samples", [1, 2])
def test_softmax_is_checked_by_a_jacobian_that_is_shown(samples):
    sheet = hg.explain(softmax_case(samples))
    worked = next(step for step in sheet.record.steps[0].steps if step.quantity == "delta1")
    table, *entries = worked.route
    a = sheet.quantities()["yhat"][0]
    z = np.array([0.11, 0.27, 0.19])
    moved = [np.exp(z + h) / np.exp(z + h).sum() for h in 1e-6 * np.eye(3)]
    back = [np.exp(z - h) / np.exp(z - h).sum() for h in 1e-6 * np.eye(3)]
    numeric = (np.array(moved) - np.array(back)).T / 2e-6
    np.testing.assert_allclose(table.result.values, numeric, atol=1e-9)
    y = np.array([0.0, 1.0, 0.0])
    np.testing.assert_allclose([entry.result.value for entry in entries], a - y, atol=1e-12)
    text = flat(sheet.text())
    assert "ŷⱼ(1 − ŷⱼ) on the diagonal" in text
    assert ("For the first sample of the batch:" in text) is (samples == 2)


def test_of_many_classes_the_jacobian_is_not_written_out():
    layer = {"units": 5, "activation": "softmax", "W": [[0.1]] * 5}
    sheet = hg.explain(case([layer], "cross_entropy", [[1.0]], [2]))
    assert not next(step for step in sheet.record.steps[0].steps if step.quantity == "delta1").route


@pytest.mark.parametrize("samples", [1, 2])
def test_one_sign_for_the_gradient_of_the_weights(samples):
    sheet = hg.explain(softmax_case(samples))
    assert "⊗" not in sheet.text()
    assert "· [0.5  0.3]" in sheet.text()


# --- words about weights --------------------------------------------------------------------------------


def observed(x: list[list[float]], y: float) -> str:
    layers = [{"units": 1, "bias": "none", "W": [[0.5] * len(x[0])]}]
    return flat(hg.explain(case(layers, "squared_error", x, [[y]], optimizer=SGD)).text())


def test_nothing_is_said_of_weights_that_there_are_not():
    grew = observed([[1.0, 0.0]], 5.0)
    assert (
        "Of 2 weights, 1 with a negative gradient grew, and 1 with the gradient zero stayed the same" in grew
    )
    shrank = observed([[1.0, 0.0]], -5.0)
    assert "Of 2 weights, 1 with a positive gradient shrank, and 1 with the gradient zero" in shrank
    both = observed([[1.0, -1.0, 0.0]], -5.0)
    assert (
        "1 with a negative gradient grew, 1 with a positive gradient shrank, and 1 with the gradient" in both
    )
    for text in (grew, shrank, both):
        assert not re.search(r"\b0 (with|grew|shrank)", text)


# --- sentences that need something ----------------------------------------------------------------------


def test_a_sheet_without_numbers_says_nothing_of_them():
    network = {
        "inputs": 2,
        "loss": "squared_error",
        "layers": [{"units": 3, "activation": "tanh"}, {"units": 1}],
    }
    text = flat(hg.explain({"network": network}).text())
    assert "decimals" not in text
    assert "The same network" not in text
    assert "The network in symbols alone" in text
    assert "Only the gradients" not in text
    numbered = flat(hg.explain(softmax_case(1), parts=("problem", "formulas")).text())
    assert "Numbers are shown to 4 decimals" in numbered
    assert "The same network in symbols alone" in numbered


def test_gradients_are_asked_for_only_where_there_are_some():
    layers = [{"units": 1, "W": [[0.5]]}]
    forward = {"network": {"inputs": 1, "loss": "squared_error", "layers": layers}, "data": {"x": [[1.0]]}}
    text = flat(hg.explain(forward).text())
    assert "Only the gradients" not in text
    assert "the calculation goes forward only" in text
    backward = case(layers, "squared_error", [[1.0]], [[0.0]])
    assert "Only the gradients are asked for" in flat(hg.explain(backward).text())


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (0.045, 1, "0.045"), (-0.045, 1, "-0.045"), (0.00123, 2, "0.0012"), (0.04, 1, "0.04"),
        (0.00045, 1, "4.5 × 10⁻⁴"), (0.45, 1, "0.45"), (4.5e-7, 4, "4.5 × 10⁻⁷"),
    ],
)  # fmt: skip
def test_a_small_number_takes_no_power_of_ten_before_it_must(value, decimals, text):
    assert str(shown(value, Precision(decimals))) == text


# --- the gradient check ---------------------------------------------------------------------------------


def test_every_row_of_the_gradient_check_has_its_error():
    sheet = hg.explain(softmax_case(2), parts=("gradient_check",))
    check = sheet.record.steps[0].checks[0]
    wanted = np.abs(check.analytic - check.numeric) / np.abs(check.analytic).max()
    np.testing.assert_allclose(check.relative_errors, wanted, rtol=1e-3)
    rows = [line for line in sheet.text().splitlines() if line.startswith("∂ℒ/∂")]
    assert len(rows) == 9
    assert all(len(re.split(r"\s{2,}", row)) == 4 for row in rows)


# --- the notebook ---------------------------------------------------------------------------------------


def cells(sheet: hg.Worksheet) -> list[str]:
    return [
        "".join(cell["source"])
        for cell in json.loads(sheet.to("ipynb"))["cells"]
        if cell["cell_type"] == "code"
    ]


def test_the_notebook_computes_the_sheet_in_its_language():
    (program,) = cells(hg.explain(softmax_case(1), language="bn"))
    assert "language='bn'" in program
    names: dict[str, object] = {}
    exec(program, names)
    assert names["worksheet"].settings.language == "bn"


def test_the_notebook_of_a_model_opens_its_file(model, tmp_path, capsys):
    data = tmp_path / "data.csv"
    lines = ["length,label", *(f"{a},{b}" for a, b in zip(TABLE["length"], TABLE["label"], strict=True))]
    data.write_text("\n".join(lines) + "\n")
    path = model.save(tmp_path / "model.safetensors")
    (program,) = cells(hg.explain(path, data=data, rows="0:2", language="bn"))
    exec(program, names := {})
    sheet = names["worksheet"]
    np.testing.assert_array_equal(
        sheet.quantities()["yhat"], hg.explain(model, data=TABLE, rows="0:2").quantities()["yhat"]
    )
    assert cells(hg.explain(model, data=TABLE, rows="0:2")) == []  # no file to name
