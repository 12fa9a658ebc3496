"""The array namespace of the inputs: NumPy runs the equations, JAX compiles the very same ones."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
"""A floating-point array of any library that follows the array API standard (2023.12)."""


def namespace(array: Array) -> Any:
    """Module whose functions work on `array` (`numpy`, `jax.numpy`, ...).

    >>> namespace(np.ones(2)).__name__
    'numpy'
    """
    return array.__array_namespace__()


def rows(values: Any, dtype: Any = np.float64) -> Array:
    """`values` as a two-dimensional array, one sample a row; a flat list is one row.

    >>> rows([0.5, 0.3]).shape
    (1, 2)
    """
    array = np.asarray(values, dtype=dtype)
    return array.reshape(1, -1) if array.ndim < 2 else array
