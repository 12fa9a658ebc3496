"""The benchmark's workloads, and its peers on tiny nets: they end where the equations end."""

from __future__ import annotations

import gzip
import importlib
import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from benchmarks import images, worker, workloads
from benchmarks.first_epoch import bound
from benchmarks.peers import Problem
from benchmarks.run import Process, main
from benchmarks.workloads import WORKLOADS, Workload

from handgrad.engines.native import available

SMALL = (
    Workload("bce-sgd", (3, 5, 1), "sigmoid", "sigmoid", "sgd", 0.5, 4, 40, 10, 1e-4),
    Workload("bce-adam", (3, 5, 1), "relu", "sigmoid", "adam", 0.01, 4, 40, 10, 1e-4),
    Workload("ce-adam", (4, 6, 5, 3), "tanh", "softmax", "adam", 0.01, 40, 40, 5, 1e-4),
    Workload("ce-part", (4, 6, 3), "relu", "softmax", "adam", 0.01, 8, 200, 10, 1e-4),
)


# ---- the workloads


def test_operations_count_two_for_each_multiplication_of_each_product() -> None:
    # table: forward 200 x 30 x 100 and 200 x 100 x 1, the same for the weights, and 200 x 1 x 100 back
    assert WORKLOADS["table"].operations == 2 * 200 * (2 * (3000 + 100) + 100)
    assert WORKLOADS["table"].parameter_count == 30 * 100 + 100 + 100 + 1


def test_workloads_are_chosen_by_name() -> None:
    assert [w.name for w in workloads.selected("tiny,deep")] == [
        "tiny-1-sgd",
        "tiny-4-sgd",
        "tiny-1-adam",
        "tiny-4-adam",
        "deep",
    ]
    assert workloads.selected(None) == list(WORKLOADS.values())
    with pytest.raises(ValueError, match="unknown workload 'huge'; choose from tiny"):
        workloads.selected("huge")


@pytest.mark.parametrize("workload", SMALL, ids=lambda w: w.name)
def test_the_same_seed_gives_the_same_problem_and_each_row_at_most_once_an_epoch(workload: Workload) -> None:
    (first, source), (second, _) = workloads.make(workload), workloads.make(workload)
    assert source == "synthetic"
    assert np.array_equal(first.X, second.X)
    assert np.array_equal(first.order, second.order)
    assert first.order.shape == (workload.steps, workload.batch)
    epochs = first.order.reshape(workload.steps if workload.full_batch else 1, -1)
    assert all(len(np.unique(epoch)) == epoch.size for epoch in epochs)
    assert set(np.unique(first.classes)) == set(range(max(2, workload.sizes[-1])))


def test_a_problem_survives_the_way_to_its_workers(tmp_path: Path) -> None:
    problem, _ = workloads.make(WORKLOADS["tiny-1-sgd"])
    worker.save(problem, tmp_path)
    read = worker.load(tmp_path)
    assert read.workload == problem.workload
    for ours, theirs in zip(
        (problem.X, problem.classes, problem.order), (read.X, read.classes, read.order), strict=True
    ):
        assert ours.dtype == theirs.dtype
        assert np.array_equal(ours, theirs)
    assert all(
        np.array_equal(a.W, b[0])
        for a, b in zip(map(_Layer, problem.parameters), read.parameters, strict=True)
    )


class _Layer:
    def __init__(self, pair: tuple[workloads.Array, workloads.Array]) -> None:
        self.W, self.b = pair


def test_idx_files_are_read_and_other_files_refused(tmp_path: Path) -> None:
    header = bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 28, 0, 0, 0, 28])
    path = tmp_path / "pictures.gz"
    path.write_bytes(gzip.compress(header + bytes(783) + bytes([255]) + bytes(784)))
    pictures = images._pictures(path)
    assert pictures.shape == (2, 784)
    assert pictures[0, -1] == 1.0
    assert pictures.sum() == 1.0
    with pytest.raises(ValueError, match="not an IDX file"):
        images.read_idx(b"\x89PNG....")


# ---- the peers


def trained(name: str, problem: Problem) -> tuple[float, float]:
    """The final loss of a peer's block, and again after a reset."""
    peer = importlib.import_module(f"benchmarks.peers.{name}").start(problem, 1)
    found = []
    for _ in range(2):
        peer.reset()
        peer.run(problem.workload.steps)
        found.append(workloads.loss(problem, peer.parameters()))
    return found[0], found[1]


@pytest.mark.parametrize("workload", SMALL, ids=lambda w: w.name)
@pytest.mark.parametrize(
    ("peer", "library"),
    [
        ("handgrad_native", "handgrad"),
        ("numpy_out", "numpy"),
        ("sklearn_mlp", "sklearn"),
        ("pytorch_eager", "torch"),
        ("jax_scan", "jax"),
    ],
)
def test_a_peer_ends_where_the_equations_end(peer: str, library: str, workload: Workload) -> None:
    if peer == "handgrad_native" and not available():
        pytest.skip("no compiled core")
    pytest.importorskip(library)
    problem, _ = workloads.make(workload)
    expected, _ = trained("handgrad_reference", problem)
    beginning = workloads.loss(problem, problem.parameters)
    first, second = trained(peer, problem)
    assert first == pytest.approx(expected, rel=workload.tolerance), (peer, workload.name, first, expected)
    assert second == pytest.approx(first, rel=1e-6)
    assert abs(expected - beginning) > 1e-3, "the block must train, or the comparison says nothing"


def test_a_worker_answers_in_json_and_a_peer_that_is_missing_is_left_out(tmp_path: Path) -> None:
    problem, _ = workloads.make(WORKLOADS["tiny-4-sgd"])
    worker.save(problem, tmp_path / "problem")
    running = Process("benchmarks.worker", [str(tmp_path / "problem"), "numpy_out", "1"], 1, tmp_path)
    hello = running.answer()
    answer = running.ask("round 0.001")
    running.end()
    kept = "cold_seconds block_seconds peak_bytes bytes_before data_bytes loss kernels"
    assert set(hello) == set(kept.split())
    assert set(answer) == {"blocks", "loss"}
    assert answer["loss"] == hello["loss"]
    assert len(answer["blocks"]) >= 1
    absent = Process("benchmarks.worker", [str(tmp_path / "problem"), "no_such_peer", "1"], 1, tmp_path)
    assert "no_such_peer" in absent.answer()["skipped"]
    absent.end()
    broken = Process("benchmarks.worker", [str(tmp_path / "nowhere"), "numpy_out", "1"], 1, tmp_path)
    assert "FileNotFoundError" in broken.answer()["skipped"]
    broken.end()


def test_the_whole_run_writes_table_json_and_chart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    peers = "handgrad_reference,numpy_out"
    status = main(["--only", "tiny-4-sgd", "--peers", peers, "--quick", "--output", str(tmp_path)])
    shown = capsys.readouterr().out
    assert status == 0
    data = json.loads((tmp_path / "bench.json").read_text())
    (measured,) = data["results"]
    assert measured["void"] is None
    assert {peer["peer"] for peer in measured["peers"]} == set(peers.split(","))
    assert all(len(peer["rounds"]) == 2 and peer["step_seconds"] > 0 for peer in measured["peers"])
    assert {goal["verdict"] for goal in measured["goals"]} == {"not measured"}
    assert (tmp_path / "bench.md").read_text() in shown
    ElementTree.parse(tmp_path / "bench.svg")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bench.json", "bench.md", "bench.svg"]


def test_the_run_refuses_what_it_does_not_know(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, message in (
        (["--only", "huge"], "unknown workload 'huge'"),
        (["--peers", "caffe"], "unknown peer 'caffe'"),
        (["--rounds", "0"], "--rounds must be at least 1"),
    ):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 2
        assert message in capsys.readouterr().err


def test_the_bound_of_memory_is_data_six_parameters_two_activations() -> None:
    problem, _ = workloads.make(SMALL[1])
    data = 40 * 3 * 4 + 40 * 8 + 40 * 8 + 40 * 4  # X, classes, order, targets
    assert bound(problem) == data + 6 * 4 * (3 * 5 + 5 + 5 + 1) + 2 * 4 * 4 * (3 + 5 + 1)
