"""Another published convention is not a mistake."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np

from handgrad import check
from tests.audit.pencil import Pencil, Problem

EXAMPLES = Path(__file__).parents[2] / "examples"


def problem(**changes: Any) -> Problem:
    given: dict[str, Any] = {
        "X": np.array([[0.5, -0.3], [0.2, 0.9]]),
        "Y": np.array([[1.0, 0.0], [0.0, 0.5]]),
        "weights": [np.array([[0.3, -0.8], [0.6, 0.1]]), np.array([[0.7, 0.2], [-0.4, 0.9]])],
        "biases": [np.array([0.1, -0.2]), np.array([0.3, 0.4])],
        "functions": ["tanh", "identity"],
        "loss": "squared_error",
        "scale": 0.5,
        "optimizer": {"name": "momentum", "learning_rate": 0.1, "momentum": 0.9, "form": "velocity"},
        "steps": 2,
    }
    return Problem(**{**given, **changes})


def document(given: Problem, printed_by: Problem | None = None, **how: Any) -> dict[str, Any]:
    printed = Pencil(printed_by or given, 5, **how).printed
    claims = [
        {"quantity": name, "step": t, "value": np.asarray(value).tolist(), "digits": 5}
        for (t, name), value in printed.items()
    ]
    return {**given.document(), "claims": claims}


def test_errors_as_target_minus_output_with_a_right_update():
    case = tomllib.loads((EXAMPLES / "han-kamber-3-2-1.toml").read_text(encoding="utf-8"))
    for claim in case["claims"]:
        if claim["quantity"].startswith("delta"):
            claim["value"] = [[-value for value in row] for row in claim["value"]]
    audit = check(case)
    assert not audit.wrong
    assert audit.convention is not None
    assert audit.convention.code == "delta-sign"
    row = next(row for row in audit.as_dict()["verdicts"] if row["quantity"] == "delta2")
    assert row["published"] == [[0.1311]]
    assert row["computed"][0][0] > 0
    assert "target minus output" in audit.text()


def test_an_error_of_the_other_sign_that_reaches_the_update_is_a_mistake():
    audit = check(document(problem(), slip="error-sign"))
    assert audit.convention is None
    first = next(verdict for verdict in audit.verdicts if verdict.root)
    assert (first.claim.quantity, first.cause) == ("dyhat", "error-sign")


def test_matrices_with_a_row_for_each_input():
    given = problem()
    case = document(given)
    for claim in case["claims"]:
        if claim["quantity"].lstrip("d").startswith("W"):
            claim["value"] = np.transpose(claim["value"]).tolist()
    audit = check(case)
    assert not audit.wrong
    assert audit.convention is not None
    assert audit.convention.code == "rows"


def test_another_form_of_the_loss_names_the_line():
    audit = check(document(problem(), problem(scale=1.0)))
    assert audit.convention is not None
    assert audit.convention.code == "loss"
    assert "scale = 1," in audit.convention.line
    assert audit.as_dict()["convention"]["line"] in " ".join(audit.text().split())
    again = document(problem(scale=1.0))
    assert not check(again).wrong


def test_another_form_of_momentum_names_the_line():
    other = problem(optimizer={**problem().optimizer, "form": "average"})
    audit = check(document(problem(), other))
    assert audit.convention is not None
    assert (audit.convention.code, audit.convention.line) == ("momentum", "average")
    assert {verdict.cause for verdict in audit.verdicts if verdict.root} == {"momentum-form"}


def test_a_slip_in_one_number_is_no_convention():
    case = document(problem())
    claim = next(claim for claim in case["claims"] if claim["quantity"] == "delta2")
    claim["value"] = [[-value for value in row] for row in claim["value"]]
    audit = check(case)
    assert audit.convention is None
    assert audit.wrong
