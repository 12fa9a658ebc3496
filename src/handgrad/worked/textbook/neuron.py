"""Backpropagation in four equations, and a single neuron from its input to its update.

Both for squared error with the factor 1/2, as most introductions have it: there delta[L] is (yhat - y) f'(z[L]).
"""

from __future__ import annotations

from handgrad.nn.losses import Loss
from handgrad.nn.network import Dense, Network
from handgrad.worked.bindings import Value
from handgrad.worked.derive.formulas import at_layer
from handgrad.worked.evaluate import map_tree
from handgrad.worked.expressions import (
    Apply,
    Divide,
    Expression,
    Gradient,
    Hadamard,
    Power,
    Sum,
    Symbol,
    Times,
)
from handgrad.worked.forms.equations import gradient_equations, hidden_delta
from handgrad.worked.forms.trees import TWO
from handgrad.worked.paper import ONE, Paper, difference
from handgrad.worked.record import Equation, Lesson, StepRecord
from handgrad.worked.textbook.desk import Desk, drawn, half_squared_error, proved


def delta(desk: Desk) -> Lesson | None:
    """delta[L] = (yhat - y) f'(z[L]), delta[l] from the layer after it, and the gradients of a batch of m samples."""
    network = desk.paper.network
    if network.loss is None:
        return None
    column = desk.paper.column
    slope = Apply("f'", (Symbol("z", "L"),))
    last = Equation(Symbol("delta", "L"), (Hadamard((difference(Symbol("yhat"), Symbol("y")), slope)),))
    bias = "none" if all(layer.bias == "none" for layer in network.layers) else "trained"
    gradients = gradient_equations("l", Symbol("a", "l-1"), column, 2, mean=True, bias=bias)
    shown = [last, hidden_delta("l", "l+1", "f", column), *gradients]
    paper = drawn(half_squared_error(network), samples=2, column=column)
    depth = paper.network.depth
    instances = [at_layer(paper, last, depth)]
    instances += [at_layer(paper, shown[1], l) for l in range(1, depth)]
    for l, layer in paper.network.numbered():
        kept = gradients if layer.bias != "none" else gradients[:1]
        instances += [at_layer(paper, equation, l) for equation in kept]
    if depth == 1:
        shown.pop(1)
    return Lesson(tuple(shown), (_without_numbers(paper, instances),))


def neuron(desk: Desk) -> Lesson:
    """One neuron: what it computes, its loss, the gradients of its weight and its bias, and both updates."""
    functions = [layer.function for layer in desk.paper.network.layers]
    curved = [function for function in functions if function.elementwise and function.name != "identity"]
    function = curved[0] if curved else "sigmoid"
    paper = drawn(
        Network(1, [Dense(1, function)], Loss("squared_error", scale=0.5)), column=desk.paper.column
    )
    W, b, x, y, yhat = (Symbol(letter) for letter in ("W", "b", "x", "y", "yhat"))
    z, loss, eta = Symbol("z"), Symbol("loss"), Symbol("eta")
    slope = Apply("f'", (z,))
    change = Times((difference(yhat, y), slope))
    of_weight = Times((difference(yhat, y), slope, x))
    shown = (
        Equation(z, (Sum((Times((W, x)), b)),)),
        Equation(yhat, (Apply("f", (z,)),)),
        Equation(loss, (Times((Divide(ONE, TWO), Power(difference(y, yhat), TWO))),)),
        Equation(Gradient(loss, W), (of_weight,)),
        Equation(Gradient(loss, b), (change,)),
        Equation(
            Symbol("W", mark="new"),
            (difference(W, Times((eta, Gradient(loss, W)))), difference(W, Times((eta, *of_weight.factors)))),
        ),
        Equation(
            Symbol("b", mark="new"),
            (difference(b, Times((eta, Gradient(loss, b)))), difference(b, Times((eta, *change.factors)))),
        ),
    )
    named = [_with_function(paper, equation) for equation in shown]
    only = {
        name: paper.bindings[f"{name.removesuffix('_new')}1{'_new' if name.endswith('_new') else ''}"]
        for name in ("W", "b", "z", "dW", "db", "W_new", "b_new")
    }
    return Lesson(shown, (_without_numbers(paper, named, only),))


def _with_function(paper: Paper, equation: Equation) -> Equation:
    """f and f' by the name of the neuron's own function."""
    function = paper.network.layers[0].function
    parameters = () if function.alpha is None else (paper.letter("alpha", 1),)

    def named(part: Expression) -> Expression:
        if isinstance(part, Apply) and part.function in ("f", "f'"):
            return Apply(part.function.replace("f", function.name), part.arguments, parameters)
        return part

    return Equation(equation.target, tuple(map_tree(tree, named) for tree in equation.symbols))


def _without_numbers(
    paper: Paper, equations: list[Equation], extra: dict[str, Value] | None = None
) -> StepRecord:
    """The equations with what their targets stand for, at the numbers drawn."""
    held = {**paper.bindings.held, **(extra or {})}
    bindings = type(paper.bindings)(held, paper.column)
    stated = [
        Equation(equation.target, equation.symbols, result=bindings.of(equation.target))
        for equation in equations
    ]
    return proved(0, paper, stated, extra)
