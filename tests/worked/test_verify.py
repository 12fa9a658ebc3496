"""What verification lets pass: what rounding explains, and no more."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from tests.worked.test_sheets import CASES, stepped

from handgrad.errors import VerificationError
from handgrad.worked.bindings import Bindings
from handgrad.worked.evaluate import evaluate
from handgrad.worked.expressions import Expression, Matrix, Number, Sum, Symbol
from handgrad.worked.record import Equation, Record, StepRecord, WorkedStep
from handgrad.worked.rounding import Rounding
from handgrad.worked.substitute import node
from handgrad.worked.verify import verify, verify_proofs, verify_steps

A, B = np.array([[0.1, 0.2], [0.3, 0.4]]), np.array([[0.7], [0.9]])
a, b = Symbol("a", 1), Symbol("b", 1)
TOTAL = Sum((a, b))


def step(worked: WorkedStep, dtype: type = np.float64, number: int = 1) -> StepRecord:
    bindings = Bindings({"a1": Matrix(A), "b1": Matrix(B), "z1": Matrix(A + B)})
    return StepRecord(number, 0.1, {"W1": A.astype(dtype)}, (worked,), bindings=bindings)


def holding(
    equation: Equation, rounding: Rounding | None = None, dtype: type = np.float64, **more: object
) -> Record:
    worked = WorkedStep("z1", "forward", 1, equation, **more)  # type: ignore[arg-type]
    kept = rounding or Rounding()
    return Record("", "", None, None, (step(worked, dtype),), carry=rounding is not None, rounding=kept)  # type: ignore[arg-type]


def off(by: float) -> Equation:
    """z = a + b whose result is off by so much of each entry."""
    return Equation(Symbol("z", 1), (TOTAL,), (), Matrix((A + B) * (1 + by)))


def test_a_result_may_be_off_by_what_adding_rounds():
    # one addition is off by u of its result, as far as the bound goes, and twice that is let pass
    unit = 2.0**-24
    assert verify(holding(off(1.9 * unit), dtype=np.float32)) == 1
    assert verify(holding(off(-1.9 * unit), dtype=np.float32)) == 1
    for by in (2.1 * unit, -2.1 * unit):
        with pytest.raises(VerificationError, match=r"step 1, z1: the letters and numbers shown give"):
            verify(holding(off(by), dtype=np.float32))
    assert verify(holding(off(0.0))) == 1
    with pytest.raises(VerificationError):
        verify(holding(off(6e-16)))


def test_numbers_are_held_to_what_they_are_worth():
    wrong = Sum((Matrix(A), Matrix(B * (1 + 1e-12))))
    with pytest.raises(VerificationError):
        verify(holding(Equation(Symbol("z", 1), (TOTAL,), (wrong,), Matrix(A + B))))
    right = Sum((Matrix(A.copy()), Matrix(B.copy())))
    assert verify(holding(Equation(Symbol("z", 1), (TOTAL,), (right, right), Matrix(A + B)))) == 3


def test_a_result_without_letters_is_that_of_its_target():
    assert verify(holding(Equation(Symbol("z", 1), (), (), Matrix(A + B)))) == 0
    with pytest.raises(VerificationError):
        verify(holding(Equation(Symbol("z", 1), (), (), Matrix(A))))


def test_forms_without_a_result_agree_with_one_another():
    one, other = Sum((a, b)), Sum((b, a))
    assert verify(holding(Equation(Symbol("z", 1), (one, other)))) == 2
    assert verify(holding(Equation(Symbol("z", 1), (one,)))) == 0
    with pytest.raises(VerificationError):
        verify(holding(Equation(Symbol("z", 1), (one, a))))


def test_another_shape_is_another_result():
    with pytest.raises(VerificationError):
        verify(holding(Equation(Symbol("z", 1), (TOTAL,), (), Matrix((A + B)[:, :1]))))


def test_what_is_no_number_agrees_with_itself():
    nothing = Bindings({"a1": Number(float("nan")), "b1": Number(float("inf"))})
    worked = WorkedStep("z1", "forward", 1, Equation(a, (a,), (), Number(float("nan"))))
    endless = WorkedStep("z1", "forward", 1, Equation(b, (b,), (), Number(float("inf"))))
    record = StepRecord(1, 0.1, {}, (worked, endless), bindings=nothing)
    assert verify(Record("", "", None, None, (record,))) == 2  # type: ignore[arg-type]
    wrong = WorkedStep("z1", "forward", 1, Equation(b, (b,), (), Number(1.0)))
    with pytest.raises(VerificationError):
        verify(Record("", "", None, None, (dataclasses.replace(record, steps=(wrong,)),)))  # type: ignore[arg-type]


@pytest.mark.parametrize("by", [0.49e-2, -0.49e-2])
def test_a_result_that_is_carried_may_be_off_by_half_its_last_decimal(by: float):
    rounded = Equation(Symbol("z", 1), (TOTAL,), (), Matrix(A + B + by))
    assert verify(holding(rounded, Rounding(2, carry=True))) == 1
    with pytest.raises(VerificationError):
        verify(holding(rounded, Rounding(3, carry=True)))
    with pytest.raises(VerificationError):
        verify(holding(rounded))
    with pytest.raises(VerificationError):
        verify(
            holding(Equation(Symbol("z", 1), (TOTAL,), (), Matrix(A + B + 1.1 * by)), Rounding(2, carry=True))
        )


def test_each_detail_of_a_step_is_verified():
    right = off(0.0)
    wrong = Equation(Symbol("z", 1), (TOTAL,), (), Matrix(A))
    for detail in ("scalar", "factors", "route"):
        assert verify(holding(right, **{detail: (right,)})) == 2
        with pytest.raises(VerificationError):
            verify(holding(right, **{detail: (wrong,)}))
    assert verify(holding(right, check=right)) == 2
    with pytest.raises(VerificationError):
        verify(holding(right, check=wrong))


def test_steps_and_proofs_are_counted_apart():
    right = off(0.0)
    worked = WorkedStep("z1", "units", 1, right)
    main = step(WorkedStep("z1", "forward", 1, right))
    numbered = dataclasses.replace(main, matrices=step(worked))
    drawn = dataclasses.replace(main, matrices=step(worked, number=0))
    path = dataclasses.replace(main, path=(worked,))
    counts = [
        (verify_steps(record), verify_proofs(record), verify(record))
        for record in (Record("", "", None, None, (one,)) for one in (main, numbered, drawn, path))  # type: ignore[arg-type]
    ]
    assert counts == [(1, 0, 1), (2, 0, 2), (1, 1, 2), (2, 0, 2)]


def changed(tree: Expression, by: float) -> Expression:
    return node(evaluate(tree) * (1 + by) + by)


@pytest.mark.parametrize(
    "name", ["one sample in scalars", "seven samples with penalties", "carried rounding"]
)
def test_no_result_of_a_sheet_can_be_changed(name: str):
    record, held = stepped(name)
    carried = "rounding" in CASES[name][0]
    by, tried = 2e-3 if carried else 1e-9, 0
    for place, worked in enumerate(held.steps):
        if carried and worked.part == "loss":
            continue  # it was rounded on its way, too
        for field in ("equation",) if carried else ("equation", "scalar", "factors", "check"):
            value = getattr(worked, field)
            one = value[0] if isinstance(value, tuple) and value else value
            if not isinstance(one, Equation) or one.result is None:
                continue
            forged = dataclasses.replace(one, result=changed(one.result, by))
            new = dataclasses.replace(
                worked, **{field: (forged, *value[1:]) if isinstance(value, tuple) else forged}
            )
            steps = (*held.steps[:place], new, *held.steps[place + 1 :])
            with pytest.raises(VerificationError, match=worked.quantity):
                verify(dataclasses.replace(record, steps=(dataclasses.replace(held, steps=steps),)))
            tried += 1
    assert tried > 15
