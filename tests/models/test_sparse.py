"""Columns of very many categories: a row of weights each, from the table to the file, the steps and the reasons."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import handgrad as hg
from handgrad.cli.main import status
from handgrad.data.schema import Choices
from handgrad.data.tables import read_table
from handgrad.errors import DataError, SpecificationError
from handgrad.models.fit_table import fit_table
from handgrad.models.model import Model
from handgrad.models.prepared import prepare, short
from handgrad.models.why import why
from handgrad.nn.in_play import in_play
from handgrad.nn.step import training_step

ROWS, SHOPS = 1500, 250


def shops(rows: int = ROWS, seed: int = 0) -> dict[str, Any]:
    """A price, and 250 shops of which each has an effect of its own."""
    rng = np.random.default_rng(seed)
    shop, price = rng.permutation(np.arange(rows) % SHOPS), rng.lognormal(3, 1, rows).round(2)
    score = (
        np.random.default_rng(9).normal(0, 2, SHOPS)[shop]
        - 0.5 * (np.log(price) - 3)
        + rng.logistic(0, 1, rows)
    )
    names = [f"shop-{k:04d}x" for k in shop]
    return {"price": price.tolist(), "shop": names, "bought": np.where(score > 0, "yes", "no").tolist()}


USUAL: dict[str, Any] = {
    "encode": {"shop": "sparse"},
    "hidden": (8,),
    "epochs": 4,
    "seed": 3,
    "dtype": "float64",
    "validation": 0.1,
}


@pytest.fixture(scope="module")
def table() -> dict[str, Any]:
    return shops()


@pytest.fixture(scope="module")
def model(table) -> Model:
    return fit_table(table, "bought", **USUAL)


def test_very_many_categories_are_gathered(model: Model) -> None:
    assert model.schema is not None
    assert model.network.inputs == 1 + SHOPS and model.network.columns == 2
    assert model.schema.gathered == model.network.gathered == (SHOPS,)
    assert model.schema.features[:2] == ("price", "shop=shop-0000x")


def test_the_training_is_that_of_one_hot(table, model: Model) -> None:
    dense = fit_table(table, "bought", **(USUAL | {"encode": {"shop": "onehot"}}))
    assert dense.network.gathered == () and dense.network.sizes == model.network.sizes
    for ours, theirs in zip(model.parameters, dense.parameters, strict=True):
        np.testing.assert_allclose(ours.W, theirs.W, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(model.predict_proba(table), dense.predict_proba(table), rtol=1e-9)
    for left, right in zip(model.fit.history, dense.fit.history, strict=True):
        assert left.loss == pytest.approx(right.loss, rel=1e-10)
        assert left.validation_loss == pytest.approx(right.validation_loss, rel=1e-10)


def test_unknown_missing_and_rare_ones_are_told_apart() -> None:
    table = shops()
    table["shop"][:40] = [None] * 40
    table["shop"][40:50] = [f"once-{k}" for k in range(10)]
    model = fit_table(table, "bought", **(USUAL | {"validation": 0}))
    assert model.schema is not None
    (column,) = (column for column in model.schema.columns if column.sparse)
    assert column.rare == () and column.missing
    assert column.features[:2] == ("shop=once-0", "shop=once-1") and column.features[-1] == "shop missing"
    asked = {"price": [5.0] * 4, "shop": ["shop-0001x", "once-3", None, "never seen"]}
    X, remarks = model.schema.encode(read_table(asked))
    assert X[:, 1].tolist() == [column.categories.index("shop-0001x"), 3.0, 260.0, -1.0]
    assert remarks == ("column 'shop': 1 cells hold a category that was not in the training data",)
    W = model.parameters[0].W
    z = model.parameters[0].b + W[:, 0] * X[3, 0]  # what is unknown adds nothing
    a = np.maximum(z, 0)
    out = 1 / (1 + np.exp(-(model.parameters[1].W @ a + model.parameters[1].b)))
    assert model.predict_proba(asked)[3, 1] == pytest.approx(float(out[0]), rel=1e-12)


def test_the_choice_is_said(table) -> None:
    read = read_table(table)
    said = {
        encoding: short(prepare(read, ["bought"], choices=Choices(encode=encode))).remarks
        for encoding, encode in (
            ("usual", {}),
            ("sparse", {"shop": "sparse"}),
            ("onehot", {"shop": "onehot"}),
        )
    }
    assert "column 'shop': 250 categories, each takes a row of weights of its own (sparse)" in said["sparse"]
    assert (
        "column 'shop': 250 categories, each stands for the target's mean where it occurs (effect)"
        in said["usual"]
    )
    assert not any("shop" in remark for remark in said["onehot"])


def test_the_file_keeps_it_and_others_do_not_name_it(table, model: Model, tmp_path: Path) -> None:
    path = model.save(tmp_path / "m.safetensors")
    again = Model.load(path)
    assert again.network == model.network
    assert again.save(tmp_path / "again.safetensors").read_bytes() == path.read_bytes()
    np.testing.assert_array_equal(again.predict_proba(table), model.predict_proba(table))
    dense = fit_table({"x": [0.0, 1.0, 2.0], "y": [1.0, 2.0, 3.0]}, "y", epochs=1, validation=0)
    data = dense.save(tmp_path / "dense.safetensors").read_bytes()
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    assert "gathered" not in json.loads(header["__metadata__"]["handgrad"])


@pytest.mark.parametrize("engine", ["native", "reference", "jax"])
def test_any_step_is_replayed(table, engine: str) -> None:
    if engine == "jax":
        pytest.importorskip("jax")
    model = fit_table(table, "bought", **(USUAL | {"epochs": 2}), engine=engine, snapshots=2)
    seen, steps = model.training_data(table), model.fit.steps
    before = model.replay(steps, table)
    taken = training_step(
        model.network,
        model.fit.recipe,
        before.training,
        seen.X[before.rows],
        seen.Y[before.rows],
        before.t,
        before.rate,
    ).training
    last = model.fit.snapshots[-1].training
    for ours, theirs in zip(taken.parameters, last.parameters, strict=True):
        if engine == "reference":
            np.testing.assert_array_equal(ours.W, theirs.W)
        np.testing.assert_allclose(ours.W, theirs.W, rtol=1e-9, atol=1e-13)


def test_a_streamed_table_trains_to_the_same_rows(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tmp_path / "shops.parquet"
    pq.write_table(pa.table(shops()), path)
    options = USUAL | {"batch_size": 32, "engine": "native"}
    model = fit_table(path, "bought", memory="300MiB", **options)
    assert model.network.gathered == (SHOPS,)
    in_memory = fit_table(path, "bought", **options)
    assert model.evaluate(path).accuracy == pytest.approx(in_memory.evaluate(path).accuracy, abs=0.05)
    taken = model.replay(model.fit.steps)
    assert len(taken.rows) > 0


def test_a_worked_step_shows_the_categories_of_its_batch(table, model: Model) -> None:
    sheet = hg.explain(model, data=table, step=7)
    record, quantities = sheet.record, sheet.quantities()
    batch = model.replay(7, table)
    seen = model.training_data(table)
    part = in_play(model.network, seen.X[batch.rows])
    assert record.network.inputs == len(part.columns) < model.network.inputs
    assert record.not_shown == model.network.inputs - record.network.inputs
    assert record.names[1].startswith("shop=shop-") and len(record.names) == record.network.inputs
    np.testing.assert_array_equal(quantities["W1"], batch.training.parameters[0].W[:, part.columns])
    np.testing.assert_array_equal(quantities["x"], part.inputs(seen.X[batch.rows]))
    text = " ".join(sheet.text().split())
    assert "takes its row of weights" in text and "more inputs are categories that no sample here has" in text


def test_one_row_shows_its_category_alone(table, model: Model) -> None:
    sheet = hg.explain(model, data=table, rows="5")
    assert sheet.record.names == ("price", f"shop={table['shop'][5]}")
    outputs = sheet.quantities()["yhat"]
    assert float(outputs[0, 0]) == pytest.approx(float(model.predict_proba(table)[5, 1]), rel=1e-12)


def test_penalties_show_every_weight(table) -> None:
    model = fit_table(table, "bought", **USUAL, regularization=hg.Regularization(l2=0.01))
    sheet = hg.explain(model, data=table, step=3)
    assert sheet.record.network.inputs == model.network.inputs
    replayed = model.replay(3, table)
    penalty = model.fit.recipe.regularization.penalty(replayed.training.parameters, len(replayed.rows))
    assert float(sheet.quantities()["penalty"]) == pytest.approx(float(penalty), rel=1e-12)


def test_reasons_name_the_category(table, model: Model) -> None:
    found = why(model, table, 5)
    assert sum(part.contribution for part in found.contributions) == pytest.approx(
        found.output - found.baseline, abs=1e-4
    )
    (shop,) = (part for part in found.contributions if part.column == "shop")
    assert shop.features == ((f"shop={table['shop'][5]}", 1.0),) and shop.contribution != 0
    assert hg.explain is not None and why(model, {"price": [3.0], "shop": ["new"]}, 0).contributions


@pytest.mark.parametrize(
    ("encode", "message"),
    [
        ({"shop": "dense"}, "unknown encoding 'dense'; choose one of onehot, sparse, effect"),
        ({"price": "sparse"}, "'price' has no categories to encode, it is number"),
        ({"bought": "sparse"}, "it is the target"),
        ({"nothing": "sparse"}, "nothing"),
        ("sparse", "encode must give columns their encoding"),
        ({"shop": 3}, "encode must give columns their encoding"),
    ],
)
def test_what_cannot_be_encoded(table, encode: Any, message: str) -> None:
    with pytest.raises((SpecificationError, DataError), match=message):
        fit_table(table, "bought", encode=encode, epochs=1)


def test_a_few_categories_may_be_gathered_too(table) -> None:
    small = {"kind": ["a", "b", "c"] * 20, "y": [1.0, 2.0, 3.0] * 20}
    options: dict[str, Any] = {"hidden": (), "validation": 0, "optimizer": hg.Adam(0.1), "epochs": 200}
    model = fit_table(small, "y", encode={"kind": "sparse"}, **options)
    assert model.network.columns == 1 and model.network.inputs == 3
    np.testing.assert_allclose(model.predict({"kind": ["a", "b", "c"]}), [1.0, 2.0, 3.0], atol=0.05)


def test_the_command_line(
    table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import pandas as pd

    def run(*call: str, expected: int = 0) -> str:
        assert status(list(call)) == expected
        told = capsys.readouterr()
        return " ".join((told.out + told.err).split())

    monkeypatch.chdir(tmp_path)
    pd.DataFrame(table).to_csv("shops.csv", index=False)
    training = ("train", "shops.csv", "--target", "bought", "--hidden", "8")
    told = run(*training, "-o", "m.safetensors", "--epochs", "2", "--encode", "shop=sparse")
    assert "250 categories, each takes a row of weights of its own (sparse)" in told
    run("verify", "m.safetensors")
    assert "takes its row of weights" in run("explain", "m.safetensors", "--rows", "0")
    assert '"shop"' in run("why", "m.safetensors", "shops.csv", "--row", "0", "--json")
    assert "(effect)" in run(*training, "-o", "e.safetensors", "--epochs", "1", "--encode", "shop=effect")
    assert 'encode = ["shop=effect"]' in Path("e.run.toml").read_text()
    run("train", "--config", "e.run.toml", "-o", "e2.safetensors", "--quiet")
    assert Model.load("e2.safetensors").schema == Model.load("e.safetensors").schema
    assert run("inspect", "shops.csv", "--encode", "shop=sparse").count("(sparse)") == 1
    assert "COLUMN=ENCODING" in run(*training, "-o", "w.safetensors", "--encode", "shop", expected=2)
    assert "a row of weights for each category of shop" in run(
        "export", "m.safetensors", "-o", "n.h", expected=2
    )
    run("explain", "m.safetensors", "--step", "3", "-o", "live.html", "--to", "live")
