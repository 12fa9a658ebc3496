"""What would be 0 without rounding is shown as 0; what is small and real is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from handgrad.render.terminal.sheet import to_text
from handgrad.worked.bindings import Bindings
from handgrad.worked.dust import MOST_NUMBERS, dust
from handgrad.worked.expressions import Expression, Matrix, Negative, Number, Sum, Symbol, Times
from handgrad.worked.record import Assignment
from handgrad.worked.verify import verify
from handgrad.worksheets.worksheet import Worksheet, explain

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
DIFFERENCE = Sum((Symbol("x"), Negative(Symbol("y"))))


def worksheet(bias: float, samples: int = 1) -> Worksheet:
    case: dict[str, Any] = {
        "network": {
            "inputs": 2,
            "loss": "squared_error",
            "layers": [{"units": 2, "W": [[1.0, 1.0], [0.3, 0.5]], "b": [bias, 0.1]}],
        },
        "data": {"x": [[0.1, 0.2], [0.3, 0.1]][:samples], "y": [[0.0, 1.0], [1.0, 0.0]][:samples]},
        "optimizer": {"name": "sgd"},
    }
    return explain(case, detail="scalar")


def test_what_is_left_of_three_tenths_is_nothing():
    assert 0 < 0.1 + 0.2 - 0.3 < 1e-16
    sheet = worksheet(-0.3)
    (step,) = sheet.record.steps
    dusty = {name for name, value in step.bindings.items() if value.dust is not None and np.any(value.dust)}
    assert {"z1", "yhat", "dyhat", "delta1", "dW1", "db1"} <= dusty
    assert not {"x", "y", "W1", "b1", "W1_new"} & dusty
    z = step.bindings["z1"]
    assert isinstance(z, Matrix)
    assert z.dust is not None
    assert z.dust.tolist() == [[True], [False]]
    assert float(step.quantities["z1"][0, 0]) > 0  # the quantities are as they were computed
    assert verify(sheet.record) > 20
    text = to_text(sheet.document, 100)
    assert "10⁻" not in text
    assert "≈ 0" in text


def test_each_sample_keeps_what_is_nothing_in_it():
    sheet = worksheet(-0.3, samples=2)
    worked = next(step for step in sheet.record.steps[0].steps if step.quantity == "dW1")
    first, second = worked.equation.numbers[1].factors[1].terms
    assert first.left.dust.tolist() == [[True], [False]]
    assert second.left.dust is None


def test_what_is_small_and_real_is_shown():
    # 0.3 + 1e-13 - 0.3 is known to three digits: no dust
    step = worksheet(-0.3 + 1e-13).record.steps[0]
    z = step.bindings["z1"]
    assert isinstance(z, Matrix)
    assert z.dust is None
    assert abs(float(z.values[0, 0]) - 1e-13) < 1e-15


def test_a_number_that_is_nothing_keeps_its_value():
    assert Number(1e-17, dust=True).value == 1e-17
    assert Number(1e-17, dust=True) != Number(1e-17)


UNIT = 2.0**-20


def found(apart: float, more: int = 0, program: Expression = DIFFERENCE) -> dict[str, list]:
    """What is dust of z = x - y where x is 1 and y as far from it, both known to one part in 2^20."""
    letters = {"x": Number(1.0), "y": Number(1.0 - apart), "k": Number(1.0), "z1": Number(apart)}
    if more:
        letters["W1"] = Matrix(np.ones((1, more)))
    return {
        name: marks.tolist()
        for name, marks in dust(Bindings(letters), [Assignment("z1", program)], UNIT).items()
    }


def test_dust_is_what_is_no_larger_than_its_error():
    # the operands are off by u each, and the difference is rounded: 2u in all
    assert found(2 * UNIT) == {"z1": [[True]]}
    assert found(-1.9 * UNIT) == {"z1": [[True]]}
    assert found(2.1 * UNIT) == {}
    assert found(0.0) == {}


def test_a_constant_is_known_exactly():
    by_constant = Sum((Symbol("x"), Negative(Symbol("k"))))
    assert found(0.0, program=by_constant) == {}
    letters = Bindings({"x": Number(1.0 + 1.5 * UNIT), "k": Number(1.0), "z1": Number(1.5 * UNIT)})
    assert dust(letters, [Assignment("z1", by_constant)], UNIT) == {}  # off by u, not 2u


def test_what_is_not_tiny_beside_its_operands_is_no_dust_however_large_its_error():
    squares = Times((Symbol("z", 1), Symbol("x")))
    letters = Bindings(
        {
            "x": Number(1.0),
            "y": Number(1.0 - UNIT),
            "z1": Number(UNIT),
            "a1": Number(UNIT),
            "b1": Number(2**-9),
        }
    )
    program = [Assignment("z1", DIFFERENCE), Assignment("a1", squares), Assignment("b1", Symbol("z", 1))]
    assert set(dust(letters, program, UNIT)) == {"z1", "a1"}  # b1 is what it says, whatever its letters


def test_a_step_that_nobody_reads_entry_by_entry_is_not_looked_through():
    assert found(UNIT, more=MOST_NUMBERS - 4) == {"z1": [[True]]}
    assert found(UNIT, more=MOST_NUMBERS - 3) == {}


def test_the_bias_that_units_share_is_shown_as_zero_where_it_is_dust() -> None:
    """The errors of softmax add up to 0: -0.433 + 0.433."""
    text = explain(EXAMPLES / "postnetwork-softmax.toml", language="en").text()
    assert "10⁻¹⁷" not in text
