"""`python -m handgrad` is the `handgrad` command, and this is where both begin."""

from __future__ import annotations

import os
import signal
from types import FrameType


def run() -> None:
    """Runs the command line and ends the process with its exit status."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave)
    from handgrad.cli.supervision import supervised

    supervised()


def _leave(number: int, frame: FrameType | None) -> None:
    """Ctrl-C while modules are being imported: quiet, and nothing is lost; some of them would change the error."""
    os._exit(128 + number)


if __name__ == "__main__":
    run()
