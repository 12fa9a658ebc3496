"""The range test: its steps are those of training, and its suggestion lies where the loss falls."""

from __future__ import annotations

import numpy as np
import pytest

import handgrad as hg
from handgrad.errors import SpecificationError, TrainingError
from handgrad.training.rate_range import rate_range

X = np.linspace(-1, 1, 96)[:, None]
NETWORK = hg.Network(1, [hg.Dense(16, "tanh"), hg.Dense(1)], "squared_error")


@pytest.mark.parametrize("engine", ["native", "reference"])
def test_its_steps_are_those_of_a_training_at_growing_rates(engine: str) -> None:
    found = rate_range(NETWORK, X, np.sin(3 * X), steps=12, lowest=1e-3, highest=1e-1, engine=engine)
    growth = (1e-1 / 1e-3) ** (1 / 11)
    np.testing.assert_allclose(found.rates, 1e-3 * growth ** np.arange(len(found.rates)))
    schedule = hg.Schedule("exponential", factor=growth, per="step")
    result = hg.fit(
        NETWORK, X, np.sin(3 * X), optimizer=hg.Adam(1e-3), schedule=schedule, epochs=4, engine=engine
    )
    for epoch in range(4):  # of three steps of 32 rows each
        mean = found.losses[3 * epoch : 3 * epoch + 3].mean()
        assert result.history[epoch].loss == pytest.approx(mean, rel=1e-9)


@pytest.mark.parametrize("optimizer", [hg.Adam(), hg.SGD()])
def test_the_suggested_rate_trains_and_the_largest_does_not(optimizer: hg.SGD) -> None:
    found = rate_range(NETWORK, X, np.sin(3 * X), optimizer=optimizer, highest=100.0)
    assert len(found.rates) < 200, "it ended where the loss ran away"
    assert found.rates[0] < found.suggested < found.rates[-1]

    def last_loss(rate: float) -> float:
        rule = type(optimizer)(rate)
        return hg.fit(NETWORK, X, np.sin(3 * X), optimizer=rule, epochs=30).history[-1].loss

    start = float(np.mean(np.sin(3 * X) ** 2))
    assert last_loss(found.suggested) < 0.5 * start
    assert last_loss(found.suggested) < last_loss(float(found.rates[0]))


def test_what_cannot_be() -> None:
    with pytest.raises(SpecificationError, match="must grow"):
        rate_range(NETWORK, X, X, lowest=1.0, highest=0.1)
    with pytest.raises(SpecificationError, match="at least 10"):
        rate_range(NETWORK, X, X, steps=3)
    with pytest.raises(TrainingError, match="does not fall"):
        rate_range(hg.Network(1, [hg.Dense(1, W=[[1.0]])], "squared_error"), X, X, lowest=5.0, highest=1e3)
