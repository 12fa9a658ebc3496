"""The scalar detail: each entry of a quantity written out, one neuron after another.

Each function gives the equations that were asked for and the number of those that were left out.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from itertools import islice, product

import numpy as np

from handgrad.nn.network import Dense
from handgrad.worked.evaluate import evaluate
from handgrad.worked.expressions import (
    Apply,
    Divide,
    Expression,
    Gradient,
    Number,
    Symbol,
    Times,
)
from handgrad.worked.forms.activations import ACTIVATION_FORMS, activation_at
from handgrad.worked.forms.trees import scalar_products
from handgrad.worked.paper import Paper, difference
from handgrad.worked.record import Equation
from handgrad.worked.substitute import (
    Line,
    added,
    factors_worked_out,
    products_worked_out,
    same,
    worked_out,
)

Scalars = tuple[tuple[Equation, ...], int]
NONE: Scalars = ((), 0)


def _places(paper: Paper, l: int) -> list[range]:
    """The samples and the units of a quantity of layer l that the reader asked for."""
    options = paper.options
    samples = range(paper.samples)
    if options.sample is not None:
        chosen = min(options.sample, paper.samples - 1)
        samples = range(chosen, chosen + 1)
    return [samples, _units(paper, l)]


def _units(paper: Paper, l: int) -> range:
    """The units of layer l that the reader asked for."""
    neuron, size = paper.options.neuron, paper.sizes[l]
    return range(size) if neuron is None else range(neuron, min(neuron + 1, size))


def _written(
    paper: Paper,
    l: int,
    equation: Callable[[int, int], Equation],
    places: list[range],
    *,
    anyway: bool = False,
) -> Scalars:
    """The equation of each pair of places, as many as a sheet holds; `anyway` also in other details than scalar."""
    if not (paper.options.detail == "scalar" or anyway) or not paper.wanted(l):
        return NONE
    shown = tuple(equation(*place) for place in islice(product(*places), paper.options.most_scalar))
    return shown, math.prod(map(len, places)) - len(shown)


def entry_of(paper: Paper, name: str, l: int, i: int, j: int) -> Expression:
    """The symbol of one entry: unit j of layer l (none where the layer has one unit), sample i of several."""
    symbol = paper.symbol(name)
    entry = (j,) if paper.sizes[l] > 1 else ()
    sample = i if paper.samples > 1 else None
    return _placed(symbol, entry, sample)


def _placed(symbol: Expression, entry: tuple[int, ...], sample: int | None) -> Expression:
    if isinstance(symbol, Gradient):
        return Gradient(_at_sample(symbol.of, entry, sample), _placed(symbol.by, entry, sample))
    assert isinstance(symbol, Symbol)
    return Symbol(symbol.letter, symbol.layer, entry, sample, symbol.mark, symbol.old)


def _at_sample(symbol: Expression, entry: tuple[int, ...], sample: int | None) -> Expression:
    """What is derived: the loss of that sample, or the same unit's output."""
    if isinstance(symbol, Symbol) and symbol.letter == "loss":
        return symbol if symbol.sample is None else Symbol("loss", sample=sample)
    return _placed(symbol, entry, sample)


def _weight(paper: Paper, l: int, j: int, k: int, letter: str = "W") -> Symbol:
    return Symbol(letter, l, (j, k) if paper.sizes[l] * paper.sizes[l - 1] > 1 else ())


def linear_scalars(paper: Paper, l: int, layer: Dense) -> Scalars:
    """z_j = w_j1 a_1 + w_j2 a_2 + ... + b_j for each unit j (and sample)."""
    below, places = paper.activity(l - 1), _places(paper, l)

    def equation(i: int, j: int) -> Equation:
        terms: list[Expression] = [
            Times((_weight(paper, l, j, k), entry_of(paper, below, l - 1, i, k)))
            for k in range(paper.sizes[l - 1])
        ]
        if layer.bias != "none":
            terms.append(Symbol("b", l, (j,) if layer.units > 1 else ()))
        target = entry_of(paper, f"z{l}", l, i, j)
        return paper.equation(target, added(terms), lines=(same, products_worked_out))

    return _written(paper, l, equation, places)


# --- activations ----------------------------------------------------------------------------------------


MOST_EXPONENT = 300.0  # beyond this e^z is no number to show


def _expanded(name: str, z: float) -> tuple[Line, ...]:
    """f(z) with the number put in, then written out, then with its inner parts worked out."""
    form = ACTIVATION_FORMS[name]
    if not form.expands or abs(z) > MOST_EXPONENT:
        return (same,)
    inner: list[Line] = [partial(_instead, line) for line in form.inner(z)]
    return (same, _written_out, *inner)


def _instead(line: Expression, tree: Expression) -> Expression:
    return line


def _written_out(tree: Expression) -> Expression:
    assert isinstance(tree, Apply)
    numbers = [part.value for part in (*tree.arguments, *tree.parameters) if isinstance(part, Number)]
    return activation_at(tree.function, numbers[0], numbers[1] if len(numbers) > 1 else 0.0)


def activation_scalars(paper: Paper, l: int, layer: Dense, name: str) -> Scalars:
    """a_j = f(z_j) for each unit j (and sample), with f written out."""
    places = _places(paper, l)
    function = layer.function
    parameters = () if function.alpha is None else (paper.letter("alpha", l),)

    def equation(i: int, j: int) -> Equation:
        target = entry_of(paper, name, l, i, j)
        if not function.elementwise:
            return _softmax(paper, target, l, i, j)
        if function.name == "identity":
            return paper.equation(target, entry_of(paper, f"z{l}", l, i, j))
        letters = Apply(function.name, (entry_of(paper, f"z{l}", l, i, j),), parameters)
        z = evaluate(letters.arguments[0], paper.bindings).item()
        return paper.equation(target, letters, lines=_expanded(function.name, z))

    return _written(paper, l, equation, places)


def _softmax(paper: Paper, target: Expression, l: int, i: int, j: int) -> Equation:
    powers: list[Expression] = [
        Apply("exp", (entry_of(paper, f"z{l}", l, i, k),)) for k in range(paper.sizes[l])
    ]
    letters = Divide(powers[j], added(powers))
    if np.abs(paper.quantities[f"z{l}"][i]).max() > MOST_EXPONENT:
        return Equation(target, scheme=letters, result=paper.equation(target, target).result)
    return paper.equation(target, letters, lines=(same, worked_out(Apply)))


# --- backward -------------------------------------------------------------------------------------------


def error_scalars(paper: Paper, l: int, layer: Dense) -> Scalars:
    """delta_j = yhat_j - y_j for each output, where the fused form is just that."""
    yhat, y, delta = paper.quantities["yhat"], paper.quantities["y"], paper.quantities[f"delta{l}"]
    weights = paper.quantities["omega"] if paper.has_weights else 1.0
    if not np.allclose(delta, weights * (yhat - y), rtol=1e-12, atol=1e-15):
        return NONE
    places = _places(paper, l)

    def equation(i: int, j: int) -> Equation:
        letters: Expression = difference(entry_of(paper, "yhat", l, i, j), entry_of(paper, "y", l, i, j))
        if paper.has_weights:
            letters = Times((Symbol("omega", sample=i if paper.samples > 1 else None), letters))
        return paper.equation(entry_of(paper, f"delta{l}", l, i, j), letters)

    return _written(paper, l, equation, places)


def back_scalars(paper: Paper, l: int) -> Scalars:
    """dL/da_j = sum_k w_kj delta_k for each unit j (and sample): what comes back to it."""
    if not (paper.has(f"delta{l + 1}") and paper.has(f"W{l + 1}")):
        return NONE

    def equation(i: int, j: int) -> Equation:
        return paper.equation(entry_of(paper, f"da{l}", l, i, j), _back(paper, l, i, j))

    return _written(paper, l, equation, _places(paper, l), anyway="entries" in paper.options.textbook)


def derivative_scalars(paper: Paper, l: int, layer: Dense) -> Scalars:
    """f'(z_j) for each unit j (and sample), through the output where the textbook writes it so."""
    if paper.trace.given or paper.trace.rounding.carry:
        return NONE
    through_output = ACTIVATION_FORMS[layer.function.name].through_output
    output = f"f{l}" if paper.has(f"f{l}") else paper.activity(l)

    def equation(i: int, j: int) -> Equation:
        target = entry_of(paper, f"derivative{l}", l, i, j)
        if through_output is not None:
            return paper.equation(target, scalar_products(through_output(entry_of(paper, output, l, i, j))))
        return paper.equation(target, _slope(paper, l, layer, i, j))

    return _written(paper, l, equation, _places(paper, l), anyway="entries" in paper.options.textbook)


def delta_scalars(paper: Paper, l: int, layer: Dense, upstream: str) -> Scalars:
    """delta_j = (what comes back to unit j) f'(z_j), elementwise activations only."""
    if not layer.function.elementwise:
        return NONE
    through = upstream == f"da{l}" and paper.has(f"delta{l + 1}") and paper.has(f"W{l + 1}")
    places = _places(paper, l)

    def equation(i: int, j: int) -> Equation:
        back = _back(paper, l, i, j) if through else entry_of(paper, upstream, l, i, j)
        target = entry_of(paper, f"delta{l}", l, i, j)
        if layer.function.name == "identity":
            return paper.equation(target, back)
        letters = Times((back, _slope(paper, l, layer, i, j)))
        slopes = worked_out(Apply, functions=lambda name: name.endswith("'"))
        lines = (slopes, factors_worked_out) if through else (slopes,)
        return paper.equation(target, letters, lines=lines)

    return _written(paper, l, equation, places)


def _back(paper: Paper, l: int, i: int, j: int) -> Expression:
    """sum_k w_kj delta_k: what comes back to unit j from the layer after it."""
    return added(
        [
            Times((_weight(paper, l + 1, k, j), entry_of(paper, f"delta{l + 1}", l + 1, i, k)))
            for k in range(paper.sizes[l + 1])
        ]
    )


def _slope(paper: Paper, l: int, layer: Dense, i: int, j: int) -> Expression:
    """f'(z_j); the derivative by its symbol where values were given or rounded, and it may not be f' of that z."""
    if paper.trace.given or paper.trace.rounding.carry:
        return entry_of(paper, f"derivative{l}", l, i, j)
    function = layer.function
    parameters = () if function.alpha is None else (paper.letter("alpha", l),)
    return Apply(function.name + "'", (entry_of(paper, f"z{l}", l, i, j),), parameters)


def weight_scalars(paper: Paper, l: int, name: str) -> Scalars:
    """dL/dw_jk = delta_j a_k, averaged (or added) over the samples."""
    below = paper.activity(l - 1)
    top = Symbol("data_loss") if name.endswith("_data") else paper.loss

    def equation(j: int, k: int) -> Equation:
        products: list[Expression] = [
            Times((entry_of(paper, f"delta{l}", l, i, j), entry_of(paper, below, l - 1, i, k)))
            for i in range(paper.samples)
        ]
        return paper.equation(Gradient(top, _weight(paper, l, j, k)), paper.averaged(added(products)))

    return _written(paper, l, equation, [_units(paper, l), range(paper.sizes[l - 1])])


def bias_scalars(paper: Paper, l: int) -> Scalars:
    """dL/db_j = delta_j, averaged (or added) over the samples."""
    size = paper.sizes[l]

    def equation(_: int, j: int) -> Equation:
        deltas = [entry_of(paper, f"delta{l}", l, i, j) for i in range(paper.samples)]
        target = Gradient(paper.loss, Symbol("b", l, (j,) if size > 1 else ()))
        return paper.equation(target, paper.averaged(added(deltas)))

    return _written(paper, l, equation, [range(1), _units(paper, l)])
