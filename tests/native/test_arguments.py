"""The boundary of the native module: whatever is handed in, an exception and never a crash."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from handgrad.engines.native import NativeEngine, NativeSession
from handgrad.nn.losses import Loss
from handgrad.nn.network import Dense, Network
from handgrad.nn.optimizers import Adam, initial_state
from handgrad.nn.step import Recipe, Training


class Noted:
    """Stands in the place of the module and keeps what the engine hands to `Session`."""

    def __init__(self, core: Any) -> None:
        self._core, self.handed = core, {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._core, name)

    def Session(self, **handed: Any) -> Any:
        self.handed = handed
        return self._core.Session(**handed)


def started(rows: int = 20, threads: int = 1) -> NativeSession:
    network = Network(3, [Dense(4, "tanh"), Dense(2)], Loss("squared_error"))
    parameters = network.initial_parameters(0, np.float64)
    training = Training(parameters, initial_state(Adam(0.1), parameters))
    X, Y = np.ones((rows, 3)), np.ones((rows, 2))
    session = NativeEngine().start(network, Recipe(Adam(0.1)), training, X, Y, 0, threads)
    session.run(np.arange(rows), 5, np.full(1, 0.1), 1)
    return session


@pytest.fixture
def handed(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The arguments of a `Session` that is right in every way."""
    from handgrad.engines import native

    noted = Noted(native._core())
    monkeypatch.setattr(native, "_core", lambda: noted)
    started()
    return noted.handed


def with_layer(place: int, **changed: Any) -> Callable[[dict[str, Any]], None]:
    names = ("inputs", "units", "function", "alpha", "bias", "dropout", "keep")

    def change(handed: dict[str, Any]) -> None:
        layer = dict(zip(names, handed["layers"][place], strict=True)) | changed
        handed["layers"] = [*handed["layers"]]
        handed["layers"][place] = tuple(layer[name] for name in names)

    return change


def with_slots(slots: int) -> Callable[[dict[str, Any]], None]:
    return lambda handed: handed.update(optimizer=(*handed["optimizer"][:-1], slots))


@pytest.mark.parametrize(
    "change",
    [
        lambda handed: handed.update(layers=[]),
        lambda handed: handed.update(threads=0),
        lambda handed: handed.update(threads=-1),
        lambda handed: handed.update(threads=2**31 - 1),
        lambda handed: handed.update(largest_batch=0),
        lambda handed: handed.update(largest_batch=-5),
        lambda handed: handed.update(largest_batch=2**62),
        with_layer(1, inputs=5),
        with_layer(0, units=3),
        with_layer(0, units=0),
        with_layer(0, inputs=-1),
        with_layer(0, inputs=2**62),
        with_layer(0, inputs=2**31, units=2**31),
        with_layer(0, function="no such function"),
        with_layer(0, bias="no such bias"),
        lambda handed: handed.update(loss=("no such loss", *handed["loss"][1:])),
        lambda handed: handed.update(optimizer=("no such rule", *handed["optimizer"][1:])),
        lambda handed: handed.update(optimizer=(handed["optimizer"][0], {"no such number": 1.0}, 2)),
        lambda handed: handed.update(penalties=(0.0, 0.0, "no such form")),
        lambda handed: handed.update(path="no such path"),
        with_layer(0, keep=0.0),
        with_layer(0, keep=float("nan")),
        with_slots(-1),
        with_slots(1),
        with_slots(4),
        with_slots(2**31 - 1),
    ],
)
def test_a_session_that_cannot_be_is_refused(
    change: Callable[[dict[str, Any]], None], handed: dict[str, Any]
) -> None:
    from handgrad import _native

    wrong = dict(handed)
    change(wrong)
    with pytest.raises((ValueError, MemoryError, IndexError)):
        _native.Session(**wrong)
    assert _native.Session(**handed).path


@pytest.mark.parametrize(
    "out",
    [
        np.empty((20, 1)),
        np.empty((19, 2)),
        np.empty((20, 2), np.float32),
        np.empty(40),
        np.empty((20, 2, 1)),
        np.empty((0, 2)),
        np.empty((40, 2))[::2],
        np.empty((2, 20)).T,
    ],
    ids=lambda out: f"{out.shape} {out.dtype} {out.strides}",
)
def test_an_out_that_does_not_fit_is_refused(out: Any) -> None:
    core = started()._core
    with pytest.raises((ValueError, TypeError)):
        core.predict(np.ones((20, 3)), out)
    locked = np.empty((20, 2))
    locked.flags.writeable = False
    with pytest.raises((ValueError, TypeError)):
        core.predict(np.ones((20, 3)), locked)


ORDER, RATES, LOSSES = np.arange(20), np.full(4, 0.1), np.zeros(4)


@pytest.mark.parametrize(
    "arguments",
    [
        (ORDER + 1, 5, RATES, 1, LOSSES, None),
        (ORDER - 1, 5, RATES, 1, LOSSES, None),
        (ORDER, 6, RATES, 1, LOSSES, None),
        (ORDER, 0, RATES, 1, LOSSES, None),
        (ORDER, -(2**62), RATES, 1, LOSSES, None),
        (ORDER, 2**62, RATES, 1, LOSSES, None),
        (ORDER[:4], 5, RATES, 1, LOSSES, None),
        (ORDER, 5, RATES[:3], 1, LOSSES, None),
        (ORDER, 5, RATES.astype(np.float32), 1, LOSSES, None),
        (ORDER, 5, RATES, 0, LOSSES, None),
        (ORDER, 5, RATES, 2**63 - 2, LOSSES, None),
        (ORDER, 5, RATES, 1, LOSSES.astype(np.float32), None),
        (ORDER[::-1], 5, RATES, 1, LOSSES[::2], None),
    ],
)
def test_a_run_that_cannot_be_is_refused(arguments: tuple[Any, ...]) -> None:
    core = started()._core
    with pytest.raises((ValueError, TypeError, IndexError)):
        core.run(*arguments)
    steps, failed = core.run(ORDER, 5, RATES, 1, LOSSES, None)
    assert (steps, failed) == (4, False)


def test_nothing_runs_before_there_is_data(handed: dict[str, Any]) -> None:
    from handgrad import _native

    core = _native.Session(**handed)
    with pytest.raises(ValueError, match="data before a run"):
        core.run(ORDER, 5, RATES, 1, LOSSES, None)
    for wrong in (
        (np.ones((20, 4)), np.ones((20, 2))),
        (np.ones((20, 3)), np.ones((19, 2))),
        (np.ones((20, 3), np.float32), np.ones((20, 2), np.float32)),
    ):
        with pytest.raises(ValueError):
            core.data(*wrong)
    predictor = _native.Session(**{**handed, "predict_only": True})
    predictor.data(np.ones((20, 3)), np.ones((20, 2)))
    with pytest.raises(ValueError, match="prediction"):
        predictor.run(ORDER, 5, RATES, 1, LOSSES, None)


def test_an_order_that_changes_while_it_is_used_changes_nothing() -> None:
    """In a process of its own: it read rows far outside the data, and crashed or trained on whatever lay there."""
    body = """
        import threading
        import numpy as np
        from tests.native.test_arguments import started
        rows = 2000
        session = started(rows)
        order, ended = np.tile(np.arange(rows), 2000), threading.Event()
        def change():
            while not ended.is_set():
                order[:] = 2**40
        thread = threading.Thread(target=change)
        kept = order.copy()
        session.training()
        def stop():
            if not thread.is_alive():
                thread.start()
            return False
        losses = session.run(order, 5, np.full(800_000, 1e-3), 1, stop).losses
        ended.set()
        again = started(rows).run(kept, 5, np.full(800_000, 1e-3), 1).losses
        print(len(losses), bool((losses == again).all()), thread.ident is not None)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(body)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stdout.split()) == (0, ["800000", "True", "True"]), done.stderr


def test_a_session_is_used_by_one_thread_at_a_time() -> None:
    session = started(2000)
    core, refused = session._core, []

    def stop() -> bool:
        other = threading.Thread(target=meddle)
        other.start()
        other.join()
        return True

    def meddle() -> None:
        for call in (
            lambda: core.get(1, 0, np.empty((4, 3)), np.empty(4)),
            lambda: core.put(1, 0, np.empty((4, 3)), np.empty(4)),
            lambda: core.data(np.ones((1, 3)), np.ones((1, 2))),
            core.ready,
        ):
            try:
                call()
            except RuntimeError:
                refused.append(call)

    core.run(np.tile(np.arange(2000), 4000), 5, np.full(1_600_000, 1e-3), 1, np.empty(1_600_000), stop)
    assert len(refused) >= 4
