"""A small network worked out, for the tests of layout and terminal."""

from __future__ import annotations

from functools import cache
from typing import Any

from handgrad.worked.record import Record
from handgrad.worksheets.worksheet import explain

CASE: dict[str, Any] = {
    "title": "Two units and one",
    "source": "made for a test",
    "network": {
        "inputs": 2,
        "loss": "binary_cross_entropy",
        "layers": [
            {"units": 2, "activation": "tanh", "W": [[0.1, -0.2], [0.3, 0.4]], "b": [0.1, 0.2]},
            {"units": 1, "activation": "sigmoid", "W": [[0.5, 0.6]], "b": [0.1]},
        ],
    },
    "data": {"x": [[0.5, 0.3], [-1.5, 0.25]], "y": [[1], [0]]},
    "optimizer": {"name": "adam", "learning_rate": 0.1},
    "regularization": {"l2": 0.1},
}


@cache
def record(detail: str = "matrix", orientation: str = "column", samples: int = 2, steps: int = 1) -> Record:
    """The record of the case with so many samples and steps."""
    data = {name: values[:samples] for name, values in CASE["data"].items()}
    case = {**CASE, "data": data, "training": {"steps": steps}}
    parts = ("problem", "gradient_check", "matrices", "formulas")
    return explain(case, detail=detail, orientation=orientation, parts=parts).record
