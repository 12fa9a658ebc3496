"""What a step did, in words: which sentence is said where, with which figures, by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.worked.plain import said

from handgrad.cases.case import Case
from handgrad.worked.derive.step import derive
from handgrad.worked.record import Options, StepRecord
from handgrad.worksheets.case_steps import trace_case

RATE = {"name": "sgd", "learning_rate": 0.1}


def one(
    y: Any, W: Any = ((1.0,),), x: Any = ((1.0,),), loss: Any = "squared_error", **more: Any
) -> dict[str, Any]:
    """A layer without a bias, by default y = w x with w = x = 1."""
    rows = [list(row) for row in W]
    layer = {"units": len(rows), "W": rows, "bias": "none", **more.pop("layer", {})}
    network = {"inputs": len(rows[0]), "loss": loss, "layers": [layer]}
    return {"network": network, "data": {"x": [list(row) for row in x], "y": y}, "optimizer": RATE} | more


def worked(case: dict[str, Any]) -> StepRecord:
    made = Case.from_dict({key: value for key, value in case.items() if value is not None})
    trace = list(trace_case(made))[-1]
    return derive(trace, made.network, made.recipe, Options(), made.regularization)


SOFTMAX = {"activation": "softmax"}
LABELS: dict[str, Any] = {"loss": "binary_cross_entropy", "layer": {"activation": "sigmoid"}}
TWICE = {"training": {"steps": 2}}
FAR = {"name": "momentum", "learning_rate": 0.6, "momentum": 0.9}

# the loss is (w - y)^2, its gradient 2 (w - y), the new prediction w - 0.2 (w - y)
OBSERVED: dict[str, tuple[dict[str, Any], list[str]]] = {
    "below": (one([[2.0]]), [
        "prediction_below prediction=1 target=2", "weights_all_grew count=1", "prediction_after prediction=1.2",
        "loss_went_down before=1 after=0.64",
    ]),
    "above": (one([[0.0]]), [
        "prediction_above prediction=1 target=0", "weights_all_shrank count=1", "prediction_after prediction=0.8",
        "loss_went_down before=1 after=0.64",
    ]),
    "met": (one([[1.0]]), [
        "prediction_exact prediction=1 target=1", "gradient_zero", "loss_unchanged before=0 after=0",
    ]),
    "met to the last digits": (one([[1.0 + 1e-13]]), [
        "prediction_exact prediction=1 target=1", "weights_all_grew count=1",
        "loss_went_down before=9.984e-27 after=6.39e-27",
    ]),
    "not met": (one([[1.0 + 1e-11]]), [
        "prediction_below prediction=1 target=1", "weights_all_grew count=1", "prediction_after prediction=1",
        "loss_went_down before=1e-22 after=6.4e-23",
    ]),
    "beyond the margin": (one([[1]], ((2.0,),), loss="hinge"), [
        "prediction_enough prediction=2 target=1", "gradient_zero", "loss_unchanged before=0 after=0",
    ]),
    "at the margin": (one([[-1]], ((-1.0,),), loss="hinge"), [
        "prediction_enough prediction=-1 target=-1", "gradient_zero", "loss_unchanged before=0 after=0",
    ]),
    "within the margin": (one([[1]], ((0.5,),), loss="hinge"), [
        "prediction_below prediction=0.5 target=1", "weights_all_grew count=1", "prediction_after prediction=0.6",
        "loss_went_down before=0.5 after=0.4",
    ]),
    "a target that says nothing": (one([[0]], ((0.5,),), loss="cross_entropy", layer={"activation": "sigmoid"}), [
        "prediction_ignored prediction=0.6225 target=0", "gradient_zero", "loss_unchanged before=0 after=0",
    ]),
    "a class": (one([0], ((1.0,), (-1.0,)), loss="cross_entropy", layer=SOFTMAX), [
        "prediction_class probability=0.8808", "weights_grew_shrank weights=2 grew=1 shrank=1 same=0",
        "loss_went_down before=0.1269 after=0.1241",
    ]),
    "classes": (one([0, 1], ((1.0,), (-1.0,)), ((1.0,), (1.0,)), "cross_entropy", layer=SOFTMAX), [
        "prediction_classes samples=2 probability=0.5", "weights_grew_shrank weights=2 grew=1 shrank=1 same=0",
        "loss_went_down before=1.127 after=1.098",
    ]),
    "labels": (one([[1, 0]], ((1.0,), (-1.0,)), **LABELS), [
        "prediction_mixed predictions=2 below=1 above=1", "weights_grew_shrank weights=2 grew=1 shrank=1 same=0",
        "loss_went_down before=0.6265 after=0.6122",
    ]),
    "one output of a cross-entropy": (one([[1], [1]], x=((1.0,), (2.0,)), **LABELS | {"loss": "cross_entropy"}), [
        "prediction_mixed predictions=2 below=2 above=0", "weights_all_grew count=1",
        "loss_went_down before=0.2201 after=0.2138",
    ]),
    "several": (one([[1.0], [0.0], [2.0]], x=((1.0,), (1.0,), (1.0,))), [
        "prediction_mixed predictions=3 below=1 above=1", "gradient_zero", "loss_unchanged before=0.6667 after=0.6667",
    ]),
    "outputs that are no classes": (one([[0.5, 0.25]], ((1.0,), (-1.0,)), **LABELS), [
        "prediction_mixed predictions=2 below=0 above=2", "weights_all_shrank count=2",
        "loss_went_down before=1.377 after=1.371",
    ]),
    "all three ways": (one([[9.0]], ((1.0, 1.0, 1.0),), ((1.0, -1.0, 0.0),)), [
        "prediction_below prediction=0 target=9", "weights_grew_shrank_same weights=3 grew=1 shrank=1 same=1",
        "prediction_after prediction=3.6", "loss_went_down before=81 after=29.16",
    ]),
    "some stay": (one([[9.0]], ((1.0, 1.0),), ((1.0, 0.0),)), [
        "prediction_below prediction=1 target=9", "weights_grew_same weights=2 grew=1 shrank=0 same=1",
        "prediction_after prediction=2.6", "loss_went_down before=64 after=40.96",
    ]),
    "too far": (one([[2.0]], optimizer={"name": "sgd", "learning_rate": 1.5}), [
        "prediction_below prediction=1 target=2", "weights_all_grew count=1", "prediction_after prediction=4",
        "loss_went_up before=1 after=4",
    ]),
    "too far, back": (one([[2.0]], optimizer={"name": "sgd", "learning_rate": 1.0}), [
        "prediction_below prediction=1 target=2", "weights_all_grew count=1", "prediction_after prediction=3",
        "loss_unchanged before=1 after=1",
    ]),
    "too far by the way": (one([[2.0]], optimizer=FAR, **TWICE), [
        "prediction_above prediction=2.2 target=2", "weights_all_grew_plain count=1", "weights_besides count=1",
        "prediction_after prediction=3.04", "loss_went_up before=0.04 after=1.082",
    ]),
    "carried": (one([[2.0]], optimizer=RATE | {"learning_rate": 1.5}, rounding={"digits": 2, "carry": True}), [
        "prediction_below prediction=1 target=2", "weights_all_grew count=1", "prediction_after prediction=4",
        "loss_went_up before=1 after=4",
    ]),
    "no step": (one([[2.0]], optimizer=None), ["prediction_below prediction=1 target=2"]),
    "too small to change": (one([[2.0]], optimizer={"name": "sgd", "learning_rate": 1e-300}), [
        "prediction_below prediction=1 target=2", "weights_unchanged", "loss_unchanged before=1 after=1",
    ]),
}  # fmt: skip


@pytest.mark.parametrize("name", OBSERVED)
def test_what_the_step_did_is_said(name: str):
    case, wanted = OBSERVED[name]
    assert [said(words) for words in worked(case).observation] == wanted


def test_changes_hold_what_a_step_moved_from_and_to():
    step = worked(one([[2.0]]))
    (change,) = step.changes
    assert (change.quantity, change.before.item(), change.gradient.item()) == ("W1", 1.0, -2.0)
    assert change.after.item() == pytest.approx(1.2, rel=1e-15)
    assert worked(one([[2.0]], optimizer=None)).changes == ()
    layer = {"bias": "frozen", "b": [0.5]}
    assert [change.quantity for change in worked(one([[2.0]], layer=layer)).changes] == ["W1"]
    layer = {"bias": "trained", "b": [0.5]}
    assert [change.quantity for change in worked(one([[2.0]], layer=layer)).changes] == ["W1", "b1"]


def test_the_loss_after_the_step_is_that_of_the_same_masks_and_penalties():
    layers = [
        {"units": 2, "W": [[1.0], [2.0]], "bias": "none", "dropout": {"keep": 0.5, "mask": [[1, 0]]}},
        {"units": 1, "W": [[1.0, 1.0]], "bias": "none"},
    ]
    case = one([[1.0]], regularization={"l2": 0.5})
    case["network"]["layers"] = layers
    step = worked(case)
    W1, W2 = (np.asarray(step.quantities[f"W{l}_new"]) for l in (1, 2))
    yhat = W2[0, 0] * 2 * W1[0, 0]  # the second unit is off, the first counts double
    wanted = (yhat - 1) ** 2 + 0.25 * ((W1**2).sum() + (W2**2).sum())
    assert step.loss_after == pytest.approx(wanted, rel=1e-12)
    assert step.loss_before == pytest.approx((2 - 1) ** 2 + 0.25 * 7, rel=1e-12)


def test_without_a_target_or_a_step_there_is_no_loss():
    case = one([[2.0]])
    del case["data"]["y"]
    step = worked(case)
    assert (step.loss_before, step.loss_after, step.observation) == (None, None, ())
    assert worked(one([[2.0]], optimizer=None)).loss_after is None
    assert worked(one([[2.0]], given={"z1": [[3.0]]})).loss_after is None
