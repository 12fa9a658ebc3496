"""equinox (MLP, or a Sequential) and flax.nnx (a Sequential), where the structure says what is computed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from handgrad.errors import ModelError
from handgrad.interop.foreign import Foreign, Layers, unknown
from handgrad.nn.arrays import Array

FUNCTIONS = {
    "relu": "relu",
    "sigmoid": "sigmoid",
    "tanh": "tanh",
    "softplus": "softplus",
    "silu": "silu",
    "swish": "silu",
    "elu": "elu",
    "leaky_relu": "leaky_relu",
    "softmax": "softmax",
    "relu6": "relu6",
    "hard_sigmoid": "hard_sigmoid",
    "selu": "selu",
    "mish": "mish",
    "exp": "exponential",
    "identity": "identity",
}
"""Functions of jax.nn and jax.numpy by their name; jax.nn.gelu is the approximation by tanh unless told else."""


def read(model: Any) -> Foreign:
    """An equinox.nn.MLP or Sequential, or a flax.nnx.Sequential, as a network of ours.

    Raises ModelError, which names the part, for one that has no counterpart here.
    """
    library = type(model).__module__.partition(".")[0]
    layers = Layers(library)
    if type(model).__name__ == "MLP" and library == "equinox":
        last = len(model.layers) - 1
        for k, layer in enumerate(model.layers):
            _linear(layers, f"equinox, layer {k}", layer.weight, layer.bias)
            _function(
                layers, f"equinox, layer {k}", model.final_activation if k == last else model.activation
            )
        return layers.done()
    if type(model).__name__ != "Sequential":
        raise unknown(
            library, f"a {type(model).__name__}", "MLP and Sequential of equinox, Sequential of flax.nnx"
        )
    _parts(layers, library, model.layers)
    return layers.done()


def _parts(layers: Layers, library: str, parts: Iterable[Any]) -> None:
    for k, part in enumerate(parts):
        kind, place = type(part).__name__, f"{library}, part {k} ({type(part).__name__})"
        if kind == "Linear" and library == "equinox":
            _linear(layers, place, part.weight, part.bias)
        elif kind == "Linear":  # flax.nnx: kernel (inputs, units)
            _linear(
                layers, place, np.asarray(part.kernel[...]).T, None if part.bias is None else part.bias[...]
            )
        elif kind == "Dropout" and library == "equinox":
            layers.dropout(place, float(part.p), now=not part.inference)
        elif kind == "Dropout":
            layers.dropout(place, float(part.rate), now=not part.deterministic)
        elif kind == "Identity":
            continue
        elif kind == "Lambda":
            _function(layers, place, part.fn)
        elif (callable(part) and not kind[:1].isupper()) or kind == "PjitFunction":
            _function(layers, place, part)
        else:
            raise unknown(place, kind, "Linear, Dropout, Lambda and functions of jax.nn")


def _linear(layers: Layers, place: str, weight: Any, bias: Any) -> None:
    layers.dense(
        place, np.asarray(weight, np.float64), None if bias is None else np.asarray(bias, np.float64)
    )


def _function(layers: Layers, place: str, function: Any) -> None:
    name = getattr(function, "__name__", repr(function))
    if name in ("<lambda>", "_identity") and _is_identity(function):
        return
    if name not in FUNCTIONS:
        raise unknown(place, f"the function {name!r}", ", ".join(FUNCTIONS))
    layers.activation(place, FUNCTIONS[name])


def _is_identity(function: Any) -> bool:
    """True for equinox's own `lambda x: x`, tried on numbers."""
    tried = np.array([-2.0, 0.0, 0.5, 3.0], np.float32)
    try:
        return np.array_equal(np.asarray(function(tried)), tried)
    except Exception as error:  # somebody else's function, which may raise anything
        raise ModelError(f"the function {function!r} cannot be tried on numbers ({error})") from error


def as_array(values: Any) -> Array:
    """Anything that is array-like as an array."""
    return np.asarray(values)
