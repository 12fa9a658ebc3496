"""The command as a process that is asked to end: what was trained is saved, and the status says which signal it was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from handgrad.cli.main import status
from handgrad.engines.reference import ReferenceEngine
from handgrad.models.model import Model
from handgrad.nn.network import Dense, Network
from handgrad.nn.optimizers import SGD, initial_state
from handgrad.nn.step import Recipe, Training
from handgrad.training.interruption import end

PENGUINS = Path(__file__).parents[2] / "examples" / "penguins.csv"
HANDGRAD = [sys.executable, "-m", "handgrad"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
LONG = ["--target", "species", "--epochs", "1000000", "--no-early-stopping", "--hidden", "4"]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the signals are those of POSIX systems")


def begun(path: Path, *more: str, command: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    """A training that is under way."""
    process = subprocess.Popen(
        [*command, *HANDGRAD, "train", str(PENGUINS), *LONG, "-o", str(path), *more],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT, text=True,
    )  # fmt: skip
    wait_for_the_first_epoch(process)
    return process


def wait_for_the_first_epoch(process: subprocess.Popen[str]) -> None:
    assert process.stderr is not None
    said = next((line for line in process.stderr if line.startswith("epoch 1/")), None)
    assert said is not None, process.wait()


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_signal_that_ends_saves_what_there_is(name: str, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    with begun(path) as process:
        process.send_signal(getattr(signal, name))
        process.send_signal(getattr(signal, name))  # as `timeout` sends it, to the process and to its group
        out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + getattr(signal, name)
    assert f"ended by {name}, what there is was saved" in out
    assert "Traceback" not in err
    assert Model.load(path).fit.ended == "interrupted"
    assert {file.name for file in tmp_path.iterdir()} == {"m.safetensors", "m.run.toml"}


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_before_there_is_something_to_save_the_status_is_that_of_the_signal(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    number = getattr(signal, name)

    def asked(*arguments: object, **options: object) -> None:
        signal.raise_signal(number)

    monkeypatch.setattr("handgrad.cli.larger.read_table", asked)
    before = signal.signal(number, end)
    try:
        assert (
            status(["train", str(PENGUINS), "--target", "species", "-o", "never.safetensors"]) == 128 + number
        )
    finally:
        signal.signal(number, before)
    told = {"SIGINT": "interrupted"}.get(name, f"ended by {name}")
    assert capsys.readouterr().err == f"handgrad: {told}\n"


def test_a_second_ctrl_c_ends_at_once_and_leaves_nothing(tmp_path: Path) -> None:
    with begun(tmp_path / "m.safetensors", "--engine", "reference") as process:
        for _ in range(20):  # two that come together count as one
            process.send_signal(signal.SIGINT)
            time.sleep(0.01)
            if process.poll() is not None:
                break
        process.communicate(timeout=60)
    assert process.returncode == 130
    assert {path.suffix for path in tmp_path.iterdir()} <= {".safetensors", ".toml"}


def test_under_nohup_the_terminal_may_close(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    with begun(path, command=("/bin/sh", "-c", 'trap "" HUP; exec "$@"', "sh")) as process:
        process.send_signal(signal.SIGHUP)
        time.sleep(0.3)
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert process.returncode == 143


def test_a_closed_pipe_on_standard_error_does_not_lose_the_model(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    with subprocess.Popen(
        [*HANDGRAD, "train", str(PENGUINS), "--target", "species", "--epochs", "3", "-o", str(path)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT, text=True,
    ) as process:  # fmt: skip
        assert process.stderr is not None
        assert process.stdout is not None
        process.stderr.close()
        out = process.stdout.read()
        assert process.wait(timeout=60) == 0
    assert "model written to" in out
    assert Model.load(path).fit.ended == "epochs"


@pytest.mark.parametrize("delay", [0.02, 0.1, 0.3])
def test_ctrl_c_while_modules_are_imported_is_quiet(delay: float) -> None:
    with subprocess.Popen(
        [sys.executable, "-X", "importtime", "-m", "handgrad", "bench"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT, text=True,
    ) as process:  # fmt: skip
        assert process.stderr is not None
        for line in process.stderr:
            if "signal" in line.split("|")[-1].split():  # the first import of handgrad/__main__.py
                break
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    said = [line for line in err.splitlines() if not line.startswith("import time:")]
    assert process.returncode == 130, err
    assert said in ([], ["handgrad: interrupted"])


def test_one_long_step_answers_within_half_a_second(tmp_path: Path) -> None:
    """A step of more than a second is left in its middle; by the best of three tries, the machine may be busy."""
    data = tmp_path / "t.npz"
    np.savez(data, X=np.random.default_rng(0).normal(size=(60_000, 30)), y=np.arange(60_000) % 2)
    waits = []
    for _ in range(3):
        with subprocess.Popen(
            [*HANDGRAD, "train", str(data), "--target", "y", "--batch-size", "full", "--hidden", "400,400",
             "--validation", "0", "--threads", "1", "-o", str(tmp_path / "m.safetensors")],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT, text=True,
        ) as process:  # fmt: skip
            wait_for_the_first_epoch(process)
            time.sleep(0.1)
            sent = time.perf_counter()
            process.send_signal(signal.SIGINT)
            while not (tmp_path / "m.safetensors").exists() and process.poll() is None:
                time.sleep(0.01)
            waits.append(time.perf_counter() - sent)
            process.communicate(timeout=60)
        assert process.returncode == 130
        assert Model.load(tmp_path / "m.safetensors").fit.steps == 1
        if min(waits) <= 0.5:
            return
        (tmp_path / "m.safetensors").unlink()
    pytest.fail(f"the answer came after {min(waits):.2f} s")


def test_the_reference_engine_leaves_a_long_step() -> None:
    X, Y = np.ones((4000, 500)), np.ones((4000, 1))
    network = Network(500, [Dense(500, "tanh"), Dense(500, "tanh"), Dense(1)], "squared_error")
    parameters = network.initial_parameters(0)
    training = Training(parameters, initial_state(SGD(0.1), parameters))
    session = ReferenceEngine().start(network, Recipe(SGD(0.1)), training, X, Y, 0)
    asked: list[float] = []

    def stop() -> bool:
        asked.append(time.perf_counter())
        return True

    run = session.run(np.tile(np.arange(4000), 20), 80_000, np.array([0.1]), 1, stop)
    assert (len(run.losses), run.failed, len(asked)) == (0, False, 1)
    assert session.training() is training


@pytest.mark.parametrize("kilobytes", [60_000, 250_000])
def test_too_little_memory_is_one_line(kilobytes: int, tmp_path: Path) -> None:
    limit = f'ulimit -v {kilobytes}; exec "$@"'
    done = subprocess.run(
        ["/bin/sh", "-c", limit, "sh", *HANDGRAD, "train", str(PENGUINS), "--target", "species", "--epochs", "1", "-q",
         "-o", str(tmp_path / "m.safetensors")],
        capture_output=True, env=ENVIRONMENT, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.startswith("handgrad: ")
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_under_a_limit_the_exit_status_and_the_streams_are_those_of_the_command(tmp_path: Path) -> None:
    case = PENGUINS.with_name("relu-sigmoid-2-2-1.toml")
    for arguments, promised, said in (
        (["gradcheck", str(case), "--tolerance", "1e-18", "-q"], 1, ""),
        (["explain", str(tmp_path / "none.toml")], 2, "no such file"),
    ):
        done = subprocess.run(
            ["/bin/sh", "-c", 'ulimit -v 30000000; exec "$@"', "sh", *HANDGRAD, *arguments],
            capture_output=True, env=ENVIRONMENT, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == promised
        assert said in done.stderr
