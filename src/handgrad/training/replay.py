"""Any step of a finished training again: where it stood before, and what the step took."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from handgrad.data.arrays import sample_weights, samples
from handgrad.data.batches import Rows
from handgrad.data.rows import Picked, Places
from handgrad.engines import choose
from handgrad.engines.protocol import Engine
from handgrad.errors import MissingExtraError, ShapeError, SpecificationError, TrainingError
from handgrad.nn.forward import Masks, dropout_masks
from handgrad.nn.step import Training
from handgrad.training.history import Fit, Snapshot
from handgrad.training.streamed import StoredX, StreamedEngine


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


def replay(
    result: Fit, X: Any, Y: Any, step: int, engine: str | None = None, weights: Any = None
) -> Replayed:
    """Where training stood before step `step` (1..steps), and the batch, rate and masks of that step.

    X, Y and `weights` are the arrays that `fit` was given. The recorded engine runs the steps from the nearest snapshot
    on; with the reference engine the state is the same to the last bit. Where the recorded engine is not
    there, the reference engine takes its place, and agrees to rounding.

    >>> import numpy as np
    >>> from handgrad.nn.network import Dense, Network
    >>> from handgrad.training.fit import fit
    >>> X, Y = np.eye(3), np.ones((3, 1))
    >>> network = Network(3, [Dense(1)], "squared_error")
    >>> result = fit(network, X, Y, epochs=4, batch_size=2, engine="reference")
    >>> before = replay(result, X, Y, step=8)
    >>> before.t, before.epoch, before.batch, len(before.rows)
    (8, 4, 2, 1)

    Raises SpecificationError for a step that was not taken, ShapeError for arrays that cannot be those of the
    training.
    """
    return next(replays(result, X, Y, step, step, engine, weights))


def replays(
    result: Fit, X: Any, Y: Any, first: int, last: int, engine: str | None = None, weights: Any = None
) -> Iterator[Replayed]:
    """The steps from `first` to `last` one after another, each as `replay` has it, in one session."""
    for step in (first, last):
        if isinstance(step, bool) or not isinstance(step, int | np.integer) or not 1 <= step <= result.steps:
            raise SpecificationError(f"the training has the steps 1 to {result.steps}, got step {step!r}")
    plan, network = result.plan, result.network
    stored = X if isinstance(X, StoredX) else None
    picked = X if isinstance(X, Picked) else None
    if picked is not None:
        X, Y, weights = picked.values, Y.values, None if weights is None else weights.values
    elif stored is None:
        X, Y = samples(network, X, Y, plan.dtype)
    elif not plan.block:
        raise SpecificationError("this training had its rows in memory; give them as arrays")
    if result.weighted != (weights is not None):
        raise SpecificationError(
            "the samples of this training had weights; give them again"
            if result.weighted
            else "the samples of this training had no weights; leave them out"
        )
    counts = None if stored is not None else sample_weights(weights, len(X), plan.dtype)
    if picked is None and len(X) <= max(
        int(rows.max(initial=0)) for rows in (result.training_rows, result.validation_rows)
    ):
        raise ShapeError(
            f"X has {len(X)} samples, fewer than the training had; give the arrays of the training"
        )
    start = snapshot_before(result, first)
    runner = choose(engine) if engine is not None else _recorded(result.engine)
    rows: Any = result.training_rows
    if stored is not None:
        runner, rows = StreamedEngine(runner, plan), Places(len(rows))
    session = runner.start(network, result.recipe, start.training, X, Y, plan.seed, plan.threads, counts)
    rate = result.recipe.optimizer.learning_rate

    def run(begin: int, end: int) -> None:
        for part in plan.stretches(begin, end, rows, rate):
            order = part.rows if picked is None else picked.places(part.rows)
            done = session.run(order, result.batch_size, part.rates, part.first)
            if done.failed:
                raise TrainingError(
                    f"step {part.first + len(done.losses) - 1} is not finite when it is taken again by the engine "
                    f"{runner.name!r}; give the arrays and the engine ({result.engine!r}) of the training"
                )

    run(start.step, first - 1)
    for at in plan.steps(first, last, result.training_rows, rate):
        if at.number > first:
            run(at.number - 1, at.number - 1)
        yield Replayed(
            start.training if at.number == start.step else session.training(),
            at.rows,
            at.number,
            at.rate,
            dropout_masks(network, plan.seed, at.number, len(at.rows)),
            at.epoch,
            at.batch,
            runner.name,
        )


def snapshot_before(result: Fit, step: int) -> Snapshot:
    """The latest state that was kept before a step."""
    return max((snapshot for snapshot in result.snapshots if snapshot.step <= step), key=lambda s: s.step)


def rows_taken(result: Fit, first: int, last: int) -> Rows:
    """The rows of X that have to be there so that the steps from `first` to `last` are taken again, ascending.

    >>> import numpy as np
    >>> from handgrad.nn.network import Dense, Network
    >>> from handgrad.training.fit import fit
    >>> network = Network(3, [Dense(1)], "squared_error")
    >>> made = fit(network, np.eye(3), np.ones((3, 1)), epochs=2, batch_size=1, shuffle=False)
    >>> rows_taken(made, 4, 5).tolist()
    [0, 1]
    """
    start = snapshot_before(result, first).step
    rate = result.recipe.optimizer.learning_rate
    taken = np.zeros(int(result.training_rows[-1]) + 1, bool)
    for part in result.plan.stretches(start, last, result.training_rows, rate):
        taken[part.rows] = True
    return np.flatnonzero(taken)


def _recorded(name: str) -> Engine:
    try:
        return choose(name)
    except (
        SpecificationError,
        MissingExtraError,
    ):  # the model comes from an installation with an engine that this one lacks
        return choose("reference")
