"""What training remembers of its own way: the best epoch, and a bounded number of states for replay."""

from __future__ import annotations

import os
from typing import Protocol

from handgrad.nn.step import Training
from handgrad.training.history import Epoch, Snapshot
from handgrad.training.plan import EarlyStopping

_LEAST_BUDGET = 64 << 20
_SHARE = 20


def budget() -> int:
    """Bytes that the kept states may take together: a twentieth of the machine's memory, at least 64 MiB.

    >>> budget() >= 64 << 20
    True
    """
    try:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # a system that does not say
        return _LEAST_BUDGET
    return max(_LEAST_BUDGET, memory // _SHARE)


class Standing(Protocol):
    """What can say where a training stands."""

    def training(self) -> Training: ...


class Best:
    """Remembers the best epoch where early stopping is asked for."""

    def __init__(self, rule: EarlyStopping | None, training: Training) -> None:
        self.rule, self.training = rule, training
        self.loss, self.epoch, self.waited = float("inf"), 0, 0

    def update(self, line: Epoch, session: Standing) -> None:
        """Takes the state after this epoch if its loss is the lowest so far."""
        if self.rule is None:
            return
        loss = line.loss if line.validation_loss is None else line.validation_loss
        if loss < self.loss - self.rule.least or self.epoch == 0:
            self.loss, self.epoch, self.waited, self.training = loss, line.epoch, 0, session.training()
        else:
            self.waited += 1

    @property
    def exhausted(self) -> bool:
        """True once the patience is used up."""
        return self.rule is not None and self.waited >= self.rule.patience

    @property
    def restores(self) -> bool:
        """True where the result is the best epoch and not the last one."""
        return self.rule is not None and self.epoch > 0


class Kept:
    """The states at some epoch starts: the first always, the others evenly thinned as training goes on.

    Between `most` / 2 and `most` of them lie evenly, so with 20 no step is more than a tenth of the training away.
    `room`: bytes for all of them, by default `budget`.
    """

    def __init__(self, most: int, training: Training, room: int | None = None) -> None:
        size = sum(array.nbytes for layer in training.parameters for array in layer)
        size += sum(array.nbytes for layer in training.state for state in layer for array in state)
        self.most = max(1, min(most, (budget() if room is None else room) // max(size, 1)))
        self.stride = 1
        self.kept: list[tuple[int, Snapshot | None]] = [(0, Snapshot(1, training))]
        """The epoch (from 0) and its state; None is one that counts, but was dropped by an earlier training."""

    def update(self, epoch: int, step: int, session: Standing) -> None:
        """Takes the state before step `step`, the first of an epoch (from 0), if it is one to keep."""
        if self.most == 1 or epoch == 0 or epoch % self.stride:
            return
        if len(self.kept) >= self.most:
            self.stride *= 2
            self.kept = [pair for pair in self.kept if pair[0] % self.stride == 0]
        if epoch % self.stride == 0 and len(self.kept) < self.most:
            self.kept.append((epoch, Snapshot(step, session.training())))

    def next(self, epoch: int) -> int:
        """The first epoch after this one (from 0) whose state may be one to keep."""
        return 1 << 62 if self.most == 1 else (epoch // self.stride + 1) * self.stride

    def all(self, last: Snapshot) -> tuple[Snapshot, ...]:
        """The kept states in order, then the state after the last step."""
        kept = (snapshot for _, snapshot in self.kept if snapshot is not None)
        return (*(snapshot for snapshot in kept if snapshot.step < last.step), last)
