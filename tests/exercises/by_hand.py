"""The relu-sigmoid example worked out anew in NumPy, with a wrong number carried on as a student carries it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from handgrad.cases.case import Case
from handgrad.exercises.exercise import Exercise, Wishes, make

EXAMPLE = Path(__file__).parents[2] / "examples" / "relu-sigmoid-2-2-1.toml"
RATE = 0.1


def exercise(digits: int = 4, ask: tuple[str, ...] = ()) -> Exercise:
    return make(Case.load(EXAMPLE), Wishes(ask=ask, digits=digits))


def worked(slips: Mapping[str, np.ndarray] | None = None) -> dict[str, np.ndarray]:
    """Every quantity, one sample a row; a slip takes the place of what is right, and all that follows uses it."""
    found: dict[str, np.ndarray] = {}

    def put(name: str, value: np.ndarray | float) -> np.ndarray:
        found[name] = np.asarray((slips or {}).get(name, value))
        return found[name]

    x, y = np.array([[0.5, 0.3]]), np.array([[1.0]])
    W1, b1 = np.array([[0.1, 0.2], [0.3, 0.4]]), np.array([0.1, 0.2])
    W2, b2 = np.array([[0.5, 0.6]]), np.array([0.1])
    z1 = put("z1", x @ W1.T + b1)
    a1 = put("a1", np.maximum(z1, 0))
    z2 = put("z2", a1 @ W2.T + b2)
    yhat = put("yhat", 1 / (1 + np.exp(-z2)))
    put("loss", -np.log(yhat[0, 0]))
    delta2 = put("delta2", yhat - y)
    dW2 = put("dW2", delta2.T @ a1)
    db2 = put("db2", delta2.sum(axis=0))
    delta1 = put("delta1", (delta2 @ W2) * (z1 > 0))
    dW1 = put("dW1", delta1.T @ x)
    db1 = put("db1", delta1.sum(axis=0))
    put("W1_new", W1 - RATE * dW1)
    put("b1_new", b1 - RATE * db1)
    put("W2_new", W2 - RATE * dW2)
    put("b2_new", b2 - RATE * db2)
    return found


def written(values: Mapping[str, np.ndarray], digits: int = 4) -> dict[str, str]:
    """The answers of a student, by field."""
    found = {}
    for name, array in values.items():
        for index in np.ndindex(array.shape):
            place = f"[{','.join(map(str, index))}]" if index else ""
            found[f"{name}{place}"] = f"{float(array[index]):.{digits}f}"
    return found
