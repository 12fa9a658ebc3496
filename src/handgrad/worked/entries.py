"""One entry of a quantity in scalars: the letters of the whole, opened at a row and a column on paper.

The tree of a quantity says how its matrices meet; its entry at row i and column j follows from that alone: a matrix
product becomes the sum of products of a row with a column, a transpose turns the place, what is entry by entry stays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

from handgrad.worked.bindings import Bindings
from handgrad.worked.evaluate import evaluate
from handgrad.worked.expressions import (
    Apply,
    BigSum,
    Cases,
    Divide,
    Expression,
    Factor,
    Gradient,
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
)
from handgrad.worked.real import number_of
from handgrad.worked.substitute import added

Place = tuple[int, int]


def entry_of(tree: Expression, row: int, column: int, bindings: Bindings) -> Expression:
    """The entry of a tree at a place on paper (zero-based), as a tree of scalars.

    What is one number along rows or columns is repeated along them, as in evaluation.

    >>> import numpy as np
    >>> letters = Bindings({"W1": Matrix(np.ones((2, 2))), "x": Matrix(np.ones((2, 1)))})
    >>> tree = entry_of(MatMul(Symbol("W", 1), Symbol("x")), 1, 0, letters)
    >>> [factor.entry for factor in tree.terms[1].factors]
    [(1, 1), (1,)]

    Raises VerificationError for a letter that stands for nothing.
    """
    return _Entries(bindings).at(tree, (row, column))


def letter_at(letter: Symbol | Gradient, row: int, column: int, bindings: Bindings) -> Expression:
    """The letter of one entry of a quantity: W_12, z_1 of sample 2, the derivative by one of them."""
    rows, columns = evaluate(letter, bindings).shape
    if rows * columns == 1:
        return letter
    if _is_weight(letter):
        return _placed(letter, (row, column), None)
    unit, sample = (row, column) if bindings.column else (column, row)
    units, samples = (rows, columns) if bindings.column else (columns, rows)
    return _placed(letter, (unit,) if units > 1 else (), sample if samples > 1 else None)


def _is_weight(letter: Symbol | Gradient) -> bool:
    inner = letter.by if isinstance(letter, Gradient) else letter
    return isinstance(inner, Symbol) and inner.letter == "W"


def _placed(letter: Expression, entry: tuple[int, ...], sample: int | None) -> Expression:
    if isinstance(letter, Gradient):
        return Gradient(_of(letter.of, entry, sample), _placed(letter.by, entry, sample))
    assert isinstance(letter, Symbol)
    return replace(letter, entry=entry, sample=sample)


def _of(letter: Expression, entry: tuple[int, ...], sample: int | None) -> Expression:
    """What is derived: the loss (of that sample, where it is a sample's), or the same unit's output."""
    if isinstance(letter, Symbol) and letter.letter in ("loss", "data_loss", "penalty"):
        return letter if letter.sample is None else replace(letter, sample=sample)
    return _placed(letter, entry, sample)


class _Entries:
    """The rules, over the letters of one step."""

    def __init__(self, bindings: Bindings) -> None:
        self.bindings = bindings

    def at(self, tree: Expression, place: Place) -> Expression:
        rule = _RULES.get(type(tree))
        if rule is None:
            return tree
        rows, columns = self.shape(tree)
        return rule(self, tree, (0 if rows == 1 else place[0], 0 if columns == 1 else place[1]))

    def shape(self, tree: Expression) -> tuple[int, int]:
        rows, columns = evaluate(tree, self.bindings).shape
        return rows, columns

    def each(self, trees: tuple[Expression, ...], place: Place) -> tuple[Expression, ...]:
        return tuple(self.at(tree, place) for tree in trees)

    def letter(self, tree: Symbol | Gradient, place: Place) -> Expression:
        inner = tree.by if isinstance(tree, Gradient) else tree
        if isinstance(inner, Symbol) and (inner.entry or inner.sample is not None):
            return tree
        return letter_at(tree, *place, self.bindings)

    def product(self, tree: MatMul, place: Place) -> Expression:
        (row, column), depth = place, self.shape(tree.left)[1]
        return added(
            [Times((self.at(tree.left, (row, k)), self.at(tree.right, (k, column)))) for k in range(depth)]
        )

    def outer(self, tree: Outer, place: Place) -> Expression:
        def side(vector: Expression, k: int) -> Expression:
            return self.at(vector, (k, 0) if self.shape(vector)[0] > 1 else (0, k))

        return Times((side(tree.left, place[0]), side(tree.right, place[1])))

    def added_up(self, tree: SumOver, place: Place) -> Expression:
        rows, columns = self.shape(tree.operand)
        across = range(rows) if tree.axis in (0, None) else range(place[0], place[0] + 1)
        along = range(columns) if tree.axis in (1, None) else range(place[1], place[1] + 1)
        terms = [self.at(tree.operand, (i, j)) for i in across for j in along]
        return Divide(added(terms), Number(len(terms), exact=True)) if tree.mean else added(terms)

    def applied(self, tree: Apply, place: Place) -> Expression:
        if "softmax" in tree.function:
            return self.softmax(tree, place)
        return replace(tree, arguments=self.each(tree.arguments, place))

    def softmax(self, tree: Apply, place: Place) -> Expression:
        """e^z_i over the sum of all e^z_k of the same sample; other forms of softmax stay whole."""
        if tree.function != "softmax":
            return tree
        rows, columns = self.shape(tree)
        places = (
            [(k, place[1]) for k in range(rows)]
            if tree.axis == 0
            else [(place[0], k) for k in range(columns)]
        )
        powers = {at: Apply("exp", (self.at(tree.arguments[0], at),)) for at in places}
        return Divide(powers[place], added(list(powers.values())))

    def cases(self, tree: Cases, place: Place) -> Expression:
        return Cases(
            tuple(
                (self.at(value, place), None if condition is None else self.at(condition, place))
                for value, condition in tree.branches
            )
        )

    def summed(self, tree: BigSum, place: Place) -> Expression:
        """A sum over an index: its terms have the place in them, or are numbers already."""
        return replace(tree, body=self.indexed(tree.body, place)) if self.shape(tree) != (1, 1) else tree

    def indexed(self, tree: Expression, place: Place) -> Expression:
        """Within a sum over samples: the unit of a letter that says its sample."""
        if not isinstance(tree, Symbol) or tree.entry or tree.sample is None:
            return tree
        return replace(tree, entry=(place[0] if self.bindings.column else place[1],))

    def parts(self, *names: str) -> Callable[[Any, Place], Expression]:
        def rule(tree: Any, place: Place) -> Expression:
            changed: Expression = replace(
                tree, **{name: self.at(getattr(tree, name), place) for name in names}
            )
            return changed

        return rule


_Rule = Callable[[_Entries, Any, Place], Expression]


def _parts(*names: str) -> _Rule:
    return lambda entries, tree, place: entries.parts(*names)(tree, place)


_RULES: dict[type[Expression], _Rule] = {
    Symbol: _Entries.letter,
    Gradient: _Entries.letter,
    Matrix: lambda entries, tree, place: Number(number_of(tree.values[place])),
    Sum: lambda entries, tree, place: Sum(entries.each(tree.terms, place)),
    Times: lambda entries, tree, place: Times(entries.each(tree.factors, place), tree.sign),
    Hadamard: lambda entries, tree, place: Times(entries.each(tree.factors, place)),
    Negative: _parts("operand"),
    Root: _parts("operand"),
    Norm: lambda entries, tree, place: tree,
    Factor: lambda entries, tree, place: entries.at(tree.operand, place),
    Divide: _parts("numerator", "denominator"),
    Power: _parts("base", "exponent"),
    Relation: _parts("left", "right"),
    Transpose: lambda entries, tree, place: entries.at(tree.operand, (place[1], place[0])),
    MatMul: _Entries.product,
    Outer: _Entries.outer,
    SumOver: _Entries.added_up,
    BigSum: _Entries.summed,
    Apply: _Entries.applied,
    Cases: _Entries.cases,
}


def letters_in(tree: Any) -> list[Symbol | Gradient]:
    """Every letter of a tree from left to right, each once; a derivative is one letter."""
    found: dict[Symbol | Gradient, None] = {}
    _collect(tree, found)
    return list(found)


def _collect(held: Any, found: dict[Symbol | Gradient, None]) -> None:
    if isinstance(held, Symbol | Gradient):
        found[held] = None
    elif isinstance(held, tuple):
        for part in held:
            _collect(part, found)
    elif isinstance(held, Expression) and not isinstance(held, Matrix):
        for field in fields(held):
            _collect(getattr(held, field.name), found)
