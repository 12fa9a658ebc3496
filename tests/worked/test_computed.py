"""Each operation has the bound of running error analysis, as written here from Higham's book, and no more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from handgrad.nn.arrays import Array
from handgrad.worked.computed import Computed, roundoff

UNIT = 2.0**-20  # coarse, so that each part of a bound is seen beside the others
RNG = np.random.default_rng(3)
X, Y, Z = RNG.normal(size=(2, 3)), RNG.normal(size=(2, 3)) + 4.0, RNG.normal(size=(3, 2))
DX, DY, DZ = (RNG.uniform(1e-5, 1e-4, array.shape) for array in (X, Y, Z))

Bound = Callable[[Any, Any], tuple[Array, Array]]
"""From the errors of both operands: the value, and the bound."""


def _quotient(dx: Any, dy: Any) -> tuple[Array, Array]:
    q = X / Y
    return q, (dx + np.abs(q) * dy) / (np.abs(Y) - dy) + UNIT * np.abs(q)


def _power(dx: Any, dy: Any) -> tuple[Array, Array]:
    value = Y**X
    return value, np.abs(X * Y ** (X - 1)) * dy + np.abs(value * np.log(Y)) * dx + 4 * UNIT * np.abs(value)


def _sum(axis: Any, keepdims: bool, count: int) -> Bound:
    def bound(dx: Any, dy: Any) -> tuple[Array, Array]:
        through = np.broadcast_to(dx, X.shape).sum(axis=axis, keepdims=keepdims)
        return X.sum(axis=axis, keepdims=keepdims), through + count * UNIT * np.abs(X).sum(
            axis=axis, keepdims=keepdims
        )

    return bound


BOTH = np.array([[True, False, True], [False, False, True]])
OPERATIONS: dict[str, tuple[Callable[[Computed, Computed], Computed], Bound]] = {
    "-x": (lambda x, y: -x, lambda dx, dy: (-X, dx + 0 * X)),
    "x + y": (lambda x, y: x + y, lambda dx, dy: (X + Y, dx + dy + UNIT * np.abs(X + Y))),
    "x y": (
        lambda x, y: x * y,
        lambda dx, dy: (X * Y, np.abs(X) * dy + dx * (np.abs(Y) + dy) + UNIT * np.abs(X * Y)),
    ),
    "x / y": (lambda x, y: x / y, _quotient),
    "y^x": (lambda x, y: y.power(x), _power),
    "root y": (
        lambda x, y: y.root(),
        lambda dx, dy: (np.sqrt(Y), np.minimum(dy / np.sqrt(Y), np.sqrt(dy)) + UNIT * np.sqrt(Y)),
    ),
    "all of x": (lambda x, y: x.total((-2, -1)), _sum((0, 1), True, 6)),
    "down x": (lambda x, y: x.total(-2), _sum(0, True, 2)),
    "along x": (lambda x, y: x.total(-1, keepdims=False), _sum(1, False, 3)),
    "x turned": (lambda x, y: x.shaped(np.transpose), lambda dx, dy: (X.T, (dx + 0 * X).T)),
    "x or y": (
        lambda x, y: x.where(BOTH, y),
        lambda dx, dy: (np.where(BOTH, X, Y), np.where(BOTH, dx, dy) + 0 * X),
    ),
}


@pytest.mark.parametrize(
    "errors", [(DX, DY), (DX, 0.0), (0.0, DY), (0.0, 0.0)], ids=["both", "x", "y", "none"]
)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_bound_of_an_operation_is_that_of_the_book(operation: str, errors: tuple[Any, Any]):
    act, bound = OPERATIONS[operation]
    dx, dy = errors
    found = act(Computed(X, dx, UNIT), Computed(Y, dy, UNIT))
    value, error = bound(dx, dy)
    np.testing.assert_allclose(found.value, value, rtol=1e-14)
    np.testing.assert_allclose(np.broadcast_to(found.error, value.shape), error, rtol=1e-12, atol=0)
    assert found.unit == UNIT
    assert act(Computed(X, 0.0, 0.0), Computed(Y, 0.0, 0.0)).error == 0.0  # exact arithmetic has no error


@pytest.mark.parametrize(
    "errors", [(DX, DZ), (DX, 0.0), (0.0, DZ), (0.0, 0.0)], ids=["both", "x", "z", "none"]
)
def test_a_product_of_matrices_adds_one_rounding_for_each_term(errors: tuple[Any, Any]):
    dx, dz = (np.broadcast_to(error, array.shape) for error, array in zip(errors, (X, Z), strict=True))
    found = Computed(X, errors[0], UNIT) @ Computed(Z, errors[1], UNIT)
    np.testing.assert_allclose(found.value, X @ Z, rtol=1e-14)
    wanted = np.abs(X) @ dz + dx @ (np.abs(Z) + dz) + 4 * UNIT * (np.abs(X) @ np.abs(Z))
    np.testing.assert_allclose(found.error, wanted, rtol=1e-12)
    assert (Computed(X, 0.0, 0.0) @ Computed(Z, 0.0, 0.0)).error == 0.0


def test_of_a_divisor_that_may_be_0_nothing_is_known():
    one = Computed(np.array([1.0, 1.0, 1.0]), 0.0, UNIT)
    with np.errstate(divide="ignore"):
        found = one / Computed(np.array([0.1, 0.1, 0.1]), np.array([0.05, 0.1, 0.2]), UNIT)
    assert np.isfinite(found.error).tolist() == [True, False, False]


def test_the_root_of_0_is_off_by_the_root_of_its_error():
    with np.errstate(divide="ignore"):
        found = Computed(np.array([0.0, 4.0]), np.array([1e-6, 1e-6]), 1e-30).root()
    np.testing.assert_allclose(found.error, [1e-3, 0.5e-6], rtol=1e-9)


def test_what_is_made_adds_the_rounding_of_its_operations():
    of = Computed(np.zeros(1), 0.0, UNIT)
    value, size = np.array([-2.0]), np.array([-7.0])
    assert of.made(value, 0.0).error.item() == 2 * UNIT
    assert of.made(value, np.array([0.5]), size, 3.0).error.item() == 0.5 + 21 * UNIT
    assert of.exactly(value, 0.25).error == 0.25
    assert Computed(np.zeros(1), 0.0, 0.0).made(value, 0.5).error == 0.0  # without a unit no bound is kept


def test_no_error_is_told_from_one_that_happens_to_be_0():
    x = Computed(np.array([1.0]), np.array([0.0]), UNIT)
    assert isinstance(x.where(np.array([True]), x).error, np.ndarray)
    assert isinstance(x.shaped(np.negative).error, np.ndarray)


@pytest.mark.parametrize(("dtype", "bits"), [(np.float16, 11), (np.float32, 24), (np.float64, 53)])
def test_the_roundoff_is_half_a_step_above_1(dtype: type, bits: int):
    unit = roundoff(np.dtype(dtype))
    assert unit == 2.0**-bits
    assert dtype(1 + 2 * unit) > 1 == dtype(1 + unit * 0.999)
