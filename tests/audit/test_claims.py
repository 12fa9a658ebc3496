"""Claims: what may be claimed, how it is read, and what is refused with its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from handgrad import HandgradError, check
from handgrad.audit.formula import Formula
from handgrad.audit.printed import Printed

CASE: dict[str, Any] = {
    "network": {
        "inputs": 2,
        "loss": "squared_error",
        "layers": [
            {
                "units": 3,
                "activation": "tanh",
                "W": [[0.1, 0.2], [0.3, -0.4], [0.5, 0.6]],
                "b": [0.1, 0.2, 0.3],
            },
            {"units": 1, "W": [[0.4, -0.5, 0.6]]},
        ],
    },
    "data": {"x": [[1.0, 2.0], [0.5, -1.0]], "y": [[1.0], [0.0]]},
    "optimizer": {"name": "sgd", "learning_rate": 0.1},
}


def verdicts(*claims: dict[str, Any], **changes: Any) -> list[str]:
    return [v.verdict for v in check({**CASE, **changes, "claims": list(claims)}).verdicts]


def claim(quantity: str, value: Any, **more: Any) -> dict[str, Any]:
    return {"quantity": quantity, "value": value, **more}


Z1 = [[0.6, -0.3, 2.0], [-0.05, 0.75, -0.05]]  # worked out by hand


@pytest.mark.parametrize(
    "one",
    [
        claim("z1", Z1),
        claim("z1", Z1[1], index=[1]),
        claim("z1", -0.3, index=[0, 1]),
        claim("z1", [list(row) for row in zip(*Z1, strict=True)]),  # samples as columns
        claim("W1[0,1] * x[0,1]", 0.4),
        claim("W1 @ x.T", [[0.5, -0.15], [-0.5, 0.55], [1.7, -0.35]]),
        claim("sum(x)", 2.5),
        claim("b1", [[0.1], [0.2], [0.3]]),
        claim("y", [1.0, 0.0]),
        claim("x", [[1.0, 2.0], [0.5, -1.0]], step=2),  # after the last update
    ],
    ids=lambda one: str(one["quantity"]),
)
def test_what_may_be_claimed(one: dict[str, Any]) -> None:
    assert verdicts(one) == ["exact"]


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (claim("zz1", 1), "claims[0].quantity: there is no quantity 'zz1'"),
        (claim("z3", [[1]]), "there is no quantity 'z3'"),
        (claim("delta1_new", [[1]]), "claims[0].quantity"),
        (claim("import os", 1), "neither a quantity nor a formula"),
        (claim("__import__('os')", 1), "neither a quantity nor a formula"),
        (claim("z1.__class__", 1), "neither a quantity nor a formula"),
        (claim("z1[0:2]", 1), "whole numbers from 0"),
        (claim("z1", [[1, 2]]), "claims[0].value: z1 has shape (2, 3)"),
        (claim("z1", 1, index=[2, 0]), "claims[0].index: [2, 0] is not in z1"),
        (claim("loss", 1, step=3), "claims[0].step"),
        (claim("loss", 1, step=0), "claims[0].step"),
        (claim("loss", "0.5"), "claims[0].value: expected numbers"),
        (claim("loss", float("nan")), "claims[0].value"),
        (claim("loss", 1, digits=-1), "claims[0].digits"),
        (claim("loss", 1, digits={"significant": 0}), "claims[0].digits"),
        (claim("z1", Z1, digits=[[1, 2]]), "claims[0].digits: expected decimals for each of the 6"),
    ],
)
def test_what_is_refused(one: dict[str, Any], words: str) -> None:
    with pytest.raises(HandgradError) as caught:
        check({**CASE, "claims": [one]})
    assert words in str(caught.value)


def test_a_case_without_claims_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HandgradError, match="there are no claims"):
        check(CASE)


@pytest.mark.parametrize(
    ("printed", "value", "stands", "cut", "off"),
    [
        (Printed(0.29, 0.01), 0.285, True, False, True),
        (Printed(0.28, 0.01), 0.285, True, True, True),  # a tie is rounded either way
        (Printed(0.28, 0.01), 0.2899, False, True, True),
        (Printed(-0.28, 0.01), -0.2899, False, True, True),
        (Printed(0.27, 0.01), 0.2899, False, False, False),
        (Printed(0.0, 0.01), -0.004, True, True, True),
        (Printed(1200.0, 100.0), 1249.0, True, True, True),
        (Printed(1.0, 1.0), float("nan"), False, False, False),
    ],
)
def test_what_a_printed_number_stands_for(
    printed: Printed, value: float, stands: bool, cut: bool, off: bool
) -> None:
    assert (printed.stands_for(value), printed.cut_off_from(value), printed.one_off(value)) == (
        stands,
        cut,
        off,
    )


def test_digits_decimals_significant_and_one_by_one() -> None:
    loss = 1.4999  # not the loss: only its digits are looked at
    found = check(
        {
            **CASE,
            "claims": [
                claim("W1[0,0] * 1234.567", 123.5, digits=1),
                claim("W1[0,0] * 1234.567", 120.0, digits={"significant": 2}),
                claim("W1[0,0] * 1234.567", 123.46),
                claim("b1", [0.1, 0.2, 0.3], digits=[1, {"significant": 3}, None]),
                claim("x[0,0] * 1.49990001", loss, digits=4),
            ],
        }
    )
    assert [verdict.verdict for verdict in found.verdicts] == ["exact"] * 5


def test_formulas_are_only_arithmetic() -> None:
    with pytest.raises(HandgradError):
        Formula.parse("z1" + "+z1" * 300, "claims[0]")
    with pytest.raises(HandgradError):
        Formula.parse("max(z1, 0)", "claims[0]")


def test_quantities_that_the_case_cannot_give_say_what_is_missing() -> None:
    forward = {
        "network": {**CASE["network"], "loss": None},
        "data": {"x": CASE["data"]["x"]},
        "optimizer": None,
    }
    audit = check(
        {**forward, "claims": [claim("z1", Z1), claim("loss", 1.0), claim("W1_new", [[0.0] * 2] * 3)]}
    )
    assert [verdict.verdict for verdict in audit.verdicts] == [
        "exact",
        "not-recomputable",
        "not-recomputable",
    ]
    assert [verdict.missing for verdict in audit.verdicts] == ["", "network.loss", "network.loss"]
    assert "cannot be checked" in audit.text()


def test_weights_left_to_chance_are_not_guessed() -> None:
    network = {**CASE["network"], "layers": [{"units": 3, "activation": "tanh"}, {"units": 1}]}
    assert verdicts(claim("z1", Z1), claim("x", CASE["data"]["x"]), network=network) == [
        "exact",
        "not-recomputable",
    ]
    seeded = {**network, "seed": 3}
    assert verdicts(claim("z1", Z1), network=seeded) == ["wrong"]
