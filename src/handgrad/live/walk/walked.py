"""A training that is walked: its data read once, its steps replayed by the engine that took them, some kept."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from handgrad.data.tables import Table
from handgrad.errors import HandgradError
from handgrad.models.model import Model
from handgrad.models.training_data import TrainingData
from handgrad.nn.arrays import Array
from handgrad.training.history import Fit
from handgrad.training.replay import Replayed, replay
from handgrad.worked.trace import Trace, trace_step
from handgrad.worksheets.steps import ModelSource

MOST_BYTES = 256 << 20
"""Steps are kept while they take no more than this; the last two always, because two are compared."""


class Opened(NamedTuple):
    """A step: where training stood before it, and all that it computed."""

    replayed: Replayed
    trace: Trace

    @property
    def bytes(self) -> int:
        """What its arrays take."""
        return sum(np.asarray(value).nbytes for value in self.trace.quantities.values())


class Walked:
    """A model whose steps are opened one after another.

    `seen` are the arrays of the training, where they are at hand; otherwise they are read, from the recorded file or
    from `data`, when they are first needed. Not for several threads at once: who serves it, holds a lock.

    >>> import handgrad as hg
    >>> table = {"x": [0.0, 1.0, 2.0, 3.0], "y": [1.0, 3.0, 5.0, 7.0]}
    >>> model = hg.fit_table(table, "y", hidden=(2,), validation=0, epochs=3, batch_size=2)
    >>> walked = Walked(model, "line", table)
    >>> len(walked.open(4).trace.rows), walked.open(4).replayed.epoch
    (2, 2)
    """

    def __init__(self, model: Model, name: str, data: Any = None, seen: TrainingData | None = None) -> None:
        self.model, self.name, self.data = model, name, data
        self._seen = seen
        self._kept: OrderedDict[int, Opened] = OrderedDict()

    def take_over(self, earlier: Walked) -> None:
        """Takes what an earlier part of the same training has read and opened: its steps stay what they are."""
        self._kept = earlier._kept
        if "table" in earlier.__dict__:
            self.__dict__["table"] = earlier.table

    @property
    def fit(self) -> Fit:
        """Its training."""
        return self.model.fit

    @cached_property
    def table(self) -> Table | None:
        """The table of the training; None for one on arrays, or one whose table is gone and whose arrays are there."""
        if self.model.schema is None:
            return None
        try:
            return self.model.read(self.model.training_file() if self.data is None else self.data)
        except HandgradError:
            if self._seen is None:
                raise
            return None

    @cached_property
    def seen(self) -> TrainingData:
        """The arrays that training saw.

        Raises ModelError where the file is not that of the training, SpecificationError where arrays are missing.
        """
        if self._seen is not None:
            return self._seen
        return self.model.training_data(self.data if self.table is None else self.table)

    def open(self, step: int) -> Opened:
        """A step (1..steps), taken again by the recorded engine. Raises SpecificationError for one not taken."""
        if step in self._kept:
            self._kept.move_to_end(step)
            return self._kept[step]
        fit, (X, Y, file_rows, weights, _) = self.fit, self.seen
        replayed = replay(fit, X, Y, step, weights=weights)
        trace = trace_step(
            fit.network,
            fit.recipe,
            replayed.training,
            X[replayed.rows].astype(fit.plan.dtype),
            Y[replayed.rows].astype(fit.plan.dtype),
            step,
            replayed.rate,
            replayed.masks,
            weights=None if weights is None else weights[replayed.rows],
            rows=tuple(int(file_rows[row]) for row in replayed.rows),
        )
        self._kept[step] = Opened(replayed, trace)
        while len(self._kept) > 2 and sum(opened.bytes for opened in self._kept.values()) > MOST_BYTES:
            self._kept.popitem(last=False)
        return self._kept[step]

    def source(self) -> ModelSource:
        """The model as the source of worksheets, whose steps are those that were opened here."""
        return _Source(self)

    def losses(self, step: int) -> tuple[int, Array]:
        """The first step of the epoch of `step`, and the loss of each step of it, taken again by the engine."""
        return epoch_losses(self.fit, self.seen, step)


class _Source(ModelSource):
    """A model whose steps somebody else opens."""

    def __init__(self, walked: Walked) -> None:
        super().__init__(walked.model, walked.data)
        self._walked = walked

    @property
    def _training_data(self) -> TrainingData:
        return self._walked.seen

    def traces(self, first: int, last: int) -> Iterator[Trace]:
        opened = map(self._walked.open, range(first, last + 1))
        if self.part is None:
            return (step.trace for step in opened)
        return (self._on_their_batch(step.replayed) for step in opened)


def epoch_losses(fit: Fit, seen: TrainingData, step: int) -> tuple[int, Array]:
    """The first step of an epoch, and the losses of its steps, shape (steps,); the engine takes them again.

    >>> import handgrad as hg
    >>> line = hg.Network(1, [hg.Dense(1, W=[[0.0]])], "squared_error")
    >>> X, Y = np.array([[1.0], [2.0]]), np.array([[3.0], [5.0]])
    >>> result = hg.fit(line, X, Y, epochs=2, batch_size=1, shuffle=False, optimizer=hg.SGD(0.1))
    >>> first, losses = epoch_losses(result, TrainingData(X, Y, np.arange(2)), 4)
    >>> first, float(losses[0].round(4))
    (3, 0.0144)
    """
    from handgrad.engines import choose

    per_epoch = fit.steps_per_epoch
    first = (step - 1) // per_epoch * per_epoch + 1
    last = min(first + per_epoch - 1, fit.steps)
    before = replay(fit, seen.X, seen.Y, first, weights=seen.weights)
    session = choose(before.engine).start(
        fit.network,
        fit.recipe,
        before.training,
        seen.X,
        seen.Y,
        fit.plan.seed,
        fit.plan.threads,
        seen.weights,
    )
    rate = fit.recipe.optimizer.learning_rate
    losses = [
        session.run(part.rows, fit.batch_size, part.rates, part.first).losses
        for part in fit.plan.stretches(first, last, fit.training_rows, rate)
    ]
    return first, np.concatenate(losses)
