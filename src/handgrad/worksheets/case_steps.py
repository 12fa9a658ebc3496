"""The steps of a case, one trace after another."""

from __future__ import annotations

from collections.abc import Iterator

from handgrad.cases.case import Case
from handgrad.errors import CaseError
from handgrad.nn.arrays import Array
from handgrad.nn.forward import dropout_masks
from handgrad.nn.network import Network
from handgrad.nn.optimizers import OptimizerState, initial_state
from handgrad.nn.step import Recipe, Training
from handgrad.worked.trace import Trace, trace_step


def trace_case(case: Case, first: int = 1, last: int | None = None) -> Iterator[Trace]:
    """The steps of a case in order, from step `first` to `last` (counted from 1, both included).

    Raises CaseError for a step that the case does not have.
    """
    last = case.steps if last is None else last
    for number in (first, last):
        if not 1 <= number <= case.steps:
            raise CaseError(
                f"step {number}: the case has {case.steps} step{'s' * (case.steps > 1)}, counted from 1"
            )
    training = initial_training(case)
    for step in case.planned(1, last):
        given = {name: given_of_batch(value, step.rows, case.samples) for name, value in case.given.items()}
        trace = trace_step(
            case.network,
            case.recipe,
            training,
            None if case.X is None else case.X[step.rows],
            None if case.Y is None else case.Y[step.rows],
            step.number,
            step.rate,
            dropout_masks(case.network, case.plan.seed, step.number, len(step.rows)),
            regularization=case.regularization,
            given=given,
            rounding=case.rounding,
            rows=tuple(int(row) for row in step.rows),
        )
        training = trace.after
        if step.number >= first:
            yield trace


def initial_training(case: Case) -> Training:
    """The parameters that the case begins with, and an optimizer's state of zeros."""
    return start_of(case.network, case.recipe, case.plan.seed)


def start_of(network: Network, recipe: Recipe | None, seed: int) -> Training:
    """The initial parameters of a network, and its optimizer's state of zeros."""
    parameters = network.initial_parameters(seed)
    if recipe is None:
        return Training(parameters, OptimizerState())
    return Training(parameters, initial_state(recipe.optimizer, parameters))


def given_of_batch(value: Array, rows: Array, samples: int) -> Array:
    """The rows of a given quantity that belong to the batch, where it has one row a sample."""
    return value[rows] if value.ndim == 2 and value.shape[0] == samples and len(rows) < samples else value
