"""Evaluation of expression trees: what `verify` holds every letter and every shown number against.

Letters are looked up in the bindings of a step, so the tree that is shown is the tree that is evaluated. The
functions are written once more (functions.py), plainly, in float64.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import reduce
from operator import add, mul
from typing import Any, NamedTuple

import numpy as np

from handgrad.errors import VerificationError
from handgrad.nn.arrays import Array
from handgrad.worked.bindings import NOTHING, Bindings, name_of, taken
from handgrad.worked.computed import Computed
from handgrad.worked.expressions import (
    Apply,
    BigSum,
    Cases,
    Divide,
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
from handgrad.worked.functions import RATIONAL_AT, applied
from handgrad.worked.real import as_numbers, in_reals
from handgrad.worked.real_functions import applied_in_reals

NO_ERRORS: Mapping[str, Array] = {}


def evaluate(tree: Expression, bindings: Bindings = NOTHING) -> Array:
    """The value of a tree, always with two dimensions (a number is 1 x 1), float64.

    >>> evaluate(Sum((Number(2.0), Negative(Number(0.5))))).tolist()
    [[1.5]]
    >>> squares = BigSum("k", Number(1), Symbol("n"), Power(Symbol("x", entry=("k",)), Number(2)))
    >>> evaluate(squares, Bindings({"n": Number(2), "x": Matrix(np.array([[3.0], [4.0]]))})).tolist()
    [[25.0]]

    Raises VerificationError for a letter that stands for nothing, or shapes that do not fit.
    """
    return _evaluated(tree, Context(bindings)).value


def evaluate_bounded(
    tree: Expression, bindings: Bindings, unit: float, errors: Mapping[str, Array] = NO_ERRORS
) -> Computed:
    """The value with a bound on its rounding error in an arithmetic with the unit roundoff `unit`.

    `errors` says how far quantities (by public name, as on paper) may be off themselves.

    Raises VerificationError as `evaluate` does.
    """
    if in_reals():  # nothing is rounded
        return _evaluated(tree, Context(bindings))
    return _evaluated(tree, Context(bindings, unit=unit, errors=errors))


class Context(NamedTuple):
    """Where a tree is evaluated: its letters, the open indices, and the arithmetic whose errors are bounded.

    An index holds the numbers 1, 2, ... of its sum along an axis of its own, in front of all others: a value inside
    a sum has such axes before its two dimensions.
    """

    bindings: Bindings
    indices: Mapping[str, Array] = {}
    unit: float = 0.0
    errors: Mapping[str, Array] = NO_ERRORS

    def leaf(self, value: Array, error: Array | float = 0.0) -> Computed:
        """A number that is given."""
        return Computed(as_numbers(value), error, self.unit)


def _evaluated(tree: Expression, context: Context) -> Computed:
    with np.errstate(all="ignore"):
        return _of(tree, context)


def _of(tree: Expression, context: Context) -> Computed:
    rule = RULES.get(type(tree))
    if rule is None:
        raise VerificationError(f"{type(tree).__name__} has no value of its own: {tree}")
    try:
        return rule(tree, context)
    except ValueError as error:
        raise VerificationError(f"shapes do not fit in {type(tree).__name__}: {error}") from error


def _each(trees: Iterable[Expression], context: Context) -> Iterator[Computed]:
    return (_of(tree, context) for tree in trees)


def _number(tree: Number, context: Context) -> Computed:
    return context.leaf(np.array([[tree.value]]))


def _matrix(tree: Matrix, context: Context) -> Computed:
    return context.leaf(tree.values)


def _symbol(tree: Symbol | Gradient, context: Context) -> Computed:
    if isinstance(tree, Symbol) and tree.letter in context.indices:
        return context.leaf(context.indices[tree.letter][..., np.newaxis, np.newaxis].astype(np.float64))
    number = context.bindings.number(tree)
    value = np.array([[number]]) if number is not None else context.bindings.part(tree, context.indices)
    error = None if context.errors is NO_ERRORS else context.errors.get(name_of(tree))
    if error is None:
        return context.leaf(value)
    return context.leaf(value, taken(error, tree, context.indices, context.bindings.column))


MANY = 8
"""More numbers than this are added up all at once."""


def _sum(tree: Sum, context: Context) -> Computed:
    terms = list(_each(tree.terms, context))
    if len(terms) <= MANY or any(term.value.shape != (1, 1) for term in terms):
        return reduce(add, terms)
    value = np.array([term.value[0, 0] for term in terms])
    errors = [term.error if isinstance(term.error, float) else term.error.item() for term in terms]
    error = np.array(errors) if any(errors) else 0.0
    return Computed(
        value.reshape(-1, 1, 1), error if isinstance(error, float) else error.reshape(-1, 1, 1), context.unit
    ).total(0, keepdims=False)


def _times(tree: Times, context: Context) -> Computed:
    factors = list(_each(tree.factors, context))
    if sum(factor.value.shape[-2:] != (1, 1) for factor in factors) > 1:
        shapes = " times ".join(" x ".join(map(str, factor.value.shape[-2:])) for factor in factors)
        raise VerificationError(f"a product of numbers has more than one matrix among its factors: {shapes}")
    return reduce(mul, factors)


def _turned(value: Computed) -> Computed:
    return value.shaped(lambda array: np.swapaxes(array, -1, -2))


def _outer(tree: Outer, context: Context) -> Computed:
    left, right = _of(tree.left, context), _of(tree.right, context)
    column = left.shaped(lambda array: array.reshape(*array.shape[:-2], -1, 1))
    return column * right.shaped(lambda array: array.reshape(*array.shape[:-2], 1, -1))


def _norm(tree: Norm, context: Context) -> Computed:
    value = _of(tree.operand, context)
    if tree.order == 1:
        return _applied("abs", [value], [], -2).total((-2, -1))
    return (value * value).total((-2, -1)).root()


def _apply(tree: Apply, context: Context) -> Computed:
    parameters = [_of(parameter, context).value.reshape(-1)[0] for parameter in tree.parameters]
    return _applied(tree.function, list(_each(tree.arguments, context)), parameters, tree.axis - 2)


def _applied(name: str, arguments: list[Computed], parameters: list[Any], axis: int) -> Computed:
    if in_reals():
        return applied_in_reals(name, arguments, parameters, axis)
    return applied(name, arguments, list(map(float, parameters)), axis)


def _big_sum(tree: BigSum, context: Context) -> Computed:
    first, last = (int(_whole(tree, end, context)) for end in (tree.first, tree.last))
    depth = len(context.indices)
    counted = np.arange(first, last + 1).reshape(-1, *(1,) * depth)
    inner = context._replace(indices={**context.indices, tree.index: counted})
    body = _of(tree.body, inner)
    if body.value.ndim < depth + 3:  # no term says which it is: all are the same
        body = body.shaped(lambda array: np.broadcast_to(array, (counted.size, *array.shape)))
    return body.total(0, keepdims=False)


def _whole(tree: BigSum, end: Expression | None, context: Context) -> float:
    if end is None:
        raise VerificationError(f"the sum over {tree.index} does not say from where to where")
    return float(_of(end, context).value.reshape(-1)[0])


def _sum_over(tree: SumOver, context: Context) -> Computed:
    value = _of(tree.operand, context)
    total = value.total((-2, -1) if tree.axis is None else tree.axis - 2)
    if not tree.mean:
        return total
    count = value.value.size // total.value.size
    return total / context.leaf(np.array([[float(count)]]))


def _grid(tree: Grid, context: Context) -> Computed:
    rows = [list(_each(row, context)) for row in tree.rows]
    value = np.block([[entry.value for entry in row] for row in rows])
    if not context.unit:
        return context.leaf(value)
    errors = [[np.broadcast_to(entry.error, entry.value.shape) for entry in row] for row in rows]
    return context.leaf(value, np.block(errors))


def _relation(tree: Relation, context: Context) -> Computed:
    left, right = _of(tree.left, context), _of(tree.right, context)
    return context.leaf(np.asarray(_TRUTH[tree.sign](left.value, right.value), dtype=np.float64))


_TRUTH: dict[str, Callable[[Array, Array], Any]] = {
    "=": np.equal,
    "<": np.less,
    ">": np.greater,
    "<=": np.less_equal,
    ">=": np.greater_equal,
    "!=": np.not_equal,
}


def _cases(tree: Cases, context: Context) -> Computed:
    """Entry by entry, the first branch whose condition holds."""
    result: Computed | None = None
    left_over: Array = np.array(True)
    for branch, condition in tree.branches:
        holds = left_over if condition is None else left_over & (_of(condition, context).value != 0)
        if not holds.any():
            continue
        value = _of(branch, context)
        result = value if result is None and holds.all() else value.where(holds, result or value)
        left_over = left_over & ~holds
        if not left_over.any():
            return result
    raise VerificationError("none of the cases applies")


RULES: dict[type[Expression], Callable[[Any, Context], Computed]] = {
    Number: _number,
    Matrix: _matrix,
    Symbol: _symbol,
    Gradient: _symbol,
    Grid: _grid,
    Sum: _sum,
    Negative: lambda tree, context: -_of(tree.operand, context),
    Times: _times,
    MatMul: lambda tree, context: _of(tree.left, context) @ _of(tree.right, context),
    Hadamard: lambda tree, context: reduce(mul, _each(tree.factors, context)),
    Outer: _outer,
    Transpose: lambda tree, context: _turned(_of(tree.operand, context)),
    Divide: lambda tree, context: _of(tree.numerator, context) / _of(tree.denominator, context),
    Power: lambda tree, context: _of(tree.base, context).power(_of(tree.exponent, context)),
    Root: lambda tree, context: _of(tree.operand, context).root(),
    Norm: _norm,
    Apply: _apply,
    Factor: lambda tree, context: _of(tree.operand, context),
    BigSum: _big_sum,
    SumOver: _sum_over,
    Relation: _relation,
    Cases: _cases,
}


def is_rounded(tree: Expression) -> bool:
    """True if a tree of numbers holds a transcendental function, whose value no decimal writes down.

    >>> is_rounded(Apply("sigmoid", (Number(50.0),))), is_rounded(Apply("relu", (Number(50.0),)))
    (True, False)
    """
    found: list[bool] = []

    def look(part: Expression) -> Expression:
        if isinstance(part, Apply) and part.function in RATIONAL_AT:
            found.append(not np.all(RATIONAL_AT[part.function](evaluate(part.arguments[0]))))
        return part

    map_tree(tree, look)
    return any(found)


def _replace(tree: Expression, changes: dict[str, Any]) -> Expression:
    return dataclasses.replace(tree, **changes)


def map_tree(tree: Expression, change: Callable[[Expression], Expression]) -> Expression:
    """The same tree with `change` applied to every node, leaves first."""
    if isinstance(tree, Matrix):
        return change(tree)
    changes: dict[str, Any] = {}
    for name in _names(tree):
        held = getattr(tree, name)
        new = _map_held(held, change)
        if new is not held:
            changes[name] = new
    return change(_replace(tree, changes) if changes else tree)


def _map_held(held: Any, change: Callable[[Expression], Expression]) -> Any:
    if isinstance(held, Expression):
        return map_tree(held, change)
    if isinstance(held, tuple):
        new = tuple(_map_held(item, change) for item in held)
        return new if any(a is not b for a, b in zip(new, held, strict=True)) else held
    return held


def leaves(trees: Iterable[Expression]) -> Iterator[Expression]:
    """Every node without operands, from left to right."""
    for tree in trees:
        inner = [] if isinstance(tree, Matrix) else [part for part in _parts(tree) if part is not None]
        if inner:
            yield from leaves(inner)
        else:
            yield tree


def _names(tree: Expression) -> tuple[str, ...]:
    return names_of(type(tree))


def _parts(tree: Any) -> Iterator[Expression]:
    held = (getattr(tree, name) for name in _names(tree)) if isinstance(tree, Expression) else iter(tree)
    for part in held:
        if isinstance(part, Expression):
            yield part
        elif isinstance(part, tuple):
            yield from _parts(part)
