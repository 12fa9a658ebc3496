"""Arrays of samples as a network needs them, checked before training begins."""

from __future__ import annotations

from typing import Any

import numpy as np

from handgrad.data.batches import Split, split_rows
from handgrad.errors import ShapeError, SpecificationError
from handgrad.nn.arrays import Array
from handgrad.nn.losses import Loss
from handgrad.nn.network import Network

_ROWS = 1 << 16


def samples(network: Network, X: Any, Y: Any, dtype: str) -> tuple[Array, Array]:
    """X (samples, inputs) and Y (samples, outputs) in the dtype; class indices become rows of one 1.

    Raises ShapeError for arrays that do not fit the network or hold what is not finite.
    """
    if network.loss is None:
        raise SpecificationError(
            "the network has no loss; name one, as in Network(..., loss='squared_error')"
        )
    X, Y = shaped(network, X), _numbers("Y", Y)
    if len(X) == 0:
        raise ShapeError("X has no samples")
    if Y.ndim == 1 and network.outputs > 1 and network.loss.targets.classes:
        Y = _one_hot(Y, network.outputs)
    Y = Y.reshape(-1, 1) if Y.ndim == 1 else Y
    if Y.shape != (len(X), network.outputs):
        raise ShapeError(f"Y must have shape ({len(X)}, {network.outputs}), got {Y.shape}")
    _check_targets(network.loss, Y)
    return _finite("X", X, dtype), _finite("Y", Y, dtype)


def sample_weights(weights: Any, count: int, dtype: str) -> Array | None:
    """The weights of so many samples in the dtype; None for all the same.

    Raises ShapeError for an array of another shape or a weight that is no finite number of at least 0.
    """
    if weights is None:
        return None
    array = _numbers("weights", weights)
    if array.shape != (count,):
        raise ShapeError(f"weights must have shape ({count},), one for each sample, got {array.shape}")
    array = _finite("weights", array, dtype)
    if array.min(initial=0.0) < 0:
        place = int(np.argmax(array < 0))
        raise ShapeError(f"weights holds {array[place]:g} at [{place}]; weights are at least 0")
    return array


def inputs(network: Network, X: Any, dtype: str) -> Array:
    """X (samples, inputs) in the dtype.

    Raises ShapeError for an array that does not fit the network or holds what is not finite.
    """
    return _finite("X", shaped(network, X), dtype)


def shaped(network: Network, X: Any) -> Array:
    """X as an array (samples, inputs) of numbers, finite or not. Raises ShapeError where it is none."""
    array = _numbers("X", X)
    if array.ndim != 2 or array.shape[1] != network.columns:
        raise ShapeError(f"X must have shape (samples, {network.columns}), got {array.shape}")
    for j, count in enumerate(network.gathered, network.columns - len(network.gathered)):
        k = array[:, j]
        wrong = np.isfinite(k) & ~((k >= -1) & (k < count) & (k == np.floor(k)))
        if wrong.any():
            raise ShapeError(
                f"X holds {k[wrong][0]:g} at [{int(np.argmax(wrong))}, {j}], a column of {count} categories: give "
                f"their numbers 0 to {count - 1}, or -1 for none of them"
            )
    return array


def _check_targets(loss: Loss, Y: Array) -> None:
    """Raises ShapeError for a target that the loss cannot judge, naming it."""
    wrong = np.isfinite(Y) & ~loss.targets.allowed(Y)
    if wrong.any():
        place = tuple(int(i) for i in np.argwhere(wrong)[0])
        remedy = f"; {loss.targets.remedy}" if loss.targets.remedy else ""
        raise ShapeError(
            f"Y holds {Y[place]:g} at {list(place)}; the loss {loss.name!r} takes {loss.targets.described}{remedy}"
        )


def split_samples(network: Network, Y: Array, validation: float | Split, seed: int) -> Split:
    """Which rows train and which validate; a part is taken of each class alike.

    Raises ShapeError for rows that Y does not have.
    """
    if isinstance(validation, Split):
        for rows in validation:
            if rows.size and not (rows.min() >= 0 and rows.max() < len(Y)):
                raise ShapeError(f"the split names rows outside 0 to {len(Y) - 1}")
        if validation.training.size == 0:
            raise ShapeError("the split names no row for training")
        return validation
    if network.loss is None or network.loss.targets.metric == "R2":
        return split_rows(len(Y), validation, seed)
    return split_rows(len(Y), validation, seed, network.loss.targets.groups(Y))


def _numbers(name: str, values: Any) -> Array:
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ShapeError(f"{name} must be an array of numbers with rows of equal length") from error
    if array.dtype.kind not in "biuf":
        raise ShapeError(f"{name} must hold numbers, got {array.dtype}; use fit_table for tables with text")
    return array


def _finite(name: str, array: Array, dtype: str) -> Array:
    with np.errstate(over="ignore"):  # what overflows float32 is an error below
        cast = np.ascontiguousarray(array, dtype)
    # some rows at a time: of a large array not even truth values are held once more
    far = next((k for k in range(0, len(cast), _ROWS) if not np.isfinite(cast[k : k + _ROWS]).all()), None)
    if far is not None:
        first, *rest = np.argwhere(~np.isfinite(cast[far : far + _ROWS]))[0].tolist()
        place = [far + first, *rest]
        raise ShapeError(
            f"{name} holds {array[tuple(place)]} at {place}; give numbers that are finite in {dtype}"
        )
    return cast


def _one_hot(classes: Array, count: int) -> Array:
    whole = np.all(classes == np.floor(classes)) if classes.dtype.kind == "f" else True
    if not whole or classes.min(initial=0) < 0 or classes.max(initial=0) >= count:
        raise ShapeError(f"Y must hold class indices 0 to {count - 1}, or have shape (samples, {count})")
    return np.eye(count)[classes.astype(np.int64)]
