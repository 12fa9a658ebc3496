"""Other activations, losses and optimizers of the tables, for the page to put in the place of the case's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from handgrad.errors import HandgradError
from handgrad.live.calculation import COUNTS, PARAMETER, Calculation, kind_of, nested
from handgrad.live.trees import Plain
from handgrad.nn.activations import ACTIVATIONS, Activation
from handgrad.nn.losses import LOSSES, Loss
from handgrad.nn.network import Dense, Network
from handgrad.nn.optimizers import OPTIMIZERS
from handgrad.nn.step import Recipe
from handgrad.worked.bindings import array_of

OUTPUTS = ("identity", "sigmoid", "tanh", "softmax", "softplus")
"""Output activations that are offered with each loss, besides those with which it has a short form."""
MOST_PARAMETERS = 2_000
"""A larger network keeps its own functions: each choice would be another program of its size."""


def variants(calculation: Calculation) -> Plain:
    """The choices of each group, by name: hidden activations, endings (output and loss), optimizers."""
    case = calculation.case
    if case.given or case.X is None or case.Y is None or case.network.parameter_count > MOST_PARAMETERS:
        return {}
    found = {
        "hidden": dict(_hidden(calculation)),
        "ending": dict(_endings(calculation)),
        "optimizer": dict(_optimizers(calculation)),
    }
    return {group: choices for group, choices in found.items() if choices}


def _hidden(calculation: Calculation) -> Iterator[tuple[str, Plain]]:
    network = calculation.case.network
    if network.depth == 1:
        return
    for name in ACTIVATIONS:
        if name != "softmax":
            layers = [_with(layer, Activation(name)) for layer in network.layers[:-1]]
            changed = Network(network.inputs, [*layers, network.layers[-1]], network.loss)
            yield from _variant(calculation, "hidden", name, changed, calculation.case.recipe)


def _endings(calculation: Calculation) -> Iterator[tuple[str, Plain]]:
    network = calculation.case.network
    if network.loss is None:
        return
    for loss, rule in LOSSES.items():
        if not np.all(rule.targets.allowed(np.asarray(calculation.case.Y))):
            continue
        for output in dict.fromkeys((*OUTPUTS, *rule.closed)):
            if not Loss(loss).accepts(Activation(output)) or (output == "softmax" and network.outputs == 1):
                continue
            same = network.loss if network.loss.name == loss else Loss(loss)
            layers = [*network.layers[:-1], _with(network.layers[-1], Activation(output))]
            try:
                changed = Network(network.inputs, layers, same)
            except HandgradError:
                continue
            yield from _variant(calculation, "ending", f"{output}+{loss}", changed, calculation.case.recipe)


def _optimizers(calculation: Calculation) -> Iterator[tuple[str, Plain]]:
    recipe = calculation.case.recipe
    if recipe is None:
        return
    for name, rule in OPTIMIZERS.items():
        if name == recipe.optimizer.name:
            continue
        other = replace(recipe, optimizer=rule(learning_rate=recipe.optimizer.learning_rate))
        yield from _variant(calculation, "optimizer", name, calculation.case.network, other)


def _with(layer: Dense, activation: Activation) -> Dense:
    return replace(layer, activation=activation)


def _variant(
    calculation: Calculation, group: str, name: str, network: Network, recipe: Recipe | None
) -> Iterator[tuple[str, Plain]]:
    """The assignments of one choice; nothing where it cannot be worked out on these data."""
    case = calculation.case
    try:
        derived = [calculation.derived(network, recipe, place) for place in calculation.sizes.values()]
    except HandgradError:
        return
    first = derived[0]
    loss = first.trace.quantities.get("loss")
    if loss is None or not np.isfinite(loss):
        return
    start: dict[str, Any] = {}
    constants: dict[str, float] = {}
    for leaf, value in first.leaves.items():
        if leaf.endswith("_old"):
            start[leaf] = _zeros(calculation, leaf)
        elif not (
            COUNTS.fullmatch(leaf) or PARAMETER.match(leaf) or leaf in ("x", "y") or leaf.startswith("mask")
        ):
            constants[leaf] = float(array_of(value).reshape(-1)[0])
    more = {**first.trace.quantities, **start}
    kinds = {name: kind_of(name, array) for name, array in more.items() if name not in calculation.names}
    yield (
        name,
        {
            "programs": {
                str(one.samples): [
                    {
                        key: part for key, part in line.items() if key != "group"
                    }  # every line's is this choice's
                    for line in calculation.assignments(one, case.network.depth, [group])
                ]
                for one in derived
            },
            "start": {leaf: nested(zeros) for leaf, zeros in start.items()},
            "constants": constants,
            "kinds": kinds,
        },
    )


def _zeros(calculation: Calculation, leaf: str) -> Any:
    letter, layer = leaf[0], int(leaf[1:].partition("_")[0])
    parameters = calculation.training.parameters[layer - 1]
    return np.zeros_like(parameters.W if letter == "W" else parameters.b)
