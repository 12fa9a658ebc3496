"""The derivative of softmax: its Jacobian for one sample, and delta from it, entry by entry.

d a_j / d z_k = a_j (1 - a_j) where j = k, and -a_j a_k elsewhere
delta_k = sum_j dloss/da_j  d a_j / d z_k
"""

from __future__ import annotations

import numpy as np

from handgrad.worked.derive.derivatives import output_of
from handgrad.worked.derive.scalars import entry_of
from handgrad.worked.evaluate import evaluate
from handgrad.worked.expressions import Expression, Gradient, Grid, Negative, Sum, Symbol, Times
from handgrad.worked.paper import ONE, Paper, difference
from handgrad.worked.record import Equation
from handgrad.worked.substitute import added, node

MOST_CLASSES = 4
"""Of more classes the table of all derivatives teaches nothing that it does not teach of these."""


def jacobian(paper: Paper, l: int, upstream: str) -> tuple[Equation, ...]:
    """The Jacobian of softmax for the first sample, then each entry of its delta; nothing for many classes.

    `upstream` names dloss/da of the layer.
    """
    units, given = paper.sizes[l], paper.trace.given
    if units > MOST_CLASSES or paper.trace.rounding.carry or given:
        return ()
    if not np.isfinite(paper.quantities[upstream][0]).all():
        return ()
    entries = [[_slope(paper, l, j, k) for k in range(units)] for j in range(units)]
    whole = Gradient(_of_first(paper, paper.symbol(output_of(paper, l))), _of_first(paper, Symbol("z", l)))
    letters = Grid(tuple(map(tuple, entries)))
    table = Equation(whole, (letters,), result=node(evaluate(letters, paper.bindings)))
    return (table, *(_delta(paper, l, upstream, entries, k) for k in range(units)))


def _of_first(paper: Paper, symbol: Expression) -> Symbol:
    assert isinstance(symbol, Symbol)
    return Symbol(symbol.letter, symbol.layer, sample=0 if paper.samples > 1 else None)


def _slope(paper: Paper, l: int, j: int, k: int) -> Expression:
    """d a_j / d z_k."""
    a_j, a_k = (entry_of(paper, output_of(paper, l), l, 0, unit) for unit in (j, k))
    return Times((a_j, difference(ONE, a_j))) if j == k else Negative(Times((a_j, a_k)))


def _delta(paper: Paper, l: int, upstream: str, entries: list[list[Expression]], k: int) -> Equation:
    """delta_k as the sum over what each output hands back."""
    terms: list[Expression] = [
        Times((entry_of(paper, upstream, l, 0, j), row[k])) for j, row in enumerate(entries)
    ]
    return paper.equation(
        entry_of(paper, f"delta{l}", l, 0, k), added(terms), lines=(_slopes_worked_out, _products)
    )


def _slopes_worked_out(tree: Expression) -> Expression:
    """Each dloss/da_j times the number of its slope."""
    assert isinstance(tree, Sum)
    return Sum(
        tuple(
            Times((term.factors[0], node(evaluate(term.factors[1]))), sign=True)
            for term in tree.terms
            if isinstance(term, Times)
        )
    )


def _products(tree: Expression) -> Expression:
    """The sum of the products."""
    assert isinstance(tree, Sum)
    return Sum(tuple(node(evaluate(term)) for term in tree.terms))
