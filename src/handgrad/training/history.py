"""What a training was asked for, what it did, and where it stood on the way."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from handgrad.data.batches import Rows, epoch_order, judged_seed, steps_per_epoch
from handgrad.errors import SpecificationError
from handgrad.nn.arrays import Array
from handgrad.nn.network import Network
from handgrad.nn.schedules import Schedule
from handgrad.nn.step import Recipe, Training
from handgrad.rich_repr import Presented, history_table

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

DTYPES = ("float32", "float64")


@dataclass(frozen=True)
class EarlyStopping:
    """Stops after `patience` epochs in which the loss did not fall by more than `least`; restores the best.

    The loss is that of the validation rows, or of the training rows where there are none.

    Source: L. Prechelt, Early stopping, but when? (1998), the criterion UP in its simplest form.

    Raises SpecificationError for a patience below 1.
    """

    patience: int = 20
    least: float = 0.0

    def __post_init__(self) -> None:
        if self.patience < 1 or not (self.least >= 0 and math.isfinite(self.least)):
            raise SpecificationError("early stopping: patience is at least 1, and least a finite number >= 0")


@dataclass(frozen=True)
class Plan:
    """How a training goes through its data: what replay needs beside the network, the recipe and the data.

    `batch_size` None takes all rows in one batch; `snapshots` is how many states on the way are kept at most.

    >>> Plan(batch_size=2).learning_rates(0.5, first_step=1, epoch=0, steps=2).tolist()
    [0.5, 0.5]

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
    snapshots: int = 16

    def __post_init__(self) -> None:
        for name, value, least in (
            ("epochs", self.epochs, 1),
            ("batch size", self.batch_size, 1),
            ("threads", self.threads, 1),
            ("snapshots", self.snapshots, 0),
        ):
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < least):
                raise SpecificationError(f"{name} must be a whole number of at least {least}, got {value!r}")
        judged_seed(self.seed)
        if self.dtype not in DTYPES:
            raise SpecificationError(f"dtype must be one of {', '.join(DTYPES)}, got {self.dtype!r}")

    def rows_of_batch(self, rows: int) -> int:
        """B, the size of a batch among this many training rows."""
        return min(self.batch_size or rows, rows)

    def steps_per_epoch(self, rows: int) -> int:
        """The number of steps of an epoch."""
        return steps_per_epoch(rows, self.rows_of_batch(rows))

    def order(self, epoch: int, training_rows: Rows) -> Rows:
        """The training rows in the order in which an epoch (counted from 0) takes them."""
        return training_rows[epoch_order(self.seed, epoch, len(training_rows), self.shuffle)]

    def learning_rates(self, rate: float, first_step: int, epoch: int, steps: int) -> Array:
        """Learning rates of `steps` steps from `first_step` (from 1) in an epoch (from 0), float64."""
        if self.schedule == Schedule():
            return np.full(steps, rate)
        return np.array(
            [self.schedule.rate(rate, first_step - 1 + k, epoch) for k in range(steps)], np.float64
        )


class Epoch(NamedTuple):
    """One line of the history; epochs are counted from 1 here, as people do."""

    epoch: int
    loss: float
    """Mean of the batch losses on the way, penalties included."""
    validation_loss: float | None
    metric: float | None
    """Accuracy or R2 on the validation rows."""
    rate: float
    seconds: float
    steps: int
    """Steps of the whole training so far."""


class Snapshot(NamedTuple):
    """Where training stood before step `step` (counted from 1)."""

    step: int
    training: Training


@dataclass(frozen=True, eq=False)
class Fit(Presented):
    """A finished training: the parameters that it found, and all that is needed to open any of its steps.

    `training` holds the best parameters where early stopping restored them, else the last ones. `snapshots`
    begins with the start (step 1) and ends with the state after the last step.
    """

    network: Network
    recipe: Recipe
    plan: Plan
    training: Training
    history: tuple[Epoch, ...]
    snapshots: tuple[Snapshot, ...]
    training_rows: Rows
    validation_rows: Rows
    engine: str
    metric: str
    ended: str = "epochs"
    """Why it ended: epochs, early stopping, callback or interrupted."""
    best_epoch: int | None = None
    """The epoch whose parameters were restored, counted from 1."""

    @property
    def steps(self) -> int:
        """The number of steps that were taken."""
        return self.snapshots[-1].step - 1

    @property
    def batch_size(self) -> int:
        """B, the size of all batches but the last of an epoch."""
        return self.plan.rows_of_batch(len(self.training_rows))

    @property
    def steps_per_epoch(self) -> int:
        """The number of steps of a whole epoch."""
        return self.plan.steps_per_epoch(len(self.training_rows))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield f"{self.network.parameter_count:,} parameters, {self.steps:,} steps, engine {self.engine}"
        yield history_table(self.history, self.metric, self.best_epoch)

    def __repr__(self) -> str:
        last = self.history[-1].loss if self.history else float("nan")
        return f"Fit(epochs={len(self.history)}, steps={self.steps}, loss={last:.6g}, ended={self.ended!r})"
