"""Dropout: the generator's published answers, the layout of its counter, and the statistics of its masks."""

from __future__ import annotations

import math

import numpy as np
import pytest

from handgrad.errors import ShapeError, SpecificationError
from handgrad.nn.dropout import Dropout, Library, dropout_mask, philox
from handgrad.nn.forward import dropout_masks, forward, predict
from handgrad.nn.network import Dense, Network

MASK = 0xFFFFFFFF


@pytest.mark.parametrize(
    ("counter", "key", "answer"),
    [  # Random123's table of known answers, philox4x32 with 10 rounds
        (
            (0, 0, 0, 0),
            (0, 0),
            (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8),
        ),
        (
            (MASK, MASK, MASK, MASK),
            (MASK, MASK),
            (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD),
        ),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_known_answers(counter, key, answer) -> None:
    assert tuple(int(word) for word in philox(counter, key[0] | key[1] << 32)) == answer


def test_the_layout_of_the_counter() -> None:
    seed, step, layer, keep = (5 << 32) + 9, 12, 3, 0.7
    mask = dropout_mask(seed, step, layer, samples=3, units=10, keep=keep)
    for sample in range(3):
        for unit in range(10):
            words = philox((unit // 4, sample, layer, step), seed)
            assert mask[sample, unit] == (int(words[unit % 4]) < keep * 2**32)


def test_a_step_needs_no_step_before_it() -> None:
    network = Network(2, [Dense(6, dropout=0.5), Dense(4, dropout=0.2), Dense(1)])
    forwards = [dropout_masks(network, 1, step, 5) for step in (1, 2, 3)]
    backwards = [dropout_masks(network, 1, step, 5) for step in (3, 2, 1)][::-1]
    for one, other in zip(forwards, backwards, strict=True):
        assert one is not None
        assert other is not None
        assert np.array_equal(one[0], other[0])
        assert np.array_equal(one[1], other[1])
        assert one[2] is None
    assert not np.array_equal(forwards[0][0], forwards[1][0])


def test_a_smaller_batch_and_a_narrower_layer_see_the_same_draws() -> None:
    wide = dropout_mask(0, 1, 1, samples=8, units=13, keep=0.5)
    np.testing.assert_array_equal(dropout_mask(0, 1, 1, samples=3, units=5, keep=0.5), wide[:3, :5])


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.8, 0.999])
def test_how_many_are_kept(keep: float) -> None:
    mask = dropout_mask(11, 4, 2, samples=400, units=500, keep=keep)
    deviation = math.sqrt(keep * (1 - keep) / mask.size)
    assert mask.mean() == pytest.approx(keep, abs=4 * deviation)
    assert mask.mean(axis=0) == pytest.approx(np.full(500, keep), abs=5 * deviation * math.sqrt(500))
    assert mask.mean(axis=1) == pytest.approx(np.full(400, keep), abs=5 * deviation * math.sqrt(400))


def test_seeds_steps_layers_samples_and_units_are_independent() -> None:
    def mask(seed: int = 0, step: int = 1, layer: int = 1) -> np.ndarray:
        return dropout_mask(seed, step, layer, 300, 300, 0.5) - 0.5

    first = mask()
    others = [
        mask(seed=1),
        mask(seed=1 << 32),
        mask(step=2),
        mask(layer=2),
        np.roll(first, 1, 0),
        np.roll(first, 1, 1),
    ]
    for other in others:
        assert abs((first * other).mean()) < 4 * 0.25 / 300


def test_all_are_kept_where_keep_is_one() -> None:
    assert dropout_mask(0, 1, 1, 50, 50, 1.0).all()


def test_what_is_kept_is_divided_by_keep() -> None:
    network = Network(
        1, [Dense(4, W=[[1.0], [2.0], [3.0], [4.0]], dropout=Dropout(0.5, ((1, 0, 1, 0),))), Dense(1)]
    )
    parameters = network.initial_parameters()
    X = np.array([[1.0], [10.0]])
    masks = dropout_masks(network, 0, 1, samples=2)
    assert forward(network, parameters, X, masks).A[1].tolist() == [[2, 0, 6, 0], [20, 0, 60, 0]]
    assert forward(network, parameters, X).A[1].tolist() == [[1, 2, 3, 4], [10, 20, 30, 40]]
    np.testing.assert_array_equal(predict(network, parameters, X), forward(network, parameters, X).yhat)


def test_the_mean_over_many_masks_is_the_layer_without_dropout() -> None:
    network = Network(1, [Dense(3, "relu", W=[[1.0], [0.5], [2.0]], dropout=0.2), Dense(1)])
    parameters = network.initial_parameters()
    X = np.ones((20000, 1))
    mean = forward(network, parameters, X, dropout_masks(network, 0, 1, len(X))).A[1].mean(axis=0)
    assert mean == pytest.approx([1.0, 0.5, 2.0], rel=0.02)


def test_a_network_without_dropout_needs_no_masks() -> None:
    assert dropout_masks(Network(1, [Dense(1)]), 0, 1, 1) is None


def test_masks_given_for_every_sample() -> None:
    network = Network(1, [Dense(2, dropout=Dropout(0.5, ((1, 0), (0, 1)))), Dense(1)])
    masks = dropout_masks(network, 0, 1, samples=2)
    assert masks is not None
    assert masks[0].tolist() == [[True, False], [False, True]]
    with pytest.raises(ShapeError, match=r"layer 1: the dropout mask .* \(1, 2\) or \(3, 2\), got \(2, 2\)"):
        dropout_masks(network, 0, 1, samples=3)


@pytest.mark.parametrize(
    ("keep", "mask", "message"),
    [
        (0.0, None, "0 < keep <= 1, got 0.0"),
        (1.1, None, "0 < keep <= 1, got 1.1"),
        (math.nan, None, "0 < keep <= 1, got nan"),
        (0.5, ((1, 2),), "a mask holds zeros .* and ones .* only"),
        (0.5, ((1, 0), (1,)), "the rows of a mask must have equal length"),
        (0.5, (), "the rows of a mask must have equal length"),
    ],
)
def test_errors_name_what_was_expected(keep: float, mask, message: str) -> None:
    with pytest.raises(SpecificationError, match=message):
        Dropout(keep, mask)


def test_a_unit_is_kept_where_its_word_is_below_the_bar() -> None:
    """The first word of the published answer is 0x6627e8d5: kept from the next bar on, and not before."""
    word = 0x6627E8D5
    for bar, kept in ((word, False), (word + 1, True), (word + 2, True), (word - 1, False)):
        assert dropout_mask(0, 0, 0, samples=1, units=1, keep=bar / 2**32)[0, 0] == kept


def test_a_step_beyond_32_bits_begins_again() -> None:
    np.testing.assert_array_equal(dropout_mask(3, 2**32 + 5, 1, 4, 9, 0.5), dropout_mask(3, 5, 1, 4, 9, 0.5))


def test_without_a_word_everything_is_kept() -> None:
    assert Dropout().keep == 1
    assert Dropout(1.0) == Dropout()


def test_words_have_32_bits_in_numpy_and_the_type_of_another_library_where_it_names_one() -> None:
    assert {word.dtype for word in philox((np.arange(3), 0, 0, 0), 7)} == {np.dtype(np.uint32)}
    wide = Library(np, np.int64)
    answers = philox((np.arange(3), 1, 2, 3), 7, wide)
    assert {word.dtype for word in answers} == {np.dtype(np.int64)}
    np.testing.assert_array_equal(answers, philox((np.arange(3), 1, 2, 3), 7))
