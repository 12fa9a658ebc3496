"""`handgrad train --open`: the page while a training is under way, and after it."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from urllib.request import urlopen

import pytest

import handgrad as hg
from handgrad.worksheets.worksheet import explain
from tests.live.walk.conftest import write_table


def read(address: str, view: str) -> Any:
    with urlopen(address + view, timeout=20) as answer:
        return json.load(answer)


@pytest.fixture
def training(tmp_path: Path) -> Any:
    """A training of many epochs, in a program of its own."""
    table = write_table(tmp_path / "kinds.csv")
    program = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "handgrad",
            "train",
            str(table),
            "--target",
            "kind",
            "-o",
            str(tmp_path / "m.safetensors"),
            "--open",
            "--no-browser",
            "--epochs",
            "2000",
            "--hidden",
            "4",
            "--validation",
            "0",
            "--batch-size",
            "2",
            "--engine",
            "reference",
            "--json",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    yield program, tmp_path / "m.safetensors"
    program.kill()
    program.communicate()


def address_of(program: Any) -> str:
    found = re.search(r"http://127\.0\.0\.1:\d+/[\w-]+/", program.stderr.readline())
    assert found
    return found.group()


def test_a_step_under_way_is_the_one_of_the_finished_model(training: Any) -> None:
    program, path = training
    address = address_of(program)
    state = read(address, "state")
    assert state["progress"]["epochs"] == 2000
    early = state["trainings"][0]["steps"]
    step, batch = read(address, "step?step=9"), read(address, "batch?step=9")
    until = monotonic() + 20
    while read(address, "state")["trainings"][0]["steps"] == early:
        assert monotonic() < until
        sleep(0.1)
    program.send_signal(signal.SIGINT)
    program.communicate(timeout=20)
    assert program.returncode == 130
    assert hg.Model.load(path).fit.ended == "interrupted"
    wanted = explain(path, step=9).quantities()
    assert step["numbers"]["loss"] == float(wanted["loss"])
    lines = (path.parent / "kinds.csv").read_text().splitlines()[1:]
    assert [lines[row].split(",")[3] for row in batch["rows"]] == [target for [target] in batch["targets"]]


def test_the_page_stays_until_the_terminal_ends_it(tmp_path: Path) -> None:
    table = write_table(tmp_path / "kinds.csv")
    program = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "handgrad",
            "train",
            str(table),
            "--target",
            "kind",
            "-o",
            str(tmp_path / "m.safetensors"),
            "--open",
            "--no-browser",
            "--epochs",
            "3",
            "--hidden",
            "4",
            "--checkpoint",
            "1",
            "--json",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        address = address_of(program)
        until = monotonic() + 20
        while (state := read(address, "state"))["progress"] is not None:
            assert monotonic() < until
            sleep(0.05)
        assert state["trainings"][0]["epochs"] == 3
        assert hg.Model.load(tmp_path / "m.safetensors").fit.steps == state["trainings"][0]["steps"]
        program.send_signal(signal.SIGINT)
        result, _ = program.communicate(timeout=20)
    finally:
        program.kill()
    assert program.returncode == 0  # the training had ended, and everything was saved
    assert json.loads(result)["steps"] == state["trainings"][0]["steps"]
