"""Short epochs go into one call of the core; nobody can tell from the result."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import handgrad as hg
from handgrad.data.batches import epoch_order, epoch_orders
from handgrad.engines import native
from handgrad.errors import TrainingError
from handgrad.training.fit import fit
from handgrad.training.history import Epoch
from handgrad.training.interruption import Interruption
from handgrad.training.progress import Silent
from handgrad.training.resumption import Checkpoint

pytestmark = pytest.mark.skipif(not native.available(), reason="the core takes several epochs in one call")

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(50, 3)), RNG.uniform(size=(50, 1))
NETWORK = hg.Network(3, [hg.Dense(4, "tanh", dropout=0.1), hg.Dense(1)], "squared_error")


def outcome(result: hg.Fit) -> tuple[Any, ...]:
    """All of a fit but its seconds."""
    lines = [line._replace(seconds=0.0) for line in result.history]
    states = [
        (snapshot.step, [part.tobytes() for layer in snapshot.training.parameters for part in layer])
        for snapshot in result.snapshots
    ]
    return lines, states, result.ended


class Counted:
    """Counts calls of the core."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls = 0
        taken = native.NativeSession.run_epochs

        def run_epochs(session: native.NativeSession, *arguments: Any) -> Any:
            self.calls += 1
            return taken(session, *arguments)

        monkeypatch.setattr(native.NativeSession, "run_epochs", run_epochs)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"batch_size": 1},
        {"batch_size": None},
        {"batch_size": 50, "shuffle": False},
        {"schedule": hg.Schedule("exponential", factor=0.99, per="step")},
        {"schedule": hg.Schedule("cosine", over=40), "optimizer": hg.SGD(0.1)},
        {"snapshots": 0},
        {"snapshots": 3, "seed": 2**63 + 5},
        {"optimizer": hg.Momentum(0.01), "dtype": "float32", "clipping": hg.Clipping(norm=0.1)},
    ],
    ids=str,
)
def test_the_same_as_epoch_by_epoch(options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    counted = Counted(monkeypatch)
    chosen: dict[str, Any] = {"epochs": 60, "batch_size": 16, "engine": "native", **options}
    together = fit(NETWORK, X, Y, **chosen)
    calls, counted.calls = counted.calls, 0
    apart = fit(NETWORK, X, Y, callbacks=[lambda line, now: None], **chosen)
    assert calls < counted.calls == 60
    assert outcome(together) == outcome(apart)


def test_progress_hears_of_every_epoch() -> None:
    class Heard(Silent):
        def __init__(self) -> None:
            self.epochs: list[int] = []
            self.steps_of: dict[int, int] = {}

        def steps(self, epoch: int, done: int, loss: float, rate: float) -> None:
            self.steps_of[epoch] = done

        def epoch(self, line: Epoch, metric: str) -> None:
            self.epochs.append(line.epoch)

    heard = Heard()
    fit(NETWORK, X, Y, epochs=40, batch_size=16, progress=heard, snapshots=0, engine="native")
    assert heard.epochs == list(range(1, 41))
    assert heard.steps_of == dict.fromkeys(range(40), 4)


def test_checkpoints_come_when_they_are_due() -> None:
    kept: list[hg.Fit] = []
    options: dict[str, Any] = {"batch_size": 16, "snapshots": 0, "engine": "native"}
    fit(NETWORK, X, Y, epochs=40, checkpoint=Checkpoint(7, kept.append), **options)
    assert [len(result.history) for result in kept] == [7, 14, 21, 28, 35]
    for result in kept[::2]:
        whole = fit(NETWORK, X, Y, epochs=len(result.history), **options)
        for left, right in zip(result.training.parameters, whole.training.parameters, strict=True):
            assert left.W.tobytes() == right.W.tobytes()


def test_a_failure_names_its_step_and_the_epochs_before_it_were_heard() -> None:
    class Heard(Silent):
        last = 0

        def epoch(self, line: Epoch, metric: str) -> None:
            self.last = line.epoch

    network = hg.Network(1, [hg.Dense(1, W=[[1.0]])], "squared_error")
    heard = Heard()
    options: dict[str, Any] = {"optimizer": hg.SGD(3.0), "batch_size": 1, "snapshots": 0, "dtype": "float32"}
    with pytest.raises(TrainingError) as together:
        fit(network, [[1.0], [2.0]], [5.0, 5.0], epochs=500, engine="native", progress=heard, **options)
    with pytest.raises(TrainingError) as apart:
        fit(
            network,
            [[1.0], [2.0]],
            [5.0, 5.0],
            epochs=500,
            engine="native",
            callbacks=[lambda line, now: None],
            **options,
        )
    assert str(together.value) == str(apart.value)
    assert 1 < heard.last < 500


def test_one_who_stops_in_the_middle_keeps_the_epochs_and_the_steps_so_far(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The core leaves a call after 2 epochs and 1 step of 4; the lines say so."""
    taken = native.NativeSession.run_epochs

    def left_early(
        session: native.NativeSession,
        order: Any,
        epoch: int,
        batch: int,
        rates: Any,
        first: int,
        stop: Any = None,
    ) -> Any:
        if len(rates) > 9:
            monkeypatch.setattr(Interruption, "asked", True)
            return taken(session, order, epoch, batch, rates[:9], first, stop)
        return taken(session, order, epoch, batch, rates, first, stop)

    monkeypatch.setattr(native.NativeSession, "run_epochs", left_early)
    result = fit(NETWORK, X, Y, epochs=40, batch_size=16, snapshots=0, engine="native")
    assert result.ended == "interrupted"
    assert [line.steps for line in result.history] == [4, 8, 9]
    assert result.steps == 9


@pytest.mark.parametrize("seed", [0, 1, 12345, 2**32 - 1, 2**32, 2**64 - 1])
def test_the_core_draws_the_orders_of_numpy(seed: int) -> None:
    for rows in (1, 2, 3, 100, 4097):
        orders = epoch_orders(seed, 2, 3, rows)
        for e in range(3):
            drawn = np.random.default_rng([seed, 2 + e]).permutation(rows)
            np.testing.assert_array_equal(orders[e], drawn)
            np.testing.assert_array_equal(epoch_order(seed, 2 + e, rows), drawn)
    np.testing.assert_array_equal(epoch_orders(seed, 0, 2, 3, shuffle=False), [[0, 1, 2], [0, 1, 2]])


def test_the_core_is_asked_for_orders() -> None:
    """So that the test above compares two ways of drawing."""
    from handgrad.data import batches

    assert batches._core_draws_as_numpy()
