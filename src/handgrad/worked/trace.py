"""A step as it happens: the equations of `nn`, watched.

The trace runs the very functions that train; a `Recorder` keeps what each computes, puts given values in the
place of computed ones, and rounds each result where paper arithmetic is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from handgrad.errors import CaseError
from handgrad.nn.arrays import Array
from handgrad.nn.backward import backward, batch_loss
from handgrad.nn.clipping import clip
from handgrad.nn.forward import Activity, Masks, forward
from handgrad.nn.network import LayerParameters, Network, Parameters
from handgrad.nn.observe import Observer
from handgrad.nn.optimizers import update
from handgrad.nn.regularization import Regularization
from handgrad.nn.step import Recipe, Training
from handgrad.worked.rounding import Rounding, round_array

NO_ROUNDING = Rounding()


class Recorder(Observer):
    """Keeps every quantity by name; puts `given` values in place; rounds where `rounding.carry` asks for it."""

    complete = True

    def __init__(self, given: Mapping[str, Array] | None = None, rounding: Rounding = NO_ROUNDING) -> None:
        self.quantities: dict[str, Array] = {}
        self.values_given = dict(given or {})
        self.rounding = rounding
        self.rounds = rounding.carry

    def __call__(self, name: str, value: Array) -> Array:
        """Keeps the value, or the one given in its place, rounded where that is asked for."""
        if name in self.values_given:
            value = np.broadcast_to(self.values_given[name], np.shape(value)).astype(np.asarray(value).dtype)
        elif self.rounds and not name.startswith("mask"):
            digits = self.rounding.of(name)
            if digits is not None:
                value = round_array(value, digits)
        self.quantities[name] = value
        return value

    def given(self, name: str) -> bool:
        """True for a quantity that was given by hand."""
        return name in self.values_given

    def within(self, prefix: str) -> Observer:
        """The same recorder for quantities of one parameter."""
        return _Within(self, prefix)


class _Within(Observer):
    """A recorder that sees `name` as `prefix_name`."""

    complete = True

    def __init__(self, recorder: Recorder, prefix: str) -> None:
        self._recorder, self._prefix = recorder, prefix

    def __call__(self, name: str, value: Array) -> Array:
        return self._recorder(f"{self._prefix}_{name}", value)


@dataclass(frozen=True, eq=False)
class Trace:
    """One step: where it began, every quantity by name, where it ended.

    `after` equals `before` where there is no optimizer. Arrays hold one sample a row.
    """

    number: int
    learning_rate: float
    quantities: dict[str, Array]
    before: Training
    after: Training
    rows: tuple[int, ...]
    given: frozenset[str] = frozenset()
    updated: bool = False
    samples: int = 1
    rounding: Rounding = field(default_factory=Rounding)


def trace_step(
    network: Network,
    recipe: Recipe | None,
    training: Training,
    X: Array | None,
    Y: Array | None,
    number: int,
    learning_rate: float,
    masks: Masks | None = None,
    *,
    regularization: Regularization | None = None,
    given: Mapping[str, Array] | None = None,
    rounding: Rounding = NO_ROUNDING,
    rows: tuple[int, ...] = (),
    recorder: Recorder | None = None,
    weights: Array | None = None,
) -> Trace:
    """One step on the batch X (m, n_0), Y (m, n_L); without Y forward only, without a recipe no update.

    `weights` (m,): by which the losses of the samples count; they are the quantity `omega` (m, 1).

    The parameters after it are those of `nn.step.training_step`, bit for bit, unless values are given or rounded.
    `recorder` watches in the place of one made of `given` and `rounding`.
    """
    see = recorder or Recorder(given, rounding)
    if recipe is not None:
        regularization = recipe.regularization
    parameters = training.parameters
    with np.errstate(all="ignore"):  # a saturated output makes dloss/dyhat infinite; the record says so
        _inputs(see, network, parameters, X, Y)
        if weights is not None and Y is not None:
            see.quantities["omega"] = weights[:, None]
        gradients = _gradients(see, network, parameters, X, Y, masks, regularization)
        after = training
        if recipe is not None and gradients is not None:
            if recipe.clipping:
                gradients = clip(network, gradients, recipe.clipping, see)
            after = Training(
                *update(
                    recipe.optimizer,
                    network,
                    parameters,
                    gradients,
                    training.state,
                    number,
                    learning_rate,
                    see,
                )
            )
    return Trace(
        number=number,
        learning_rate=learning_rate,
        quantities=see.quantities,
        before=training,
        after=after,
        rows=rows,
        given=frozenset(see.values_given),
        updated=after is not training,
        samples=_samples(see.quantities, network),
        rounding=rounding,
    )


def flat_weights(quantities: Mapping[str, Array]) -> Array | None:
    """The weights of the samples (m,); None where they have none."""
    return quantities["omega"][:, 0] if "omega" in quantities else None


def _samples(quantities: Mapping[str, Array], network: Network) -> int:
    for name in ("x", "yhat", f"delta{network.depth}"):
        if name in quantities:
            return int(quantities[name].shape[0])
    return 1


def _inputs(
    see: Recorder, network: Network, parameters: Parameters, X: Array | None, Y: Array | None
) -> None:
    if X is not None:
        see.quantities["x"] = X
    if Y is not None:
        see.quantities["y"] = Y
    if X is None and (see.given("yhat") or see.given(f"a{network.depth}")):
        return  # what was not given about the network plays no part
    for l, layer in network.numbered():
        see.quantities[f"W{l}"] = parameters[l - 1].W
        if layer.bias != "none":
            see.quantities[f"b{l}"] = parameters[l - 1].b


def _gradients(
    see: Recorder,
    network: Network,
    parameters: Parameters,
    X: Array | None,
    Y: Array | None,
    masks: Masks | None,
    regularization: Regularization | None,
) -> Parameters | None:
    """Forward, loss and backward as far as the data reaches; None where there is nothing to learn from."""
    if X is None and not see.values_given:
        return None
    if X is None and not (see.given("yhat") or see.given(f"a{network.depth}")):
        return _given_gradients(see, network, parameters)
    activity = forward(network, parameters, X, masks, see) if X is not None else _given_outputs(see, network)
    if Y is not None:
        batch_loss(network, parameters, activity, Y, regularization, see, flat_weights(see.quantities))
        see.quantities.setdefault("penalty", np.zeros(()))
    if X is None:
        if Y is not None and network.loss is not None:
            see("dyhat", network.loss.gradient(activity.yhat, Y))
        return None
    learns = Y is not None or see.given("dyhat") or see.given(f"delta{network.depth}")
    if not learns:
        return _given_gradients(see, network, parameters) if "dW1" in see.values_given else None
    weights = flat_weights(see.quantities)
    gradients = backward(network, parameters, activity, Y, regularization, see, weights)
    for l, layer in network.numbered():
        derivative = layer.function.derivative(activity.Z[l], activity.F[l])
        see.quantities[f"derivative{l}"] = derivative
    return gradients


def _given_outputs(see: Recorder, network: Network) -> Activity:
    """An activity of which only the outputs are known, because they were given."""
    name = "yhat" if see.given("yhat") else f"a{network.depth}"
    outputs = see.values_given[name]
    see.quantities["yhat"] = see.quantities[f"a{network.depth}"] = outputs
    return Activity((outputs,), (outputs,), (outputs,), (None,))


def _given_gradients(see: Recorder, network: Network, parameters: Parameters) -> Parameters:
    """Gradients that were all given by hand; a layer without trained bias needs none for it."""
    layers = []
    for l, layer in network.numbered():
        W, b = parameters[l - 1]
        dW = see(f"dW{l}", W)
        db = see(f"db{l}", np.zeros_like(b)) if see.given(f"db{l}") else np.zeros_like(b)
        if layer.bias in ("trained", "shared") and not see.given(f"db{l}"):
            raise CaseError(f'given: db{l} is missing; give it, or set bias = "none" in layer {l}')
        layers.append(LayerParameters(dW, db))
    return tuple(layers)
