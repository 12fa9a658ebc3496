"""Nets of a fixed size take the same steps, to the last bit, as the general way for tiny nets."""

from __future__ import annotations

import numpy as np
import pytest

import handgrad as hg
from handgrad.engines.native import NativeEngine
from handgrad.nn.network import Dense, Network
from handgrad.nn.optimizers import Optimizer, initial_state
from handgrad.nn.step import Recipe, Training

OUTPUTS = (
    ("sigmoid", "binary_cross_entropy"),
    ("sigmoid", "squared_error"),
    ("identity", "squared_error"),
)
OPTIMIZERS = (
    hg.SGD(0.1),
    hg.Adam(0.01),
    hg.Adam(0.01, epsilon_inside=True),
    hg.AdamW(0.01, weight_decay=0.1),
)


def bits(network: Network, optimizer: Optimizer, dtype: str, general: bool) -> list[bytes]:
    rng = np.random.default_rng(4)
    X, Y = rng.normal(size=(9, network.inputs)), rng.uniform(size=(9, 1))
    parameters = network.initial_parameters(0, dtype)
    beginning = Training(parameters, initial_state(optimizer, parameters))
    # weights of 1 change nothing but the way
    weights = np.ones(9) if general else None
    of = NativeEngine().start(network, Recipe(optimizer), beginning, X, Y, 0, 1, weights)
    rates = np.linspace(0.05, 0.01, 200)
    runs = [
        of.run(rng.integers(0, 9, 100), 1, rates[:100], 1),
        of.run(rng.integers(0, 9, 100), 1, rates[100:], 101),
    ]
    assert of.path == "tiny" and not any(run.failed for run in runs)
    training = of.training()
    found = [run.losses.tobytes() for run in runs]
    found += [part.tobytes() for layer in training.parameters for part in layer]
    return found + [part.tobytes() for layer in training.state for group in layer for part in group]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("output", OUTPUTS, ids="-".join)
@pytest.mark.parametrize("hidden", ["sigmoid", "tanh", "relu"])
def test_fixed_sizes_take_the_general_steps(
    isa: str, hidden: str, output: tuple[str, str], dtype: str
) -> None:
    for optimizer in OPTIMIZERS:
        for inputs, units in ((1, 1), (2, 2), (1, 3), (2, 4), (3, 2), (4, 4), (4, 1)):
            network = Network(inputs, [Dense(units, hidden), Dense(1, output[0])], output[1])
            fixed, general = (bits(network, optimizer, dtype, way) for way in (False, True))
            assert fixed == general, (isa, optimizer, inputs, units)


def test_a_loss_that_is_not_finite_ends_a_run_of_fixed_size() -> None:
    network = Network(2, [Dense(2, "sigmoid"), Dense(1)], "squared_error")
    X, Y = np.ones((4, 2)), np.array([[0.5], [0.5], [np.nan], [0.5]])
    parameters = network.initial_parameters(0)
    beginning = Training(parameters, initial_state(hg.SGD(), parameters))
    of = NativeEngine().start(network, Recipe(hg.SGD(0.1)), beginning, X, Y, 0)
    run = of.run(np.arange(4), 1, np.full(4, 0.1), 1)
    assert run.failed and len(run.losses) == 3 and np.isfinite(run.losses[:2]).all()
    again = NativeEngine().start(network, Recipe(hg.SGD(0.1)), beginning, X, Y, 0)
    again.run(np.arange(2), 1, np.full(2, 0.1), 1)
    for left, right in zip(of.training().parameters, again.training().parameters, strict=True):
        assert left.W.tobytes() == right.W.tobytes()
