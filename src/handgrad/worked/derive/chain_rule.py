"""The chain rule written out factor by factor, from the loss back to one parameter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from handgrad.worked.derive.derivatives import derivative, dyhat, dyhat_constants, saturated
from handgrad.worked.evaluate import map_tree
from handgrad.worked.expressions import (
    Apply,
    BigSum,
    Expression,
    Factor,
    Gradient,
    MatMul,
    Relation,
    SumOver,
    Symbol,
    Times,
    Transpose,
)
from handgrad.worked.forms.activations import ACTIVATION_FORMS
from handgrad.worked.paper import ONE, Paper, difference, exact
from handgrad.worked.record import Equation

MOST_FACTORS = 4  # layers between a weight and the loss that the chain rule writes out in one line


# --- the chain rule factor by factor --------------------------------------------------------------------


def factors(paper: Paper, l: int, name: str, *, bias: bool) -> tuple[Equation, ...]:
    """dL/dW[l] or dL/db[l] as the product of its factors: as derivatives, as labelled factors, with numbers.

    First what each derivative of a weighted sum is, then the chain in symbols and in numbers. Only where
    every layer on the way is elementwise and every number is finite; from far below the loss the chain
    begins at the delta above.
    """
    depth = paper.network.depth
    top = next((top for top in _tops(paper, l) if _chain_is_plain(paper, l, top)), None)
    if top is None:
        return ()
    parameter = Symbol("b" if bias else "W", l)
    first = Symbol("z", l)
    derivatives: list[Expression] = [Gradient(first, parameter)]
    for k in range(l, top + 1):
        output = paper.symbol(paper.activity(k))
        if _bends(paper, k):
            derivatives.append(Gradient(output, Symbol("z", k)))
        if k < top:
            derivatives.append(Gradient(Symbol("z", k + 1), output))
    if top == depth:
        derivatives.append(paper.symbol("dyhat"))
    else:
        derivatives.append(Gradient(Symbol("z", top + 1), paper.symbol(paper.activity(top))))
        derivatives.append(paper.symbol(f"delta{top + 1}"))
    target = Gradient(Symbol("data_loss") if name.endswith("_data") else Symbol("loss"), parameter)
    letters = _nested(paper, l, top, paper.symbol, partial(_slope, paper, paper.symbol), bias=bias)
    show = partial(_formula_of, paper)
    formulas = _nested(paper, l, top, show, partial(_slope, paper, show), bias=bias)
    whole = paper.equation(
        target,
        paper.averaged(formulas),
        numbers=paper.averaged(letters),
        scheme=_over_samples(paper, Times(tuple(derivatives))),
    )
    return (*_each_factor(paper, l, top, bias=bias), whole)


def braced(paper: Paper, l: int, *, bias: bool) -> Equation | None:
    """The same chain with every factor apart: sigma and 1 - sigma under braces of their own, ReLU's as (z > 0),
    the derivative of the squared error as 2a - 2y; None where it has no chain of factors."""
    name = f"d{'b' if bias else 'W'}{l}"
    found = factors(paper, l, f"{name}_data" if paper.has(f"{name}_data") else name, bias=bias)
    if not found:
        return None
    whole = found[-1]
    top = next(top for top in _tops(paper, l) if _chain_is_plain(paper, l, top))
    apart = _nested(paper, l, top, partial(_undivided, paper), partial(_apart, paper), bias=bias)
    return paper.equation(whole.target, paper.averaged(apart), lines=(), scheme=whole.scheme)


def _tops(paper: Paper, l: int) -> list[int]:
    """The layers at which the chain of layer l may begin."""
    depth = paper.network.depth
    tops = [min(depth, l + MOST_FACTORS - 1)]
    if tops[0] == depth and l < depth:
        tops.append(depth - 1)  # softmax has no factor for each unit: the chain begins at its delta
    return tops


def _over_samples(paper: Paper, chain: Expression) -> Expression:
    """The chain of one sample; of several their sum, or their mean."""
    if paper.samples == 1:
        return chain

    def of_sample(part: Expression) -> Expression:
        if isinstance(part, Symbol) and part.letter in ("x", "z", "a", "yhat", "delta"):
            return replace(part, sample="i")
        return part

    return paper.averaged(BigSum("i", ONE, Symbol("m"), map_tree(chain, of_sample)))


def _chain_is_plain(paper: Paper, l: int, top: int) -> bool:
    needed = [f"derivative{k}" for k in range(l, top + 1)] + ([] if top < paper.network.depth else ["dyhat"])
    return (
        all(paper.has(name) and bool(np.all(np.isfinite(paper.quantities[name]))) for name in needed)
        and all(
            paper.network.layers[k - 1].function.elementwise and not paper.has(f"f{k}")
            for k in range(l, top + 1)
        )
        and not paper.trace.rounding.carry
        and not paper.trace.given
    )


def _bends(paper: Paper, l: int) -> bool:
    """False for a layer without a curve: its derivative is 1, and no factor."""
    return paper.network.layers[l - 1].function.name != "identity"


def _nested(
    paper: Paper,
    l: int,
    top: int,
    show: Callable[[str], Expression],
    slopes: Callable[[int], tuple[Expression, ...]],
    *,
    bias: bool,
) -> Expression:
    """The chain as it is computed: ((cost . f'(z_L)) W_L . f'(z_l)) times the input."""
    depth = paper.network.depth
    if top == depth:
        upstream: Expression = Factor("cost_derivative", show("dyhat"))
    else:
        upstream = paper.back(
            Factor("weights", show(f"W{top + 1}")), Factor("delta", show(f"delta{top + 1}"))
        )
    tree: Expression = upstream
    for k in range(top, l - 1, -1):
        if _bends(paper, k):
            tree = paper.entrywise(k, tree, *slopes(k))
        if k > l:
            tree = paper.back(Factor("weights", show(f"W{k}")), tree)
    if bias:
        one = Factor("one", ONE)
        summed: Expression = tree if paper.samples == 1 else SumOver(tree, paper.sum_axis, index="i")
        return Times((summed, one), sign=True)
    a = Factor("input" if l == 1 else "activation", show(paper.activity(l - 1)))
    if paper.samples * paper.sizes[l] * paper.sizes[l - 1] == 1:
        return Times((tree, a))
    if paper.column:
        return MatMul(tree, Transpose(a))
    return MatMul(tree if paper.samples * paper.sizes[l] == 1 else Transpose(tree), a)


def _slope(paper: Paper, show: Callable[[str], Expression], k: int) -> tuple[Expression, ...]:
    """The derivative of layer k under its brace."""
    key = ACTIVATION_FORMS[paper.network.layers[k - 1].function.name].slope
    return (Factor(key, show(f"derivative{k}")),)


def _apart(paper: Paper, k: int) -> tuple[Expression, ...]:
    """The same in the factors that it is a product of, each under a brace."""
    z, function = paper.symbol(f"z{k}"), paper.network.layers[k - 1].function.name
    if function == "sigmoid":
        sigma = Apply("sigmoid", (z,))
        return Factor("sigmoid", sigma), Factor("sigmoid_rest", difference(ONE, sigma))
    if function == "relu":
        return (Factor("relu_prime", Relation(z, ">", exact(0))),)
    return _slope(paper, partial(_formula_of, paper), k)


def _undivided(paper: Paper, name: str) -> Expression:
    """A factor by its formula; the squared error's derivative with its 2 in both terms, 2a - 2y."""
    loss = paper.network.loss
    if name != "dyhat" or loss is None or loss.name != "squared_error" or paper.has_weights:
        return _formula_of(paper, name)
    constants = dyhat_constants(paper, loss)
    yhat, y = paper.symbol("yhat"), paper.symbol("y")
    if not constants:
        return difference(yhat, y)
    return difference(Times((*constants, yhat)), Times((*constants, y)))


def _formula_of(paper: Paper, name: str) -> Expression:
    """A factor of the chain by the formula that was shown for it, else by its symbol."""
    if name == "dyhat" and paper.network.loss is not None and not saturated(paper):
        return dyhat(paper, paper.network.loss)
    if name.startswith("derivative"):
        return derivative(paper, int(name.removeprefix("derivative")))
    return paper.symbol(name)


def _each_factor(paper: Paper, l: int, top: int, *, bias: bool) -> tuple[Equation, ...]:
    """What the derivatives of the weighted sums are: the weights, the input, or 1."""
    parts: list[Equation] = []
    for k in range(min(top + 1, paper.network.depth), l, -1):
        gradient = Gradient(Symbol("z", k), paper.symbol(paper.activity(k - 1)))
        parts.append(Equation(gradient, (paper.symbol(f"W{k}"),)))
    if bias:
        parts.append(Equation(Gradient(Symbol("z", l), Symbol("b", l)), (ONE,)))
    else:
        gradient = Gradient(Symbol("z", l), Symbol("W", l))
        parts.append(Equation(gradient, (paper.symbol(paper.activity(l - 1)),)))
    return tuple(parts)
