"""Gradient clipping against torch.nn.utils and by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from handgrad.errors import SpecificationError
from handgrad.nn.clipping import Clipping, clip, gradient_norm
from handgrad.nn.network import Dense, LayerParameters, Network, Parameters
from tests.strategies import Watcher

NETWORK = Network(3, [Dense(4, "tanh"), Dense(2)])


def drawn(scale: float) -> Parameters:
    generator = np.random.default_rng(0)
    return tuple(
        LayerParameters(scale * generator.normal(size=shape), scale * generator.normal(size=shape[0]))
        for shape in ((4, 3), (2, 4))
    )


def arrays(gradients: Parameters) -> list[np.ndarray]:
    return [array for layer in gradients for array in layer]


def leaves(torch, gradients: Parameters) -> list:
    parameters = [
        torch.zeros(array.shape, dtype=torch.float64, requires_grad=True) for array in arrays(gradients)
    ]
    for parameter, array in zip(parameters, arrays(gradients), strict=True):
        parameter.grad = torch.tensor(array.copy())
    return parameters


def test_by_value_as_pytorch_does() -> None:
    torch = pytest.importorskip("torch")
    gradients = drawn(1.0)
    judged = leaves(torch, gradients)
    torch.nn.utils.clip_grad_value_(judged, 0.4)
    for array, leaf in zip(arrays(clip(NETWORK, gradients, Clipping(value=0.4))), judged, strict=True):
        np.testing.assert_array_equal(array, leaf.grad.numpy())


@pytest.mark.parametrize(("scale", "limit"), [(1e8, 1e5), (1e-3, 5.0)])
def test_by_norm_as_pytorch_does(scale: float, limit: float) -> None:
    # PyTorch adds 1e-6 to the norm; at norms of 1e8 that is below the last digit
    torch = pytest.importorskip("torch")
    gradients = drawn(scale)
    judged = leaves(torch, gradients)
    norm = torch.nn.utils.clip_grad_norm_(judged, limit)
    assert float(gradient_norm(NETWORK, gradients)) == pytest.approx(norm.item(), rel=1e-14)
    for array, leaf in zip(arrays(clip(NETWORK, gradients, Clipping(norm=limit))), judged, strict=True):
        np.testing.assert_allclose(array, leaf.grad.numpy(), rtol=1e-13)


def test_the_norm_afterwards_is_the_limit_and_the_direction_stays() -> None:
    gradients = drawn(1.0)
    clipped = clip(NETWORK, gradients, Clipping(norm=0.5))
    assert float(gradient_norm(NETWORK, clipped)) == pytest.approx(0.5, rel=1e-14)
    ratios = np.concatenate(
        [(a / b).ravel() for a, b in zip(arrays(clipped), arrays(gradients), strict=True)]
    )
    assert np.ptp(ratios) < 1e-15


def test_values_are_clipped_before_the_norm_is_taken() -> None:
    network = Network(2, [Dense(1, bias="none")])
    gradients = (LayerParameters(np.array([[30.0, 4.0]]), np.zeros(1)),)
    clipped = clip(network, gradients, Clipping(value=3.0, norm=2.0))
    np.testing.assert_allclose(clipped[0].W, np.array([[3.0, 3.0]]) * 2 / math.sqrt(18), rtol=1e-15)


def test_only_what_is_trained_counts_and_a_shared_bias_counts_once() -> None:
    kinds = {"trained": 8.0, "shared": 4.0, "frozen": 0.0, "none": 0.0}  # sum of squares of db = (2, 2)
    for bias, squares in kinds.items():
        network = Network(1, [Dense(2, bias=bias)])
        gradients = (LayerParameters(np.array([[1.0], [2.0]]), np.array([2.0, 2.0])),)
        assert float(gradient_norm(network, gradients)) == pytest.approx(math.sqrt(5 + squares)), bias


@pytest.mark.parametrize("clipping", [Clipping(norm=1.0), Clipping(value=1.0), Clipping(value=1.0, norm=1.0)])
def test_a_gradient_of_zero_stays_zero(clipping: Clipping) -> None:
    zeros = drawn(0.0)
    assert all(not array.any() for array in arrays(clip(NETWORK, zeros, clipping)))


def test_a_gradient_that_is_not_a_number_stays_one() -> None:
    gradients = drawn(1.0)
    gradients[0].W[0, 0] = np.nan
    clipped = clip(NETWORK, gradients, Clipping(value=1.0, norm=1.0))
    assert np.isnan(clipped[0].W[0, 0])


def test_what_is_shown_by_name() -> None:
    network = Network(3, [Dense(4, bias="none"), Dense(2)])
    watcher = Watcher()
    clip(network, drawn(1.0), Clipping(norm=0.1), watcher)
    assert set(watcher.seen) == {"gradient_norm", "dW1_clipped", "dW2_clipped", "db2_clipped"}


@pytest.mark.parametrize("limit", [0.0, -1.0, math.nan, math.inf])
@pytest.mark.parametrize("kind", ["value", "norm"])
def test_errors_name_what_was_expected(kind: str, limit: float) -> None:
    with pytest.raises(
        SpecificationError, match=f"clipping: {kind} must be a finite number > 0, got {limit}"
    ):
        Clipping(**{kind: limit})


def test_no_limit_is_no_clipping() -> None:
    assert not Clipping()
    assert Clipping(value=1.0)
    assert Clipping(norm=1.0)


def test_a_small_norm_above_a_smaller_limit() -> None:
    network = Network(2, [Dense(1, bias="none")])
    gradients = (LayerParameters(np.array([[0.3, 0.4]]), np.zeros(1)),)
    np.testing.assert_allclose(clip(network, gradients, Clipping(norm=0.1))[0].W, [[0.06, 0.08]], rtol=1e-15)
