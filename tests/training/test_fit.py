"""The loop: against the steps taken one by one, and every step again afterwards, bit for bit."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from typing import Any

import numpy as np
import pytest

from handgrad.data.batches import Split, epoch_order
from handgrad.engines import choose
from handgrad.errors import HandgradError, ShapeError, SpecificationError, TrainingError
from handgrad.nn.backward import batch_loss
from handgrad.nn.clipping import Clipping
from handgrad.nn.forward import dropout_masks, forward
from handgrad.nn.network import Dense, Network
from handgrad.nn.optimizers import SGD, Adam, AdamW, Momentum, Nesterov, RMSprop, initial_state
from handgrad.nn.regularization import Regularization
from handgrad.nn.schedules import Schedule
from handgrad.nn.step import Recipe, Training, training_step
from handgrad.training.callbacks import Underway
from handgrad.training.fit import fit
from handgrad.training.history import Epoch, Fit
from handgrad.training.plan import EarlyStopping, Plan
from handgrad.training.progress import Silent
from handgrad.training.replay import replay

GENERATOR = np.random.default_rng(1)
X = GENERATOR.normal(size=(23, 3))
CLASSES = (X @ GENERATOR.normal(size=(3, 3))).argmax(axis=1)
Y = np.eye(3)[CLASSES]


def network(dropout: float | None = None) -> Network:
    return Network(3, [Dense(5, "tanh", dropout=dropout), Dense(3, "softmax")], "cross_entropy")


def arrays(training: Training) -> list[Any]:
    parameters = [array for layer in training.parameters for array in layer]
    return parameters + [array for layer in training.state for state in layer for array in state]


def same(left: Training, right: Training) -> bool:
    pairs = zip(arrays(left), arrays(right), strict=True)
    return all(np.array_equal(a, b) and a.dtype == b.dtype for a, b in pairs)


def one_step(result: Fit, step: int, dtype: str = "float64") -> Training:
    """The state after a step: replayed up to it, then taken by the equations."""
    before = replay(result, X, Y, step)
    rows = before.rows
    stepped = training_step(
        result.network,
        result.recipe,
        before.training,
        X[rows].astype(dtype),
        Y[rows].astype(dtype),
        before.t,
        before.rate,
        before.masks,
    )
    return stepped.training


OPTIMIZERS = [
    SGD(0.1),
    Momentum(0.05),
    Nesterov(0.05),
    RMSprop(0.01),
    Adam(0.01, amsgrad=True),
    AdamW(0.01),
]


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda o: o.name)
def test_training_is_its_steps_in_order(optimizer: Any) -> None:
    """The loop against steps written out here: shuffling, the ragged last batch, rates, dropout, clipping."""
    net, schedule = network(dropout=0.2), Schedule("step", every=2, factor=0.5)
    recipe = Recipe(optimizer, Regularization(l2=0.01), Clipping(norm=0.5))
    result = fit(
        net, X, Y, optimizer=optimizer, regularization=recipe.regularization, clipping=recipe.clipping,
        schedule=schedule, epochs=5, batch_size=5, seed=3, engine="reference",
    )  # fmt: skip
    parameters = net.initial_parameters(3)
    training, t, losses = Training(parameters, initial_state(optimizer, parameters)), 0, []
    for epoch in range(5):
        order = epoch_order(3, epoch, len(X))
        rate = optimizer.learning_rate * 0.5 ** (epoch // 2)
        for start in range(0, len(X), 5):
            t, rows = t + 1, order[start : start + 5]
            masks = dropout_masks(net, 3, t, len(rows))
            training, loss = training_step(net, recipe, training, X[rows], Y[rows], t, rate, masks)
            losses.append(float(loss) * len(rows) / len(X))
    assert result.steps == t == 25
    assert same(result.training, training)
    np.testing.assert_allclose([line.loss for line in result.history], np.reshape(losses, (5, 5)).sum(axis=1))
    assert [line.rate for line in result.history] == [
        optimizer.learning_rate * 0.5 ** (e // 2) for e in range(5)
    ]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("optimizer", [Momentum(0.05), Adam(0.01)], ids=lambda o: o.name)
def test_the_step_that_is_opened_is_the_step_that_happened(optimizer: Any, dtype: str) -> None:
    result = fit(
        network(dropout=0.3), X, Y, optimizer=optimizer, epochs=40, batch_size=4, validation=0.2, dtype=dtype,
        schedule=Schedule("cosine", over=30, warmup=3), engine="reference", snapshots=6,
    )  # fmt: skip
    assert 3 <= len(result.snapshots) <= 7
    for snapshot in result.snapshots[1:]:
        assert same(one_step(result, snapshot.step - 1, dtype), snapshot.training)
    for step in (1, 2, 7, 99, result.steps):  # any step leads to the beginning of the next
        after = replay(result, X, Y, step + 1).training if step < result.steps else result.training
        assert same(one_step(result, step, dtype), after)


def test_the_native_engine_replays_its_own_steps() -> None:
    if choose("auto").name != "native":
        with pytest.raises(SpecificationError, match="not built"):
            choose("native")
        return
    result = fit(network(), X, Y, epochs=30, batch_size=4, engine="native", threads=1, snapshots=4)
    before = replay(result, X, Y, result.steps)
    reference = replay(result, X, Y, result.steps, engine="reference")
    assert (before.engine, reference.engine) == ("native", "reference")
    for mine, other in zip(arrays(before.training), arrays(reference.training), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-9, atol=1e-12)
    for mine, last in zip(arrays(one_step(result, result.steps)), arrays(result.training), strict=True):
        np.testing.assert_allclose(mine, last, rtol=1e-9, atol=1e-12)


def test_replay_tells_the_place_of_the_step() -> None:
    result = fit(network(), X, Y, epochs=3, batch_size=10, validation=0.1, shuffle=True, engine="reference")
    assert result.steps_per_epoch == 3  # 21 training rows: 10, 10, 1
    before = replay(result, X, Y, 6)
    assert (before.epoch, before.batch, before.t, len(before.rows)) == (2, 3, 6, 1)
    assert set(before.rows) <= set(result.training_rows)
    for step in (0, 10, -1):
        with pytest.raises(SpecificationError, match="steps 1 to 9"):
            replay(result, X, Y, step)


def test_same_seed_same_bits_and_another_seed_others() -> None:
    runs = [fit(network(0.5), X, Y, epochs=3, seed=seed, engine="reference") for seed in (5, 5, 6)]
    assert same(runs[0].training, runs[1].training)
    assert not same(runs[0].training, runs[2].training)


def test_class_indices_are_one_hot_rows() -> None:
    by_index = fit(network(), X, CLASSES, epochs=2, validation=0.2, engine="reference")
    assert same(
        by_index.training, fit(network(), X, Y, epochs=2, validation=0.2, engine="reference").training
    )
    held = CLASSES[by_index.validation_rows]
    assert len(held) == 5
    assert np.all(np.abs(np.bincount(held, minlength=3) - 5 * np.bincount(CLASSES) / 23) < 1)


def test_early_stopping_restores_the_best_epoch() -> None:
    """Random labels: the validation loss must rise; the result is the state after its lowest epoch."""
    noise = np.random.default_rng(0).integers(0, 3, len(X))
    lines: list[Epoch] = []
    result = fit(
        network(), X, noise, optimizer=Adam(0.05), epochs=400, validation=0.3, engine="reference",
        early_stopping=EarlyStopping(patience=7), callbacks=[lambda line, now: lines.append(line)],
    )  # fmt: skip
    losses = [line.validation_loss for line in result.history]
    best = int(np.argmin(losses)) + 1  # type: ignore[arg-type]
    assert (result.ended, result.best_epoch) == ("early stopping", best)
    assert len(losses) == best + 7
    assert tuple(lines) == result.history
    held = result.validation_rows
    activity = forward(network(), result.training.parameters, X[held])
    loss = batch_loss(network(), result.training.parameters, activity, np.eye(3)[noise[held]])
    assert float(loss) == pytest.approx(losses[best - 1], rel=1e-12)
    assert not same(result.training, result.snapshots[-1].training)


def test_a_callback_can_end_the_training() -> None:
    result = fit(network(), X, Y, epochs=50, callbacks=[lambda line, now: line.epoch == 3])
    assert (len(result.history), result.ended) == (3, "callback")


def test_a_summed_loss_stands_as_a_sum() -> None:
    from handgrad.nn.losses import Loss

    net = Network(3, [Dense(1, W=[[1.0, 0, 0]], b=[0.0])], Loss(samples="sum"))
    result = fit(net, X, X[:, 1], optimizer=SGD(1e-12), epochs=1, batch_size=5, engine="reference")
    assert result.history[0].loss == pytest.approx(float(np.sum((X[:, 0] - X[:, 1]) ** 2)), rel=1e-6)


def test_a_loss_that_is_not_finite_names_step_layer_and_remedies() -> None:
    net = Network(3, [Dense(4, "relu"), Dense(2, "relu"), Dense(1)], "squared_error")
    with pytest.raises(
        TrainingError, match=r"step \d+ \(epoch \d+, batch \d+\).*layer [123].*learning rate"
    ) as told:
        fit(net, X, X[:, 0] * 100, optimizer=SGD(1e3), epochs=50, batch_size=5, engine="reference")
    step, epoch, batch = (int(word) for word in re.findall(r"\d+", str(told.value))[:3])
    assert step == (epoch - 1) * 5 + batch
    huge = Network(3, [Dense(1, W=[[1e200, 0, 0]]), Dense(1, W=[[1e200]])], "squared_error")
    with pytest.raises(TrainingError, match=r"step 1 .*layer 2: z is not finite"):
        fit(huge, X, X[:, 0], engine="reference")


def test_the_last_update_may_not_overflow_unseen() -> None:
    net = Network(1, [Dense(1, W=[[1.0]], bias="none")], "squared_error")
    with pytest.raises(TrainingError, match="step 1: after the update, W1"):
        fit(net, [[1e150]], [0.0], optimizer=SGD(1e300), epochs=1, engine="reference")


def test_arrays_that_do_not_fit_are_refused() -> None:
    net = network()
    bad: list[tuple[Any, Any, str]] = [
        (X[:, :2], Y, "(samples, 3)"),
        (X, Y[:5], "(23, 3)"),
        (X[:0], Y[:0], "no samples"),
        (X, CLASSES + 1, "class indices 0 to 2"),
        (np.where(X[2, 1] == X, np.nan, X), Y, "X holds nan at [2, 1]"),
        (X.astype(str), Y, "fit_table"),
        ([[1, 2], [3]], Y, "rows of equal length"),
    ]
    for inputs, targets, words in bad:
        with pytest.raises(ShapeError) as told:
            fit(net, inputs, targets)
        assert words in str(told.value)
    with pytest.raises(ShapeError, match="finite in float32"):
        fit(Network(1, [Dense(1)], "squared_error"), [[1e300]], [0.0], dtype="float32")
    with pytest.raises(SpecificationError, match="no loss"):
        fit(Network(3, [Dense(1)]), X, X[:, 0])
    with pytest.raises(ShapeError, match="outside 0 to 22"):
        fit(net, X, Y, validation=Split(np.array([0, 23]), np.array([], np.int64)))


@pytest.mark.parametrize(
    "options",
    [
        {"epochs": 0}, {"epochs": 1.5}, {"batch_size": 0}, {"seed": -1}, {"seed": 2**64}, {"dtype": "int8"},
        {"threads": 0}, {"engine": "steam"}, {"validation": 1.0}, {"validation": -0.1}, {"snapshots": -1},
        {"epochs": None}, {"validation": "some"}, {"optimizer": "adam"}, {"schedule": "step"},
        {"regularization": 0.1}, {"early_stopping": True}, {"clipping": 1.0},
    ],
    ids=str,
)  # fmt: skip
def test_numbers_outside_their_range_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(HandgradError):
        fit(network(), X, Y, **options)


def test_the_whole_table_is_one_batch_when_asked() -> None:
    assert fit(network(), X, Y, epochs=3, batch_size=None).steps == 3
    assert fit(network(), X, Y, epochs=3, batch_size=1000).steps == 3
    assert Plan(batch_size=None).rows_of_batch(7) == 7


class PressedAtTheStart(Silent):
    """Ctrl-C before the first step."""

    def begin(self, epochs: int, steps_per_epoch: int) -> None:
        signal.raise_signal(signal.SIGINT)


def test_ctrl_c_ends_after_the_step_and_keeps_what_there_is() -> None:
    before = signal.getsignal(signal.SIGINT)
    result = fit(network(), X, Y, epochs=50, batch_size=5, progress=PressedAtTheStart(), engine="reference")
    assert (result.ended, result.steps, len(result.history)) == ("interrupted", 1, 1)
    assert signal.getsignal(signal.SIGINT) is before
    assert same(one_step(result, 1), result.training)


def test_a_second_ctrl_c_ends_at_once() -> None:
    def press(line: Epoch, now: Underway) -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        fit(network(), X, Y, epochs=5, callbacks=[press])


def test_training_in_another_thread_leaves_signals_alone() -> None:
    results: list[Fit] = []
    thread = threading.Thread(target=lambda: results.append(fit(network(), X, Y, epochs=2)))
    thread.start()
    thread.join()
    assert results[0].ended == "epochs"


def test_results_show_themselves() -> None:
    result = fit(network(), X, Y, epochs=25, validation=0.2, early_stopping=EarlyStopping(5))
    bundle = result._repr_mimebundle_()
    assert "validation loss" in bundle["text/plain"]
    assert bundle["text/html"].startswith("<pre>")
    assert repr(result).startswith(f"Fit(epochs={len(result.history)}")


def test_the_same_seed_gives_the_same_bits_in_another_process() -> None:
    code = "\n".join(
        [
            "import numpy as np",
            "from handgrad.nn.network import Dense, Network",
            "from handgrad.training.fit import fit",
            "X = np.arange(24.0).reshape(8, 3) / 24",
            "network = Network(3, [Dense(4, 'relu'), Dense(1)], 'squared_error')",
            "result = fit(network, X, X[:, 0], epochs=3, engine='reference')",
            "print(result.training.parameters[0].W.tobytes().hex())",
        ]
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    first, second = (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, check=True, text=True,
            env={**environment, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    )  # fmt: skip
    assert first == second != ""
