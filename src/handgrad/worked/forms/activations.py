"""How each activation is written: f(z), f'(z), its name in a formula, and how a number is put in.

One row for each row of `nn.activations`; a test evaluates them against it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from handgrad.nn.activations import SELU_ALPHA, SELU_SCALE
from handgrad.worked.evaluate import evaluate, map_tree
from handgrad.worked.expressions import (
    Apply,
    BigSum,
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
    Symbol,
    Times,
)
from handgrad.worked.forms.trees import TWO, ZERO, Formula, chosen, signed
from handgrad.worked.paper import ONE, difference, exact
from handgrad.worked.real import number_of
from handgrad.worked.record import Equation

Z, ALPHA = Symbol("z"), Symbol("alpha")
THREE, SIX = exact(3), exact(6)


@dataclass(frozen=True)
class ActivationForm:
    """One row of the table.

    `written` is the function's name in a formula, `subscript` what stands below it; `through_output` its derivative
    by the output a, where textbooks write it so; `expands`: f(z) with a number is written out in the scalar detail,
    and `inner` are the lines that follow there, its inner parts worked out; `slope` the key of the name under the
    brace of f'(z).
    """

    written: str
    formula: Formula
    through_output: Callable[[Expression], Expression] | None = None
    expands: bool = True
    inner: Callable[[float], tuple[Expression, ...]] = lambda z: ()
    slope: str = "activation_derivative"
    subscript: str = ""


def _where_positive(above: Expression, below: Expression) -> Cases:
    return Cases(((above, Relation(Z, ">", ZERO)), (below, None)))


def _formula(name: str, value: Expression, derivative: Expression, *parameters: Expression) -> Formula:
    return Formula(
        Equation(Apply(name, (Z,), parameters), (value,)),
        Equation(Apply(name + "'", (Z,), parameters), (derivative,)),
    )


def _sigma(argument: Expression) -> Apply:
    return Apply("sigmoid", (argument,))


def _sigmoid_lines(z: float) -> tuple[Expression, ...]:
    power = evaluate(Apply("exp", (Negative(Number(z)),)))[0, 0]
    return Divide(ONE, Sum((ONE, Number(power)))), Divide(ONE, Number(1 + power))


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


def _inside(low: Expression, high: Expression, slope: Expression) -> Cases:
    """A slope between two ends, and none beyond them."""
    return Cases(((ZERO, Relation(Z, "<=", low)), (slope, Relation(Z, "<", high)), (ZERO, None)))


_SELU_BELOW = exact(SELU_SCALE * SELU_ALPHA)
_MISH_GATE = Apply("tanh", (Apply("softplus", (Z,)),))

ACTIVATION_FORMS: dict[str, ActivationForm] = {
    "identity": ActivationForm("id", _formula("identity", Z, ONE), expands=False),
    "sigmoid": ActivationForm(
        "σ",
        _formula(
            "sigmoid",
            Divide(ONE, Sum((ONE, Apply("exp", (Negative(Z),))))),
            Times((_sigma(Z), difference(ONE, _sigma(Z)))),
        ),
        through_output=lambda a: Hadamard((a, difference(ONE, a))),
        inner=_sigmoid_lines,
        slope="sigmoid_prime",
    ),
    "tanh": ActivationForm(
        "tanh",
        _formula(
            "tanh",
            Divide(
                difference(Apply("exp", (Z,)), Apply("exp", (Negative(Z),))),
                Sum((Apply("exp", (Z,)), Apply("exp", (Negative(Z),)))),
            ),
            difference(ONE, Power(Apply("tanh", (Z,)), TWO)),
        ),
        through_output=lambda a: difference(ONE, Power(a, TWO)),
    ),
    "relu": ActivationForm("ReLU", _formula("relu", Apply("max", (ZERO, Z)), _where_positive(ONE, ZERO))),
    "leaky_relu": ActivationForm(
        "LeakyReLU",
        _formula("leaky_relu", _where_positive(Z, Times((ALPHA, Z))), _where_positive(ONE, ALPHA), ALPHA),
    ),
    "elu": ActivationForm(
        "ELU",
        _formula(
            "elu",
            _where_positive(Z, Times((ALPHA, difference(Apply("exp", (Z,)), ONE)))),
            _where_positive(ONE, Times((ALPHA, Apply("exp", (Z,))))),
            ALPHA,
        ),
    ),
    "gelu": ActivationForm(
        "GELU",
        _formula(
            "gelu",
            Times((Z, Apply("erf_phi", (Z,)))),
            Sum((Apply("erf_phi", (Z,)), Times((Z, Apply("phi", (Z,)))))),
        ),
    ),
    "silu": ActivationForm(
        "SiLU",
        _formula(
            "silu",
            Times((Z, _sigma(Z))),
            Times((_sigma(Z), Sum((ONE, Times((Z, difference(ONE, _sigma(Z)))))))),
        ),
    ),
    "softplus": ActivationForm(
        "softplus", _formula("softplus", Apply("ln", (Sum((ONE, Apply("exp", (Z,)))),)), _sigma(Z))
    ),
    "softmax": ActivationForm("softmax", _softmax(), expands=False),
    "step": ActivationForm("H", _formula("step", _where_positive(ONE, ZERO), ZERO), expands=False),
    "relu6": ActivationForm(
        "ReLU6", _formula("relu6", Apply("min", (Apply("max", (ZERO, Z)), SIX)), _inside(ZERO, SIX, ONE))
    ),
    "hard_sigmoid": ActivationForm(
        "σ",
        _formula(
            "hard_sigmoid",
            Divide(Apply("relu6", (Sum((Z, THREE)),)), SIX),
            _inside(Negative(THREE), THREE, Divide(ONE, SIX)),
        ),
        subscript="hard",
    ),
    "selu": ActivationForm(
        "SELU",
        _formula(
            "selu",
            _where_positive(
                Times((exact(SELU_SCALE), Z)), Times((_SELU_BELOW, difference(Apply("exp", (Z,)), ONE)))
            ),
            _where_positive(exact(SELU_SCALE), Times((_SELU_BELOW, Apply("exp", (Z,))))),
        ),
    ),
    "mish": ActivationForm(
        "Mish",
        _formula(
            "mish",
            Times((Z, _MISH_GATE)),
            Sum((_MISH_GATE, Times((Z, _sigma(Z), difference(ONE, Power(_MISH_GATE, TWO)))))),
        ),
    ),
    "exponential": ActivationForm(
        "exp",
        _formula("exponential", Apply("exp", (Z,)), Apply("exp", (Z,))),
        through_output=lambda a: a,
    ),
}
"""f(z) and f'(z) by name; softmax entry by entry."""


def activation_at(name: str, z: float, alpha: float) -> Expression:
    """The formula of an activation with a number in the place of z, on the branch where that number lies.

    >>> from handgrad.worked.evaluate import evaluate
    >>> float(evaluate(activation_at("leaky_relu", -2.0, 0.5))[0, 0])
    -1.0
    """
    numbers: dict[Expression, Expression] = {Z: Number(number_of(z)), ALPHA: exact(alpha)}
    tree = ACTIVATION_FORMS[name].formula.value.symbols[0]
    return signed(
        chosen(map_tree(tree, lambda part: numbers.get(part, part) if part in (Z, ALPHA) else part))
    )
