"""The scalar detail: each entry of a quantity written out, one neuron after another.

Each function gives the equations that were asked for and the number of those that were left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np

from handgrad.nn.activations import Activation
from handgrad.nn.network import Dense
from handgrad.worked.expressions import (
    Apply,
    Divide,
    Expression,
    Gradient,
    Number,
    Sum,
    Symbol,
    Times,
)
from handgrad.worked.forms.activations import ACTIVATION_FORMS, activation_at
from handgrad.worked.paper import Paper, difference, exact
from handgrad.worked.record import Equation

Scalars = tuple[tuple[Equation, ...], int]
NONE: Scalars = ((), 0)


def _places(paper: Paper, l: int) -> list[tuple[int, int]]:
    """(sample, unit) of every entry of a quantity of layer l that the reader asked for."""
    options = paper.options
    samples = range(paper.samples) if options.sample is None else [min(options.sample, paper.samples - 1)]
    units = range(paper.network.sizes[l]) if options.neuron is None else [options.neuron]
    return [(i, j) for i in samples for j in units if j < paper.network.sizes[l]]


def _written(paper: Paper, equations: Iterator[Equation], count: int) -> Scalars:
    if paper.options.detail != "scalar":
        return NONE
    shown = tuple(islice(equations, paper.options.most_scalar))
    return shown, max(0, count - len(shown))


def _entry(paper: Paper, name: str, l: int, i: int, j: int) -> Expression:
    """The symbol of one entry: unit j of layer l (none where the layer has one unit), sample i of several."""
    symbol = paper.symbol(name)
    entry = (j,) if paper.network.sizes[l] > 1 else ()
    sample = i if paper.samples > 1 else None
    return _placed(symbol, entry, sample)


def _placed(symbol: Expression, entry: tuple[int, ...], sample: int | None) -> Expression:
    if isinstance(symbol, Gradient):
        return Gradient(_at_sample(symbol.of, sample), _placed(symbol.by, entry, sample))
    assert isinstance(symbol, Symbol)
    return Symbol(symbol.letter, symbol.layer, entry, sample, symbol.mark, symbol.old)


def _at_sample(symbol: Expression, sample: int | None) -> Expression:
    if isinstance(symbol, Symbol) and symbol.letter == "loss" and symbol.sample is not None:
        return Symbol("loss", sample=sample)
    return symbol


def _weight(paper: Paper, l: int, j: int, k: int, letter: str = "W") -> Symbol:
    return Symbol(letter, l, (j, k) if paper.network.sizes[l] * paper.network.sizes[l - 1] > 1 else ())


def _number(value: float) -> Number:
    return Number(float(value))


def _product(*factors: float) -> Times:
    return Times(tuple(_number(factor) for factor in factors), sign=True)


def _sum(terms: list[Expression]) -> Expression:
    return terms[0] if len(terms) == 1 else Sum(tuple(terms))


def linear_scalars(paper: Paper, l: int, layer: Dense) -> Scalars:
    """z_j = w_j1 a_1 + w_j2 a_2 + ... + b_j for each unit j (and sample)."""
    W = paper.quantities[f"W{l}"]
    a = paper.quantities[paper.activity(l - 1)]
    b = paper.quantities.get(f"b{l}")
    places = _places(paper, l)

    def equation(i: int, j: int) -> Equation:
        inputs = range(W.shape[1])
        symbols: list[Expression] = [
            Times((_weight(paper, l, j, k), _entry(paper, paper.activity(l - 1), l - 1, i, k)))
            for k in inputs
        ]
        numbers: list[Expression] = [_product(W[j, k], a[i, k]) for k in inputs]
        products: list[Expression] = [_number(W[j, k] * a[i, k]) for k in inputs]
        if b is not None and layer.bias != "none":
            symbols.append(Symbol("b", l, (j,) if layer.units > 1 else ()))
            numbers.append(_number(b[j]))
            products.append(_number(b[j]))
        shown = (_sum(numbers), _sum(products)) if len(products) > 1 else (_sum(numbers),)
        return Equation(
            _entry(paper, f"z{l}", l, i, j), (_sum(symbols),), shown, _number(paper.quantities[f"z{l}"][i, j])
        )

    return _written(paper, (equation(i, j) for i, j in places), len(places))


# --- activations ----------------------------------------------------------------------------------------


MOST_EXPONENT = 300.0  # beyond this e^z is no number to show


def _expanded(function: Activation, z: float) -> list[Expression]:
    """f(z) with the number put in, then with its inner parts worked out."""
    parameters = () if function.alpha is None else (exact(function.alpha),)
    forms: list[Expression] = [Apply(function.name, (_number(z),), parameters)]
    form = ACTIVATION_FORMS[function.name]
    if not form.expands or abs(z) > MOST_EXPONENT:
        return forms
    return [*forms, activation_at(function.name, z, function.alpha or 0.0), *form.inner(z)]


def activation_scalars(paper: Paper, l: int, layer: Dense, name: str) -> Scalars:
    """a_j = f(z_j) for each unit j (and sample), with f written out."""
    places = _places(paper, l)
    z, a = paper.quantities[f"z{l}"], paper.quantities[name]
    function = layer.function
    parameters = () if function.alpha is None else (exact(function.alpha),)

    def equation(i: int, j: int) -> Equation:
        target = _entry(paper, name, l, i, j)
        if not function.elementwise:
            return Equation(target, *_softmax(paper, l, i, j), _number(a[i, j]))
        symbol = Apply(function.name, (_entry(paper, f"z{l}", l, i, j),), parameters)
        return Equation(target, (symbol,), tuple(_expanded(function, float(z[i, j]))), _number(a[i, j]))

    return _written(paper, (equation(i, j) for i, j in places), len(places))


def _softmax(paper: Paper, l: int, i: int, j: int) -> tuple[tuple[Expression, ...], tuple[Expression, ...]]:
    z = paper.quantities[f"z{l}"][i]
    units = range(len(z))
    symbols = [Apply("exp", (_entry(paper, f"z{l}", l, i, k),)) for k in units]
    numbers = [Apply("exp", (_number(z[k]),)) for k in units]
    if np.abs(z).max() > MOST_EXPONENT:
        return (Divide(symbols[j], _sum(list(symbols))),), ()
    powers = [float(np.exp(z[k])) for k in units]
    return (
        (Divide(symbols[j], _sum(list(symbols))),),
        (
            Divide(numbers[j], _sum(list(numbers))),
            Divide(_number(powers[j]), _sum([_number(power) for power in powers])),
        ),
    )


# --- backward -------------------------------------------------------------------------------------------


def error_scalars(paper: Paper, l: int, layer: Dense) -> Scalars:
    """delta_j = yhat_j - y_j for each output, where the fused form is just that."""
    yhat, y, delta = paper.quantities["yhat"], paper.quantities["y"], paper.quantities[f"delta{l}"]
    if not np.allclose(delta, yhat - y, rtol=1e-12, atol=1e-15):
        return NONE
    places = _places(paper, l)

    def equation(i: int, j: int) -> Equation:
        symbols = difference(_entry(paper, "yhat", l, i, j), _entry(paper, "y", l, i, j))
        numbers = difference(_number(yhat[i, j]), _number(y[i, j]))
        return Equation(_entry(paper, f"delta{l}", l, i, j), (symbols,), (numbers,), _number(delta[i, j]))

    return _written(paper, (equation(i, j) for i, j in places), len(places))


def delta_scalars(paper: Paper, l: int, layer: Dense, upstream: str) -> Scalars:
    """delta_j = (what comes back to unit j) f'(z_j), elementwise activations only."""
    if not layer.function.elementwise:
        return NONE
    above = paper.quantities.get(f"delta{l + 1}") if upstream == f"da{l}" else None
    W = paper.quantities.get(f"W{l + 1}") if above is not None else None
    upper = paper.quantities[upstream]
    slope = paper.quantities[f"derivative{l}"]
    places = _places(paper, l)

    def equation(i: int, j: int) -> Equation:
        symbols: Expression = _entry(paper, upstream, l, i, j)
        numbers: list[Expression] = []
        if W is not None and above is not None:
            units = range(W.shape[0])
            symbols = _sum(
                [
                    Times((_weight(paper, l + 1, k, j), _entry(paper, f"delta{l + 1}", l + 1, i, k)))
                    for k in units
                ]
            )
            total = _sum([_product(W[k, j], above[i, k]) for k in units])
            numbers.append(Times((total, _number(slope[i, j])), sign=True))
        numbers.append(_product(upper[i, j], slope[i, j]))
        derivative = _entry(paper, f"derivative{l}", l, i, j)
        return Equation(
            _entry(paper, f"delta{l}", l, i, j),
            (Times((symbols, _slope(paper, l, layer, i, j, derivative))),),
            tuple(numbers),
            _number(paper.quantities[f"delta{l}"][i, j]),
        )

    return _written(paper, (equation(i, j) for i, j in places), len(places))


def _slope(paper: Paper, l: int, layer: Dense, i: int, j: int, derivative: Expression) -> Expression:
    """f'(z_j) in letters: the derivative of the unit's output by its weighted sum."""
    function = layer.function
    parameters = () if function.alpha is None else (exact(function.alpha),)
    return Apply(function.name + "'", (_entry(paper, f"z{l}", l, i, j),), parameters)


def weight_scalars(paper: Paper, l: int, name: str) -> Scalars:
    """dL/dw_jk = delta_j a_k, averaged (or added) over the samples."""
    delta, a = paper.quantities[f"delta{l}"], paper.quantities[paper.activity(l - 1)]
    options = paper.options
    units = range(delta.shape[1]) if options.neuron is None else [options.neuron]
    places = [(j, k) for j in units if j < delta.shape[1] for k in range(a.shape[1])]
    top = Symbol("data_loss") if name.endswith("_data") else paper.loss

    def equation(j: int, k: int) -> Equation:
        samples = range(paper.samples)
        symbols = _sum(
            [
                Times(
                    (_entry(paper, f"delta{l}", l, i, j), _entry(paper, paper.activity(l - 1), l - 1, i, k))
                )
                for i in samples
            ]
        )
        numbers = _sum([_product(delta[i, j], a[i, k]) for i in samples])
        return Equation(
            Gradient(top, _weight(paper, l, j, k)),
            (paper.averaged_symbol(symbols),),
            (paper.averaged(numbers),),
            _number(paper.quantities[name][j, k]),
        )

    return _written(paper, (equation(j, k) for j, k in places), len(places))


def bias_scalars(paper: Paper, l: int) -> Scalars:
    """dL/db_j = delta_j, averaged (or added) over the samples."""
    delta = paper.quantities[f"delta{l}"]
    units = [j for j in range(delta.shape[1]) if paper.options.neuron in (None, j)]

    def equation(j: int) -> Equation:
        samples = range(paper.samples)
        symbols = _sum([_entry(paper, f"delta{l}", l, i, j) for i in samples])
        numbers = _sum([_number(delta[i, j]) for i in samples])
        return Equation(
            Gradient(paper.loss, Symbol("b", l, (j,) if delta.shape[1] > 1 else ())),
            (paper.averaged_symbol(symbols),),
            (paper.averaged(numbers),),
            _number(paper.quantities[f"db{l}"][j]),
        )

    return _written(paper, (equation(j) for j in units), len(units))
