"""The letters of a step besides its quantities: hyperparameters and sizes, each with its value."""

from __future__ import annotations

from collections.abc import Mapping

from handgrad.nn.network import Network
from handgrad.nn.regularization import Regularization
from handgrad.nn.step import Recipe
from handgrad.worked.bindings import Value, bind
from handgrad.worked.forms.equations import PENALTY_LETTERS
from handgrad.worked.forms.optimizers import hyperparameters
from handgrad.worked.paper import exact
from handgrad.worked.trace import Trace

CLIPPING_LETTERS = {"value": "limit_value", "norm": "limit_norm"}


def constants_of(
    trace: Trace, network: Network, recipe: Recipe | None, regularization: Regularization
) -> dict[str, Value]:
    """m, n, t, L and every hyperparameter of the step by its letter.

    Raises VerificationError where one letter would stand for two numbers.
    """
    values: dict[str, Value] = {}
    sizes = {f"n{l}": size for l, size in enumerate(network.sizes)}
    numbers: dict[str, float] = {"m": trace.samples, "n": network.outputs, "L": network.depth, **sizes}
    numbers |= _of_layers("keep", {l: d.dropout.keep for l, d in network.numbered() if d.dropout is not None})
    alphas = {l: layer.function.alpha for l, layer in network.numbered()}
    numbers |= _of_layers("alpha", {l: alpha for l, alpha in alphas.items() if alpha is not None})
    if network.loss is not None and network.loss.threshold is not None:
        numbers["threshold"] = network.loss.threshold
    for field, letter in PENALTY_LETTERS.items():
        if getattr(regularization, field):
            numbers[letter] = getattr(regularization, field)
    for name, number in numbers.items():
        bind(values, name, exact(number))
    if recipe is not None:
        _of_recipe(values, trace, recipe)
    return values


def _of_recipe(values: dict[str, Value], trace: Trace, recipe: Recipe) -> None:
    bind(values, "eta", exact(trace.learning_rate))
    bind(values, "t", exact(trace.number))
    for symbol, number in hyperparameters(recipe.optimizer):
        bind(values, symbol.letter, exact(number))
    for field, letter in CLIPPING_LETTERS.items():
        limit = getattr(recipe.clipping, field)
        if limit is not None:
            bind(values, letter, exact(limit))


def _of_layers(letter: str, by_layer: Mapping[int, float]) -> dict[str, float]:
    """One letter for all layers where they agree, else one for each layer."""
    if len(set(by_layer.values())) <= 1:
        return dict.fromkeys((letter,) if by_layer else (), next(iter(by_layer.values()), 0.0))
    return {f"{letter}{l}": value for l, value in by_layer.items()}
