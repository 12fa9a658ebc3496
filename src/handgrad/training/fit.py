"""Training: epoch after epoch, batch after batch, one engine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any

import numpy as np

from handgrad.data.arrays import sample_weights, samples, split_samples
from handgrad.data.batches import Split
from handgrad.data.rows import Places, StoredRows
from handgrad.engines import choose
from handgrad.engines.protocol import Engine, EpochsSession, ScoringSession, Session
from handgrad.errors import SpecificationError, TrainingError
from handgrad.nn.arrays import Array
from handgrad.nn.clipping import Clipping
from handgrad.nn.forward import dropout_masks
from handgrad.nn.network import Network
from handgrad.nn.optimizers import Adam, Optimizer, initial_state
from handgrad.nn.regularization import Regularization
from handgrad.nn.schedules import Schedule
from handgrad.nn.step import Recipe, Training
from handgrad.training.callbacks import Callback, Underway, check_callback
from handgrad.training.divergence import check_parameters, why_not_finite
from handgrad.training.history import Epoch, Fit, Snapshot
from handgrad.training.interruption import Interruption
from handgrad.training.plan import EarlyStopping, Plan
from handgrad.training.progress import Progress, Silent
from handgrad.training.resumption import Checkpoint, Point, check_same, last_point
from handgrad.training.score import Score, judged, metric_of
from handgrad.training.snapshots import Best, Kept
from handgrad.training.streamed import Block, StoredX, StoredY, StreamedEngine, blocks_for

_STEPS_A_CALL = 256
_WORK_A_CALL = 4_000_000  # rows times parameters of epochs that are taken at once: some milliseconds
_AS_IN = {
    "optimizer": "an optimizer such as Adam(0.001)",
    "regularization": "a Regularization such as Regularization(l2=0.01)",
    "clipping": "a Clipping such as Clipping(norm=1.0)",
    "schedule": "a Schedule such as Schedule('cosine', over=100)",
    "early_stopping": "an EarlyStopping such as EarlyStopping(patience=20)",
}


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
    snapshots: int = 20,
    callbacks: Sequence[Callback] = (),
    progress: Progress | None = None,
    checkpoint: Checkpoint | None = None,
    resume: Fit | None = None,
    weights: Any = None,
) -> Fit:
    """Trains `network` on X (samples, inputs) and Y (samples, outputs) or (samples,); by default with Adam.

    For cross-entropy Y may hold a class index per sample. `validation` is the part of the rows kept for
    validation (of each class the same part), or the very rows. After each epoch every callback is called with
    its line of the history and the training as it stands; one that returns True ends the training. `checkpoint`
    hands the training so far on every so many epochs; `resume` is an earlier training with the same options, of
    which this one is the continuation, to the same bits as if it had never stopped. `weights` (samples,): by which the
    losses of the samples count, those of the validation too; with the mean 1 the loss keeps its size.

    >>> from handgrad.nn.network import Dense
    >>> network = Network(1, [Dense(1)], "squared_error")
    >>> result = fit(network, [[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0], optimizer=Adam(0.1), epochs=500)
    >>> W, b = result.training.parameters[0]
    >>> round(float(W[0, 0]), 3), round(float(b[0]), 3)
    (2.0, 1.0)

    Raises ShapeError for arrays that do not fit the network, SpecificationError for numbers outside their
    range, TrainingError where the loss is no longer finite.
    """
    for name, value, kind in (
        ("optimizer", optimizer, Optimizer),
        ("regularization", regularization, Regularization),
        ("clipping", clipping, Clipping),
        ("schedule", schedule, Schedule),
        ("early_stopping", early_stopping, EarlyStopping),
    ):
        if value is not None and not isinstance(value, kind):
            raise SpecificationError(f"{name} must be {_AS_IN[name]} or None, got {value!r}")
    _check_helpers(callbacks, shuffle, progress)
    if not isinstance(epochs, int):
        raise SpecificationError(f"epochs must be a whole number of at least 1, got {epochs!r}")
    if not isinstance(validation, int | float | Split):
        raise SpecificationError(f"validation must be a part of the rows, 0 <= part < 1, got {validation!r}")
    stored = X if isinstance(X, StoredRows) else None
    cut = Block(0, 0) if stored is None else blocks_for(stored, batch_size, stored.memory)
    plan = Plan(
        epochs,
        batch_size,
        shuffle,
        seed,
        schedule or Schedule(),
        early_stopping,
        dtype,
        threads,
        snapshots,
        *cut,
    )
    recipe = Recipe(optimizer or Adam(), regularization or Regularization(), clipping or Clipping())
    runner, shown = choose(engine, network), progress or Silent()
    order: Any = None
    if stored is not None:
        X, Y, split, order = StoredX(stored), StoredY(stored), stored.split, Places(stored.training)
        runner, counts = StreamedEngine(runner, plan), np.empty(0) if stored.weighted else None
    else:
        X, Y = samples(network, X, Y, dtype)
        counts = sample_weights(weights, len(X), dtype)
        split = split_samples(network, Y, validation, seed)
    point = None
    if resume is not None:
        check_same(resume, network, recipe, plan, split, runner.name)
        point = last_point(resume)
        if point.epoch == plan.epochs or point.best.exhausted:
            return replace(resume, plan=plan, ended="early stopping" if point.best.exhausted else "epochs")
    with Interruption() as interruption:
        trainer = _Trainer(
            network, recipe, plan, X, Y, split, runner, shown, interruption, checkpoint, counts, order
        )
        if point is not None and resume is not None:
            trainer.step = point.epoch * resume.steps_per_epoch + 1
            trainer.history = list(resume.history[: point.epoch])
        return trainer.fit(callbacks, point)


def _check_helpers(callbacks: Any, shuffle: Any, progress: Any) -> None:
    if not isinstance(callbacks, list | tuple):
        raise SpecificationError(f"callbacks must be a list of callbacks, got {callbacks!r}")
    for callback in callbacks:
        check_callback(callback)
    if not isinstance(shuffle, bool):
        raise SpecificationError(f"shuffle must be True or False, got {shuffle!r}")
    if not isinstance(progress, Progress | None):
        raise SpecificationError(f"progress must be something that shows progress, or None, got {progress!r}")


@dataclass
class _Trainer:
    """The loop and where it stands."""

    network: Network
    recipe: Recipe
    plan: Plan
    X: Array
    Y: Array
    split: Split
    engine: Engine
    progress: Progress
    interruption: Interruption
    checkpoint: Checkpoint | None = None
    weights: Array | None = None
    order: Any = None
    """The training rows, as the engine calls them; None for the rows of the split."""
    step: int = 1  # the next one
    history: list[Epoch] = field(default_factory=list)

    @property
    def metric(self) -> str:
        """What is measured on the validation rows."""
        return metric_of(self.network)

    def beginning(self) -> Point:
        """The start of a training that begins."""
        parameters = self.network.initial_parameters(self.plan.seed, self.plan.dtype)
        training = Training(parameters, initial_state(self.recipe.optimizer, parameters))
        return Point(
            0, training, Best(self.plan.early_stopping, training), Kept(self.plan.snapshots, training)
        )

    def fit(self, callbacks: Sequence[Callback], point: Point | None = None) -> Fit:
        """Epochs until one of the reasons to end."""
        first, training, best, kept = point or self.beginning()
        session = self.engine.start(
            self.network,
            self.recipe,
            training,
            self.X,
            self.Y,
            self.plan.seed,
            self.plan.threads,
            self.weights,
        )
        ended = None
        with self.progress:
            self.progress.begin(self.plan.epochs, self.plan.steps_per_epoch(len(self.split.training)))
            epoch = first
            while ended is None and epoch < self.plan.epochs:
                kept.update(epoch, self.step, session)
                line = None
                for line in self.run_epochs(session, epoch, callbacks, kept):
                    self.history.append(line)
                    self.progress.epoch(line, self.metric)
                if line is None:
                    ended = "interrupted"
                    break
                epoch = line.epoch
                best.update(line, session)
                ended = self.reason_to_end(best, self.answers(callbacks, line, session))
                due = self.checkpoint is not None and self.checkpoint.due(epoch, self.plan.epochs)
                if self.checkpoint is not None and due and ended is None:
                    self.checkpoint.keep(self.result(session, best, kept, "checkpoint"))
        if not self.history:
            self.interruption.give_up()
        return self.result(session, best, kept, ended or "epochs")

    def result(self, session: Session, best: Best, kept: Kept, ended: str) -> Fit:
        """The training so far."""
        last = session.training()
        check_parameters(last.parameters, self.step - 1)
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
            self.weights is not None,
        )

    def answers(self, callbacks: Sequence[Callback], line: Epoch, session: Session) -> list[bool | None]:
        """What the callbacks say to an epoch, each with a view of its own."""
        return [callback(line, Underway(session)) for callback in callbacks]

    def reason_to_end(self, best: Best, answers: Sequence[bool | None]) -> str | None:
        """Why no further epoch follows, None where one does."""
        if self.interruption.asked:
            return "interrupted"
        if any(answers):
            return "callback"
        return "early stopping" if best.exhausted else None

    def run_epochs(
        self, session: ScoringSession, epoch: int, callbacks: Sequence[Callback], kept: Kept
    ) -> Iterator[Epoch]:
        """The lines of the epochs from `epoch` on that are taken at once; none where the first was interrupted.

        Several are, where they are short and nobody looks at the training between them.
        """
        looked_at = callbacks or self.plan.early_stopping or self.split.validation.size
        if not looked_at and self.order is None and isinstance(session, EpochsSession):
            work = len(self.split.training) * self.network.parameter_count
            until = [epoch + _WORK_A_CALL // max(1, work), kept.next(epoch), self.plan.epochs]
            if self.checkpoint is not None:
                until.append(self.checkpoint.next(epoch))
            if min(until) > epoch + 1:
                yield from self.at_once(session, epoch, min(until) - epoch)
                return
        line = self.run_epoch(session, epoch)
        if line is not None:
            yield line

    def at_once(self, session: EpochsSession, epoch: int, count: int) -> Iterator[Epoch]:
        """The lines of epochs that one call of the engine takes."""
        rows = len(self.split.training)
        part = self.plan.epochs_on(epoch, count, self.split.training, self.recipe.optimizer.learning_rate)
        began, B, per_epoch = perf_counter(), self.plan.rows_of_batch(rows), self.plan.steps_per_epoch(rows)
        run = session.run_epochs(part.rows, rows, B, part.rates, part.first, self.interruption.stop)
        whole, begun = divmod(len(run.losses) - run.failed, per_epoch)
        losses = _epoch_losses(
            self.network, run.losses[: whole * per_epoch].reshape(whole, per_epoch), B, rows
        )
        if begun and not run.failed:
            losses.append(_epoch_loss(self.network, run.losses[whole * per_epoch :].tolist(), B, rows))
        seconds = (perf_counter() - began) / max(1, len(losses))
        for e, loss in enumerate(losses):
            done = min((e + 1) * per_epoch, len(run.losses))
            self.step, rate = part.first + done, float(part.rates[done - 1])
            self.progress.steps(part.epoch - 1 + e, done - e * per_epoch, float(run.losses[done - 1]), rate)
            yield Epoch(part.epoch + e, loss, None, None, rate, seconds, self.step - 1)
        if run.failed:
            raise self.failure(session, part.first + len(run.losses) - 1, float(run.losses[-1]))

    def run_epoch(self, session: ScoringSession, epoch: int) -> Epoch | None:
        """One pass over the training rows in the order of this epoch, then the validation rows.

        None where it was interrupted in its first step.
        """
        began, first = perf_counter(), self.step
        rows = self.split.training if self.order is None else self.order
        B, last = self.plan.rows_of_batch(len(rows)), first + self.plan.steps_per_epoch(len(rows)) - 1
        losses: list[float] = []
        last_rate = rate = self.recipe.optimizer.learning_rate
        for part in self.plan.stretches(first, last, rows, rate, _STEPS_A_CALL):
            run = session.run(part.rows, B, part.rates, part.first, self.interruption.stop)
            losses += run.losses.tolist()
            if run.failed:
                raise self.failure(session, first + len(losses) - 1, losses[-1])
            if len(run.losses):  # an engine may leave a long step in its middle
                self.step = first + len(losses)
                last_rate = float(part.rates[len(run.losses) - 1])
                self.progress.steps(epoch, len(losses), losses[-1], last_rate)
            if self.interruption.asked:
                break
        if not losses:
            return None
        validation = self.validate(session)
        loss = _epoch_loss(self.network, losses, B, len(rows))
        seconds = perf_counter() - began
        return Epoch(epoch + 1, loss, validation.loss, validation.value, last_rate, seconds, self.step - 1)

    def validate(self, session: ScoringSession) -> Score:
        """Loss and metric on the validation rows; nothing where there are none."""
        rows = self.split.validation
        if rows.size == 0:
            return Score(None, self.metric, None)
        result = judged(self.network, session.score(rows), self.Y[rows])
        if result.loss is None or not np.isfinite(result.loss):
            check_parameters(session.training().parameters, self.step - 1)
            raise TrainingError(
                f"after step {self.step - 1} the validation loss is {result.loss}: a validation row is so "
                "far from the training rows that its outputs are no numbers; look for a wrong cell"
            )
        return result

    def failure(self, session: Session, step: int, loss: float) -> TrainingError:
        """The error for a loss that is not finite: its step, its layer, its remedies."""
        at = self.plan.at(step, self.split.training, self.recipe.optimizer.learning_rate)
        masks = dropout_masks(self.network, self.plan.seed, step, len(at.rows))
        X, Y = self.X[at.rows], self.Y[at.rows]
        cause = why_not_finite(self.network, session.training().parameters, X, Y, masks)
        return TrainingError(f"step {step} (epoch {at.epoch}, batch {at.batch}): the loss is {loss}; {cause}")


def _epoch_losses(network: Network, losses: Array, B: int, rows: int) -> list[float]:
    """`_epoch_loss` of several whole epochs (epochs, steps)."""
    if not len(losses) or (network.loss is not None and network.loss.samples == "sum"):
        return [_epoch_loss(network, of_epoch.tolist(), B, rows) for of_epoch in losses]
    sizes = np.minimum(B, rows - B * np.arange(losses.shape[1]))
    with np.errstate(over="ignore"):
        means: list[float] = np.average(losses, axis=1, weights=sizes).tolist()
    return means


def _epoch_loss(network: Network, losses: list[float], B: int, rows: int) -> float:
    """Mean over the samples of what the batches lost; the sum for a loss that is summed over samples."""
    if network.loss is not None and network.loss.samples == "sum":
        return float(np.sum(losses))
    sizes = np.minimum(B, rows - B * np.arange(len(losses)))
    with np.errstate(over="ignore"):  # a mean of huge losses is infinite, and stands so in the history
        return float(np.average(losses, weights=sizes))
