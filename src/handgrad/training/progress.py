"""What a training tells of its way: a protocol, and the one that shows nothing."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, runtime_checkable

from handgrad.training.history import Epoch


@runtime_checkable
class Progress(Protocol):
    """Told what the training does; entered before the first epoch, left after the last."""

    def __enter__(self) -> Progress: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def begin(self, epochs: int, steps_per_epoch: int) -> None:
        """How much there is to do."""
        ...

    def steps(self, epoch: int, done: int, loss: float, rate: float) -> None:
        """`done` steps of an epoch (counted from 0) are over; loss and rate are those of the last one."""
        ...

    def epoch(self, line: Epoch, metric: str) -> None:
        """An epoch is over."""
        ...


class Silent:
    """Shows nothing; what the others do not show, they take from here."""

    def __enter__(self) -> Silent:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def begin(self, epochs: int, steps_per_epoch: int) -> None:
        """Nothing to show."""

    def steps(self, epoch: int, done: int, loss: float, rate: float) -> None:
        """Nothing to show."""

    def epoch(self, line: Epoch, metric: str) -> None:
        """Nothing to show."""
