"""The formulas that are shown say what nn computes: each is evaluated, with numbers in place of letters."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from handgrad.nn.activations import ACTIVATIONS, Activation
from handgrad.nn.losses import LOSSES, Loss
from handgrad.nn.observe import UNOBSERVED
from handgrad.nn.optimizers import (
    OPTIMIZERS,
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
from handgrad.worked.evaluate import evaluate, map_tree
from handgrad.worked.expressions import BigSum, Expression, Number, Sum, Symbol
from handgrad.worked.forms.activations import ACTIVATION_FORMS
from handgrad.worked.forms.equations import loss_formula
from handgrad.worked.forms.losses import term_formula
from handgrad.worked.forms.optimizers import OPTIMIZER_FORMS, hyperparameters, optimizer_formulas
from handgrad.worked.record import Equation

POINTS = (-3.6, -2.3, -0.4, 0.7, 3.1, 7.2)


def value(tree: Expression, letters: dict[str, float]) -> float:
    """The tree with numbers in the place of letters; sums over an index are written out."""

    def filled(part: Expression) -> Expression:
        if isinstance(part, BigSum):
            assert part.last is not None
            last = int(evaluate(part.last)[0, 0])
            return Sum(tuple(_at(part.body, part.index, place, letters) for place in range(last)))
        if isinstance(part, Symbol) and _name(part) in letters:
            return Number(letters[_name(part)])
        return part

    return float(evaluate(map_tree(tree, filled))[0, 0])


def _at(body: Expression, index: str, place: int, letters: dict[str, float]) -> Expression:
    def placed(part: Expression) -> Expression:
        if not isinstance(part, Symbol):
            return part
        entry = tuple(place if i == index else i for i in part.entry)
        sample = place if part.sample == index else part.sample
        moved = Symbol(part.letter, part.layer, entry, sample, part.mark, part.old)
        return Number(letters[_name(moved)]) if _name(moved) in letters else moved

    return map_tree(body, placed)


def _name(symbol: Symbol) -> str:
    parts = [symbol.letter, *map(str, symbol.entry)]
    if symbol.sample is not None:
        parts.append(f"sample{symbol.sample}")
    if symbol.mark:
        parts.append(symbol.mark)
    return "_".join(parts + (["old"] if symbol.old else []))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_has_a_formula_with_its_value_and_derivative(name: str):
    activation = Activation(name)
    formula = ACTIVATION_FORMS[name].formula
    if name == "softmax":
        z = np.array([[0.3, -1.2, 2.0]])
        a = activation.value(z)[0]
        letters = {"n": 3.0, "z_i": 0.3, **{f"z_{k}": float(z[0, k]) for k in range(3)}}
        assert value(formula.value.symbols[0], letters) == pytest.approx(a[0], rel=1e-12)
        for i, j in product(range(3), range(3)):
            letters = {"a_i": a[i], "a_j": a[j], "i": i, "j": j}
            jacobian = a[i] * ((i == j) - a[j])
            assert value(formula.derivative.symbols[0], letters) == pytest.approx(jacobian, rel=1e-12)
        return
    for point in POINTS:
        z = np.array([[point]])
        a = activation.value(z)
        letters = {"z": point, "alpha": activation.alpha or 0.0}
        assert value(formula.value.symbols[0], letters) == pytest.approx(float(a[0, 0]), rel=1e-12)
        slope = float(activation.derivative(z, a)[0, 0])
        assert value(formula.derivative.symbols[0], letters) == pytest.approx(slope, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize(("outputs", "samples"), [*product(("sum", "mean"), repeat=2)])
@pytest.mark.parametrize("scale", [1.0, 0.5, 0.3])
def test_every_loss_has_a_formula_with_its_value(name: str, outputs: str, samples: str, scale: float):
    loss = Loss(name, scale=scale, outputs=outputs, samples=samples)
    a = np.array([[0.2, 0.7, 0.1], [0.5, 0.25, 0.25]])
    y = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
    letters = {"n": 3.0, "m": 2.0, "threshold": loss.threshold or 0.0}
    for i, k in product(range(2), range(3)):
        letters[f"yhat_{k}_sample{i}"], letters[f"y_{k}_sample{i}"] = a[i, k], y[i, k]
    tree = loss_formula(loss, 3, 2)
    expected = float(loss.over_samples(loss.per_sample(loss.terms(a, y))))
    assert value(tree, letters) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_has_the_derivative_of_its_term(name: str):
    loss = Loss(name)
    for a, y in ((0.3, 1.0), (0.8, 0.0), (0.6, 1.0)):
        letters = {"yhat_k": a, "y_k": y, "threshold": loss.threshold or 0.0}
        expected = float(loss.gradient(np.array([[a]]), np.array([[y]]))[0, 0])
        derivative = term_formula(name).derivative.symbols[0]
        assert value(derivative, letters) == pytest.approx(expected, rel=1e-12)


OPTIMIZERS_TO_SHOW: tuple[Optimizer, ...] = (
    SGD(0.1),
    Momentum(0.1, form="velocity"),
    Momentum(0.1, form="heavy_ball"),
    Momentum(0.1, form="average"),
    Nesterov(0.1),
    RMSprop(0.1),
    Adam(0.1),
    Adam(0.1, epsilon=0.01, epsilon_inside=True),
    Adam(0.1, amsgrad=True),
    AdamW(0.1, weight_decay=0.2),
    Adagrad(0.1),
    Adadelta(0.1, epsilon=0.01),
    NAdam(0.1),
    Lion(0.1),
    Lion(0.1, weight_decay=0.2),
)


def test_every_optimizer_has_a_rule():
    assert set(OPTIMIZER_FORMS) == set(OPTIMIZERS)
    assert {optimizer.name for optimizer in OPTIMIZERS_TO_SHOW} == set(OPTIMIZERS)


@pytest.mark.parametrize("optimizer", OPTIMIZERS_TO_SHOW, ids=repr)
def test_the_rule_that_is_shown_is_the_step_that_is_taken(optimizer: Optimizer):
    theta, g, t, eta = 0.8, -0.3, 3, 0.05
    state = tuple(np.array(number) for number in (0.2, 0.07, 0.09)[: len(optimizer.slots)])
    new, _ = optimizer.step(np.array(theta), np.array(g), state, t, eta, UNOBSERVED)
    letters = {"theta": theta, "g": g, "t": float(t), "eta": eta}
    letters |= {_name(symbol): number for symbol, number in hyperparameters(optimizer)}
    for slot, number in zip(optimizer.slots, state, strict=True):
        letters[f"theta_{slot}_old"] = float(number)
    equations: tuple[Equation, ...] = optimizer_formulas(optimizer)
    for equation in equations:
        assert isinstance(equation.target, Symbol)
        letters[_name(equation.target)] = value(equation.symbols[0], letters)
    assert letters["theta_new"] == pytest.approx(float(new), rel=1e-12)
