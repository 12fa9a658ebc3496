"""What a worked calculation can be made of: a case, or any step of a trained model."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from handgrad.cases.case import Case
from handgrad.data.arrays import inputs, sample_weights, samples
from handgrad.data.rows import Picked
from handgrad.errors import SpecificationError
from handgrad.models.model import Model
from handgrad.models.training_data import TrainingData
from handgrad.nn.arrays import Array
from handgrad.nn.in_play import InPlay, in_play, whole
from handgrad.nn.network import Network
from handgrad.nn.optimizers import initial_state
from handgrad.nn.regularization import Regularization
from handgrad.nn.step import Recipe, Training
from handgrad.rich_repr import printable
from handgrad.training.replay import Replayed, replays
from handgrad.worked.record import Standing
from handgrad.worked.rounding import Rounding
from handgrad.worked.trace import Trace, trace_step
from handgrad.worksheets.case_steps import trace_case


class Source(Protocol):
    """Traces of the steps `1..total`, and what stands at the head of the sheet."""

    @property
    def title(self) -> str:
        """The title of the sheet."""
        ...

    @property
    def source(self) -> str:
        """Where it was published."""
        ...

    @property
    def network(self) -> Network: ...
    @property
    def recipe(self) -> Recipe | None: ...
    @property
    def regularization(self) -> Regularization: ...
    @property
    def rounding(self) -> Rounding: ...

    @property
    def total(self) -> int:
        """How many steps there are."""
        ...

    def traces(self, first: int, last: int) -> Iterator[Trace]:
        """The steps from `first` to `last`, counted from 1, both included."""
        ...


class CaseSource:
    """The steps of a case."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.title = printable(case.title) or "-".join(map(str, case.network.sizes))
        self.source, self.network, self.recipe = printable(case.source), case.network, case.recipe
        self.regularization = case.regularization if case.recipe is None else case.recipe.regularization
        self.rounding, self.total = case.rounding, case.steps

    def traces(self, first: int, last: int) -> Iterator[Trace]:
        return trace_case(self.case, first, last)


@dataclass(frozen=True)
class Rows:
    """Rows `first` to `last` (the last one not included, counted from 0) of a table.

    >>> Rows.parse("0:2")
    Rows(first=0, last=2)
    >>> Rows.parse("7")
    Rows(first=7, last=8)

    Raises SpecificationError for text of another form.
    """

    first: int
    last: int

    @classmethod
    def parse(cls, text: str) -> Rows:
        """Rows written as N or A:B."""
        head, colon, tail = text.partition(":")
        try:
            first = int(head or 0)
            last = int(tail) if colon else first + 1
        except ValueError as error:
            raise SpecificationError(
                f"rows are written N or A:B (rows A to B - 1, from 0), got {text!r}"
            ) from error
        if first < 0 or last <= first:
            raise SpecificationError(f"rows {text}: the first row is at least 0, and the last comes after it")
        return cls(first, last)


class ModelSource:
    """The steps of a trained model, or one step on rows that the reader chooses.

    Without `rows`, step t is the step that happened, on the batch that it saw. With `rows`, it is the step that
    training would have taken at that place on these rows; without a step, with the trained parameters.
    """

    rounding = Rounding()

    def __init__(
        self, model: Model, data: Any = None, rows: Rows | None = None, path: Path | None = None
    ) -> None:
        self.model, self.data, self.chosen, self.path = model, data, rows, path
        self.network, self.recipe = model.network, model.fit.recipe
        self.regularization = model.fit.recipe.regularization
        self.total = model.fit.steps if rows is None else max(model.fit.steps, self.trained_step)
        self.source = ""
        self._held: list[tuple[int, int, TrainingData]] = []  # one for all copies
        self.part: InPlay | None = None
        """Where categories are gathered: what the steps that are shown see of the network."""

    def spanning(self, first: int, last: int) -> ModelSource:
        """The same for these steps alone: of the categories that are gathered, with those that their samples have.

        Raises SpecificationError where penalties would count thousands of weights that are not shown.
        """
        if not self.model.network.gathered:
            return self
        made = copy(self)
        made.part = self._seen_of(first, last)
        made.network = made.part.network
        return made

    def _seen_of(self, first: int, last: int) -> InPlay:
        fit, network = self.model.fit, self.model.network
        if self.regularization:
            return whole(network)
        if self.chosen is not None:
            return in_play(network, self._rows(self.chosen)[0])
        self._check_steps(first, last)
        steps = fit.plan.steps(first, last, fit.training_rows, fit.recipe.optimizer.learning_rate)
        return in_play(
            network, self._seen(first, last).X[np.unique(np.concatenate([one.rows for one in steps]))]
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The inputs by name; none of a training on arrays."""
        schema = self.model.schema
        if schema is None:
            return ()
        names = schema.features
        return names if self.part is None else tuple(names[k] for k in self.part.columns)

    @property
    def not_shown(self) -> int:
        """How many inputs are not shown, because they are 0 in all samples."""
        return self.model.network.inputs - self.network.inputs

    @property
    def title(self) -> str:
        """What is predicted from how many inputs."""
        schema = self.model.schema
        sizes = "-".join(map(str, self.model.network.sizes))
        return sizes if schema is None else printable(f"{', '.join(schema.target.names)} ({sizes})")

    @property
    def trained_step(self) -> int:
        """The number of the step that the trained parameters take next: after the epoch that was kept, or the last."""
        fit = self.model.fit
        return (fit.steps if fit.best_epoch is None else fit.history[fit.best_epoch - 1].steps) + 1

    @property
    def standing(self) -> Standing:
        """Which steps of the training these are."""
        fit = self.model.fit
        kept = None if fit.best_epoch == len(fit.history) else fit.best_epoch
        return Standing(fit.steps, len(fit.history), kept, self.trained_step, self.chosen is not None)

    def traces(self, first: int, last: int) -> Iterator[Trace]:
        self._check_steps(first, last)
        if self.chosen is None:
            yield from map(self._on_their_batch, self._replays(first, last))
            return
        trained, others = self.trained_step, [t for t in range(first, last + 1) if t != self.trained_step]
        replayed = self._replays(others[0], others[-1]) if others else iter(())
        for step in range(first, last + 1):
            at = next(replayed) if others and others[0] <= step <= others[-1] else None
            training = self._trained() if at is None or step == trained else at.training
            yield self._on_chosen_rows(step, training, self.model.fit.at(step).rate, self.chosen)

    def _check_steps(self, first: int, last: int) -> None:
        for step in (first, last):
            if not 1 <= step <= self.total:
                raise SpecificationError(
                    f"step {step}: the model was trained for {self.model.fit.steps} steps"
                )

    def _seen(self, first: int, last: int) -> TrainingData:
        """The data of the training, as far as these steps need it."""
        if not self._held or not self._held[0][0] <= first <= last <= self._held[0][1]:
            data = self.data if self.chosen is None else self._training_table()
            made = self.model.training_data(data, (first, last))
            everything = not isinstance(made.X, Picked)
            self._held[:] = [(1, self.model.fit.steps, made) if everything else (first, last, made)]
        return self._held[0][2]

    @property
    def remark(self) -> str:
        """What is to be said where not all of a large table was read."""
        return self._held[0][2].remark if self._held else ""

    def _replays(self, first: int, last: int) -> Iterator[Replayed]:
        """The steps as training took them: one reading of the data and one session for all of them."""
        seen = self._seen(first, last)
        return replays(self.model.fit, seen.X, seen.Y, first, last, weights=seen.weights)

    def _on_their_batch(self, replayed: Replayed) -> Trace:
        seen, dtype, rows = self._seen(replayed.t, replayed.t), self.model.fit.plan.dtype, replayed.rows
        training, X = self._shown(replayed.training, seen.X[rows].astype(dtype))
        return trace_step(
            self.network,
            self.recipe,
            training,
            X,
            seen.Y[rows].astype(dtype),
            replayed.t,
            replayed.rate,
            replayed.masks,
            weights=None if seen.weights is None else seen.weights[rows],
            rows=tuple(int(seen.file_rows[row]) for row in rows),
        )

    def _on_chosen_rows(self, step: int, training: Training, rate: float, rows: Rows) -> Trace:
        X, Y, weights = self._rows(rows)
        training, X = self._shown(training, X)
        chosen = tuple(range(rows.first, rows.first + len(X)))
        return trace_step(self.network, self.recipe, training, X, Y, step, rate, rows=chosen, weights=weights)

    def _shown(self, training: Training, X: Array) -> tuple[Training, Array]:
        """As much of both as is shown."""
        return (training, X) if self.part is None else (self.part.training(training), self.part.inputs(X))

    def _training_table(self) -> Any:
        """The table of the training where it was, otherwise the one that the reader gave."""
        origin = self.model.origin
        recorded = None if origin is None else origin.file
        return None if self.data is None or (recorded and Path(recorded).exists()) else self.data

    def _trained(self) -> Training:
        training = self.model.fit.training
        if len(training.state) == self.network.depth:
            return training
        return Training(training.parameters, initial_state(self.recipe.optimizer, training.parameters))

    def _rows(self, rows: Rows) -> tuple[Array, Array | None, Array | None]:
        """The chosen rows of the data, encoded as for training, and their weights; no targets where it has none."""
        from handgrad.data.tables import read_table

        schema = self.model.schema
        if schema is None:
            return self._of_arrays(rows)
        table = read_table(self.model.training_file() if self.data is None else self.data)
        if rows.first >= table.rows:
            raise SpecificationError(
                f"{table.source}: there is no row {rows.first}; it has rows 0 to {table.rows - 1}"
            )
        part = table.take(np.arange(rows.first, min(rows.last, table.rows)))
        dtype = self.model.fit.plan.dtype
        X, _ = schema.encode(part)
        has_target = (
            all(name in part.names for name in schema.target.names) and schema.target.present(part).all()
        )
        if not has_target:
            return X.astype(dtype), None, None
        weighs = schema.weighting is not None and schema.weighting.column in ("", *part.names)
        weights = schema.weights(part, dtype) if weighs else None
        return X.astype(dtype), schema.target.encode(part).astype(dtype), weights

    def _of_arrays(self, rows: Rows) -> tuple[Array, Array | None, Array | None]:
        """The chosen rows of data=(X, Y) or (X, Y, weights), or of data=X, which leaves the step forward only."""
        network, dtype = self.network, self.model.fit.plan.dtype
        weights = None
        if isinstance(self.data, tuple) and len(self.data) in (2, 3):
            X, Y = samples(network, self.data[0], self.data[1], dtype)
            weights = sample_weights(self.data[2] if len(self.data) == 3 else None, len(X), dtype)
        elif self.data is not None:
            X, Y = inputs(network, self.data, dtype), None
        else:
            raise SpecificationError("a training on arrays does not keep them; give data=(X, Y) or data=X")
        if rows.first >= len(X):
            raise SpecificationError(f"X: there is no row {rows.first}; it has rows 0 to {len(X) - 1}")
        part = slice(rows.first, rows.last)
        return X[part], None if Y is None else Y[part], None if weights is None else weights[part]
