"""Targets that a loss cannot judge are refused, in case files and in arrays, with what it takes instead."""

from __future__ import annotations

import re

import numpy as np
import pytest

import handgrad as hg
from handgrad.cases.case import Case
from handgrad.data.arrays import samples
from handgrad.errors import CaseError, ShapeError
from handgrad.nn.network import Dense, Network

WRONG = [
    ("hinge", "identity", [[1.0], [0.0]], 0, "the signs -1 and +1"),
    ("poisson", "exponential", [[2.0], [-1.0]], -1, "counts, none below 0"),
    ("binary_cross_entropy", "sigmoid", [[1.0], [2.0]], 2, "probabilities from 0 to 1"),
]


@pytest.mark.parametrize(("loss", "output", "y", "value", "taken"), WRONG)
def test_a_target_that_the_loss_cannot_judge(loss: str, output: str, y: list, value: int, taken: str) -> None:
    document = {
        "network": {"inputs": 1, "loss": loss, "layers": [{"units": 1, "activation": output}]},
        "data": {"x": [[0.1], [0.2]], "y": y},
    }
    said = rf"the loss '{loss}' takes {re.escape(taken)}"
    if (
        loss == "binary_cross_entropy"
    ):  # the published test of a planar classifier draws its labels from a normal
        assert Case.from_dict(document).Y.tolist() == y
    else:
        with pytest.raises(CaseError, match=rf"data\.y: {said}, got {value}"):
            Case.from_dict(document)
    network = Network(1, [Dense(1, output)], loss)
    with pytest.raises(ShapeError, match=rf"Y holds {value} at \[1, 0\]; {said}"):
        samples(network, [[0.1], [0.2]], y, "float64")


def test_hinge_says_what_to_write_for_0() -> None:
    network = Network(1, [Dense(1)], "hinge")
    with pytest.raises(ShapeError, match=r"write the class 0 as -1 and the class 1 as [+]1"):
        samples(network, [[0.1]], [0], "float64")


@pytest.mark.parametrize("engine", ["native", "reference"])
def test_hinge_learns_to_tell_signs_apart_and_is_judged_by_accuracy(engine: str) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 2))
    y = np.where(X[:, 0] > X[:, 1], 1.0, -1.0)
    fit = hg.fit(Network(2, [Dense(1)], "hinge"), X, y, optimizer=hg.Adam(0.05), epochs=20, engine=engine)
    assert fit.metric == "accuracy"
    assert np.mean(np.sign(fit.predict(X)[:, 0]) == y) > 0.95


@pytest.mark.parametrize("engine", ["native", "reference"])
def test_poisson_finds_the_rate(engine: str) -> None:
    """Counts of one rate: the best rate is their mean, and its log is the bias."""
    y = np.random.default_rng(0).poisson(3.0, 400).astype(float)
    X = np.zeros((400, 1))
    network = Network(1, [Dense(1, "exponential")], "poisson")
    fit = hg.fit(
        network, X, y, optimizer=hg.Adam(0.1), epochs=200, batch_size=None, engine=engine, dtype="float64"
    )
    assert fit.predict(X)[0, 0] == pytest.approx(y.mean(), rel=1e-4)
    assert fit.metric == "R2"


def test_a_hand_calculation_takes_targets_of_classes_that_are_no_probabilities() -> None:
    y = [[1.5, -0.5]]
    document = {
        "network": {"inputs": 1, "loss": "cross_entropy", "layers": [{"units": 2, "activation": "softmax"}]},
        "data": {"x": [[0.1]], "y": y},
    }
    assert Case.from_dict(document).Y.tolist() == y
    with pytest.raises(ShapeError, match=r"none below 0"):
        samples(Network(1, [Dense(2, "softmax")], "cross_entropy"), [[0.1]], y, "float64")
