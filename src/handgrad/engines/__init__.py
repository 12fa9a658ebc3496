"""Who executes the steps: the reference engine in NumPy, the native engine in C++, JAX on what it finds."""

from __future__ import annotations

from handgrad.engines import jax, native
from handgrad.engines.protocol import Engine
from handgrad.engines.reference import ReferenceEngine
from handgrad.errors import SpecificationError
from handgrad.nn.network import Network

ENGINES = ("auto", "native", "reference", "jax")


LARGE = 1_000_000
"""Parameters from which 'auto' looks for an accelerator; an estimate: it was not measured on one."""


def choose(name: str = "auto", network: Network | None = None) -> Engine:
    """The engine of that name; 'auto' is the native one where it was built and can train `network`.

    Where JAX sees a GPU or TPU, 'auto' takes it for a network of at least `LARGE` parameters. 'jax:cpu',
    'jax:gpu' and 'jax:tpu' name the device as well, 'jax:gpu:8' or 'jax::8' how many of them.

    >>> choose("reference").name
    'reference'

    Raises SpecificationError for an unknown name, for 'native' where it was not built, or a device that is
    not there; MissingExtraError for 'jax' without JAX.
    """
    name, colon, device = name.partition(":")
    if name not in ENGINES:
        raise SpecificationError(f"unknown engine {name!r}; choose one of {', '.join(ENGINES)}")
    if colon and name != "jax":
        raise SpecificationError(f"a device ({device}) belongs to the engine 'jax'; the engine is {name!r}")
    if name == "jax" or (name == "auto" and _for_a_device(network)):
        kind, _, count = device.partition(":")
        if count and not count.isdecimal():
            raise SpecificationError(f"the number of devices must be a whole number, got {count!r}")
        return jax.JaxEngine(kind or None, int(count or 1))
    if name == "reference" or (name == "auto" and (not native.available() or _by_hand(network))):
        return ReferenceEngine()
    if not native.available():
        raise SpecificationError(
            "the native engine was not built for this installation; reinstall handgrad with a C++ compiler, "
            "or use the engine 'reference'"
        )
    return native.NativeEngine()


def _for_a_device(network: Network | None) -> bool:
    """True where the network is large and JAX sees more than processors; small ones never import JAX."""
    return network is not None and network.parameter_count >= LARGE and jax.accelerated()


def _by_hand(network: Network | None) -> bool:
    """True for dropout masks given by hand, which the native engine leaves to the reference engine."""
    layers = () if network is None else network.layers
    return any(layer.dropout is not None and layer.dropout.mask is not None for layer in layers)
