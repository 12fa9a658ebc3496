"""The command as a process: streams that are closed, full, narrow or of few letters."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CASE = ROOT / "examples" / "relu-sigmoid-2-2-1.toml"
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the redirections are those of a POSIX shell")


def ran(arguments: str, redirection: str = "", **environment: str) -> subprocess.CompletedProcess[bytes]:
    """What `handgrad ARGUMENTS REDIRECTION` comes to, in a shell."""
    command = f"{shlex.quote(sys.executable)} -m handgrad {arguments} {redirection}"
    inherited = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PATH": os.environ["PATH"]}
    return subprocess.run(
        ["/bin/sh", "-c", command],
        env={**inherited, **environment},
        capture_output=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "latin-1", "COLUMNS": "0"},
        {"COLUMNS": "1", "TERM": "dumb"},
    ],
    ids=str,
)
def test_poor_terminals_lose_nothing(environment: dict[str, str]) -> None:
    for arguments, held in (
        (f"explain {CASE}", "δ₂ = ŷ − y"),
        (f"gradcheck {CASE}", "dW2"),
        ("--help", "explain"),
    ):
        done = ran(arguments, **environment)
        assert (done.returncode, done.stderr) == (0, b"")
        assert held in done.stdout.decode()


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="no device that is always full")
@pytest.mark.parametrize(
    "arguments", [f"explain {CASE}", f"explain {CASE} --json", f"gradcheck {CASE}", "--help"]
)
def test_a_full_disk_behind_the_standard_output_is_told(arguments: str) -> None:
    done = ran(arguments, "> /dev/full")
    assert done.returncode == 2
    assert done.stderr.startswith(b"handgrad: cannot write the output: No space left")
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize(
    ("arguments", "redirection", "status"),
    [
        (f"explain {CASE}", ">&-", 0),
        (f"explain {CASE} --json", ">&-", 0),
        ("explain absent.toml", "2>&-", 2),
        (f"explain {CASE}", "<&- >&- 2>&-", 0),
        (f"explain {CASE} --detail scalar", "| head -c 1 > /dev/null", 0),
    ],
)
def test_closed_streams_take_nothing(arguments: str, redirection: str, status: int) -> None:
    done = ran(arguments, redirection)
    assert (done.returncode, done.stdout, done.stderr) == (status, b"", b"")
