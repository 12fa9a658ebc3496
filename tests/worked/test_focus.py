"""The path to one entry: each of its numbers is autodiff's, it holds what it needs, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from handgrad.cases.case import Case
from handgrad.errors import SpecificationError
from handgrad.render.document import Formula
from handgrad.worked.bindings import name_of
from handgrad.worked.derive.focus import Focus
from handgrad.worked.entries import letters_in
from handgrad.worked.evaluate import evaluate
from handgrad.worked.expressions import Sum
from handgrad.worksheets.worksheet import Worksheet, explain

EXAMPLES = Path(__file__).parents[2] / "examples"


def network(sizes: tuple[int, ...], samples: int, **more: Any) -> dict[str, Any]:
    r = np.random.default_rng(5)
    layers = [
        {
            "units": units,
            "activation": "softmax" if l == len(sizes) - 1 else "tanh",
            "W": r.normal(0, 0.6, (units, inputs)).round(3).tolist(),
            "b": r.normal(0, 0.2, units).round(3).tolist(),
        }
        for l, (inputs, units) in enumerate(zip(sizes, sizes[1:], strict=False), 1)  # noqa: RUF007
    ]
    return {
        "network": {"inputs": sizes[0], "loss": "cross_entropy", "layers": layers},
        "data": {
            "x": r.normal(0, 1, (samples, sizes[0])).round(2).tolist(),
            "y": np.eye(sizes[-1])[r.integers(0, sizes[-1], samples)].tolist(),
        },
        "optimizer": {"name": "adam", "learning_rate": 0.1},
        **more,
    }


def names(sheet: Worksheet) -> list[str]:
    (step,) = sheet.record.steps
    return [worked.quantity for worked in step.path]


def test_the_path_to_a_weight_of_the_first_layer_is_whole_and_shortest() -> None:
    sheet = explain(Case.load(EXAMPLES / "relu-sigmoid-2-2-1.toml"), focus="W1[0,1]")
    assert names(sheet) == ["delta2", "delta1", "dW1", "W1_new"]
    formulas = [block for block in sheet.document.blocks if isinstance(block, Formula)]
    assert len(formulas) == 4


@pytest.mark.parametrize("orientation", ["column", "row"])
@pytest.mark.parametrize(
    "text", ["W1[2,1]", "W2[0,2]", "b1[1]", "b2[2]", "a1[0]", "z1[1]", "delta1[2]", "yhat[1]", "x[3]"]
)
def test_every_number_of_a_path_is_that_of_the_training(text: str, orientation: str) -> None:
    sheet = explain(network((2, 3, 3), 4), focus=text, orientation=orientation)
    (step,) = sheet.record.steps
    assert step.path
    known = set()
    for worked in step.path:
        (equation,) = worked.scalar
        assert equation.result is not None
        quantity = step.quantities[worked.quantity]
        value = float(evaluate(equation.result)[0, 0])
        assert np.isclose(quantity, value, rtol=1e-12).any(), worked.quantity
        known.add(worked.quantity)
        for letter in letters_in(equation.symbols[0]):
            name = name_of(letter)
            if name.startswith(("delta", "dyhat", "dW", "db")):
                assert name in known, f"{worked.quantity} needs {name}, which comes later or not at all"


def test_the_gradient_at_the_end_of_the_path_is_the_central_difference() -> None:
    case = network((2, 3, 3), 4)
    path = explain(case, focus="W1[2,1]").record.steps[0].path
    gradient = next(worked for worked in path if worked.quantity == "dW1")
    losses = []
    for change in (1e-6, -1e-6):
        moved = network((2, 3, 3), 4)
        moved["network"]["layers"][0]["W"][2][1] += change
        losses.append(float(explain(moved).quantities()["loss"]))
    assert gradient.scalar[0].result is not None
    assert np.isclose(evaluate(gradient.scalar[0].result)[0, 0], (losses[0] - losses[1]) / 2e-6, rtol=1e-6)


def test_of_many_branches_the_strongest_is_opened() -> None:
    sheet = explain(network((3, 12, 9, 4), 5), focus="W1[0,0]")
    opened = names(sheet)
    assert opened.count("delta2") == 1 and opened.count("delta1") == 1
    (step,) = sheet.record.steps
    delta1 = next(worked for worked in step.path if worked.quantity == "delta1").scalar[0].symbols[0]
    back = next(factor for factor in getattr(delta1, "factors", ()) if isinstance(factor, Sum))
    followed = next(worked for worked in step.path if worked.quantity == "delta2").scalar[0].target
    sizes = {
        letter: abs(float(evaluate(term, step.bindings)[0, 0]))
        for term in back.terms
        for letter in letters_in(term)
        if name_of(letter) == "delta2"
    }
    assert followed == max(sizes, key=lambda letter: sizes[letter])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("W9[0,0]", "layer 9 of 2"),
        ("W1[5,0]", "W1 is 3 x 2"),
        ("W1[0]", "W1 is 3 x 2"),
        ("a1", "a1 is 3"),
        ("Q1[0]", "a quantity and its entry"),
        ("W1[0,0,0]", "a quantity and its entry"),
        ("yhat1[0]", "a quantity and its entry"),
        ("x[4]", "x is 4"),
        ("", "a quantity and its entry"),
    ],
)
def test_what_is_not_there_is_told(text: str, message: str) -> None:
    with pytest.raises(SpecificationError, match=message.replace("[", r"\[")):
        _ = explain(network((2, 3, 3), 4), focus=text).record


def test_a_parameter_of_one_entry_needs_none_said() -> None:
    assert Focus.parse("b1") == Focus("b", 1, ())
    case = network((1, 1, 2), 1)
    assert names(explain(case, focus="W1"))[-1] == "W1_new"


def test_a_network_of_more_than_thirty_parameters_is_shown_in_brief() -> None:
    small, large = explain(network((2, 3, 3), 2)), explain(network((3, 6, 4), 2))
    assert (small.settings.detail, large.settings.detail) == ("matrix", "brief")
    assert explain(network((3, 6, 4), 2), detail="summary").settings.detail == "brief"
    text = large.text()
    for heading in ("The rules", "One unit and one weight in full", "All quantities", "The largest changes"):
        assert heading in text
    assert len(text.splitlines()) < 160
    assert "z[2]" in text and "∂ℒ/∂W[1]" in text


def test_the_largest_entry_and_the_largest_change_are_the_largest() -> None:
    sheet = explain(network((3, 6, 4), 2))
    quantities = sheet.quantities()
    from handgrad.render.document import Table

    tables = [block for block in sheet.document.blocks if isinstance(block, Table)]
    changes = next(table for table in tables if len(table.header) == 5 and table.align == "lrrrr")
    moved = np.concatenate(
        [np.abs(quantities[f"{name}_new"] - quantities[name]).ravel() for name in ("W1", "b1", "W2", "b2")]
    )
    shown = [str(row[3][0]) for row in changes.rows]
    assert len(shown) == 4
    assert f"{np.sort(moved)[-1]:.4f}"[:6] in shown[0].replace("-", "")
