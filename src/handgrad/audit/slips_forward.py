"""Mistakes on the way from the inputs to the loss."""

from __future__ import annotations

import math
from collections.abc import Iterator

from handgrad.audit.alternative import Alternative, Making, each_and_all, layers_of, samples_of, scaled
from handgrad.audit.rerun import Moment, Rewrite
from handgrad.cases.case import Case
from handgrad.nn.arrays import Array

_FEW_WEIGHTS = 12
_LOGARITHMIC = ("binary_cross_entropy", "cross_entropy")


def bias_forgotten(case: Case) -> Iterator[Alternative]:
    """z = W x, without b."""

    def without(l: int) -> Rewrite:
        return lambda moment, z: z - moment.before.parameters[l - 1].b

    yield from each_and_all(
        {l: {f"z{l}": without(l)} for l, layer in case.network.numbered() if layer.bias != "none"}
    )


def weights_not_transposed(case: Case) -> Iterator[Alternative]:
    """Each unit takes a column of W for its row: x W where x W^T belongs. Only a square W lets it pass."""

    def turned(l: int) -> Rewrite:
        def rule(moment: Moment, z: Array) -> Array:
            below = moment.q[f"a{l - 1}"] if l > 1 else moment.q["x"]
            W, b = moment.before.parameters[l - 1]
            return below @ W + b

        return rule

    yield from each_and_all({l: {f"z{l}": turned(l)} for l in _square(case)})


def _square(case: Case) -> list[int]:
    sizes = case.network.sizes
    return [l for l in layers_of(case) if sizes[l] == sizes[l - 1] and sizes[l] > 1]


def wrong_term(case: Case) -> Iterator[Alternative]:
    """In one weighted sum a weight meets another input than its own, a term is left out, or both."""
    sizes = case.network.sizes
    for l in layers_of(case):
        if sizes[l] * sizes[l - 1] > _FEW_WEIGHTS:
            continue
        for unit in range(sizes[l]):
            for moves in _moves(sizes[l - 1]):
                yield Alternative({f"z{l}": _moved(l, unit, moves)}, l)


def _moves(inputs: int) -> Iterator[dict[int, int | None]]:
    """By the input that a weight belongs to, the one that it meets; None where its term is left out."""
    for j in range(inputs):
        if inputs > 1:
            yield {j: None}
        for k in range(inputs):
            if k != j:
                yield {j: k}
                yield {j: k, k: None}


def _moved(l: int, unit: int, moves: dict[int, int | None]) -> Rewrite:
    def rule(moment: Moment, z: Array) -> Array:
        below = moment.q[f"a{l - 1}"] if l > 1 else moment.q["x"]
        weights, changed = moment.before.parameters[l - 1].W[unit], z.copy()
        for own, met in moves.items():
            taken = 0.0 if met is None else below[:, met]
            changed[:, unit] += weights[own] * (taken - below[:, own])
        return changed

    return rule


def activation_forgotten(case: Case) -> Iterator[Alternative]:
    """a = z: the weighted sum is handed on as it is."""
    layers = {
        l: {f"a{l}": (lambda moment, a, l=l: moment.q[f"z{l}"])}
        for l, layer in case.network.numbered()
        if layer.function.name != "identity" and layer.dropout is None
    }
    yield from each_and_all(layers)


def logarithm(base: float) -> Rewrite:
    """A logarithm to another base in place of the natural one."""
    return scaled(1 / math.log(base))


def loss_with_base(base: float) -> Making:
    """The loss with logarithms to another base."""

    def making(case: Case) -> Iterator[Alternative]:
        if case.network.loss is not None and case.network.loss.name in _LOGARITHMIC:
            yield Alternative({"loss_terms": logarithm(base)})

    return making


def half_missing(case: Case) -> Iterator[Alternative]:
    """The 1/2 before the squared error left out: in the loss, or in what follows from its derivative."""
    loss = case.network.loss
    if loss is not None and loss.name == "squared_error" and loss.scale != 1:
        yield Alternative({"loss_terms": scaled(2)})
        yield Alternative({"dyhat": scaled(2)})
    if loss is not None and loss.name == "squared_error" and loss.scale == 1:
        # the other way about: the exponent brought down, and halved as if there were a 1/2
        yield Alternative({"loss_terms": scaled(0.5)})


def factor_2_missing(case: Case) -> Iterator[Alternative]:
    """The derivative of the square without its factor 2."""
    loss = case.network.loss
    if loss is not None and loss.name == "squared_error" and loss.scale == 1:
        yield Alternative({"dyhat": scaled(0.5)})


def outputs_not_averaged(case: Case) -> Iterator[Alternative]:
    """The terms of the outputs added where they are to be averaged."""
    loss, n = case.network.loss, case.network.outputs
    if loss is None or loss.outputs != "mean" or n == 1:
        return
    fused = loss.fused(case.network.layers[-1].function.name)
    backward = {"dyhat": scaled(n)}
    if fused:
        backward[f"delta{case.network.depth}"] = scaled(n)
    yield Alternative({"data_loss": scaled(n)})
    yield Alternative(backward)
    yield Alternative({"data_loss": scaled(n), **backward})


def batch_not_averaged(case: Case) -> Iterator[Alternative]:
    """The samples of a batch added where they are to be averaged: in the gradients, in the loss."""
    loss = case.network.loss
    if loss is None or loss.samples != "mean" or case.samples == 1:
        return
    weights = {f"dW{l}{_data(case)}": scaled(samples_of) for l in layers_of(case)}
    biases = {f"db{l}": scaled(samples_of) for l in layers_of(case)}
    yield Alternative({**weights, **biases})
    yield Alternative({"data_loss": scaled(samples_of)})
    yield Alternative({**weights, **biases, "data_loss": scaled(samples_of)})
    yield Alternative(weights)
    yield Alternative(biases)


def batch_averaged(case: Case) -> Iterator[Alternative]:
    """The samples of a batch averaged where they are to be added."""
    loss = case.network.loss
    if loss is None or loss.samples != "sum" or case.samples == 1:
        return
    share = scaled(lambda moment: 1 / samples_of(moment))
    gradients = {name: share for l in layers_of(case) for name in (f"dW{l}{_data(case)}", f"db{l}")}
    yield Alternative(gradients)
    yield Alternative({"data_loss": share})


def _data(case: Case) -> str:
    regularization = case.regularization if case.recipe is None else case.recipe.regularization
    return "_data" if regularization else ""


def dropout_not_scaled(case: Case) -> Iterator[Alternative]:
    """What dropout keeps is not divided by the probability of being kept: forward, backward, or both."""
    dropped = {l: layer.dropout.keep for l, layer in case.network.numbered() if layer.dropout is not None}
    forward = {f"a{l}": scaled(keep) for l, keep in dropped.items() if keep < 1}
    backward = {f"df{l}": scaled(keep) for l, keep in dropped.items() if keep < 1}
    if forward:
        yield Alternative({**forward, **backward})
        yield Alternative(forward)
        yield Alternative(backward)


def mask_forgotten(case: Case) -> Iterator[Alternative]:
    """The units that dropout switched off are not switched off on the way back."""
    layers = {
        l: {f"df{l}": (lambda moment, df, l=l: moment.q[f"da{l}"])}
        for l, layer in case.network.numbered()
        if layer.dropout is not None
    }
    yield from each_and_all(layers)
