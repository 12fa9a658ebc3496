"""What is said of a loss that is not finite: the first place where a number is not."""

from __future__ import annotations

import numpy as np
import pytest

import handgrad as hg
from handgrad.errors import TrainingError
from handgrad.nn.network import LayerParameters
from handgrad.training.divergence import REMEDIES, check_parameters, why_not_finite

NETWORK = hg.Network(2, [hg.Dense(2, "tanh"), hg.Dense(1)], "squared_error")
X, Y = np.ones((3, 2)), np.ones((3, 1))


def with_bad(layer: int, name: str):
    held = [[array.copy() for array in pair] for pair in NETWORK.initial_parameters()]
    held[layer - 1]["Wb".index(name)].flat[-1] = np.nan
    return tuple(LayerParameters(*pair) for pair in held)


@pytest.mark.parametrize(("layer", "name"), [(1, "W"), (1, "b"), (2, "W"), (2, "b")])
def test_a_parameter_that_is_not_finite_is_named(layer: int, name: str) -> None:
    said = why_not_finite(NETWORK, with_bad(layer, name), X, Y, None)
    # what flows out of a bad layer is bad as well; the first bad place is said
    assert said == f"layer {layer}: {name}{layer} is not finite, the update before overflowed; {REMEDIES}"
    with pytest.raises(
        TrainingError, match=f"^step 7: after the update, {name}{layer} of layer {layer} is not"
    ):
        check_parameters(with_bad(layer, name), 7)
    check_parameters(NETWORK.initial_parameters(), 7)


def test_a_weighted_sum_that_is_not_finite_names_its_layer_and_the_largest_weight() -> None:
    network = hg.Network(1, [hg.Dense(1, W=[[1e200]]), hg.Dense(2, W=[[-3e200], [1.0]])], "squared_error")
    said = why_not_finite(network, network.initial_parameters(), np.ones((1, 1)), np.ones((1, 2)), None)
    assert said == f"layer 2: z is not finite (the largest weight is 3e+200); {REMEDIES}"


def test_an_activation_that_is_not_finite_names_the_largest_sum() -> None:
    masks = [np.array([[np.inf, 1.0]])]
    network = hg.Network(
        1, [hg.Dense(2, "elu", W=[[-5.0], [4.0]], dropout=0.5), hg.Dense(1)], "squared_error"
    )
    said = why_not_finite(network, network.initial_parameters(), np.ones((1, 1)), Y[:1], [*masks, None])
    assert said == f"layer 1: its activation is not finite (largest |z| 5); {REMEDIES}"


def test_finite_outputs_have_a_loss_that_overflows() -> None:
    network = hg.Network(1, [hg.Dense(2, W=[[1e160], [-2e160]])], "squared_error")
    said = why_not_finite(network, network.initial_parameters(), np.ones((1, 1)), np.ones((1, 2)), None)
    assert said == f"layer 1: the loss of its outputs (the largest 2e+160) overflows; {REMEDIES}"
