"""Worksheets of cases and of trained models: the step shown is the step that happened."""

from __future__ import annotations

import json

import numpy as np
import pytest

import handgrad as hg
from handgrad.errors import RenderError, SpecificationError
from handgrad.nn.step import training_step
from handgrad.worked.verify import verify

RELU_SIGMOID = {
    "title": "ReLU and sigmoid",
    "network": {
        "inputs": 2,
        "loss": "binary_cross_entropy",
        "layers": [
            {"units": 2, "activation": "relu", "W": [[0.1, 0.2], [0.3, 0.4]], "b": [0.1, 0.2]},
            {"units": 1, "activation": "sigmoid", "W": [[0.5, 0.6]], "b": [0.1]},
        ],
    },
    "data": {"x": [[0.5, 0.3]], "y": [[1]]},
    "optimizer": {"name": "sgd", "learning_rate": 0.1},
}


def table(rows: int = 60) -> dict[str, object]:
    rng = np.random.default_rng(3)
    length, color = rng.normal(size=rows), rng.choice(["red", "green", "blue"], rows)
    label = np.where(length + (color == "red") > 0.4, "yes", "no")
    return {"length": length.tolist(), "color": color.tolist(), "label": label.tolist()}


@pytest.fixture(scope="module")
def data() -> dict[str, object]:
    return table()


@pytest.fixture(scope="module")
def model(data):
    return hg.fit_table(
        data,
        "label",
        hidden=(5,),
        epochs=6,
        batch_size=16,
        validation=0.2,
        seed=4,
        engine="reference",
        dropout=0.25,
        regularization=hg.Regularization(l2=0.01),
    )


def test_json_holds_every_quantity_at_full_precision():
    sheet = hg.explain(RELU_SIGMOID)
    document = json.loads(sheet.json())
    assert document["handgrad"] == hg.__version__
    (step,) = document["steps"]
    assert step["step"] == 1
    assert step["quantities"]["z1"] == [[0.5 * 0.1 + 0.3 * 0.2 + 0.1, 0.5 * 0.3 + 0.3 * 0.4 + 0.2]]
    assert step["quantities"]["b1"] == [0.1, 0.2]
    assert isinstance(step["quantities"]["loss"], float)
    for name in ("x", "y", "W1", "a1", "yhat", "dyhat", "delta1", "dW1", "db1", "da1", "W1_new", "b2_new"):
        assert name in step["quantities"]


def test_every_step_of_a_trained_model_is_the_step_that_happened(model, data):
    steps = model.fit.steps
    for step in (1, 2, steps // 2, steps - 1):
        trace = next(hg.explain(model, data=data, step=step).traces())
        following = model.replay(step + 1, data)
        for shown, real in zip(trace.after.parameters, following.training.parameters, strict=True):
            np.testing.assert_array_equal(shown.W, real.W)
            np.testing.assert_array_equal(shown.b, real.b)
        for shown_pair, real_pair in zip(trace.after.state, following.training.state, strict=True):
            for shown_state, real_state in zip(shown_pair, real_pair, strict=True):
                for a, b in zip(shown_state, real_state, strict=True):
                    np.testing.assert_array_equal(a, b)


def test_last_step_ends_where_training_ended(model, data):
    trace = next(hg.explain(model, data=data).traces())
    assert trace.number == model.fit.steps
    last = model.fit.snapshots[-1].training
    for shown, real in zip(trace.after.parameters, last.parameters, strict=True):
        np.testing.assert_array_equal(shown.W, real.W)


def test_a_model_is_worked_out_and_verified(model, data):
    for choices in ({}, {"detail": "scalar"}, {"orientation": "row"}, {"parts": ("gradient_check",)}):
        sheet = hg.explain(model, data=data, step=3, **choices)
        assert verify(sheet.record) > 20
        assert sheet.record.names[0]
        assert sheet.record.classes == ("no", "yes")


def test_chosen_rows_are_a_step_that_training_would_take(model, data):
    sheet = hg.explain(model, data=data, rows="3:5")
    trace = next(sheet.traces())
    assert trace.rows == (3, 4)
    assert trace.quantities["x"].shape[0] == 2
    np.testing.assert_array_equal(trace.quantities["W1"], model.parameters[0].W)
    np.testing.assert_allclose(
        trace.quantities["yhat"][:, 0],
        model.predict_proba({name: values[3:5] for name, values in data.items()})[:, 1],
        rtol=1e-12,
    )
    taken = training_step(
        model.network,
        model.fit.recipe,
        trace.before,
        trace.quantities["x"],
        trace.quantities["y"],
        trace.number,
        trace.learning_rate,
    )
    np.testing.assert_array_equal(taken.training.parameters[0].W, trace.after.parameters[0].W)


def test_chosen_rows_are_learned_from_at_the_rate_of_their_step(data):
    """Steps 1, 4 and the one after the last, at a rate that halves with each epoch of four steps."""
    model = hg.fit_table(
        data, "label", hidden=(3,), epochs=3, batch_size=16, validation=0, engine="reference",
        optimizer=hg.SGD(0.2), schedule=hg.Schedule("exponential", factor=0.5), dtype="float64",
    )  # fmt: skip
    assert model.fit.steps == 12
    for step, rate in ((1, 0.2), (4, 0.2), (5, 0.1), (12, 0.05), (13, 0.025)):
        trace = next(hg.explain(model, data=data, rows="3:5", step=step).traces())
        assert trace.learning_rate == rate
        moved = trace.before.parameters[0].W - trace.after.parameters[0].W
        np.testing.assert_allclose(moved, rate * trace.quantities["dW1"], rtol=1e-9, atol=1e-15)


def test_notation_comes_from_the_reader_then_from_the_case():
    asked = {"layer": "subscript", "orientation": "row", "names": "hy", "first": 0}
    sheet = hg.explain({**RELU_SIGMOID, "notation": asked})
    notation = sheet.document.notation
    assert (notation.layer, notation.names, notation.first, notation.orientation) == (
        "subscript",
        "hy",
        0,
        "row",
    )
    chosen = sheet.with_choices(layer_notation="superscript", first_index=1, orientation="column", names="az")
    notation = chosen.document.notation
    assert (notation.layer, notation.names, notation.first, notation.orientation) == (
        "superscript", "az", 1, "column",
    )  # fmt: skip
    plain = hg.explain(RELU_SIGMOID).document.notation
    assert (plain.layer, plain.names, plain.first, plain.orientation) == ("bracket", "az", 1, "column")


def test_long_trainings_open_their_first_step():
    case = {**RELU_SIGMOID, "training": {"steps": 500}}
    sheet = hg.explain(case)
    assert [step.number for step in sheet.record.steps] == [1]
    assert len(json.loads(sheet.json())["steps"]) == 500
    assert [step.number for step in hg.explain(case, step=(499, 500)).record.steps] == [499, 500]


def test_notebook_shows_text_and_markdown():
    bundle = hg.explain(RELU_SIGMOID)._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/markdown"}
    assert "$$" in bundle["text/markdown"]


def test_a_formula_sheet_needs_no_numbers():
    network = {
        "inputs": 2,
        "loss": "squared_error",
        "layers": [{"units": 3, "activation": "tanh"}, {"units": 1}],
    }
    text = hg.explain({"network": network}).text()
    assert "tanh" in text
    assert "W[2]" in text


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"step": 2}, "steps 1 to 1"),
        ({"step": 0}, "steps 1 to 1"),
        ({"step": (1, 4)}, "1 to 4"),
        ({"layers": (3,)}, "layers 1 to 2"),
        ({"neuron": 0}, "counted from 1"),
        ({"rows": "0:1"}, "trained model"),
        ({"detail": "everything"}, "detail"),
        ({"parts": ("nothing",)}, "nothing"),
        ({"language": "xx"}, "xx"),
        ({"step": "1"}, "step must be"),
        ({"step": (1, 2, 3)}, "step must be"),
        ({"layers": 1}, "layers must be"),
        ({"neuron": "1"}, "neuron must be"),
        ({"neuron": 3}, "there are 2"),
        ({"sample": 2}, "there are 1"),
        ({"digits": 2.5}, "digits must be"),
        ({"digits": 2, "significant": 3}, "exclude"),
        ({"digits_of": {"a1": "2"}}, "digits_of must be"),
    ],
)
def test_what_cannot_be_asked_is_said(choices, message):
    with pytest.raises((SpecificationError, RenderError), match=message):
        hg.explain(RELU_SIGMOID, **choices).text()


def test_an_unknown_medium_is_named(tmp_path):
    sheet = hg.explain(RELU_SIGMOID)
    with pytest.raises(RenderError, match="xyz"):
        sheet.save(tmp_path / "sheet.xyz")
    with pytest.raises(RenderError, match="choose from"):
        sheet.to("papyrus")
    assert list(tmp_path.iterdir()) == []
