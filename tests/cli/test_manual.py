"""The manual page is what the parsers say, man shows it without a warning, and the shell completes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from docs.man import make
from docs.site.parsers import verbs

from handgrad.cli.verbs import VERBS

PAGE = Path(make.__file__).with_name("handgrad.1")


def test_it_is_what_the_parsers_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == make.page(), "run make gallery"


def test_every_verb_and_option_is_in_it() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert [verb.name for verb in verbs()] == list(VERBS)
    for verb in verbs():
        assert f".SS {verb.name}\n" in text
        assert verb.examples, f"{verb.name} has no example"
        for part in (*verb.arguments, *verb.options):
            assert make.escaped(part.written) in text
            assert part.means, f"{verb.name} does not say what {part.written} means"


@pytest.mark.skipif(shutil.which("man") is None, reason="man is not installed")
def test_man_shows_it() -> None:
    environment = {**os.environ, "MANWIDTH": "80", "LC_ALL": "C.UTF-8", "MANPAGER": "cat"}
    done = subprocess.run(
        ["man", "--warnings", "-l", PAGE], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    assert "--with PART" in done.stdout


@pytest.mark.parametrize(
    ("words", "at", "offered"),
    [
        ("handgrad ex", 1, {"explain", "exercise", "export"}),
        ("handgrad explain --orie", 2, {"--orientation"}),
    ],
)
def test_the_shell_completes(words: str, at: int, offered: set[str]) -> None:
    environment = {
        **os.environ,
        "_HANDGRAD_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(at),
    }
    program = "import sys; sys.argv[0] = 'handgrad'; from handgrad.__main__ import run; run()"
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False
    )
    assert offered <= set(done.stdout.split()), done.stderr
