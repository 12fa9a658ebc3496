"""One training step, as the algorithm reads: forward, loss, backward, clip, update."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from handgrad.nn.arrays import Array
from handgrad.nn.backward import backward, batch_loss
from handgrad.nn.clipping import Clipping, clip
from handgrad.nn.forward import Masks, forward
from handgrad.nn.network import Network, Parameters
from handgrad.nn.observe import UNOBSERVED, Observer
from handgrad.nn.optimizers import SGD, Moment, Optimizer, OptimizerState, update
from handgrad.nn.regularization import Regularization


@dataclass(frozen=True)
class Recipe:
    """What turns gradients into steps: optimizer, penalties, clipping."""

    optimizer: Optimizer = field(default_factory=SGD)
    regularization: Regularization = field(default_factory=Regularization)
    clipping: Clipping = field(default_factory=Clipping)


class Training(NamedTuple):
    """Where training stands: the parameters, and the optimizer's memory."""

    parameters: Parameters
    state: OptimizerState


class Stepped(NamedTuple):
    """The outcome of a step: where training stands after it, and the loss before it."""

    training: Training
    loss: Array


def training_step(
    network: Network,
    recipe: Recipe,
    training: Training,
    X: Array,
    Y: Array,
    t: Moment,
    eta: float,
    masks: Masks | None = None,
    observe: Observer = UNOBSERVED,
    weights: Array | None = None,
) -> Stepped:
    """One update on the batch X (m, n_0), Y (m, n_L), as step t (counted from 1) with learning rate eta.

    `weights` (m,): by which the losses of the samples count.
    """
    parameters, state = training
    activity = forward(network, parameters, X, masks, observe)
    loss = batch_loss(network, parameters, activity, Y, recipe.regularization, observe, weights)
    gradients = backward(network, parameters, activity, Y, recipe.regularization, observe, weights)
    if recipe.clipping:
        gradients = clip(network, gradients, recipe.clipping, observe)
    parameters, state = update(recipe.optimizer, network, parameters, gradients, state, t, eta, observe)
    return Stepped(Training(parameters, state), loss)
