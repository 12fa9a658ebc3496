from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handgrad.diagram.arrangement import MOST_COLUMNS, Spacing, arrange

SPACING = Spacing(column=100, row=50, radius=10, left=20, right=30, top=40, bottom=25)


def test_a_small_network_is_shown_whole() -> None:
    arrangement = arrange((2, 3, 1), 10, SPACING)
    assert [[neuron.unit for neuron in column.neurons] for column in arrangement.columns] == [
        [0, 1],
        [0, 1, 2],
        [0],
    ]
    assert [column.x for column in arrangement.columns] == [30, 130, 230]
    assert (arrangement.width, arrangement.height) == (270, 40 + 120 + 25)


def test_layers_are_centred_on_one_line() -> None:
    middles = [
        sum(neuron.y for neuron in column.neurons) / len(column.neurons)
        for column in arrange((5, 2, 3), 10, SPACING).columns
    ]
    assert middles == pytest.approx([middles[0]] * 3)


def test_a_wide_layer_keeps_its_ends_and_counts_the_rest() -> None:
    column = arrange((784, 1), 6, SPACING).columns[0]
    assert [neuron.unit for neuron in column.neurons] == [0, 1, 2, 782, 783]
    assert column.left_out == 779
    assert column.neurons[2].y < column.gap_y < column.neurons[3].y


def test_a_deep_network_keeps_its_ends() -> None:
    arrangement = arrange((1,) * 40, 10, SPACING)
    layers = [column.layer for column in arrangement.columns]
    assert layers == [0, 1, 2, 3, 36, 37, 38, 39]
    assert arrangement.left_out == 32
    before, after = (
        arrangement.columns[arrangement.gap_before - 1],
        arrangement.columns[arrangement.gap_before],
    )
    assert (before.layer, after.layer) == (3, 36)
    assert before.x < arrangement.gap_x < after.x


@given(st.lists(st.integers(1, 3000), min_size=2, max_size=60), st.integers(3, 12))
def test_every_unit_is_drawn_or_counted_and_stands_inside(sizes: list[int], most: int) -> None:
    arrangement = arrange(tuple(sizes), most, SPACING)
    assert len(arrangement.columns) <= MOST_COLUMNS
    assert len(arrangement.columns) + arrangement.left_out == len(sizes)
    for column in arrangement.columns:
        assert len(column.neurons) + column.left_out == sizes[column.layer]
        assert len(column.neurons) <= most
        heights = [neuron.y for neuron in column.neurons] + ([column.gap_y] if column.left_out else [])
        ordered = sorted(heights)
        assert all(b - a >= SPACING.row - 1e-9 for a, b in pairwise(ordered))
        assert min(heights) >= SPACING.top + SPACING.radius - 1e-9
        assert max(heights) <= arrangement.height - SPACING.bottom - SPACING.radius + 1e-9
