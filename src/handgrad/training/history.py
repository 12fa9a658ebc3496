"""What a training did, and where it stood on the way."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from handgrad.data.arrays import inputs, shaped
from handgrad.data.batches import Rows
from handgrad.engines.forecaster import Forecaster
from handgrad.nn.arrays import Array
from handgrad.nn.network import Network
from handgrad.nn.step import Recipe, Training
from handgrad.rich_repr import Presented, history_table
from handgrad.training.plan import Plan, Step
from handgrad.training.score import check_finite

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult


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

    >>> import handgrad as hg
    >>> line = hg.Network(1, [hg.Dense(1, W=[[0.0]])], "squared_error")
    >>> result = hg.fit(line, [[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0], epochs=2, batch_size=2, shuffle=False)
    >>> result
    Fit(epochs=2, steps=4, loss=11.6313, ended='epochs')
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
    weighted: bool = False
    """True where samples had weights, without which no step of it can be taken again."""

    @property
    def steps(self) -> int:
        """The number of steps that were taken.

        >>> import handgrad as hg
        >>> line = hg.Network(1, [hg.Dense(1, W=[[0.0]])], "squared_error")
        >>> result = hg.fit(line, [[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0], epochs=2, batch_size=2, shuffle=False)
        >>> result.steps
        4
        """
        return self.snapshots[-1].step - 1

    @property
    def batch_size(self) -> int:
        """B, the size of all batches but the last of an epoch.

        >>> import handgrad as hg
        >>> line = hg.Network(1, [hg.Dense(1, W=[[0.0]])], "squared_error")
        >>> result = hg.fit(line, [[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0], epochs=2, batch_size=2, shuffle=False)
        >>> result.batch_size
        2
        """
        return self.plan.rows_of_batch(len(self.training_rows))

    @property
    def steps_per_epoch(self) -> int:
        """The number of steps of a whole epoch.

        >>> import handgrad as hg
        >>> line = hg.Network(1, [hg.Dense(1, W=[[0.0]])], "squared_error")
        >>> result = hg.fit(line, [[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0], epochs=2, batch_size=2, shuffle=False)
        >>> result.steps_per_epoch
        2
        """
        return self.plan.steps_per_epoch(len(self.training_rows))

    @cached_property
    def forecaster(self) -> Forecaster:
        """The parameters found, ready to be asked: by the core, or by the engine 'reference' where that trained.

        >>> import handgrad as hg
        >>> import numpy as np
        >>> line = hg.Network(1, [hg.Dense(1, W=[[2.0]])], "squared_error")
        >>> result = hg.fit(line, [[0.0], [1.0]], [0.0, 2.0], epochs=1)
        >>> result.forecaster.forecast(np.array([[1.0]]), np.array([[2.0]])).loss < 1e-4
        True
        """
        return Forecaster(self.network, self.training.parameters, self.engine)

    def predict(self, X: Any, engine: str | None = None) -> Array:
        """The outputs (samples, outputs) for X (samples, inputs), without dropout, by the parameters found.

        `engine`: 'reference' for the equations in NumPy; by default the core, unless that engine trained.

        >>> import handgrad as hg
        >>> line = hg.Network(1, [hg.Dense(1, W=[[0.0]])], "squared_error")
        >>> result = hg.fit(line, [[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0], epochs=2, batch_size=2, shuffle=False)
        >>> result.predict([[1.0], [2.0]]).shape
        (2, 1)

        Raises ShapeError for an array that does not fit the network, DataError where an output is not finite.
        """
        asked = self.forecaster
        if engine is not None:
            asked = Forecaster(self.network, self.training.parameters, engine)
        X = shaped(self.network, X)
        outputs = asked.finite(X)
        if outputs is None:
            outputs = asked.forecast(inputs(self.network, X, self.plan.dtype)).outputs
            check_finite("X", outputs)
        return outputs

    def at(self, step: int) -> Step:
        """Epoch, batch, rows and rate of a step (from 1): of the training, or beyond its end.

        >>> import handgrad as hg
        >>> line = hg.Network(1, [hg.Dense(1, W=[[0.0]])], "squared_error")
        >>> result = hg.fit(line, [[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0], epochs=2, batch_size=2, shuffle=False)
        >>> result.at(4)
        Step(number=4, epoch=2, batch=2, rows=array([2]), rate=0.001)
        """
        return self.plan.at(step, self.training_rows, self.recipe.optimizer.learning_rate)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield f"{self.network.parameter_count:,} parameters, {self.steps:,} steps, engine {self.engine}"
        yield history_table(self.history, self.metric, self.best_epoch)

    def __repr__(self) -> str:
        last = self.history[-1].loss if self.history else float("nan")
        return f"Fit(epochs={len(self.history)}, steps={self.steps}, loss={last:.6g}, ended={self.ended!r})"
