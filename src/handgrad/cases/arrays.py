"""The numbers of a case file as arrays of the right shape, or an error that names their place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from handgrad.errors import CaseError
from handgrad.nn.arrays import Array
from handgrad.nn.losses import Loss
from handgrad.nn.network import Network


def numbers(values: Any, place: str) -> Array:
    """`values` (a number or nested lists) as a float64 array; CaseError for text, ragged rows, NaN."""
    if isinstance(values, str) or values is None:
        raise CaseError(f"{place}: expected numbers, got {values!r}")
    try:
        array = np.array(values, dtype=np.float64)
    except OverflowError as error:
        raise CaseError(f"{place}: a number is beyond float64 (1.8e308); give a smaller one") from error
    except (TypeError, ValueError) as error:
        raise CaseError(
            f"{place}: expected numbers in rows of equal length, got {str(values)[:60]}"
        ) from error
    if not np.all(np.isfinite(array)):
        index = [int(i) for i in np.argwhere(~np.isfinite(np.atleast_1d(array)))[0]]
        raise CaseError(f"{place}{index}: expected a finite number, got {np.atleast_1d(array)[tuple(index)]}")
    return array


def samples_of(values: Any, width: int, place: str, what: str) -> Array | None:
    """A table (samples, width); a flat list of `width` numbers is one sample."""
    if values is None:
        return None
    array = numbers(values, place)
    if array.ndim == 1 and array.size == width:
        array = array.reshape(1, width)
    if array.ndim == 1 and width == 1:
        array = array.reshape(-1, 1)
    if array.ndim == 0 and width == 1:
        array = array.reshape(1, 1)
    if array.ndim != 2 or array.shape[1] != width or array.shape[0] == 0:
        raise CaseError(
            f"{place}: expected rows of {width} {what} (samples, {what}), got {shape_text(array)}"
        )
    return array


def targets_of(values: Any, network: Network, X: Array | None, place: str) -> Array | None:
    """Targets (samples, outputs); for cross-entropy a class index per sample becomes a row of one 1."""
    if values is None:
        return None
    array = numbers(values, place)
    samples = X.shape[0] if X is not None else None
    classes = network.loss is not None and network.loss.targets.classes and network.outputs > 1
    flat = array.reshape(-1)
    one_each = samples is not None and flat.size == samples and (array.ndim < 2 or array.shape[1] == 1)
    if classes and one_each and not (samples == 1 and network.outputs == 1):
        array = _one_hot(flat, network.outputs, place)
    array_2d = samples_of(array, network.outputs, place, "outputs")
    assert array_2d is not None
    if samples is not None and array_2d.shape[0] != samples:
        raise CaseError(
            f"{place}: {array_2d.shape[0]} targets for {samples} samples; give one row per sample"
        )
    _check_values(array_2d, network.loss, place)
    return array_2d


def _check_values(targets: Array, loss: Loss | None, place: str) -> None:
    """Raises CaseError for a target that is none, unless published examples have such ones too."""
    if loss is None or loss.targets.beyond or (allowed := loss.targets.allowed(targets)).all():
        return
    remedy = f"; {loss.targets.remedy}" if loss.targets.remedy else ""
    raise CaseError(
        f"{place}: the loss {loss.name!r} takes {loss.targets.described}, got {targets[~allowed][0]:g}{remedy}"
    )


def _one_hot(indices: Array, classes: int, place: str) -> Array:
    wrong = (indices != np.floor(indices)) | (indices < 0) | (indices >= classes)
    if np.any(wrong):
        raise CaseError(
            f"{place}: a class is a whole number from 0 to {classes - 1}, got {indices[wrong][0]:g}"
        )
    rows: Array = np.eye(classes)[indices.astype(int)]
    return rows


PER_SAMPLE = re.compile(r"(?:z|a|f|mask|delta|da|df)[1-9]\d*|yhat|dyhat")
_PER_PARAMETER = re.compile(r"d([Wb])([1-9]\d*)(?:_data|_penalty|_clipped)?|([Wb])([1-9]\d*)_\w+")
_SCALAR = ("loss", "data_loss", "penalty", "gradient_norm")


def given_arrays(values: Mapping[str, Any], network: Network, place: str) -> dict[str, Array]:
    """The given quantities by name, each in the shape of its quantity."""
    return {
        name: _given_array(name, value, network, f"{place}: given.{name}") for name, value in values.items()
    }


def _given_array(name: str, value: Any, network: Network, place: str) -> Array:
    array = numbers(value, place)
    if name in _SCALAR:
        if array.size != 1:
            raise CaseError(f"{place}: expected one number, got {shape_text(array)}")
        return array.reshape(())
    if name in ("x", "y") or re.fullmatch(r"[Wb]\d+", name):
        raise CaseError(f"{place}: {name} is an input of the case; give it in [data] or [[network.layers]]")
    per_sample = PER_SAMPLE.fullmatch(name)
    parameter = _PER_PARAMETER.fullmatch(name)
    if per_sample is None and parameter is None:
        raise CaseError(f"{place}: unknown quantity; use names such as z1, a1, yhat, delta1, dW1, db1")
    layer = int(re.findall(r"\d+", name)[0]) if re.search(r"\d", name) else network.depth
    if layer > network.depth:
        raise CaseError(f"{place}: the network has {network.depth} layers, there is no layer {layer}")
    units, inputs = network.sizes[layer], network.sizes[layer - 1]
    if per_sample is not None:
        samples = samples_of(value, units, place, "units")
        assert samples is not None
        return samples
    assert parameter is not None
    shape = (units, inputs) if "W" in (parameter.group(1), parameter.group(3)) else (units,)
    if array.size == units * (inputs if len(shape) == 2 else 1) and (array.ndim < 2 or 1 in array.shape):
        array = array.reshape(shape)
    if array.shape != shape:
        raise CaseError(f"{place}: expected shape {shape}, got {shape_text(array)}")
    return array


def shape_text(array: Array) -> str:
    """How an array is named in an error."""
    return f"shape {tuple(array.shape)}" if array.ndim else f"the number {float(array):g}"
