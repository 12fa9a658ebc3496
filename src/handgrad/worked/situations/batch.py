"""Situations of the batch: who was right, which sample drove the step, what the inputs and the targets are."""

from __future__ import annotations

from itertools import combinations, islice

import numpy as np

from handgrad.nn.arrays import Array
from handgrad.worked.expressions import Gradient, Symbol
from handgrad.worked.situations.facts import Arguments, Facts, Situation, percent

MOST_PAIRS = 500


def _sure_and_wrong(facts: Facts) -> Arguments:
    chances = facts.true_probabilities()
    if chances is None or facts.samples > 1 or not chances[0] < 0.05:
        return None
    return {"probability": float(chances[0])}


def _sure_and_right(facts: Facts) -> Arguments:
    chances = facts.true_probabilities()
    if chances is None or facts.samples > 1 or not chances[0] > 0.99:
        return None
    return {"probability": float(chances[0])}


def _right_class(facts: Facts) -> Arguments:
    found = facts.classes()
    if found is None or facts.samples > 1 or not facts.one_hot or found[0][0] != found[1][0]:
        return None
    chance = float(facts.get("yhat").max())
    return {"probability": chance} if chance <= 0.99 and _tied_classes(facts) is None else None


def _wrong_class(facts: Facts) -> Arguments:
    found = facts.classes()
    if found is None or facts.samples > 1 or not facts.one_hot or found[0][0] == found[1][0]:
        return None
    return {"probability": float(facts.get("yhat").max())} if _tied_classes(facts) is None else None


def _tied_classes(facts: Facts) -> Arguments:
    if not facts.one_hot or facts.samples > 1:
        return None
    ordered = np.sort(facts.get("yhat")[0])
    return (
        {"probability": float(ordered[-1])}
        if np.isclose(ordered[-1], ordered[-2], rtol=1e-12, atol=0)
        else None
    )


def _half_and_half(facts: Facts) -> Arguments:
    yes = facts.labels and facts.samples == 1 and facts.get("yhat").item() == 0.5
    return {} if yes else None


def _some_right(facts: Facts) -> Arguments:
    found = facts.classes()
    if found is None or facts.samples < 2:
        return None
    right = int((found[0] == found[1]).sum())
    return {"right": right, "samples": facts.samples} if right < facts.samples else None


def _all_right(facts: Facts) -> Arguments:
    found = facts.classes()
    if found is None or facts.samples < 2 or not (found[0] == found[1]).all():
        return None
    return {"samples": facts.samples}


def _errors(facts: Facts) -> Array | None:
    """How much error each sample brings to the last layer."""
    name = f"delta{facts.last}"
    return np.abs(facts.get(name)).sum(axis=1) if facts.samples > 1 and facts.has(name) else None


def _one_sample_drove(facts: Facts) -> Arguments:
    errors = _errors(facts)
    if errors is None or not np.isfinite(errors).all() or not errors.sum() > 0:
        return None
    most, share = int(errors.argmax()), float(errors.max() / errors.sum())
    fair = 1 / facts.samples
    return (
        {"sample": Symbol("x", sample=most), "percent": percent(share)}
        if share > max(0.5, 1.5 * fair)
        else None
    )


def _samples_met(facts: Facts) -> Arguments:
    errors = _errors(facts)
    met = 0 if errors is None else int((errors == 0).sum())
    return {"met": met, "samples": facts.samples} if 0 < met < facts.samples else None


def _weight_driven(facts: Facts) -> Arguments:
    """The largest gradient of the first layer, and the sample that most of it comes from."""
    if facts.samples < 2 or not facts.has("dW1", "delta1", "x") or facts.has("dW1_penalty"):
        return None
    row, column = np.unravel_index(int(np.abs(facts.get("dW1")).argmax()), facts.get("dW1").shape)
    shares = facts.get("delta1")[:, row] * facts.get("x")[:, column]
    total = float(np.abs(shares).sum())
    if not np.isfinite(total) or total == 0:
        return None
    most = int(np.abs(shares).argmax())
    if np.abs(shares[most]) / total <= max(0.4, 1.5 / facts.samples):
        return None
    weight = Symbol("W", 1, (int(row), int(column)) if facts.get("dW1").size > 1 else ())
    return {
        "weight": Gradient(Symbol("loss"), weight),
        "sample": Symbol("x", sample=most),
        "percent": percent(float(np.abs(shares[most]) / total)),
    }


def _all_below(facts: Facts) -> Arguments:
    if facts.classes() is not None or facts.samples < 2 or not facts.has("y", "yhat"):
        return None
    errors = facts.get("yhat") - facts.get("y")
    if (errors < 0).all():
        return {"samples": facts.samples}
    return None


def _all_above(facts: Facts) -> Arguments:
    if facts.classes() is not None or facts.samples < 2 or not facts.has("y", "yhat"):
        return None
    return {"samples": facts.samples} if (facts.get("yhat") > facts.get("y")).all() else None


def _mean_distance(facts: Facts) -> Arguments:
    loss = facts.network.loss
    regression = loss is not None and loss.name in ("squared_error", "absolute_error", "huber")
    if not regression or facts.samples < 2 or not facts.has("y", "yhat"):
        return None
    distance = float(np.abs(facts.get("yhat") - facts.get("y")).mean())
    return {"distance": distance} if distance > 0 else None


def _worst_output(facts: Facts) -> Arguments:
    if facts.samples > 1 or facts.one_hot or not facts.has("y", "yhat") or facts.get("y").shape[1] < 2:
        return None
    errors = facts.get("yhat")[0] - facts.get("y")[0]
    worst = int(np.abs(errors).argmax())
    alone = (np.abs(errors) == np.abs(errors[worst])).sum() == 1
    return {"output": Symbol("yhat", entry=(worst,)), "error": float(errors[worst])} if alone else None


def _output_met(facts: Facts) -> Arguments:
    if facts.samples > 1 or facts.one_hot or not facts.has("y", "yhat") or facts.get("y").shape[1] < 2:
        return None
    met = np.flatnonzero(facts.get("yhat")[0] == facts.get("y")[0])
    return {"output": Symbol("yhat", entry=(int(met[0]),))} if len(met) == 1 else None


def _zero_inputs(facts: Facts) -> Arguments:
    return {} if facts.has("x", "dW1") and not facts.get("x").any() else None


def _zero_input(facts: Facts) -> Arguments:
    if not facts.has("x", "dW1") or not facts.get("x").any():
        return None
    empty = np.flatnonzero(~facts.get("x").any(axis=0))
    return {"input": Symbol("x", entry=(int(empty[0]),))} if len(empty) == 1 else None


def _several_zero_inputs(facts: Facts) -> Arguments:
    if not facts.has("x", "dW1") or not facts.get("x").any():
        return None
    empty = int((~facts.get("x").any(axis=0)).sum())
    return {"empty": empty, "inputs": facts.network.inputs} if empty > 1 else None


def _contradiction(facts: Facts) -> Arguments:
    """Equal inputs with different targets."""
    if facts.samples < 2 or not facts.has("x", "y"):
        return None
    x, y = facts.get("x"), facts.get("y")
    for i, j in islice(combinations(range(facts.samples), 2), MOST_PAIRS):
        if np.array_equal(x[i], x[j]) and not np.array_equal(y[i], y[j]):
            return {"one": Symbol("x", sample=i), "other": Symbol("x", sample=j)}
    return None


def _one_class_only(facts: Facts) -> Arguments:
    found = facts.classes()
    alone = found is not None and facts.samples > 1 and len(np.unique(found[1])) == 1
    return {"samples": facts.samples} if alone else None


def _imbalanced(facts: Facts) -> Arguments:
    found = facts.classes()
    if found is None or facts.samples < 5:
        return None
    counts = np.bincount(found[1])
    share = float(counts.max() / counts.sum())
    return {"percent": percent(share)} if 0.8 <= share < 1 else None


def _beyond_threshold(facts: Facts) -> Arguments:
    loss = facts.network.loss
    if loss is None or loss.name != "huber" or loss.threshold is None or not facts.has("y", "yhat"):
        return None
    far = int((np.abs(facts.get("yhat") - facts.get("y")) > loss.threshold).sum())
    return {"far": far, "predictions": int(facts.get("y").size)} if far else None


def _margins_met(facts: Facts) -> Arguments:
    loss = facts.network.loss
    if loss is None or loss.name != "hinge" or facts.samples < 2 or not facts.has("y", "yhat"):
        return None
    met = int((facts.get("yhat") * facts.get("y") >= 1).sum())
    return {"met": met, "samples": facts.samples} if met else None


BATCH = (
    Situation("contradiction", _contradiction),
    Situation("zero_inputs", _zero_inputs),
    Situation("sure_and_wrong", _sure_and_wrong),
    Situation("tied_classes", _tied_classes),
    Situation("half_and_half", _half_and_half),
    Situation("one_class_only", _one_class_only),
    Situation("imbalanced", _imbalanced),
    Situation("one_sample_drove", _one_sample_drove),
    Situation("several_zero_inputs", _several_zero_inputs),
    Situation("zero_input", _zero_input),
    Situation("output_met", _output_met),
    Situation("worst_output", _worst_output),
    Situation("samples_met", _samples_met),
    Situation("beyond_threshold", _beyond_threshold),
    Situation("margins_met", _margins_met),
    Situation("weight_driven", _weight_driven),
    Situation("sure_and_right", _sure_and_right),
    Situation("wrong_class", _wrong_class),
    Situation("right_class", _right_class),
    Situation("all_right", _all_right),
    Situation("some_right", _some_right),
    Situation("all_below", _all_below),
    Situation("all_above", _all_above),
    Situation("mean_distance", _mean_distance),
)
