"""Verification: every number shown is computed once more, from what is shown beside it.

Each substituted form of each equation is evaluated from its own numbers and held against the result; a second
route (the chain rule beside the fused form) must reach the same result; scalar equations likewise.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from handgrad.errors import VerificationError
from handgrad.nn.arrays import Array
from handgrad.worked.evaluate import evaluate
from handgrad.worked.expressions import Expression
from handgrad.worked.record import Equation, Record, StepRecord, WorkedStep
from handgrad.worked.rounding import Rounding, round_array

TOLERANCE = {np.dtype(np.float64): 1e-9, np.dtype(np.float32): 2e-4}


def verify(record: Record) -> int:
    """The number of forms that were evaluated, when all agree.

    Raises VerificationError naming the step, the quantity, and both values, at the first that does not.
    """
    rounding = record.rounding if record.carry else None
    return sum(_verify_step(step, rounding) for step in record.steps)


def _verify_step(step: StepRecord, rounding: Rounding | None) -> int:
    tolerance = max(
        (
            TOLERANCE.get(np.asarray(value).dtype, 1e-9)
            for name, value in step.quantities.items()
            if name[0] == "W"
        ),
        default=1e-9,
    )
    count = 0
    for worked in step.steps:
        digits = None if rounding is None else rounding.of(worked.quantity)
        place = f"step {step.number}, {worked.quantity}"
        for equation in _equations(worked):
            for form in equation.numbers:
                assert equation.result is not None
                _compare(form, equation.result, tolerance, digits, place)
                count += 1
    return count


def _equations(worked: WorkedStep) -> Iterator[Equation]:
    yield worked.equation
    yield from worked.scalar
    yield from worked.factors
    if worked.check is not None:
        yield worked.check


def _compare(form: Expression, result: Expression, tolerance: float, digits: int | None, place: str) -> None:
    found, stated = evaluate(form), evaluate(result)
    if digits is not None:
        slack = 1.5 * 10.0**-digits  # a second route may round differently in the last carried digit
        agrees = found.shape == stated.shape and bool(
            np.all(np.abs(round_array(found, digits) - stated) <= slack)
        )
    else:
        agrees = found.shape == stated.shape and _close(found, stated, tolerance)
    if not agrees:
        raise VerificationError(
            f"{place}: the numbers shown give {_short(found)}, the result says {_short(stated)}"
        )


def _close(found: Array, stated: Array, tolerance: float) -> bool:
    scale = np.max(np.abs(stated), initial=0.0)
    return bool(
        np.allclose(found, stated, rtol=tolerance, atol=tolerance * max(scale, 1e-300), equal_nan=True)
    )


def _short(values: Array) -> str:
    return str(values.tolist())[:120]
