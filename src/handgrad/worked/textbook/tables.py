"""The activations of most textbooks with their derivatives, and the relatives of gradient descent with their rules."""

from __future__ import annotations

from collections.abc import Iterator

from handgrad.nn.activations import Activation
from handgrad.nn.losses import Loss
from handgrad.nn.network import Dense, Network
from handgrad.nn.optimizers import Adam, Momentum, Optimizer, RMSprop
from handgrad.worked.derive.formulas import activation_proof, of_first_weights
from handgrad.worked.evaluate import map_tree
from handgrad.worked.expressions import BigSum, Divide, Expression, Symbol, Times
from handgrad.worked.forms.activations import ACTIVATION_FORMS
from handgrad.worked.forms.optimizers import optimizer_formulas
from handgrad.worked.paper import ONE, difference
from handgrad.worked.record import Equation, Lesson, StepRecord
from handgrad.worked.textbook.desk import Desk, drawn, proved

COMMON = ("sigmoid", "tanh", "relu", "leaky_relu", "softmax")
"""Activations that the table always has, beside those of the network."""


def activation_names(network: Network) -> tuple[str, ...]:
    """The rows of the table, each once."""
    used = (layer.function.name for layer in network.layers)
    return tuple(name for name in dict.fromkeys((*COMMON, *used)) if name != "identity")


def activations(desk: Desk) -> Lesson:
    """f(z) and f'(z) of each, two equations a row."""
    names = activation_names(desk.paper.network)
    shown = [
        equation
        for name in names
        for equation in (ACTIVATION_FORMS[name].formula.value, ACTIVATION_FORMS[name].formula.derivative)
    ]
    return Lesson(tuple(shown), tuple(activation_proof(Activation(name)) for name in names))


# --- variants of gradient descent ---------------------------------------------------------------------------

RELATIVES: dict[str, Optimizer] = {"momentum": Momentum(0.1), "rmsprop": RMSprop(0.1), "adam": Adam(0.1)}
"""What a step does with the gradient besides following it."""
BY_SIZE = ("batch", "stochastic", "mini_batch")
"""How many samples a step sees."""
_ONE_LAYER = Network(2, [Dense(2, "tanh")], Loss("squared_error"))


def variants(desk: Desk) -> Lesson:
    """The rule of each: the first three by the samples of a step, then the lines of each relative."""
    proofs = [_by_size(samples, desk.paper.column) for samples in (2, 1, 3)]
    shown = [_plain(several=several) for several in (True, False, True)]
    for optimizer in RELATIVES.values():
        lines = optimizer_formulas(optimizer)
        paper = drawn(_ONE_LAYER, optimizer, samples=2, column=desk.paper.column)
        instances = [of_first_weights(paper, equation) for equation in lines]
        stated = [paper.equation(equation.target, *equation.symbols, lines=()) for equation in instances]
        proofs.append(proved(0, paper, stated))
        shown += lines
    return Lesson(tuple(shown), tuple(proofs))


def rules() -> Iterator[tuple[str, int]]:
    """Name and number of equations of each row, in the order of `variants`."""
    yield from ((name, 1) for name in BY_SIZE)
    yield from ((name, len(optimizer_formulas(optimizer))) for name, optimizer in RELATIVES.items())


def _plain(*, several: bool) -> Equation:
    """theta - eta/m sum_i g_i over the samples of the step, or theta - eta g_i of its one sample."""
    theta, eta, gradient = Symbol("theta"), Symbol("eta"), Symbol("g", sample="i")
    if not several:
        return Equation(Symbol("theta", mark="new"), (difference(theta, Times((eta, gradient))),))
    share = Times((Divide(eta, Symbol("m")), BigSum("i", ONE, Symbol("m"), gradient)))
    return Equation(Symbol("theta", mark="new"), (difference(theta, share),))


def _by_size(samples: int, column: bool) -> StepRecord:
    """The rule said of the biases of a layer, whose gradient by one sample is its delta."""
    paper = drawn(_ONE_LAYER, samples=samples, column=column)

    def placed(part: Expression) -> Expression:
        if not isinstance(part, Symbol):
            return part
        if part.letter == "g":
            return Symbol("delta", 1, sample="i" if samples > 1 else None)
        return Symbol("b", 1, mark=part.mark) if part.letter == "theta" else part

    rule = _plain(several=samples > 1)
    equation = paper.equation(
        Symbol("b", 1, mark="new"), *(map_tree(tree, placed) for tree in rule.symbols), lines=()
    )
    return proved(0, paper, (equation,))
