"""The formulas of activations, losses and optimizers as trees, for tables and sheets without numbers.

One row for each row of the tables of `nn`. They are shown, never evaluated by the program; a test evaluates
them against `nn`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from handgrad.nn.losses import Loss
from handgrad.nn.optimizers import SGD, Adam, AdamW, Momentum, Nesterov, Optimizer, RMSprop
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
    Root,
    Sum,
    Symbol,
    Times,
    Transpose,
)
from handgrad.worked.record import Equation


@dataclass(frozen=True)
class Formula:
    """A value and its derivative, each with what it is the value of."""

    value: Equation
    derivative: Equation


def exact(value: float) -> Number:
    """A constant of a formula."""
    return Number(float(value), exact=True)


ZERO, ONE, TWO = exact(0), exact(1), exact(2)
Z, A, ALPHA = Symbol("z"), Symbol("a"), Symbol("alpha")
Y, YHAT = Symbol("y", entry=("k",)), Symbol("yhat", entry=("k",))
THETA, G, ETA, T = Symbol("theta"), Symbol("g"), Symbol("eta"), Symbol("t")


def minus(left: Expression, right: Expression) -> Sum:
    """left - right."""
    return Sum((left, Negative(right)))


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
            (Cases(((Times((a_i, minus(ONE, a_i))), same), (Negative(Times((a_i, a_j))), None))),),
        ),
    )


ACTIVATION_FORMULAS: dict[str, Formula] = {
    "identity": _activation("identity", Z, ONE),
    "sigmoid": _activation(
        "sigmoid",
        Divide(ONE, Sum((ONE, Apply("exp", (Negative(Z),))))),
        Times((_sigma(Z), minus(ONE, _sigma(Z)))),
    ),
    "tanh": _activation(
        "tanh",
        Divide(
            minus(Apply("exp", (Z,)), Apply("exp", (Negative(Z),))),
            Sum((Apply("exp", (Z,)), Apply("exp", (Negative(Z),)))),
        ),
        minus(ONE, Power(Apply("tanh", (Z,)), TWO)),
    ),
    "relu": _activation("relu", Apply("max", (ZERO, Z)), _where_positive(ONE, ZERO)),
    "leaky_relu": _activation(
        "leaky_relu", _where_positive(Z, Times((ALPHA, Z))), _where_positive(ONE, ALPHA), ALPHA
    ),
    "elu": _activation(
        "elu",
        _where_positive(Z, Times((ALPHA, minus(Apply("exp", (Z,)), ONE)))),
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
        Times((_sigma(Z), Sum((ONE, Times((Z, minus(ONE, _sigma(Z)))))))),
    ),
    "softplus": _activation("softplus", Apply("ln", (Sum((ONE, Apply("exp", (Z,)))),)), _sigma(Z)),
    "softmax": _softmax(),
    "step": _activation("step", _where_positive(ONE, ZERO), ZERO),
}
"""f(z) and f'(z) by name; softmax entry by entry."""


def _loss(value: Expression, derivative: Expression) -> Formula:
    term = Symbol("loss", entry=("k",))
    return Formula(Equation(term, (value,)), Equation(Gradient(term, YHAT), (derivative,)))


def _huber_branches(near: Expression, far: Expression) -> Cases:
    distance = Apply("abs", (minus(YHAT, Y),))
    return Cases(((near, Relation(distance, "<=", Symbol("threshold"))), (far, None)))


LOSS_FORMULAS: dict[str, Formula] = {
    "squared_error": _loss(Power(minus(YHAT, Y), TWO), Times((TWO, minus(YHAT, Y)))),
    "binary_cross_entropy": _loss(
        Negative(
            Sum(
                (
                    Times((Y, Apply("ln", (YHAT,)))),
                    Times((minus(ONE, Y), Apply("ln", (minus(ONE, YHAT),)))),
                )
            )
        ),
        Divide(minus(YHAT, Y), Times((YHAT, minus(ONE, YHAT)))),
    ),
    "cross_entropy": _loss(Negative(Times((Y, Apply("ln", (YHAT,))))), Negative(Divide(Y, YHAT))),
    "huber": _loss(
        _huber_branches(
            Divide(Power(minus(YHAT, Y), TWO), TWO),
            Times(
                (
                    Symbol("threshold"),
                    minus(Apply("abs", (minus(YHAT, Y),)), Divide(Symbol("threshold"), TWO)),
                )
            ),
        ),
        Apply("clip", (minus(YHAT, Y),), (Symbol("threshold"),)),
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


def _state(mark: str, old: bool = False) -> Symbol:
    return Symbol("theta", mark=mark, old=old)


def _running(mark: str, decay: Symbol, new: Expression) -> Equation:
    """state := decay state + (1 - decay) new."""
    return Equation(
        _state(mark),
        (Sum((Times((decay, _state(mark, old=True))), Times((minus(ONE, decay), new)))),),
    )


NEW = Symbol("theta", mark="new")


def _sgd(optimizer: Optimizer) -> tuple[Equation, ...]:
    return (Equation(NEW, (minus(THETA, Times((ETA, G))),)),)


def _momentum(optimizer: Optimizer) -> tuple[Equation, ...]:
    assert isinstance(optimizer, Momentum)
    mu, v, before = Symbol("mu"), _state("velocity"), _state("velocity", old=True)
    if optimizer.form == "heavy_ball":
        return (
            Equation(v, (minus(Times((mu, before)), Times((ETA, G))),)),
            Equation(NEW, (Sum((THETA, v)),)),
        )
    velocity = (
        _running("velocity", mu, G)
        if optimizer.form == "average"
        else Equation(v, (Sum((Times((mu, before)), G)),))
    )
    return velocity, Equation(NEW, (minus(THETA, Times((ETA, v))),))


def _nesterov(optimizer: Optimizer) -> tuple[Equation, ...]:
    mu, v = Symbol("mu"), _state("velocity")
    return (
        Equation(v, (Sum((Times((mu, _state("velocity", old=True))), G)),)),
        Equation(NEW, (minus(THETA, Times((ETA, Sum((G, Times((mu, v))))))),)),
    )


def _rmsprop(optimizer: Optimizer) -> tuple[Equation, ...]:
    root = Sum((Root(_state("s")), Symbol("epsilon")))
    return (
        _running("s", Symbol("rho"), Power(G, TWO)),
        Equation(NEW, (minus(THETA, Times((ETA, Divide(G, root)))),)),
    )


def _adam(optimizer: Optimizer) -> tuple[Equation, ...]:
    assert isinstance(optimizer, Adam)
    beta1, beta2, epsilon = Symbol("beta1"), Symbol("beta2"), Symbol("epsilon")
    largest = _state("v_max" if optimizer.amsgrad else "v")
    m_hat, v_hat = _state("m_hat"), _state("v_hat")
    inside = optimizer.epsilon_inside
    root: Expression = Root(Sum((v_hat, epsilon))) if inside else Sum((Root(v_hat), epsilon))
    step = Negative(Times((ETA, Divide(m_hat, root))))
    terms: tuple[Expression, ...] = (THETA, step)
    if isinstance(optimizer, AdamW):
        terms = (THETA, Negative(Times((ETA, Symbol("lambda"), THETA))), step)
    equations = [_running("m", beta1, G), _running("v", beta2, Power(G, TWO))]
    if optimizer.amsgrad:
        equations.append(Equation(largest, (Apply("max", (_state("v_max", old=True), _state("v"))),)))
    return (
        *equations,
        Equation(m_hat, (Divide(_state("m"), minus(ONE, Power(beta1, T))),)),
        Equation(v_hat, (Divide(largest, minus(ONE, Power(beta2, T))),)),
        Equation(NEW, (Sum(terms),)),
    )


OPTIMIZER_FORMULAS: dict[str, Callable[[Optimizer], tuple[Equation, ...]]] = {
    SGD.name: _sgd,
    Momentum.name: _momentum,
    Nesterov.name: _nesterov,
    RMSprop.name: _rmsprop,
    Adam.name: _adam,
    AdamW.name: _adam,
}
"""The rule of each optimizer for a parameter theta with gradient g, in the form that the optimizer has."""


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
    l: int | str, below: Expression, above: Expression, function: str, column: bool
) -> tuple[Equation, ...]:
    """z and a of layer l, from what the layer below gives; `above` is what this one gives."""
    W, b, z = Symbol("W", l), Symbol("b", l), Symbol("z", l)
    product = MatMul(W, below) if column else MatMul(below, Transpose(W))
    return Equation(z, (Sum((product, b)),)), Equation(above, (Apply(function, (z,)),))


def output_delta(l: int | str, function: str) -> Equation:
    """delta of the output layer by the chain rule."""
    slope = Apply(function + "'", (Symbol("z", l),))
    return Equation(Symbol("delta", l), (Hadamard((Gradient(Symbol("loss"), Symbol("yhat")), slope)),))


def hidden_delta(l: int | str, upper: int | str, function: str, column: bool) -> Equation:
    """delta of a hidden layer from that of the layer after it."""
    W, delta = Symbol("W", upper), Symbol("delta", upper)
    back = MatMul(Transpose(W), delta) if column else MatMul(delta, W)
    return Equation(Symbol("delta", l), (Hadamard((back, Apply(function + "'", (Symbol("z", l),)))),))


def gradient_equations(
    l: int | str, below: Expression, column: bool, samples: int, mean: bool
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
    return (
        Equation(Gradient(loss, Symbol("W", l)), (product,)),
        Equation(Gradient(loss, Symbol("b", l)), (errors,)),
    )
