"""Inverted dropout with masks from a counter-based generator.

The mask of step t is a function of (seed, t, layer, sample, unit) alone: it can be had without the steps
before it, by every engine, in any order.

Source: N. Srivastava et al., Dropout (JMLR 2014); J. Salmon et al., Parallel random numbers: as easy as
1, 2, 3 (SC 2011), section 3.3, for Philox4x32-10.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from handgrad.errors import SpecificationError
from handgrad.nn.arrays import Array

_MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
_WEYL = (0x9E3779B9, 0xBB67AE85)
_LOW = np.uint64(0xFFFFFFFF)
_ROUNDS = 10


@dataclass(frozen=True)
class Dropout:
    """Keeps each unit with probability `keep` and divides what is kept by it: a = mask * f(z) / keep.

    `mask` (samples x units, of 0 and 1) may be given for a hand calculation; one row serves all samples.

    >>> Dropout(keep=0.8) == dropping(0.2)
    True

    Raises SpecificationError unless 0 < keep <= 1 and the mask holds zeros and ones only.
    """

    keep: float = 1.0
    mask: tuple[tuple[int, ...], ...] | None = None

    def __post_init__(self) -> None:
        if not 0 < self.keep <= 1:
            raise SpecificationError(
                f"dropout: keep is the probability to keep a unit, 0 < keep <= 1, got {self.keep}"
            )
        if self.mask is None:
            return
        rows = tuple(tuple(row) for row in self.mask)
        if not rows or any(len(row) != len(rows[0]) for row in rows):
            raise SpecificationError("dropout: the rows of a mask must have equal length, one entry a unit")
        if any(value not in (0, 1) for row in rows for value in row):
            raise SpecificationError("dropout: a mask holds zeros (dropped) and ones (kept) only")
        object.__setattr__(self, "mask", rows)


def dropping(part: float) -> Dropout | None:
    """Dropout said by the part of the units that is dropped, keep = 1 - part; none where the part is 0.

    >>> dropping(0.25)
    Dropout(keep=0.75, mask=None)

    Raises SpecificationError unless 0 <= part < 1.
    """
    if isinstance(part, bool) or not isinstance(part, int | float | np.number) or not 0 <= part < 1:
        raise SpecificationError(
            f"dropout: a bare number is the part of the units that is dropped, 0 <= part < 1, got {part!r}; "
            "say the part that is kept as keep = 0.8"
        )
    return Dropout(keep=1 - float(part)) if part else None


def philox(counter: tuple[Any, Any, Any, Any], key: tuple[int, int]) -> tuple[Array, ...]:
    """Philox4x32-10: four uint32 words (held in uint64) per counter; the words of `counter` broadcast.

    >>> [hex(int(word)) for word in philox((0, 0, 0, 0), (0, 0))]
    ['0x6627e8d5', '0xe169c58d', '0xbc57ac4c', '0x9b00dbd8']
    """
    c0, c1, c2, c3 = np.broadcast_arrays(*(np.asarray(word, np.uint64) for word in counter))
    k0, k1 = key
    for _ in range(_ROUNDS):
        p0, p1 = _MULTIPLIERS[0] * c0, _MULTIPLIERS[1] * c2
        c0, c1, c2, c3 = (
            (p1 >> np.uint64(32)) ^ c1 ^ np.uint64(k0),
            p1 & _LOW,
            (p0 >> np.uint64(32)) ^ c3 ^ np.uint64(k1),
            p0 & _LOW,
        )
        k0, k1 = (k0 + _WEYL[0]) & 0xFFFFFFFF, (k1 + _WEYL[1]) & 0xFFFFFFFF
    return c0, c1, c2, c3


def dropout_mask(seed: int, step: int, layer: int, samples: int, units: int, keep: float) -> Array:
    """True where a unit is kept, shape (samples, units).

    counter = (unit // 4, sample in the batch, layer, step), key = the 64-bit seed; a unit is kept where word
    unit % 4 of the answer is below keep * 2^32. Layers and steps are counted from 1.

    >>> bool(dropout_mask(0, 1, 1, 100, 100, 0.8).mean() > 0.78)
    True
    """
    blocks = -(-units // 4)
    counter = (np.arange(blocks)[None, :], np.arange(samples)[:, None], layer, step & 0xFFFFFFFF)
    words = philox(counter, (seed & 0xFFFFFFFF, (seed >> 32) & 0xFFFFFFFF))
    drawn = np.stack(words, axis=-1).reshape(samples, 4 * blocks)[:, :units]
    return np.asarray(drawn < np.uint64(int(keep * 2.0**32)))
