"""The array namespace of the inputs: NumPy runs the equations, JAX compiles the very same ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
"""A floating-point array of any library that follows the array API standard (2023.12)."""


class Namespace(Protocol):
    """The functions of an array library that the equations use; a library that has these can run them."""

    abs: Callable[[Array], Array]
    __name__: str
    arange: Callable[..., Array]
    asarray: Callable[..., Array]
    argmax: Callable[..., Array]
    astype: Callable[[Array, Any], Array]
    clip: Callable[[Array, float, float], Array]
    concat: Callable[..., Array]
    exp: Callable[[Array], Array]
    expm1: Callable[[Array], Array]
    int32: Any
    log: Callable[[Array], Array]
    log1p: Callable[[Array], Array]
    max: Callable[..., Array]
    maximum: Callable[[Array, Array], Array]
    mean: Callable[..., Array]
    minimum: Callable[[Array, Array], Array]
    ones_like: Callable[[Array], Array]
    reshape: Callable[[Array, tuple[int, ...]], Array]
    sign: Callable[[Array], Array]
    sqrt: Callable[[Array], Array]
    stack: Callable[..., Array]
    sum: Callable[..., Array]
    take: Callable[..., Array]
    tanh: Callable[[Array], Array]
    uint32: Any
    where: Callable[[Array, Array | float, Array | float], Array]
    zeros_like: Callable[..., Array]


def namespace(array: Array) -> Namespace:
    """Module whose functions work on `array` (`numpy`, `jax.numpy`, ...).

    >>> namespace(np.ones(2)).__name__
    'numpy'
    """
    try:
        functions: Namespace = array.__array_namespace__()
    except AttributeError:  # PyTorch follows the standard through a package of its own
        from array_api_compat import array_namespace

        functions = array_namespace(array)
    return functions


def rows(values: Any, dtype: Any = np.float64) -> Array:
    """`values` as a two-dimensional array, one sample a row; a flat list is one row.

    >>> rows([0.5, 0.3]).shape
    (1, 2)
    """
    array = np.asarray(values, dtype=dtype)
    return array.reshape(1, -1) if array.ndim < 2 else array
