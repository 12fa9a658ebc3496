"""Why matrices: its equations are part of the record, and what is wrong in one of them is found."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from tests.worked.test_derive import OUTPUTS, case_of, record_of

from handgrad.errors import VerificationError
from handgrad.worked.evaluate import evaluate, map_tree
from handgrad.worked.expressions import Expression, Matrix, Number, Sum, Symbol
from handgrad.worked.record import Equation, Record, StepRecord
from handgrad.worked.verify import verify
from handgrad.worksheets.worksheet import explain


def view_of(record: Record) -> StepRecord:
    view = record.steps[0].matrices
    assert view is not None
    return view


def forged(record: Record, part: str, change) -> Record:
    """The record with other equations in one part of the view."""
    view = view_of(record)
    steps = tuple(
        dataclasses.replace(worked, equation=change(worked.equation)) if worked.part == part else worked
        for worked in view.steps
    )
    step = dataclasses.replace(record.steps[0], matrices=dataclasses.replace(view, steps=steps))
    return dataclasses.replace(record, steps=(step,))


def with_numbers(equation: Equation, change) -> Equation:
    return dataclasses.replace(equation, numbers=tuple(change(tree) for tree in equation.numbers))


def with_letters(equation: Equation, change) -> Equation:
    return dataclasses.replace(equation, symbols=tuple(map_tree(tree, change) for tree in equation.symbols))


def another_bias(tree: Expression) -> Expression:
    assert isinstance(tree, Sum)
    last = tree.terms[-1]
    assert isinstance(last, Number)
    return Sum((*tree.terms[:-1], Number(last.value + 0.001)))


def first_bias(part: Expression) -> Expression:
    return dataclasses.replace(part, entry=(0,)) if isinstance(part, Symbol) and part.letter == "b" else part


def exchanged(part: Expression) -> Expression:
    if isinstance(part, Symbol) and part.letter == "W" and part.entry in ((0, 1), (1, 0)):
        return dataclasses.replace(part, entry=part.entry[::-1])
    return part


WRONG = {
    "a wrong bias in the rows": ("rows", lambda equation: with_numbers(equation, another_bias)),
    "the bias of another unit": ("units", lambda equation: with_letters(equation, first_bias)),
    "w_jk for w_kj": ("whole", lambda equation: with_letters(equation, exchanged)),
    "W not transposed": (
        "transpose",
        lambda equation: dataclasses.replace(equation, result=Matrix(evaluate(equation.result).T)),
    ),
    "the input in place of the error": (
        "outer",
        lambda equation: with_letters(equation, lambda p: Symbol("z", 1) if p == Symbol("delta", 1) else p),
    ),
}


@pytest.mark.parametrize("mistake", WRONG)
def test_a_mistake_is_found(mistake: str):
    part, change = WRONG[mistake]
    biases = {"hidden": {"b": [0.1, -0.2, 0.3]}}
    record = record_of(case_of("tanh", OUTPUTS[1], 1, {"name": "sgd"}, **biases), last=1, matrices=True)
    assert verify(record) > 20
    with pytest.raises(VerificationError):
        verify(forged(record, part, change))


@pytest.mark.parametrize("hidden", ["tanh", "softmax"])
@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize("orientation", ["column", "row"])
@pytest.mark.parametrize(
    "more", [{}, {"hidden": {"dropout": {"keep": 0.5}}}, {"regularization": {"l2": 0.1}}]
)
def test_what_is_said_of_any_network_holds(hidden, samples, orientation, more):
    case = case_of(hidden, OUTPUTS[2], samples, {"name": "sgd"}, **dict(more))
    record = record_of(case, last=1, matrices=True, orientation=orientation)
    assert verify(record) > 20
    parts = {worked.part for worked in view_of(record).steps}
    assert {"units", "whole", "rows", "transpose", "outer"} <= parts
    # delta = dloss/da * f'(z) does not hold before dropout, nor for softmax
    assert ("hadamard" in parts) == (hidden == "tanh" and "hidden" not in more)


def test_numbers_that_were_given_are_shown_in_letters_alone():
    case = case_of("tanh", OUTPUTS[2], 1, {"name": "sgd"}, given={"z1": [[1.0, 2.0, 3.0]]})
    view = view_of(record_of(case, last=1, matrices=True))
    assert view.number == 0
    assert not np.array_equal(view.quantities["z1"], [[1.0, 2.0, 3.0]])


def test_the_numbers_of_the_part_are_those_of_the_first_sample():
    case = case_of("relu", OUTPUTS[2], 3, {"name": "sgd"})
    record = record_of(case, last=1, matrices=True)
    z = record.steps[0].quantities["z1"][0]
    rows = [worked.equation.result for worked in view_of(record).steps if worked.part == "rows"]
    assert [row.value for row in rows] == z.tolist()


def test_a_sheet_has_them_where_they_are_asked_for():
    case = {
        "network": {"inputs": 1, "loss": "squared_error", "layers": [{"units": 1, "W": [[2.0]]}]},
        "data": {"x": [[3.0]], "y": [[5.0]]},
        "training": {"steps": 2},
        "optimizer": {"name": "sgd", "learning_rate": 0.01},
    }
    assert [step.matrices for step in explain(case).record.steps] == [None, None]
    first, second = explain(case, parts=("matrices",)).record.steps
    assert first.matrices is not None
    assert second.matrices is None


def test_a_case_that_goes_forward_only_has_no_part_of_the_way_back():
    case = {
        "network": {"inputs": 1, "loss": "squared_error", "layers": [{"units": 2, "W": [[2.0], [1.0]]}]},
        "data": {"x": [[3.0]]},
    }
    (step,) = explain(case, parts=("matrices",)).record.steps
    assert step.matrices is not None
    assert {worked.part for worked in step.matrices.steps} == {"units", "whole", "rows", "transpose"}
