"""Ctrl-C, SIGTERM and SIGHUP: the first asks training to end, a second Ctrl-C ends at once."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, ClassVar, NoReturn

ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""The signals by which a program is asked to end."""


class Ended(BaseException):
    """A program was asked to end by the signal `number`, before it had something to save.

    No KeyboardInterrupt, which libraries of command lines answer themselves, with a status of their own.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number

    @property
    def status(self) -> int:
        """The exit status of a program that a signal ended, as shells count it: 130 for Ctrl-C."""
        return 128 + self.number


def end(number: int, frame: FrameType | None) -> NoReturn:
    """The handler of a program that has nothing to save yet."""
    raise Ended(number)


class Interruption:
    """While it is entered, the first signal only sets `asked`; outside the main thread it changes nothing.

    A training watches Ctrl-C. Around it, a program may enter one of its own, `kept=True`: that one watches all
    of `ENDING`, lets them end the program as long as no training has begun, and from then on keeps them from
    ending it until it is left, so that what was trained is saved.

    >>> with Interruption() as interruption:
    ...     interruption.stop()
    False
    """

    _outermost: ClassVar[Interruption | None] = None

    def __init__(self, kept: bool = False) -> None:
        self.number: int | None = None
        self._kept, self._begun = kept, not kept
        self._signals = ENDING if kept else (signal.SIGINT,)
        self._before: dict[int, Any] = {}
        self._outer: Interruption | None = None

    @property
    def asked(self) -> bool:
        """True once a signal came."""
        return self.number is not None or (self._outer is not None and self._outer.asked)

    def stop(self) -> bool:
        """`asked`, as engines call it."""
        return self.asked

    def give_up(self) -> NoReturn:
        """Ends the program as the signal asked, where there is nothing to save."""
        if self._outer is not None:
            self._outer.give_up()
        if not self._kept or self.number is None:
            raise KeyboardInterrupt
        raise Ended(self.number)

    def __enter__(self) -> Interruption:
        if threading.current_thread() is not threading.main_thread():
            return self
        if Interruption._outermost is not None:
            self._outer, Interruption._outermost._begun = Interruption._outermost, True
            return self
        Interruption._outermost = self
        for number in self._signals:
            if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
                self._before[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if Interruption._outermost is not self:
            return
        Interruption._outermost = None
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        pressed_again = number == signal.SIGINT == self.number
        if pressed_again or not self._begun:
            raise Ended(number) if self._kept else KeyboardInterrupt
        self.number = number
