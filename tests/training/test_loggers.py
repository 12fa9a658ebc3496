"""Logs of a training, read by those that they are for."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import handgrad as hg
from handgrad.errors import MissingExtraError, OutputError
from handgrad.training.loggers import JsonLines, TensorBoard

X = np.linspace(-1, 1, 40)[:, None]


def trained(*callbacks: object) -> hg.Fit:
    network = hg.Network(1, [hg.Dense(4, "tanh"), hg.Dense(1)], "squared_error")
    return hg.fit(network, X, np.sin(3 * X), epochs=4, validation=0.2, callbacks=callbacks)  # type: ignore[arg-type]


def test_lines_of_json_are_the_history(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text("what was there\n")
    result = trained(JsonLines(log))
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert lines == [epoch._asdict() for epoch in result.history]


def test_a_log_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="choose another place"):
        JsonLines(tmp_path / "no" / "log.jsonl")
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="choose another folder"):
        TensorBoard(tmp_path / "file" / "folder")


def test_tensorboard_reads_its_events(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    log = TensorBoard(tmp_path)
    result = trained(log)
    log.close()
    read = EventAccumulator(str(tmp_path)).Reload()
    assert sorted(read.Tags()["scalars"]) == ["learning rate", "loss", "metric", "validation loss"]
    for tag, values in (
        ("loss", [line.loss for line in result.history]),
        ("validation loss", [line.validation_loss for line in result.history]),
    ):
        events = read.Scalars(tag)
        assert [event.step for event in events] == [line.steps for line in result.history]
        np.testing.assert_allclose([event.value for event in events], values, rtol=1e-6)


def test_the_missing_package_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(__import__("sys").modules, "tensorboard.compat.proto.event_pb2", None)
    with pytest.raises(MissingExtraError, match=r"handgrad\[tensorboard\]"):
        TensorBoard(tmp_path)
