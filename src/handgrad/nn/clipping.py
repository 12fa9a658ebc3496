"""Gradient clipping: by value, then by the norm of all gradients together.

Source: R. Pascanu, T. Mikolov, Y. Bengio, On the difficulty of training recurrent neural networks
(ICML 2013), algorithm 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from handgrad.errors import SpecificationError
from handgrad.nn.arrays import Array, namespace
from handgrad.nn.network import LayerParameters, Network, Parameters
from handgrad.nn.observe import UNOBSERVED, Observer


@dataclass(frozen=True)
class Clipping:
    """Limits on the gradients: each entry to [-value, value]; the norm of all trained entries to `norm`.

    >>> Clipping(norm=1.0)
    Clipping(value=None, norm=1.0)

    Raises SpecificationError for a limit that is not positive.
    """

    value: float | None = None
    norm: float | None = None

    def __post_init__(self) -> None:
        for name, limit in (("value", self.value), ("norm", self.norm)):
            if limit is not None and not (limit > 0 and math.isfinite(limit)):
                raise SpecificationError(f"clipping: {name} must be a finite number > 0, got {limit}")

    def __bool__(self) -> bool:
        return self.value is not None or self.norm is not None


def gradient_norm(network: Network, gradients: Parameters) -> Array:
    """Euclidean norm of all gradients that training uses, a number; a shared bias counts once."""
    xp = namespace(gradients[0].W)
    total = xp.zeros_like(gradients[0].W[0, 0])
    for layer, (dW, db) in zip(network.layers, gradients, strict=True):
        total = total + xp.sum(dW * dW)
        if layer.bias == "trained":
            total = total + xp.sum(db * db)
        elif layer.bias == "shared":
            total = total + db[0] * db[0]
    return xp.sqrt(total)


def clip(
    network: Network, gradients: Parameters, clipping: Clipping, observe: Observer = UNOBSERVED
) -> Parameters:
    """The clipped gradients: by value first, then all scaled by norm / |g| where |g| exceeds `norm`."""
    xp = namespace(gradients[0].W)
    if clipping.value is not None:
        limit = clipping.value
        gradients = tuple(
            LayerParameters(xp.clip(dW, -limit, limit), xp.clip(db, -limit, limit)) for dW, db in gradients
        )
    if clipping.norm is not None:
        norm = observe("gradient_norm", gradient_norm(network, gradients))
        # a norm of 0 needs no scaling, and must not divide
        scale = xp.where(norm > clipping.norm, clipping.norm / xp.where(norm > 0, norm, 1.0), 1.0)
        scale = xp.astype(scale, gradients[0].W.dtype)
        gradients = tuple(LayerParameters(dW * scale, db * scale) for dW, db in gradients)
    return tuple(
        LayerParameters(
            observe(f"dW{l}_clipped", dW), db if layer.bias == "none" else observe(f"db{l}_clipped", db)
        )
        for (l, layer), (dW, db) in zip(network.numbered(), gradients, strict=True)
    )
