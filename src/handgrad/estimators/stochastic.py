"""scikit-learn's loop of epochs on one of our engines: its order of the rows, its rates, its rules to stop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from handgrad.data.batches import steps_per_epoch
from handgrad.engines.protocol import Session
from handgrad.estimators.sessions import start_session
from handgrad.nn.arrays import Array
from handgrad.nn.network import Network, Parameters
from handgrad.nn.optimizers import Nesterov, OptimizerState
from handgrad.nn.step import Recipe, Training

SMALLEST_ADAPTIVE_RATE = 1e-6


class Beginning(NamedTuple):
    """Where a call of `fit` or `partial_fit` began: with the data, enough to run it again."""

    training: Training
    random: Any
    """State of the generator that orders the rows."""
    step: int
    """Number of the first step, from 1."""
    seed: int
    """Of the dropout masks."""
    rows: Array | None
    """The rows that train, where others are kept for validation."""


class Samples(NamedTuple):
    """Inputs (n, features), dense or CSR, targets (n, outputs) and the weights (n,) where there are any."""

    X: Any
    Y: Array
    weights: Array | None = None

    def take(self, rows: Array | None) -> Samples:
        """The samples of these rows; None: all of them."""
        if rows is None:
            return self
        return Samples(self.X[rows], self.Y[rows], None if self.weights is None else self.weights[rows])


class Batch(NamedTuple):
    """What a step sees: its rows and its rate."""

    rows: Array
    rate: float


@dataclass
class Epochs:
    """One shuffled pass after another over the training samples.

    The order of an epoch is the order before it, shuffled by `random`: that of scikit-learn, number by number.
    """

    network: Network
    recipe: Recipe
    samples: Samples
    beginning: Beginning
    batch_size: int
    shuffle: bool
    engine: str
    rate: float
    step: int = field(init=False)
    failed: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self.step = self.beginning.step
        self._random = np.random.RandomState()
        self._random.set_state(self.beginning.random)
        self._order = np.arange(len(self.samples.Y), dtype=np.int64)
        self._session = self._started(self.beginning.training)

    @property
    def steps(self) -> int:
        """Steps of one epoch."""
        return steps_per_epoch(len(self._order), self.batch_size)

    @property
    def session(self) -> Session:
        """The session under way."""
        return self._session

    @property
    def random_state(self) -> Any:
        """The state of the generator after the epochs so far."""
        return self._random.get_state()

    def _started(self, training: Training) -> Session:
        X, Y, weights = self.samples
        return start_session(
            self.network,
            self.recipe,
            training,
            X,
            Y,
            weights,
            batch_size=self.batch_size,
            seed=self.beginning.seed,
            engine=self.engine,
        )

    def change_rate(self, rate: float) -> None:
        """Goes on with another rate; a velocity that holds the rate keeps its length."""
        if rate != self.rate and isinstance(self.recipe.optimizer, Nesterov):
            self._session = self._started(_rescaled(self._session.training(), self.rate / rate))
        self.rate = rate

    def order(self) -> Array:
        """The rows in the order of the next epoch."""
        if self.shuffle:
            places = np.arange(len(self._order))
            self._random.shuffle(places)
            self._order = self._order[places]
        return self._order

    def run(self) -> float:
        """One epoch; the mean loss of its samples on the way, not a number where it has failed."""
        losses = self._advance(self.order(), self.steps)
        if self.failed:
            return float("nan")
        n = len(self._order)
        sizes = np.minimum(self.batch_size, n - self.batch_size * np.arange(len(losses)))
        return float(losses @ sizes / n)

    def _advance(self, order: Array, steps: int) -> Array:
        run = self._session.run(order, self.batch_size, np.full(steps, self.rate), self.step)
        self.failed = run.failed
        self.step += len(run.losses) - run.failed
        return run.losses

    def advance_to(self, step: int) -> Batch:
        """The steps of the next epoch before step `step`, which lies in it; the batch of that step."""
        order, before = self.order(), step - self.step
        if before:
            self._advance(order[: before * self.batch_size], before)
        return Batch(order[before * self.batch_size : (before + 1) * self.batch_size], self.rate)


def _rescaled(training: Training, factor: float) -> Training:
    """The same velocity under another rate: v eta is what moves the parameters."""
    state = tuple(
        (tuple(slot * factor for slot in W), tuple(slot * factor for slot in b)) for W, b in training.state
    )
    return training._replace(state=state)


@dataclass
class Rates:
    """The learning rate of each epoch, by scikit-learn's schedules (of which only 'sgd' knows)."""

    kind: str
    initial: float
    power_t: float
    current: float

    @classmethod
    def of(cls, parameters: dict[str, Any], initial: float, current: float) -> Rates:
        """The schedule that the parameters name; 'constant' for all solvers but 'sgd'."""
        kind = parameters["learning_rate"] if parameters["solver"] == "sgd" else "constant"
        return cls(kind, initial, float(parameters["power_t"]), current)

    def epoch_ends(self, samples_seen: int) -> None:
        """'invscaling': initial / (t + 1)^power_t, t the samples seen so far."""
        if self.kind == "invscaling":
            self.current = self.initial / (samples_seen + 1) ** self.power_t

    def lowers(self) -> bool:
        """'adaptive' goes on at a fifth of the rate instead of stopping, as long as the rate is above 1e-6."""
        if self.kind != "adaptive" or self.current <= SMALLEST_ADAPTIVE_RATE:
            return False
        self.current /= 5.0
        return True


@dataclass
class Patience:
    """Counts the epochs that brought less than `tol`; `best` is the lowest loss or the highest score."""

    tol: float
    most: float
    best: float
    by_score: bool
    waited: int = 0

    def update(self, value: float) -> bool:
        """Takes the value of an epoch; True where it is the best so far."""
        if self.by_score:
            waits, better = value < self.best + self.tol, value > self.best
        else:
            waits, better = value > self.best - self.tol, value < self.best
        self.waited = self.waited + 1 if waits else 0
        if better:
            self.best = value
        return better

    @property
    def exhausted(self) -> bool:
        """True once the patience is used up."""
        return self.waited > self.most


class OptimizerMemory(NamedTuple):
    """What `partial_fit` goes on with: the optimizer's state, its next step, the rate, the seed of the masks."""

    state: OptimizerState
    step: int
    learning_rate: float
    seed: int


class Ended(NamedTuple):
    """Why the epochs ended: a sentence, and whether that is a convergence."""

    why: str
    converged: bool


@dataclass
class Course:
    """The epochs of one call, and what they are judged by."""

    epochs: Epochs
    rates: Rates
    patience: Patience
    held: Samples | None
    """What early stopping keeps to judge by."""
    best: Parameters
    """The parameters of the epoch with the highest score."""
    past: list[float] = field(default_factory=list)
    """The rate of each epoch so far."""


def replayed(epochs: Epochs, rates: Iterator[float], step: int) -> Batch:
    """Runs the epochs again, each at the rate it had, up to step `step`; the batch that it sees."""
    for rate in rates:
        epochs.change_rate(rate)
        if step < epochs.step + epochs.steps:
            return epochs.advance_to(step)
        epochs.run()
    raise AssertionError(f"step {step} lies outside the recorded epochs")


def with_rate(recipe: Recipe, rate: float) -> Recipe:
    """The recipe with another learning rate, for a sheet."""
    return replace(recipe, optimizer=replace(recipe.optimizer, learning_rate=rate))
