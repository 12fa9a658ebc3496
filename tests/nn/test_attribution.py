"""Integrated gradients of one neuron, which have a closed form, and how many points they are made of."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate

import numpy as np
import pytest

from handgrad.nn import attribution
from handgrad.nn.attribution import input_gradients, integrated_gradients
from handgrad.nn.network import Dense, Network


def neuron(w: list[float], b: float, function: str) -> Network:
    return Network(len(w), [Dense(1, function, W=[w], b=[b])])


def midpoints(slope: Callable[[np.ndarray], np.ndarray], start: float, end: float, points: int) -> float:
    """The integral of a slope from start to end by the midpoint rule."""
    middles = start + (end - start) * (np.arange(points) + 0.5) / points
    return float(slope(middles).mean() * (end - start))


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many points were asked for at a time: first the two ends, then the points on the way."""
    asked: list[int] = []

    def counted(network, parameters, X, output):
        asked.append(len(X))
        return input_gradients(network, parameters, X, output)

    monkeypatch.setattr(attribution, "input_gradients", counted)
    return asked


def test_of_a_neuron_each_input_has_its_share_of_the_weighted_sum() -> None:
    w, b = np.array([1.5, -2.0, 0.25]), 0.3
    x, baseline = np.array([0.5, -1.0, 2.0]), np.array([1.0, 0.5, -1.0])
    network = neuron(w.tolist(), b, "sigmoid")
    found = integrated_gradients(network, network.initial_parameters(), x, baseline, 0)
    end, start = (1 / (1 + np.exp(-(w @ point + b))) for point in (x, baseline))
    parts = w * (x - baseline)
    np.testing.assert_allclose(found.contributions, parts / parts.sum() * (end - start), rtol=2e-5)
    np.testing.assert_allclose(found.gradient, w * end * (1 - end), rtol=1e-14)
    assert (found.output, found.baseline) == (pytest.approx(end, rel=1e-14), pytest.approx(start, rel=1e-14))


def test_what_is_left_over_is_what_the_contributions_lack() -> None:
    network = neuron([6.0], 0.0, "tanh")
    found = integrated_gradients(network, network.initial_parameters(), np.array([2.0]), np.array([-0.1]), 0)
    lacking = np.tanh(12.0) - np.tanh(-0.6) - found.contributions.sum()
    assert found.left_over == pytest.approx(lacking, rel=1e-9)
    assert 0 < abs(found.left_over) <= 1e-5 * (np.tanh(12.0) - np.tanh(-0.6))


def test_a_straight_line_and_no_way_at_all_take_the_fewest_points(batches: list[int]) -> None:
    network = neuron([2.0], 1.0, "identity")
    integrated_gradients(network, network.initial_parameters(), np.ones(1), np.zeros(1), 0)
    assert batches == [2, 64]
    curved = neuron([2.0], 1.0, "tanh")
    found = integrated_gradients(curved, curved.initial_parameters(), np.ones(1), np.ones(1), 0)
    assert batches == [2, 64] * 2
    assert found.contributions.tolist() == [0.0]


@pytest.mark.parametrize(("w", "start"), [(20.5, -1.0), (27.75, -0.5), (40.0, -1.0), (300.0, -1.0)])
def test_points_are_doubled_until_little_is_left_over(batches: list[int], w: float, start: float) -> None:
    network = neuron([w], 0.0, "tanh")
    integrated_gradients(network, network.initial_parameters(), np.ones(1), np.array([start]), 0)
    ends = np.tanh(w) - np.tanh(w * start)
    points = 64
    while abs(midpoints(lambda z: 1 / np.cosh(z) ** 2, w * start, w, points) - ends) > 1e-5 * ends:
        points *= 2
    assert batches[1:] == [p for p in accumulate([64] + [2] * 20, lambda a, b: a * b) if p <= points]


def test_the_tolerance_is_a_part_of_the_difference_of_the_outputs(batches: list[int]) -> None:
    """From -1 to 1 the outputs add up to 0; what they differ by is 2."""
    w = 17.0
    off = abs(midpoints(lambda z: 1 / np.cosh(z) ** 2, -w, w, 64) - 2 * np.tanh(w)) / (2 * np.tanh(w))
    assert 1e-12 < off < 1e-5
    network = neuron([w], 0.0, "tanh")
    for tolerance, doubled in ((1.01 * off, 0), (0.99 * off, 1)):
        batches.clear()
        integrated_gradients(
            network, network.initial_parameters(), np.ones(1), -np.ones(1), 0, tolerance=tolerance
        )
        assert batches == [2, 64, 128][: 2 + doubled]


def test_a_jump_is_left_over_after_the_most_points(batches: list[int]) -> None:
    network = neuron([1.0], 0.0, "step")
    found = integrated_gradients(network, network.initial_parameters(), np.ones(1), -np.ones(1), 0)
    assert (found.contributions.tolist(), found.left_over) == ([0.0], 1.0)
    rounds = [[64], [128], [256], [512], [1024], [2048], [4096], [4096] * 2, [4096] * 4, [4096] * 8]
    assert batches == [2, *(points for each in rounds for points in each)]
