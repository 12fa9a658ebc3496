"""The command that a library may end: whatever ends it, one clear line and exit status 2.

Libraries of linear algebra and of tables end the process where memory or a thread is refused to them, JAX where
another process of a training is lost; no exception is raised then. So where a limit is set (`ulimit -v`, `-d`,
`-u`) or several processes train together, and only there, the command runs in a child process, which says how
it ended.
"""

from __future__ import annotations

import os
import re
import signal
import sys
from typing import NamedTuple, NoReturn

from handgrad.cli import limits

WRONG = 2


class Watch(NamedTuple):
    """What a child process is watched for: how its libraries speak, and what its end then means."""

    libraries: re.Pattern[bytes]
    """Lines on the standard error that are not handed on."""
    last: re.Pattern[bytes]
    """The line after which nothing is handed on."""
    message: bytes
    terminals: bool
    """True where lines are kept from a terminal too; a progress bar then becomes lines."""


_NOTHING = re.compile(rb"(?!)")
WANT = Watch(
    re.compile(rb"OpenBLAS|terminate called|  what\(\)|Fatal Python error|libgomp|OMP:"),
    _NOTHING,
    b"handgrad: the command was ended for want of memory or of threads; allow it more (ulimit -v, -u), or give it "
    b"a smaller table or network\n",
    terminals=False,
)
TOGETHER = Watch(
    re.compile(rb"[IWE]\d{4} \d\d:\d\d|\[Gloo\]|WARNING: All log messages|Additional GRPC|RPC: |:UNKNOWN"),
    re.compile(rb"F\d{4} \d\d:\d\d"),
    b"handgrad: another process of this training was lost, so this one ends too; start all of them again\n",
    terminals=True,
)


def supervised() -> None:
    """Runs the command line, in a child process where a library may end it, and ends with its exit status."""
    if sys.platform != "win32" and _together(sys.argv):
        _watched(TOGETHER)
    elif limits.limited():
        _watched(WANT)
    from handgrad.cli.main import run

    run()


def _together(arguments: list[str]) -> bool:
    """True for one process of several, as its flags or its launcher say."""
    if "train" not in arguments[1:2]:
        return False
    if any(argument.split("=")[0] == "--processes" for argument in arguments):
        return True
    if "jax" not in arguments:
        return False  # the engines bring libraries with them that a limit on memory may refuse here already
    from handgrad.engines.cluster import launched

    return launched().processes > 1


def _watched(watch: Watch) -> None:
    """Returns in a child process; the parent ends with the child's exit status, or with a line of its own."""
    said_by_child, say = os.pipe()
    errors, to_errors = os.pipe()
    sys.stdout and sys.stdout.flush()
    child = os.fork()
    if child == 0:
        os.close(said_by_child)
        os.close(errors)
        if watch.terminals or not _is_terminal(2):
            os.dup2(to_errors, 2)
        os.close(to_errors)
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # each thread takes memory for itself
        _run_as_child(say)
    os.close(say)
    os.close(to_errors)
    _hand_on_signals(child)
    said = _hand_on_errors(errors, watch)
    ended = os.read(said_by_child, 3)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if ended:
        os._exit(int(ended))
    if -status in (signal.SIGPIPE, signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        os._exit(128 - status)
    if not said:
        os.write(2, watch.message)
    os._exit(WRONG)


def _run_as_child(say: int) -> NoReturn:
    status = WRONG
    try:
        from handgrad.cli.main import run

        run()
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else 0
        sys.stdout.flush()
        os.write(say, str(status).encode())
    except BaseException:  # a library that could not be imported for want of memory; the parent tells it
        os._exit(WRONG)
    os._exit(status)


def _hand_on_signals(child: int) -> None:
    # a terminal sends Ctrl-C to the child as well, and two of them would end a training at once
    handed_on = ["SIGTERM", "SIGHUP", *(() if _is_terminal(0) else ("SIGINT",))]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in handed_on:
        number = getattr(signal, name)
        if name == "SIGINT" or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda number, _: os.kill(child, number))


def _hand_on_errors(errors: int, watch: Watch) -> bool:
    """Copies the child's standard error, less what libraries say; True where it told its end itself."""
    rest, over, said = b"", False, False
    while piece := os.read(errors, 1 << 16):
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            ours = line.startswith(b"handgrad: ")
            over = over or bool(watch.last.match(line))
            said = said or ours
            if ours or not (over or watch.libraries.match(line)):
                _write(line + b"\n")
    if not over:
        _write(rest)
    return said


def _write(text: bytes) -> None:
    try:
        while text:
            text = text[os.write(2, text) :]
    except OSError:  # nobody reads it
        return


def _is_terminal(descriptor: int) -> bool:
    try:
        return os.isatty(descriptor)
    except OSError:
        return False
