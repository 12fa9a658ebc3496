"""The formulas of activations, losses and optimizers as trees, for tables and sheets without numbers.

One row for each row of the tables of `nn`. With numbers put in they are the scalar detail; a test
evaluates them against `nn`.
"""

from __future__ import annotations

from dataclasses import dataclass

from handgrad.nn.losses import Loss
from handgrad.nn.optimizers import Optimizer
from handgrad.nn.regularization import Regularization
from handgrad.worked.evaluate import map_tree
from handgrad.worked.expressions import (
    Apply,
    BigSum,
    Cases,
    Divide,
    Expression,
    Gradient,
    Hadamard,
    MatMul,
    Negative,
    Norm,
    Number,
    Power,
    Relation,
    Sum,
    SumOver,
    Symbol,
    Times,
    Transpose,
)
from handgrad.worked.paper import ONE, difference, exact
from handgrad.worked.record import Equation


@dataclass(frozen=True)
class Formula:
    """A value and its derivative, each with what it is the value of."""

    value: Equation
    derivative: Equation


ZERO, TWO = exact(0), exact(2)
Z, A, ALPHA = Symbol("z"), Symbol("a"), Symbol("alpha")
Y, YHAT = Symbol("y", entry=("k",)), Symbol("yhat", entry=("k",))


def _where_positive(above: Expression, below: Expression) -> Cases:
    return Cases(((above, Relation(Z, ">", ZERO)), (below, None)))


def _activation(name: str, value: Expression, derivative: Expression, *parameters: Expression) -> Formula:
    return Formula(
        Equation(Apply(name, (Z,), parameters), (value,)),
        Equation(Apply(name + "'", (Z,), parameters), (derivative,)),
    )


def _sigma(argument: Expression) -> Apply:
    return Apply("sigmoid", (argument,))


def _softmax() -> Formula:
    z_i, a_i, a_j = Symbol("z", entry=("i",)), Symbol("a", entry=("i",)), Symbol("a", entry=("j",))
    total = BigSum("k", ONE, Symbol("n"), Apply("exp", (Symbol("z", entry=("k",)),)))
    same = Relation(Symbol("i"), "=", Symbol("j"))
    return Formula(
        Equation(a_i, (Divide(Apply("exp", (z_i,)), total),)),
        Equation(
            Gradient(a_i, Symbol("z", entry=("j",))),
            (Cases(((Times((a_i, difference(ONE, a_i))), same), (Negative(Times((a_i, a_j))), None))),),
        ),
    )


ACTIVATION_FORMULAS: dict[str, Formula] = {
    "identity": _activation("identity", Z, ONE),
    "sigmoid": _activation(
        "sigmoid",
        Divide(ONE, Sum((ONE, Apply("exp", (Negative(Z),))))),
        Times((_sigma(Z), difference(ONE, _sigma(Z)))),
    ),
    "tanh": _activation(
        "tanh",
        Divide(
            difference(Apply("exp", (Z,)), Apply("exp", (Negative(Z),))),
            Sum((Apply("exp", (Z,)), Apply("exp", (Negative(Z),)))),
        ),
        difference(ONE, Power(Apply("tanh", (Z,)), TWO)),
    ),
    "relu": _activation("relu", Apply("max", (ZERO, Z)), _where_positive(ONE, ZERO)),
    "leaky_relu": _activation(
        "leaky_relu", _where_positive(Z, Times((ALPHA, Z))), _where_positive(ONE, ALPHA), ALPHA
    ),
    "elu": _activation(
        "elu",
        _where_positive(Z, Times((ALPHA, difference(Apply("exp", (Z,)), ONE)))),
        _where_positive(ONE, Times((ALPHA, Apply("exp", (Z,))))),
        ALPHA,
    ),
    "gelu": _activation(
        "gelu",
        Times((Z, Apply("erf_phi", (Z,)))),
        Sum((Apply("erf_phi", (Z,)), Times((Z, Apply("phi", (Z,)))))),
    ),
    "silu": _activation(
        "silu",
        Times((Z, _sigma(Z))),
        Times((_sigma(Z), Sum((ONE, Times((Z, difference(ONE, _sigma(Z)))))))),
    ),
    "softplus": _activation("softplus", Apply("ln", (Sum((ONE, Apply("exp", (Z,)))),)), _sigma(Z)),
    "softmax": _softmax(),
    "step": _activation("step", _where_positive(ONE, ZERO), ZERO),
}
"""f(z) and f'(z) by name; softmax entry by entry."""


def activation_at(name: str, z: float, alpha: float) -> Expression:
    """The formula of an activation with a number in the place of z, on the branch where that number lies.

    >>> from handgrad.worked.evaluate import evaluate
    >>> float(evaluate(activation_at("leaky_relu", -2.0, 0.5))[0, 0])
    -1.0
    """

    def put_in(part: Expression) -> Expression:
        if part in (Z, ALPHA):
            return Number(float(z)) if part == Z else exact(alpha)
        if isinstance(part, Cases):
            (above, _), (below, _) = part.branches
            return above if z > 0 else below
        return Times(part.factors, sign=True) if isinstance(part, Times) else part

    return map_tree(ACTIVATION_FORMULAS[name].value.symbols[0], put_in)


def _loss(value: Expression, derivative: Expression) -> Formula:
    term = Symbol("loss", entry=("k",))
    return Formula(Equation(term, (value,)), Equation(Gradient(term, YHAT), (derivative,)))


def _huber_branches(near: Expression, far: Expression) -> Cases:
    distance = Apply("abs", (difference(YHAT, Y),))
    return Cases(((near, Relation(distance, "<=", Symbol("threshold"))), (far, None)))


LOSS_FORMULAS: dict[str, Formula] = {
    "squared_error": _loss(Power(difference(YHAT, Y), TWO), Times((TWO, difference(YHAT, Y)))),
    "binary_cross_entropy": _loss(
        Negative(
            Sum(
                (
                    Times((Y, Apply("ln", (YHAT,)))),
                    Times((difference(ONE, Y), Apply("ln", (difference(ONE, YHAT),)))),
                )
            )
        ),
        Divide(difference(YHAT, Y), Times((YHAT, difference(ONE, YHAT)))),
    ),
    "cross_entropy": _loss(Negative(Times((Y, Apply("ln", (YHAT,))))), Negative(Divide(Y, YHAT))),
    "huber": _loss(
        _huber_branches(
            Divide(Power(difference(YHAT, Y), TWO), TWO),
            Times(
                (
                    Symbol("threshold"),
                    difference(Apply("abs", (difference(YHAT, Y),)), Divide(Symbol("threshold"), TWO)),
                )
            ),
        ),
        Apply("clip", (difference(YHAT, Y),), (Symbol("threshold"),)),
    ),
}
"""One term of the loss, for output k, and its derivative, before scale and reductions."""


def loss_formula(loss: Loss, outputs: int, samples: int) -> Expression:
    """The whole loss with its scale and its sums or means over outputs k and samples i."""
    tree = LOSS_FORMULAS[loss.name].value.symbols[0]
    tree = _with_sample(tree, outputs > 1, samples > 1)
    if outputs > 1:
        tree = BigSum("k", ONE, Symbol("n"), tree)
        if loss.outputs == "mean":
            tree = Times((Divide(ONE, Symbol("n")), tree))
    if samples > 1:
        tree = BigSum("i", ONE, Symbol("m"), tree)
        if loss.samples == "mean":
            tree = Times((Divide(ONE, Symbol("m")), tree))
    return tree if loss.scale == 1 else Times((scale_tree(loss.scale), tree))


def scale_tree(scale: float) -> Expression:
    """A scale as a fraction 1/n where it is one."""
    inverse = round(1 / scale)
    return Divide(ONE, exact(inverse)) if scale < 1 and 1 / inverse == scale else exact(scale)


def _with_sample(tree: Expression, outputs: bool, samples: bool) -> Expression:
    def indexed(part: Expression) -> Expression:
        if isinstance(part, Symbol) and part.letter in ("y", "yhat"):
            return Symbol(part.letter, entry=("k",) if outputs else (), sample="i" if samples else None)
        return part

    return map_tree(tree, indexed)


def hyperparameters(optimizer: Optimizer) -> tuple[tuple[Symbol, float], ...]:
    """The optimizer's constants besides the learning rate, with their letters."""
    named = {
        "momentum": "mu",
        "decay": "rho",
        "beta1": "beta1",
        "beta2": "beta2",
        "epsilon": "epsilon",
        "weight_decay": "lambda",
    }
    given = vars(optimizer)
    return tuple((Symbol(letter), float(given[name])) for name, letter in named.items() if name in given)


def penalty_formula(regularization: Regularization, layers: int) -> Expression | None:
    """What the penalties add to the loss; None where there are none."""
    weights = [Symbol("W", l) for l in range(1, layers + 1)]
    terms: list[Expression] = []
    if regularization.l2:
        squares = tuple(Power(Norm(W), TWO) for W in weights)
        total = squares[0] if len(squares) == 1 else Sum(squares)
        strength: Expression = Symbol("lambda")
        if regularization.form == "half":
            strength = Divide(strength, TWO)
        elif regularization.form == "half_mean":
            strength = Divide(strength, Times((TWO, Symbol("m"))))
        terms.append(Times((strength, total)))
    if regularization.l1:
        absolutes = tuple(Norm(W, 1) for W in weights)
        terms.append(Times((Symbol("lambda1"), absolutes[0] if len(absolutes) == 1 else Sum(absolutes))))
    if not terms:
        return None
    return terms[0] if len(terms) == 1 else Sum(tuple(terms))


def forward_equations(
    l: int | str, below: Expression, above: Expression, function: str, column: bool, *, bias: bool = True
) -> tuple[Equation, ...]:
    """z and a of layer l, from what the layer below gives; `above` is what this one gives."""
    W, b, z = Symbol("W", l), Symbol("b", l), Symbol("z", l)
    product = MatMul(W, below) if column else MatMul(below, Transpose(W))
    return Equation(z, (Sum((product, b)) if bias else product,)), Equation(above, (Apply(function, (z,)),))


def output_delta(l: int | str, function: str, column: bool, loss: Loss | None = None) -> Equation:
    """delta of the output layer by the chain rule, and in its short form where `loss` has one."""
    upstream = Gradient(Symbol("loss"), Symbol("yhat"))
    forms = [_through(l, function, upstream, Symbol("yhat"), column)]
    if loss is not None and _plain_difference(loss, function):
        forms.append(difference(Symbol("yhat"), Symbol("y")))
    return Equation(Symbol("delta", l), tuple(forms))


def _plain_difference(loss: Loss, function: str) -> bool:
    """True where delta is yhat - y: a cross-entropy with its own activation, without constants."""
    own = {"binary_cross_entropy": "sigmoid", "cross_entropy": "softmax"}.get(loss.name)
    return own == function and loss.scale == 1 and loss.outputs == "sum"


def hidden_delta(l: int | str, upper: int | str, function: str, column: bool) -> Equation:
    """delta of a hidden layer from that of the layer after it."""
    W, delta = Symbol("W", upper), Symbol("delta", upper)
    back = MatMul(Transpose(W), delta) if column else MatMul(delta, W)
    return Equation(Symbol("delta", l), (_through(l, function, back, Symbol("a", l), column),))


def _through(l: int | str, function: str, upstream: Expression, output: Symbol, column: bool) -> Expression:
    """What comes back to the outputs, through the activation; softmax mixes the units."""
    if function != "softmax":
        return Hadamard((upstream, Apply(function + "'", (Symbol("z", l),))))
    mixed = SumOver(Hadamard((upstream, output)), 0 if column else 1, index="k")
    return Hadamard((output, difference(upstream, mixed)))


def gradient_equations(
    l: int | str, below: Expression, column: bool, samples: int, mean: bool, *, bias: bool = True
) -> tuple[Equation, ...]:
    """dW and db of layer l; over several samples the product adds them, and a mean loss divides by m."""
    loss, delta = Symbol("loss"), Symbol("delta", l)
    product: Expression = MatMul(delta, Transpose(below)) if column else MatMul(Transpose(delta), below)
    errors: Expression = delta
    if samples > 1:
        errors = BigSum("i", ONE, Symbol("m"), Symbol("delta", l, sample="i"))
        if mean:
            share = Divide(ONE, Symbol("m"))
            product, errors = Times((share, product)), Times((share, errors))
    weights = Equation(Gradient(loss, Symbol("W", l)), (product,))
    return (weights, Equation(Gradient(loss, Symbol("b", l)), (errors,))) if bias else (weights,)
