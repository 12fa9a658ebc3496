"""Why a loss is not finite: which layer, and what helps."""

from __future__ import annotations

import numpy as np

from handgrad.errors import TrainingError
from handgrad.nn.arrays import Array
from handgrad.nn.forward import Masks, forward
from handgrad.nn.network import Network, Parameters

REMEDIES = (
    "the usual remedies: a smaller learning rate (a tenth), clipping the gradient norm (1), scaled inputs"
)


def why_not_finite(network: Network, parameters: Parameters, X: Array, Y: Array, masks: Masks | None) -> str:
    """The first place in the forward pass of the batch where a number is not finite, and the remedies."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        activity = forward(network, parameters, X, masks)
    for l, _ in network.numbered():
        name = _bad_parameter(parameters, l)
        if name is not None:
            return f"layer {l}: {name} is not finite, the update before overflowed; {REMEDIES}"
        z = activity.Z[l]
        if not np.isfinite(z).all():
            largest = np.abs(parameters[l - 1].W).max()
            return f"layer {l}: z is not finite (the largest weight is {largest:.3g}); {REMEDIES}"
        if not np.isfinite(activity.A[l]).all():
            return f"layer {l}: its activation is not finite (largest |z| {np.abs(z).max():.3g}); {REMEDIES}"
    largest = np.abs(activity.yhat).max()
    return f"layer {network.depth}: the loss of its outputs (the largest {largest:.3g}) overflows; {REMEDIES}"


def check_parameters(parameters: Parameters, step: int) -> None:
    """Raises TrainingError where a parameter is not finite after `step`."""
    for l in range(1, len(parameters) + 1):
        name = _bad_parameter(parameters, l)
        if name is not None:
            raise TrainingError(
                f"step {step}: after the update, {name} of layer {l} is not finite; {REMEDIES}"
            )


def _bad_parameter(parameters: Parameters, l: int) -> str | None:
    for name, array in zip(("W", "b"), parameters[l - 1], strict=True):
        if not np.isfinite(array).all():
            return f"{name}{l}"
    return None
