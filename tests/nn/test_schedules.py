"""Learning-rate schedules against their formulas and against PyTorch's."""

from __future__ import annotations

import math
import warnings

import pytest

from handgrad.errors import SpecificationError
from handgrad.nn.schedules import SCHEDULES, Schedule


@pytest.mark.parametrize(
    ("schedule", "theirs", "options"),
    [
        (Schedule("step", factor=0.3, every=4), "StepLR", {"gamma": 0.3, "step_size": 4}),
        (Schedule("exponential", factor=0.9), "ExponentialLR", {"gamma": 0.9}),
        (Schedule("cosine", over=30, floor=0.01), "CosineAnnealingLR", {"T_max": 30, "eta_min": 0.01}),
    ],
)
def test_the_schedules_of_pytorch(schedule: Schedule, theirs: str, options: dict) -> None:
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
    judge = getattr(torch.optim.lr_scheduler, theirs)(optimizer, **options)
    for epoch in range(31):
        assert schedule.rate(0.5, step=7, epoch=epoch) == pytest.approx(
            optimizer.param_groups[0]["lr"], rel=1e-12
        ), epoch
        optimizer.step()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # PyTorch's remarks on its own interface
            judge.step()


@pytest.mark.parametrize(
    ("schedule", "rates"),
    [
        (Schedule(), [1.0, 1.0, 1.0, 1.0]),
        (Schedule("step", factor=0.5, every=2), [1.0, 1.0, 0.5, 0.5]),
        (Schedule("inverse_time", decay=1.0), [1.0, 1 / 2, 1 / 3, 1 / 4]),
        (Schedule("inverse_time", decay=0.5, every=2), [1.0, 1.0, 1 / 1.5, 1 / 1.5]),
        (Schedule("exponential", factor=2.0), [1.0, 2.0, 4.0, 8.0]),
        (Schedule("cosine", over=2), [1.0, 0.5, 0.0, 0.0]),
        (Schedule("constant", warmup=3), [1 / 3, 2 / 3, 1.0, 1.0]),
        (Schedule("exponential", factor=0.5, warmup=2), [0.5, 1.0, 1.0, 0.5]),
    ],
)
def test_rates_by_hand(schedule: Schedule, rates: list[float]) -> None:
    assert [schedule.rate(1.0, step=99, epoch=t) for t in range(4)] == pytest.approx(rates, abs=1e-16)


@pytest.mark.parametrize(
    ("schedule", "epoch", "rate"),
    [  # printed by the week 2 assignment of deeplearning.ai's course on improving deep networks
        (Schedule("inverse_time", decay=1.0), 2, 0.16666666666666666),
        (Schedule("inverse_time", decay=0.3, every=100), 10, 0.5),
        (Schedule("inverse_time", decay=0.3, every=100), 100, 0.3846153846153846),
    ],
)
def test_published_rates(schedule: Schedule, epoch: int, rate: float) -> None:
    assert schedule.rate(0.5, step=0, epoch=epoch) == pytest.approx(rate, rel=1e-15)


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("warmup", [0, 2])
def test_counts_steps_where_it_is_told_to(name: str, warmup: int) -> None:
    by_epoch = Schedule(name, over=5, warmup=warmup)
    by_step = Schedule(name, over=5, warmup=warmup, per="step")
    for t in range(8):
        assert by_step.rate(0.1, step=t, epoch=99) == by_epoch.rate(0.1, step=99, epoch=t)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "linear"}, "unknown schedule 'linear'; choose one of constant, step"),
        ({"per": "batch"}, "schedule: per must be 'epoch' or 'step', got 'batch'"),
        ({"every": 0}, "every and over are at least 1"),
        ({"over": 0}, "every and over are at least 1"),
        ({"warmup": -1}, "warmup at least 0"),
        ({"factor": -0.5}, "factor must be a finite number >= 0, got -0.5"),
        ({"decay": math.nan}, "decay must be a finite number >= 0, got nan"),
        ({"floor": math.inf}, "floor must be a finite number >= 0, got inf"),
    ],
)
def test_errors_name_what_was_expected(arguments: dict, message: str) -> None:
    with pytest.raises(SpecificationError, match=message):
        Schedule(**arguments)


def test_a_rate_that_grows_beyond_all_numbers_is_an_error_of_ours() -> None:
    with pytest.raises(SpecificationError, match=r"grows beyond all numbers at epoch 1000 .*factor <= 1"):
        Schedule("exponential", factor=10.0).rate(0.1, step=0, epoch=1000)


def test_what_a_schedule_does_unless_another_number_is_given() -> None:
    """The defaults of docs/notation.md: halves each epoch, 1 / (1 + t), a hundred epochs down to 0."""
    assert Schedule("step").rate(1.0, 0, 3) == Schedule("exponential").rate(1.0, 0, 3) == 0.125
    assert Schedule("inverse_time").rate(1.0, 0, 3) == 0.25
    assert Schedule("cosine").rate(1.0, 0, 50) == pytest.approx(0.5)
    assert Schedule("cosine").rate(1.0, 0, 99) > Schedule("cosine").rate(1.0, 0, 100) == 0.0
    assert Schedule().rate(0.3, 0, 10**6) == 0.3
    assert [Schedule("cosine", over=1).rate(1.0, 0, t) for t in (0, 1, 2)] == [1.0, 0.0, 0.0]
