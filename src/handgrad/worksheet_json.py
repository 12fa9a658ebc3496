"""The worksheet as JSON: every quantity of every step, at full float64 precision.

`docs/worksheet.schema.json` is made from these classes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import msgspec

from handgrad.worked.trace import Trace

Values = float | list[float | list[float | None] | None] | None
"""A number (loss), a vector (b1, db1) or rows of a matrix, one sample a row; null is a value without bounds."""


class StepValues(msgspec.Struct, frozen=True):
    """One update."""

    step: Annotated[int, msgspec.Meta(ge=1, description="The step, counted from 1.")]
    learning_rate: Annotated[float, msgspec.Meta(description="Of this step; 0 without an optimizer.")]
    rows: Annotated[
        list[int], msgspec.Meta(description="The samples of the batch: row numbers in the data, counted from 0.")
    ]
    quantities: Annotated[
        dict[str, Values],
        msgspec.Meta(description="By name: x, y, W1, b1, z1, a1, yhat, loss, dyhat, delta1, dW1, W1_new, ..."),
    ]


class WorksheetValues(msgspec.Struct, frozen=True):
    """A worksheet."""

    handgrad: Annotated[str, msgspec.Meta(description="The version that wrote it.")]
    title: str
    source: str
    steps: list[StepValues]


def encoded(version: str, title: str, source: str, traces: Iterable[Trace]) -> bytes:
    """The JSON of a worksheet, step by step, so that a long training is never held as a whole tree."""
    head = msgspec.json.encode(WorksheetValues(version, title, source, []))
    return head[: -len(b"]}")] + b",".join(map(_step, traces)) + b"]}\n"


def _step(trace: Trace) -> bytes:
    quantities = {name: value.tolist() for name, value in trace.quantities.items()}
    return msgspec.json.encode(
        StepValues(trace.number, trace.learning_rate, list(trace.rows), quantities)
    )
