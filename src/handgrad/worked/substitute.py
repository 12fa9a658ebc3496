"""Numbers put in the place of letters, and the lines in which a calculation is worked out after that.

Every line is a function of the tree with the numbers put in, so no number comes from anywhere but the bindings.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from handgrad.nn.arrays import Array
from handgrad.worked.bindings import Bindings, Value, array_of, is_placed, name_of, taken
from handgrad.worked.evaluate import evaluate, leaves, map_tree
from handgrad.worked.expressions import (
    NODES,
    Apply,
    BigSum,
    Cases,
    Expression,
    Gradient,
    Hadamard,
    MatMul,
    Matrix,
    Negative,
    Number,
    Outer,
    Sum,
    Symbol,
    Times,
    Transpose,
)
from handgrad.worked.real import as_numbers, number_of

Line = Callable[[Expression], Expression]


FIELDS = {
    kind: tuple(
        field.name for field in dataclasses.fields(kind) if (kind, field.name) not in ((Times, "sign"),)
    )
    for kind in NODES
}
"""What of each node says what it is worth: whether a sign is written says nothing."""


def node(values: Array) -> Value:
    """A table of numbers as a node; one number is a `Number`."""
    array = np.atleast_2d(as_numbers(values))
    return Number(number_of(array[0, 0])) if array.size == 1 else Matrix(array)


def marked(value: Value, dust: Array | None) -> Value:
    """The same numbers, of which these are nothing but rounding."""
    if dust is None or not dust.any():
        return value
    if isinstance(value, Number):
        return dataclasses.replace(value, dust=True)
    return dataclasses.replace(value, dust=dust)


def substitute(tree: Expression, bindings: Bindings, indices: Mapping[str, int] | None = None) -> Expression:
    """The tree with numbers in the place of letters: sums over an index written out, the branch of cases chosen.

    >>> letters = Bindings({"m": Number(2, exact=True), "x": Matrix(np.array([[3.0, 4.0]]))})
    >>> substitute(BigSum("i", Number(1), Symbol("m"), Symbol("x", sample="i")), letters)
    Sum(terms=(Number(value=3.0, exact=False), Number(value=4.0, exact=False)))

    Raises VerificationError for a letter without a value.
    """
    return _Numbers(bindings, dict(indices or {})).put_in(tree)


@dataclasses.dataclass(frozen=True)
class _Numbers:
    bindings: Bindings
    indices: dict[str, int]

    def put_in(self, tree: Expression) -> Expression:
        return _RULES.get(type(tree), _Numbers.of_parts)(self, tree)

    def of_parts(self, tree: Expression) -> Expression:
        changes = {name: self._held(getattr(tree, name)) for name in FIELDS[type(tree)]}
        return _of_numbers(dataclasses.replace(tree, **changes))

    def of_sum(self, tree: Sum) -> Expression:
        return Sum(tuple(self.put_in(term) for term in tree.terms))

    def of_product(self, tree: Times) -> Expression:
        return _of_numbers(Times(tuple(self.put_in(factor) for factor in tree.factors), tree.sign))

    def _held(self, held: Any) -> Any:
        if isinstance(held, Expression):
            return self.put_in(held)
        return tuple(self._held(item) for item in held) if isinstance(held, tuple) else held

    def of_letter(self, symbol: Symbol | Gradient) -> Expression:
        if isinstance(symbol, Symbol) and symbol.letter in self.indices:
            return Number(self.indices[symbol.letter], exact=True)
        whole = self.bindings.of(symbol)
        if not is_placed(symbol):
            return whole
        dust = whole.dust if isinstance(whole, Matrix) else None
        number = None if self.indices or dust is not None else self.bindings.number(symbol)
        if number is not None:
            return Number(number)
        counted = {index: np.array(number) for index, number in self.indices.items()}
        part = node(taken(array_of(whole), symbol, counted, self.bindings.column))
        return part if dust is None else marked(part, taken(dust, symbol, counted, self.bindings.column))

    def written_out(self, tree: BigSum) -> Expression:
        first, last = (
            int(evaluate(self.put_in(end)).item()) for end in (tree.first, tree.last) if end is not None
        )
        terms = [
            _Numbers(self.bindings, {**self.indices, tree.index: number}).put_in(tree.body)
            for number in range(first, last + 1)
        ]
        return added(terms)

    def chosen(self, tree: Cases) -> Expression:
        """The branch that holds for every entry; cases still where entries differ."""
        branches: list[tuple[Expression, Expression | None]] = []
        for value, condition in tree.branches:
            test = None if condition is None else self.put_in(condition)
            holds = None if test is None else evaluate(test) != 0
            if holds is None or holds.all():
                branches.append((self.put_in(value), None))
                break
            if holds.any():
                branches.append((self.put_in(value), test))
        return branches[0][0] if len(branches) == 1 else Cases(tuple(branches))


_RULES: dict[type[Expression], Callable[[_Numbers, Any], Expression]] = {
    Symbol: _Numbers.of_letter,
    Gradient: _Numbers.of_letter,
    BigSum: _Numbers.written_out,
    Cases: _Numbers.chosen,
    Sum: _Numbers.of_sum,
    Times: _Numbers.of_product,
    Matrix: lambda numbers, tree: tree,
    Number: lambda numbers, tree: tree,
}


def _of_numbers(tree: Expression) -> Expression:
    """Between numbers every product is a product of numbers, and nothing is transposed."""
    if isinstance(tree, Transpose) and isinstance(tree.operand, Number):
        return tree.operand
    if isinstance(tree, Times) and all(type(factor) is Number for factor in tree.factors):
        return tree if tree.sign else Times(tree.factors, sign=True)
    parts: tuple[Expression, ...] = ()
    if isinstance(tree, MatMul | Outer):
        parts = (tree.left, tree.right)
    elif isinstance(tree, Hadamard | Times):
        parts = tree.factors
    if parts and (
        all(isinstance(part, Number) for part in parts)
        or (isinstance(tree, Times | Hadamard) and not any(_has_matrix(part) for part in parts))
    ):
        return Times(parts, sign=True)
    return tree


def _has_matrix(tree: Expression) -> bool:
    return any(isinstance(leaf, Matrix) for leaf in leaves((tree,)))


def added(terms: list[Expression]) -> Expression:
    """One term, or the sum of several."""
    return terms[0] if len(terms) == 1 else Sum(tuple(terms))


def is_put_in(tree: Expression, numbers: Expression, bindings: Bindings) -> bool:
    """True if the numbers are surely nothing but `substitute(tree, bindings)`."""
    if isinstance(tree, Symbol | Gradient):
        if is_placed(tree):
            return isinstance(numbers, Number) and bindings.number(tree) == numbers.value
        return bindings.get(name_of(tree)) is numbers
    if type(tree) is not type(numbers) or isinstance(tree, Matrix | BigSum):
        return tree is numbers
    if isinstance(tree, Number):
        return tree == numbers
    held = ((getattr(tree, name), getattr(numbers, name)) for name in FIELDS[type(tree)])
    return all(_held_is_put_in(letters, number, bindings) for letters, number in held)


def _held_is_put_in(held: Any, numbers: Any, bindings: Bindings) -> bool:
    if isinstance(held, Expression):
        return isinstance(numbers, Expression) and is_put_in(held, numbers, bindings)
    if isinstance(held, tuple) and isinstance(numbers, tuple):
        pairs = zip(held, numbers, strict=False)
        return len(held) == len(numbers) and all(_held_is_put_in(a, b, bindings) for a, b in pairs)
    return bool(held == numbers)


# --- lines ----------------------------------------------------------------------------------------------


def same(tree: Expression) -> Expression:
    """The numbers as they were put in."""
    return tree


def products_worked_out(tree: Expression) -> Expression:
    """A sum whose products have been multiplied out: 0.5 x 2 + 0.1 is 1 + 0.1."""
    if not isinstance(tree, Sum):
        return tree
    return Sum(tuple(node(evaluate(t)) if isinstance(t, MatMul | Times | Outer) else t for t in tree.terms))


def factors_worked_out(tree: Expression) -> Expression:
    """A product each of whose factors has become one number: (2 x 0.1 + 3 x 0.2) x 0.25 is 0.8 x 0.25."""
    return (
        Times(tuple(node(evaluate(factor)) for factor in tree.factors)) if isinstance(tree, Times) else tree
    )


def change_worked_out(tree: Expression) -> Expression:
    """p - eta g with eta g worked out: 0.5 - 0.1 x (-0.0799) is 0.5 + 0.00799."""
    if isinstance(tree, Sum) and len(tree.terms) == 2 and isinstance(tree.terms[1], Negative):
        change = tree.terms[1].operand
        return Sum((tree.terms[0], marked(node(-evaluate(change)), _dust_of(change))))
    return tree


def worked_out(*kinds: type[Expression], functions: Callable[[str], bool] = lambda name: True) -> Line:
    """A line in which the nodes of these kinds (of `Apply` those functions) have become numbers."""

    def line(tree: Expression) -> Expression:
        def number(part: Expression) -> Expression:
            if not isinstance(part, kinds) or (isinstance(part, Apply) and not functions(part.function)):
                return part
            return node(evaluate(part))

        return map_tree(tree, number)

    return line


def turned(tree: Expression) -> Expression:
    """The numbers of each transpose the way round that they are used."""

    def turn(part: Expression) -> Expression:
        if isinstance(part, Transpose) and isinstance(part.operand, Matrix):
            return Matrix(part.operand.values.T, None if part.operand.dust is None else part.operand.dust.T)
        return part

    return map_tree(tree, turn)


def as_outer(tree: Expression) -> Expression:
    """delta a^T of one sample with the numbers as they meet: a column times a row."""
    if isinstance(tree, MatMul):
        left, right = _side(tree.left), _side(tree.right)
        if left.shape[1] == right.shape[0] == 1:
            return _column_times_row(
                marked(node(left), _dust_of(tree.left)), marked(node(right), _dust_of(tree.right))
            )
    return _of_scaled(tree, as_outer)


def sample_by_sample(tree: Expression) -> Expression:
    """The product that adds up over the samples as the sum of a column times a row of each."""
    if not isinstance(tree, MatMul):
        return _of_scaled(tree, sample_by_sample)
    left, right = _side(tree.left), _side(tree.right)
    marks = [np.zeros(side.shape, bool) for side in (left, right)]
    of_left, of_right = (
        mark if dust is None else dust
        for mark, dust in zip(marks, (_dust_of(tree.left), _dust_of(tree.right)), strict=True)
    )
    return added(
        [
            _column_times_row(
                marked(node(left[:, [i]]), of_left[:, [i]]),
                marked(node(right[[i]]), of_right[[i]]),
            )
            for i in range(left.shape[1])
        ]
    )


def _column_times_row(left: Value, right: Value) -> Expression:
    """A matrix product where both have several entries, else one number times them all."""
    if isinstance(left, Matrix) and isinstance(right, Matrix):
        return MatMul(left, right)
    return Times((left, right), sign=True)


def _of_scaled(tree: Expression, line: Line) -> Expression:
    """The line of a product behind its 1/m; any other tree as it is."""
    if isinstance(tree, Times) and len(tree.factors) == 2 and isinstance(tree.factors[1], MatMul):
        return Times((tree.factors[0], line(tree.factors[1])))
    return tree


def _dust_of(tree: Expression) -> Array | None:
    """Which entries of a matrix, of its transpose or of a multiple of it are nothing but rounding."""
    if isinstance(tree, Matrix):
        return tree.dust
    if isinstance(tree, Number):
        return np.array([[True]]) if tree.dust else None
    if isinstance(tree, Transpose):
        inner = _dust_of(tree.operand)
        return None if inner is None else inner.T
    if isinstance(tree, Times):
        found = [dust for dust in map(_dust_of, tree.factors) if dust is not None]
        return found[0] if len(found) == 1 else None
    return None


def _side(tree: Expression) -> Array:
    return evaluate(tree)
