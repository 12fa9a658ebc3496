"""What the equations of a sheet say to somebody who knows the notation: scalars, norms, schemes, = and about."""

from __future__ import annotations

from typing import Any

import pytest

from handgrad.render.document import Formula
from handgrad.render.latex.math import latex
from handgrad.render.layout.context import Sheet
from handgrad.render.layout.sheet import lay_out
from handgrad.render.settings import Settings
from handgrad.render.terminal.sheet import to_text
from handgrad.worked.evaluate import is_rounded
from handgrad.worked.expressions import Apply, Norm, Number, Power, Sum, Symbol
from handgrad.worksheets.worksheet import Worksheet, explain
from handgrad.writing.letter_parts import Notation


def worksheet(samples: int = 1, units: int = 2, **choices: Any) -> Worksheet:
    case: dict[str, Any] = {
        "network": {
            "inputs": 2,
            "loss": "squared_error",
            "layers": [{"units": units, "activation": "tanh"}, {"units": 1, "activation": "sigmoid"}],
        },
        "data": {"x": [[0.5, 0.3], [-1.0, 0.25]][:samples], "y": [[1.0], [0.0]][:samples]},
        "optimizer": {"name": "sgd"},
        "regularization": {"l2": 0.1},
    }
    return explain(case, **choices)


def in_latex(sheet: Worksheet) -> str:
    document = lay_out(sheet.record, Settings(language="en", detail=sheet.settings.detail))
    formulas = [block for block in document.blocks if isinstance(block, Formula)]
    trees = [tree for block in formulas for tree in (block.target, *(form for _, form in block.forms))]
    return "\n".join(latex(tree, document.notation) for tree in trees)


@pytest.mark.parametrize("samples", [1, 2])
@pytest.mark.parametrize("orientation", ["column", "row"])
def test_what_is_one_number_is_not_set_bold(samples: int, orientation: str):
    text = in_latex(worksheet(samples, orientation=orientation))
    assert r"\boldsymbol{W}^{[1]}" in text
    assert r"\boldsymbol{x}" in text
    assert r"\boldsymbol{b}^{[2]}" not in text  # one unit has one bias
    assert "b^{[2]}" in text
    # of one sample the prediction is a number; of several it is a vector, each sample's a number
    assert (r"\hat{\boldsymbol{y}}" in text) == (samples > 1)
    if samples > 1:
        assert r"\hat{y}^{(i)}" in text


def test_a_layer_of_one_unit_and_one_input_has_a_number_for_a_weight():
    case = {
        "network": {"inputs": 1, "loss": "squared_error", "layers": [{"units": 1, "W": [[2.0]]}]},
        "data": {"x": [[3.0]], "y": [[5.0]]},
    }
    assert "boldsymbol" not in in_latex(explain(case))


def test_the_norm_of_the_weights_is_that_of_frobenius():
    squared = Power(Norm(Symbol("W", 1)), Number(2.0, exact=True))
    assert latex(squared, Notation()) == r"{\Vert \boldsymbol{W}^{[1]} \Vert_{\mathrm{F}}}^{2}"
    assert latex(Norm(Symbol("W", 1), 1), Notation()) == r"\Vert \boldsymbol{W}^{[1]} \Vert_{1}"


@pytest.mark.parametrize("samples", [1, 2])
def test_the_chain_of_derivatives_is_called_a_scheme_and_sums_over_the_samples(samples: int):
    sheet = worksheet(samples)
    assert "is a scheme that names its factors" in " ".join(to_text(sheet.document, 80).split())
    (chain,) = [
        equation.scheme
        for worked in sheet.record.steps[0].steps
        for equation in worked.factors
        if worked.quantity == "dW1_data" and equation.scheme is not None
    ]
    text = latex(chain, sheet.document.notation)
    assert text.startswith(r"\frac{1}{m} \sum_{i = 1}^{m}") == (samples > 1)
    assert text.count(r"\partial") == 2 * 5


def test_a_sum_that_is_a_factor_has_parentheses():
    # 1/m (sum of delta) 1: without them the 1 would be a part of the sum
    lines = to_text(worksheet(2).document, 160)
    sums = [line for line in lines.splitlines() if "Σ ( 2 × (ŷ − y) )" in line]
    assert sums
    assert all("⎛Σ" in line and "⎞ ×" in line for line in sums)


@pytest.mark.parametrize(
    ("function", "z", "endless"),
    [
        ("sigmoid", 50.0, True),
        ("sigmoid", 0.0, False),
        ("tanh", 40.0, True),
        ("relu", 50.0, False),
        ("exp", 0.0, False),
        ("ln", 1.0, False),
        ("ln", 2.0, True),
    ],
)
def test_what_no_decimal_writes_down_is_about_what_is_shown(function: str, z: float, endless: bool):
    assert is_rounded(Sum((Number(1.0), Apply(function, (Number(z),))))) == endless


def test_sigma_of_50_is_about_1():
    layers = [{"units": 1, "activation": "sigmoid", "W": [[50.0]]}]
    case = {
        "network": {"inputs": 1, "loss": "squared_error", "layers": layers},
        "data": {"x": [[1.0]], "y": [[1.0]]},
    }
    sheet = explain(case, detail="scalar")
    step = next(worked for worked in sheet.record.steps[0].steps if worked.quantity == "yhat")
    layout = Sheet(sheet.record, Settings(language="en"))
    assert layout.formula(step.equation, "yhat").forms[-1][0] == "~"
    signs = [sign for sign, _ in layout.formula(step.scalar[0], "yhat").forms]
    assert signs == [
        "=",
        "=",
        "=",
        "~",
        "~",
        "~",
    ]  # sigma(z), sigma(50), 1/(1 + e^-50), about 1/(1 + 0.00..), 1/1, 1
