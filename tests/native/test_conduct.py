"""How the native engine behaves beside others: signals, threads, forks, few CPUs, forced instruction sets."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from handgrad.engines import native
from handgrad.engines.cpus import allowed_cores, cores_of, cpu_share
from handgrad.engines.native import NativeEngine, NativeSession, thread_count
from handgrad.engines.reference import ReferenceEngine
from handgrad.errors import ShapeError, SpecificationError
from handgrad.nn.dropout import Dropout
from handgrad.nn.losses import Loss
from handgrad.nn.network import Dense, Network
from handgrad.nn.optimizers import SGD, Adam, initial_state
from handgrad.nn.regularization import Regularization
from handgrad.nn.step import Recipe, Training

SOURCES = Path(native.__file__).parents[2]

PRELUDE = """
import os, sys, time
import numpy as np
from handgrad.engines.native import NativeEngine, thread_count
from handgrad.nn.losses import Loss
from handgrad.nn.network import Dense, Network
from handgrad.nn.optimizers import Adam, initial_state
from handgrad.nn.step import Recipe, Training

def session(sizes, rows, threads=None, path="automatic"):
    layers = [Dense(n, "tanh") for n in sizes[1:-1]] + [Dense(sizes[-1], "sigmoid")]
    network = Network(sizes[0], layers, Loss("binary_cross_entropy"))
    rng = np.random.default_rng(0)
    X = rng.normal(size=(rows, sizes[0])).astype(np.float32)
    Y = rng.integers(0, 2, (rows, sizes[-1])).astype(np.float32)
    p = network.initial_parameters(0, np.float32)
    recipe = Recipe(Adam(0.001))
    beginning = Training(p, initial_state(recipe.optimizer, p))
    return NativeEngine(path).start(network, recipe, beginning, X, Y, 0, threads)

def steps(s, rows, batch, epochs=1, stop=None):
    count = -(-rows // batch)
    order = np.tile(np.arange(rows), epochs)
    return s.run(order, batch, np.full(count * epochs, 0.001), 1, stop)

def bits(s):
    return b"".join(W.tobytes() + b.tobytes() for W, b in s.training().parameters)
"""


def script(body: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PRELUDE + textwrap.dedent(body)],
        env={**os.environ, "PYTHONPATH": str(SOURCES), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(body: str, **environment: str) -> str:
    process = script(body, **environment)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out


def small(
    path: str = "sliced", threads: int = 2, rows: int = 200, seed: int = 3, dtype: str = "float32"
) -> NativeSession:
    network = Network(6, [Dense(40, "relu", dropout=0.1), Dense(3, "softmax")], Loss("cross_entropy"))
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(rows, 6)), np.eye(3)[rng.integers(0, 3, rows)]
    p = network.initial_parameters(0, dtype)
    recipe = Recipe(Adam(0.003), Regularization(l2=0.001))
    return NativeEngine(path).start(
        network, recipe, Training(p, initial_state(recipe.optimizer, p)), X, Y, seed, threads
    )


def train(session: NativeSession, rows: int = 200, batch: int = 50, epochs: int = 5) -> list[bytes]:
    rng, per_epoch = np.random.default_rng(1), -(-rows // batch)
    for epoch in range(epochs):
        session.run(rng.permutation(rows), batch, np.full(per_epoch, 0.003), 1 + epoch * per_epoch)
    return [array.tobytes() for layer in session.training().parameters for array in layer]


@pytest.mark.parametrize(
    "run",
    [
        "s = session([2, 2, 1], 4); work = lambda: steps(s, 4, 1, 3_000_000)",
        "s = session([30, 100, 1], 20_000, 1); work = lambda: steps(s, 20_000, 200, 400)",
        "s = session([4, 64, 64, 4], 400_000, 2); work = lambda: steps(s, 400_000, 400_000, 20)",
        "s = session([300, 600, 600, 1], 1024, 1); work = lambda: steps(s, 1024, 512, 2000)",
        "s = session([300, 600, 600, 1], 1); X = np.ones((300_000, 300), np.float32); "
        "work = lambda: [s.predict(X) for _ in range(50)]",
    ],
    ids=["tiny", "sliced", "one long step", "tiled", "prediction"],
)
def test_interrupt_answers_at_once(run: str) -> None:
    """Ctrl-C: KeyboardInterrupt within 0.2 s, by the best of three tries (the machine may be busy)."""
    waits = []
    for _ in range(3):
        process = script(
            f"""
            {run}
            print("ready", flush=True)
            try:
                work()
            except KeyboardInterrupt:
                print("interrupted", flush=True)
            os._exit(0)
            """
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.25)
        sent = time.perf_counter()
        process.send_signal(signal.SIGINT)
        answer = process.stdout.readline()
        waits.append(time.perf_counter() - sent)
        process.communicate(timeout=30)
        assert answer == "interrupted\n"
        if waits[-1] <= 0.2:
            return
    pytest.fail(f"KeyboardInterrupt came after {min(waits):.3f} s")


def test_stop_ends_a_run_between_steps() -> None:
    session = small()
    asked = []

    def stop() -> bool:
        asked.append(time.perf_counter())
        return len(asked) == 3

    order = np.tile(np.arange(200), 100_000)
    started = time.perf_counter()
    run = session.run(order, 50, np.full(400_000, 0.001), 1, stop)
    assert len(asked) == 3
    assert 0 < len(run.losses) < 400_000
    assert not run.failed
    assert max(np.diff([started, *asked])) < 0.5
    assert np.isfinite(run.losses).all()


def test_an_error_in_stop_comes_through() -> None:
    def stop() -> bool:
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        small().run(np.tile(np.arange(200), 100_000), 50, np.full(400_000, 0.001), 1, stop)


@pytest.mark.parametrize("path", ["tiny", "sliced", "tiled"])
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_same_seed_same_bits(path: str, threads: int, dtype: str) -> None:
    assert train(small(path, threads, dtype=dtype)) == train(small(path, threads, dtype=dtype))


@pytest.mark.parametrize("path", ["tiny", "sliced", "tiled"])
def test_a_run_in_pieces_gives_the_same_bits(path: str) -> None:
    whole, pieces = small(path), small(path)
    order, rates = np.tile(np.arange(200), 30), np.full(120, 0.003)
    losses = whole.run(order, 50, rates, 1).losses
    parts = [
        pieces.run(order[50 * k : 50 * (k + 8)], 50, rates[k : k + 8], 1 + k).losses for k in range(0, 120, 8)
    ]
    np.testing.assert_array_equal(losses, np.concatenate(parts))
    for left, right in zip(whole.training().parameters, pieces.training().parameters, strict=True):
        np.testing.assert_array_equal(left.W, right.W)
        np.testing.assert_array_equal(left.b, right.b)


def test_training_can_be_taken_up_again() -> None:
    """From the copy that training() gave, another session goes on with the same bits."""
    order, rates = np.tile(np.arange(200), 4), np.full(16, 0.003)
    first = small()
    first.run(order, 50, rates, 1)
    network, recipe = first._network, first._recipe
    second = NativeEngine("sliced").start(network, recipe, first.training(), first._X, first._Y, 3, 2)
    ends = []
    for session in (first, second):
        session.run(order, 50, rates, 17)
        ends.append([array.tobytes() for layer in session.training().parameters for array in layer])
    assert ends[0] == ends[1]


@pytest.mark.parametrize("path", ["tiny", "sliced", "tiled"])
def test_a_loss_that_is_not_finite_ends_the_run_before_its_update(path: str) -> None:
    network = Network(2, [Dense(3, "relu"), Dense(1)], Loss("squared_error"))
    X, Y = np.ones((8, 2)), np.ones((8, 1))
    X[6, 1] = np.nan
    p = network.initial_parameters(0)
    ends = []
    for engine in (NativeEngine(path), ReferenceEngine()):
        session = engine.start(network, Recipe(SGD(0.1)), Training(p, initial_state(SGD(), p)), X, Y, 0)
        run = session.run(np.arange(8), 2, np.full(4, 0.1), 1)
        assert run.failed
        assert len(run.losses) == 4
        assert np.isfinite(run.losses[:3]).all() and not np.isfinite(run.losses[3])
        ends.append(session.training().parameters)
    for ours, theirs in zip(*ends, strict=True):
        np.testing.assert_allclose(ours.W, theirs.W, rtol=1e-12)


def test_two_trainings_in_two_threads() -> None:
    alone = [train(small(seed=seed), epochs=60) for seed in (3, 4)]
    together: dict[int, list[bytes]] = {}

    def run(seed: int) -> None:
        together[seed] = train(small(seed=seed), epochs=60)

    threads = [threading.Thread(target=run, args=(seed,)) for seed in (3, 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [together[3], together[4]] == alone
    assert alone[0] != alone[1]


def test_one_session_is_not_run_twice_at_once() -> None:
    session = small()
    running, enough = threading.Event(), threading.Event()

    def stop() -> bool:
        running.set()
        return enough.is_set()

    order, rates = np.tile(np.arange(200), 250_000), np.full(1_000_000, 0.001)
    thread = threading.Thread(target=session.run, args=(order, 50, rates, 1, stop))
    thread.start()
    assert running.wait(30)
    with pytest.raises(RuntimeError, match="already running"):
        session.run(order[:50], 50, rates[:1], 1)
    enough.set()
    thread.join()


def test_after_a_fork() -> None:
    out = finished(
        """
        import warnings
        warnings.simplefilter("ignore")
        def once():
            s = session([30, 100, 1], 2000, 2, "sliced")
            steps(s, 2000, 200, 5)
            return bits(s)
        before = once()
        child = os.fork()
        if child == 0:
            os._exit(0 if once() == before else 1)
        assert once() == before
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        """
    )
    assert out == "0\n"


def test_one_cpu_is_one_thread() -> None:
    out = finished(
        """
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        s = session([30, 100, 1], 20_000, 4)
        start = time.perf_counter()
        steps(s, 20_000, 200, 2)
        print(s.threads, thread_count(None), thread_count(8))
        """,
        HANDGRAD_THREADS="4",
    )
    assert out == "1 1 1\n"


def test_threads_by_argument_and_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    allowed = len(os.sched_getaffinity(0))
    monkeypatch.delenv("HANDGRAD_THREADS", raising=False)
    assert thread_count(None, operations=1000) == 1
    assert thread_count(None) == allowed_cores(allowed)
    monkeypatch.setenv("HANDGRAD_THREADS", "1")
    assert thread_count(None) == 1
    assert thread_count(2) == min(2, allowed)
    monkeypatch.setenv("HANDGRAD_THREADS", "some")
    with pytest.raises(SpecificationError, match="whole number, got 'some'"):
        thread_count(None)
    with pytest.raises(SpecificationError, match="at least 1, got 0"):
        thread_count(0)


def test_two_hardware_threads_of_a_core_are_one_core(tmp_path: Path) -> None:
    for cpu, siblings in enumerate(("0,4", "1,5", "2-3", "2-3", "0,4", "1,5")):
        (tmp_path / f"cpu{cpu}" / "topology").mkdir(parents=True)
        (tmp_path / f"cpu{cpu}" / "topology" / "thread_siblings_list").write_text(siblings + "\n")
    assert cores_of(frozenset(range(6)), tmp_path) == 3
    assert cores_of(frozenset({0, 1}), tmp_path) == 2
    assert cores_of(frozenset({0, 4}), tmp_path) == 1
    assert cores_of(frozenset({0, 9}), tmp_path) == 2  # the kernel does not say


def test_a_limit_of_cpu_time(tmp_path: Path) -> None:
    limit = tmp_path / "cpu.max"
    for text, share in (("max 100000\n", np.inf), ("150000 100000\n", 1.5), ("50000 100000\n", 0.5)):
        limit.write_text(text)
        assert cpu_share(limit) == share


@pytest.mark.parametrize("path", ["tiny", "sliced", "tiled"])
def test_every_instruction_set_agrees(isa: str, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    forced = isa
    monkeypatch.delenv("HANDGRAD_ISA")
    expected = small(path, dtype="float64")
    train(expected)
    monkeypatch.setenv("HANDGRAD_ISA", forced)
    assert native.instruction_set() == forced
    for dtype, bar in (("float64", 1e-11), ("float32", 1e-5)):
        session = small(path, dtype=dtype)
        train(session)
        for ours, theirs in zip(session.training().parameters, expected.training().parameters, strict=True):
            assert np.linalg.norm(ours.W - theirs.W) <= bar * np.linalg.norm(theirs.W)


def test_an_unknown_instruction_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDGRAD_ISA", "mmx")
    with pytest.raises(
        SpecificationError, match="HANDGRAD_ISA=mmx is not known; choose avx512, avx2 or portable"
    ):
        small().run(np.arange(10), 5, np.full(2, 0.1), 1)


def test_what_the_reference_engine_must_take() -> None:
    p64 = Network(1, [Dense(1)]).initial_parameters(0)
    state = initial_state(SGD(), p64)
    masked = Network(1, [Dense(1, dropout=Dropout(0.5, mask=((1,),))), Dense(1)], Loss("squared_error"))
    parameters = masked.initial_parameters(0)
    X = np.ones((2, 1))
    with pytest.raises(SpecificationError, match=r"layer 1: .*engine='reference'"):
        NativeEngine().start(
            masked, Recipe(), Training(parameters, initial_state(SGD(), parameters)), X, X, 0
        )
    with pytest.raises(SpecificationError, match="no loss"):
        NativeEngine().start(Network(1, [Dense(1)]), Recipe(), Training(p64, state), X, X, 0)
    plain = Network(1, [Dense(1)], Loss("squared_error"))
    half = plain.initial_parameters(0, np.float16)
    with pytest.raises(SpecificationError, match="float32 or float64, got float16"):
        NativeEngine().start(plain, Recipe(), Training(half, state), X, X, 0)


def test_data_that_does_not_fit() -> None:
    network = Network(2, [Dense(1)], Loss("squared_error"))
    p = network.initial_parameters(0)
    beginning = Training(p, initial_state(SGD(), p))
    with pytest.raises(ShapeError, match=r"X must have shape \(samples, 2\), got \(4, 3\)"):
        NativeEngine().start(network, Recipe(), beginning, np.ones((4, 3)), np.ones((4, 1)), 0)
    with pytest.raises(ShapeError, match=r"Y must have shape \(4, 1\), got \(3, 1\)"):
        NativeEngine().start(network, Recipe(), beginning, np.ones((4, 2)), np.ones((3, 1)), 0)
    session = NativeEngine().start(network, Recipe(), beginning, np.ones((4, 2)), np.ones((4, 1)), 0)
    with pytest.raises(ShapeError, match="rows outside the data of 4 rows"):
        session.run(np.array([0, 4]), 1, np.full(2, 0.1), 1)
    with pytest.raises(ShapeError, match=r"X must have shape \(samples, 2\)"):
        session.predict(np.ones((4, 3)))


def test_a_larger_batch_later_goes_on() -> None:
    session = small(dtype="float64")
    order = np.arange(200)
    reference = ReferenceEngine().start(
        session._network, session._recipe, session.training(), session._X, session._Y, 3
    )
    for s in (session, reference):
        s.run(order, 10, np.full(20, 0.003), 1)
        s.run(order, 100, np.full(2, 0.003), 21)
    for ours, theirs in zip(session.training().parameters, reference.training().parameters, strict=True):
        np.testing.assert_allclose(ours.W, theirs.W, rtol=1e-9)


def test_predictions_follow_the_parameters() -> None:
    session = small()
    rng = np.random.default_rng(5)
    batches = [
        rng.normal(size=(rows, session.training().parameters[0].W.shape[1])) for rows in (1, 40, 7, 0, 300)
    ]
    for _ in range(2):
        for X in batches:
            fresh = native.predict(session._network, session.training().parameters, X)
            np.testing.assert_array_equal(session.predict(X), fresh)
        with pytest.raises(ShapeError):
            session.predict(np.zeros((1, 99)))
        train(session)
