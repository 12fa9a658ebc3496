"""What would be 0 without rounding is shown as 0; what is small and real is not."""

from __future__ import annotations

from typing import Any

import numpy as np

from handgrad.render.terminal.sheet import to_text
from handgrad.worked.expressions import Matrix, Number
from handgrad.worked.verify import verify
from handgrad.worksheets.worksheet import Worksheet, explain


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
