"""The rule of each optimizer for one parameter: with letters it is a formula, with numbers a worked step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from handgrad.nn.optimizers import (
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    AdamW,
    Lion,
    Momentum,
    NAdam,
    Nesterov,
    Optimizer,
    RMSprop,
)
from handgrad.worked.expressions import (
    Apply,
    Divide,
    Expression,
    Hadamard,
    Negative,
    Power,
    Root,
    Sum,
    Symbol,
    Times,
)
from handgrad.worked.paper import ONE, difference, exact
from handgrad.worked.record import Equation


@dataclass(frozen=True)
class Terms:
    """What the rule of an optimizer is written with: all letters, or all numbers."""

    p: Expression
    g: Expression
    eta: Expression
    old: Callable[[str], Expression]
    """A state before the step."""
    new: Callable[[str], Expression]
    """A state after it."""
    constant: Callable[[str, float], Expression]
    """A hyperparameter by letter and value."""
    t: Expression


Lines = list[tuple[str, str, Expression]]
"""(state or 'new', key of the reason, right-hand side), in the order of the calculation."""


STATES: dict[str, tuple[str, str, str]] = {
    "velocity": ("v", "", ""),
    "m": ("m", "", ""),
    "v": ("v", "", ""),
    "m_hat": ("m", "hat", ""),
    "v_hat": ("v", "hat", ""),
    "v_max": ("v", "", "max"),
    "s": ("s", "", ""),
    "u": ("u", "", ""),
    "step": ("Δ", "", ""),
    "c": ("c", "", ""),
}
"""Companions of a parameter that the optimizer keeps: their own letter, accent and word; the parameter
becomes a subscript (m_W)."""


def _mean(rate: Expression, old: Expression, fresh: Expression) -> Expression:
    """beta old + (1 - beta) fresh."""
    return Sum((Times((rate, old)), Times((difference(ONE, rate), fresh))))


def _sgd(optimizer: SGD, terms: Terms) -> Lines:
    return [("new", "update_sgd", difference(terms.p, Times((terms.eta, terms.g))))]


def _momentum(optimizer: Momentum, terms: Terms) -> Lines:
    mu = terms.constant("mu", optimizer.momentum)
    kept = Times((mu, terms.old("velocity")))
    v = terms.new("velocity")
    if optimizer.form == "heavy_ball":
        return [
            ("velocity", "update_velocity", difference(kept, Times((terms.eta, terms.g)))),
            ("new", "update_momentum", Sum((terms.p, v))),
        ]
    fresh = terms.g if optimizer.form == "velocity" else Times((difference(ONE, mu), terms.g))
    return [
        ("velocity", "update_velocity", Sum((kept, fresh))),
        ("new", "update_momentum", difference(terms.p, Times((terms.eta, v)))),
    ]


def _nesterov(optimizer: Nesterov, terms: Terms) -> Lines:
    mu = terms.constant("mu", optimizer.momentum)
    ahead = Sum((terms.g, Times((mu, terms.new("velocity")))))
    return [
        ("velocity", "update_velocity", Sum((Times((mu, terms.old("velocity"))), terms.g))),
        ("new", "update_nesterov", difference(terms.p, Times((terms.eta, ahead)))),
    ]


def _rmsprop(optimizer: RMSprop, terms: Terms) -> Lines:
    rho = terms.constant("rho", optimizer.decay)
    below = Sum((Root(terms.new("s")), terms.constant("epsilon", optimizer.epsilon)))
    return [
        ("s", "update_rmsprop_s", _mean(rho, terms.old("s"), Power(terms.g, exact(2)))),
        ("new", "update_rmsprop", difference(terms.p, Times((terms.eta, Divide(terms.g, below))))),
    ]


def _adam(optimizer: Adam, terms: Terms) -> Lines:
    beta1, beta2 = terms.constant("beta1", optimizer.beta1), terms.constant("beta2", optimizer.beta2)
    epsilon = terms.constant("epsilon", optimizer.epsilon)
    largest = terms.new("v_max" if optimizer.amsgrad else "v")
    m_hat, v_hat = terms.new("m_hat"), terms.new("v_hat")
    below = Root(Sum((v_hat, epsilon))) if optimizer.epsilon_inside else Sum((Root(v_hat), epsilon))
    steps = [
        ("m", "adam_m", _mean(beta1, terms.old("m"), terms.g)),
        ("v", "adam_v", _mean(beta2, terms.old("v"), Power(terms.g, exact(2)))),
    ]
    if optimizer.amsgrad:
        steps.append(("v_max", "adam_v_max", Apply("max", (terms.old("v_max"), terms.new("v")))))
    steps.append(("m_hat", "adam_m_hat", Divide(terms.new("m"), difference(ONE, Power(beta1, terms.t)))))
    steps.append(("v_hat", "adam_v_hat", Divide(largest, difference(ONE, Power(beta2, terms.t)))))
    step = Negative(Times((terms.eta, Divide(m_hat, below))))
    if isinstance(optimizer, AdamW):
        decay = Times((terms.eta, terms.constant("lambda_w", optimizer.weight_decay), terms.p))
        steps.append(("new", "update_adamw", Sum((terms.p, Negative(decay), step))))
    else:
        steps.append(("new", "update_adam", Sum((terms.p, step))))
    return steps


def _adagrad(optimizer: Adagrad, terms: Terms) -> Lines:
    below = Sum((Root(terms.new("s")), terms.constant("epsilon", optimizer.epsilon)))
    return [
        ("s", "adagrad_s", Sum((terms.old("s"), Power(terms.g, exact(2))))),
        ("new", "update_adagrad", difference(terms.p, Times((terms.eta, Divide(terms.g, below))))),
    ]


def _adadelta(optimizer: Adadelta, terms: Terms) -> Lines:
    rho, epsilon = terms.constant("rho", optimizer.decay), terms.constant("epsilon", optimizer.epsilon)
    scale = Divide(Root(Sum((terms.old("u"), epsilon))), Root(Sum((terms.new("s"), epsilon))))
    return [
        ("s", "update_rmsprop_s", _mean(rho, terms.old("s"), Power(terms.g, exact(2)))),
        ("step", "adadelta_step", Hadamard((scale, terms.g))),
        ("u", "adadelta_u", _mean(rho, terms.old("u"), Power(terms.new("step"), exact(2)))),
        ("new", "update_adadelta", difference(terms.p, Times((terms.eta, terms.new("step"))))),
    ]


def _nadam(optimizer: NAdam, terms: Terms) -> Lines:
    beta1, beta2 = terms.constant("beta1", optimizer.beta1), terms.constant("beta2", optimizer.beta2)
    below = Sum((Root(terms.new("v_hat")), terms.constant("epsilon", optimizer.epsilon)))
    ahead = Divide(beta1, difference(ONE, Power(beta1, Sum((terms.t, ONE)))))
    here = Divide(difference(ONE, beta1), difference(ONE, Power(beta1, terms.t)))
    step = Times((terms.eta, Divide(terms.new("m_hat"), below)))
    return [
        ("m", "adam_m", _mean(beta1, terms.old("m"), terms.g)),
        ("v", "adam_v", _mean(beta2, terms.old("v"), Power(terms.g, exact(2)))),
        ("m_hat", "nadam_m_hat", Sum((Times((ahead, terms.new("m"))), Times((here, terms.g))))),
        ("v_hat", "adam_v_hat", Divide(terms.new("v"), difference(ONE, Power(beta2, terms.t)))),
        ("new", "update_adam", difference(terms.p, step)),
    ]


def _lion(optimizer: Lion, terms: Terms) -> Lines:
    beta1, beta2 = terms.constant("beta1", optimizer.beta1), terms.constant("beta2", optimizer.beta2)
    direction: Expression = Apply("sign", (terms.new("c"),))
    reason = "update_lion"
    if optimizer.weight_decay:
        decay = terms.constant("lambda_w", optimizer.weight_decay)
        direction, reason = Sum((direction, Times((decay, terms.p)))), "update_lion_decay"
    return [
        ("c", "lion_c", _mean(beta1, terms.old("m"), terms.g)),
        ("m", "lion_m", _mean(beta2, terms.old("m"), terms.g)),
        ("new", reason, difference(terms.p, Times((terms.eta, direction)))),
    ]


@dataclass(frozen=True)
class OptimizerForm:
    """One row of the table: the rule, and the letters of the hyperparameters besides the learning rate."""

    rule: Callable[..., Lines]
    letters: Mapping[str, str] = field(default_factory=dict)


_ADAM = {"beta1": "beta1", "beta2": "beta2", "epsilon": "epsilon"}

OPTIMIZER_FORMS: dict[str, OptimizerForm] = {
    "sgd": OptimizerForm(_sgd),
    "momentum": OptimizerForm(_momentum, {"momentum": "mu"}),
    "nesterov": OptimizerForm(_nesterov, {"momentum": "mu"}),
    "rmsprop": OptimizerForm(_rmsprop, {"decay": "rho", "epsilon": "epsilon"}),
    "adam": OptimizerForm(_adam, _ADAM),
    "adamw": OptimizerForm(_adam, {**_ADAM, "weight_decay": "lambda_w"}),
    "adagrad": OptimizerForm(_adagrad, {"epsilon": "epsilon"}),
    "adadelta": OptimizerForm(_adadelta, {"decay": "rho", "epsilon": "epsilon"}),
    "nadam": OptimizerForm(_nadam, _ADAM),
    "lion": OptimizerForm(_lion, {"beta1": "beta1", "beta2": "beta2", "weight_decay": "lambda_w"}),
}


def hyperparameters(optimizer: Optimizer) -> tuple[tuple[Symbol, float], ...]:
    """The optimizer's constants besides the learning rate, with their letters."""
    letters = OPTIMIZER_FORMS[optimizer.name].letters
    return tuple((Symbol(letter), float(getattr(optimizer, name))) for name, letter in letters.items())


def _state(mark: str, old: bool = False) -> Symbol:
    return Symbol("theta", mark=mark, old=old)


IN_GENERAL = Terms(
    p=Symbol("theta"),
    g=Symbol("g"),
    eta=Symbol("eta"),
    old=lambda state: _state(state, old=True),
    new=_state,
    constant=lambda key, value: Symbol(key),
    t=Symbol("t"),
)


def optimizer_formulas(optimizer: Optimizer) -> tuple[Equation, ...]:
    """The rule for any parameter theta with gradient g, in the form that the optimizer has.

    >>> from handgrad.nn.optimizers import SGD
    >>> [equation.target.mark for equation in optimizer_formulas(SGD(0.1))]
    ['new']
    """
    lines = OPTIMIZER_FORMS[optimizer.name].rule(optimizer, IN_GENERAL)
    return tuple(Equation(_state(state), (tree,)) for state, _, tree in lines)
