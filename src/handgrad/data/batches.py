"""Which rows train, which rows validate, and in which order an epoch takes them."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from handgrad.errors import DataError, SpecificationError

try:
    from handgrad import _native
except ImportError:  # built from source without a compiler: NumPy draws every order
    _native = None

Rows: TypeAlias = npt.NDArray[np.int64]

_SPLIT = 0x5B117  # keeps the generator of the split apart from those of the epochs


class Split(NamedTuple):
    """Row numbers of the training and of the validation samples, each in ascending order."""

    training: Rows
    validation: Rows


def checked_seed(seed: int) -> int:
    """The seed itself. Raises SpecificationError unless it is a whole number, 0 to 2^64 - 1."""
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**64:
        raise SpecificationError(f"seed must be a whole number, 0 to 2^64 - 1, got {seed!r}")
    return seed


def checked_rows(rows: Any, count: int) -> Rows:
    """Row numbers of a table of `count` rows. Raises SpecificationError for others.

    >>> checked_rows([0, 2], 3).tolist()
    [0, 2]
    """
    found = np.asarray(rows)
    if (
        found.ndim != 1
        or found.dtype.kind not in "iu"
        or (found.size and not 0 <= found.min() <= found.max() < count)
    ):
        raise SpecificationError(f"rows must be numbers of rows, 0 to {count - 1}, got {rows!r}")
    return found.astype(np.int64)


def epoch_order(seed: int, epoch: int, rows: int, shuffle: bool = True) -> Rows:
    """The order of the rows 0..rows-1 in an epoch (counted from 0), int64.

    It depends on seed and epoch alone, so any epoch's order can be had without the ones before.

    >>> sorted(epoch_order(7, 3, 4).tolist())
    [0, 1, 2, 3]
    """
    if not shuffle:
        return np.arange(rows, dtype=np.int64)
    return np.random.default_rng([seed, epoch]).permutation(rows).astype(np.int64)


def epoch_orders(seed: int, first: int, count: int, rows: int, shuffle: bool = True) -> Rows:
    """`epoch_order` of `count` epochs from `first` on, (count, rows).

    NumPy takes 15 us to make a generator, which is longer than an epoch of a hundred rows takes to train. So the core
    draws the same numbers, where it was seen to do so.

    >>> orders = epoch_orders(7, 3, 2, 50)
    >>> [bool((orders[e] == epoch_order(7, 3 + e, 50)).all()) for e in range(2)]
    [True, True]
    """
    if shuffle and rows and _core_draws_as_numpy():
        orders = np.empty((count, rows), np.int64)
        _core().epoch_orders(seed, first, orders)
        return orders
    return np.stack([epoch_order(seed, first + e, rows, shuffle) for e in range(count)])


def _core() -> Any:
    return _native


@cache
def _core_draws_as_numpy() -> bool:
    """Whether this NumPy's generator is the one that the core has: NumPy may change it with a version."""
    if _native is None:
        return False
    for seed, epoch in ((0, 0), (2**64 - 1, 3), (5, 2**33)):
        drawn = np.empty((1, 1000), np.int64)
        _core().epoch_orders(seed, epoch, drawn)
        if not np.array_equal(drawn[0], epoch_order(seed, epoch, 1000)):
            return False
    return True


class Windows(NamedTuple):
    """How the rows of an epoch are shuffled where they do not all lie in memory: block by block.

    The rows are cut into blocks of `block` rows that follow each other. The whole blocks are put in random order;
    `blocks` of them at a time make a window, whose rows are put in random order. The rows of a last block that is
    not whole go with the last window.
    """

    rows: int
    block: int
    blocks: int

    @property
    def total(self) -> int:
        """The number of windows of an epoch.

        >>> Windows(rows=25, block=4, blocks=2).total
        3
        """
        return max(1, -(-(self.rows // self.block) // self.blocks))

    @property
    def size(self) -> int:
        """Rows of every window but the last."""
        return self.block * self.blocks

    @property
    def largest(self) -> int:
        """No window has more rows."""
        return self.size + self.block - 1

    def first(self, window: int) -> int:
        """The place in the epoch's order at which a window begins."""
        return window * self.size

    def blocks_of(self, seed: int, epoch: int, window: int, shuffle: bool = True) -> Rows:
        """The blocks of a window, in the order of the table.

        >>> sorted(Windows(25, 4, 2).blocks_of(7, 0, 2).tolist())[-1]
        6
        """
        whole = self.rows // self.block
        order = np.arange(whole) if not shuffle else np.random.default_rng([seed, epoch]).permutation(whole)
        chosen = order[window * self.blocks : (window + 1) * self.blocks].astype(np.int64)
        if window == self.total - 1 and whole * self.block < self.rows:
            chosen = np.append(chosen, whole)
        return np.sort(chosen)

    def order(self, seed: int, epoch: int, window: int, shuffle: bool = True) -> Rows:
        """The rows of a window in the order in which the epoch takes them.

        >>> sorted(row for w in range(3) for row in Windows(25, 4, 2).order(7, 0, w).tolist()) == list(range(25))
        True
        """
        starts = self.blocks_of(seed, epoch, window, shuffle) * self.block
        rows = (starts[:, None] + np.arange(self.block)).ravel()
        rows = rows[rows < self.rows]
        return np.random.default_rng([seed, epoch, window]).permutation(rows) if shuffle else rows


def steps_per_epoch(rows: int, batch_size: int) -> int:
    """The number of batches of an epoch; the last one may be smaller.

    >>> steps_per_epoch(10, 4)
    3
    """
    return -(-rows // batch_size)


def split_rows(rows: int, validation: float, seed: int, classes: Any = None) -> Split:
    """A part `validation` (0 <= part < 1) of the rows at random for validation, the others for training.

    With `classes` (samples,) each class gives the same part, as nearly as whole rows allow, and keeps a row
    for training.

    Raises DataError where no row would be left for training or none for validation.
    """
    if not 0 <= validation < 1:
        raise DataError(f"validation must be a part >= 0 and < 1, got {validation}")
    if validation == 0:
        return Split(np.arange(rows, dtype=np.int64), np.empty(0, np.int64))
    generator = np.random.default_rng([checked_seed(seed), _SPLIT])
    wanted = max(1, round(rows * validation))
    shuffled = generator.permutation(rows)
    if rows - wanted < 1:
        raise DataError(f"{rows} rows cannot be split for validation; give more rows or validation 0")
    chosen = shuffled[:wanted] if classes is None else _stratified(shuffled, np.asarray(classes), wanted)
    if chosen.size == 0:
        raise DataError("no class has a second row for validation; give more rows or validation 0")
    held = np.zeros(rows, bool)
    held[chosen] = True
    return Split(np.flatnonzero(~held).astype(np.int64), np.flatnonzero(held).astype(np.int64))


def _stratified(shuffled: npt.NDArray[Any], classes: npt.NDArray[Any], wanted: int) -> npt.NDArray[Any]:
    """Of each class its share of `wanted`, by largest remainders, leaving at least one row for training."""
    _, index, counts = np.unique(classes, return_inverse=True, return_counts=True)
    exact = wanted * counts / len(classes)
    shares = np.minimum(np.floor(exact).astype(int), counts - 1)
    # the rows that rounding left over go to the largest remainders, where a row can be spared
    for k in np.argsort(-(exact - np.floor(exact)), kind="stable"):
        if shares.sum() >= wanted:
            break
        shares[k] += shares[k] < counts[k] - 1
    of_row = index[shuffled]
    chosen = [shuffled[of_row == k][:share] for k, share in enumerate(shares) if share]
    return np.concatenate(chosen) if chosen else np.empty(0, int)
