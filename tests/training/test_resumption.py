"""A training that stopped and went on is the training that never stopped, to the last bit of its model file."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from handgrad.cli.main import status
from handgrad.cli.progress import Lines
from handgrad.engines import reference
from handgrad.errors import SpecificationError
from handgrad.models.safetensors import Contents, packed
from handgrad.nn.network import Dense, Network
from handgrad.nn.optimizers import Adam, Momentum
from handgrad.nn.regularization import Regularization
from handgrad.nn.schedules import Schedule
from handgrad.training.fit import fit
from handgrad.training.history import Epoch, Fit
from handgrad.training.plan import EarlyStopping
from handgrad.training.resumption import Checkpoint

PENGUINS = Path(__file__).parents[2] / "examples" / "penguins.csv"
X = np.random.default_rng(0).normal(size=(50, 3))
Y = np.sin(X[:, :1]) + 0.1 * np.random.default_rng(1).normal(size=(50, 1))

OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {"optimizer": Adam(0.01)},
    "dropout and penalties": {
        "optimizer": Adam(0.01, amsgrad=True),
        "regularization": Regularization(l2=0.1, l1=0.01),
        "schedule": Schedule("exponential", factor=0.9),
    },
    "early stopping": {
        "optimizer": Momentum(0.05),
        "validation": 0.3,
        "early_stopping": EarlyStopping(8),
    },
    "few snapshots": {"optimizer": Adam(0.01), "snapshots": 3},
    "no snapshots": {
        "optimizer": Adam(0.01),
        "snapshots": 0,
        "validation": 0.2,
        "early_stopping": EarlyStopping(50),
    },
}


def trained(name: str, engine: str, **more: Any) -> Fit:
    dropout = 0.3 if "dropout" in name else None
    network = Network(3, [Dense(6, "tanh", dropout=dropout), Dense(1)], "squared_error")
    return fit(
        network, X, Y, epochs=23, batch_size=8, seed=5, engine=engine, threads=1, **OPTIONS[name], **more
    )


def file_of(result: Fit) -> bytes:
    return packed(Contents(result))


@pytest.mark.parametrize("engine", ["reference", "native"])
@pytest.mark.parametrize("name", OPTIONS)
def test_from_every_checkpoint_the_same_bits(name: str, engine: str) -> None:
    checkpoints: list[Fit] = []
    whole = file_of(trained(name, engine, checkpoint=Checkpoint(1, checkpoints.append)))
    assert file_of(trained(name, engine)) == whole
    assert len(checkpoints) > 3
    for earlier in checkpoints:
        assert earlier.ended == "checkpoint"
        assert file_of(trained(name, engine, resume=earlier)) == whole


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("at", [0.0, 2.5, 7.4])
def test_from_an_interruption_within_an_epoch_the_same_bits(name: str, at: float) -> None:
    """The reference engine asks after each step; at the given one Ctrl-C was pressed."""
    whole = trained(name, "reference")
    pressed = int(at * whole.steps_per_epoch)
    original = reference.ReferenceSession.run

    def run(self: Any, *arguments: Any, **named: Any) -> Any:
        first, count = arguments[3], len(arguments[2])
        if first <= pressed + 1 < first + count:
            keep = pressed + 2 - first
            signal.raise_signal(signal.SIGINT)
            arguments = (*arguments[:2], arguments[2][:keep], *arguments[3:4])
            return original(self, *arguments)
        return original(self, *arguments, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reference.ReferenceSession, "run", run)
        broken = trained(name, "reference")
    assert broken.ended == "interrupted"
    assert broken.steps == pressed + 1
    assert file_of(trained(name, "reference", resume=broken)) == file_of(whole)


def test_what_is_finished_stays_as_it_is_and_more_epochs_go_on() -> None:
    whole = trained("plain", "reference")
    assert trained("plain", "reference", resume=whole).ended == "epochs"
    assert file_of(trained("plain", "reference", resume=whole)) == file_of(whole)
    network = whole.network
    short = fit(
        network, X, Y, epochs=10, batch_size=8, seed=5, engine="reference", threads=1, optimizer=Adam(0.01)
    )
    assert file_of(trained("plain", "reference", resume=short)) == file_of(whole)


@pytest.mark.parametrize(
    ("change", "said"),
    [({"seed": 6}, "the plan"), ({"optimizer": Adam(0.02)}, "the optimizer"), ({"engine": "native"}, "the engine"),
     ({"validation": 0.1}, "the training rows"), ({"epochs": 22}, "the epochs")],
)  # fmt: skip
def test_another_training_is_not_continued(change: dict[str, Any], said: str) -> None:
    earlier = trained("plain", "reference")
    options = {
        "epochs": 23,
        "batch_size": 8,
        "seed": 5,
        "engine": "reference",
        "threads": 1,
        "optimizer": Adam(0.01),
    }
    with pytest.raises(SpecificationError, match=said):
        fit(earlier.network, X, Y, **{**options, **change}, resume=earlier)


def test_the_command_goes_on_from_its_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, whole = tmp_path / "m.safetensors", tmp_path / "whole.safetensors"
    training = [
        "train",
        str(PENGUINS),
        "--target",
        "species",
        "--hidden",
        "4",
        "--epochs",
        "9",
        "--threads",
        "1",
        "-q",
    ]
    assert status([*training, "-o", str(whole)]) == 0

    def broken(self: Lines, line: Epoch, metric: str) -> None:
        if line.epoch == 6:
            raise KeyboardInterrupt

    monkeypatch.setattr(Lines, "epoch", broken)
    loud = [part for part in training if part != "-q"]
    assert status([*loud, "-o", str(path), "--checkpoint", "2"]) == 130
    monkeypatch.undo()
    assert status([*training, "-o", str(path), "--checkpoint", "2", "--resume"]) == 0
    assert path.read_bytes() == whole.read_bytes()
    assert status([*training, "-o", str(path), "--resume"]) == 0
    assert path.read_bytes() == whole.read_bytes()
    assert status([*training, "-o", str(path), "--resume", "--seed", "3"]) == 2
