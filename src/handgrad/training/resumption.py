"""Going on where an earlier training stood, to the same bits as if it had never stopped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from handgrad.data.batches import Split
from handgrad.errors import SpecificationError
from handgrad.nn.network import Network
from handgrad.nn.step import Recipe, Training
from handgrad.training.history import Fit
from handgrad.training.plan import Plan
from handgrad.training.snapshots import Best, Kept


class Checkpoint(NamedTuple):
    """Every so many epochs the training so far is handed to `keep`."""

    every: int
    keep: Callable[[Fit], object]

    def due(self, epoch: int, epochs: int) -> bool:
        """True after an epoch (from 1) that is one of them, and not the last."""
        return epoch % self.every == 0 and epoch < epochs

    def next(self, epoch: int) -> int:
        """The epochs that are over when it is due next, with `epoch` of them over now."""
        return (epoch // self.every + 1) * self.every


class Point(NamedTuple):
    """The start of an epoch (from 0): the state there, and what training remembers of its way."""

    epoch: int
    training: Training
    best: Best
    kept: Kept


class _Then:
    """Stands for the session of the earlier training at the start of an epoch."""

    def __init__(self, state: Training) -> None:
        self._state = state

    def training(self) -> Training:
        return self._state


def check_same(earlier: Fit, network: Network, recipe: Recipe, plan: Plan, split: Split, engine: str) -> None:
    """Raises SpecificationError where the earlier training is not the beginning of this one."""
    pairs = (
        ("the network", earlier.network == network),
        ("the optimizer, the penalties or the clipping", earlier.recipe == recipe),
        ("the plan (batch, seed, schedule, ...)", replace(earlier.plan, epochs=plan.epochs) == plan),
        ("the training rows", np.array_equal(earlier.training_rows, split.training)),
        ("the validation rows", np.array_equal(earlier.validation_rows, split.validation)),
        ("the engine", earlier.engine == engine),
        (f"the epochs ({len(earlier.history)} are done)", len(earlier.history) <= plan.epochs),
    )
    others = [name for name, same in pairs if not same]
    if others:
        raise SpecificationError(
            f"the training cannot be resumed: {' and '.join(others)} differ from the earlier one; give the same "
            "options, or train anew"
        )


def last_point(earlier: Fit) -> Point:
    """The latest epoch from which the rest gives the same bits.

    It begins with a state that was kept, and the best epoch until then has a state that is known. A training
    that was interrupted within an epoch takes that epoch again from its start, or from the last state kept.
    """
    per_epoch = earlier.steps_per_epoch
    whole = sum(line.steps == line.epoch * per_epoch for line in earlier.history)
    states = {
        (snapshot.step - 1) // per_epoch: snapshot.training
        for snapshot in earlier.snapshots
        if (snapshot.step - 1) % per_epoch == 0
    }
    for epoch in sorted(states, reverse=True):
        best = _best(earlier, states, epoch) if epoch <= whole else None
        if best is not None:
            return Point(epoch, states[epoch], best, _kept(earlier, states, epoch))
    raise SpecificationError("the earlier training has no state of its start")


def _best(earlier: Fit, states: dict[int, Training], epoch: int) -> Best | None:
    """The best epoch before `epoch`; None where its state is not known."""
    best = Best(earlier.plan.early_stopping, states[0])
    for line in earlier.history[:epoch]:
        best.update(line, _Then(states[0]))
    if not best.restores:
        return best
    if best.epoch == earlier.best_epoch:
        best.training = earlier.training
    elif best.epoch in states:
        best.training = states[best.epoch]
    else:
        return None
    return best


def _kept(earlier: Fit, states: dict[int, Training], epoch: int) -> Kept:
    """What was kept until `epoch`; a state that was dropped later is only counted."""
    kept = Kept(earlier.plan.snapshots, states[0])
    for before in range(epoch):
        kept.update(before, before * earlier.steps_per_epoch + 1, _Then(states.get(before, states[0])))
    kept.kept = [(at, snapshot if at in states else None) for at, snapshot in kept.kept]
    return kept
