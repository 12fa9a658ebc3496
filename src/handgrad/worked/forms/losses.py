"""How each loss is written: its term, its derivative, and its short forms with the output activations that have one.

One row for each row of `nn.losses`; a test evaluates them against it. A row is written with products entry by entry,
which hold for matrices; `scalar_products` and `Paper.entrywise` turn them into products of numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from handgrad.nn.losses import Loss
from handgrad.worked.expressions import (
    Apply,
    Cases,
    Divide,
    Expression,
    Gradient,
    Hadamard,
    Negative,
    Number,
    Power,
    Relation,
    Sum,
    SumOver,
    Symbol,
    Times,
)
from handgrad.worked.forms.trees import TWO, ZERO, Formula, chosen, scalar_products, signed
from handgrad.worked.paper import ONE, difference, exact
from handgrad.worked.record import Equation

Term = Callable[[Expression, Expression, Expression], Expression]
"""From the prediction a, the target y and the threshold."""


@dataclass(frozen=True)
class ClosedForm:
    """A loss with the output activation that cancels its denominators.

    `term(z, y, axis)` from the weighted sum, the units along `axis`; `delta(a, y, axis)`; `delta_of_classes(a, y)`
    where it is shorter for targets that add up to 1.
    """

    term: Callable[[Expression, Expression, int], Expression]
    delta: Callable[[Expression, Expression, int], Expression]
    delta_of_classes: Callable[[Expression, Expression], Expression] | None = None


@dataclass(frozen=True)
class LossForm:
    """One row of the table.

    `term` holds for matrices; `branches`, where there are any, are how the same is written for one number.
    `factor` times `derivative` is the derivative of the term by a. `left_at` says by target what is left of a term.
    """

    term: Term
    derivative: Term
    factor: float = 1.0
    branches: Callable[[Expression, Expression, Expression], Cases] | None = None
    left_at: Mapping[float, Callable[[Expression], Expression]] = field(default_factory=dict)
    closed: Mapping[str, ClosedForm] = field(default_factory=dict)
    terms: Term | None = None
    """The derivative term by term, where textbooks merge it afterwards."""


def _ln(tree: Expression) -> Apply:
    return Apply("ln", (tree,))


def _distance(a: Expression, y: Expression) -> Apply:
    return Apply("abs", (difference(a, y),))


def _binary(a: Expression, y: Expression, k: Expression) -> Expression:
    yes, no = Hadamard((y, _ln(a))), Hadamard((difference(ONE, y), _ln(difference(ONE, a))))
    return Negative(Sum((yes, no)))


def _binary_of_z(z: Expression, y: Expression, axis: int) -> Expression:
    rest = _ln(Sum((ONE, Apply("exp", (Negative(Apply("abs", (z,))),)))))
    return Sum((Apply("max", (z, ZERO)), Negative(Hadamard((z, y))), rest))


def _huber(a: Expression, y: Expression, k: Expression) -> Expression:
    """min(d, k) (d - min(d, k)/2) is d^2/2 near the target and k (d - k/2) far from it."""
    distance = _distance(a, y)
    near = Apply("min", (distance, k))
    return Hadamard((near, difference(distance, Divide(near, TWO))))


def _huber_branches(a: Expression, y: Expression, k: Expression) -> Cases:
    near = Divide(Power(difference(a, y), TWO), TWO)
    far = Times((k, difference(_distance(a, y), Divide(k, TWO))))
    return Cases(((near, Relation(_distance(a, y), "<=", k)), (far, None)))


def _margin(a: Expression, y: Expression) -> Expression:
    return difference(ONE, Hadamard((y, a)))


LOSS_FORMS: dict[str, LossForm] = {
    "squared_error": LossForm(
        term=lambda a, y, k: Power(difference(a, y), TWO),
        derivative=lambda a, y, k: difference(a, y),
        factor=2.0,
    ),
    "binary_cross_entropy": LossForm(
        term=_binary,
        derivative=lambda a, y, k: Divide(difference(a, y), Hadamard((a, difference(ONE, a)))),
        left_at={0.0: lambda a: Negative(_ln(difference(ONE, a))), 1.0: lambda a: Negative(_ln(a))},
        closed={"sigmoid": ClosedForm(_binary_of_z, lambda a, y, axis: difference(a, y))},
        terms=lambda a, y, k: Sum((Negative(Divide(y, a)), Divide(difference(ONE, y), difference(ONE, a)))),
    ),
    "cross_entropy": LossForm(
        term=lambda a, y, k: Negative(Hadamard((y, _ln(a)))),
        derivative=lambda a, y, k: Negative(Divide(y, a)),
        left_at={1.0: lambda a: Negative(_ln(a))},
        closed={
            "sigmoid": ClosedForm(
                lambda z, y, axis: Hadamard((y, Apply("softplus", (Negative(z),)))),
                lambda a, y, axis: Hadamard((y, difference(a, ONE))),
            ),
            "softmax": ClosedForm(
                lambda z, y, axis: Negative(Hadamard((y, Apply("ln_softmax", (z,), axis=axis)))),
                lambda a, y, axis: difference(Hadamard((a, SumOver(y, axis, index="k"))), y),
                difference,
            ),
        },
    ),
    "huber": LossForm(
        term=_huber,
        derivative=lambda a, y, k: Apply("clip", (difference(a, y),), (k,)),
        branches=_huber_branches,
    ),
    "absolute_error": LossForm(
        term=lambda a, y, k: _distance(a, y),
        derivative=lambda a, y, k: Apply("sign", (difference(a, y),)),
    ),
    "hinge": LossForm(
        term=lambda a, y, k: Apply("max", (ZERO, _margin(a, y))),
        derivative=lambda a, y, k: Negative(Hadamard((y, Apply("indicator", (_margin(a, y),))))),
    ),
    "poisson": LossForm(
        term=lambda a, y, k: difference(a, Hadamard((y, _ln(a)))),
        derivative=lambda a, y, k: difference(ONE, Divide(y, a)),
        closed={
            "exponential": ClosedForm(
                lambda z, y, axis: difference(Apply("exp", (z,)), Hadamard((y, z))),
                lambda a, y, axis: difference(a, y),
            )
        },
    ),
}
"""One term of the loss by name, without scale and reductions."""


def term_formula(name: str) -> Formula:
    """One term of the loss, for output k, and its derivative, in letters."""
    form = LOSS_FORMS[name]
    y, yhat, threshold = Symbol("y", entry=("k",)), Symbol("yhat", entry=("k",)), Symbol("threshold")
    term = Symbol("loss", entry=("k",))
    value = (form.branches or form.term)(yhat, y, threshold)
    derivative = form.derivative(yhat, y, threshold)
    if form.factor != 1:
        derivative = Times((exact(form.factor), derivative))
    return Formula(
        Equation(term, (scalar_products(value),)),
        Equation(Gradient(term, yhat), (scalar_products(derivative),)),
    )


def term_at(loss: Loss, a: float, y: float) -> Expression:
    """One term with its numbers put in, on the branch where they lie.

    >>> from handgrad.worked.evaluate import evaluate
    >>> float(evaluate(term_at(Loss("huber"), 3.0, 0.5))[0, 0])
    2.0
    """
    form, k = LOSS_FORMS[loss.name], exact(loss.threshold or 0.0)
    if form.branches is not None:
        return signed(chosen(form.branches(Number(a), Number(y), k)))
    return scalar_products(form.term(Number(a), Number(y), k))


def scale_tree(scale: float) -> Expression:
    """A scale such as 1/2, as a fraction where it is one."""
    inverse = round(1 / scale)
    return Divide(ONE, exact(inverse)) if scale < 1 and 1 / inverse == scale else exact(scale)
