"""Early stopping against its rule written out, and which states of a training are kept."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest

import handgrad as hg
from handgrad.nn.network import LayerParameters
from handgrad.nn.optimizers import OptimizerState
from handgrad.nn.step import Training
from handgrad.training.history import Epoch, Snapshot
from handgrad.training.plan import Plan
from handgrad.training.snapshots import Best, Kept

FALLING = tuple(k / 64 for k in (64, 58, 54, 53, 52, 32, 31, 30, 40, 29, 25, 25, 25))
"""In 64ths, so that falls of exactly the least are exact."""


def state(number: float, size: int = 1) -> Training:
    return Training((LayerParameters(np.full((1, size), number), np.zeros(1)),), OptimizerState((((), ()),)))


def line(epoch: int, loss: float, validation: float | None) -> Epoch:
    return Epoch(epoch, loss, validation, None, 0.1, 0.0, epoch)


def written_out(losses, patience: int, least: float) -> tuple[int, int | None]:
    """The best epoch and the epoch after which training ends, both from 1: the rule as it is documented."""
    best, waited = 1, 0
    for epoch in range(2, len(losses) + 1):
        if losses[best - 1] - losses[epoch - 1] > least:
            best, waited = epoch, 0
        else:
            waited += 1
        if waited == patience:
            return best, epoch
    return best, None


@pytest.mark.parametrize("validated", [True, False])
@pytest.mark.parametrize("patience", [1, 2, 3, 20])
@pytest.mark.parametrize("least", [0.0, 1 / 64, 2 / 64, 4 / 64, 0.25, 10.0])
def test_early_stopping_by_its_rule(patience: int, least: float, validated: bool) -> None:
    best = Best(hg.EarlyStopping(patience, least), state(0.0))
    ended = None
    for epoch, loss in enumerate(FALLING, 1):
        of_training, of_validation = (5.0 - epoch, loss) if validated else (loss, None)
        session = SimpleNamespace(training=lambda epoch=epoch: state(float(epoch)))
        best.update(line(epoch, of_training, of_validation), session)
        if best.exhausted:
            ended = epoch
            break
    assert (best.epoch, ended) == written_out(FALLING, patience, least)
    assert best.restores
    assert best.training.parameters[0].W[0, 0] == best.epoch


def test_without_a_rule_nothing_is_restored_and_nothing_ends() -> None:
    best = Best(None, state(0.0))
    for epoch, loss in enumerate(FALLING, 1):
        best.update(line(epoch, loss, loss), SimpleNamespace(training=lambda: state(1.0)))
    assert (best.restores, best.exhausted) == (False, False)


def test_a_loss_has_to_fall_by_more_than_the_least() -> None:
    """One weight that halves the distance to its target each epoch: the loss is a quarter of the one before."""
    network = hg.Network(1, [hg.Dense(1, W=[[1.0]], bias="none")], "squared_error")
    results = [
        hg.fit(
            network, [[1.0]], [0.0], optimizer=hg.SGD(0.25), epochs=9, batch_size=None, engine="reference",
            early_stopping=hg.EarlyStopping(patience=2, least=least),
        )
        for least in (0.0, 0.01, 0.1, 0.75)
    ]  # fmt: skip
    losses = [0.25**epoch for epoch in range(9)]
    assert [line.loss for line in results[0].history] == losses
    assert [(len(result.history), result.best_epoch) for result in results] == [
        (9, 9),
        (7, 5),
        (5, 3),
        (5, 3),
    ]


@pytest.mark.parametrize(("patience", "least"), [(0, 0.0), (1, -0.1), (1, math.nan), (1, math.inf)])
def test_a_rule_that_cannot_be_is_refused(patience: int, least: float) -> None:
    with pytest.raises(hg.HandgradError, match="patience is at least 1, and least a finite number >= 0"):
        hg.EarlyStopping(patience, least)


@pytest.mark.parametrize(("most", "epochs"), [(1, 9), (2, 9), (3, 20), (4, 4), (4, 5), (4, 33), (16, 100)])
def test_the_first_state_and_evenly_spaced_others_are_kept(most: int, epochs: int) -> None:
    kept = Kept(most, state(0.0))
    for epoch in range(epochs):
        session = SimpleNamespace(training=lambda epoch=epoch: state(float(epoch)))
        kept.update(epoch, 3 * epoch + 1, session)
    snapshots = kept.all(Snapshot(3 * epochs + 1, state(-1.0)))
    assert snapshots[0].step == 1
    assert snapshots[-1].step == 3 * epochs + 1
    inner = [(snapshot.step - 1) // 3 for snapshot in snapshots[:-1]]
    assert all(s.training.parameters[0].W[0, 0] == e for s, e in zip(snapshots[:-1], inner, strict=True))
    strides = set(np.diff(inner).tolist())
    assert len(inner) <= most
    assert len(strides) <= 1
    if most > 1:
        stride = strides.pop()
        assert stride & (stride - 1) == 0, "a power of two"
        assert len(inner) == math.ceil(epochs / stride) <= most < math.ceil(epochs / (stride // 2 or 0.5))


def test_large_states_are_kept_up_to_64_megabytes() -> None:
    kept = Kept(16, state(0.0, size=3 << 20), 64 << 20)  # 24 MiB each: two fit
    for epoch in range(8):
        kept.update(epoch, epoch + 1, SimpleNamespace(training=lambda: state(1.0)))
    assert [snapshot.step for snapshot in kept.all(Snapshot(9, state(2.0)))] == [1, 5, 9]


def test_a_last_state_is_not_kept_twice() -> None:
    kept = Kept(4, state(0.0))
    kept.update(1, 5, SimpleNamespace(training=lambda: state(1.0)))
    assert [snapshot.step for snapshot in kept.all(Snapshot(5, state(2.0)))] == [1, 5]


def test_the_first_epoch_is_the_best_so_far_whatever_its_loss() -> None:
    best = Best(hg.EarlyStopping(patience=1), state(0.0))
    assert not best.restores
    best.update(line(1, math.inf, None), SimpleNamespace(training=lambda: state(1.0)))
    assert (best.epoch, best.restores, best.exhausted) == (1, True, False)
    assert best.training.parameters[0].W[0, 0] == 1


@pytest.mark.parametrize(
    ("size", "of_state", "steps"),
    [
        (65 * 2**17 // 3 - 1, 0, [1, 5, 9]),  # three would fit into 65 MiB
        (2**20, 2 * 2**20, [1, 5, 9]),  # 8 MiB of weights and 16 of the optimizer's
        (9 * 2**20, 0, [1, 9]),  # 72 MiB: the first alone
    ],
)
def test_what_is_kept_is_counted_in_bytes(size: int, of_state: int, steps: list[int]) -> None:
    parameters = (LayerParameters(np.zeros((1, size)), np.zeros(1)),)
    memory = OptimizerState((((np.zeros(of_state),), (np.zeros(1),)),))
    large = Training(parameters, memory)
    kept = Kept(16, large, 64 << 20)
    for epoch in range(8):
        kept.update(epoch, epoch + 1, SimpleNamespace(training=lambda: large))
    assert [snapshot.step for snapshot in kept.all(Snapshot(9, large))] == steps


@pytest.mark.parametrize("epochs", [*range(20, 45), 399, 400, 401])
def test_no_step_is_more_than_a_tenth_of_the_training_away(epochs: int) -> None:
    kept = Kept(Plan().snapshots, state(0.0))
    for epoch in range(epochs):
        kept.update(epoch, epoch + 1, SimpleNamespace(training=lambda epoch=epoch: state(float(epoch))))
    steps = [snapshot.step for snapshot in kept.all(Snapshot(epochs + 1, state(-1.0)))]
    assert np.diff(steps).max() <= epochs / 10
