"""The formula sheet: the network in letters alone, and the proof of each formula at numbers drawn at random."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from handgrad.nn.activations import Activation
from handgrad.nn.losses import Loss
from handgrad.nn.network import Dense, Network
from handgrad.nn.regularization import Regularization
from handgrad.nn.step import Recipe
from handgrad.worked.bindings import Bindings, name_of
from handgrad.worked.derive.letters import constants_of
from handgrad.worked.derive.random_step import random_step
from handgrad.worked.evaluate import map_tree
from handgrad.worked.expressions import Apply, Expression, Gradient, Symbol
from handgrad.worked.forms.activations import ACTIVATION_FORMS
from handgrad.worked.forms.equations import (
    forward_equations,
    gradient_equations,
    hidden_delta,
    loss_formula,
    output_delta,
    penalty_formula,
    term_of_sample,
)
from handgrad.worked.forms.optimizers import optimizer_formulas
from handgrad.worked.paper import Paper, exact
from handgrad.worked.record import Equation, FormulaSheet, Options, StepRecord, WorkedStep
from handgrad.worked.substitute import node

POINTS = np.array([-2.3, -0.4, 0.7, 3.1])
"""Weighted sums at which the formulas of activations are evaluated; the limits of pieces lie between them."""
MOST_WIDE = 64
"""A network wider than this is proved with layers cut to it: the formulas do not know how wide they are."""


def formula_sheet(
    network: Network,
    recipe: Recipe | None,
    regularization: Regularization,
    samples: int,
    options: Options,
    weighted: bool = False,
) -> FormulaSheet:
    """The formulas for batches of so many samples, weighted or not, each with its proof."""
    penalties = regularization if recipe is None else recipe.regularization
    trace = random_step(narrow(network), recipe, penalties, samples, weighted)
    constants = constants_of(trace, narrow(network), recipe, penalties)
    paper = Paper(trace, narrow(network), recipe, options, regularization, constants)
    general, written_out = tuple(_general(paper)), tuple(_written_out(paper))
    loss, penalty = None, penalty_formula(penalties, network.depth)
    term: tuple[Equation, ...] = ()
    proofs = [*_instances(paper, general), *written_out]
    if network.loss is not None:
        loss = Equation(
            Symbol("loss" if penalty is None else "data_loss"),
            (loss_formula(network.loss, network.outputs, samples, weighted),),
        )
        formula = term_of_sample(network.loss, network.outputs)
        term = (formula.value, formula.derivative)
        proofs.append(loss)
    if penalty is not None and network.loss is not None:
        proofs.append(Equation(Symbol("penalty"), (penalty,)))
    optimizer = () if recipe is None else optimizer_formulas(recipe.optimizer)
    if trace.updated:
        proofs += [of_first_weights(paper, equation) for equation in optimizer]
    used = dict.fromkeys(layer.function for layer in network.layers)
    return FormulaSheet(
        general=general,
        written_out=written_out,
        activations=tuple(_activation(function) for function in dict.fromkeys(f.name for f in used)),
        loss=loss,
        term=term,
        penalty=None if penalty is None else Equation(Symbol("penalty"), (penalty,)),
        optimizer=optimizer,
        proofs=(
            _proof(paper, proofs),
            *(activation_proof(function) for function in used),
            *(() if network.loss is None else (_term_proof(paper, network.loss, term),)),
        ),
    )


def narrow(network: Network) -> Network:
    """The network with its widest layers cut, but for the outputs."""
    layers = [
        Dense(
            min(layer.units, MOST_WIDE) if l < network.depth else layer.units,
            layer.function,
            bias=layer.bias,
        )
        for l, layer in network.numbered()
    ]
    return Network(min(network.inputs, MOST_WIDE), layers, network.loss)


def _mean(network: Network) -> bool:
    return network.loss is not None and network.loss.samples == "mean"


# --- the equations of the network -----------------------------------------------------------------------


def _general(paper: Paper) -> Iterator[Equation]:
    """For any layer l."""
    network, below = paper.network, Symbol("a", "l-1")
    bias = any(layer.bias != "none" for layer in network.layers)
    yield from forward_equations("l", below, Symbol("a", "l"), "f", paper.column, bias=bias)
    if network.loss is None:
        return
    last, several = network.layers[-1].function, paper.samples > 1
    yield output_delta("L", "f" if last.elementwise else last.name, paper.column, several=several)
    if network.depth > 1:
        yield hidden_delta("l", "l+1", "f", paper.column)
    yield from gradient_equations(
        "l",
        below,
        paper.column,
        paper.samples,
        _mean(network),
        bias="trained" if bias else "none",
        regularization=paper.regularization,
    )


def _written_out(paper: Paper) -> Iterator[Equation]:
    """Layer by layer, forward and back."""
    network, column = paper.network, paper.column
    for l, layer in network.numbered():
        below, above = paper.symbol(paper.activity(l - 1)), paper.symbol(paper.activity(l))
        yield from forward_equations(
            l,
            below,
            above,
            layer.function.name,
            column,
            bias=layer.bias != "none",
            parameters=_parameters(paper, l),
        )
    if network.loss is None:
        return
    for l, layer in reversed(list(network.numbered())):
        function, parameters = layer.function.name, _parameters(paper, l)
        if l == network.depth:
            yield output_delta(
                l,
                function,
                column,
                network.loss,
                parameters=parameters,
                several=paper.samples > 1,
                weighted=paper.has_weights,
            )
        else:
            yield hidden_delta(l, l + 1, function, column, parameters=parameters)
        yield from gradient_equations(
            l,
            paper.symbol(paper.activity(l - 1)),
            column,
            paper.samples,
            _mean(network),
            bias=layer.bias,
            regularization=paper.regularization,
        )


def _parameters(paper: Paper, l: int) -> tuple[Expression, ...]:
    return () if paper.network.layers[l - 1].function.alpha is None else (paper.letter("alpha", l),)


# --- proofs ---------------------------------------------------------------------------------------------


def _proof(paper: Paper, equations: list[Equation]) -> StepRecord:
    """The equations with what their targets stand for in a step at random numbers."""
    steps = tuple(
        WorkedStep(
            name_of(equation.target),
            "formulas",
            None,
            paper.equation(
                equation.target, *equation.symbols, lines=(), result=_one_for_all(paper, equation)
            ),
        )
        for equation in equations
    )
    return StepRecord(0, 0.0, dict(paper.quantities), steps, bindings=paper.bindings)


def _one_for_all(paper: Paper, equation: Equation) -> Expression | None:
    """The gradient of a bias that units share is one number; None for any other target."""
    by = equation.target.by if isinstance(equation.target, Gradient) else None
    if not isinstance(by, Symbol) or by.letter != "b" or not isinstance(by.layer, int):
        return None
    shared = paper.network.layers[by.layer - 1].bias == "shared"
    return node(paper.array(f"db{by.layer}").reshape(-1)[:1]) if shared else None


def _instances(paper: Paper, general: tuple[Equation, ...]) -> Iterator[Equation]:
    """The equations for any layer l, for each layer that they are said of."""
    depth = paper.network.depth
    biases = any(layer.bias != "none" for layer in paper.network.layers)
    for equation in general:
        hidden = any("l+1" in str(tree) for tree in equation.symbols)
        target = str(equation.target)
        layers = [depth] if "'L'" in target else range(1, depth if hidden else depth + 1)
        for l in layers:
            layer = paper.network.layers[l - 1]
            if biases and layer.bias not in ("trained", "frozen"):
                continue  # it has a sum of its own, or none
            if hidden and not layer.function.elementwise:
                continue  # softmax mixes the units
            yield at_layer(paper, equation, l)


def at_layer(paper: Paper, equation: Equation, l: int) -> Equation:
    """An equation for any layer, said of layer l."""
    layers = {"l": l, "l-1": l - 1, "l+1": l + 1, "L": paper.network.depth}

    def placed(part: Expression) -> Expression:
        if isinstance(part, Symbol) and part.layer in layers:
            number = layers[part.layer]
            return paper.symbol(paper.activity(number)) if part.letter == "a" else replace(part, layer=number)
        if isinstance(part, Apply) and part.function in ("f", "f'"):
            name = paper.network.layers[l - 1].function.name
            return replace(part, function=part.function.replace("f", name), parameters=_parameters(paper, l))
        return part

    return Equation(
        map_tree(equation.target, placed), tuple(map_tree(tree, placed) for tree in equation.symbols)
    )


def of_first_weights(paper: Paper, equation: Equation) -> Equation:
    """The rule for any parameter theta with gradient g, said of W[1]."""
    gradient = paper.symbol("dW1_clipped" if paper.has("dW1_clipped") else "dW1")

    def placed(part: Expression) -> Expression:
        if isinstance(part, Symbol) and part.letter == "theta":
            return replace(part, letter="W", layer=1)
        return gradient if part == Symbol("g") else part

    return Equation(
        map_tree(equation.target, placed), tuple(map_tree(tree, placed) for tree in equation.symbols)
    )


# --- functions ------------------------------------------------------------------------------------------


def _activation(name: str) -> tuple[str, Equation, Equation]:
    formula = ACTIVATION_FORMS[name].formula
    return name, formula.value, formula.derivative


def activation_proof(function: Activation) -> StepRecord:
    """f(z) and f'(z) at several z, against `nn`; of softmax every entry of its Jacobian."""
    _, value, derivative = _activation(function.name)
    z = POINTS.reshape(1, -1)
    a = function.value(z)
    quantities = {"z": z, "a": a}
    letters = {name: node(array.T) for name, array in quantities.items()}
    bindings = Bindings(letters | {"n": exact(z.size), "alpha": exact(function.alpha or 0.0)})
    slopes = np.diag(function.derivative(z, a)[0])
    if not function.elementwise:
        slopes = np.stack([function.backward(row.reshape(1, -1), z, a)[0] for row in np.eye(z.size)])
    steps = []
    for i, j in np.ndindex(*slopes.shape):
        if i == j:
            steps.append(at_entries(value, i, j, float(a[0, i])))
        if i == j or not function.elementwise:
            steps.append(at_entries(derivative, i, j, float(slopes[i, j])))
    return StepRecord(0, 0.0, quantities, tuple(steps), bindings=bindings)


def at_entries(equation: Equation, i: int, j: int, result: float, sample: int | None = None) -> WorkedStep:
    """The equation with entries i, j and k in the place of its index letters, and what it should give."""
    numbers = {"i": i, "j": j}

    def placed(part: Expression) -> Expression:
        if not isinstance(part, Symbol):
            return part
        if part.letter in numbers:
            return exact(numbers[part.letter] + 1)
        if part in (Symbol("z"), Symbol("a")):
            return replace(part, entry=(i,))
        entry = tuple(numbers.get(index, index) if isinstance(index, str) else index for index in part.entry)
        return replace(part, entry=entry, sample=sample if part.letter in ("y", "yhat") else part.sample)

    symbols = tuple(map_tree(tree, placed) for tree in equation.symbols)
    return WorkedStep(
        "formula", "formulas", None, Equation(equation.target, symbols, result=node(np.array(result)))
    )


def _term_proof(paper: Paper, loss: Loss, term: tuple[Equation, ...]) -> StepRecord:
    """One term of the loss and its derivative, at every output and sample, against `nn`."""
    yhat, y = paper.quantities["yhat"], paper.quantities["y"]
    outputs = yhat.shape[1]
    share = loss.gradient_factor(outputs) / loss.scale
    wanted = share * loss.terms(yhat, y), loss.gradient(yhat, y)
    steps = []
    for equation, values in zip(term, wanted, strict=True):
        for i, k in np.ndindex(*values.shape):
            renamed = _with_output(equation)
            sample = i if paper.samples > 1 else None
            steps.append(at_entries(renamed, k, k, float(values[i, k]), sample))
    return StepRecord(0, 0.0, dict(paper.quantities), tuple(steps), bindings=paper.bindings)


def _with_output(equation: Equation) -> Equation:
    """The equation for output k with the index letter that `_at_entries` puts a number for."""

    def renamed(part: Expression) -> Expression:
        return replace(part, entry=("i",)) if isinstance(part, Symbol) and part.entry == ("k",) else part

    return replace(equation, symbols=tuple(map_tree(tree, renamed) for tree in equation.symbols))
