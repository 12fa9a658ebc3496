"""Who executes the steps: the reference engine in NumPy, the native engine in C++."""

from __future__ import annotations

from handgrad.engines.protocol import Engine
from handgrad.engines.reference import ReferenceEngine
from handgrad.errors import SpecificationError

ENGINES = ("auto", "native", "reference")


def choose(name: str = "auto") -> Engine:
    """The engine of that name; 'auto' is the native one where it was built, else the reference.

    >>> choose("reference").name
    'reference'

    Raises SpecificationError for an unknown name, or for 'native' where it was not built.
    """
    if name not in ENGINES:
        raise SpecificationError(f"unknown engine {name!r}; choose one of {', '.join(ENGINES)}")
    if name == "reference":
        return ReferenceEngine()
    native = _native()
    if native is not None:
        return native
    if name == "native":
        raise SpecificationError(
            "the native engine was not built for this installation; reinstall handgrad with a C++ compiler, "
            "or use the engine 'reference'"
        )
    return ReferenceEngine()


def _native() -> Engine | None:
    """The native engine, None where its extension module is not there."""
    try:
        from handgrad.engines.native import NativeEngine
    except ImportError:
        return None
    return NativeEngine()
