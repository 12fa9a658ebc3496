"""How a training shows that it goes on: a bar on a terminal, plain lines in a log, or nothing."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress

from handgrad.rich_repr import number
from handgrad.training.history import Epoch
from handgrad.training.progress import Progress, Silent

_SECONDS_A_LINE = 10.0


class Bar(Silent):
    """A bar with loss, rate and the time that is left."""

    def __init__(self, console: Console) -> None:
        self._bar = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[state]}"),
            TimeRemainingColumn(compact=True),
            console=console,
            transient=True,
        )
        self._task = self._bar.add_task("training", total=None, state="")
        self._per_epoch = 1

    def __enter__(self) -> Bar:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def begin(self, epochs: int, steps_per_epoch: int) -> None:
        """Takes the length of the bar."""
        self._per_epoch = steps_per_epoch
        self._bar.update(self._task, total=epochs * steps_per_epoch)

    def steps(self, epoch: int, done: int, loss: float, rate: float) -> None:
        """Moves the bar."""
        self._bar.update(
            self._task,
            completed=epoch * self._per_epoch + done,
            description=f"epoch {epoch + 1}",
            state=f"loss {number(loss)}  rate {number(rate)}",
        )


class Announced:
    """Another progress, with something said before it begins: after the call was judged, before the first step."""

    def __init__(self, shown: Progress, say: Callable[[], None]) -> None:
        self._shown, self._say = shown, say
        self.steps, self.epoch, self.begin = shown.steps, shown.epoch, shown.begin

    def __enter__(self) -> Progress:
        self._say()
        return self._shown.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._shown.__exit__(kind, error, trace)


class Lines(Silent):
    """A plain line for the first epoch, the last, and one in ten seconds between; for logs."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._epochs, self._began, self._written = 0, 0.0, 0.0
        self._waiting: tuple[Epoch, str] | None = None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._waiting is not None:
            self._write(*self._waiting)

    def begin(self, epochs: int, steps_per_epoch: int) -> None:
        """Starts the clock."""
        self._epochs, self._began = epochs, monotonic()

    def epoch(self, line: Epoch, metric: str) -> None:
        """Writes a line where it is time for one."""
        self._waiting = (line, metric)
        if line.epoch in (1, self._epochs) or monotonic() - self._written >= _SECONDS_A_LINE:
            self._write(line, metric)

    def _write(self, line: Epoch, metric: str) -> None:
        now, self._waiting = monotonic(), None
        self._written = now
        left = (now - self._began) / line.epoch * (self._epochs - line.epoch)
        parts = [f"epoch {line.epoch}/{self._epochs}", f"loss {number(line.loss)}"]
        if line.validation_loss is not None:
            parts += [f"validation loss {number(line.validation_loss)}", f"{metric} {number(line.metric)}"]
        parts += [f"rate {number(line.rate)}", f"{left:.0f} s left"]
        self._console.print("  ".join(parts), highlight=False, soft_wrap=True)


def shown_on(console: Console, quiet: bool = False) -> Progress:
    """The bar on a terminal, lines elsewhere, nothing when quiet."""
    if quiet:
        return Silent()
    return Bar(console) if console.is_terminal else Lines(console)
