"""From a trace to a worked step: which quantity is shown, in which order, and what the step did."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from handgrad.nn.arrays import Array
from handgrad.nn.backward import batch_loss
from handgrad.nn.forward import Masks, forward
from handgrad.nn.network import LayerParameters, Network
from handgrad.nn.regularization import Regularization
from handgrad.nn.step import Recipe
from handgrad.nn.targets import SIGNS
from handgrad.worked.certify import Exactly
from handgrad.worked.computed import roundoff
from handgrad.worked.derive.backward import backward_steps
from handgrad.worked.derive.focus import Focus, Lines, path_to, representative
from handgrad.worked.derive.forward import forward_steps, loss_steps
from handgrad.worked.derive.letters import constants_of
from handgrad.worked.derive.matrices import matrix_view
from handgrad.worked.derive.program import program
from handgrad.worked.derive.update import update_steps
from handgrad.worked.dust import dust
from handgrad.worked.expressions import Symbol
from handgrad.worked.gradient_check import check_gradients
from handgrad.worked.paper import NO_PENALTY, Paper
from handgrad.worked.record import (
    Assignment,
    Lesson,
    Options,
    ParameterChange,
    StepRecord,
    Words,
    WorkedStep,
    words,
)
from handgrad.worked.situations.bank import MOST_SAID, situations
from handgrad.worked.trace import Recorder, Trace, flat_weights

Lessons = Callable[[Paper], Mapping[str, Lesson]]
"""Makes the parts of the textbook that were asked for."""


def derive(
    trace: Trace,
    network: Network,
    recipe: Recipe | None,
    options: Options,
    regularization: Regularization = NO_PENALTY,
    exactly: Exactly | None = None,
    lessons: Lessons = lambda paper: {},
) -> StepRecord:
    """The worked record of a step that happened; `exactly` has its numbers in real numbers, `lessons` makes the parts
    of the textbook of them."""
    penalties = regularization if recipe is None else recipe.regularization
    constants = constants_of(trace, network, recipe, penalties)
    paper = Paper(trace, network, recipe, options, regularization, constants)
    steps = _worked(paper)
    lines = program(paper, steps)
    known: Mapping[str, Array] = {}
    nothing: Mapping[str, Array] = {}
    if exactly is not None:
        known = exactly.step(trace.number, paper.bindings, lines)
        trace = _nearest(paper, known)
        paper = Paper(trace, network, recipe, options, regularization, constants, known=known)
        steps = _worked(paper)
    elif not trace.rounding.carry:
        nothing = dust(paper.bindings, lines, _unit(trace))
    if nothing:
        paper = Paper(trace, network, recipe, options, regularization, constants, nothing)
        steps = _worked(paper)
    after = _after(paper) if exactly is None else _after_exactly(paper, lines, exactly)
    before = float(trace.quantities["loss"]) if "loss" in trace.quantities else None
    return StepRecord(
        number=trace.number,
        learning_rate=trace.learning_rate,
        quantities=trace.quantities,
        steps=tuple(step for step in steps if step.layer is None or paper.wanted(step.layer)),
        changes=_changes(paper),
        observation=_observation(paper, before, after),
        closing=situations(paper, before, None if after is None else after.loss)[: MOST_SAID[options.detail]],
        loss_before=before,
        loss_after=None if after is None else after.loss,
        checks=check_gradients(paper) if options.gradient_check else (),
        rows=trace.rows,
        bindings=paper.bindings,
        matrices=matrix_view(paper) if options.matrices else None,
        lessons=lessons(paper),
        program=lines,
        path=_path(paper, Lines.of(lines, steps)),
    )


def _worked(paper: Paper) -> tuple[WorkedStep, ...]:
    """Every quantity worked out, in the order of the calculation."""
    return (
        *forward_steps(paper),
        *loss_steps(paper),
        *backward_steps(paper),
        *update_steps(paper),
    )


def _unit(trace: Trace) -> float:
    """The unit roundoff of the step's arithmetic."""
    dtypes = (np.asarray(trace.quantities[name]).dtype for name in trace.quantities if name[0] == "W")
    return max((roundoff(dtype) for dtype in dtypes if dtype.kind == "f"), default=roundoff(np.dtype(float)))


def _path(paper: Paper, lines: Lines) -> tuple[WorkedStep, ...]:
    """What the reader follows; of a brief sheet one unit and one weight that stand for all."""
    if paper.options.focus is not None:
        return path_to(paper, lines, Focus.parse(paper.options.focus))
    return representative(paper, lines) if paper.options.detail == "brief" else ()


def _changes(paper: Paper) -> tuple[ParameterChange, ...]:
    """Every parameter that the step changed: before, gradient, after."""
    changes = []
    for l, layer in paper.network.numbered():
        for letter, place in (("W", 0), ("b", 1)):
            name = f"{letter}{l}"
            if (
                not paper.trace.updated
                or f"{name}_new" not in paper.quantities
                or f"d{name}" not in paper.quantities
            ):
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


MET = 1e-12
"""Relative difference up to which a prediction has met its target: binary arithmetic leaves last digits."""


def _nearest(paper: Paper, known: Mapping[str, Array]) -> Trace:
    """The trace with the nearest float64 of each real number in the place of what float64 came to."""
    trace = paper.trace
    quantities = {
        name: _as_computed(paper, name, known[name], array) if name in known else array
        for name, array in trace.quantities.items()
    }
    parameters = tuple(
        LayerParameters(
            *(quantities.get(f"{letter}{l}_new", array) for letter, array in zip("Wb", held, strict=True))
        )
        for l, held in enumerate(trace.after.parameters, 1)
    )
    after = trace.after._replace(parameters=parameters) if trace.updated else trace.after
    return replace(trace, quantities=quantities, after=after)


def _as_computed(paper: Paper, name: str, known: Array, computed: Array) -> Array:
    """Floats in the shape of arithmetic, of numbers on paper."""
    floats: Array = np.asarray(known, np.float64)
    if np.ndim(computed) < 2:
        return floats.reshape(np.shape(computed))
    return paper.lay(name, floats)


class _After(NamedTuple):
    """A second forward pass of the same batch, with the same masks and the new parameters."""

    loss: float
    yhat: Array


def _after(paper: Paper) -> _After | None:
    """The second forward pass; None where it cannot be said. Results are rounded where the step's are."""
    trace, loss = paper.trace, paper.network.loss
    if not trace.updated or loss is None or trace.given or "x" not in trace.quantities:
        return None
    parameters, see = trace.after.parameters, Recorder(None, trace.rounding)
    with np.errstate(all="ignore"):
        activity = forward(paper.network, parameters, trace.quantities["x"], _masks(paper), see)
        value = batch_loss(
            paper.network,
            parameters,
            activity,
            trace.quantities["y"],
            paper.regularization if paper.regularized else None,
            see,
            flat_weights(trace.quantities),
        )
    return _After(float(value), activity.yhat)


def _after_exactly(paper: Paper, lines: Iterable[Assignment], exactly: Exactly) -> _After | None:
    trace = paper.trace
    if not trace.updated or paper.network.loss is None or trace.given or "x" not in trace.quantities:
        return None
    found = exactly.afterwards(paper.known, lines, paper.column)
    yhat = np.asarray(found["yhat"], np.float64)
    return _After(float(found["loss"].item()), yhat.T if paper.column else yhat)


# --- what the step did, in words ------------------------------------------------------------------------


def _observation(paper: Paper, before: float | None, after: _After | None) -> tuple[Words, ...]:
    sentences: list[Words] = []
    if paper.has("y") and paper.has("yhat"):
        sentences.append(_prediction(paper))
    if paper.trace.updated:
        sentences.append(_weights(paper))
        if sentences[-1].key.endswith("_plain"):
            weights = sum(parameters.W.size for parameters in paper.trace.before.parameters)
            sentences.append(words("weights_besides", count=weights))
    if before is None or after is None:
        return tuple(sentences)
    moved = after.yhat.size == 1 and not np.array_equal(after.yhat, paper.quantities["yhat"])
    if moved and sentences[0].key in ("prediction_below", "prediction_above"):
        sentences.append(words("prediction_after", prediction=float(after.yhat[0, 0])))
    key = "loss_unchanged" if after.loss == before else "loss_went_down"
    if after.loss > before:
        key = "loss_went_up"  # why it did, the bank of situations says: overshot, uphill, or neither
    sentences.append(words(key, before=before, after=after.loss))
    return tuple(sentences)


def _prediction(paper: Paper) -> Words:
    yhat, y = paper.quantities["yhat"], paper.quantities["y"]
    loss = paper.network.loss
    if yhat.size == 1:
        prediction, target = float(yhat[0, 0]), float(y[0, 0])
        key = "prediction_below" if prediction < target else "prediction_above"
        key = "prediction_exact" if np.isclose(prediction, target, rtol=MET, atol=0.0) else key
        if loss is not None and loss.targets is SIGNS and prediction * target >= 1:
            key = "prediction_enough"
        if loss is not None and target == loss.rule.vanishes_at:
            key = "prediction_ignored"  # its loss is 0 whatever is predicted
        return words(key, prediction=prediction, target=target)
    classes = loss is not None and loss.targets.classes and yhat.shape[1] > 1
    if classes and np.isin(y, (0, 1)).all() and np.all(y.sum(axis=1) == 1):
        probability = float(np.mean(np.sum(yhat * y, axis=1)))
        if len(yhat) == 1:
            return words("prediction_class", probability=probability)
        return words("prediction_classes", samples=len(yhat), probability=probability)
    below, above = int(np.sum(yhat < y)), int(np.sum(yhat > y))
    return words("prediction_mixed", predictions=yhat.size, below=below, above=above)


def _weights(paper: Paper) -> Words:
    """Which way the weights went, and whether each went against its gradient."""
    pairs = zip(paper.trace.before.parameters, paper.trace.after.parameters, strict=True)
    change: Array = np.sign(np.concatenate([np.ravel(after.W - before.W) for before, after in pairs]))
    names = [f"dW{l}" for l, _ in paper.network.numbered()]
    gradient = np.sign(
        np.concatenate([np.ravel(paper.quantities[name]) for name in names if paper.has(name)])
    )
    count, grew, shrank = change.size, int(np.sum(change > 0)), int(np.sum(change < 0))
    against = gradient.shape == change.shape and bool(np.all(change == -gradient))
    if grew == 0 and shrank == 0:
        return words("gradient_zero" if against else "weights_unchanged")
    reason = "" if against else "_plain"
    if grew == count:
        return words(f"weights_all_grew{reason}", count=count)
    if shrank == count:
        return words(f"weights_all_shrank{reason}", count=count)
    same = count - grew - shrank
    went = {"grew": grew, "shrank": shrank, "same": same}
    key = "_".join(way for way, number in went.items() if number)
    return words(f"weights_{key}{reason}", weights=count, **went)
