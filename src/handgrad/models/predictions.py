"""From the outputs of a network to what is said of each row: a class, a number, the probabilities behind it."""

from __future__ import annotations

from typing import Any

import numpy as np

from handgrad.data.cells import Floats
from handgrad.data.targets import Target
from handgrad.errors import SpecificationError
from handgrad.nn.arrays import Array

_MOST_PROBABILITIES = 100


def predicted(target: Target, outputs: Floats, threshold: float) -> Array:
    """The class of each row, or its number in the file's units, (samples,) or (samples, targets)."""
    if target.is_regression:
        values = target.values(outputs)
        return values[:, 0] if len(target.names) == 1 else values
    labels = _labels(target, outputs, threshold)
    return labels[0] if len(labels) == 1 else np.column_stack(labels)


def prediction_columns(target: Target | None, outputs: Floats, threshold: float) -> dict[str, Any]:
    """The columns of a table of predictions by name; of very many classes only the largest probability."""
    if target is None:
        return {f"output{j + 1}": outputs[:, j] for j in range(outputs.shape[1])}
    several = len(target.names) > 1
    titles = [f"prediction_{name}" if several else "prediction" for name in target.names]
    if target.is_regression:
        return dict(zip(titles, target.values(outputs).T, strict=True))
    columns: dict[str, Any] = dict(zip(titles, _labels(target, outputs, threshold), strict=True))
    probabilities = target.probabilities(outputs)
    if several or target.task == "multilabel":
        names = [f"{name}={classes[1]}" for name, classes in zip(target.names, target.classes, strict=True)]
    elif len(target.classes[0]) <= _MOST_PROBABILITIES:
        names = list(target.classes[0])
    else:
        return columns | {"probability": probabilities.max(axis=1)}
    return columns | {f"probability_{name}": probabilities[:, k] for k, name in enumerate(names)}


def check_threshold(threshold: float) -> None:
    """Raises SpecificationError unless it is a probability between 0 and 1.

    >>> check_threshold(0.5)
    >>> check_threshold(1)
    Traceback (most recent call last):
    handgrad.errors.SpecificationError: the threshold is a probability, 0 < threshold < 1, got 1
    """
    if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not 0 < threshold < 1:
        raise SpecificationError(f"the threshold is a probability, 0 < threshold < 1, got {threshold!r}")


def _labels(target: Target, outputs: Floats, threshold: float) -> list[Any]:
    """The predicted classes of each target; as numbers where all of its classes are whole numbers."""
    return [
        label.astype(np.int64) if _are_whole(classes) else label
        for label, classes in zip(target.labels(outputs, threshold), target.classes, strict=True)
    ]


def _are_whole(classes: tuple[str, ...]) -> bool:
    try:
        numbers = np.array(classes).astype(np.int64)
    except (ValueError, OverflowError):
        return False
    return bool((numbers.astype(str) == np.array(classes)).all())
