"""Zero biases and factors of 1 are not steps of their own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from handgrad.render.layout.shorter import without_idle_steps
from handgrad.worked.expressions import Matrix, Sum, Symbol
from handgrad.worked.record import Equation
from handgrad.worksheets.worksheet import explain


def case(bias: list[float] | None, rate: float) -> dict[str, Any]:
    layer: dict[str, Any] = {"units": 2, "W": [[1.0, 0.2], [0.3, 0.4]]}
    if bias is not None:
        layer["b"] = bias
    return {
        "network": {"inputs": 2, "loss": "squared_error", "layers": [layer, {"units": 1, "W": [[1.0, 0.5]]}]},
        "data": {"x": [[1.0, 2.0]], "y": [[1.0]]},
        "optimizer": {"name": "sgd", "learning_rate": rate},
    }


def lines_of(quantity: str, worked: dict[str, Any], detail: str = "matrix") -> int:
    """Lines of the equation of a quantity: its letters, its numbers, its result."""
    sheet = explain(worked, detail=detail, language="en")
    found = next(step for step in sheet.record.steps[0].steps if step.quantity == quantity)
    text = sheet.document.blocks
    for block in text:
        if getattr(block, "target", None) == found.equation.target:
            return len(block.forms)  # type: ignore[union-attr]
    raise AssertionError(quantity)


@pytest.mark.parametrize(("bias", "lines"), [(None, 3), ([0.0, 0.0], 3), ([0.1, 0.0], 4)])
def test_a_bias_of_zero_is_put_in_and_not_added_once_more(bias: list[float] | None, lines: int) -> None:
    assert lines_of("z1", case(bias, 0.1)) == lines


@pytest.mark.parametrize(("rate", "lines"), [(1.0, 3), (0.1, 4)])
def test_a_rate_of_one_is_put_in_and_not_multiplied_out(rate: float, lines: int) -> None:
    assert lines_of("W1_new", case(None, rate)) == lines


def test_nor_entry_by_entry() -> None:
    text = explain(case(None, 0.1), detail="scalar", language="en").text()
    assert "= 1 + 0.4\n" in text
    assert "= 1 × 1 + 0.2 × 2 + 0\n" in text


def test_a_sum_keeps_its_shape() -> None:
    wide, column = Matrix(np.zeros((2, 3))), Matrix(np.ones((2, 1)))
    result = Matrix(np.ones((2, 3)))
    equation = Equation(Symbol("z", 1), (), (Sum((wide, column)), Sum((wide, column, column))), result)
    (_, later) = without_idle_steps(equation).numbers
    assert later == equation.numbers[1]
