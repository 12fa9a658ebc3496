"""Inputs that are categories: the first layer takes the row of W[1]^T of each category instead of multiplying.

Where C inputs are 1 for the own category and 0 for all others, their product with W is the weights of that one
category, and only these have a gradient:

    Z[1]_i     = W_numbers x_i + b + sum over the columns j of W_j[:, k_ij]
    dW_j[:, k] = s * sum of delta[1]_i over the samples i whose category k_ij is k

X (m, numbers + columns) holds the numbers first, then for each column of categories k = 0, 1, ..., C - 1, or -1
for none of them, which adds nothing. W[1] has a column for each number and for each category, as if they were
one-hot: the sums are the same to rounding.

Source: Bengio, Ducharme, Vincent and Jauvin (2003), A neural probabilistic language model, section 2: a matrix whose
row of an index is its vector.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from handgrad.nn.arrays import Array, namespace

MOST_CATEGORIES = 1 << 24
"""Of one column: float32 holds every whole number up to here."""


def columns_of(inputs: int, gathered: tuple[int, ...]) -> int:
    """Columns of X for so many columns of W[1], of which the last stand for the categories of each count.

    >>> columns_of(10, (3, 5))
    4
    """
    return inputs - sum(gathered) + len(gathered)


def gathered_linear(X: Array, W: Array, b: Array, gathered: tuple[int, ...]) -> Array:
    """Z[1] (m, units) for numbers and categories X, W (units, inputs), b (units,).

    >>> W = np.array([[10.0, 1.0, 2.0, 3.0]])
    >>> gathered_linear(np.array([[0.5, 2.0], [0.5, -1.0]]), W, np.zeros(1), (3,)).tolist()
    [[8.0], [5.0]]
    """
    xp, numbers = namespace(X), X.shape[1] - len(gathered)
    Z, first = X[:, :numbers] @ W[:, :numbers].T + b, numbers
    for j, count in enumerate(gathered):
        there, k = _categories(X[:, numbers + j], count)
        rows = xp.take(W[:, first : first + count].T, k, axis=0)
        Z, first = Z + xp.where(there[:, None], rows, xp.zeros_like(rows)), first + count
    return Z


def gathered_gradient(delta: Array, X: Array, gathered: tuple[int, ...]) -> Array:
    """delta[1]^T A[0] (units, inputs) for deltas (m, units), without the zeros of A[0].

    >>> gathered_gradient(np.array([[1.0], [2.0], [4.0]]), np.array([[1.0], [0.0], [1.0]]), (3,)).tolist()
    [[2.0, 5.0, 0.0]]
    """
    xp, numbers = namespace(delta), X.shape[1] - len(gathered)
    add = _ADDED.get(xp.__name__, _by_product)
    parts = [delta.T @ X[:, :numbers]]
    for j, count in enumerate(gathered):
        there, k = _categories(X[:, numbers + j], count)
        parts.append(add(xp.where(there[:, None], delta, xp.zeros_like(delta)), k, count).T)
    return xp.concat(parts, axis=1)


def one_hot(X: Array, gathered: tuple[int, ...]) -> Array:
    """The inputs as the equations without gathering have them, (m, inputs).

    >>> one_hot(np.array([[0.5, 2.0], [0.5, -1.0]]), (3,)).tolist()
    [[0.5, 0.0, 0.0, 1.0], [0.5, 0.0, 0.0, 0.0]]
    """
    numbers = X.shape[1] - len(gathered)
    places = (X[:, numbers + j, None] == np.arange(count) for j, count in enumerate(gathered))
    return np.concatenate([X[:, :numbers], *places], axis=1, dtype=X.dtype)


def _categories(column: Array, count: int) -> tuple[Array, Array]:
    """Where a category is there, and its number; 0 where it is not."""
    xp = namespace(column)
    there = (column >= 0) & (column < count)
    return there, xp.astype(xp.where(there, column, xp.zeros_like(column)), xp.int32)


def _by_adding(delta: Array, k: Array, count: int) -> Array:
    sums = np.zeros((count, delta.shape[1]), delta.dtype)
    np.add.at(sums, k, delta)
    return sums


def _by_scatter(delta: Array, k: Array, count: int) -> Array:
    """JAX's arrays are never changed: they are given back with sums added."""
    xp = namespace(delta)
    zeros: Any = xp.zeros_like(delta, shape=(count, delta.shape[1]))
    sums: Array = zeros.at[k].add(delta)
    return sums


def _by_product(delta: Array, k: Array, count: int) -> Array:
    """The same by a product with 0 and 1, for libraries without a sum by places."""
    xp = namespace(delta)
    return xp.astype(k[None, :] == xp.arange(count)[:, None], delta.dtype) @ delta


_ADDED: dict[str, Callable[[Array, Array, int], Array]] = {"numpy": _by_adding, "jax.numpy": _by_scatter}
