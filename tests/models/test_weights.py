"""Weights of classes and of rows, from the flag to the model, its steps and its metrics."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

import handgrad as hg
from handgrad.cli.main import app
from handgrad.data.weights import read_class_weights
from handgrad.errors import DataError, ModelError, SpecificationError
from handgrad.models.model import Model


def table(rows: int = 120, seed: int = 0) -> dict:
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=rows), rng.normal(size=rows)
    rare = (x + 0.5 * rng.normal(size=rows)) > 1.0
    return {
        "x": x.tolist(),
        "z": z.tolist(),
        "w": rng.uniform(0.1, 4.0, rows).round(2).tolist(),
        "kind": np.where(rare, "rare", "usual").tolist(),
    }


def trained(data: dict, **keywords) -> Model:
    usual = {"hidden": (4,), "epochs": 3, "seed": 1, "weight": None}
    return hg.fit_table(
        data,
        "kind",
        **(usual | {"dtype": "float64"} | keywords),
        ignore=() if "weight" in keywords else ("w",),
    )


def test_balanced_weights_are_those_of_scikit_learn():
    sklearn = pytest.importorskip("sklearn.utils.class_weight")
    data = table()
    model = trained(data, class_weight="balanced", validation=0)
    target, weighting = model.schema.target, model.schema.weighting
    kinds = np.array(data["kind"])
    wanted = sklearn.compute_class_weight("balanced", classes=np.array(target.classes[0]), y=kinds)
    np.testing.assert_allclose(weighting.classes, wanted)
    assert weighting.mean == pytest.approx(1.0)


def test_the_weights_of_the_training_rows_have_the_mean_1():
    data = table()
    model = trained(data, class_weight={"rare": 7.0}, weight="w", validation=0.25)
    seen = model.training_data(data)
    assert seen.weights[model.fit.training_rows].mean() == pytest.approx(1.0)
    raw = np.array(data["w"]) * np.where(np.array(data["kind"]) == "rare", 7.0, 1.0)
    np.testing.assert_allclose(seen.weights / seen.weights[0], raw / raw[0])
    assert "w" not in model.schema.features


def test_the_loss_of_the_history_is_the_weighted_mean():
    data = table()
    model = trained(data, weight="w", validation=0, batch_size=None, epochs=1, engine="reference")
    first = model.fit.snapshots[0].training.parameters
    seen = model.training_data(data)
    hidden = np.maximum(seen.X @ first[0].W.T + first[0].b, 0)
    p = 1 / (1 + np.exp(-(hidden @ first[1].W.T + first[1].b)[:, 0]))
    y = seen.Y[:, 0]
    weights = np.array(data["w"])
    loss = np.average(-(y * np.log(p) + (1 - y) * np.log(1 - p)), weights=weights)
    assert model.fit.history[0].loss == pytest.approx(loss, rel=1e-12)


@pytest.mark.parametrize("orientation", ["column", "row"])
@pytest.mark.parametrize("target", ["kind", "three", "x"])
def test_a_weighted_step_opens_and_every_line_of_it_is_verified(target, orientation):
    data = table()
    data["three"] = [("a", "b", "c")[k % 3] for k in range(120)]
    model = hg.fit_table(
        data, target, weight="w", hidden=(3,), epochs=2, batch_size=40, validation=0, dtype="float64"
    )
    sheet = hg.explain(
        model,
        data=data,
        step=4,
        orientation=orientation,
        detail="scalar",
        parts={"gradient_check", "formulas", "forward", "loss", "backward", "problem"},
    )
    weights = sheet.quantities()["omega"][:, 0]
    seen, rows = model.training_data(data), model.fit.at(4).rows
    np.testing.assert_array_equal(weights, seen.weights[rows])
    quantities = sheet.quantities()
    terms, outputs = quantities["loss_terms"], quantities["yhat"].shape[1]
    share = outputs if target == "x" else 1
    assert quantities["loss"] == pytest.approx(np.mean(weights * terms.sum(axis=1)) / share)
    np.testing.assert_allclose(quantities["dW2"], quantities["delta2"].T @ quantities["a1"] / 40, rtol=1e-12)
    checks = sheet.record.steps[0].checks
    assert checks and all(check.largest_relative_error < 1e-6 for check in checks)
    text = str(sheet.text())
    assert "ω" in text and "counts as often as its weight" in text


def test_a_weight_that_is_left_out_is_found_by_the_verification():
    from dataclasses import replace

    from handgrad.errors import VerificationError
    from handgrad.worked.bindings import Bindings
    from handgrad.worked.expressions import Matrix
    from handgrad.worked.verify import verify

    data = table()
    model = trained(data, weight="w", validation=0)
    record = hg.explain(model, data=data, step=2).record
    step = record.steps[0]
    ones = {**step.bindings.held, "omega": Matrix(np.ones_like(step.bindings.held["omega"].values))}
    wrong = replace(record, steps=(replace(step, bindings=Bindings(ones, step.bindings.column)),))
    with pytest.raises(VerificationError):
        verify(wrong)


def test_other_weights_are_other_data():
    data = table()
    model = trained(data, weight="w")
    other = data | {"w": [value + 1 for value in data["w"]]}
    with pytest.raises(ModelError, match="is not the data of this training"):
        model.replay(2, other)


def test_rows_chosen_by_the_reader_are_weighed_where_the_column_is_there():
    data = table()
    model = trained(data, weight="w")
    assert "omega" in hg.explain(model, data=data, rows="0:2").quantities()
    without = {name: values for name, values in data.items() if name != "w"}
    assert "omega" not in hg.explain(model, data=without, rows="0:2").quantities()


@pytest.mark.parametrize(
    ("keywords", "error", "match"),
    [
        ({"class_weight": {"odd": 2.0}}, SpecificationError, "no class 'odd' to weigh; the classes are"),
        ({"class_weight": {"rare": -1}}, SpecificationError, "weight of the class 'rare' must be a number"),
        ({"class_weight": "even"}, SpecificationError, "must be 'balanced' or a weight for each class"),
        ({"class_weight": {"rare": 0, "usual": 0}}, DataError, "have the mean 0.0; give some rows a weight"),
        ({"weight": "nothing"}, DataError, "nothing"),
        ({"weight": "kind"}, DataError, "kind is the target"),
        ({"weight": "z"}, DataError, r"row 2, column 'z'.*: the weight is -|the weight is -"),
        ({"weight": 3.5}, SpecificationError, "weight must be the name of a column"),
    ],
)
def test_weights_that_cannot_be_are_refused(keywords, error, match):
    with pytest.raises(error, match=match):
        trained(table(), **keywords)


def test_weights_of_classes_need_classes():
    with pytest.raises(SpecificationError, match="the task is regression; weigh rows by a column"):
        hg.fit_table(table(), "x", class_weight="balanced", epochs=1)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("w.toml", "rare = 5\nusual = 0.5\n"),
        ("w.json", '{"rare": 5, "usual": 0.5}'),
        ("w.csv", "class,weight\nrare,5\nusual,0.5\n"),
    ],
)
def test_a_file_names_the_weights_of_classes(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    assert read_class_weights(str(tmp_path / name)) == {"rare": 5, "usual": 0.5}


@pytest.mark.parametrize(
    ("name", "text", "match"),
    [
        ("w.toml", "rare 5", "does not hold a weight for each class"),
        ("w.json", "[1, 2]", "does not hold a weight for each class"),
        ("w.csv", "rare\n", "a line needs two cells"),
        ("w.txt", "rare 5", "'balanced' or a file"),
        ("gone.toml", None, "cannot be read"),
    ],
)
def test_a_file_without_weights_is_one_clear_line(tmp_path, name, text, match):
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(SpecificationError, match=match):
        read_class_weights(str(tmp_path / name))


def test_the_command_line_weighs_resumes_and_says_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = table()
    lines = [",".join(map(str, line)) for line in zip(*data.values(), strict=True)]
    (tmp_path / "t.csv").write_text("\n".join([",".join(data), *lines]) + "\n")
    (tmp_path / "c.toml").write_text("rare = 4\n")
    run = CliRunner()
    flags = ["t.csv", "--target", "kind", "--weight", "w", "--class-weight", "c.toml", "--hidden", "3"]
    made = run.invoke(app, ["train", *flags, "--epochs", "4", "-o", "a.safetensors"])
    assert made.exit_code == 0, made.output
    said = " ".join(made.output.split())
    assert "each row counts by its class (rare 4, usual 1) and by the column 'w'" in said
    assert "here every row counts the same" in said
    assert run.invoke(app, ["train", *flags, "--epochs", "2", "-o", "b.safetensors", "-q"]).exit_code == 0
    assert (
        run.invoke(
            app, ["train", *flags, "--epochs", "4", "-o", "b.safetensors", "-q", "--resume", "--force"]
        ).exit_code
        == 0
    )
    a, b = (Model.load(name).fit.training.parameters for name in ("a.safetensors", "b.safetensors"))
    np.testing.assert_array_equal(a[0].W, b[0].W)
    again = run.invoke(app, ["train", "--config", "a.run.toml", "-q", "--force", "-o", "c.safetensors"])
    assert again.exit_code == 0, again.output
    assert (tmp_path / "c.safetensors").read_bytes() == (tmp_path / "a.safetensors").read_bytes()
    told = json.loads(run.invoke(app, ["evaluate", "a.safetensors", "t.csv", "--json"]).output)
    assert any("counts by its class" in remark for remark in told["remarks"])
    bare = run.invoke(app, ["predict", "a.safetensors", "t.csv", "--json"])
    assert bare.exit_code == 0
