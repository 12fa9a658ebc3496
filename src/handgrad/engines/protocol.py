"""Who executes the steps: one small protocol, so that every engine sees the same batches in the same order."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol, runtime_checkable

from handgrad.nn.arrays import Array
from handgrad.nn.network import Network
from handgrad.nn.step import Recipe, Training

Stop = Callable[[], bool]


class Run(NamedTuple):
    """What a run of steps did."""

    losses: Array
    """Loss of each step's batch before its update, penalties included, float64, shape (steps done,)."""
    failed: bool
    """True where the last loss is not finite; the update of that step was not applied."""


class Forecast(NamedTuple):
    """The outputs (samples, outputs), float64, and the data's loss where targets were given."""

    outputs: Array
    loss: float | None


class Session(Protocol):
    """A training under way: data and parameters resident in the engine."""

    def run(
        self, order: Array, batch_size: int, rates: Array, first_step: int, stop: Stop | None = None
    ) -> Run:
        """Steps over the rows `order` (int64, (n,)), batch after batch; the last one may be smaller.

        Step k takes rows order[k B : (k + 1) B] with learning rate rates[k] (float64) and is number
        first_step + k of the training (counted from 1; Adam's t and the dropout masks depend on it).
        After each step `stop` is asked (at least every 0.1 s); True ends the run. An engine may ask within a
        long step too, and then leaves it: it is not applied, and its loss is not among those of the run.
        """
        ...

    def training(self) -> Training:
        """A copy of the parameters and the optimizer's state as they stand."""
        ...

    def predict(self, X: Array) -> Array:
        """Outputs for X (m, n_0) with the parameters as they stand, without dropout, shape (m, n_L)."""
        ...


class ScoringSession(Session, Protocol):
    """A session whose data can be scored where it lies."""

    def score(self, rows: Array) -> Forecast:
        """Outputs and loss for these rows of the data (int64, (m,)), without dropout and penalties."""
        ...


@runtime_checkable
class EpochsSession(ScoringSession, Protocol):
    """A session that takes several epochs in one call, for data whose epochs are shorter than a call."""

    def run_epochs(
        self,
        order: Array,
        epoch: int,
        batch_size: int,
        rates: Array,
        first_step: int,
        stop: Stop | None = None,
    ) -> Run:
        """As `Session.run`, with batches that begin anew after every `epoch` rows of the order."""
        ...


class Engine(Protocol):
    """Starts sessions."""

    name: str

    def start(
        self,
        network: Network,
        recipe: Recipe,
        training: Training,
        X: Array,
        Y: Array,
        seed: int,
        threads: int | None = None,
        weights: Array | None = None,
    ) -> ScoringSession:
        """Takes the data X (n, n_0), Y (n, n_L) and a beginning; the dtype of the parameters decides the precision.

        `weights` (n,): by which the losses of the samples count; None for 1. `seed` keys the dropout masks.
        `threads` None: the engine chooses.
        """
        ...
