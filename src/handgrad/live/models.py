"""A part of a training as a calculation that a page can do: from a step on, with the batches that followed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from handgrad.cases.case import Case
from handgrad.errors import SpecificationError
from handgrad.live.calculation import Beginning
from handgrad.nn.arrays import Array
from handgrad.nn.in_play import in_play, whole
from handgrad.nn.network import LayerParameters, Network
from handgrad.nn.step import Training
from handgrad.training.plan import Step
from handgrad.worksheets.steps import ModelSource

MOST_STEPS = 50
"""So many steps of a model are walked, as long as their rows are no more numbers than `MOST_NUMBERS`."""
MOST_NUMBERS = 200_000


class PartOfTraining(NamedTuple):
    """The rows of some steps as a case, and where they begin."""

    case: Case
    beginning: Beginning


def part_of_training(source: ModelSource, first: int) -> PartOfTraining:
    """The training of a model from step `first` on, in float64: its own next steps, also beyond its last one.

    Raises SpecificationError for rows that the reader chose.
    """
    model, fit = source.model, source.model.fit
    if source.chosen is not None:
        raise SpecificationError(
            "a live sheet of a model shows steps that were taken; leave --rows out, or choose html"
        )
    seen = model.training_data(source.data)
    replayed = model.replay(first, source.data)
    steps = _steps(source, first)
    rows, places = np.unique(np.concatenate([step.rows for step in steps]), return_inverse=True)
    ends = np.cumsum([len(step.rows) for step in steps])
    local = [step._replace(rows=part) for step, part in zip(steps, np.split(places, ends[:-1]), strict=True)]
    part = in_play(fit.network, seen.X[rows])
    if fit.network.gathered and source.regularization:
        part = whole(fit.network)
    training = _float64(part.training(replayed.training))
    case = Case(
        _beginning_with(part.network, training),
        title=source.title,
        X=np.asarray(part.inputs(seen.X[rows]), np.float64),
        Y=np.asarray(seen.Y[rows], np.float64),
        recipe=source.recipe,
        regularization=source.regularization,
        plan=fit.plan,
        steps=fit.steps,
    )
    weights = None if seen.weights is None else np.asarray(seen.weights[rows], np.float64)
    return PartOfTraining(case, Beginning(training, local, weights))


def _steps(source: ModelSource, first: int) -> list[Step]:
    fit, network = source.model.fit, source.network
    most = max(1, MOST_NUMBERS // (fit.batch_size * (network.columns + network.outputs)))
    last = first + min(MOST_STEPS, most) - 1
    return list(fit.plan.steps(first, last, fit.training_rows, fit.recipe.optimizer.learning_rate))


def _float64(training: Training) -> Training:
    """The same in the precision in which the page computes."""

    def wide(arrays: Iterable[Array]) -> tuple[Array, ...]:
        return tuple(np.asarray(array, np.float64) for array in arrays)

    return Training(
        tuple(LayerParameters(*wide(layer)) for layer in training.parameters),
        tuple((wide(of_weights), wide(of_biases)) for of_weights, of_biases in training.state),
    )


def _beginning_with(network: Network, training: Training) -> Network:
    """The network with these parameters in the place of an initializer."""

    def shown(array: Array, bias: str) -> Array | None:
        return None if bias == "none" else array

    layers = [
        replace(layer, W=W, b=shown(b, layer.bias))
        for layer, (W, b) in zip(network.layers, training.parameters, strict=True)
    ]
    return Network(network.inputs, layers, network.loss)
