"""Splits: the share of each class by largest remainders, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from handgrad.data.batches import split_rows
from handgrad.errors import DataError


@pytest.mark.parametrize(
    ("counts", "validation", "shares"),
    [
        ((5, 3, 2), 0.4, (2, 1, 1)),  # of 4: exactly 2.0, 1.2, 0.8; the row left over goes to 0.8
        ((5, 3, 2), 0.3, (1, 1, 1)),  # of 3: 1.5, 0.9, 0.6; the rows left over go to 0.9 and 0.6
        ((4, 4, 4), 0.34, (2, 1, 1)),  # of 4: 1.33 each; equal remainders, the first class gives it
        ((1, 9), 0.5, (0, 5)),  # of 5: 0.5, 4.5; the single row of the first class stays with training
        ((1, 1, 8), 0.4, (0, 0, 4)),  # of 4: 0.4, 0.4, 3.2; two cannot spare a row, the third gives it
        ((2, 2, 2), 0.5, (1, 1, 1)),
        ((2, 8), 0.9, (1, 7)),  # of 9: 1.8, 7.2, each keeps a row: 8 are all that can be spared
        ((7, 3), 0.1, (1, 0)),  # of 1: 0.7, 0.3
        ((10,), 0.25, (2,)),  # Python rounds 2.5 to even
    ],
)
def test_each_class_gives_its_share_by_largest_remainders(counts, validation, shares) -> None:
    classes = np.repeat(np.arange(len(counts)), counts)
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(len(classes))
        split = split_rows(len(classes), validation, seed, classes[order])
        held = np.bincount(classes[order][split.validation], minlength=len(counts))
        assert tuple(held) == shares
        assert sorted([*split.training, *split.validation]) == list(range(len(classes)))


def test_which_rows_of_a_class_are_held_out_depends_on_the_seed() -> None:
    classes = np.repeat([0, 1], 20)
    held = {tuple(split_rows(40, 0.25, seed, classes).validation.tolist()) for seed in range(8)}
    assert len(held) == 8
    assert (
        split_rows(40, 0.25, 3, classes).validation.tolist()
        == split_rows(40, 0.25, 3, classes).validation.tolist()
    )


def test_without_classes_the_part_is_of_all_rows() -> None:
    for rows, part, wanted in ((10, 0.25, 2), (10, 0.01, 1), (3, 0.5, 2), (2, 0.9, None), (1, 0.5, None)):
        if wanted is None:
            with pytest.raises(DataError, match=f"{rows} rows cannot be split"):
                split_rows(rows, part, 0)
        else:
            assert len(split_rows(rows, part, 0).validation) == wanted
    assert split_rows(4, 0.0, 0).training.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("part", [-0.1, 1.0, float("nan")])
def test_a_part_outside_its_range_is_refused(part: float) -> None:
    with pytest.raises(DataError, match="validation must be a part >= 0 and < 1"):
        split_rows(4, part, 0)


def test_classes_of_one_row_each_have_none_to_spare() -> None:
    with pytest.raises(DataError, match="no class has a second row"):
        split_rows(3, 0.4, 0, np.array([0, 1, 2]))
