"""A training over several devices and over several processes takes the steps of one."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from handgrad.engines import choose, cluster, mesh
from handgrad.engines.reference import ReferenceEngine
from handgrad.errors import SpecificationError, TrainingError
from tests.engines import spread

pytest.importorskip("jax")

ROOT = Path(__file__).resolve().parents[2]


def environment(devices: int) -> dict[str, str]:
    """XLA emulates so many devices on the processor."""
    flags = f"--xla_force_host_platform_device_count={devices}"
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "XLA_FLAGS": flags, "PYTHONPATH": path}


def started(*arguments: str, devices: int = 1) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(devices),
        cwd=ROOT,
        start_new_session=True,
    )


def free_port() -> str:
    with socket.socket() as judge:
        judge.bind(("127.0.0.1", 0))
        return str(judge.getsockname()[1])


@cache
def expected(dtype: str) -> tuple[list[float], list[float]]:
    return spread.losses(ReferenceEngine(), dtype)


def judge(process: subprocess.Popen[str], devices: int, dtype: str, bar: float) -> None:
    out, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    told = json.loads(out.splitlines()[-1])
    losses, ends = expected(dtype)
    assert told["devices"] == devices
    np.testing.assert_allclose(told["losses"], losses, rtol=bar)
    np.testing.assert_allclose(told["ends"], ends, rtol=100 * bar, atol=bar)
    assert losses[-1] < 0.8 * losses[0]


def test_two_devices_take_the_steps_of_one() -> None:
    judge(started("tests.engines.spread", "0", "1", "0", "float64", devices=2), 2, "float64", 1e-10)


def test_two_processes_take_the_steps_of_one() -> None:
    port = free_port()
    both = [started("tests.engines.spread", str(k), "2", port, "float64") for k in (0, 1)]
    for process in both:
        judge(process, 2, "float64", 1e-10)


def train(k: int, port: str, model: Path, *more: str) -> subprocess.Popen[str]:
    return started(
        *("handgrad", "train", "examples/penguins.csv", "--target", "species", "--engine", "jax"),
        *(
            "--coordinator",
            f"127.0.0.1:{port}",
            "--processes",
            "2",
            "--process",
            str(k),
            "-o",
            str(model),
            *more,
        ),
    )


def test_a_lost_process_ends_the_other_with_one_line(tmp_path: Path) -> None:
    port, model = free_port(), tmp_path / "model.safetensors"
    kept, lost = (train(k, port, model, "--epochs", "100000", "--patience", "100000") for k in (0, 1))
    assert kept.stderr is not None
    lines = [kept.stderr.readline()]
    while lines[-1] and not lines[-1].startswith("epoch"):
        lines.append(kept.stderr.readline())
    os.killpg(lost.pid, signal.SIGKILL)
    begun = time.monotonic()
    out, errors = kept.communicate(timeout=120)
    lost.communicate()
    assert time.monotonic() - begun < 60
    assert kept.returncode == 2, errors
    said = [line for line in errors.splitlines() if not line.startswith("epoch")]
    assert len(said) == 1, said
    assert said[0].startswith("handgrad: another process of this training was lost, so this one ends too")
    assert out == ""
    assert not model.exists()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("10.0.0.1:1234", None, None), "belong together"),
        (("10.0.0.1", 2, 0), "must be HOST:PORT, as in 10.0.0.1:1234, got '10.0.0.1'"),
        (("host:99999", 2, 0), "must be HOST:PORT"),
        (("host:1234", 2, 2), "counts from 0 to --processes - 1, got 2 of 2"),
    ],
)
def test_options_that_do_not_fit(given, message: str) -> None:
    with pytest.raises(SpecificationError, match=message):
        cluster.described(*given)


def test_a_launcher_says_which_process_this_is() -> None:
    assert cluster.launched({}) == cluster.ALONE
    slurm = cluster.launched({"SLURM_STEP_NUM_TASKS": "8", "SLURM_PROCID": "3"})
    assert (slurm.processes, slurm.process, slurm.writes) == (8, 3, False)
    assert cluster.launched({"OMPI_COMM_WORLD_SIZE": "2", "OMPI_COMM_WORLD_RANK": "0"}).writes


def test_more_devices_than_there_are() -> None:
    with pytest.raises(SpecificationError, match=r"JAX sees \d+ devices \(cpu\), got 4096"):
        choose("jax:cpu:4096")
    with pytest.raises(SpecificationError, match="must be a whole number, got 'many'"):
        choose("jax:cpu:many")


def test_whatever_jax_raises_where_another_process_is_lost_is_one_error(monkeypatch) -> None:
    import jax

    row = mesh.Mesh(jax, jax.devices("cpu")[:1])
    lost = (ValueError("UNKNOWN: Gloo AllGather failed"), jax.errors.JaxRuntimeError("UNKNOWN: Gloo"))
    with pytest.raises(ValueError, match="AllGather"), row.company():
        raise lost[0]
    monkeypatch.setattr(mesh.Mesh, "several_processes", property(lambda self: True))
    for error in lost:
        with pytest.raises(TrainingError, match="another process of this training was lost"), row.company():
            raise error
    with pytest.raises(SpecificationError, match="ours"), row.company():
        raise SpecificationError("ours")
