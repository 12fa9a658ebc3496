"""The equations of a network in letters, for sheets without numbers; a test evaluates them against `nn`."""

from __future__ import annotations

from dataclasses import replace

from handgrad.nn.activations import ACTIVATIONS
from handgrad.nn.losses import Loss
from handgrad.nn.regularization import Regularization
from handgrad.worked.evaluate import map_tree
from handgrad.worked.expressions import (
    Apply,
    BigSum,
    Divide,
    Expression,
    Gradient,
    Hadamard,
    MatMul,
    Norm,
    Power,
    Sum,
    SumOver,
    Symbol,
    Times,
    Transpose,
)
from handgrad.worked.forms.losses import LOSS_FORMS, scale_tree, term_formula
from handgrad.worked.forms.trees import TWO, Formula
from handgrad.worked.paper import ONE, difference
from handgrad.worked.record import Equation

PENALTY_LETTERS = {"l2": "lambda", "l1": "lambda1"}
"""The letter of each strength of a penalty."""


def loss_formula(loss: Loss, outputs: int, samples: int, weighted: bool = False) -> Expression:
    """The whole loss with its scale and its sums or means over outputs k and samples i, each times its weight."""
    tree = term_formula(loss.name).value.symbols[0]
    tree = _with_sample(tree, outputs > 1, samples > 1)
    if outputs > 1:
        tree = BigSum("k", ONE, Symbol("n"), tree)
        if loss.outputs == "mean":
            tree = Times((Divide(ONE, Symbol("n")), tree))
    if weighted:
        tree = Times((Symbol("omega", sample="i" if samples > 1 else None), tree))
    if samples > 1:
        tree = BigSum("i", ONE, Symbol("m"), tree)
        if loss.samples == "mean":
            tree = Times((Divide(ONE, Symbol("m")), tree))
    return tree if loss.scale == 1 else Times((scale_tree(loss.scale), tree))


def term_of_sample(loss: Loss, outputs: int) -> Formula:
    """What output k adds to the loss of a sample, with its scale and its 1/n, and the derivative of that."""
    form, bare = LOSS_FORMS[loss.name], term_formula(loss.name)
    share: tuple[Expression, ...] = ()
    if loss.outputs == "mean" and outputs > 1:
        share = (Divide(ONE, Symbol("n")),)
    slope = bare.derivative.symbols[0]
    if form.factor != 1 and isinstance(slope, Times):
        slope = slope.factors[-1]  # its factor and the scale are one number

    def scaled(number: float, tree: Expression) -> Expression:
        constants = share if number == 1 else (scale_tree(number), *share)
        return Times((*constants, tree)) if constants else tree

    return Formula(
        replace(bare.value, symbols=(scaled(loss.scale, bare.value.symbols[0]),)),
        replace(bare.derivative, symbols=(scaled(loss.scale * form.factor, slope),)),
    )


def _with_sample(tree: Expression, outputs: bool, samples: bool) -> Expression:
    def indexed(part: Expression) -> Expression:
        if isinstance(part, Symbol) and part.letter in ("y", "yhat"):
            return Symbol(part.letter, entry=("k",) if outputs else (), sample="i" if samples else None)
        return part

    return map_tree(tree, indexed)


def penalty_formula(regularization: Regularization, layers: int) -> Expression | None:
    """What the penalties add to the loss; None where there are none."""
    weights = [Symbol("W", l) for l in range(1, layers + 1)]
    terms: list[Expression] = []
    if regularization.l2:
        squares = tuple(Power(Norm(W), TWO) for W in weights)
        total = squares[0] if len(squares) == 1 else Sum(squares)
        strength: Expression = Symbol(PENALTY_LETTERS["l2"])
        if regularization.form == "half":
            strength = Divide(strength, TWO)
        elif regularization.form == "half_mean":
            strength = Divide(strength, Times((TWO, Symbol("m"))))
        terms.append(Times((strength, total)))
    if regularization.l1:
        absolutes = tuple(Norm(W, 1) for W in weights)
        terms.append(
            Times((Symbol(PENALTY_LETTERS["l1"]), absolutes[0] if len(absolutes) == 1 else Sum(absolutes)))
        )
    if not terms:
        return None
    return terms[0] if len(terms) == 1 else Sum(tuple(terms))


def penalty_gradient(regularization: Regularization, W: Expression) -> Expression | None:
    """What the penalties add to the gradient by W; None where there are none."""
    terms: list[Expression] = []
    if regularization.l2:
        strength: Expression = Symbol(PENALTY_LETTERS["l2"])
        if regularization.form == "half_mean":
            strength = Divide(strength, Symbol("m"))
        terms.append(Times((TWO, strength, W) if regularization.form == "full" else (strength, W)))
    if regularization.l1:
        terms.append(Times((Symbol(PENALTY_LETTERS["l1"]), Apply("sign", (W,)))))
    if not terms:
        return None
    return terms[0] if len(terms) == 1 else Sum(tuple(terms))


def forward_equations(
    l: int | str,
    below: Expression,
    above: Expression,
    function: str,
    column: bool,
    *,
    bias: bool = True,
    parameters: tuple[Expression, ...] = (),
) -> tuple[Equation, ...]:
    """z and a of layer l, from what the layer below gives; `above` is what this one gives."""
    W, b, z = Symbol("W", l), Symbol("b", l), Symbol("z", l)
    product = MatMul(W, below) if column else MatMul(below, Transpose(W))
    weighted = Equation(z, (Sum((product, b)) if bias else product,))
    activated = z if function == "identity" else Apply(function, (z,), parameters, 0 if column else 1)
    return weighted, Equation(above, (activated,))


def dropout_equations(l: int | str, function: str, above: Expression) -> tuple[Equation, Equation]:
    """f(z) of layer l, and what the mask makes of it."""
    z, unmasked = Symbol("z", l), Symbol("f", l)
    kept = Divide(Hadamard((Symbol("mask", l), unmasked)), Symbol("keep"))
    activated = z if function == "identity" else Apply(function, (z,))
    return Equation(unmasked, (activated,)), Equation(above, (kept,))


def output_delta(
    l: int | str,
    function: str,
    column: bool,
    loss: Loss | None = None,
    *,
    parameters: tuple[Expression, ...] = (),
    several: bool = False,
    weighted: bool = False,
) -> Equation:
    """delta of the output layer by the chain rule, and in its short form where `loss` has one; of `several` samples
    each has a loss of its own."""
    upstream = Gradient(Symbol("loss", sample="i" if several else None), Symbol("yhat"))
    forms = [_through(l, function, upstream, Symbol("yhat"), column, parameters)]
    if loss is not None and _plain_difference(loss, function):
        short = difference(Symbol("yhat"), Symbol("y"))
        forms.append(Hadamard((Symbol("omega"), short)) if weighted else short)
    return Equation(Symbol("delta", l), tuple(forms))


def _plain_difference(loss: Loss, function: str) -> bool:
    """True where delta is yhat - y: a cross-entropy with its own activation, without constants."""
    closed = LOSS_FORMS[loss.name].closed.get(function)
    if closed is None or loss.scale != 1 or loss.outputs != "sum":
        return False
    yhat, y = Symbol("yhat"), Symbol("y")
    short = closed.delta_of_classes(yhat, y) if closed.delta_of_classes else closed.delta(yhat, y, 0)
    return bool(short == difference(yhat, y))


def hidden_delta(
    l: int | str, upper: int | str, function: str, column: bool, *, parameters: tuple[Expression, ...] = ()
) -> Equation:
    """delta of a hidden layer from that of the layer after it."""
    W, delta = Symbol("W", upper), Symbol("delta", upper)
    back = MatMul(Transpose(W), delta) if column else MatMul(delta, W)
    return Equation(Symbol("delta", l), (_through(l, function, back, Symbol("a", l), column, parameters),))


def _through(
    l: int | str,
    function: str,
    upstream: Expression,
    output: Symbol,
    column: bool,
    parameters: tuple[Expression, ...],
) -> Expression:
    """What comes back to the outputs, through the activation; softmax mixes the units, identity changes nothing."""
    if function == "identity":
        return upstream
    if function not in ACTIVATIONS or ACTIVATIONS[function].elementwise:
        return Hadamard((upstream, Apply(function + "'", (Symbol("z", l),), parameters)))
    mixed = SumOver(Hadamard((upstream, output)), 0 if column else 1, index="k")
    return Hadamard((output, difference(upstream, mixed)))


def gradient_equations(
    l: int | str,
    below: Expression,
    column: bool,
    samples: int,
    mean: bool,
    *,
    bias: str = "trained",
    regularization: Regularization | None = None,
) -> tuple[Equation, ...]:
    """dW and db of layer l; over several samples the product adds them, a mean loss divides by m, and the penalties
    have their part. A bias that units share has the sum over the units j."""
    loss, W = Symbol("loss"), Symbol("W", l)
    delta = Symbol("delta", l)
    product: Expression = MatMul(delta, Transpose(below)) if column else MatMul(Transpose(delta), below)
    errors: Expression = Symbol("delta", l, ("j",) if bias == "shared" else (), "i" if samples > 1 else None)
    if bias == "shared":
        errors = BigSum("j", ONE, Symbol("n", l), errors)
    if samples > 1:
        errors = BigSum("i", ONE, Symbol("m"), errors)
        if mean:
            share = Divide(ONE, Symbol("m"))
            product, errors = Times((share, product)), Times((share, errors))
    penalty = None if regularization is None else penalty_gradient(regularization, W)
    weights = Equation(Gradient(loss, W), (product if penalty is None else Sum((product, penalty)),))
    return (weights,) if bias == "none" else (weights, Equation(Gradient(loss, Symbol("b", l)), (errors,)))
