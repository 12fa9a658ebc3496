"""What a network is: shapes, counts, equality, and what it refuses."""

from __future__ import annotations

import math

import numpy as np
import pytest

from handgrad.errors import HandgradError, ShapeError, SpecificationError
from handgrad.nn.activations import Activation
from handgrad.nn.arrays import namespace, rows
from handgrad.nn.dropout import Dropout
from handgrad.nn.losses import Loss
from handgrad.nn.network import Dense, Network


def test_sizes_and_counts() -> None:
    layers = [Dense(5, "relu"), Dense(4, bias="shared"), Dense(3, bias="frozen"), Dense(2, bias="none")]
    network = Network(6, layers, "squared_error")
    assert network.sizes == (6, 5, 4, 3, 2)
    assert (network.depth, network.outputs, network.loss) == (4, 2, Loss("squared_error"))
    assert network.parameter_count == (30 + 5) + (20 + 1) + 12 + 6
    assert [l for l, _ in network.numbered()] == [1, 2, 3, 4]


def test_equal_networks_are_equal() -> None:
    def network(weight: float = 0.5, **options) -> Network:
        return Network(2, [Dense(1, "relu", W=[[weight, 1.0]], **options)], "huber")

    assert network() == network()
    assert hash(network()) == hash(network())
    for other in (network(0.6), network(b=[0.0]), network(bias="none"), network(initializer="zeros")):
        assert network() != other
    assert Dense(1) != "Dense(1)"
    assert Dense(2, Activation("elu", 0.5)) != Dense(2, "elu")


def test_what_is_given_is_kept_as_it_is() -> None:
    W = np.array([[1.0, 2.0]])
    layer = Dense(1, W=W)
    W[0, 0] = 9.0
    assert layer.W is not None
    assert layer.W.tolist() == [[1.0, 2.0]]
    with pytest.raises(ValueError, match="read-only"):
        layer.W[0, 0] = 3.0


def test_a_short_description() -> None:
    assert repr(Dense(3, "tanh", bias="frozen", dropout=0.2)) == (
        "Dense(units=3, activation='tanh', bias='frozen', dropout=Dropout(keep=0.8))"
    )


def test_a_flat_list_is_one_sample() -> None:
    assert rows([1, 2, 3]).shape == (1, 3)
    assert rows(4.0).shape == (1, 1)
    assert rows([[1], [2]], np.float32).dtype == np.float32
    assert namespace(rows([1])) is np


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: Dense(0), SpecificationError, "a whole number of units, 1 to 10,000,000, got 0"),
        (lambda: Dense(True), SpecificationError, "a whole number of units, .* got True"),
        (lambda: Dense(2.0), SpecificationError, "a whole number of units, .* got 2.0"),
        (lambda: Dense(10**8), SpecificationError, "a whole number of units"),
        (lambda: Dense(1, "sin"), SpecificationError, "unknown activation 'sin'"),
        (
            lambda: Dense(1, bias="yes"),
            SpecificationError,
            "bias must be one of trained, frozen, shared, none, got 'yes'",
        ),
        (lambda: Dense(1, initializer="best"), SpecificationError, "unknown initializer 'best'"),
        (
            lambda: Dense(1, dropout=1.5),
            SpecificationError,
            "the part of the units that is dropped, 0 <= part < 1, got 1.5",
        ),
        (lambda: Dense(2, W=[[1.0]]), ShapeError, r"W must have shape \(2, inputs\), got \(1, 1\)"),
        (lambda: Dense(1, W=[1.0, 2.0]), ShapeError, r"W must have shape \(1, inputs\), got \(2,\)"),
        (lambda: Dense(2, W=[[1.0], [1.0, 2.0]]), ShapeError, "a table of numbers with rows of equal length"),
        (lambda: Dense(1, W=[["one"]]), ShapeError, "W of a layer of 1 units must be a table of numbers"),
        (lambda: Dense(2, b=[1.0]), ShapeError, r"b must have shape \(2,\), got \(1,\)"),
        (lambda: Dense(1, W=[[math.nan]]), SpecificationError, r"holds nan at \[0, 0\]; give finite numbers"),
        (lambda: Dense(2, b=[0.0, math.inf]), SpecificationError, r"holds inf at \[1\]; give finite numbers"),
        (
            lambda: Dense(2, b=[1, 2], bias="shared"),
            SpecificationError,
            r"one number for the whole layer, got \[1.0, 2.0\]",
        ),
        (lambda: Dense(1, b=[1], bias="none"), SpecificationError, r"bias 'none' has no b, got \[1.0\]"),
        (lambda: Network(0, [Dense(1)]), SpecificationError, "at least one input, got 0"),
        (lambda: Network(True, [Dense(1)]), SpecificationError, "at least one input, got True"),
        (lambda: Network(1, []), SpecificationError, "at least one layer"),
        (lambda: Network(1, ["relu"]), SpecificationError, "layer 1: expected a Dense"),
        (lambda: Network(1, [Dense(1)], "mse"), SpecificationError, "unknown loss 'mse'"),
        (
            lambda: Network(2, [Dense(3), Dense(1, W=[[1.0, 2.0]])]),
            ShapeError,
            r"layer 2: W must have shape \(units, inputs\) = \(1, 3\), got \(1, 2\)",
        ),
        (
            lambda: Network(2, [Dense(3), Dense(1, dropout=Dropout(0.5))]),
            SpecificationError,
            "layer 2 is the output; dropout belongs to hidden layers only",
        ),
    ],
)
def test_errors_name_what_was_expected(build, error: type[HandgradError], message: str) -> None:
    with pytest.raises(error, match=message):
        build()


def test_what_is_just_allowed() -> None:
    """At the time of the test, and not when its module is read."""
    assert Dense(1).units == 1
    assert Dense(10_000_000).units == 10_000_000
    with pytest.raises(SpecificationError, match="1 to 10,000,000, got 10000001"):
        Dense(10_000_001)
    assert Dense(2, b=[0.5, 0.5], bias="shared").b is not None
    assert Dense(2, b=[0.0, 0.0], bias="none").b is not None
    assert Dense(2, W=[[1.0], [2.0]]).W is not None
    assert Network(1, [Dense(1)]).inputs == 1
    with pytest.raises(SpecificationError, match="a shared bias is one number"):
        Dense(2, b=[0.5, 0.25], bias="shared")
    with pytest.raises(SpecificationError, match="bias 'none' has no b"):
        Dense(2, b=[0.0, 0.5], bias="none")


def test_the_parameters_of_a_network_are_counted_layer_by_layer() -> None:
    for bias, count in (("trained", 2 * 3 + 2), ("shared", 2 * 3 + 1), ("frozen", 2 * 3), ("none", 2 * 3)):
        assert Network(3, [Dense(2, bias=bias)]).parameter_count == count


def test_what_is_usual_is_not_said() -> None:
    assert repr(Dense(2, "relu")) == "Dense(units=2, activation='relu')"
    assert repr(Dense(2, "relu", bias="none")) == "Dense(units=2, activation='relu', bias='none')"


def test_rows_keep_a_table_and_make_one_of_a_list() -> None:
    assert rows([[1.0], [2.0], [3.0]]).tolist() == [[1.0], [2.0], [3.0]]
    assert rows([1.0, 2.0, 3.0]).tolist() == [[1.0, 2.0, 3.0]]
    assert rows(np.zeros((2, 3, 4))).shape == (2, 3, 4)


def test_parameters_are_those_of_seed_0_unless_another_is_given() -> None:
    network = Network(3, [Dense(2)])
    np.testing.assert_array_equal(network.initial_parameters()[0].W, network.initial_parameters(0)[0].W)
    assert not np.array_equal(network.initial_parameters()[0].W, network.initial_parameters(1)[0].W)
