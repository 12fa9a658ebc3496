"""Epoch, batch, rows and rate of a step: written out here for every step, and asked of everybody who uses them."""

from __future__ import annotations

import math

import numpy as np
import pytest

import handgrad as hg
from handgrad.engines import choose
from handgrad.engines.protocol import Run
from handgrad.training.fit import fit
from handgrad.training.plan import Plan
from handgrad.training.replay import replay
from handgrad.worksheets.case_steps import trace_case

RATE, ROWS, B, EPOCHS = 0.4, 7, 3, 4
SCHEDULES = {
    "per epoch": hg.Schedule("exponential", factor=0.5),
    "per step": hg.Schedule("exponential", factor=0.9, per="step"),
    "every two epochs": hg.Schedule("step", factor=0.1, every=2),
    "cosine": hg.Schedule("cosine", over=9, floor=0.01, per="step"),
    "warmup": hg.Schedule("inverse_time", decay=0.5, warmup=2),
}


def rate_written_out(name: str, t: int, epoch: int) -> float:
    """The rate of step t in an epoch, both counted from 0, from the formulas of docs/notation.md."""
    if name == "per epoch":
        return RATE * 0.5**epoch
    if name == "per step":
        return RATE * 0.9**t
    if name == "every two epochs":
        return RATE * 0.1 ** (epoch // 2)
    if name == "cosine":
        return 0.01 + (RATE - 0.01) * (1 + math.cos(math.pi * min(t / 9, 1))) / 2
    return RATE * (epoch + 1) / 2 if epoch < 2 else RATE / (1 + 0.5 * (epoch - 2))


def rows_written_out(seed: int, training_rows: np.ndarray, shuffle: bool = True) -> list[np.ndarray]:
    """The batches of all epochs, one after another."""
    batches = []
    for epoch in range(EPOCHS):
        order = np.random.default_rng([seed, epoch]).permutation(len(training_rows))
        taken = training_rows[order] if shuffle else training_rows
        batches += [taken[start : start + B] for start in range(0, len(taken), B)]
    return batches


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("name", SCHEDULES)
def test_every_step_of_a_plan(name: str, shuffle: bool) -> None:
    plan = Plan(epochs=EPOCHS, batch_size=B, shuffle=shuffle, seed=5, schedule=SCHEDULES[name])
    rows = np.array([2, 3, 5, 7, 11, 13, 17])
    batches = rows_written_out(5, rows, shuffle)
    per_epoch = math.ceil(ROWS / B)
    assert len(batches) == EPOCHS * per_epoch == EPOCHS * plan.steps_per_epoch(ROWS)
    for t, expected in enumerate(batches):
        step = plan.at(t + 1, rows, RATE)
        assert (step.number, step.epoch, step.batch) == (t + 1, t // per_epoch + 1, t % per_epoch + 1)
        assert step.rows.tolist() == expected.tolist()
        assert step.rate == pytest.approx(rate_written_out(name, t, t // per_epoch), rel=1e-15)
    several = list(plan.steps(3, 8, rows, RATE))
    assert [step.number for step in several] == [3, 4, 5, 6, 7, 8]
    for step in several:
        alone = plan.at(step.number, rows, RATE)
        assert (step.epoch, step.batch, step.rate) == (alone.epoch, alone.batch, alone.rate)
        assert step.rows.tolist() == alone.rows.tolist()


@pytest.mark.parametrize("most", [None, 1, 2, 3, 100])
def test_stretches_are_the_steps_of_one_epoch_at_a_time(most: int | None) -> None:
    plan, rows = Plan(batch_size=2, seed=1, schedule=SCHEDULES["per step"]), np.arange(5)
    stretches = list(plan.stretches(2, 8, rows, RATE, most))
    steps = list(plan.steps(2, 8, rows, RATE))
    assert [rate for part in stretches for rate in part.rates] == [step.rate for step in steps]
    assert np.concatenate([part.rows for part in stretches]).tolist() == [
        row for step in steps for row in step.rows
    ]
    for part in stretches:
        assert len(part.rates) <= (most or 3)
        inside = steps[part.first - 2 : part.first - 2 + len(part.rates)]
        assert {step.epoch for step in inside} == {part.epoch}
        assert inside[0].batch == part.batch


def test_no_steps_are_no_stretches() -> None:
    assert list(Plan().stretches(4, 3, np.arange(5), RATE)) == []


class Watched:
    """An engine that writes down what it is told to do."""

    name = "reference"

    def __init__(self) -> None:
        self.steps: dict[int, tuple[list[int], float]] = {}

    def start(self, *arguments):
        return _Session(choose("reference").start(*arguments), self.steps)


class _Session:
    def __init__(self, inner, steps):
        self.inner, self.steps, self.training = inner, steps, inner.training

    def run(self, order, batch_size, rates, first_step, stop=None) -> Run:
        for k, rate in enumerate(rates):
            rows = order[k * batch_size : (k + 1) * batch_size].tolist()
            self.steps[first_step + k] = (rows, float(rate))
        return self.inner.run(order, batch_size, rates, first_step, stop)


def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    engine = Watched()
    for module in ("fit", "replay"):
        monkeypatch.setattr(f"handgrad.training.{module}.choose", lambda *_: engine)
    return engine


@pytest.mark.parametrize("name", SCHEDULES)
def test_training_and_replay_take_the_steps_of_the_plan(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    X, Y = np.linspace(-1, 1, 2 * ROWS).reshape(ROWS, 2), np.linspace(0, 1, ROWS)
    network = hg.Network(2, [hg.Dense(1)], "squared_error")
    trained = watched(monkeypatch)
    result = fit(
        network, X, Y, optimizer=hg.SGD(RATE), schedule=SCHEDULES[name], epochs=EPOCHS, batch_size=B, seed=5,
        snapshots=1,
    )  # fmt: skip
    batches, per_epoch = rows_written_out(5, np.arange(ROWS)), math.ceil(ROWS / B)
    expected = {
        t + 1: (rows.tolist(), pytest.approx(rate_written_out(name, t, t // per_epoch), rel=1e-15))
        for t, rows in enumerate(batches)
    }
    assert trained.steps == expected
    assert [line.rate for line in result.history] == [expected[(e + 1) * per_epoch][1] for e in range(EPOCHS)]
    for step in (1, 2, 4, 11, 12):
        replayed = watched(monkeypatch)
        before = replay(result, X, Y, step)
        assert replayed.steps == {t: what for t, what in expected.items() if t < step}
        assert (before.rows.tolist(), before.rate) == expected[step]
        assert (before.t, before.epoch, before.batch) == (
            step,
            (step - 1) // per_epoch + 1,
            (step - 1) % per_epoch + 1,
        )


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_case_takes_the_steps_of_the_plan(name: str) -> None:
    schedule = SCHEDULES[name]
    case = hg.Case.from_dict(
        {
            "network": {"inputs": 1, "loss": "squared_error", "layers": [{"units": 1, "W": [[2.0]]}]},
            "data": {"x": [[k / 10] for k in range(ROWS)], "y": [[1.0]] * ROWS},
            "optimizer": {
                "name": "sgd",
                "learning_rate": RATE,
                "schedule": {
                    "name": schedule.name,
                    "factor": schedule.factor,
                    "every": schedule.every,
                    "decay": schedule.decay,
                    "over": schedule.over,
                    "floor": schedule.floor,
                    "warmup": schedule.warmup,
                    "per": schedule.per,
                },
            },
            "training": {"epochs": EPOCHS, "batch_size": B, "shuffle": True, "seed": 5},
        }
    )
    batches, per_epoch = rows_written_out(5, np.arange(ROWS)), math.ceil(ROWS / B)
    assert case.steps == len(batches)
    for t, trace in enumerate(trace_case(case)):
        rate = rate_written_out(name, t, t // per_epoch)
        assert trace.learning_rate == pytest.approx(rate, rel=1e-15)
        assert list(trace.rows) == batches[t].tolist()
        moved = trace.before.parameters[0].W - trace.after.parameters[0].W
        np.testing.assert_allclose(moved, rate * trace.quantities["dW1"], rtol=1e-9, atol=1e-15)
    assert [step.number for step in case.planned(4, 6)] == [4, 5, 6]


def test_epochs_of_a_case_count_the_samples_of_given_quantities() -> None:
    given = {"yhat": [[0.2], [0.4], [0.6], [0.8]]}
    case = hg.Case.from_dict(
        {
            "network": {"inputs": 1, "loss": "squared_error", "layers": [{"units": 1, "W": [[2.0]]}]},
            "given": given,
            "optimizer": {"name": "sgd"},
            "training": {"epochs": 2, "batch_size": 1},
        }
    )
    assert case.steps == 8


def test_a_seed_that_no_generator_takes_is_refused_with_its_place() -> None:
    layers = [{"units": 1, "W": [[2.0]]}]
    document = {"network": {"inputs": 1, "layers": layers}, "data": {"x": [[1.0]]}}
    with pytest.raises(hg.HandgradError, match="case: training: seed must be a whole number"):
        hg.Case.from_dict({**document, "training": {"seed": 2**64}})


def test_what_a_training_does_unless_it_is_asked_for_something_else() -> None:
    """100 epochs of batches of 32, shuffled by seed 0, with Adam in float64; up to 20 states are kept."""
    network = hg.Network(1, [hg.Dense(1)], "squared_error")
    X = np.linspace(-1, 1, 40).reshape(40, 1)
    result = fit(network, X, X[:, 0], engine="reference")
    assert result.plan == Plan(100, 32, True, 0, hg.Schedule(), None, "float64", None, 20) == Plan()
    assert (result.steps, result.steps_per_epoch, result.batch_size) == (200, 2, 32)
    assert result.recipe.optimizer == hg.Adam(0.001)
    assert (result.validation_rows.size, result.training_rows.size) == (0, 40)
    assert [snapshot.step for snapshot in result.snapshots] == [*range(1, 201, 2 * 8), 201]  # every 8th epoch
    order = result.at(1).rows
    assert order.tolist() == np.random.default_rng([0, 0]).permutation(40)[:32].tolist()
    assert hg.EarlyStopping().patience == 20 and hg.EarlyStopping().least == 0
    assert Plan(snapshots=0).snapshots == 0
