"""Verification: every letter and every number shown is computed once more.

The letters of each equation are evaluated with the bindings of the step, and each line of numbers from the numbers
in it; all must reach the result, as must a second route (the chain rule beside the closed form) and the scalar
detail. How far apart they may be follows from the rounding errors that the evaluation of these very trees can make,
bounded operation by operation (computed.py), in the arithmetic of the training.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import numpy as np

from handgrad.errors import VerificationError
from handgrad.nn.arrays import Array
from handgrad.worked.bindings import array_of
from handgrad.worked.computed import roundoff
from handgrad.worked.evaluate import NO_ERRORS, evaluate, evaluate_bounded
from handgrad.worked.real import agree, in_reals
from handgrad.worked.record import Equation, Record, StepRecord, WorkedStep
from handgrad.worked.rounding import Rounding
from handgrad.worked.substitute import is_put_in

BACKWARD = re.compile(r"(dyhat|derivative\d+|delta\d+|da\d+|df\d+)")
"""Quantities between the loss and a gradient: a second route has their rounding errors in it."""
ON_THE_WAY = re.compile(r"da\d+|df\d+|loss_terms|data_loss")
"""Quantities that the scalar detail, and the formula of the loss, pass by."""


def verify(record: Record) -> int:
    """The number of forms that were evaluated, when all agree.

    Raises VerificationError naming the step, the quantity, and both values, at the first that does not.
    """
    return verify_steps(record) + verify_proofs(record)


def verify_steps(record: Record) -> int:
    """The same of what has the numbers of the steps; within `real.computing` in real numbers, to the last digit."""
    rounding = record.rounding if record.carry else None
    prepared = () if record.preparation is None else (record.preparation.proof,)
    steps = (*prepared, *record.steps, *(view for view in _views(record) if view.number))
    return sum(_Verification(step, rounding).run() for step in steps)


def verify_proofs(record: Record) -> int:
    """The same of equations that are shown in letters only, at numbers drawn at random."""
    proofs = () if record.formulas is None else record.formulas.proofs
    drawn = (*(view for view in _views(record) if not view.number), *proofs)
    return sum(_Verification(proof, None).run() for proof in drawn)


def _views(record: Record) -> list[StepRecord]:
    """What stands beside the steps: why matrices, and the parts of the textbook."""
    matrices = [step.matrices for step in record.steps if step.matrices is not None]
    lessons = [*record.lessons.values(), *(held for step in record.steps for held in step.lessons.values())]
    return [*matrices, *(proof for lesson in lessons for proof in lesson.proofs)]


class _Verification:
    """One step: its letters, the arithmetic of its training, and how results were rounded on the way."""

    def __init__(self, step: StepRecord, rounding: Rounding | None) -> None:
        self.step, self.rounding = step, rounding
        self.program = dict(step.program)
        arrays = (np.asarray(value) for name, value in step.quantities.items() if name[0] == "W")
        dtypes = {array.dtype for array in arrays if np.issubdtype(array.dtype, np.floating)}
        self.dtype = max(dtypes, key=roundoff, default=np.dtype(np.float64))
        self.unit = roundoff(self.dtype)
        self.own: dict[str, Array] = {}

    def run(self) -> int:
        """Every equation of the step."""
        return sum(self._named(worked) for worked in (*self.step.steps, *self.step.path))

    def _named(self, worked: WorkedStep) -> int:
        try:
            return self._worked(worked)
        except VerificationError as error:
            raise VerificationError(f"step {self.step.number}, {worked.quantity}: {error}") from error

    def _worked(self, worked: WorkedStep) -> int:
        name = worked.quantity
        # training computes the loss from z; the outputs, of which the sheet makes it, were rounded
        leaves = _Errors(self, re.compile("yhat")) if worked.part == "loss" else NO_ERRORS
        slack = self.carried(name)
        inexact = slack + self._operands_carried(name)
        count = self._equation(worked.equation, name, leaves, inexact if worked.part == "loss" else slack)
        count += sum(self._equation(equation, name, leaves, inexact) for equation in worked.scalar)
        second = (*worked.factors, *worked.route, *(() if worked.check is None else (worked.check,)))
        return count + sum(
            self._equation(equation, name, _Errors(self, BACKWARD), slack) for equation in second
        )

    def _equation(
        self, equation: Equation, name: str, errors: Mapping[str, Array], slack: Array | float
    ) -> int:
        """Each form in letters and each line of numbers, against the result."""
        if equation.result is None:
            return self._forms_agree(equation)
        stated, bound = evaluate(equation.result), np.zeros(())
        for letters in equation.symbols:
            found = evaluate_bounded(letters, self.step.bindings, self.unit, errors)
            bound = np.maximum(bound, found.error)
            self._compare(found.value, stated, 2 * found.error + slack)
        if not equation.symbols:
            self._compare(evaluate(equation.target, self.step.bindings), stated, slack)
        for numbers in equation.numbers:
            if not any(is_put_in(letters, numbers, self.step.bindings) for letters in equation.symbols):
                line = evaluate_bounded(numbers, self.step.bindings, self.unit)
                self._compare(line.value, stated, line.error + bound + slack)
        if equation.symbols and errors is NO_ERRORS and self.rounding is None:
            self.own.setdefault(name, bound)
        return len(equation.symbols) + len(equation.numbers)

    def _forms_agree(self, equation: Equation) -> int:
        """The forms of an equation without a result, against the first of them; one form says nothing to check."""
        if len(equation.symbols) < 2:
            return 0
        first, *others = (
            evaluate_bounded(letters, self.step.bindings, self.unit) for letters in equation.symbols
        )
        for form in others:
            self._compare(form.value, first.value, form.error + first.error)
        return len(equation.symbols)

    def _compare(self, found: Array, stated: Array, tolerance: Array | float) -> None:
        if found.shape == stated.shape and in_reals():
            if all(map(agree, found.flat, stated.flat, np.broadcast_to(tolerance, found.shape).flat)):
                return
        elif found.shape == stated.shape:
            with np.errstate(all="ignore"):
                least = 4 * float(np.finfo(self.dtype).tiny)  # below it a training may have underflowed
                near = np.abs(found - stated) <= np.where(np.isfinite(tolerance), tolerance, 0.0) + least
                if np.all((found == stated) | near | (np.isnan(found) & np.isnan(stated))):
                    return
        raise VerificationError(
            f"the letters and numbers shown give {_short(found)}, the result says {_short(stated)}"
        )

    # -- what the result of a step may be off

    def carried(self, name: str) -> float:
        """Half a unit of the last decimal that the result was rounded to."""
        digits = None if self.rounding is None else self.rounding.of(name)
        return 0.0 if digits is None else 0.5 * 10.0**-digits * (1 + 1e-9)

    def _operands_carried(self, name: str) -> Array | float:
        """How far the result is off because quantities on its way, which these letters leave out, were rounded."""
        if self.rounding is None or name not in self.program:
            return 0.0
        return self._through(name, _Errors(self, ON_THE_WAY))

    def _through(self, name: str, errors: Mapping[str, Array]) -> Array | float:
        return evaluate_bounded(self.program[name], self.step.bindings, self.unit, errors).error

    def bound(self, name: str) -> Array:
        """How far a quantity may be off its own letters."""
        if name not in self.own:
            on_the_way = NO_ERRORS if self.rounding is None else _Errors(self, ON_THE_WAY)
            self.own[name] = np.asarray(self._through(name, on_the_way) if name in self.program else 0.0)
        return self.own[name] + (0.0 if name.startswith("derivative") else self.carried(name))


class _Errors(Mapping[str, Array]):
    """The errors of the quantities of these names, each looked for when it is asked for."""

    def __init__(self, verification: _Verification, names: re.Pattern[str]) -> None:
        self.verification, self.names = verification, names

    def __getitem__(self, name: str) -> Array:
        if not self.names.fullmatch(name):
            raise KeyError(name)
        whole = array_of(self.verification.step.bindings[name])
        return np.broadcast_to(self.verification.bound(name), whole.shape)

    def __iter__(self) -> Iterator[str]:
        return (name for name in self.verification.step.bindings if self.names.fullmatch(name))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _short(values: Array) -> str:
    """The numbers, or of many where they are and how large."""
    if values.size <= 6:
        return str(values.tolist())
    return f"{values.shape[0]} x {values.shape[1]} numbers from {values.min():.6g} to {values.max():.6g}"
