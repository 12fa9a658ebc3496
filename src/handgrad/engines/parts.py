"""A layer in the two parts that the native core keeps of it: what is multiplied, and the rows of the categories."""

from __future__ import annotations

from typing import Any

import numpy as np

from handgrad.nn.arrays import Array
from handgrad.nn.network import Network


def numbers_of(network: Network) -> int:
    """The inputs of the first layer that are multiplied.

    >>> from handgrad.nn.network import Dense
    >>> numbers_of(Network(5, [Dense(1)], gathered=(3,)))
    2
    """
    return network.columns - len(network.gathered)


def multiplied(network: Network) -> int:
    """The weights that a sample meets: of those of categories one row for each column."""
    return network.parameter_count - (network.inputs - network.columns) * network.layers[0].units


def put(core: Any, network: Network, l: int, slot: int, W: Array, b: Array, dtype: Any) -> None:
    """Hands the core the parameters of layer l, or what the optimizer remembers of them (slot 1, 2, 3)."""
    if l == 1 and network.gathered:
        numbers = numbers_of(network)
        core.put_rows(slot, plain(W[:, numbers:].T, dtype))
        W = W[:, :numbers]
    core.put(l, slot, plain(W, dtype), plain(b, dtype))


def taken(core: Any, network: Network, l: int, slot: int, dtype: Any) -> tuple[Array, Array]:
    """(W, b) of layer l as the core has them, or what the optimizer remembers of them."""
    units, width = network.layers[l - 1].units, network.sizes[l - 1]
    gathers = l == 1 and bool(network.gathered)
    W, b = np.empty((units, numbers_of(network) if gathers else width), dtype), np.empty(units, dtype)
    core.get(l, slot, W, b)
    if not gathers:
        return W, b
    rows = np.empty((sum(network.gathered), units), dtype)
    core.get_rows(slot, rows)
    return np.concatenate([W, rows.T], axis=1), b


def plain(array: Array, dtype: Any) -> Array:
    """As the core takes it."""
    return np.ascontiguousarray(array, dtype)
