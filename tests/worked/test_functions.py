"""The functions of a sheet against other definitions, how far rounding carries them, where they are exact."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from statistics import NormalDist

import numpy as np
import pytest
import torch

from handgrad.errors import VerificationError
from handgrad.nn.activations import Activation
from handgrad.worked.computed import Computed
from handgrad.worked.functions import EXACT, FUNCTIONS, RATIONAL_AT, SELU, SIZES, TOGETHER, applied

NORMAL = NormalDist()
Z = np.array([[-7.5, -3.0, -1.2, -0.3, 0.0, 0.4, 2.5, 3.0, 6.0, 7.5]])
POSITIVE = np.array([[0.25, 1.0, 3.5]])
P = [0.4]


def sigmoid(z: float) -> float:
    return 0.5 * (1 + math.tanh(z / 2))


def tensor(function: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[np.ndarray], np.ndarray]:
    """A function of PyTorch, of arrays."""
    return lambda z: function(torch.from_numpy(z)).numpy()


def slope(function: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[np.ndarray], np.ndarray]:
    """The derivative of a function of PyTorch, by its autodiff."""

    def derivative(z: np.ndarray) -> np.ndarray:
        x = torch.from_numpy(z.copy()).requires_grad_()
        function(x).sum().backward()
        assert x.grad is not None
        return x.grad.numpy()

    return derivative


F = torch.nn.functional
OF_TORCH: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "leaky_relu": lambda z: F.leaky_relu(z, P[0]),
    "elu": lambda z: F.elu(z, P[0]),
    "gelu": F.gelu,
    "silu": F.silu,
    "softplus": lambda z: F.softplus(z, threshold=1e9),
    "relu6": F.relu6,
    "hard_sigmoid": F.hardsigmoid,
    "selu": F.selu,
    "mish": F.mish,
    "exponential": torch.exp,
    "identity": lambda z: 1 * z,
}


@pytest.mark.parametrize("name", OF_TORCH)
def test_a_function_and_its_slope_are_those_of_pytorch(name: str):
    for of, wanted in ((name, tensor(OF_TORCH[name])), (name + "'", slope(OF_TORCH[name]))):
        found = applied(of, [Computed(Z, 0.0, 0.0)], P, -1).value
        np.testing.assert_allclose(
            found, wanted(Z), rtol=1e-7 if name in ("selu", "hard_sigmoid") else 1e-12, atol=1e-14, err_msg=of
        )


def test_the_constants_of_selu_are_those_of_its_paper():
    # Klambauer et al. (2017): what leaves mean 0 and variance 1 as they are, for a normal z
    points = np.linspace(-12, 12, 200_001)
    density = np.exp(-(points**2) / 2) / math.sqrt(2 * math.pi) * (points[1] - points[0])
    a = applied("selu", [Computed(points, 0.0, 0.0)], [], -1).value
    assert abs((a * density).sum()) < 1e-8
    assert abs((a * a * density).sum() - 1) < 1e-8
    assert SELU[0] * SELU[1] == pytest.approx(1.7580993408473766)


OTHERS: dict[str, Callable[[float], float]] = {
    "step": lambda z: float(z > 0),
    "step'": lambda z: 0.0,
    "exp": math.exp,
    "abs": abs,
    "sign": lambda z: float(z > 0) - float(z < 0),
    "erf_phi": NORMAL.cdf,
    "phi": NORMAL.pdf,
    "clip": lambda z: max(-P[0], min(P[0], z)),
    "indicator": lambda z: float(z > 0),
}


@pytest.mark.parametrize("name", OTHERS)
def test_the_other_functions_are_those_of_the_standard_library(name: str):
    found = applied(name, [Computed(Z, 0.0, 0.0)], P, -1).value
    np.testing.assert_allclose(found[0], [OTHERS[name](z) for z in Z[0]], rtol=1e-12, atol=1e-15)


def test_functions_of_several_numbers():
    x, y = Computed(Z, 0.0, 0.0), Computed(-Z, 0.0, 0.0)
    np.testing.assert_array_equal(applied("max", [x, y], [], -1).value, np.abs(Z))
    np.testing.assert_array_equal(applied("min", [x, y, x], [], -1).value, -np.abs(Z))
    np.testing.assert_allclose(
        applied("ln", [Computed(POSITIVE, 0.0, 0.0)], [], -1).value, [[math.log(z) for z in POSITIVE[0]]]
    )


@pytest.mark.parametrize("axis", [-1, -2])
def test_functions_of_all_units_together(axis: int):
    z = np.array([[1.0, -2.0, 0.5], [800.0, 3.0, -1.0]])
    x = torch.from_numpy(z)
    soft = torch.softmax(x, axis)
    wanted = {"softmax": soft, "softmax'": soft * (1 - soft), "ln_softmax": torch.log_softmax(x, axis)}
    for name, value in wanted.items():
        np.testing.assert_allclose(
            applied(name, [Computed(z, 0.0, 0.0)], [], axis).value, value.numpy(), rtol=1e-12, atol=0
        )


def test_a_function_that_is_not_there_is_named():
    with pytest.raises(VerificationError, match="unknown function 'f'"):
        applied("f", [Computed(Z, 0.0, 0.0)], [], -1)


# --- how far rounding carries them ----------------------------------------------------------------------

UNIT = 2.0**-24


def in_float32(name: str, z: np.ndarray) -> np.ndarray:
    """The function as a training in float32 has it."""
    activation = Activation(
        name.removesuffix("'"), P[0] if name.removesuffix("'") in ("leaky_relu", "elu") else None
    )
    x = z.astype(np.float32)
    a = activation.value(x)
    return np.asarray(activation.derivative(x, a) if name.endswith("'") else a, float)


DENSE = np.linspace(-9, 9, 4001).astype(np.float32).astype(float).reshape(1, -1)


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name.removesuffix("'") in OF_TORCH])
def test_a_training_in_float32_stays_within_the_bound(name: str):
    computed = applied(name, [Computed(DENSE, 0.0, UNIT)], P, -1)
    off = np.abs(in_float32(name, DENSE) - computed.value)
    # at a kink float32 is on one side of it; a constant such as alpha was rounded when the training took it
    assert np.all(off <= np.asarray(computed.error) + 2 * UNIT * np.abs(computed.value)), name


WANTED_SIZES: dict[str, Callable[[float], float]] = {
    "gelu": lambda z: abs(z * NORMAL.cdf(z)) * (1 + z * z),
    "gelu'": lambda z: (NORMAL.cdf(z) + abs(z) * NORMAL.pdf(z)) * (1 + z * z),
    "erf_phi": lambda z: NORMAL.cdf(z) * (1 + z * z),
    "phi": lambda z: NORMAL.pdf(z) * (1 + z * z),
    "silu'": lambda z: sigmoid(z) * (1 + abs(z)),
    "sigmoid'": sigmoid,
    "tanh'": lambda z: 1.0,
    "hard_sigmoid": lambda z: abs(z / 6) + 1 / 2,
    "selu'": lambda z: SELU[1] if z > 0 else SELU[0] * SELU[1] * (1 + math.exp(z)),
    "mish'": lambda z: 1 + abs(z) * sigmoid(z),
    "elu'": lambda z: 1.0 if z > 0 else P[0] * (1 + math.exp(z)),
}
"""What rounding is relative to, where intermediate results are larger than the function: condition numbers, and the
sizes of what training subtracts."""


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_bound_of_a_function_is_so_many_units_of_its_size(name: str):
    if name in ("ln", "max", "min"):
        return
    found = applied(name, [Computed(Z, 0.0, UNIT)], P, -1)
    if name in EXACT:
        assert found.error == 0.0
        return
    if name in TOGETHER:
        spread = 1 + np.max(Z) - Z + Z.size / 8
        soft = np.exp(Z - Z.max()) / np.exp(Z - Z.max()).sum()
        size = {
            "softmax": soft * spread,
            "softmax'": soft * spread,
            "ln_softmax": np.abs(np.log(soft)) + spread,
        }[name]
    else:
        size = (
            np.array([[abs(WANTED_SIZES[name](z)) for z in Z[0]]])
            if name in WANTED_SIZES
            else np.abs(found.value)
        )
    np.testing.assert_allclose(found.error, 8 * UNIT * size, rtol=1e-6, atol=1e-20)


def test_which_functions_have_a_size_of_their_own_and_which_round_nothing():
    assert set(SIZES) == {*WANTED_SIZES, "softmax", "softmax'", "ln_softmax"}
    exact = [
        name
        for name in FUNCTIONS
        if name.removesuffix("'") in ("identity", "relu", "relu6", "step", "abs", "sign", "indicator")
    ]
    assert set(exact) == EXACT


@pytest.mark.parametrize("name", ["tanh", "relu", "clip"])
def test_what_comes_through_is_how_far_the_function_moves(name: str):
    error = np.full_like(Z, 0.25)
    found = applied(name, [Computed(Z, error, 1e-300)], P, -1)
    f = {"tanh": np.tanh, "relu": lambda z: np.maximum(z, 0), "clip": lambda z: np.clip(z, -P[0], P[0])}[name]
    np.testing.assert_allclose(
        found.error,
        np.maximum(np.abs(f(Z + 0.25) - f(Z)), np.abs(f(Z - 0.25) - f(Z))),
        rtol=1e-12,
        atol=1e-200,
    )


@pytest.mark.parametrize(("name", "by"), [("softmax", "itself"), ("softmax'", "1"), ("ln_softmax", "1")])
def test_what_comes_through_all_units_together_is_twice_the_largest(name: str, by: str):
    z, error = np.array([[1.0, 2.0], [0.5, -1.0]]), np.array([[0.1, 0.2], [0.05, 0.01]])
    found = applied(name, [Computed(z, error, 1e-300)], [], -1)
    size = np.abs(found.value) if by == "itself" else np.ones_like(z)
    np.testing.assert_allclose(found.error, 2 * np.array([[0.2], [0.05]]) * size, rtol=1e-12)


# --- where they are rational ----------------------------------------------------------------------------

# name: (numbers where the value can be written down, with it; numbers where it cannot)
RATIONAL: dict[str, tuple[dict[float, Fraction], tuple[float, ...]]] = {
    "sigmoid": ({0.0: Fraction(1, 2)}, (-1.0, 1.0, 1e-9)),
    "tanh": ({0.0: Fraction(0)}, (-1.0, 1.0)),
    "elu": ({0.0: Fraction(0), 2.0: Fraction(2)}, (-1.0, -1e-9)),
    "selu": ({0.0: Fraction(0)}, (-1.0,)),
    "gelu": ({0.0: Fraction(0)}, (-1.0, 1.0)),
    "silu": ({0.0: Fraction(0)}, (-1.0, 1.0)),
    "softplus": ({}, (-1.0, 0.0, 1.0)),
    "mish": ({0.0: Fraction(0)}, (-1.0, 1.0)),
    "exponential": ({0.0: Fraction(1)}, (-1.0, 1.0)),
    "sigmoid'": ({0.0: Fraction(1, 4)}, (-1.0, 1.0)),
    "tanh'": ({0.0: Fraction(1)}, (-1.0, 1.0)),
    "elu'": ({2.0: Fraction(1)}, (-1.0,)),
    "selu'": ({}, (-1.0,)),
    "mish'": ({0.0: Fraction(3, 5)}, (-1.0, 1.0)),
    "exponential'": ({0.0: Fraction(1)}, (-1.0, 1.0)),
    "gelu'": ({0.0: Fraction(1, 2)}, (-1.0, 1.0)),
    "silu'": ({0.0: Fraction(1, 2)}, (-1.0, 1.0)),
    "softplus'": ({0.0: Fraction(1, 2)}, (-1.0, 1.0)),
    "exp": ({0.0: Fraction(1)}, (-1.0, 1.0)),
    "ln": ({1.0: Fraction(0)}, (0.5, 2.0)),
    "erf_phi": ({0.0: Fraction(1, 2)}, (-1.0, 1.0)),
    "phi": ({}, (-1.0, 0.0, 1.0)),
    "ln_softmax": ({}, (0.0, 1.0)),
}


@pytest.mark.parametrize("name", RATIONAL)
def test_a_value_can_be_written_down_where_it_is_a_fraction(name: str):
    fractions, others = RATIONAL[name]
    for z, value in fractions.items():
        assert RATIONAL_AT[name](np.array([[z]])).all()
        assert applied(name, [Computed(np.array([[z]]), 0.0, 0.0)], [1.0], -1).value.item() == pytest.approx(
            float(value), abs=1e-15
        )
    for z in others:
        assert not RATIONAL_AT[name](np.array([[z]])).any()


def test_a_softmax_of_equal_numbers_is_a_fraction():
    assert set(RATIONAL_AT) == {*RATIONAL, "softmax"}
    assert RATIONAL_AT["softmax"](np.array([[2.0, 2.0]])).all()
    assert RATIONAL_AT["softmax"](np.array([[2.0]])).all()
    assert not RATIONAL_AT["softmax"](np.array([[2.0, 1.0]])).all()


def test_a_selu_is_steep_where_it_is_a_fraction():
    assert RATIONAL_AT["selu'"](np.array([[2.0]])).all()
    assert RATIONAL_AT["selu"](np.array([[2.0]])).all()
