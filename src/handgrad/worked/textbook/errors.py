"""How far predictions are off: the errors, output by output, and the common losses beside each other."""

from __future__ import annotations

import numpy as np

from handgrad.nn.arrays import Array
from handgrad.nn.losses import Loss
from handgrad.worked.bindings import Bindings
from handgrad.worked.derive.matrices import first_sample
from handgrad.worked.derive.scalars import entry_of
from handgrad.worked.evaluate import evaluate
from handgrad.worked.expressions import (
    Apply,
    BigSum,
    Divide,
    Expression,
    Gradient,
    Negative,
    Symbol,
    Times,
)
from handgrad.worked.forms.equations import loss_formula
from handgrad.worked.forms.losses import LOSS_FORMS, term_formula
from handgrad.worked.forms.trees import scalar_products
from handgrad.worked.paper import ONE, Paper, difference, exact
from handgrad.worked.record import Equation, Lesson, StepRecord, WorkedStep
from handgrad.worked.substitute import node
from handgrad.worked.textbook.desk import PART, Desk, proved, with_entries

MOST_ERRORS = 12
"""Rows of the table of errors."""


def errors(desk: Desk) -> Lesson | None:
    """Output minus target, for each output of each sample: error_k = yhat_k - y_k."""
    paper = desk.step
    if not (paper.has("yhat") and paper.has("y")):
        return None
    equations = tuple(_error(paper, i, k) for i, k in _places(paper))
    return Lesson(equations, (proved(paper.trace.number, paper, equations),))


def _places(paper: Paper) -> list[tuple[int, int]]:
    samples, outputs = np.shape(paper.quantities["yhat"])
    return [(int(i), int(k)) for i, k in np.ndindex(samples, outputs)][:MOST_ERRORS]


def _error(paper: Paper, i: int, k: int) -> Equation:
    l = paper.network.depth
    yhat, y = entry_of(paper, "yhat", l, i, k), entry_of(paper, "y", l, i, k)
    assert isinstance(yhat, Symbol)
    letters = difference(yhat, y)
    target = Symbol("error", entry=yhat.entry, sample=yhat.sample)
    return paper.equation(target, letters, result=node(evaluate(letters, paper.bindings)))


# --- losses ------------------------------------------------------------------------------------------------

COMPARED: dict[str, Loss] = {
    "squared_error": Loss("squared_error", outputs="mean"),
    "cross_entropy": Loss("cross_entropy"),
    "binary_cross_entropy": Loss("binary_cross_entropy"),
}
"""The losses of most textbooks: the mean squared error, cross-entropy, and cross-entropy of one probability."""


def losses(desk: Desk) -> Lesson:
    """Of each loss its formula, its derivative by one prediction, and where it has a value its value here.

    Three equations a loss, in the order of `COMPARED`; the third has no symbols where the loss says nothing of this
    prediction.
    """
    shown: list[Equation] = []
    proofs: list[StepRecord] = []
    here: list[Equation] = []
    for name, loss in COMPARED.items():
        value, slope = _formulas(name, loss)
        shown += [value, slope]
        proofs.append(_at_three_outputs(name, loss, value, slope))
        worked = _here(desk, name)
        shown.append(Equation(Symbol("loss")) if worked is None else worked)
        here += [] if worked is None else [worked]
    if here:
        proofs.append(proved(desk.step.trace.number, first_sample(desk.step), here))
    return Lesson(tuple(shown), tuple(proofs))


def _formulas(name: str, loss: Loss) -> tuple[Equation, Equation]:
    """The loss of one sample of n outputs, and its derivative by output k."""
    yhat, y, n = Symbol("yhat", entry=("k",)), Symbol("y", entry=("k",)), Symbol("n")
    if name == "cross_entropy":
        value: Expression = Negative(BigSum("k", ONE, n, Times((y, Apply("ln", (yhat,))))))
    else:
        value = loss_formula(loss, 1 if name == "binary_cross_entropy" else 2, 1)
    if name == "binary_cross_entropy":
        yhat, y = Symbol("yhat"), Symbol("y")
    slope = term_formula(name).derivative.symbols[0]
    if name == "squared_error":
        slope = Times((Divide(exact(2), n), difference(yhat, y)))
    elif name == "binary_cross_entropy":
        slope = scalar_products(LOSS_FORMS[name].derivative(yhat, y, Symbol("threshold")))
    return Equation(Symbol("loss"), (value,)), Equation(Gradient(Symbol("loss"), yhat), (slope,))


def _at_three_outputs(name: str, loss: Loss, value: Equation, slope: Equation) -> StepRecord:
    """Both formulas against `nn`, at three probabilities (at one, where the loss has one)."""
    yhat, y = np.array([[0.2, 0.5, 0.3]]), np.array([[0.0, 1.0, 0.0]])
    if name == "binary_cross_entropy":
        yhat, y = yhat[:, :1], y[:, :1]
    whole = float(loss.per_sample(loss.terms(yhat, y))[0])
    slopes = loss.gradient(yhat, y)
    letters = Bindings({"yhat": node(yhat.T), "y": node(y.T), "n": exact(yhat.size)})
    equations = [
        Equation(value.target, value.symbols, result=node(np.array(whole))),
        *(
            Equation(slope.target, with_entries(slope, {"k": k}).symbols, result=node(slopes[:, k]))
            for k in range(yhat.size)
        ),
    ]
    steps = tuple(WorkedStep(PART, PART, None, equation) for equation in equations)
    return StepRecord(0, 0.0, {"yhat": yhat, "y": y}, steps, bindings=letters)


def _here(desk: Desk, name: str) -> Equation | None:
    """The loss of the first sample with its numbers; None where it is not a number, or no target is there."""
    if not (desk.step.has("yhat") and desk.step.has("y")):
        return None
    paper = first_sample(desk.step)
    if paper.network.outputs > MOST_ERRORS:
        return None
    yhat, y = paper.quantities["yhat"], paper.quantities["y"]
    if name != "squared_error" and not _probabilities(yhat, y, several=name == "cross_entropy"):
        return None
    if name == "binary_cross_entropy" and paper.network.outputs > 1:
        return None
    loss = COMPARED[name]
    letters = loss_formula(loss, paper.network.outputs, 1)
    return paper.equation(Symbol("loss"), letters, result=node(evaluate(letters, paper.bindings)))


def _probabilities(yhat: Array, y: Array, *, several: bool) -> bool:
    """True where cross-entropy says something: outputs between 0 and 1, one target 1 among several outputs."""
    within = bool(np.all((yhat > 0) & (yhat < 1)) and np.all((y >= 0) & (y <= 1)))
    return within and (yhat.size > 1 and bool(np.isclose(y.sum(), 1)) if several else yhat.size == 1)
