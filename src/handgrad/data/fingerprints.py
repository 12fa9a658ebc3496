"""By what a row is known again: a number made of all its bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

_KEY = 0x524F5753  # of the generator that draws the multipliers
_ROWS = 1 << 14


def row_hashes(X: npt.NDArray[Any], Y: npt.NDArray[Any]) -> npt.NDArray[np.uint64]:
    """A 64-bit number for each row of X (rows, inputs) and Y (rows, outputs); equal rows have equal ones.

        h = mix(sum over the columns of bits_j M_j mod 2^64), M_j odd and drawn at random

    Two different rows of a million have the same with a probability of about 1e-7.

    >>> h = row_hashes(np.array([[1.0], [2.0], [1.0]]), np.zeros((3, 1)))
    >>> bool(h[0] == h[2]), bool(h[0] == h[1])
    (True, False)

    Source: multilinear hashing, L. Carter, M. Wegman (1979); the mixing is that of splitmix64.
    """
    widths = X.shape[1] + Y.shape[1]
    drawn = np.random.default_rng([_KEY, widths]).integers(0, 2**64, widths + 1, np.uint64) | np.uint64(1)
    made = np.empty(len(X), np.uint64)
    for start in range(0, len(X), _ROWS):
        part = slice(start, start + _ROWS)
        made[part] = (
            _bits(X[part]) @ drawn[: X.shape[1]] + _bits(Y[part]) @ drawn[X.shape[1] : -1] + drawn[-1]
        )
    made ^= made >> np.uint64(30)
    made *= np.uint64(0xBF58476D1CE4E5B9)
    made ^= made >> np.uint64(27)
    return made


def _bits(array: npt.NDArray[Any]) -> npt.NDArray[np.uint64]:
    whole = np.ascontiguousarray(array) + array.dtype.type(0)  # -0 becomes 0
    bits: npt.NDArray[np.uint64] = whole.view(f"u{whole.dtype.itemsize}").astype(np.uint64)
    return bits
