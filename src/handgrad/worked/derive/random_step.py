"""A step at random numbers: what formulas without numbers of their own are held against."""

from __future__ import annotations

import numpy as np

from handgrad.nn.arrays import Array
from handgrad.nn.network import LayerParameters, Network
from handgrad.nn.optimizers import OptimizerState, State, initial_state
from handgrad.nn.regularization import Regularization
from handgrad.nn.step import Recipe, Training
from handgrad.nn.targets import Targets
from handgrad.worked.trace import Trace, trace_step

STEP = 3
"""Which step it is: not the first, where all state is 0 and beta^t is beta."""


def random_step(
    network: Network,
    recipe: Recipe | None,
    regularization: Regularization,
    samples: int,
    weighted: bool = False,
) -> Trace:
    """A step of this network with numbers drawn at random, always the same, without dropout."""
    rng = np.random.default_rng(0)
    parameters = tuple(
        LayerParameters(rng.normal(size=(layer.units, inputs)), _bias(rng, layer.units, layer.bias))
        for layer, inputs in zip(network.layers, network.sizes, strict=False)
    )
    state = OptimizerState()
    if recipe is not None:
        zeros = initial_state(recipe.optimizer, parameters)
        state = tuple((_drawn(rng, of_W), _drawn(rng, of_b)) for of_W, of_b in zeros)
    Y = None
    if network.loss is not None:
        Y = _targets(rng, network.loss.targets, samples, network.outputs)
    rate = 0.1 if recipe is None else recipe.optimizer.learning_rate
    X = rng.normal(size=(samples, network.inputs))
    training = Training(parameters, state)
    weights = rng.uniform(0.5, 1.5, samples) if weighted else None
    return trace_step(
        network, recipe, training, X, Y, STEP, rate, regularization=regularization, weights=weights
    )


def _drawn(rng: np.random.Generator, slots: State) -> State:
    return tuple(rng.random(array.shape) for array in slots)


def _bias(rng: np.random.Generator, units: int, kind: str) -> Array:
    return np.full(units, 0.3) if kind == "shared" else rng.normal(size=units) * (kind != "none")


def _targets(rng: np.random.Generator, targets: Targets, samples: int, outputs: int) -> Array:
    if targets.classes:
        return np.eye(outputs)[rng.integers(0, outputs, samples)]
    if targets.only is not None:
        return rng.choice(np.array(targets.only), size=(samples, outputs))
    if targets.highest == 1:
        return rng.integers(0, 2, (samples, outputs)).astype(float)
    drawn = rng.normal(size=(samples, outputs))
    return np.floor(np.abs(3 * drawn)) if targets.lowest == 0 else drawn
