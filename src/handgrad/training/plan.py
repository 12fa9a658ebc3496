"""The plan of a training: which step belongs to which epoch, which rows it takes, and at which rate."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from handgrad.data.batches import Rows, Windows, checked_seed, epoch_order, epoch_orders, steps_per_epoch
from handgrad.errors import SpecificationError
from handgrad.nn.arrays import Array
from handgrad.nn.schedules import Schedule

DTYPES = ("float32", "float64")
DTYPE_OF_TABLES = "float32"
"""What tables are trained in unless another is asked for; arrays and hand calculations are taken in float64."""


@dataclass(frozen=True)
class EarlyStopping:
    """Stops after `patience` epochs in which the loss did not fall by more than `least`; restores the best.

    The loss is that of the validation rows, or of the training rows where there are none.

    >>> EarlyStopping(patience=5)
    EarlyStopping(patience=5, least=0.0)

    Raises SpecificationError for a patience below 1.

    Source: L. Prechelt, Early stopping, but when? (1998), the criterion UP in its simplest form.
    """

    patience: int = 20
    least: float = 0.0

    def __post_init__(self) -> None:
        if self.patience < 1 or not (self.least >= 0 and math.isfinite(self.least)):
            raise SpecificationError("early stopping: patience is at least 1, and least a finite number >= 0")


class Step(NamedTuple):
    """One update: where it stands in the training, the rows that it takes, and its learning rate."""

    number: int
    """Counted from 1, as are epoch and batch."""
    epoch: int
    batch: int
    rows: Rows
    """The batch, as row numbers of X and Y."""
    rate: float


class Stretch(NamedTuple):
    """Steps of one epoch that follow each other, as an engine takes them."""

    first: int
    """The number of the first step, counted from 1, as are epoch and batch."""
    epoch: int
    batch: int
    """The place of the first step in its epoch."""
    rows: Rows
    """The rows of all batches, one batch after another."""
    rates: Array
    """One learning rate a step, float64."""


@dataclass(frozen=True)
class Plan:
    """How a training goes through its data: what replay needs beside the network, the recipe and the data.

    `batch_size` None takes all rows in one batch; `snapshots` is how many states on the way are kept at most.
    Step t (from 1) is batch k of epoch e (both from 0), with (e, k) = divmod(t - 1, steps of an epoch); it takes
    the rows k B to (k + 1) B - 1 of the order of epoch e, at the rate that the schedule has for t - 1 and e.

    >>> plan = Plan(batch_size=2, shuffle=False, schedule=Schedule("exponential", factor=0.5))
    >>> plan.at(5, np.array([3, 4, 7]), 0.1)
    Step(number=5, epoch=3, batch=1, rows=array([3, 4]), rate=0.025)

    Raises SpecificationError for a number outside its range.
    """

    epochs: int = 100
    batch_size: int | None = 32
    shuffle: bool = True
    seed: int = 0
    schedule: Schedule = field(default_factory=Schedule)
    early_stopping: EarlyStopping | None = None
    dtype: str = "float64"
    threads: int | None = None
    snapshots: int = 20
    block: int = 0
    """Rows that stay together when a table larger than memory is shuffled (`data.batches.Windows`); 0: none do."""
    blocks: int = 0
    """Blocks that are in memory together."""

    def __post_init__(self) -> None:
        for name, value, least in (
            ("epochs", self.epochs, 1),
            ("batch size", self.batch_size, 1),
            ("threads", self.threads, 1),
            ("snapshots", self.snapshots, 0),
            ("block", self.block, 0),
            ("blocks", self.blocks, 0),
        ):
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < least):
                raise SpecificationError(f"{name} must be a whole number of at least {least}, got {value!r}")
        checked_seed(self.seed)
        if self.block and (self.batch_size is None or not self.blocks or self.block % self.batch_size):
            raise SpecificationError(
                f"a block of {self.block} rows must hold whole batches, of {self.batch_size} rows, and a window "
                f"some blocks, got {self.blocks}"
            )
        if self.dtype not in DTYPES:
            raise SpecificationError(f"dtype must be one of {', '.join(DTYPES)}, got {self.dtype!r}")

    def rows_of_batch(self, rows: int) -> int:
        """B, the size of a batch among this many training rows."""
        return min(self.batch_size or rows, rows)

    def steps_per_epoch(self, rows: int) -> int:
        """The number of steps of an epoch."""
        return steps_per_epoch(rows, self.rows_of_batch(rows))

    def at(self, step: int, rows: Rows, rate: float) -> Step:
        """A step (from 1) of a training on these rows whose schedule begins with `rate`."""
        return next(self.steps(step, step, rows, rate))

    def steps(self, first: int, last: int, rows: Rows, rate: float) -> Iterator[Step]:
        """The steps from `first` to `last`, counted from 1, both included; see `at`."""
        B = self.rows_of_batch(len(rows))
        for stretch in self.stretches(first, last, rows, rate):
            for k, of_step in enumerate(stretch.rates):
                batch = stretch.rows[k * B : (k + 1) * B]
                yield Step(stretch.first + k, stretch.epoch, stretch.batch + k, batch, float(of_step))

    def stretches(
        self, first: int, last: int, rows: Rows, rate: float, most: int | None = None
    ) -> Iterator[Stretch]:
        """The steps from `first` to `last` as engines take them: an epoch, or `most` steps of it, at a time."""
        B, per_epoch = self.rows_of_batch(len(rows)), self.steps_per_epoch(len(rows))
        if self.block:
            yield from self._windowed(first, last, rows, rate, most)
            return
        step, order, of_epoch = first, rows, -1
        while step <= last:
            epoch, k = divmod(step - 1, per_epoch)
            if epoch != of_epoch:
                order, of_epoch = rows[epoch_order(self.seed, epoch, len(rows), self.shuffle)], epoch
            count = min(per_epoch - k, last - step + 1, most or per_epoch)
            rates = self._rates(rate, step, epoch, count)
            yield Stretch(step, epoch + 1, k + 1, order[k * B : (k + count) * B], rates)
            step += count

    def epochs_on(self, epoch: int, count: int, rows: Rows, rate: float) -> Stretch:
        """The steps of `count` whole epochs from `epoch` (from 0) on, whose batches begin anew in each."""
        per_epoch = self.steps_per_epoch(len(rows))
        order = rows[epoch_orders(self.seed, epoch, count, len(rows), self.shuffle)].ravel()
        first = epoch * per_epoch + 1
        rates = [self._rates(rate, first + e * per_epoch, epoch + e, per_epoch) for e in range(count)]
        return Stretch(first, epoch + 1, 1, order, np.concatenate(rates))

    def windows(self, rows: int) -> Windows:
        """How an epoch of so many rows is shuffled block by block."""
        return Windows(rows, self.block, self.blocks)

    def _windowed(
        self, first: int, last: int, rows: Rows, rate: float, most: int | None
    ) -> Iterator[Stretch]:
        """The same, a window at a time; batches do not reach from one window into the next."""
        B, per_epoch, windows = (
            self.rows_of_batch(len(rows)),
            self.steps_per_epoch(len(rows)),
            self.windows(len(rows)),
        )
        step, order, known = first, rows, (-1, -1)
        while step <= last:
            epoch, k = divmod(step - 1, per_epoch)
            window = min(k * B // windows.size, windows.total - 1)
            if known != (epoch, window):
                order, known = rows[windows.order(self.seed, epoch, window, self.shuffle)], (epoch, window)
            begin = k - windows.first(window) // B
            count = min(-(-len(order) // B) - begin, last - step + 1, most or per_epoch)
            rates = self._rates(rate, step, epoch, count)
            yield Stretch(step, epoch + 1, k + 1, order[begin * B : (begin + count) * B], rates)
            step += count

    def _rates(self, rate: float, first: int, epoch: int, count: int) -> Array:
        if self.schedule == Schedule():
            return np.full(count, rate, np.float64)
        return np.array([self.schedule.rate(rate, first - 1 + k, epoch) for k in range(count)], np.float64)
