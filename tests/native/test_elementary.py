"""The core's elementary functions: dense sweeps against NumPy in higher precision."""

from __future__ import annotations

import numpy as np
import pytest

from handgrad.engines.native import evaluate
from handgrad.nn.special import normal_cdf


def sweep(low: float, high: float, count: int = 400_001) -> np.ndarray:
    """Evenly spaced numbers, and numbers of every magnitude down to the smallest normal one."""
    even = np.linspace(low, high, count)
    small = np.geomspace(1e-37, max(abs(low), abs(high)), count // 4)
    every = np.concatenate([even, small, -small])
    return every[(every >= low) & (every <= high)]


def exact(name: str, x: np.ndarray) -> np.ndarray:
    x = x.astype(np.longdouble)
    e = np.exp(-np.abs(x))
    return {
        "exp_negative": lambda: np.exp(x),
        "tanh": lambda: np.tanh(x),
        "sigmoid": lambda: np.where(x >= 0, 1 / (1 + e), e / (1 + e)),
        "log": lambda: np.log(x),
        "softplus": lambda: np.maximum(x, 0) + np.log1p(e),
        "expm1_negative": lambda: np.expm1(x),
        "exp": lambda: np.exp(x),
        "normal_cdf": lambda: normal_cdf(x.astype(np.float64)).astype(np.longdouble),
    }[name]()


RANGES = {
    "exp_negative": (-87.3, 0.0),
    "tanh": (-12.0, 12.0),
    "sigmoid": (-87.0, 87.0),
    "log": (1e-37, 1e6),
    "softplus": (-80.0, 80.0),
    "expm1_negative": (-87.0, 0.0),
    "normal_cdf": (-6.0, 6.0),
    "exp": (-87.3, 88.3),
}
# float32, in units in the last place; the normal distribution squares its argument first
ULPS = {
    "exp_negative": 4,
    "tanh": 4,
    "sigmoid": 4,
    "log": 4,
    "softplus": 4,
    "expm1_negative": 4,
    "normal_cdf": 24,
    "exp": 4,
}


@pytest.mark.parametrize("name", RANGES)
def test_float32_in_units_in_the_last_place(name: str, isa: str) -> None:
    x = sweep(*RANGES[name]).astype(np.float32)
    truth = exact(name, x)
    unit = np.spacing(np.abs(truth).astype(np.float32)).astype(np.longdouble)
    error = np.abs(evaluate(name, x).astype(np.longdouble) - truth) / unit
    worst = int(np.argmax(error))
    assert error[worst] <= ULPS[name], f"{name}({x[worst]!r}) is {error[worst]:.2f} ulp off"


@pytest.mark.parametrize("name", RANGES)
def test_float64_relative(name: str, isa: str) -> None:
    x = sweep(*RANGES[name], count=100_001)
    truth = exact(name, x)
    size = np.where(truth == 0, 1, np.abs(truth))
    error = np.abs(evaluate(name, x).astype(np.longdouble) - truth) / size
    worst = int(np.argmax(error))
    bar = 1e-14 if name == "normal_cdf" else 1e-15
    assert error[worst] <= bar, f"{name}({x[worst]!r}): relative error {float(error[worst]):.2e}"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_ends_of_the_line(isa: str, dtype: type) -> None:
    """Infinities and NaN go the way the equations say; what is too small for a normal number becomes 0."""
    inf, nan = np.inf, np.nan
    for name, x, y in (
        ("exp_negative", (-inf, -1e30, 0.0, nan), (0, 0, 1, nan)),
        ("tanh", (-inf, inf, 0.0, nan), (-1, 1, 0, nan)),
        ("sigmoid", (-inf, inf, 0.0, nan), (0, 1, 0.5, nan)),
        ("log", (0.0, inf, -1.0, nan, 1.0), (-inf, inf, nan, nan, 0)),
        ("softplus", (-inf, inf, nan), (0, inf, nan)),
        ("expm1_negative", (-inf, 0.0, nan), (-1, 0, nan)),
        ("exp", (-inf, -1e30, 0.0, 1e30, inf, nan), (0, 0, 1, inf, inf, nan)),
    ):
        np.testing.assert_array_equal(evaluate(name, np.array(x, dtype)), np.array(y, dtype), err_msg=name)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_logarithm_of_numbers_that_are_not_normal(isa: str, dtype: type) -> None:
    x = np.array([np.finfo(dtype).smallest_subnormal, np.finfo(dtype).tiny / 3], dtype)
    np.testing.assert_allclose(evaluate("log", x), np.log(x.astype(np.longdouble)).astype(dtype), rtol=4e-7)
