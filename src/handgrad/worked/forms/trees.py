"""What the rows of the forms are built with: a formula, and how its products and branches are written with numbers."""

from __future__ import annotations

from dataclasses import dataclass

from handgrad.errors import VerificationError
from handgrad.worked.evaluate import evaluate, map_tree
from handgrad.worked.expressions import Cases, Expression, Hadamard, Number, Times
from handgrad.worked.paper import exact
from handgrad.worked.record import Equation

ZERO, TWO = exact(0), exact(2)


@dataclass(frozen=True)
class Formula:
    """A value and its derivative, each with what it is the value of."""

    value: Equation
    derivative: Equation


def scalar_products(tree: Expression) -> Expression:
    """The same tree with products of numbers in the place of products entry by entry."""
    return map_tree(
        tree,
        lambda part: Times(part.factors, sign=_numeric(part.factors)) if isinstance(part, Hadamard) else part,
    )


def signed(tree: Expression) -> Expression:
    """The same tree with the multiplication sign wherever a number is multiplied (2 x 3, not 2 3)."""
    return map_tree(
        tree,
        lambda part: (
            Times(part.factors, sign=True) if isinstance(part, Times) and _numeric(part.factors) else part
        ),
    )


def chosen(tree: Expression) -> Expression:
    """The same tree of numbers with each `Cases` replaced by the branch whose condition holds.

    >>> from handgrad.worked.expressions import Relation
    >>> chosen(Cases(((Number(1.0), Relation(Number(2.0), "<", ZERO)), (Number(5.0), None))))
    Number(value=5.0, exact=False)
    """
    return map_tree(tree, lambda part: _branch(part) if isinstance(part, Cases) else part)


def _branch(cases: Cases) -> Expression:
    for value, condition in cases.branches:
        if condition is None or bool(evaluate(condition).all()):
            return value
    raise VerificationError("none of the cases applies")


def _numeric(factors: tuple[Expression, ...]) -> bool:
    return any(isinstance(factor, Number) for factor in factors)
