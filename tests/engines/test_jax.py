"""The engine on JAX: what a session promises, beside the reference engine's answers."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import util

import numpy as np
import pytest

from handgrad.engines import choose
from handgrad.engines.reference import ReferenceEngine
from handgrad.errors import MissingExtraError, ShapeError, SpecificationError
from handgrad.nn.dropout import Dropout
from handgrad.nn.losses import Loss
from handgrad.nn.network import Dense, Network
from handgrad.nn.optimizers import SGD, Adam, initial_state
from handgrad.nn.step import Recipe, Training, training_step
from handgrad.training.fit import fit
from handgrad.training.replay import replay
from handgrad.worksheets.worksheet import explain
from tests.engines.parity import distance

jax = pytest.importorskip("jax")

from handgrad.engines import jax as engine  # noqa: E402

NETWORK = Network(4, [Dense(5, "tanh", dropout=0.3), Dense(3, "softmax")], Loss("cross_entropy"))
ROWS, B = 23, 5


def data(dtype: str = "float64") -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    X, classes = generator.normal(size=(ROWS, 4)), generator.integers(3, size=ROWS)
    return X.astype(dtype), np.eye(3)[classes].astype(dtype)


def begin(runner, network: Network = NETWORK, recipe: Recipe | None = None, dtype: str = "float64"):
    recipe = recipe or Recipe(Adam(0.01))
    parameters = network.initial_parameters(1, dtype)
    beginning = Training(parameters, initial_state(recipe.optimizer, parameters))
    return runner.start(network, recipe, beginning, *data(dtype), seed=2**63 + 5)


def epoch(session, first: int = 1, order: np.ndarray | None = None, rates: np.ndarray | None = None):
    order = np.random.default_rng(first).permutation(ROWS) if order is None else order
    return session.run(order, B, np.full(5, 0.01) if rates is None else rates, first)


def test_epochs_with_a_smaller_last_batch_are_the_references() -> None:
    ours, theirs = begin(engine.JaxEngine("cpu")), begin(ReferenceEngine())
    for first in (1, 6, 2**32 - 2):
        run, expected = epoch(ours, first), epoch(theirs, first)
        np.testing.assert_allclose(run.losses, expected.losses, rtol=1e-12)
        assert run.losses.dtype == np.float64
    assert distance(ours.training().parameters, theirs.training().parameters) < 1e-13
    for left, right in zip(
        jax.tree.leaves(ours.training().state), jax.tree.leaves(theirs.training().state), strict=True
    ):
        np.testing.assert_allclose(left, right, rtol=1e-10, atol=1e-15)
    X = np.random.default_rng(9).normal(size=(300, 4))
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-12)
    assert ours.predict(X[:0]).shape == (0, 3)


def test_rows_in_their_order_need_no_gathering() -> None:
    ends = []
    for runner in (engine.JaxEngine("cpu"), ReferenceEngine()):
        session = begin(runner)
        epoch(session, order=np.arange(ROWS))
        ends.append(session.training().parameters)
    assert distance(*ends) < 1e-13


@pytest.mark.parametrize("guarded", [False, True])
def test_a_loss_that_is_not_finite_ends_the_run_before_its_update(guarded: bool, monkeypatch) -> None:
    monkeypatch.setattr(engine, "MOST_KEPT", 0 if guarded else engine.MOST_KEPT)
    network = Network(4, [Dense(5, "relu"), Dense(3)], "squared_error")
    rates = np.array([0.1, 1e200, 0.1, 0.1, 0.1])  # the second update is the end of the third step's loss
    ends = []
    for runner in (engine.JaxEngine("cpu"), ReferenceEngine()):
        session = begin(runner, network, Recipe(SGD(0.1)))
        run = epoch(session, rates=rates)
        assert run.failed
        assert len(run.losses) == 3
        assert not np.isfinite(run.losses[-1])
        ends.append(session.training().parameters)
    for ours, theirs in zip(*ends, strict=True):
        assert np.isfinite(ours.W).all()
        np.testing.assert_allclose(ours.W, theirs.W, rtol=1e-12)


def test_stop_is_asked_between_calls_and_seen() -> None:
    session = begin(engine.JaxEngine("cpu"))
    session._seconds_a_row = 1.0  # so slow that every step is a call of its own
    asked: list[int] = []

    def stop() -> bool:
        asked.append(1)
        session._seconds_a_row = 1.0
        return len(asked) == 2

    order = np.arange(ROWS)
    run = session.run(order, B, np.full(5, 0.01), 1, stop)
    assert len(run.losses) == 2
    other = begin(engine.JaxEngine("cpu"))
    other.run(order[: 2 * B], B, np.full(2, 0.01), 1)
    assert distance(session.training().parameters, other.training().parameters) == 0


def test_the_same_bits_twice_and_in_pieces() -> None:
    whole, pieces = begin(engine.JaxEngine("cpu")), begin(engine.JaxEngine("cpu"))
    order = np.random.default_rng(3).permutation(ROWS)[:20]
    whole.run(order, B, np.full(4, 0.01), 1)
    for k in range(4):
        pieces.run(order[k * B : (k + 1) * B], B, np.full(1, 0.01), 1 + k)
    for left, right in zip(
        jax.tree.leaves(whole.training()), jax.tree.leaves(pieces.training()), strict=True
    ):
        np.testing.assert_array_equal(left, right)


def test_a_mask_given_by_hand() -> None:
    network = Network(
        4, [Dense(2, "tanh", dropout=Dropout(0.5, ((1, 0),))), Dense(3, "softmax")], NETWORK.loss
    )
    sessions = [begin(runner, network) for runner in (engine.JaxEngine("cpu"), ReferenceEngine())]
    for session in sessions:
        epoch(session)
    assert distance(*(session.training().parameters for session in sessions)) < 1e-13


def test_the_setting_of_the_process_stays_as_it_is() -> None:
    assert not jax.config.jax_enable_x64
    session = begin(engine.JaxEngine("cpu"))
    epoch(session)
    assert session.training().parameters[0].W.dtype == np.float64
    assert jax.numpy.ones(1).dtype == np.float32


def test_what_does_not_fit_is_named() -> None:
    runner = engine.JaxEngine("cpu")
    session = begin(runner)
    with pytest.raises(ShapeError, match="rows outside the data of 23 rows"):
        session.run(np.array([23]), 1, np.ones(1), 1)
    with pytest.raises(ShapeError, match=r"X must have shape \(samples, 4\)"):
        session.predict(np.ones((2, 5)))
    with pytest.raises(SpecificationError, match="float32 or float64, got float16"):
        begin(runner, dtype="float16")
    with pytest.raises(SpecificationError, match="has no loss"):
        begin(runner, Network(4, [Dense(3)]))
    with pytest.raises(SpecificationError, match="device must be one of cpu, gpu, tpu, got 'abacus'"):
        choose("jax:abacus")
    with pytest.raises(SpecificationError, match="belongs to the engine 'jax'; the engine is 'native'"):
        choose("native:cpu")


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="there is an accelerator")
def test_a_device_that_is_not_there() -> None:
    with pytest.raises(SpecificationError, match=r"JAX sees no tpu here, only cpu"):
        engine.JaxEngine("tpu")
    with pytest.raises(SpecificationError, match=r"sees no gpu here, only cpu; .*handgrad\[jax-cuda\]"):
        engine.JaxEngine("gpu")


def test_without_jax_one_line_names_the_remedy(monkeypatch) -> None:
    monkeypatch.setattr(util, "find_spec", lambda name: None)
    engine._loaded().clear()
    try:
        with pytest.raises(MissingExtraError, match=r"the engine 'jax' .* pip install 'handgrad\[jax\]'"):
            choose("jax")
        assert choose("auto", Network(4, [Dense(2_000_000)])).name != "jax"
    finally:
        engine._loaded().clear()


def test_the_engines_flag_is_not_left_in_the_environment() -> None:
    code = (
        "import os; os.environ['XLA_FLAGS'] = '--xla_cpu_enable_fast_math=false'\n"
        "from handgrad.engines.jax import JaxEngine; JaxEngine('cpu')\n"
        "print(os.environ['XLA_FLAGS'])"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert told.stdout.strip() == "--xla_cpu_enable_fast_math=false"


@pytest.mark.parametrize(("dtype", "bar"), [("float64", 1e-12), ("float32", 1e-5)])
def test_a_step_of_a_training_on_jax_opens_and_agrees_with_the_step_taken(dtype: str, bar: float) -> None:
    X, Y = data()
    result = fit(NETWORK, X, Y, epochs=3, batch_size=B, dtype=dtype, engine="jax:cpu", seed=4, snapshots=3)
    assert result.engine == "jax"
    taken = replay(result, X, Y, 8)
    assert taken.engine == "jax"
    shown = training_step(
        result.network,
        result.recipe,
        taken.training,
        X[taken.rows].astype(dtype),
        Y[taken.rows].astype(dtype),
        taken.t,
        taken.rate,
        taken.masks,
    )
    after = replay(result, X, Y, 9).training
    assert distance(taken.training.parameters, after.parameters) > 0
    assert distance(shown.training.parameters, after.parameters) < bar
    text = explain(result, data=(X, Y), step=8).text(width=1000)
    assert f"taken by the engine jax in {dtype}" in text
    assert "taken by" not in explain(result, data=(X, Y), rows="0:2").text(width=1000)


def test_a_model_from_jax_opens_where_jax_is_not(monkeypatch) -> None:
    X, Y = data()
    result = fit(NETWORK, X, Y, epochs=2, batch_size=B, engine="jax", seed=4)
    monkeypatch.setattr(util, "find_spec", lambda name: None)
    engine._loaded().clear()
    try:
        taken = replay(result, X, Y, 7)
    finally:
        engine._loaded().clear()
    assert taken.engine == "reference"
    np.testing.assert_allclose(
        taken.training.parameters[0].W, replay(result, X, Y, 7).training.parameters[0].W, rtol=1e-10
    )
