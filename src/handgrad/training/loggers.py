"""The history of a training as it grows, for other programs: lines of JSON, and TensorBoard's event files.

A log is written line by line, so that it can be read while the training runs; it is the one output that is not whole
before its end.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from time import time
from typing import Any

from handgrad.errors import MissingExtraError, OutputError
from handgrad.training.callbacks import Underway
from handgrad.training.history import Epoch


class JsonLines:
    """A callback of `fit` that writes one JSON object for each epoch: epoch, loss, validation_loss, metric, rate, ...

    >>> import handgrad as hg
    >>> from tempfile import TemporaryDirectory
    >>> line = hg.Network(1, [hg.Dense(1, W=[[0.0]])], "squared_error")
    >>> with TemporaryDirectory() as folder:
    ...     log = Path(folder) / "log.jsonl"
    ...     result = hg.fit(line, [[0.0], [1.0]], [1.0, 3.0], epochs=2, callbacks=[JsonLines(log)])
    ...     [json.loads(text)["epoch"] for text in log.read_text().splitlines()]
    [1, 2]

    Raises OutputError for a file that cannot be written.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        self._write("", begin=True)

    def __call__(self, epoch: Epoch, now: Underway) -> None:
        self._write(json.dumps(epoch._asdict(), allow_nan=False) + "\n")

    def _write(self, text: str, begin: bool = False) -> None:
        try:
            with self._path.open("w" if begin else "a", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            raise OutputError(
                f"cannot write {self._path}: {error.strerror or error}; choose another place for the log"
            ) from error


class TensorBoard:
    """A callback of `fit` that writes an event file for TensorBoard into a folder: scalars by the step.

    `loss`, `validation loss`, the metric and `learning rate`, at the steps taken so far. Needs the extra tensorboard.

    Raises MissingExtraError without the package, OutputError for a folder that cannot be written.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        try:
            from tensorboard.compat.proto.event_pb2 import Event
            from tensorboard.compat.proto.summary_pb2 import Summary
            from tensorboard.summary.writer.event_file_writer import EventFileWriter
        except ImportError:
            raise MissingExtraError("TensorBoard's event files", "tensorboard") from None
        self._event, self._summary = Event, Summary
        try:
            self._writer: Any = EventFileWriter(os.fspath(folder))
        except OSError as error:
            raise OutputError(
                f"cannot write into {folder}: {error.strerror or error}; choose another folder for the log"
            ) from error

    def __call__(self, epoch: Epoch, now: Underway) -> None:
        values = {
            "loss": epoch.loss,
            "validation loss": epoch.validation_loss,
            "metric": epoch.metric,
            "learning rate": epoch.rate,
        }
        summary = self._summary(
            value=[
                self._summary.Value(tag=tag, simple_value=value)
                for tag, value in values.items()
                if value is not None
            ]
        )
        self._writer.add_event(self._event(wall_time=time(), step=epoch.steps, summary=summary))
        self._writer.flush()

    def close(self) -> None:
        """Ends the thread that writes."""
        self._writer.close()
