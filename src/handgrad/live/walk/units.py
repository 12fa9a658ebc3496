"""Which units of a layer learn nothing from a batch: dead ones, and saturated ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from handgrad.nn.arrays import Array
from handgrad.nn.network import Network

FLAT = 0.01
"""|f'(z)| below this hardly lets an error pass; see `nn.activations.ActivationRule`."""


def idle_units(network: Network, quantities: dict[str, Array], l: int) -> dict[str, Any] | None:
    """Units of hidden layer l that are dead or saturated for every sample of the batch, counted from 0.

    Dead: f'(z) = 0 for every sample, no error passes back. Saturated: |f'(z)| < 1/100 for every sample, and not
    dead. `share` is the part of all (sample, unit) pairs in which |f'(z)| < 1/100. None for the output layer, whose
    loss may undo a flat end, and for functions that mix the units.
    """
    function = network.layers[l - 1].function
    derivative = quantities.get(f"derivative{l}")
    if l == network.depth or derivative is None or not function.elementwise:
        return None
    slopes = np.abs(np.atleast_2d(derivative))
    dead = (slopes == 0).all(axis=0)
    flat = slopes < FLAT
    saturated = flat.all(axis=0) & ~dead
    return {
        "dead": np.flatnonzero(dead).tolist(),
        "saturated": np.flatnonzero(saturated).tolist(),
        "share": float(flat.mean()),
    }
