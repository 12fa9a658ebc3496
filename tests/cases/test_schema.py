"""What a case file says is what Python says, every key is checked, and a case can be written again."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

import handgrad as hg
from handgrad.cases.python import case_program
from handgrad.cases.schema import parse_case
from handgrad.errors import CaseError
from handgrad.nn.optimizers import OPTIMIZERS


def document(layer=None, loss="squared_error", **tables):
    hidden = {"units": 2, "W": [[0.1], [0.2]], **(layer or {})}
    network = {"inputs": 1, "loss": loss, "layers": [hidden, {"units": 1, "W": [[1.0, 1.0]]}]}
    return {"network": network, "data": {"x": [[1.0]], "y": [[1.0]]}, **tables}


def of(layer=None, loss="squared_error", **tables) -> hg.Case:
    return hg.Case.from_dict(document(layer, loss, **tables))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("tanh", hg.Activation("tanh")),
        ({"name": "leaky_relu"}, hg.Activation("leaky_relu")),
        ({"name": "leaky_relu", "alpha": 0.3}, hg.Activation("leaky_relu", 0.3)),
    ],
)
def test_an_activation(written, meant):
    assert of({"activation": written}).network.layers[0].activation == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("huber", hg.Loss("huber")),
        ({"name": "huber", "threshold": 2}, hg.Loss("huber", threshold=2.0)),
        (
            {"name": "squared_error", "scale": 0.5, "outputs": "mean", "samples": "sum"},
            hg.Loss("squared_error", 0.5, "mean", "sum"),
        ),
    ],
)
def test_a_loss(written, meant):
    assert of(loss=written).network.loss == meant


def test_a_mask_and_a_way_to_begin():
    layer = of({"dropout": {"keep": 0.5, "mask": [[1, 0]]}}).network.layers[0]
    assert layer.dropout == hg.Dropout(0.5, ((1, 0),))
    drawn = of({"W": None, "initializer": {"name": "uniform", "scale": 0.1, "seed": 3}}).network.layers[0]
    assert drawn.initializer == hg.Initializer("uniform", scale=0.1)
    np.testing.assert_array_equal(drawn.W, np.random.default_rng(3).uniform(-0.1, 0.1, (2, 1)))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_number_of_an_optimizer(name):
    rule = OPTIMIZERS[name]
    assert of(optimizer={"name": name}).recipe.optimizer == rule()
    for field in fields(rule):
        if isinstance(field.default, bool):
            other = not field.default
        elif isinstance(field.default, float):
            other = field.default / 2 or 0.25
        else:
            continue
        case = of(optimizer={"name": name, field.name: other})
        assert case.recipe.optimizer == rule(**{field.name: other})


def test_what_belongs_to_every_optimizer():
    rate = {"name": "cosine", "over": 7, "per": "step", "warmup": 2}
    case = of(
        optimizer={
            "name": "momentum",
            "form": "heavy_ball",
            "clip_value": 2,
            "clip_norm": 3,
            "schedule": rate,
        }
    )
    assert case.recipe.optimizer == hg.Momentum(form="heavy_ball")
    assert case.recipe.clipping == hg.Clipping(2.0, 3.0)
    assert case.plan.schedule == hg.Schedule("cosine", over=7, per="step", warmup=2)
    assert of(optimizer={"name": "sgd", "schedule": "exponential"}).plan.schedule == hg.Schedule(
        "exponential"
    )
    assert of(optimizer={"name": "sgd", "schedule": {"warmup": 3}}).plan.schedule == hg.Schedule(warmup=3)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"layer": {"activation": {"nmae": "tanh"}}}, r"layers\[0\].activation: missing key `name`"),
        ({"layer": {"activation": {"name": "tanh", "beta": 1}}}, "unknown key `beta`; choose from name, alpha"),
        ({"layer": {"activation": {"name": "sin"}}}, r"layers\[0\].activation: unknown activation 'sin'"),
        ({"layer": {"activation": {"name": "tanh", "alpha": 1}}}, "activation: .* has no parameter alpha"),
        ({"layer": {"activation": 3}}, "activation: expected text or a table, got a whole number"),
        ({"layer": {"initializer": {"scale": 1.0}}}, "initializer: missing key `name`"),
        ({"layer": {"initializer": {"name": "he", "spread": 1}}}, "name, distribution, scale, seed"),
        ({"layer": {"dropout": {"drop": 0.2}}}, "dropout: unknown key `drop`; choose from keep, mask"),
        ({"layer": {"dropout": {"keep": 0}}}, "dropout: dropout: keep is the probability"),
        ({"layer": {"dropout": {"keep": "much"}}}, r"dropout\.keep: expected a number, got text .*it holds 'much'"),
        ({"loss": {"scale": 0.5}}, "network.loss: missing key `name`"),
        ({"loss": {"name": "huber", "scale": 0}}, "network.loss: loss 'huber': scale must be > 0"),
        ({"loss": {"name": "huber", "outputs": "max"}}, "network.loss: .*outputs must be 'sum' or 'mean'"),
        ({"loss": "regret"}, "network.loss: unknown loss 'regret'"),
        ({"optimizer": {"learning_rate": 0.1}}, "optimizer: missing key `name`"),
        ({"optimizer": {"name": "warp"}}, "optimizer.name: unknown value 'warp'.* choose from sgd, momentum"),
        ({"optimizer": {"name": "sgd", "beta1": 0.9}}, "optimizer: beta1 does not belong to sgd; choose from"),
        ({"optimizer": {"name": "sgd", "speed": 1}}, "optimizer: unknown key `speed`; choose from name, learn"),
        ({"optimizer": {"name": "sgd", "learning_rate": 0}}, "optimizer: sgd: learning_rate"),
        ({"optimizer": {"name": "sgd", "schedule": {"per": "day"}}}, "schedule: .*per must be"),
        ({"optimizer": {"name": "sgd", "schedule": {"every": 0}}}, "schedule: every and over are at least 1"),
        ({"optimizer": {"name": "sgd", "schedule": {"each": 2}}}, r"optimizer\.schedule: unknown key `each`"),
        ({"optimizer": {"name": "sgd", "schedule": "weekly"}}, "schedule: unknown schedule 'weekly'"),
        ({"data": {"X": [[1]]}}, "data: unknown key `X`; choose from x, y"),
        ({"training": {"steps": "two"}}, r"training\.steps: expected a whole number, got text"),
        ({"notation": {"layer": "square"}}, "notation.layer: .*choose from bracket, superscript, subscript"),
        ({"claims": [{"quantity": "z1", "value": 1, "digits": {"decimals": 2}}]}, r"claims\[0\]\.digits: unknown key"),
        ({"claims": [{"quantity": "z1"}]}, r"claims\[0\]: .*missing .*`value`"),
    ],
    ids=str,
)  # fmt: skip
def test_a_wrong_key_or_value_is_named_with_its_place_and_the_remedy(wrong, said):
    with pytest.raises(CaseError, match=f"^case: .*{said}") as caught:
        of(**wrong)
    assert "\n" not in str(caught.value)


CASES = {
    "plain": document(),
    "everything": document(
        {
            "activation": {"name": "leaky_relu", "alpha": 0.3},
            "initializer": {"name": "uniform", "seed": 3},
            "W": None,
            "dropout": {"keep": 0.5, "mask": [[1, 0]]},
            "bias": "frozen",
            "b": [0.5, 0.25],
        },
        {"name": "huber", "threshold": 2.0, "samples": "sum"},
        title="all of it",
        optimizer={"name": "adam", "beta1": 0.8, "schedule": {"name": "cosine", "over": 5}, "clip_norm": 1.0},
        regularization={"l2": {"strength": 0.1, "form": "full"}, "l1": 0.01},
        training={"steps": 2, "seed": 4},
        rounding={"digits": 3, "quantities": {"z1": 2}},
        notation={"layer": "subscript"},
        claims=[{"quantity": "z1", "value": [[1.0, 2.0]], "digits": {"significant": 3}}],
    ),
    "a drawn dropout": document({"dropout": 0.25}, optimizer={"name": "sgd"}),
}


@pytest.mark.parametrize("name", CASES)
def test_the_program_of_a_case_opens_the_same_case(name, tmp_path, capsys):
    case = hg.Case.from_dict(CASES[name])
    program = case_program(case.keys)
    held: dict = {}
    exec(compile(program, "program", "exec"), held)
    assert "value" in held
    again = hg.explain(held["case"])
    assert json.loads(again.json())["steps"] == json.loads(hg.explain(case).json())["steps"]
    assert "claims" not in held["case"]
    assert {key: value for key, value in CASES[name].items() if key != "claims"}.keys() == held["case"].keys()
    assert parse_case(held["case"]).network == case.keys.network


def test_half_a_character_is_told_and_a_pair_is_text(tmp_path: Path) -> None:
    path = tmp_path / "case.json"
    network = '"network": {"inputs": 1, "loss": "squared_error", "layers": [{"units": 1}]}'
    for first in ('"title": "\\ud800"', '"\\uDC00": 1', '"data": "\\udbff"'):
        path.write_text(f"{{{first}, {network}}}")
        with pytest.raises(CaseError, match="half a character"):
            hg.Case.load(path)
    path.write_text(f'{{"title": "\\ud83d\\ude00", {network}}}')
    assert hg.Case.load(path).title == "\U0001f600"
