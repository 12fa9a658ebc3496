"""Ctrl-C: the first asks training to end after the step, the second ends at once."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any


class Interruption:
    """While it is entered, the first Ctrl-C only sets `asked`; outside the main thread it changes nothing.

    >>> with Interruption() as interruption:
    ...     interruption.stop()
    False
    """

    def __init__(self) -> None:
        self.asked = False
        self._before: Any = None

    def stop(self) -> bool:
        """True once Ctrl-C was pressed."""
        return self.asked

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._on_signal)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
