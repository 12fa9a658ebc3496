"""Situations of units: dead, saturated, switched off, or equal."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from handgrad.worked.expressions import Symbol
from handgrad.worked.situations.facts import Arguments, Facts, Situation, Slopes

FLAT = 0.01
"""Below this slope hardly any error passes back."""


def _dead(slopes: Slopes) -> list[int]:
    return np.flatnonzero((slopes.slopes == 0).all(axis=0)).tolist()


def _saturated(slopes: Slopes) -> list[int]:
    small = (np.abs(slopes.slopes) < FLAT).all(axis=0) & ~(slopes.slopes == 0).all(axis=0)
    return np.flatnonzero(small).tolist()


def _flat_layers(facts: Facts) -> list[Slopes]:
    return [slopes for slopes in facts.hidden if slopes.layer.function.name != "step"]


def _layer_dead(facts: Facts) -> Arguments:
    for slopes in _flat_layers(facts):
        if len(_dead(slopes)) == slopes.layer.units:
            return {"layer": slopes.number}
    return None


def _unit_dead(facts: Facts) -> Arguments:
    for slopes in _flat_layers(facts):
        dead = _dead(slopes)
        if len(dead) == 1 < slopes.layer.units:
            return {"unit": Symbol("z", slopes.number, (dead[0],))}
    return None


def _units_dead(facts: Facts) -> Arguments:
    for slopes in _flat_layers(facts):
        dead = _dead(slopes)
        if 1 < len(dead) < slopes.layer.units:
            return {"dead": len(dead), "units": slopes.layer.units, "layer": slopes.number}
    return None


def _unit_saturated(facts: Facts) -> Arguments:
    for slopes in _flat_layers(facts):
        flat = _saturated(slopes)
        if len(flat) == 1:
            steepest = float(np.abs(slopes.slopes[:, flat[0]]).max())
            entry = (flat[0],) if slopes.layer.units > 1 else ()
            return {"unit": Symbol("z", slopes.number, entry), "slope": steepest}
    return None


def _units_saturated(facts: Facts) -> Arguments:
    for slopes in _flat_layers(facts):
        flat = _saturated(slopes)
        if len(flat) > 1:
            return {"flat": len(flat), "units": slopes.layer.units, "layer": slopes.number}
    return None


def _step_function(facts: Facts) -> Arguments:
    for l, layer in facts.network.numbered():
        if layer.function.name == "step" and facts.gradients:
            return {"layer": l}
    return None


def _output_flat(facts: Facts) -> Arguments:
    """A saturated output under a loss that lets its slope through."""
    loss, last = facts.network.loss, facts.network.layers[-1].function.name
    if loss is None or loss.fused(last) or last not in ("sigmoid", "tanh", "hard_sigmoid"):
        return None
    if not facts.has("y", "yhat", f"derivative{facts.last}"):
        return None
    slopes, far = facts.get(f"derivative{facts.last}"), np.abs(facts.get("yhat") - facts.get("y")) > 0.5
    stuck = (np.abs(slopes) < FLAT) & far
    return {"slope": float(np.abs(slopes[stuck]).max())} if stuck.any() else None


def _twin_units(facts: Facts) -> Arguments:
    """Two units of a hidden layer with the same weights into and out of them, so with the same gradient."""
    for (l, layer), (_, following) in combinations(list(facts.network.numbered()), 2):
        names = (f"W{l}", f"W{l + 1}", f"dW{l}")
        if layer.units < 2 or following is not facts.network.layers[l] or not facts.has(*names):
            continue
        into, out, gradient = (facts.get(name) for name in names)
        bias = facts.get(f"b{l}") if facts.has(f"b{l}") else np.zeros(layer.units)
        for i, j in combinations(range(layer.units), 2):
            same = (
                np.array_equal(into[i], into[j])
                and np.array_equal(out[:, i], out[:, j])
                and bias[i] == bias[j]
            )
            if same and np.array_equal(gradient[i], gradient[j]) and gradient[i].any():
                return {"one": Symbol("z", l, (i,)), "other": Symbol("z", l, (j,))}
    return None


def _weights_zero(facts: Facts) -> Arguments:
    """A layer above the first whose weights are all zero: no error passes it."""
    for l, _ in facts.network.numbered():
        if l > 1 and facts.has(f"W{l}", f"dW{l - 1}") and not facts.get(f"W{l}").any():
            return {"W": Symbol("W", l), "layer": l - 1}
    return None


def _units_off(facts: Facts) -> Arguments:
    """Units that the mask switched off for every sample of the batch."""
    for l, layer in facts.network.numbered():
        if facts.has(f"mask{l}"):
            off = int((facts.get(f"mask{l}") == 0).all(axis=0).sum())
            if 0 < off < layer.units:
                return {"off": off, "units": layer.units, "layer": l}
    return None


def _layer_off(facts: Facts) -> Arguments:
    for l, _ in facts.network.numbered():
        if facts.has(f"mask{l}") and not facts.get(f"mask{l}").any():
            return {"layer": l}
    return None


UNITS = (
    Situation("layer_dead", _layer_dead),
    Situation("layer_off", _layer_off),
    Situation("step_function", _step_function),
    Situation("weights_zero", _weights_zero),
    Situation("output_flat", _output_flat),
    Situation("twin_units", _twin_units),
    Situation("unit_dead", _unit_dead),
    Situation("units_dead", _units_dead),
    Situation("unit_saturated", _unit_saturated),
    Situation("units_saturated", _units_saturated),
    Situation("units_off", _units_off),
)
