"""Evaluation of expression trees: what `verify` holds every shown number against.

The functions are written here once more, plainly, in float64: a tree that was built wrongly must not be saved by
the code that built it.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Iterator
from functools import reduce
from typing import Any

import numpy as np

from handgrad.errors import VerificationError
from handgrad.nn.arrays import Array
from handgrad.worked.expressions import (
    Apply,
    Cases,
    Divide,
    Expression,
    Factor,
    Grid,
    Hadamard,
    MatMul,
    Matrix,
    Negative,
    Norm,
    Number,
    Outer,
    Power,
    Relation,
    Root,
    Sum,
    SumOver,
    Times,
    Transpose,
)


def evaluate(tree: Expression) -> Array:
    """The value of a tree of numbers, always with two dimensions (a number is 1 x 1), float64.

    >>> evaluate(Sum((Number(2.0), Negative(Number(0.5))))).tolist()
    [[1.5]]

    Raises VerificationError for a tree that holds a symbol, or whose shapes do not fit.
    """
    rule = RULES.get(type(tree))
    if rule is None:
        raise VerificationError(f"{type(tree).__name__} has no value of its own: {tree}")
    try:
        with np.errstate(all="ignore"):
            return np.asarray(rule(tree), dtype=np.float64)
    except ValueError as error:
        raise VerificationError(f"shapes do not fit in {type(tree).__name__}: {error}") from error


def _sigmoid(z: Array) -> Array:
    return np.where(z >= 0, 1 / (1 + np.exp(-np.abs(z))), np.exp(-np.abs(z)) / (1 + np.exp(-np.abs(z))))


def _phi(z: Array) -> Array:
    return np.exp(-z * z / 2) / math.sqrt(2 * math.pi)


_erfc = np.frompyfunc(math.erfc, 1, 1)


def _normal_cdf(z: Array) -> Array:
    return np.asarray(_erfc(-z / math.sqrt(2)), np.float64) / 2


def _softmax(z: Array, axis: int) -> Array:
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    return np.asarray(e / e.sum(axis=axis, keepdims=True))


def _ln_softmax(z: Array, axis: int) -> Array:
    shifted = z - z.max(axis=axis, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True)))


def _elu(z: Array, alpha: float) -> Array:
    return np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0)))


# name -> function of (arguments, parameters, axis)
FUNCTIONS: dict[str, Callable[[list[Array], list[float], int], Array]] = {
    "identity": lambda x, p, axis: x[0],
    "sigmoid": lambda x, p, axis: _sigmoid(x[0]),
    "tanh": lambda x, p, axis: np.tanh(x[0]),
    "relu": lambda x, p, axis: np.maximum(x[0], 0),
    "leaky_relu": lambda x, p, axis: np.where(x[0] > 0, x[0], p[0] * x[0]),
    "elu": lambda x, p, axis: _elu(x[0], p[0]),
    "gelu": lambda x, p, axis: x[0] * _normal_cdf(x[0]),
    "silu": lambda x, p, axis: x[0] * _sigmoid(x[0]),
    "softplus": lambda x, p, axis: np.logaddexp(0, x[0]),
    "softmax": lambda x, p, axis: _softmax(x[0], axis),
    "step": lambda x, p, axis: (x[0] > 0).astype(float),
    "identity'": lambda x, p, axis: np.ones_like(x[0]),
    "sigmoid'": lambda x, p, axis: _sigmoid(x[0]) * _sigmoid(-x[0]),
    "tanh'": lambda x, p, axis: 1 - np.tanh(x[0]) ** 2,
    "relu'": lambda x, p, axis: (x[0] > 0).astype(float),
    "leaky_relu'": lambda x, p, axis: np.where(x[0] > 0, 1.0, p[0]),
    "elu'": lambda x, p, axis: np.where(x[0] > 0, 1.0, p[0] * np.exp(np.minimum(x[0], 0))),
    "gelu'": lambda x, p, axis: _normal_cdf(x[0]) + x[0] * _phi(x[0]),
    "silu'": lambda x, p, axis: _sigmoid(x[0]) * (1 + x[0] * _sigmoid(-x[0])),
    "softplus'": lambda x, p, axis: _sigmoid(x[0]),
    "softmax'": lambda x, p, axis: _softmax(x[0], axis) * (1 - _softmax(x[0], axis)),
    "step'": lambda x, p, axis: np.zeros_like(x[0]),
    "exp": lambda x, p, axis: np.exp(x[0]),
    "ln": lambda x, p, axis: np.log(x[0]),
    "ln_softmax": lambda x, p, axis: _ln_softmax(x[0], axis),
    "max": lambda x, p, axis: reduce(np.maximum, x),
    "min": lambda x, p, axis: reduce(np.minimum, x),
    "abs": lambda x, p, axis: np.abs(x[0]),
    "sign": lambda x, p, axis: np.sign(x[0]),
    "erf_phi": lambda x, p, axis: _normal_cdf(x[0]),
    "phi": lambda x, p, axis: _phi(x[0]),
    "clip": lambda x, p, axis: np.clip(x[0], -p[0], p[0]),
    "indicator": lambda x, p, axis: (x[0] > 0).astype(float),
}

_TRUTH: dict[str, Callable[[Array, Array], Any]] = {
    "=": np.equal,
    "<": np.less,
    ">": np.greater,
    "<=": np.less_equal,
    ">=": np.greater_equal,
    "!=": np.not_equal,
}


def _sum_terms(tree: Sum) -> Array:
    return reduce(np.add, (evaluate(term) for term in tree.terms))


def _times(tree: Times) -> Array:
    return reduce(np.multiply, (evaluate(factor) for factor in tree.factors))


def _hadamard(tree: Hadamard) -> Array:
    return reduce(np.multiply, (evaluate(factor) for factor in tree.factors))


def _outer(tree: Outer) -> Array:
    return evaluate(tree.left).reshape(-1, 1) * evaluate(tree.right).reshape(1, -1)


def _norm(tree: Norm) -> Array:
    value = evaluate(tree.operand)
    return np.array([[np.abs(value).sum() if tree.order == 1 else math.sqrt((value * value).sum())]])


def _apply(tree: Apply) -> Array:
    function = FUNCTIONS.get(tree.function)
    if function is None:
        raise VerificationError(f"unknown function {tree.function!r} in a worked calculation")
    parameters = [float(evaluate(parameter)[0, 0]) for parameter in tree.parameters]
    return function([evaluate(argument) for argument in tree.arguments], parameters, tree.axis)


def _sum_over(tree: SumOver) -> Array:
    value = evaluate(tree.operand)
    reduced = value.sum(axis=tree.axis, keepdims=True)
    return np.asarray(reduced * (reduced.size / value.size) if tree.mean else reduced)


def _grid(tree: Grid) -> Array:
    return np.block([[evaluate(entry) for entry in row] for row in tree.rows])


def _cases(tree: Cases) -> Array:
    for value, condition in tree.branches:
        if condition is None or bool(np.all(evaluate(condition))):
            return evaluate(value)
    raise VerificationError("none of the cases applies")


RULES: dict[type[Expression], Callable[[Any], Array]] = {
    Number: lambda tree: np.array([[tree.value]]),
    Matrix: lambda tree: tree.values,
    Grid: _grid,
    Sum: _sum_terms,
    Negative: lambda tree: -evaluate(tree.operand),
    Times: _times,
    MatMul: lambda tree: evaluate(tree.left) @ evaluate(tree.right),
    Hadamard: _hadamard,
    Outer: _outer,
    Transpose: lambda tree: evaluate(tree.operand).T,
    Divide: lambda tree: evaluate(tree.numerator) / evaluate(tree.denominator),
    Power: lambda tree: evaluate(tree.base) ** evaluate(tree.exponent),
    Root: lambda tree: np.sqrt(evaluate(tree.operand)),
    Norm: _norm,
    Apply: _apply,
    Factor: lambda tree: evaluate(tree.operand),
    SumOver: _sum_over,
    Relation: lambda tree: _TRUTH[tree.sign](evaluate(tree.left), evaluate(tree.right)),
    Cases: _cases,
}


def _replace(tree: Expression, changes: dict[str, Any]) -> Expression:
    return dataclasses.replace(tree, **changes)


def map_tree(tree: Expression, change: Callable[[Expression], Expression]) -> Expression:
    """The same tree with `change` applied to every node, leaves first."""
    if isinstance(tree, Matrix):
        return change(tree)
    changes: dict[str, Any] = {}
    for name in _names(tree):
        held = getattr(tree, name)
        new = _map_held(held, change)
        if new is not held:
            changes[name] = new
    return change(_replace(tree, changes) if changes else tree)


def _map_held(held: Any, change: Callable[[Expression], Expression]) -> Any:
    if isinstance(held, Expression):
        return map_tree(held, change)
    if isinstance(held, tuple):
        new = tuple(_map_held(item, change) for item in held)
        return new if any(a is not b for a, b in zip(new, held, strict=True)) else held
    return held


def leaves(trees: Iterable[Expression]) -> Iterator[Expression]:
    """Every node without operands, from left to right."""
    for tree in trees:
        inner = [] if isinstance(tree, Matrix) else [part for part in _parts(tree) if part is not None]
        if inner:
            yield from leaves(inner)
        else:
            yield tree


def _names(tree: Expression) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(tree))


def _parts(tree: Any) -> Iterator[Expression]:
    held = (getattr(tree, name) for name in _names(tree)) if isinstance(tree, Expression) else iter(tree)
    for part in held:
        if isinstance(part, Expression):
            yield part
        elif isinstance(part, tuple):
            yield from _parts(part)
