"""The analytic gradient beside the central difference (L(p + h) - L(p - h)) / 2h, entry by entry.

Source: W. Press et al., Numerical Recipes, 3rd edition (2007), section 5.7: the step that balances rounding and
truncation is about the cube root of the rounding unit, times the size of the number.
"""

from __future__ import annotations

import numpy as np

from handgrad.nn.arrays import Array
from handgrad.nn.backward import backward, batch_loss
from handgrad.nn.forward import Masks, forward
from handgrad.nn.network import LayerParameters, Network, Parameters
from handgrad.nn.regularization import Regularization
from handgrad.worked.expressions import Gradient, Symbol
from handgrad.worked.paper import Paper
from handgrad.worked.record import GradientCheck
from handgrad.worked.trace import flat_weights

STEP = float(np.finfo(np.float64).eps) ** (1 / 3)
MOST_ENTRIES = 400  # a parameter with more of them is sampled,
SAMPLED = 64  # so many entries, evenly spread: each costs two forward passes


def check_gradients(paper: Paper) -> tuple[GradientCheck, ...]:
    """Central differences for the parameters of the step, where it computes gradients from data."""
    quantities = paper.quantities
    if "y" not in quantities or "x" not in quantities or paper.network.loss is None or paper.trace.given:
        return ()
    masks = [quantities.get(f"mask{l}") for l in range(1, paper.network.depth + 1)]
    return central_differences(
        paper.network,
        paper.trace.before.parameters,
        quantities["x"],
        quantities["y"],
        paper.regularization,
        masks if any(mask is not None for mask in masks) else None,
        flat_weights(quantities),
    )


def central_differences(
    network: Network,
    parameters: Parameters,
    X: Array,
    Y: Array,
    regularization: Regularization,
    masks: Masks | None = None,
    weights: Array | None = None,
) -> tuple[GradientCheck, ...]:
    """One check for each W and each trained or frozen b, in float64; entries that were not probed are NaN."""
    parameters = tuple(LayerParameters(W.astype(float), b.astype(float)) for W, b in parameters)
    X, Y = np.asarray(X, float), np.asarray(Y, float)
    activity = forward(network, parameters, X, masks)
    weights = None if weights is None else np.asarray(weights, float)
    gradients = backward(network, parameters, activity, Y, regularization, weights=weights)
    checks = []
    for l, layer in network.numbered():
        for place, letter in enumerate("Wb"):
            if letter == "b" and layer.bias == "none":
                continue
            analytic = gradients[l - 1][place]
            numeric = _numeric(
                network,
                parameters,
                X,
                Y,
                regularization,
                masks,
                l,
                place,
                layer.bias == "shared" and place == 1,
                weights,
            )
            symbol = Gradient(Symbol("loss"), Symbol(letter, l))
            checks.append(
                GradientCheck(
                    f"d{letter}{l}",
                    symbol,
                    analytic,
                    numeric,
                    relative_error(analytic, numeric),
                    relative_errors(analytic, numeric),
                )
            )
    return tuple(checks)


def relative_error(analytic: Array, numeric: Array) -> float:
    """Largest |analytic - numeric| over the largest of both in the array (1e-8 at the least)."""
    errors = relative_errors(analytic, numeric)
    return float(np.nanmax(errors)) if not np.isnan(errors).all() else 0.0


def relative_errors(analytic: Array, numeric: Array) -> Array:
    """|analytic - numeric| of each entry over the largest of both in the array; NaN where nothing was probed."""
    probed = ~np.isnan(numeric)
    largest = [float(np.max(np.abs(values[probed]), initial=0.0)) for values in (analytic, numeric)]
    return np.asarray(np.abs(analytic - numeric) / max(*largest, 1e-8))


def _numeric(
    network: Network,
    parameters: Parameters,
    X: Array,
    Y: Array,
    regularization: Regularization,
    masks: Masks | None,
    l: int,
    place: int,
    together: bool,
    weights: Array | None,
) -> Array:
    original = parameters[l - 1][place]
    numeric = np.full(original.shape, np.nan)
    count = original.size if original.size <= MOST_ENTRIES else SAMPLED
    flat = np.linspace(0, original.size - 1, count).astype(int)
    for index in flat:
        at = np.unravel_index(index, original.shape)
        h = STEP * max(1.0, abs(float(original[at])))
        losses = []
        for sign in (1, -1):
            moved = original.copy()
            if together:
                moved += sign * h  # a shared bias moves for all units at once
            else:
                moved[at] += sign * h
            pair = [*parameters[l - 1]]
            pair[place] = moved
            changed = (*parameters[: l - 1], LayerParameters(*pair), *parameters[l:])
            activity = forward(network, changed, X, masks)
            value = batch_loss(network, changed, activity, Y, regularization, weights=weights)
            losses.append(float(value))
        numeric[at] = (losses[0] - losses[1]) / (2 * h)
    return numeric
