"""The `handgrad` command: its verbs, and what happens when one of them cannot go on.

Exit status: 0 done; 1 done and something was found; 2 the call or its input is wrong; 70 a defect of
handgrad; 130 ended by Ctrl-C, 143 by SIGTERM, 129 by SIGHUP (128 and the number of the signal).
"""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Callable
from typing import Annotated

import typer

from handgrad.cli import limits, streams
from handgrad.cli.verbs import Verbs
from handgrad.errors import HandgradError
from handgrad.rich_repr import printable
from handgrad.training.interruption import ENDING, Ended, end
from handgrad.version import __version__

WRONG, DEFECT, INTERRUPTED = 2, 70, 130
_LEAST_WIDTH = 20
_WANT = "there is not enough memory, or the system refuses threads; use a smaller table, network or batch"
_SIGNS_OF_WANT = (
    *("failed to map segment", "annot allocate memory", "Resource temporarily unavailable"),
    *("can't start new thread", "std::bad_alloc", "Failed to launch worker thread"),
)
_LONGEST = 1_000  # of a message that quotes what somebody gave

# Typer brings its own click or uses the installed one, by version; both derive BadParameter from UsageError
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]

app = typer.Typer(
    name="handgrad",
    cls=Verbs,
    help="Trains feed-forward neural networks and shows its work.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"handgrad {__version__}")
        raise typer.Exit


@app.callback()
def handgrad(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and end."),
    ] = False,
) -> None:
    """Trains feed-forward neural networks and shows its work."""


class WithoutPandas:
    """Arrow imports pandas wherever it is installed: half a second that no command has a use for."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        """No module of this name. Raises ModuleNotFoundError for pandas."""
        if name == "pandas":
            raise ModuleNotFoundError("the command line takes no data frames", name=name)


def run(arguments: list[str] | None = None) -> None:
    """Runs the command line and ends the process with its exit status."""
    prepare_streams()
    sys.meta_path.insert(0, WithoutPandas)
    for number in ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
            signal.signal(number, end)
    code = status(arguments)
    for number in ENDING:  # it ends now anyway, with this status
        signal.signal(number, signal.SIG_IGN)
    sys.exit(code)


def prepare_streams() -> None:
    """Streams that take whatever is written: a closed one takes nothing, one of few letters takes UTF-8.

    A width below `_LEAST_WIDTH`, which some programs hand on, would leave nothing of a table.
    """
    for name, number in (("stdout", 1), ("stderr", 2)):
        stream = getattr(sys, name)
        if stream is None:
            # the lowest free descriptor is the closed one: no other file will take what is written to it
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))
        elif isinstance(stream, io.TextIOWrapper):
            stream.flush()
            setattr(
                sys, name, streams.text(number, stream.encoding if _has_letters(stream.encoding) else "utf-8")
            )
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns) < _LEAST_WIDTH:
        del os.environ["COLUMNS"]


def _has_letters(encoding: str) -> bool:
    try:
        "ŷ∂⎡━".encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def status(arguments: list[str] | None = None) -> int:
    """Runs the command line; the exit status."""
    return guarded(lambda: app(args=arguments, standalone_mode=False, prog_name="handgrad"))


def guarded(call: Callable[[], object]) -> int:  # noqa: PLR0911  one kind of error after another
    """The exit status of a call; errors become one line on stderr."""
    try:
        ended = call()
        sys.stdout.flush()
    except HandgradError as error:
        wanting = any(sign in str(error) for sign in _SIGNS_OF_WANT)
        return _ended(_WANT if wanting else str(error), WRONG)
    except _UsageError as error:
        # without a message it was a call for help
        return _ended(_usage(error), WRONG) if str(error) else WRONG
    except Ended as signalled:
        message = "interrupted" if signalled.number == signal.SIGINT else f"ended by {signalled}"
        return _ended(message, signalled.status)
    except (KeyboardInterrupt, typer.Abort):
        return _ended("interrupted", INTERRUPTED)
    except MemoryError:
        return _ended(_WANT, WRONG)
    except OSError as error:  # files are told by their names; what is left is the standard output
        _give_up_stdout()
        return _ended(f"cannot write the output: {error.strerror or error}; free some room", WRONG)
    except Exception as error:
        # compiled code that gets no memory may fail without saying why, and the interpreter wonders
        unsaid = isinstance(error, SystemError) and limits.limited()
        if unsaid or any(sign in str(error) for sign in _SIGNS_OF_WANT):
            return _ended(_WANT, WRONG)
        if os.environ.get("HANDGRAD_TRACEBACK"):
            raise
        kind = type(error).__name__
        return _ended(f"a defect of handgrad ({kind}: {error}); HANDGRAD_TRACEBACK=1 shows where", DEFECT)
    return ended if isinstance(ended, int) else 0


def _give_up_stdout() -> None:
    """What is left in the buffer goes nowhere, so that the end of the process does not fail on it again."""
    if streams.is_process_stream(sys.stdout):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _usage(error: Exception) -> str:
    formatted = getattr(error, "format_message", error.__str__)()
    context = getattr(error, "ctx", None)
    command = "handgrad" if context is None else context.command_path
    return f"{formatted.rstrip('.')}; see {command} --help"


def _ended(message: str, code: int) -> int:
    line = printable(message)
    if len(line) > _LONGEST:
        line = f"{line[: _LONGEST // 2]} ... {line[-_LONGEST // 2 :]}"
    sys.stderr.write(f"handgrad: {line}\n")
    return code
