"""Situations of the step itself: the size of the gradient, what the optimizer made of it, what the loss did."""

from __future__ import annotations

import numpy as np

from handgrad.nn.arrays import Array
from handgrad.worked.situations.facts import Arguments, Facts, Situation, percent, roughly

FAR = 1e3
"""A ratio of gradients from which on they vanish or explode on their way."""
ADAMS = ("adam", "adamw", "nadam")
MOMENTA = ("momentum", "nesterov")
ADAPTIVE = ("adam", "adamw", "rmsprop", "adagrad", "adadelta", "nadam")


def _norms(facts: Facts) -> tuple[float, float] | None:
    """The usual size of the gradient in the first and in the last layer."""
    if len(facts.gradients) != facts.last or facts.last < 3:
        return None
    first, last = (float(np.sqrt(np.mean(facts.gradients[l][1] ** 2))) for l in (0, -1))
    return (first, last) if np.isfinite(first + last) and first > 0 and last > 0 else None


def _vanishing(facts: Facts) -> Arguments:
    sizes = _norms(facts)
    return {"first": sizes[0], "last": sizes[1]} if sizes and sizes[1] > FAR * sizes[0] else None


def _exploding(facts: Facts) -> Arguments:
    sizes = _norms(facts)
    return {"first": sizes[0], "last": sizes[1]} if sizes and sizes[0] > FAR * sizes[1] else None


def _clipped_norm(facts: Facts) -> Arguments:
    recipe = facts.paper.recipe
    limit = None if recipe is None else recipe.clipping.norm
    if limit is None or not facts.has("gradient_norm"):
        return None
    norm = float(facts.get("gradient_norm"))
    return {"norm": norm, "limit": limit, "factor": limit / norm} if norm > limit else None


def _not_clipped(facts: Facts) -> Arguments:
    recipe = facts.paper.recipe
    limit = None if recipe is None else recipe.clipping.norm
    if limit is None or not facts.has("gradient_norm"):
        return None
    norm = float(facts.get("gradient_norm"))
    return {"norm": norm, "limit": limit} if norm <= limit else None


def _clipped_value(facts: Facts) -> Arguments:
    recipe = facts.paper.recipe
    limit = None if recipe is None else recipe.clipping.value
    if limit is None or not facts.gradients:
        return None
    cut = int((np.abs(facts.gradient) > limit).sum())
    return {"cut": cut, "weights": facts.gradient.size, "limit": limit} if cut else None


def _penalty_pulls(facts: Facts) -> Arguments:
    """The penalty's gradient is longer than that of the data."""
    names = [(f"dW{l}_data", f"dW{l}_penalty") for l, _ in facts.network.numbered()]
    if not all(facts.has(*pair) for pair in names):
        return None
    data, penalty = (np.sqrt(sum(float((facts.get(pair[k]) ** 2).sum()) for pair in names)) for k in (0, 1))
    return {"data": float(data), "penalty": float(penalty)} if penalty > data else None


def _penalty_weighs(facts: Facts) -> Arguments:
    if not facts.has("penalty", "data_loss"):
        return None
    penalty, data = float(facts.get("penalty")), float(facts.get("data_loss"))
    return {"penalty": penalty, "data": data} if penalty > data else None


def _decay_alone(facts: Facts) -> Arguments:
    """Weights without a gradient that AdamW's decay moved all the same."""
    if facts.optimizer != "adamw" or not facts.moved or facts.trace.number > 1:
        return None
    alone = int(((facts.gradient == 0) & (facts.change != 0)).sum())
    return {"alone": alone, "weights": facts.weights.size} if alone else None


def _adam_first(facts: Facts) -> Arguments:
    """In the first step the corrected averages are g and g^2: each weight moves by the rate, whatever its gradient."""
    if facts.optimizer not in ("adam", "adamw") or not facts.moved or facts.trace.number != 1:
        return None
    rate = facts.trace.learning_rate
    moved = np.abs(facts.change[facts.gradient != 0])
    near = moved.size and np.allclose(moved, rate, rtol=0.02)
    return {"rate": rate} if near else None


def _adam_young(facts: Facts) -> Arguments:
    """The correction for the start at zero still counts."""
    recipe, t = facts.paper.recipe, facts.trace.number
    if facts.optimizer not in ("adam", "adamw") or recipe is None or not facts.moved or t < 2:
        return None
    beta: float = recipe.optimizer.beta1  # type: ignore[attr-defined]
    factor = 1 / (1 - beta**t)
    return {"factor": factor} if factor > 1.1 else None


def _evened_out(facts: Facts) -> Arguments:
    """The steps of the weights differ much less than their gradients."""
    if facts.optimizer not in ADAPTIVE or not facts.moved:
        return None
    there = (facts.gradient != 0) & (facts.change != 0)
    if there.sum() < 2:
        return None
    sizes, steps = np.abs(facts.gradient[there]), np.abs(facts.change[there])
    spread, moved = float(sizes.max() / sizes.min()), float(steps.max() / steps.min())
    return (
        {"gradients": roughly(spread), "steps": roughly(moved)}
        if spread > 10 and moved < spread / 5
        else None
    )


def _turned(facts: Facts, state: Array) -> int:
    """Weights whose average so far and whose gradient now disagree in sign, and that moved with the average."""
    disagree = np.sign(state) * np.sign(facts.gradient) < 0
    return int((disagree & (np.sign(facts.change) == np.sign(facts.gradient))).sum())


def _adam_against(facts: Facts) -> Arguments:
    if facts.optimizer not in ("adam", "adamw") or not facts.moved or facts.trace.number < 2:
        return None
    against = _turned(facts, facts.state("m"))
    return {"against": against, "weights": facts.weights.size} if against else None


def _velocity_zero(facts: Facts) -> Arguments:
    if facts.optimizer != "momentum" or not facts.moved or facts.state("velocity").any():
        return None
    return {} if facts.gradient.any() else None


def _velocity_carries(facts: Facts) -> Arguments:
    """The step is longer than the gradient alone would have made it."""
    if facts.optimizer not in MOMENTA or not facts.moved or not facts.gradient.any():
        return None
    plain = facts.trace.learning_rate * float(np.linalg.norm(facts.gradient))
    if plain == 0:
        return None
    ratio = float(np.linalg.norm(facts.change)) / plain
    return {"ratio": ratio} if ratio > 1.2 else None


def _uphill(facts: Facts) -> Arguments:
    """The whole step has a part along the gradient: by its slope the loss had to rise."""
    if not facts.gradient.any() or facts.optimizer not in (*MOMENTA, *ADAMS, "lion"):
        return None
    found = _expected(facts)
    return {} if found and found[0] > 0 else None


def _lion_even(facts: Facts) -> Arguments:
    if facts.optimizer != "lion" or not facts.moved:
        return None
    steps = np.abs(facts.change[facts.change != 0])
    rate = facts.trace.learning_rate
    return {"rate": rate} if steps.size and np.allclose(steps, rate, rtol=1e-6) else None


def _expected(facts: Facts) -> tuple[float, float] | None:
    """The change of the loss by the slope alone, and the real one; of exact numbers only."""
    if not facts.moved or facts.before is None or facts.after is None:
        return None
    if facts.trace.rounding.carry or facts.trace.given:
        return None
    pairs = zip(facts.trace.before.parameters, facts.trace.after.parameters, strict=True)
    slope = 0.0
    for (l, _), (before, after) in zip(facts.network.numbered(), pairs, strict=True):
        slope += float((facts.get(f"dW{l}") * (after.W - before.W)).sum())
        if facts.has(f"db{l}"):
            slope += float((facts.get(f"db{l}").reshape(-1) * (after.b - before.b)).sum())
    return slope, facts.after - facts.before


def _overshot(facts: Facts) -> Arguments:
    """The slope promised a fall, and the curvature made a rise of it: whatever the optimizer, the step was too long."""
    found = _expected(facts)
    return {"expected": -found[0], "rise": found[1]} if found and found[0] < 0 < found[1] else None


def _curvature_took(facts: Facts) -> Arguments:
    found = _expected(facts) if facts.downhill else None
    if not found or not found[0] < 0 or not found[1] < 0:
        return None
    kept = found[1] / found[0]
    return {"expected": -found[0], "percent": percent(kept)} if kept < 0.75 else None


def _as_the_slope_said(facts: Facts) -> Arguments:
    found = _expected(facts) if facts.downhill else None
    if not found or not found[0] < 0:
        return None
    return {"expected": -found[0]} if abs(found[1] / found[0] - 1) < 0.05 else None


def _long_step(facts: Facts) -> Arguments:
    if not facts.moved or not facts.weights.any():
        return None
    part = float(np.linalg.norm(facts.change) / np.linalg.norm(facts.weights))
    return {"percent": percent(part)} if part > 0.5 else None


def _tiny_step(facts: Facts) -> Arguments:
    if not facts.moved or not facts.weights.any() or not facts.change.any():
        return None
    part = float(np.linalg.norm(facts.change) / np.linalg.norm(facts.weights))
    return {"part": part} if part < 1e-5 else None


def _signs_changed(facts: Facts) -> Arguments:
    if not facts.moved:
        return None
    turned = int((facts.weights * (facts.weights + facts.change) < 0).sum())
    return {"turned": turned, "weights": facts.weights.size} if turned else None


def _bias_alone(facts: Facts) -> Arguments:
    """No weight has a gradient, and a bias has one."""
    if not facts.moved or facts.gradient.any():
        return None
    names = [f"db{l}" for l, layer in facts.network.numbered() if layer.bias in ("trained", "shared")]
    return {} if any(facts.has(name) and facts.get(name).any() for name in names) else None


def _loss_zero(facts: Facts) -> Arguments:
    return {} if facts.before == 0 else None


def _same_mask(facts: Facts) -> Arguments:
    masked = any(name.startswith("mask") for name in facts.paper.quantities)
    return {} if masked and facts.after is not None else None


MOTION = (
    Situation("bias_alone", _bias_alone),
    Situation("loss_zero", _loss_zero),
    Situation("overshot", _overshot),
    Situation("uphill", _uphill),
    Situation("exploding", _exploding),
    Situation("vanishing", _vanishing),
    Situation("clipped_norm", _clipped_norm),
    Situation("clipped_value", _clipped_value),
    Situation("penalty_weighs", _penalty_weighs),
    Situation("penalty_pulls", _penalty_pulls),
    Situation("long_step", _long_step),
    Situation("adam_first", _adam_first),
    Situation("velocity_zero", _velocity_zero),
    Situation("adam_against", _adam_against),
    Situation("velocity_carries", _velocity_carries),
    Situation("lion_even", _lion_even),
    Situation("decay_alone", _decay_alone),
    Situation("evened_out", _evened_out),
    Situation("tiny_step", _tiny_step),
    Situation("adam_young", _adam_young),
    Situation("curvature_took", _curvature_took),
    Situation("signs_changed", _signs_changed),
    Situation("same_mask", _same_mask),
    Situation("as_the_slope_said", _as_the_slope_said),
    Situation("not_clipped", _not_clipped),
)
