"""Every situation of the bank, with a case that is in it and a nearby case that is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import handgrad as hg
from handgrad.worked import situations as room
from handgrad.worked.situations.bank import MOST_SAID, SITUATIONS
from handgrad.writing.phrasebook import Phrasebook
from handgrad.writing.situations import SITUATIONS as SENTENCES


def net(
    *layers: dict[str, Any], loss: str | dict[str, Any] = "squared_error", x: Any, y: Any, **more: Any
) -> dict[str, Any]:
    made = [{"units": len(layer["W"]), **layer} for layer in layers]
    steps = more.pop("steps", 1)
    rate = more.pop("rate", 0.01)
    name = more.pop("optimizer", "sgd")
    extra = more.pop("with_optimizer", {})
    return {
        "network": {"inputs": len(x[0]), "loss": loss, "layers": made},
        "data": {"x": x, "y": y},
        "optimizer": {"name": name, "learning_rate": rate, **extra},
        "training": {"steps": steps, **more.pop("training", {})},
        **more,
    }


def line(w: list[float], x: Any = ((1.0,),), y: Any = ((0.0,),), **more: Any) -> dict[str, Any]:
    return net({"W": [w]}, x=[list(row) for row in x], y=[list(row) for row in y], **more)


def hidden(W: Any, out: Any, function: str = "relu", b: Any = None, **more: Any) -> dict[str, Any]:
    first = {"W": W, "activation": function, **({} if b is None else {"b": b}), **more.pop("first", {})}
    more = {"x": [[1.0]], "y": [[5.0]], **more}
    return net(first, {"W": [out]}, **more)


def sigmoid(w: float, y: Any = 1, loss: str = "binary_cross_entropy", **more: Any) -> dict[str, Any]:
    more = {"x": [[1.0]], "y": [[y]], **more}
    return net({"W": [[w]], "activation": "sigmoid"}, loss=loss, **more)


def softmax(w: list[float], y: Any = (0,), x: Any = ((1.0,),), **more: Any) -> dict[str, Any]:
    layer = {"W": [[value] for value in w], "activation": "softmax"}
    return net(layer, loss="cross_entropy", x=[list(row) for row in x], y=list(y), **more)


def deep(size: float) -> dict[str, Any]:
    """Layers whose outputs are all 1, so that only the weights on the way decide what comes back."""
    first = {"W": [[1.0]]}
    others = [{"W": [[size]], "b": [1.0 - size]} for _ in range(3)]
    return net(first, *others, x=[[1.0]], y=[[2.0]], rate=1e-9)


def masked(mask: list[int]) -> dict[str, Any]:
    dropout = {"keep": 0.5, "mask": [mask]}
    return hidden([[1.0], [2.0]], [1.0, 3.0], first={"dropout": dropout})


def alternating(optimizer: str, first: float = 10.0, **more: Any) -> dict[str, Any]:
    """Two samples, one after the other, that pull in opposite ways."""
    once = {"batch_size": 1, "shuffle": False}
    return line(
        [0.0], ((1.0,), (1.0,)), ((first,), (-0.1,)), optimizer=optimizer, steps=2, training=once, **more
    )


STAYS = {"momentum": 0.9}
NORM, VALUE = {"clip_norm": 1.0}, {"clip_value": 1.0}
TWO = ((1.0, 0.0), (0.0, 1.0))

ROWS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    # units
    "layer_dead": (hidden([[-1.0], [-2.0]], [1.0, 1.0]), hidden([[-1.0], [2.0]], [1.0, 1.0])),
    "layer_off": (masked([0, 0]), masked([0, 1])),
    "step_function": (hidden([[1.0]], [1.0], "step"), hidden([[1.0]], [1.0], "sigmoid")),
    "weights_zero": (hidden([[1.0], [2.0]], [0.0, 0.0]), hidden([[1.0], [2.0]], [0.0, 0.1])),
    "output_flat": (sigmoid(-9.0, loss="squared_error"), sigmoid(-9.0)),
    "twin_units": (hidden([[1.0], [1.0]], [2.0, 2.0]), hidden([[1.0], [1.0]], [2.0, 3.0])),
    "unit_dead": (hidden([[-1.0], [2.0]], [1.0, 1.0]), hidden([[1.0], [2.0]], [1.0, 1.0])),
    "units_dead": (hidden([[-1.0], [-2.0], [1.0]], [1.0] * 3), hidden([[-1.0], [2.0], [1.0]], [1.0] * 3)),
    "unit_saturated": (hidden([[9.0], [0.1]], [1.0, 1.0], "tanh"), hidden([[1.0], [0.1]], [1.0, 1.0], "tanh")),
    "units_saturated": (
        hidden([[9.0], [8.0], [0.1]], [1.0] * 3, "sigmoid"), hidden([[9.0], [0.2], [0.1]], [1.0] * 3, "sigmoid"),
    ),
    "units_off": (masked([0, 1]), masked([1, 1])),
    # the batch
    "contradiction": (line([1.0], ((1.0,), (1.0,)), ((0.0,), (2.0,))), line([1.0], ((1.0,), (1.0,)), ((2.0,), (2.0,)))),
    "zero_inputs": (line([1.0, 2.0], ((0.0, 0.0),), ((1.0,),)), line([1.0, 2.0], ((0.0, 1.0),), ((1.0,),))),
    "sure_and_wrong": (sigmoid(-4.0), sigmoid(-1.0)),
    "tied_classes": (softmax([1.0, 1.0, 0.0]), softmax([1.0, 0.9, 0.0])),
    "half_and_half": (sigmoid(0.0), sigmoid(0.01)),
    "one_class_only": (
        softmax([0.1, 0.2], (1, 1), ((1.0,), (2.0,))), softmax([0.1, 0.2], (1, 0), ((1.0,), (2.0,))),
    ),
    "imbalanced": (
        softmax([0.1, 0.2], (1, 1, 1, 1, 0), ((1.0,),) * 5), softmax([0.1, 0.2], (1, 1, 0, 1, 0), ((1.0,),) * 5),
    ),
    "one_sample_drove": (
        line([1.0], ((1.0,), (2.0,)), ((9.0,), (2.1,))), line([1.0], ((1.0,), (2.0,)), ((2.0,), (3.1,))),
    ),
    "several_zero_inputs": (
        line([1.0] * 3, ((0.0, 1.0, 0.0),), ((9.0,),)), line([1.0] * 3, ((0.0, 1.0, 2.0),), ((9.0,),)),
    ),
    "zero_input": (line([1.0, 2.0], ((0.0, 1.0),), ((9.0,),)), line([1.0, 2.0], ((0.5, 1.0),), ((9.0,),))),
    "output_met": (
        net({"W": [[1.0], [2.0]]}, x=[[1.0]], y=[[1.0, 5.0]]), net({"W": [[1.0], [2.0]]}, x=[[1.0]], y=[[1.5, 5.0]]),
    ),
    "worst_output": (
        net({"W": [[1.0], [2.0]]}, x=[[1.0]], y=[[1.5, 5.0]]), net({"W": [[1.0], [2.0]]}, x=[[1.0]], y=[[2.0, 3.0]]),
    ),
    "samples_met": (
        line([1.0], ((1.0,), (2.0,)), ((1.0,), (5.0,))), line([1.0], ((1.0,), (2.0,)), ((1.5,), (5.0,))),
    ),
    "beyond_threshold": (
        line([1.0], y=((9.0,),), loss={"name": "huber", "threshold": 1.0}),
        line([1.0], y=((1.5,),), loss={"name": "huber", "threshold": 1.0}),
    ),
    "margins_met": (
        line([1.0], ((2.0,), (0.1,)), ((1,), (1,)), loss="hinge"),
        line([1.0], ((0.2,), (0.1,)), ((1,), (1,)), loss="hinge"),
    ),
    "weight_driven": (
        line([1.0], ((9.0,), (1.0,)), ((0.0,), (0.5,))), line([1.0], ((1.0,), (1.1,)), ((0.0,), (0.1,))),
    ),
    "sure_and_right": (sigmoid(6.0), sigmoid(2.0)),
    "wrong_class": (softmax([0.1, 1.0]), softmax([1.0, 0.1])),
    "right_class": (softmax([1.0, 0.1]), softmax([0.1, 1.0])),
    "all_right": (
        softmax([1.0, -1.0], (0, 1), ((1.0,), (-1.0,))), softmax([1.0, -1.0], (0, 1), ((1.0,), (1.5,))),
    ),
    "some_right": (
        softmax([1.0, -1.0], (0, 1), ((1.0,), (1.5,))), softmax([1.0, -1.0], (0, 1), ((1.0,), (-1.0,))),
    ),
    "all_below": (line([1.0], ((1.0,), (2.0,)), ((3.0,), (4.0,))), line([1.0], ((1.0,), (2.0,)), ((3.0,), (1.0,)))),
    "all_above": (line([1.0], ((1.0,), (2.0,)), ((0.0,), (1.0,))), line([1.0], ((1.0,), (2.0,)), ((3.0,), (1.0,)))),
    "mean_distance": (line([1.0], ((1.0,), (2.0,)), ((0.0,), (3.0,))), line([1.0], ((1.0,), (2.0,)), ((1.0,), (2.0,)))),
    # the step
    "bias_alone": (line([1.0], ((0.0,),), ((1.0,),)), line([1.0], ((0.5,),), ((1.0,),))),
    "loss_zero": (line([1.0], y=((1.0,),)), line([1.0], y=((1.1,),))),
    "overshot": (line([1.0], rate=1.5), line([1.0], rate=0.1)),
    "uphill": (
        alternating("momentum", rate=0.001, with_optimizer=STAYS),
        alternating("momentum", first=-0.2, rate=0.001, with_optimizer=STAYS),
    ),
    "exploding": (deep(30.0), deep(1.1)),
    "vanishing": (deep(0.03), deep(0.9)),
    "clipped_norm": (
        line([1.0], y=((9.0,),), with_optimizer=NORM), line([1.0], y=((1.1,),), with_optimizer=NORM),
    ),
    "not_clipped": (
        line([1.0], y=((1.1,),), with_optimizer=NORM), line([1.0], y=((9.0,),), with_optimizer=NORM),
    ),
    "clipped_value": (
        line([1.0], y=((9.0,),), with_optimizer=VALUE), line([1.0], y=((1.1,),), with_optimizer=VALUE),
    ),
    "penalty_weighs": (
        line([2.0], y=((2.1,),), regularization={"l2": 1.0}), line([2.0], y=((9.1,),), regularization={"l2": 1.0}),
    ),
    "penalty_pulls": (
        line([2.0], y=((2.1,),), regularization={"l2": 1.0}), line([2.0], y=((9.1,),), regularization={"l2": 1.0}),
    ),
    "long_step": (line([0.1], y=((9.0,),), rate=0.1), line([5.0], y=((9.0,),), rate=0.01)),
    "adam_first": (
        line([1.0, 1.0], ((1.0, 9.0),), ((5.0,),), optimizer="adam"),
        line([1.0, 1.0], ((1.0, 9.0),), ((5.0,),), optimizer="rmsprop"),
    ),
    "velocity_zero": (line([1.0], optimizer="momentum", with_optimizer=STAYS), line([1.0], optimizer="sgd")),
    "adam_against": (alternating("adam", first=1.0), alternating("adam", first=-1.0)),
    "velocity_carries": (
        line([1.0], y=((9.0,),), optimizer="momentum", with_optimizer=STAYS, steps=2),
        line([1.0], y=((9.0,),), optimizer="momentum", with_optimizer=STAYS, steps=1),
    ),
    "lion_even": (line([1.0], optimizer="lion"), line([1.0], optimizer="adam")),
    "decay_alone": (
        line([1.0, 1.0], ((0.0, 1.0),), ((5.0,),), optimizer="adamw", with_optimizer={"weight_decay": 0.1}),
        line([1.0, 1.0], ((0.5, 1.0),), ((5.0,),), optimizer="adamw", with_optimizer={"weight_decay": 0.1}),
    ),
    "evened_out": (
        line([1.0, 1.0], ((1.0, 99.0),), ((5.0,),), optimizer="adam"),
        line([1.0, 1.0], ((1.0, 99.0),), ((5.0,),), optimizer="sgd", rate=1e-5),
    ),
    "tiny_step": (line([1.0], rate=1e-7), line([1.0], rate=1e-2)),
    "adam_young": (
        line([1.0], y=((9.0,),), optimizer="adam", steps=2), line([1.0], y=((9.0,),), optimizer="adam", steps=1),
    ),
    "curvature_took": (line([1.0], rate=0.4), line([1.0], rate=0.01)),
    "signs_changed": (line([0.1], y=((-9.0,),), rate=0.1), line([0.1], y=((9.0,),), rate=0.1)),
    "same_mask": (masked([0, 1]), hidden([[1.0], [2.0]], [1.0, 3.0])),
    "as_the_slope_said": (line([1.0], rate=0.001), line([1.0], rate=0.4)),
}  # fmt: skip


def found(case: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """All situations that the last step of a case is in, whether or not the sheet has room for them."""
    monkeypatch.setattr("handgrad.worked.derive.step.MOST_SAID", dict.fromkeys(MOST_SAID, len(SITUATIONS)))
    record = hg.explain(case, language="en").record
    return {words.key for words in record.steps[-1].closing} & set(SENTENCES)


def test_the_bank_has_a_sentence_and_a_test_for_every_row():
    keys = [situation.key for situation in SITUATIONS]
    assert len(set(keys)) == len(keys) >= 60
    assert set(keys) == set(SENTENCES) == set(ROWS)
    assert room.__doc__


@pytest.mark.parametrize("key", ROWS)
def test_a_situation_is_said_where_it_is_so(key, monkeypatch):
    assert key in found(ROWS[key][0], monkeypatch)


@pytest.mark.parametrize("key", ROWS)
def test_a_situation_is_not_said_nearby(key, monkeypatch):
    assert key not in found(ROWS[key][1], monkeypatch)


@pytest.mark.parametrize("language", ["en", "bn"])
def test_every_sentence_is_written_with_its_figures(language, monkeypatch):
    monkeypatch.setattr("handgrad.worked.derive.step.MOST_SAID", dict.fromkeys(MOST_SAID, len(SITUATIONS)))
    for case, _ in ROWS.values():
        assert str(hg.explain(case, language=language))


def test_the_most_important_few_are_said_in_their_order():
    case = hidden([[-1.0], [-2.0]], [1.0, 1.0])
    sheet = hg.explain(case)
    said = [words.key for words in sheet.record.steps[0].closing if words.key in SENTENCES]
    order = [situation.key for situation in SITUATIONS]
    assert said == sorted(said, key=order.index)
    assert len(said) <= max(MOST_SAID.values())
    assert said[0] == "layer_dead"


def test_the_figures_are_those_of_the_step():
    """The slope's promise and the curvature, against the parabola (w x - y)^2 by hand."""
    sheet = hg.explain(line([1.0], rate=1.5))
    words = next(words for words in sheet.record.steps[0].closing if words.key == "overshot")
    held = dict(words.arguments)
    w, rate = np.array([1.0, 0.0]), 1.5  # weight and bias; the loss is (w + b)^2
    gradient = 2 * w.sum() * np.ones(2)
    assert held["expected"] == pytest.approx(rate * gradient @ gradient)
    assert held["rise"] == pytest.approx((w - rate * gradient).sum() ** 2 - 1.0)
    assert "by 12; it rose by 24" in " ".join(sheet.text().split())


def test_nothing_is_said_twice_of_tied_classes():
    assert Phrasebook("en").text("tied_classes", probability=0.5).startswith("Two classes are tied")


def _rose(case: dict[str, Any]) -> tuple[list[str], list[str]]:
    (step,) = hg.explain(case).record.steps[-1:]
    assert step.loss_after > step.loss_before
    return [words.key for words in step.observation], [words.key for words in step.closing]


@pytest.mark.parametrize(
    ("case", "why"),
    [
        (line([1.0], rate=1.5), "overshot"),
        (line([1.0], rate=1.5, optimizer="rmsprop"), "overshot"),
        (alternating("momentum", rate=0.001, with_optimizer=STAYS), "uphill"),
    ],
)
def test_a_rise_is_said_once_and_its_reason_once(case: dict[str, Any], why: str) -> None:
    """The observation says that the loss rose, the bank alone why: the curvature, or the earlier gradients."""
    said, closing = _rose(case)
    assert said.count("loss_went_up") == 1
    assert [key for key in closing if key in ("overshot", "uphill")] == [why]
