"""The formula sheet: what it says of any network holds, and what is wrong in one of its formulas is found."""

from __future__ import annotations

import dataclasses

import pytest
from tests.worked.test_derive import HIDDEN, OUTPUTS, case_of

from handgrad.cases.case import Case
from handgrad.errors import VerificationError
from handgrad.nn.losses import LOSSES
from handgrad.worked.derive.formulas import formula_sheet
from handgrad.worked.evaluate import map_tree
from handgrad.worked.expressions import Expression, Negative, Number, Sum, Symbol, Times, Transpose
from handgrad.worked.record import FormulaSheet, Options, Record
from handgrad.worked.verify import verify


def sheet_of(case: Case, samples: int, orientation: str = "column") -> tuple[Case, FormulaSheet]:
    options = Options(orientation=orientation)
    return case, formula_sheet(case.network, case.recipe, case.regularization, samples, options)


def record_of(case: Case, sheet: FormulaSheet) -> Record:
    return Record("", "", case.network, case.recipe, (), formulas=sheet)


@pytest.mark.parametrize("place", range(len(HIDDEN) * len(OUTPUTS)))
def test_every_formula_of_any_network_holds(place: int):
    hidden, output = HIDDEN[place % len(HIDDEN)], OUTPUTS[place // len(HIDDEN)]
    more: dict = {
        "optimizer": {"name": ("adam", "adamw", "sgd", "nesterov", "rmsprop", "momentum")[place % 6]}
    }
    more["optimizer"] |= ({}, {"clip_norm": 0.05}, {"clip_value": 0.01})[place % 3]
    if place % 2:
        form = ("half", "half_mean", "full")[place % 3]
        more["regularization"] = {"l2": {"strength": 0.1, "form": form}, "l1": 0.01}
    bias = ("trained", "shared", "none", "frozen")[place % 4]
    more["hidden"] = {"bias": bias, "dropout": {"keep": 0.5}}
    case, sheet = sheet_of(
        case_of(hidden, output, 1, **more), (1, 4)[place % 2], ("column", "row")[place % 2]
    )
    assert verify(record_of(case, sheet)) > 20


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("scale", [1.0, 0.5])
@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_every_form_of_a_loss_holds(name: str, scale: float, reduction: str):
    loss = {"name": name, "scale": scale, "outputs": reduction, "samples": reduction}
    activation = {"cross_entropy": "softmax"}.get(name, "sigmoid")
    layers = [{"units": 2, "activation": "tanh"}, {"units": 3, "activation": activation}]
    y = [[1.0, 1.0, 1.0]] if "hinge" in name else [[0.0, 1.0, 0.0]]
    case = Case.from_dict(
        {
            "network": {"inputs": 2, "loss": loss, "layers": layers},
            "data": {"x": [[1.0, 2.0]], "y": y},
        }
    )
    case, sheet = sheet_of(case, 3)
    assert verify(record_of(case, sheet)) > 20


def test_the_derivative_of_a_term_is_that_of_the_loss_with_its_scale():
    loss = {"name": "squared_error", "scale": 0.5}
    case = Case.from_dict(
        {
            "network": {"inputs": 1, "loss": loss, "layers": [{"units": 1, "W": [[2.0]]}]},
            "data": {"x": [[3.0]], "y": [[5.0]]},
        }
    )
    _, sheet = sheet_of(case, 1)
    term, derivative = sheet.term
    yhat, y = Symbol("yhat", entry=("k",)), Symbol("y", entry=("k",))
    assert derivative.symbols == (Sum((yhat, Negative(y))),)
    assert isinstance(term.symbols[0], Times)  # 1/2 (yhat - y)^2


MISTAKES = {
    "delta for its transpose": lambda part: part.operand if isinstance(part, Transpose) else part,
    "no 1/m": lambda part: Number(1.0) if part == Symbol("m") else part,
    "another activation": lambda part: (
        dataclasses.replace(part, function="sigmoid") if getattr(part, "function", "") == "tanh" else part
    ),
    "the target for the output": lambda part: Symbol("y") if part == Symbol("yhat") else part,
    "another rate": lambda part: Symbol("beta1") if part == Symbol("eta") else part,
    "the sign of the penalty": lambda part: Number(0.0) if part == Symbol("lambda") else part,
    "the derivative": lambda part: (
        dataclasses.replace(part, function="tanh") if getattr(part, "function", "") == "tanh'" else part
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_found(mistake: str):
    change = MISTAKES[mistake]
    case = case_of("tanh", ("softmax", "cross_entropy", 3), 1, {"name": "adam"}, regularization={"l2": 0.1})
    case, sheet = sheet_of(case, 4)

    def changed(tree: Expression) -> Expression:
        return map_tree(tree, change)

    proofs, count = [], 0
    for proof in sheet.proofs:
        steps = []
        for worked in proof.steps:
            symbols = tuple(changed(tree) for tree in worked.equation.symbols)
            count += symbols != worked.equation.symbols
            equation = dataclasses.replace(worked.equation, symbols=symbols)
            steps.append(dataclasses.replace(worked, equation=equation))
        proofs.append(dataclasses.replace(proof, steps=tuple(steps)))
    assert count
    with pytest.raises(VerificationError):
        verify(record_of(case, dataclasses.replace(sheet, proofs=tuple(proofs))))
