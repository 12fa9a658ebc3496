"""What the README claims, this runs: its commands, its Python, and its excerpts."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from handgrad.cli.main import status

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.fixture
def clone(tmp_path, monkeypatch) -> Path:
    """A folder that looks like a clone to the commands, and takes what they write."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / "neuron.toml").write_text(blocks("toml")[0])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path


def test_every_command_does_what_it_says(clone, capsys):
    commands = [
        line[2:] for block in blocks("console") for line in block.splitlines() if line.startswith("$ ")
    ]
    assert len(commands) > 10
    for command in commands:
        program, *arguments = shlex.split(command)
        assert program == "handgrad"
        found = arguments[0] == "check"  # the example has a wrong number in it
        assert status(arguments) == (1 if found else 0), command
        for flag, name in pairwise(arguments):
            if flag == "-o":
                assert (clone / name).stat().st_size > 0, command


def test_the_excerpt_is_real(clone, capsys):
    command, *pieces = re.split(r"^\.\.\.$", blocks("console")[0], flags=re.MULTILINE)
    assert status(shlex.split(command[2:])[1:]) == 0
    shown = capsys.readouterr().out
    assert len(pieces) == 3
    place = 0
    for piece in pieces:
        place = shown.index(piece.strip("\n"), place)  # in this order


def test_the_python_is_real(clone, capsys):
    exec(compile(blocks("python")[0], "README.md", "exec"), {})
    assert capsys.readouterr().out == blocks("text")[0]


def test_every_link_leads_somewhere():
    links = re.findall(r"\]\(([^)#]+?)\)", README)
    assert len(links) > 5
    for link in links:
        assert (ROOT / link).exists(), link


def test_the_speed_table_is_the_output_of_the_benchmark():
    results = (ROOT / "benchmarks" / "results" / "bench.md").read_text(encoding="utf-8")
    timed = results.split("## Time of a training step")[1].split("##")[0]
    lines = [line for line in timed.splitlines() if line.startswith("|")]
    assert len(lines) == 12
    assert "\n".join(lines) in README


def test_the_demonstration_is_read_and_not_scrolled():
    ran = subprocess.run(
        [sys.executable, "examples/demo.py"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "Validation accuracy" in ran.stdout
    assert len((ran.stdout + ran.stderr).splitlines()) <= 116  # and four lines of make: 120
