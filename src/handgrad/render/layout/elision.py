"""From a tree to the tree that is shown: numbers become rounded text, large matrices their corners."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from handgrad.render.document import LaidMatrix, Literal
from handgrad.worked.expressions import (
    Apply,
    BigSum,
    Cases,
    Divide,
    Ellipsis,
    Expression,
    Factor,
    Gradient,
    Grid,
    Hadamard,
    MatMul,
    Matrix,
    Negative,
    Norm,
    Number,
    Outer,
    Power,
    Relation,
    Root,
    Sum,
    SumOver,
    Symbol,
    Times,
    Transpose,
    names_of,
)
from handgrad.writing.numerals import Precision, Shown, shown, shown_exactly, shown_together


@dataclass(frozen=True)
class Limits:
    """How much of a matrix or a sum is shown."""

    rows: int = 6
    columns: int = 6
    terms: int = 8


@dataclass(frozen=True)
class Display:
    """Makes trees ready to be written: `precision` rounds, `limits` elide, `label` says what a factor is."""

    precision: Precision
    limits: Limits = field(default_factory=Limits)
    label: Callable[[str], str] = str

    def tree(self, tree: Expression, *, shapes: bool = True) -> Expression:
        """The tree as it is shown, without Number, Matrix or Grid; `shapes`: under each matrix its shape.

        >>> Display(Precision(2)).tree(Number(1 / 3))
        Literal(text='0.33', substituted=False)
        """
        return _RULES[type(tree)](self, tree, shapes)

    def exact(self, tree: Expression) -> bool:
        """True if a number or matrix is shown without rounding anything away."""
        if isinstance(tree, Number):
            return tree.exact or (not tree.dust and shown(tree.value, self.precision).exact)
        if isinstance(tree, Matrix):
            if tree.dust is not None:
                return False
            kept = tree.values[_kept(tree.shape[0], self.limits.rows)][
                :, _kept(tree.shape[1], self.limits.columns)
            ]
            return all(entry.exact for row in shown_together(kept, self.precision) for entry in row)
        held = [getattr(tree, name) for name in names_of(type(tree))]
        return all(self.exact(part) for part in _expressions(tuple(held)))

    def number(self, value: float) -> Expression:
        """A number on its own."""
        return literal(shown(value, self.precision))


def literal(number: Shown) -> Expression:
    """The shown number as a tree; a power of ten is a product."""
    if number.exponent is None:
        return Literal(number.text)
    power = Power(Literal("10"), Literal(str(number.exponent)))
    return Times((Literal(number.text), power), sign=True) if number.text else power


def _expressions(held: Any) -> list[Expression]:
    if isinstance(held, Expression):
        return [held]
    if isinstance(held, tuple):
        return [part for item in held for part in _expressions(item)]
    return []


def _kept(count: int, most: int) -> list[int]:
    """Which of `count` rows are shown where at most `most` places are, dots among them."""
    if count <= most:
        return list(range(count))
    first = most // 2
    return [*range(first), *range(count - (most - 1 - first), count)]


def _number(display: Display, tree: Number, shapes: bool) -> Expression:
    if tree.exact:
        return literal(shown_exactly(tree.value, display.precision))
    return display.number(0.0 if tree.dust else tree.value)


def _matrix(display: Display, tree: Matrix, shapes: bool) -> Expression:
    rows, columns = tree.shape
    kept_rows, kept_columns = _kept(rows, display.limits.rows), _kept(columns, display.limits.columns)
    values = tree.values if tree.dust is None else np.where(tree.dust, 0.0, tree.values)
    texts = shown_together(values[kept_rows][:, kept_columns], display.precision)
    entries = [[literal(entry) for entry in row] for row in texts]
    return _laid(display, entries, (rows, columns), shapes)


def _grid(display: Display, tree: Grid, shapes: bool) -> Expression:
    rows, columns = len(tree.rows), len(tree.rows[0])
    entries = [
        [display.tree(tree.rows[i][j], shapes=shapes) for j in _kept(columns, display.limits.columns)]
        for i in _kept(rows, display.limits.rows)
    ]
    return _laid(display, entries, (rows, columns), shapes)


def _laid(
    display: Display, entries: list[list[Expression]], shape: tuple[int, int], shapes: bool
) -> LaidMatrix:
    """The kept entries with dots where rows or columns were left out."""
    more_rows, more_columns = shape[0] > display.limits.rows, shape[1] > display.limits.columns
    across, down = display.limits.columns // 2, display.limits.rows // 2
    rows = [[*row[:across], Ellipsis(), *row[across:]] if more_columns else row for row in entries]
    if more_rows:
        dots: list[Expression] = [Ellipsis("vertical") for _ in rows[0]]
        if more_columns:
            dots[across] = Ellipsis("diagonal")
        rows.insert(down, dots)
    return LaidMatrix(tuple(tuple(row) for row in rows), shape, shapes)


def _few(items: tuple[Expression, ...], most: int) -> tuple[Expression, ...]:
    """The terms, or the first and the last of them with dots between."""
    kept = [items[i] for i in _kept(len(items), most)]
    if len(items) > most:
        kept.insert(most // 2, Ellipsis())
    return tuple(kept)


def _sum(display: Display, tree: Sum, shapes: bool) -> Expression:
    first, *others = (display.tree(term, shapes=shapes) for term in _few(tree.terms, display.limits.terms))
    return Sum((first, *(_substituted(term) for term in others)))


def _factors(display: Display, factors: tuple[Expression, ...], shapes: bool) -> tuple[Expression, ...]:
    return tuple(
        _substituted(display.tree(factor, shapes=shapes)) for factor in _few(factors, display.limits.terms)
    )


def _substituted(tree: Expression) -> Expression:
    """The tree where a negative number at its front takes parentheses."""
    if isinstance(tree, Literal):
        return replace(tree, substituted=True) if tree.text.startswith("-") else tree
    if isinstance(tree, Times | Hadamard):
        first, *others = tree.factors
        return replace(tree, factors=(_substituted(first), *others))
    return tree


def _times(display: Display, tree: Times, shapes: bool) -> Expression:
    return Times(_factors(display, tree.factors, shapes), tree.sign or not _holds(tree, Symbol))


def _hadamard(display: Display, tree: Hadamard, shapes: bool) -> Expression:
    factors = _factors(display, tree.factors, shapes)
    if all(_scalar(factor) for factor in factors):
        return Times(factors, sign=True)
    return Hadamard(factors)


def _negative(display: Display, tree: Negative, shapes: bool) -> Expression:
    return Negative(_substituted(display.tree(tree.operand, shapes=shapes)))


def _power(display: Display, tree: Power, shapes: bool) -> Expression:
    base = _substituted(display.tree(tree.base, shapes=shapes))
    return Power(base, display.tree(tree.exponent, shapes=shapes))


def _pair(node: type[MatMul] | type[Outer], display: Display, tree: Any, shapes: bool) -> Expression:
    left, right = (display.tree(side, shapes=shapes) for side in (tree.left, tree.right))
    if node is Outer and (_scalar(left) or _scalar(right)):
        return Times((_substituted(left), _substituted(right)), sign=True)
    return node(_substituted(left), _substituted(right))


def _inside(*names: str) -> Callable[[Display, Any, bool], Expression]:
    """A rule that shows the parts of these names and keeps the rest of the node."""

    def rule(display: Display, tree: Any, shapes: bool) -> Expression:
        changes: dict[str, Any] = {}
        for name in names:
            held = getattr(tree, name)
            if isinstance(held, Expression):
                changes[name] = display.tree(held, shapes=shapes)
            elif isinstance(held, tuple):
                changes[name] = tuple(display.tree(part, shapes=shapes) for part in held)
        changed: Expression = replace(tree, **changes)
        return changed

    return rule


def _holds(tree: Expression, kind: type[Expression]) -> bool:
    if isinstance(tree, kind):
        return True
    held = tuple(getattr(tree, name) for name in names_of(type(tree)))
    return any(_holds(part, kind) for part in _expressions(held))


def _scalar(tree: Expression) -> bool:
    """A shown tree of numbers alone."""
    return not any(_holds(tree, kind) for kind in (Symbol, LaidMatrix, Gradient))


def _factor(display: Display, tree: Factor, shapes: bool) -> Expression:
    return Factor(display.label(tree.label), display.tree(tree.operand, shapes=shapes))


def _cases(display: Display, tree: Cases, shapes: bool) -> Expression:
    return Cases(
        tuple(
            (
                display.tree(value, shapes=shapes),
                None if condition is None else display.tree(condition, shapes=shapes),
            )
            for value, condition in tree.branches
        )
    )


def _as_it_is(display: Display, tree: Expression, shapes: bool) -> Expression:
    return tree


_RULES: dict[type[Expression], Callable[[Display, Any, bool], Expression]] = {
    Symbol: _as_it_is,
    Literal: _as_it_is,
    LaidMatrix: _as_it_is,
    Ellipsis: _as_it_is,
    Gradient: _as_it_is,
    Number: _number,
    Matrix: _matrix,
    Grid: _grid,
    Sum: _sum,
    Negative: _negative,
    Times: _times,
    MatMul: partial(_pair, MatMul),
    Hadamard: _hadamard,
    Outer: partial(_pair, Outer),
    Transpose: _inside("operand"),
    Divide: _inside("numerator", "denominator"),
    Power: _power,
    Root: _inside("operand"),
    Norm: _inside("operand"),
    Apply: _inside("arguments", "parameters"),
    Factor: _factor,
    BigSum: _inside("first", "last", "body"),
    SumOver: _inside("operand"),
    Relation: _inside("left", "right"),
    Cases: _cases,
}
