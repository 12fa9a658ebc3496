"""Mistakes on the way back, from the loss to the gradients."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from handgrad.audit.alternative import Alternative, each_and_all, layers_of, minus, scaled
from handgrad.audit.rerun import Moment, Rewrite
from handgrad.audit.slips_forward import _square
from handgrad.cases.case import Case
from handgrad.nn.arrays import Array
from handgrad.nn.observe import UNOBSERVED

_KINKED = ("relu", "leaky_relu", "elu")
_BY_OUTPUT = ("sigmoid", "tanh", "elu", "softmax")
"""Activations whose derivative the textbook forms with a."""


def _arriving(moment: Moment, l: int) -> Array:
    """What reaches the activation of layer l on the way back: dloss/da, after dropout."""
    if l == moment.network.depth:
        return moment.q["dyhat"]
    return moment.q.get(f"df{l}", moment.q.get(f"da{l}", np.zeros(())))


def _output(moment: Moment, l: int) -> Array:
    return moment.q["yhat"] if l == moment.network.depth else moment.q.get(f"f{l}", moment.q[f"a{l}"])


def derivative_forgotten(case: Case) -> Iterator[Alternative]:
    """delta = dloss/da: the derivative of the activation left out."""
    layers = {
        l: {f"delta{l}": (lambda moment, delta, l=l: _arriving(moment, l))}
        for l, layer in case.network.numbered()
        if layer.function.name != "identity"
    }
    hidden = {l: rules for l, rules in layers.items() if l < case.network.depth}
    yield from each_and_all(hidden)
    yield from (Alternative(rules, l) for l, rules in layers.items() if l not in hidden)
    if len(layers) > len(hidden) > 0:
        yield Alternative({name: rule for rules in layers.values() for name, rule in rules.items()})


def derivative_at_z(case: Case) -> Iterator[Alternative]:
    """f' formed with z where a belongs: z (1 - z) for a sigmoid."""

    def at_z(l: int) -> Rewrite:
        def rule(moment: Moment, delta: Array) -> Array:
            z = moment.q[f"z{l}"]
            return moment.network.layers[l - 1].function.backward(_arriving(moment, l), z, z)

        return rule

    layers = {
        l: {f"delta{l}": at_z(l), f"derivative{l}": at_z(l)}
        for l, layer in case.network.numbered()
        if layer.function.name in _BY_OUTPUT
    }
    yield from each_and_all({l: {f"delta{l}": rules[f"delta{l}"]} for l, rules in layers.items()})


def derivative_at_a(case: Case) -> Iterator[Alternative]:
    """f' taken at a where z belongs: sigma(a) (1 - sigma(a))."""

    def at_a(l: int) -> Rewrite:
        def rule(moment: Moment, delta: Array) -> Array:
            function, a = moment.network.layers[l - 1].function, _output(moment, l)
            return function.backward(_arriving(moment, l), a, function.value(a))

        return rule

    yield from each_and_all(
        {
            l: {f"delta{l}": at_a(l)}
            for l, layer in case.network.numbered()
            if layer.function.name not in ("identity", "step")
        }
    )


def error_sign(case: Case) -> Iterator[Alternative]:
    """Target minus output where output minus target belongs."""
    loss, depth = case.network.loss, case.network.depth
    fused = loss is not None and loss.fused(case.network.layers[-1].function.name)
    if not fused:
        yield Alternative({"dyhat": minus})
    else:
        yield Alternative({"dyhat": minus, f"delta{depth}": minus})
    yield Alternative({f"delta{depth}": minus})
    for l in layers_of(case, last=depth - 1):
        yield Alternative({f"delta{l}": minus}, l)


def updated_weights(case: Case) -> Iterator[Alternative]:
    """The error is passed back through weights that this step has already changed."""
    if case.recipe is None:
        return

    def through_new(l: int) -> Rewrite:
        def rule(moment: Moment, da: Array) -> Array:
            assert moment.recipe is not None
            W, dW = moment.before.parameters[l].W, moment.q[f"dW{l + 1}"]
            state = moment.before.state[l][0]
            new, _ = moment.recipe.optimizer.step(W, dW, state, moment.number, moment.rate, UNOBSERVED)
            return moment.q[f"delta{l + 1}"] @ new

        return rule

    yield from each_and_all(
        {l: {f"da{l}": through_new(l)} for l in layers_of(case, last=case.network.depth - 1)}
    )


def not_transposed(case: Case) -> Iterator[Alternative]:
    """The error passed back through W where W^T belongs; only a square W lets it pass."""

    def turned(l: int) -> Rewrite:
        return lambda moment, da: moment.q[f"delta{l + 1}"] @ moment.before.parameters[l].W.T

    square = _square(case)
    yield from each_and_all({l - 1: {f"da{l - 1}": turned(l - 1)} for l in square if l > 1})


def gradient_transposed(case: Case) -> Iterator[Alternative]:
    """a delta^T where delta a^T belongs; only a square W lets it pass."""
    suffix = "_data" if _regularized(case) else ""
    yield from each_and_all({l: {f"dW{l}{suffix}": (lambda moment, dW: dW.T)} for l in _square(case)})


def _regularized(case: Case) -> bool:
    return bool(case.regularization if case.recipe is None else case.recipe.regularization)


def softmax_diagonal(case: Case) -> Iterator[Alternative]:
    """Of the Jacobian of softmax only the diagonal a (1 - a) is used."""

    def diagonal(l: int) -> Rewrite:
        def rule(moment: Moment, delta: Array) -> Array:
            a = _output(moment, l)
            through: Array = _arriving(moment, l) * a * (1 - a)
            return through

        return rule

    yield from each_and_all(
        {
            l: {f"delta{l}": diagonal(l)}
            for l, layer in case.network.numbered()
            if layer.function.name == "softmax"
        }
    )


def relu_at_zero(case: Case) -> Iterator[Alternative]:
    """The slope at z = 0 taken as 1 where 0 (alpha) is used."""

    def at_zero(l: int) -> Rewrite:
        return lambda moment, delta: np.where(moment.q[f"z{l}"] == 0, _arriving(moment, l), delta)

    yield from each_and_all(
        {
            l: {f"delta{l}": at_zero(l)}
            for l, layer in case.network.numbered()
            if layer.function.name in _KINKED
        }
    )


def relu_derivative_forgotten_side(case: Case) -> Iterator[Alternative]:
    """The error passed through a ReLU that is off, and stopped by one that is on."""

    def other_side(l: int) -> Rewrite:
        return lambda moment, delta: np.where(moment.q[f"z{l}"] > 0, 0.0, _arriving(moment, l))

    yield from each_and_all(
        {
            l: {f"delta{l}": other_side(l)}
            for l, layer in case.network.numbered()
            if layer.function.name == "relu"
        }
    )


def bias_shared(case: Case) -> Iterator[Alternative]:
    """One gradient for all biases of a layer: their sum."""

    def shared(moment: Moment, db: Array) -> Array:
        whole: Array = np.sum(db) * np.ones_like(db)
        return whole

    yield from each_and_all(
        {
            l: {f"db{l}": shared}
            for l, layer in case.network.numbered()
            if layer.bias == "trained" and layer.units > 1
        }
    )


def l2_not_in_gradient(case: Case) -> Iterator[Alternative]:
    """The penalty is added to the loss and forgotten in the gradient."""
    if _regularized(case):
        zero = scaled(0)
        yield from each_and_all({l: {f"dW{l}_penalty": zero} for l in layers_of(case)})


def l2_not_in_loss(case: Case) -> Iterator[Alternative]:
    """The penalty is in the gradient and forgotten in the loss."""
    if _regularized(case):
        yield Alternative({"penalty": scaled(0)})


def l2_factor(case: Case) -> Iterator[Alternative]:
    """The penalty of another form: a factor 2, 1/2 or 1/m too many or too few."""
    if not _regularized(case):
        return
    factors = dict.fromkeys(
        (2.0, 0.5, 1 / case.samples, float(case.samples), 2 / case.samples, case.samples / 2)
    )
    for factor in factors:
        if factor != 1:
            gradient = {f"dW{l}_penalty": scaled(factor) for l in layers_of(case)}
            yield Alternative({**gradient, "penalty": scaled(factor)})
            yield Alternative(gradient)
            yield Alternative({"penalty": scaled(factor)})
