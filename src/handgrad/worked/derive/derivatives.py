"""The derivatives that the chain rule multiplies: of the loss by the outputs, of each activation by z."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from handgrad.nn.losses import Loss
from handgrad.nn.network import Dense
from handgrad.worked.derive.forward import given_step, scale_node
from handgrad.worked.expressions import (
    Apply,
    Divide,
    Expression,
    Negative,
    Power,
    Symbol,
    Times,
)
from handgrad.worked.paper import ONE, Paper, difference, exact
from handgrad.worked.record import Equation, WorkedStep, words

# --- the first factor: dloss/dyhat ----------------------------------------------------------------------

Product = Callable[[Expression, Expression], Expression]
Derivative = Callable[[Expression, Expression, Expression, Product], Expression]

LOSS_DERIVATIVES: dict[str, Derivative] = {
    "squared_error": lambda a, y, k, times: difference(a, y),
    "binary_cross_entropy": lambda a, y, k, times: Divide(difference(a, y), times(a, difference(ONE, a))),
    "cross_entropy": lambda a, y, k, times: Negative(Divide(y, a)),
    "huber": lambda a, y, k, times: Apply("clip", (difference(a, y),), (k,)),
}
"""d(term)/da of each loss, without the constants (2, scale, 1/n) that `dyhat_constants` puts before it."""


def dyhat_constants(paper: Paper, loss: Loss) -> tuple[Expression, ...]:
    """The numbers before the derivative of a term: 2, the scale, 1/n."""
    constant = loss.scale * (2 if loss.name == "squared_error" else 1)
    parts: list[Expression] = [] if constant == 1 else [scale_node(constant)]
    if loss.outputs == "mean" and paper.network.outputs > 1:
        parts.append(Divide(ONE, exact(paper.network.outputs)))
    return tuple(parts)


def with_constants(constants: tuple[Expression, ...], tree: Expression) -> Expression:
    """constants times tree; the tree alone where there are none."""
    return Times((*constants, tree)) if constants else tree


def saturated(paper: Paper) -> bool:
    """True where an output is 0 or 1, so that the formula of a cross-entropy divides by zero."""
    loss, yhat = paper.network.loss, paper.quantities["yhat"]
    if loss is None or "dyhat" in paper.trace.given:
        return False
    ends = {"binary_cross_entropy": (0.0, 1.0), "cross_entropy": (0.0,)}.get(loss.name, ())
    return bool(np.isin(yhat, ends).any())


def dyhat_step(paper: Paper) -> WorkedStep | None:
    """dloss/dyhat; None where it is infinite or its formula is 0/0 (a saturated output) or not needed."""
    loss = paper.network.loss
    if not paper.has("dyhat") or not np.all(np.isfinite(paper.quantities["dyhat"])) or saturated(paper):
        return None
    given = given_step(paper, "dyhat", "backward", paper.network.depth)
    if given is not None or loss is None:
        return given
    derivative, threshold = LOSS_DERIVATIVES[loss.name], exact(loss.threshold or 0.0)
    constants = dyhat_constants(paper, loss)

    def times(left: Expression, right: Expression) -> Expression:
        return paper.entrywise(paper.network.depth, left, right)

    return WorkedStep(
        quantity="dyhat",
        part="backward",
        layer=paper.network.depth,
        equation=Equation(
            paper.symbol("dyhat"),
            (with_constants(constants, derivative(Symbol("yhat"), Symbol("y"), Symbol("threshold"), times)),),
            (with_constants(constants, derivative(paper.value("yhat"), paper.value("y"), threshold, times)),),
            paper.value("dyhat"),
        ),
        shapes=paper.shapes("yhat", "y", "dyhat"),
        reason=words("dyhat", name=loss.name),
    )


# --- the activation's derivative ------------------------------------------------------------------------


def derivative_of(paper: Paper, l: int, z: Expression, a: Expression) -> Expression:
    """f'(z), through the output where the textbook writes it so."""
    function = paper.network.layers[l - 1].function
    if function.name in ("sigmoid", "softmax"):
        return paper.entrywise(l, a, difference(ONE, a))
    if function.name == "tanh":
        return difference(ONE, Power(a, exact(2)))
    parameters = () if function.alpha is None else (exact(function.alpha),)
    return Apply(function.name + "'", (z,), parameters)


def derivative_step(paper: Paper, l: int, layer: Dense) -> WorkedStep:
    """f\'(z) of layer l, worked out."""
    name = f"derivative{l}"
    output = f"f{l}" if paper.has(f"f{l}") else paper.activity(l)
    from_output = layer.function.name in ("sigmoid", "tanh")
    return WorkedStep(
        quantity=name,
        part="backward",
        layer=l,
        equation=Equation(
            paper.symbol(name),
            (derivative_of(paper, l, paper.symbol(f"z{l}"), paper.symbol(output)),),
            (derivative_of(paper, l, paper.value(f"z{l}"), paper.value(output)),),
            paper.value(name),
        ),
        shapes=paper.shapes(output if from_output else f"z{l}", name),
        reason=words("derivative", layer=l, function=layer.function.name),
    )
