"""The command under a limit of memory or of processes: whatever ends it, one clear line and exit status 2.

Libraries of linear algebra and of tables end the process where memory or a thread is refused to them; no
exception is raised then. So where a limit is set (`ulimit -v`, `-d`, `-u`), and only there, the command runs in
a child process, which says how it ended.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import NoReturn

WRONG = 2
_ENOUGH = 1 << 36  # bytes of address space that no command comes near
_FEW = 4096  # processes
_LIBRARIES = (b"OpenBLAS", b"terminate called", b"  what()", b"Fatal Python error", b"libgomp", b"OMP:")
_TOLD = (
    b"handgrad: the command was ended for want of memory or of threads; allow it more (ulimit -v, -u), or give it "
    b"a smaller table or network\n"
)


def supervised() -> None:
    """Runs the command line, in a child process where a limit is set, and ends with its exit status."""
    if _limited():
        _watched()
    from handgrad.cli.main import run

    run()


def _limited() -> bool:
    if sys.platform == "win32":
        return False
    import resource

    def soft(name: str) -> int:
        limit = resource.getrlimit(getattr(resource, name))[0] if hasattr(resource, name) else -1
        return sys.maxsize if limit in (-1, resource.RLIM_INFINITY) else int(limit)

    return min(soft("RLIMIT_AS"), soft("RLIMIT_DATA")) < _ENOUGH or soft("RLIMIT_NPROC") < _FEW


def _watched() -> None:
    """Returns in a child process; the parent ends with the child's exit status, or with a line of its own."""
    said_by_child, say = os.pipe()
    errors, to_errors = os.pipe()
    sys.stdout and sys.stdout.flush()
    child = os.fork()
    if child == 0:
        os.close(said_by_child)
        os.close(errors)
        if not _is_terminal(2):
            os.dup2(to_errors, 2)
        os.close(to_errors)
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # each thread takes memory for itself
        _run_as_child(say)
    os.close(say)
    os.close(to_errors)
    _hand_on_signals(child)
    _hand_on_errors(errors)
    ended = os.read(said_by_child, 3)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if ended:
        os._exit(int(ended))
    if -status in (signal.SIGPIPE, signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        os._exit(128 - status)
    os.write(2, _TOLD)
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


def _hand_on_errors(errors: int) -> None:
    """Copies the child's standard error, less what libraries say of their own end."""
    rest = b""
    while piece := os.read(errors, 1 << 16):
        *lines, rest = (rest + piece).split(b"\n")
        _write(b"".join(line + b"\n" for line in lines if not line.startswith(_LIBRARIES)))
    _write(rest)


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
