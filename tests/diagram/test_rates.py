"""The plot of the range test: equal factors are equal distances, and the dot is at the suggested rate."""

from __future__ import annotations

import numpy as np

import handgrad as hg
from handgrad.diagram.rates import draw_rates
from handgrad.diagram.shapes import Circle, Polyline, Text
from handgrad.training.rate_range import rate_range


def test_the_dot_is_at_the_suggested_rate() -> None:
    x = np.linspace(-1, 1, 64)[:, None]
    network = hg.Network(1, [hg.Dense(8, "tanh"), hg.Dense(1)], "squared_error")
    found = rate_range(network, x, np.sin(3 * x), lowest=1e-5, highest=0.5, steps=60)
    scene = draw_rates(found)
    (dot,) = (shape for shape in scene.shapes if isinstance(shape, Circle))
    axes, smooth, losses = (shape for shape in scene.shapes if isinstance(shape, Polyline))
    (left, _), (right, _) = axes.points[1:]
    part = np.log(found.suggested / found.rates[0]) / np.log(found.rates[-1] / found.rates[0])
    np.testing.assert_allclose(dot.cx, left + part * (right - left), rtol=1e-12)
    assert len(smooth.points) == len(losses.points) == len(found.rates)
    assert losses.dashed
    assert not smooth.dashed
    texts = [shape.text for shape in scene.shapes if isinstance(shape, Text)]
    assert {f"{found.rates[0]:.3g}", f"{found.rates[-1]:.3g}", "learning rate, logarithmic"} <= set(texts)
