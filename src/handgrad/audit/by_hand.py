"""Activations as they are worked out on paper: each exponential is rounded before it is used."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from handgrad.audit.rerun import Moment, Rewrite, rounded
from handgrad.nn.arrays import Array
from handgrad.nn.network import Network

Shorten = Callable[[Array], Array]


def to_significant(values: Array, significant: int) -> Array:
    """Each entry rounded to so many significant digits.

    >>> to_significant(np.array([0.05784, 2.363]), 2).tolist()
    [0.058, 2.4]
    """
    flat = [
        float(f"{value:.{significant - 1}e}") if np.isfinite(value) else value for value in values.ravel()
    ]
    return np.array(flat).reshape(values.shape)


def _softmax(z: Array, short: Shorten) -> Array:
    e = short(np.exp(z))
    worked: Array = e / np.sum(e, axis=-1, keepdims=True)
    return worked


_WORKED: Mapping[str, Callable[[Array, Shorten], Array]] = {
    "sigmoid": lambda z, short: 1 / (1 + short(np.exp(-z))),
    "softmax": _softmax,
    "tanh": lambda z, short: (short(np.exp(z)) - short(np.exp(-z))) / (short(np.exp(z)) + short(np.exp(-z))),
}


def shortenings(decimals: int) -> tuple[Shorten, ...]:
    """Ways to write an exponential down beside results of so many decimals."""
    places = range(max(1, decimals - 2), decimals + 2)
    return (
        *(lambda values, d=d: rounded(values, d) for d in places),
        *(lambda values, s=s: to_significant(values, s) for s in places),
    )


def worked_by_hand(network: Network, short: Shorten) -> dict[str, Rewrite]:
    """The rewritings of the activations that have a form with exponentials."""

    def rewrite(l: int, name: str) -> Rewrite:
        def value(moment: Moment, a: Array) -> Array:
            with np.errstate(all="ignore"):
                return _WORKED[name](moment.q[f"z{l}"], short)

        return value

    return {
        f"a{l}": rewrite(l, layer.function.name)
        for l, layer in network.numbered()
        if layer.function.name in _WORKED and layer.dropout is None
    }
