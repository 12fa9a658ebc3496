"""From a trace to a worked step: which quantity is shown, in which order, and what the step did."""

from __future__ import annotations

import numpy as np

from handgrad.nn.arrays import Array
from handgrad.nn.forward import Masks, forward
from handgrad.nn.network import Network
from handgrad.nn.regularization import Regularization
from handgrad.nn.step import Recipe
from handgrad.worked.derive_backward import backward_steps
from handgrad.worked.derive_forward import forward_steps, loss_steps
from handgrad.worked.derive_update import update_steps
from handgrad.worked.expressions import Symbol
from handgrad.worked.gradient_check import check_gradients
from handgrad.worked.paper import NO_PENALTY, Paper
from handgrad.worked.record import Options, ParameterChange, StepRecord, Words, WorkedStep, words
from handgrad.worked.trace import Trace


def derive(
    trace: Trace,
    network: Network,
    recipe: Recipe | None,
    options: Options,
    regularization: Regularization = NO_PENALTY,
) -> StepRecord:
    """The worked record of a step that happened."""
    paper = Paper(trace, network, recipe, options, regularization)
    steps = (
        *forward_steps(paper),
        *loss_steps(paper),
        *backward_steps(paper),
        *update_steps(paper),
    )
    after = _loss_after(paper)
    before = float(trace.quantities["loss"]) if "loss" in trace.quantities else None
    return StepRecord(
        number=trace.number,
        learning_rate=trace.learning_rate,
        quantities=trace.quantities,
        steps=steps,
        changes=_changes(paper),
        observation=_observation(paper, before, after),
        loss_before=before,
        loss_after=after,
        checks=check_gradients(paper) if options.gradient_check else (),
        rows=trace.rows,
    )


def _changes(paper: Paper) -> tuple[ParameterChange, ...]:
    """Every parameter that the step changed: before, gradient, after."""
    changes = []
    for l, layer in paper.network.numbered():
        for letter, place in (("W", 0), ("b", 1)):
            name = f"{letter}{l}"
            if not paper.trace.updated or f"{name}_new" not in paper.quantities or f"d{name}" not in paper.quantities:
                continue
            if letter == "b" and layer.bias == "frozen":
                continue
            changes.append(
                ParameterChange(
                    quantity=name,
                    symbol=Symbol(letter, l),
                    before=paper.trace.before.parameters[l - 1][place],
                    gradient=paper.quantities[f"d{name}"],
                    after=paper.trace.after.parameters[l - 1][place],
                )
            )
    return tuple(changes)


def _masks(paper: Paper) -> Masks | None:
    masks = [paper.quantities.get(f"mask{l}") for l in range(1, paper.network.depth + 1)]
    return masks if any(mask is not None for mask in masks) else None


def _loss_after(paper: Paper) -> float | None:
    """The loss of the same batch, with the same masks, after the step; None where it cannot be said."""
    trace, loss = paper.trace, paper.network.loss
    if not trace.updated or loss is None or trace.given or "x" not in trace.quantities:
        return None
    parameters = trace.after.parameters
    with np.errstate(all="ignore"):
        activity = forward(paper.network, parameters, trace.quantities["x"], _masks(paper))
        terms = loss.terms(
            activity.yhat, trace.quantities["y"], activity.Z[-1], paper.network.layers[-1].function.name
        )
        value = loss.over_samples(loss.per_sample(terms))
        if paper.regularized:
            value = value + paper.regularization.penalty(parameters, trace.samples)
    return float(value)


# --- what the step did, in words ------------------------------------------------------------------------


def _observation(paper: Paper, before: float | None, after: float | None) -> tuple[Words, ...]:
    sentences: list[Words] = []
    if paper.has("y") and paper.has("yhat"):
        sentences.append(_prediction(paper))
    if paper.trace.updated:
        sentences.append(_weights(paper))
    if before is not None and after is not None:
        key = "loss_unchanged" if after == before else "loss_went_down" if after < before else "loss_went_up"
        sentences.append(words(key, before=before, after=after))
    return tuple(sentences)


def _prediction(paper: Paper) -> Words:
    yhat, y = paper.quantities["yhat"], paper.quantities["y"]
    loss = paper.network.loss
    if loss is not None and loss.name == "cross_entropy" and yhat.shape[1] > 1:
        return words("prediction_class", probability=float(np.mean(np.sum(yhat * y, axis=1))))
    if yhat.size == 1:
        prediction, target = float(yhat[0, 0]), float(y[0, 0])
        key = "prediction_below" if prediction < target else "prediction_above"
        key = "prediction_exact" if prediction == target else key
        return words(key, prediction=prediction, target=target)
    return words("prediction_mixed", below=int(np.sum(yhat < y)), above=int(np.sum(yhat > y)))


def _weights(paper: Paper) -> Words:
    pairs = zip(paper.trace.before.parameters, paper.trace.after.parameters, strict=True)
    change: Array = np.concatenate([np.ravel(after.W - before.W) for before, after in pairs])
    grew, shrank = int(np.sum(change > 0)), int(np.sum(change < 0))
    same = change.size - grew - shrank
    if grew == 0 and shrank == 0:
        return words("gradient_zero")
    if shrank == 0 and same == 0:
        return words("weights_all_grew")
    if grew == 0 and same == 0:
        return words("weights_all_shrank")
    return words("weights_mixed", grew=grew, shrank=shrank, same=same)


def step_by_quantity(record: StepRecord, quantity: str) -> WorkedStep:
    """The worked step of a quantity; KeyError where the record has none."""
    for step in record.steps:
        if step.quantity == quantity:
            return step
    raise KeyError(quantity)
