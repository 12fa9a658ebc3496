"""Training: epoch after epoch, batch after batch, one engine, and any step again afterwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from handgrad.data.batches import Rows, Split, epoch_order, split_rows
from handgrad.diagnosis import judge_parameters, why_not_finite
from handgrad.engines import choose
from handgrad.engines.protocol import Session
from handgrad.errors import ShapeError, SpecificationError, TrainingError
from handgrad.evaluation import Score, score
from handgrad.history import EarlyStopping, Epoch, Fit, Plan, Snapshot
from handgrad.interruption import Interruption
from handgrad.nn.arrays import Array
from handgrad.nn.clipping import Clipping
from handgrad.nn.forward import Masks, dropout_masks
from handgrad.nn.network import Network
from handgrad.nn.optimizers import Adam, Optimizer, initial_state
from handgrad.nn.regularization import Regularization
from handgrad.nn.schedules import Schedule
from handgrad.nn.step import Recipe, Training
from handgrad.progress import Progress, Silent

__all__ = [
    "Callback",
    "EarlyStopping",
    "Epoch",
    "Fit",
    "Plan",
    "Replayed",
    "Snapshot",
    "epoch_order",
    "fit",
    "replay",
]

Callback = Callable[[Epoch], bool | None]
"""Called after each epoch; True ends the training."""

_STEPS_A_CALL = 256
_SNAPSHOT_BYTES = 64 << 20


def fit(
    network: Network,
    X: Any,
    Y: Any,
    *,
    optimizer: Optimizer | None = None,
    regularization: Regularization | None = None,
    clipping: Clipping | None = None,
    schedule: Schedule | None = None,
    epochs: int = 100,
    batch_size: int | None = 32,
    shuffle: bool = True,
    validation: float | Split = 0.0,
    early_stopping: EarlyStopping | None = None,
    seed: int = 0,
    engine: str = "auto",
    dtype: str = "float64",
    threads: int | None = None,
    snapshots: int = 16,
    callbacks: Sequence[Callback] = (),
    progress: Progress | None = None,
) -> Fit:
    """Trains `network` on X (samples, inputs) and Y (samples, outputs) or (samples,); Adam unless told otherwise.

    For cross-entropy Y may hold a class index per sample. `validation` is the part of the rows kept for validation
    (of each class the same part), or the very rows.

    >>> from handgrad.nn.network import Dense
    >>> network = Network(1, [Dense(1)], "squared_error")
    >>> result = fit(network, [[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0], optimizer=Adam(0.1), epochs=500)
    >>> [round(float(p), 3) for p in (result.training.parameters[0].W[0, 0], result.training.parameters[0].b[0])]
    [2.0, 1.0]

    Raises ShapeError for arrays that do not fit the network, SpecificationError for numbers outside their range,
    TrainingError where the loss is no longer finite.
    """
    plan = Plan(
        epochs, batch_size, shuffle, seed, schedule or Schedule(), early_stopping, dtype, threads, snapshots
    )
    recipe = Recipe(optimizer or Adam(), regularization or Regularization(), clipping or Clipping())
    X, Y = _arrays(network, X, Y, dtype)
    split = _split(network, Y, validation, seed)
    with Interruption() as interruption:
        return _Trainer(network, recipe, plan, X, Y, split, engine, progress or Silent(), interruption).fit(
            callbacks
        )


class _Trainer:
    """The loop and what it keeps on the way."""

    def __init__(
        self,
        network: Network,
        recipe: Recipe,
        plan: Plan,
        X: Array,
        Y: Array,
        split: Split,
        engine: str,
        progress: Progress,
        interruption: Interruption,
    ) -> None:
        self.network, self.recipe, self.plan, self.X, self.Y, self.split = network, recipe, plan, X, Y, split
        self.engine = choose(engine)
        self.progress, self.interruption = progress, interruption
        self.step = 1  # the next one
        self.history: list[Epoch] = []
        self.metric = score(network, None, X[:1], Y[:1]).metric

    def fit(self, callbacks: Sequence[Callback]) -> Fit:
        """Epochs until one of the reasons to end."""
        parameters = self.network.initial_parameters(self.plan.seed, self.plan.dtype)
        training = Training(parameters, initial_state(self.recipe.optimizer, parameters))
        best = _Best(self.plan.early_stopping, training)
        kept = _Kept(self.plan.snapshots, training)
        session = self.engine.start(
            self.network, self.recipe, training, self.X, self.Y, self.plan.seed, self.plan.threads
        )
        ended = "epochs"
        with self.progress:
            self.progress.begin(self.plan.epochs, self.plan.steps_per_epoch(len(self.split.training)))
            for epoch in range(self.plan.epochs):
                kept.offer(epoch, self.step, session)
                line = self.run_epoch(session, epoch)
                self.history.append(line)
                self.progress.epoch(line, self.metric)
                best.offer(line, session)
                if self.interruption.asked:
                    ended = "interrupted"
                    break
                if any([callback(line) for callback in callbacks]):
                    ended = "callback"
                    break
                if best.exhausted:
                    ended = "early stopping"
                    break
        last = session.training()
        judge_parameters(last.parameters, self.step - 1)
        return Fit(
            self.network,
            self.recipe,
            self.plan,
            best.training if best.restores else last,
            tuple(self.history),
            kept.all(Snapshot(self.step, last)),
            self.split.training,
            self.split.validation,
            self.engine.name,
            self.metric,
            ended,
            best.epoch if best.restores else None,
        )

    def run_epoch(self, session: Session, epoch: int) -> Epoch:
        """One pass over the training rows in the order of this epoch, then the validation rows."""
        began, first = perf_counter(), self.step
        order = self.plan.order(epoch, self.split.training)
        B, rate = self.plan.rows_of_batch(len(order)), self.recipe.optimizer.learning_rate
        losses: list[float] = []
        rates = self.plan.learning_rates(rate, first, epoch, self.plan.steps_per_epoch(len(order)))
        for k in range(0, len(rates), _STEPS_A_CALL):
            part = rates[k : k + _STEPS_A_CALL]
            rows = order[k * B : (k + len(part)) * B]
            run = session.run(rows, B, part, self.step, self.interruption.stop)
            losses += run.losses.tolist()
            if run.failed:
                raise self.failure(session, epoch, first, order, losses)
            self.step = first + len(losses)
            self.progress.steps(epoch, len(losses), losses[-1], float(part[len(run.losses) - 1]))
            if self.interruption.asked:
                break
        validation = self.validate(session)
        loss = _epoch_loss(self.network, losses, B, len(order))
        seconds = perf_counter() - began
        last_rate = float(rates[len(losses) - 1])
        return Epoch(epoch + 1, loss, validation.loss, validation.value, last_rate, seconds, self.step - 1)

    def validate(self, session: Session) -> Score:
        """Loss and metric on the validation rows; nothing where there are none."""
        rows = self.split.validation
        if rows.size == 0:
            return Score(None, self.metric, None)
        result = score(self.network, session.training().parameters, self.X[rows], self.Y[rows])
        if result.loss is None or not np.isfinite(result.loss):
            judge_parameters(session.training().parameters, self.step - 1)
            raise TrainingError(
                f"after step {self.step - 1} the validation loss is {result.loss}: a validation row is so far from "
                "the training rows that the outputs are no numbers; look for a wrong cell in the data"
            )
        return result

    def failure(
        self, session: Session, epoch: int, first: int, order: Rows, losses: list[float]
    ) -> TrainingError:
        """The error for a loss that is not finite: its step, its layer, its remedies."""
        B, k = self.plan.rows_of_batch(len(order)), len(losses) - 1
        rows = order[k * B : (k + 1) * B]
        step = first + k
        masks = dropout_masks(self.network, self.plan.seed, step, len(rows))
        cause = why_not_finite(self.network, session.training().parameters, self.X[rows], self.Y[rows], masks)
        return TrainingError(
            f"step {step} (epoch {epoch + 1}, batch {k + 1}): the loss is {losses[-1]}; {cause}"
        )


def _epoch_loss(network: Network, losses: list[float], B: int, rows: int) -> float:
    """Mean over the samples of what the batches lost; the sum for a loss that is summed over samples."""
    if network.loss is not None and network.loss.samples == "sum":
        return float(np.sum(losses))
    sizes = np.minimum(B, rows - B * np.arange(len(losses)))
    return float(np.average(losses, weights=sizes))


class _Best:
    """Remembers the best epoch where early stopping is asked for."""

    def __init__(self, rule: EarlyStopping | None, training: Training) -> None:
        self.rule, self.training = rule, training
        self.loss, self.epoch, self.waited = float("inf"), 0, 0

    def offer(self, line: Epoch, session: Session) -> None:
        if self.rule is None:
            return
        loss = line.loss if line.validation_loss is None else line.validation_loss
        if loss < self.loss - self.rule.least or self.epoch == 0:
            self.loss, self.epoch, self.waited, self.training = loss, line.epoch, 0, session.training()
        else:
            self.waited += 1

    @property
    def exhausted(self) -> bool:
        return self.rule is not None and self.waited >= self.rule.patience

    @property
    def restores(self) -> bool:
        return self.rule is not None and self.epoch > 0


class _Kept:
    """A bounded number of epoch starts, evenly thinned as training goes on; the first is always kept."""

    def __init__(self, most: int, training: Training) -> None:
        size = sum(array.nbytes for layer in training.parameters for array in layer)
        size += sum(array.nbytes for layer in training.state for state in layer for array in state)
        self.most = max(1, min(most, _SNAPSHOT_BYTES // max(size, 1)))
        self.stride = 1
        self.kept = [(0, Snapshot(1, training))]

    def offer(self, epoch: int, step: int, session: Session) -> None:
        if epoch == 0 or epoch % self.stride:
            return
        while len(self.kept) >= self.most:
            self.stride *= 2
            self.kept = [pair for pair in self.kept if pair[0] % self.stride == 0]
            if self.most == 1 or epoch % self.stride:
                return
        self.kept.append((epoch, Snapshot(step, session.training())))

    def all(self, last: Snapshot) -> tuple[Snapshot, ...]:
        return (*(snapshot for _, snapshot in self.kept if snapshot.step < last.step), last)


class Replayed(NamedTuple):
    """A step that is about to be taken again: hand its parts to `nn.step.training_step`."""

    training: Training
    """Parameters and optimizer state before the step."""
    rows: Rows
    """The batch, as row numbers of X and Y."""
    t: int
    """The step, counted from 1."""
    rate: float
    masks: Masks | None
    epoch: int
    """Counted from 1."""
    batch: int
    """The place of the step in its epoch, counted from 1."""
    engine: str
    """Who replayed the steps between the snapshot and this one."""


def replay(result: Fit, X: Any, Y: Any, step: int, engine: str | None = None) -> Replayed:
    """Where training stood before step `step` (1..steps), and the batch, rate and masks of that step.

    X and Y are the arrays that `fit` was given. The recorded engine runs the steps from the nearest snapshot on; with
    the reference engine the state is the same to the last bit. Where the recorded engine is not there, the reference
    engine takes its place, and agrees to rounding.

    >>> from handgrad.nn.network import Dense
    >>> X, Y = np.eye(3), np.ones((3, 1))
    >>> result = fit(Network(3, [Dense(1)], "squared_error"), X, Y, epochs=4, batch_size=2, engine="reference")
    >>> before = replay(result, X, Y, step=8)
    >>> before.t, before.epoch, before.batch, len(before.rows)
    (8, 4, 2, 1)

    Raises SpecificationError for a step that was not taken.
    """
    if not 1 <= step <= result.steps:
        raise SpecificationError(f"the training has the steps 1 to {result.steps}, got step {step}")
    plan, network = result.plan, result.network
    X, Y = _arrays(network, X, Y, plan.dtype)
    start = max((s for s in result.snapshots if s.step <= step), key=lambda s: s.step)
    runner = choose(engine) if engine is not None else _recorded(result.engine)
    per_epoch, B, rate = result.steps_per_epoch, result.batch_size, result.recipe.optimizer.learning_rate
    session = runner.start(network, result.recipe, start.training, X, Y, plan.seed, plan.threads)
    at = start.step
    while at < step:
        epoch, k = divmod(at - 1, per_epoch)
        count = min(per_epoch - k, step - at)
        order = plan.order(epoch, result.training_rows)[k * B : (k + count) * B]
        session.run(order, B, plan.learning_rates(rate, at, epoch, count), at)
        at += count
    epoch, k = divmod(step - 1, per_epoch)
    rows = plan.order(epoch, result.training_rows)[k * B : (k + 1) * B]
    return Replayed(
        start.training if start.step == step else session.training(),
        rows,
        step,
        float(plan.learning_rates(rate, step, epoch, 1)[0]),
        dropout_masks(network, plan.seed, step, len(rows)),
        epoch + 1,
        k + 1,
        runner.name,
    )


def _recorded(name: str) -> Any:
    try:
        return choose(name)
    except SpecificationError:  # the model comes from an installation with an engine that this one lacks
        return choose("reference")


def _arrays(network: Network, X: Any, Y: Any, dtype: str) -> tuple[Array, Array]:
    """X (samples, inputs) and Y (samples, outputs) in the dtype; class indices become rows of one 1."""
    if network.loss is None:
        raise SpecificationError(
            "the network has no loss; name one, for instance Network(..., loss='squared_error')"
        )
    X, Y = np.asarray(X, dtype), np.asarray(Y)
    if X.ndim != 2 or X.shape[1] != network.inputs:
        raise ShapeError(f"X must have shape (samples, {network.inputs}), got {X.shape}")
    if len(X) == 0:
        raise ShapeError("X has no samples")
    if Y.ndim == 1 and network.outputs > 1 and network.loss.name == "cross_entropy":
        Y = _one_hot(Y, network.outputs)
    Y = np.asarray(Y.reshape(-1, 1) if Y.ndim == 1 else Y, dtype)
    if Y.shape != (len(X), network.outputs):
        raise ShapeError(f"Y must have shape ({len(X)}, {network.outputs}), got {Y.shape}")
    for name, array in (("X", X), ("Y", Y)):
        if not np.isfinite(array).all():
            place = np.argwhere(~np.isfinite(array))[0].tolist()
            raise ShapeError(f"{name} holds {array[tuple(place)]} at {place}; give finite numbers")
    return np.ascontiguousarray(X), np.ascontiguousarray(Y)


def _one_hot(classes: Array, count: int) -> Array:
    if (
        not np.issubdtype(classes.dtype, np.integer)
        or classes.min(initial=0) < 0
        or classes.max(initial=0) >= count
    ):
        raise ShapeError(f"Y must hold class indices 0 to {count - 1}, or have shape (samples, {count})")
    return np.eye(count)[classes]


def _split(network: Network, Y: Array, validation: float | Split, seed: int) -> Split:
    if isinstance(validation, Split):
        return validation
    entropy = network.loss is not None and network.loss.name in ("cross_entropy", "binary_cross_entropy")
    classes = None
    if entropy and Y.shape[1] > 1:
        classes = np.argmax(Y, axis=1)
    elif entropy:
        classes = Y[:, 0] > 0.5
    return split_rows(len(Y), validation, seed, classes)
