"""The report of a training: its numbers are those of the model, in every language, in one page without a network."""

import re

import numpy as np
import pytest
from typer.testing import CliRunner

import handgrad as hg
from handgrad.cli.main import app
from handgrad.data.tables import read_table
from handgrad.models.findings import findings, importance_of, layers_of, units_of
from handgrad.models.model import Model
from handgrad.models.prepared import prepare
from handgrad.render.html import page
from handgrad.worksheets.report import About, report


def columns(rows: int = 300) -> dict:
    rng = np.random.default_rng(0)
    x, noise = rng.normal(size=rows), rng.normal(size=rows)
    kind = rng.choice(["a", "b", "c"], rows)
    return {
        "x": x.tolist(),
        "noise": noise.tolist(),
        "kind": kind.tolist(),
        "y": np.where(x + 1.5 * (kind == "a") > 0.5, "up", "down").tolist(),
    }


@pytest.fixture(scope="module")
def trained():
    data = columns()
    model = hg.fit_table(data, "y", hidden=(6,), epochs=40, seed=2, optimizer=hg.Adam(0.03))
    ready = prepare(read_table(data), ["y"], seed=2, dtype=model.fit.plan.dtype)
    return model, ready


def test_what_tells_the_target_matters_and_noise_does_not(trained):
    model, ready = trained
    X, Y = ready.X, ready.Y
    found = importance_of(model, model.schema, X, Y)
    assert {one.column for one in found[:2]} == {"x", "kind"}
    assert found[-1].column == "noise" and found[-1].rise < found[0].rise / 5
    # by hand, in float64: the loss with one column mixed up less the loss as it is
    order = np.random.default_rng(0x5EED).permutation(len(X))
    mixed = X.copy()
    mixed[:, 0] = X[order, 0]

    def loss(Z):
        (W1, b1), (W2, b2) = ((W.astype(float), b.astype(float)) for W, b in model.parameters)
        z = (np.maximum(Z.astype(float) @ W1.T + b1, 0) @ W2.T + b2)[:, 0]
        return float(np.mean(np.logaddexp(0, z) - Y[:, 0] * z))

    rise = next(one.rise for one in found if one.column == "x")
    assert rise == pytest.approx(loss(mixed) - loss(X), rel=1e-3)


def test_gradients_and_changes_are_those_of_the_states(trained):
    model, ready = trained
    X, Y = ready.X[:64].astype(float), ready.Y[:64].astype(float)
    found = layers_of(model.fit, X, Y)
    states = [snapshot.training.parameters for snapshot in model.fit.snapshots]
    assert len(found) == 2 * len(states)
    assert found[0].change is None
    change = np.linalg.norm(states[1][0].W - states[0][0].W) / np.linalg.norm(states[0][0].W)
    assert found[2].change == pytest.approx(change, rel=1e-6)
    (W1, b1), (W2, b2) = ((W.astype(float), b.astype(float)) for W, b in states[0])
    hidden = np.maximum(X @ W1.T + b1, 0)
    p = 1 / (1 + np.exp(-(hidden @ W2.T + b2)))
    assert found[1].gradient == pytest.approx(np.linalg.norm((p - Y).T @ hidden / 64), rel=1e-5)


def test_a_dead_unit_is_counted():
    network = hg.Network(
        1, [hg.Dense(2, "relu", W=[[1.0], [0.0]], b=[0.0, -5.0]), hg.Dense(1)], "squared_error"
    )
    result = hg.fit(network, [[1.0], [2.0]], [1.0, 2.0], epochs=1, optimizer=hg.SGD(1e-9), dtype="float64")
    (units,) = units_of(result, np.array([[1.0], [2.0]]))
    assert (units.units, units.dead) == (2, 1)
    assert units.saturated == pytest.approx(0.5)


@pytest.mark.parametrize("language", ["en", "bn"])
@pytest.mark.parametrize("target", ["y", "x", "kind"])
def test_the_page_holds_all_of_it_and_asks_no_network(target, language, tmp_path):
    data = columns()
    model = hg.fit_table(data, target, hidden=(4,), epochs=3, seed=1)
    ready = prepare(read_table(data), [target], seed=1, dtype=model.fit.plan.dtype)
    held = ready.split.validation
    metrics = model.evaluate_encoded(ready.X[held], ready.Y[held])
    about = About(model, tmp_path / "m.safetensors", "the table", True, metrics, findings(model, ready))
    document = report(about, language)
    text = page.write(document).decode()
    assert f'lang="{language}"' in text and "viewport" in text and "prefers-color-scheme" in text
    assert not re.search(r'(src|href)="https?://', text)
    for line in model.fit.history:
        assert f"m.safetensors --step {line.steps}" in text
    for column in model.schema.columns:
        assert column.name in text
    if target != "x":
        assert all(one.name in text for one in metrics.classes)


def test_train_writes_it_beside_the_model_streamed_or_not(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = columns()
    lines = [",".join(map(str, line)) for line in zip(*data.values(), strict=True)]
    (tmp_path / "t.csv").write_text("\n".join([",".join(data), *lines]) + "\n")
    run = CliRunner()
    for more in ([], ["--memory", "1MiB"], ["--validation", "0"]):
        flags = [
            "t.csv",
            "--target",
            "y",
            "--epochs",
            "2",
            "-o",
            "m.safetensors",
            "--report",
            "r.html",
            "-q",
            "--force",
        ]
        made = run.invoke(app, ["train", *flags, *more])
        assert made.exit_code == 0, made.output
        assert "handgrad explain m.safetensors --step" in (tmp_path / "r.html").read_text()
    wrong = run.invoke(app, ["train", "t.csv", "--target", "y", "-o", "n.safetensors", "--report", "r.pdf"])
    assert wrong.exit_code != 0 and not (tmp_path / "n.safetensors").exists()
    assert Model.load("m.safetensors").fit.steps
