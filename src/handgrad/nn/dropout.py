"""Inverted dropout with masks from a counter-based generator.

The mask of step t is a function of (seed, t, layer, sample, unit) alone: it can be had without the steps
before it, by every engine, in any order.

Source: N. Srivastava et al., Dropout (JMLR 2014); J. Salmon et al., Parallel random numbers: as easy as
1, 2, 3 (SC 2011), section 3.3, for Philox4x32-10.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from handgrad.errors import SpecificationError
from handgrad.nn.arrays import Array, Namespace

_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_WEYL = (0x9E3779B9, 0xBB67AE85)
_WORD, _HALF = 0xFFFFFFFF, 0xFFFF
_ROUNDS = 10


@dataclass(frozen=True)
class Library:
    """An array library that draws masks: its namespace, its type of a 32-bit word, and how rounds stay apart.

    `word` None is uint32; PyTorch, which cannot shift those, takes int64. `apart` is shown the words after each
    round: a compiler that melts all ten into one expression is slow, and so is what it makes.
    """

    xp: Namespace
    word: Any = None
    apart: Callable[[tuple[Array, ...]], tuple[Array, ...]] = tuple

    def words(self, values: Any) -> Array:
        """`values` as words."""
        return self.xp.asarray(values, dtype=self.xp.uint32 if self.word is None else self.word)


_numpy: Any = np  # the type checker wants to be told that NumPy is a namespace
NUMPY = Library(_numpy)

Seed: TypeAlias = int | Array
"""The 64-bit seed, or its `round_keys` where a compiled loop has them from the host."""


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


def round_keys(seed: int) -> Array:
    """The keys of Philox's ten rounds, uint32 (10, 2): the halves of the seed, then by Weyl's steps.

    >>> [hex(key) for key in round_keys(0)[1].tolist()]
    ['0x9e3779b9', '0xbb67ae85']
    """
    halves = (seed & _WORD, (seed >> 32) & _WORD)
    return np.array(
        [[(k + r * w) & _WORD for k, w in zip(halves, _WEYL, strict=True)] for r in range(_ROUNDS)], np.uint32
    )


def philox(counter: tuple[Any, Any, Any, Any], seed: Seed, library: Library = NUMPY) -> tuple[Array, ...]:
    """Philox4x32-10: four words per counter; the words of `counter` broadcast.

    >>> [hex(int(word)) for word in philox((0, 0, 0, 0), 0)]
    ['0x6627e8d5', '0xe169c58d', '0xbc57ac4c', '0x9b00dbd8']
    """
    keys = library.words(round_keys(seed) if isinstance(seed, int) else seed)
    words = tuple(library.words(word) for word in counter)
    for r in range(_ROUNDS):
        c0, c1, c2, c3 = words
        (high0, low0), (high1, low1) = _product(_MULTIPLIERS[0], c0), _product(_MULTIPLIERS[1], c2)
        words = library.apart((high1 ^ c1 ^ keys[r, 0], low1, high0 ^ c3 ^ keys[r, 1], low0))
    return words


def _product(a: int, x: Array) -> tuple[Array, Array]:
    """The high and the low word of a x, by halves of 16 bits: no sum of theirs needs more than 32."""
    a_high, a_low, x_high, x_low = a >> 16, a & _HALF, x >> 16, x & _HALF
    low = a_low * x_low
    across = a_high * x_low + (low >> 16)
    back = a_low * x_high + (across & _HALF)
    return a_high * x_high + (across >> 16) + (back >> 16), (back & _HALF) << 16 | (low & _HALF)


def dropout_mask(
    seed: Seed, step: Any, layer: int, samples: int, units: int, keep: float, library: Library = NUMPY
) -> Array:
    """True where a unit is kept, shape (samples, units), an array of the library.

    counter = (unit // 4, sample in the batch, layer, step), key = the 64-bit seed; a unit is kept where word
    unit % 4 of the answer is below keep * 2^32. Layers and steps are counted from 1.

    >>> bool(dropout_mask(0, 1, 1, 100, 100, 0.8).mean() > 0.78)
    True
    """
    xp, blocks = library.xp, -(-units // 4)
    step = step & _WORD if isinstance(step, int) else step
    counter = (xp.arange(blocks)[None, :], xp.arange(samples)[:, None], layer, step)
    words = xp.stack(philox(counter, seed, library), axis=-1)
    drawn = xp.reshape(words, (samples, 4 * blocks))[:, :units]
    # below the bar, said so that the bar of keep = 1 is a word too
    return drawn <= library.words(max(int(keep * 2.0**32), 1) - 1)
