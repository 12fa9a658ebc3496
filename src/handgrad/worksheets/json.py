"""The worksheet as JSON: every quantity of every step, at full float64 precision.

`docs/worksheet.schema.json` is made from these classes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated

import msgspec

from handgrad.errors import SpecificationError
from handgrad.rich_repr import visible_json
from handgrad.worked.record import StepRecord
from handgrad.worked.trace import Trace

MOST_BYTES = 1 << 30

Values = float | list[float | list[float | None] | None] | None
"""A number (loss), a vector (b1, db1) or rows of a matrix, one sample a row; null is a value without bounds."""


class StepValues(msgspec.Struct, frozen=True):
    """One update."""

    step: Annotated[int, msgspec.Meta(ge=1, description="The step, counted from 1.")]
    learning_rate: Annotated[float, msgspec.Meta(description="Of this step; 0 without an optimizer.")]
    rows: Annotated[
        list[int],
        msgspec.Meta(description="The samples of the batch: row numbers in the data, counted from 0."),
    ]
    quantities: Annotated[
        dict[str, Values],
        msgspec.Meta(
            description="By name: x, y, W1, b1, z1, a1, yhat, loss, dyhat, delta1, dW1, W1_new, ..."
        ),
    ]


class WorksheetValues(msgspec.Struct, frozen=True):
    """A worksheet."""

    handgrad: Annotated[str, msgspec.Meta(description="The version that wrote it.")]
    title: str
    source: str
    steps: list[StepValues]


def encoded(version: str, title: str, source: str, traces: Iterable[Trace | StepRecord], count: int) -> bytes:
    """The JSON of a worksheet of `count` steps, made step by step: never held as a whole tree.

    Raises SpecificationError where the steps, by the size of the first, would take more than `MOST_BYTES`.
    """
    head = msgspec.json.encode(WorksheetValues(version, title, source, []))
    head = visible_json(head.decode()).encode()
    return head[: -len(b"]}")] + b",".join(_within_bounds(map(_step, traces), count)) + b"]}\n"


def _within_bounds(steps: Iterator[bytes], count: int) -> Iterator[bytes]:
    for number, step in enumerate(steps):
        if number == 0 and count > 1 and len(step) * count > MOST_BYTES:
            raise SpecificationError(
                f"{count} steps of {len(step)} bytes each are more than {MOST_BYTES >> 30} GiB of json; "
                f"choose at most {max(1, MOST_BYTES // len(step))} of them, as in --step 1:10"
            )
        yield step


def _step(trace: Trace | StepRecord) -> bytes:
    quantities = {name: value.tolist() for name, value in trace.quantities.items()}
    return msgspec.json.encode(StepValues(trace.number, trace.learning_rate, list(trace.rows), quantities))
