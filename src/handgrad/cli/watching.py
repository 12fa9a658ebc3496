"""`handgrad train --open`: the browser of a training while it trains, and after it until the terminal ends it."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import TypeAlias

import numpy as np

from handgrad.cli.consoles import remarks
from handgrad.cli.open import show
from handgrad.live.walk.app import Progress, Walking
from handgrad.live.walk.serving import Serving
from handgrad.models.model import Model
from handgrad.models.prepared import Prepared
from handgrad.models.training_data import TrainingData
from handgrad.training.interruption import Ended

SECONDS = 0.5
"""A training is put into the page at most so often: a copy of its parameters each time."""

Keep: TypeAlias = Callable[[Model], object]


class Unwatched:
    """A training that nobody looks at."""

    def checkpoint(self, every: int | None, save: Keep) -> tuple[int, Keep] | None:
        """What `fit_prepared` takes as its checkpoint."""
        return None if every is None else (every, save)

    def finish(self, trained: Model, wait: bool) -> None:
        """Nothing to show."""


class Watching(Unwatched):
    """Shows the training so far in the browser. Its threads end with the program, whatever ends that."""

    def __init__(self, ready: Prepared, path: Path, epochs: int, browser: bool, quiet: bool) -> None:
        rows = ready.table.file_rows
        own = np.arange(ready.own) if rows is None else rows
        at = np.concatenate([own, np.arange(len(ready.X) - ready.own)])  # behind them a validation file's
        self._arrays = TrainingData(ready.X, ready.Y, at, ready.weights)
        self._walking = Walking([])
        self._serving = Serving(self._walking).__enter__()
        self._name, self._epochs, self._browser, self._quiet = path.stem, epochs, browser, quiet
        self._at = -SECONDS

    def checkpoint(self, every: int | None, save: Keep) -> tuple[int, Keep]:
        """Shows the epochs, and saves those that are to be saved."""

        def keep(so_far: Model) -> None:
            epoch = len(so_far.fit.history)
            if every is not None and epoch % every == 0:
                save(so_far)
            if monotonic() - self._at >= SECONDS:
                self._publish(so_far, Progress(epoch, self._epochs))

        return 1, keep

    def _publish(self, model: Model, progress: Progress | None) -> None:
        first = not self._walking.walked
        self._walking.publish(model, self._name, self._arrays, progress)
        self._at = monotonic()
        if first:  # a page without a step has nothing to show
            show(self._serving, "", self._browser, self._quiet, _say)

    def finish(self, trained: Model, wait: bool) -> None:
        """Shows the finished training, and waits for Ctrl-C: everything is saved then, and nothing has gone wrong."""
        try:
            if wait:
                self._publish(trained, None)
                self._serving.wait()
        except Ended as ended:
            if ended.number != signal.SIGINT:
                raise
        finally:
            self._serving.__exit__(None, None, None)


def _say(line: str) -> None:
    """The standard output belongs to the result."""
    remarks().print(line, soft_wrap=True)
