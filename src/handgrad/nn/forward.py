"""The forward pass: from the inputs to the outputs, layer by layer.

    Z[l] = A[l-1] W[l]^T + b[l],   A[l] = f_l(Z[l]),   A[0] = X

Where inputs are categories, the first of these products takes the row of W[1]^T of each (`handgrad.nn.gathering`).

Arrays hold one sample a row: X (m, n_0), Z[l] and A[l] (m, n_l), W[l] (n_l, n_{l-1}), b[l] (n_l,).

Source: I. Goodfellow, Y. Bengio, A. Courville, Deep Learning (2016), algorithm 6.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from handgrad.errors import ShapeError
from handgrad.nn.arrays import Array, namespace
from handgrad.nn.dropout import NUMPY, Library, Seed, dropout_mask
from handgrad.nn.gathering import gathered_linear
from handgrad.nn.network import Network, Parameters
from handgrad.nn.observe import UNOBSERVED, Observer

Masks = Sequence[Array | None]


class Activity(NamedTuple):
    """What the forward pass leaves for the backward pass; index l holds layer l, index 0 the inputs."""

    Z: tuple[Array, ...]  # Z[0] is X and stands there only to keep the numbering
    F: tuple[Array, ...]  # f_l(Z[l]) before dropout
    A: tuple[Array, ...]  # what the next layer receives
    masks: tuple[Array | None, ...]  # 0 or 1 for each unit, None without dropout

    @property
    def yhat(self) -> Array:
        """The outputs, A[L]."""
        return self.A[-1]


def linear(A: Array, W: Array, b: Array) -> Array:
    """Z = A W^T + b, shapes (m, inputs), (units, inputs), (units,) -> (m, units)."""
    return A @ W.T + b


def forward(
    network: Network,
    parameters: Parameters,
    X: Array,
    masks: Masks | None = None,
    observe: Observer = UNOBSERVED,
) -> Activity:
    """The forward pass of a batch X (m, n_0); `masks` (one per layer) switches dropout on.

    >>> import numpy as np
    >>> from handgrad.nn.network import Dense
    >>> network = Network(2, [Dense(1, "relu", W=[[1.0, 2.0]], b=[0.5])])
    >>> forward(network, network.initial_parameters(), np.array([[1.0, 1.0]])).yhat.tolist()
    [[3.5]]
    """
    Z, F, A = [X], [X], [X]
    used: list[Array | None] = [None]
    for l, layer in network.numbered():
        W, b = parameters[l - 1]
        gathers = l == 1 and network.gathered
        z = gathered_linear(X, W, b, network.gathered) if gathers else linear(A[-1], W, b)
        z = observe(f"z{l}", z)
        f = a = layer.function.value(z)
        mask = masks[l - 1] if masks is not None else None
        if mask is not None and layer.dropout is not None:
            mask = observe(f"mask{l}", namespace(z).astype(mask, z.dtype))
            f = observe(f"f{l}", f)
            a = f * mask / layer.dropout.keep
        seen = observe(f"a{l}", a)
        if l == network.depth:
            seen = observe("yhat", seen)
        if mask is None:
            f = seen
        Z.append(z)
        F.append(f)
        A.append(seen)
        used.append(mask)
    return Activity(tuple(Z), tuple(F), tuple(A), tuple(used))


def predict(network: Network, parameters: Parameters, X: Array) -> Array:
    """The outputs for X (m, n_0) without dropout, shape (m, n_L)."""
    return forward(network, parameters, X).yhat


def dropout_masks(
    network: Network, seed: Seed, step: Any, samples: int, library: Library = NUMPY
) -> Masks | None:
    """The masks of step `step` (counted from 1), one per layer; None for a network without dropout.

    A mask given with the network is used as it is, its rows repeated over the samples. A compiled loop names
    its library and hands in the seed's `round_keys` and the step as a 32-bit word.
    """
    if all(layer.dropout is None for layer in network.layers):
        return None
    masks: list[Array | None] = []
    for l, layer in network.numbered():
        if layer.dropout is None:
            masks.append(None)
        elif layer.dropout.mask is not None:
            given = _given_mask(layer.dropout.mask, samples, layer.units, l)
            masks.append(library.xp.asarray(given))
        else:
            masks.append(dropout_mask(seed, step, l, samples, layer.units, layer.dropout.keep, library))
    return masks


def _given_mask(mask: tuple[tuple[int, ...], ...], samples: int, units: int, l: int) -> Array:
    rows = np.array(mask, dtype=bool)
    if rows.shape not in ((1, units), (samples, units)):
        raise ShapeError(
            f"layer {l}: the dropout mask must have shape (1, {units}) or ({samples}, {units}), "
            f"got {rows.shape}"
        )
    return np.broadcast_to(rows, (samples, units))
