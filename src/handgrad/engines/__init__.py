"""Who executes the steps: the reference engine in NumPy, the native engine in C++."""

from __future__ import annotations

from handgrad.engines import native
from handgrad.engines.protocol import Engine
from handgrad.engines.reference import ReferenceEngine
from handgrad.errors import SpecificationError
from handgrad.nn.network import Network

ENGINES = ("auto", "native", "reference")


def choose(name: str = "auto", network: Network | None = None) -> Engine:
    """The engine of that name; 'auto' is the native one where it was built and can train `network`.

    >>> choose("reference").name
    'reference'

    Raises SpecificationError for an unknown name, or for 'native' where it was not built.
    """
    if name not in ENGINES:
        raise SpecificationError(f"unknown engine {name!r}; choose one of {', '.join(ENGINES)}")
    if name == "reference" or (name == "auto" and (not native.available() or _by_hand(network))):
        return ReferenceEngine()
    if not native.available():
        raise SpecificationError(
            "the native engine was not built for this installation; reinstall handgrad with a C++ compiler, "
            "or use the engine 'reference'"
        )
    return native.NativeEngine()


def _by_hand(network: Network | None) -> bool:
    """True for dropout masks given by hand, which the native engine leaves to the reference engine."""
    layers = () if network is None else network.layers
    return any(layer.dropout is not None and layer.dropout.mask is not None for layer in layers)
