"""What a sheet leaves out because it has said it, or because it says nothing.

A rule that stood there in letters is not written again for the next of many matrices; a state that is still
zero is a 0; a matrix over a number is that matrix times a fraction, which is half as high.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace

import numpy as np

from handgrad.render.layout.context import Sheet
from handgrad.worked.evaluate import map_tree
from handgrad.worked.expressions import Divide, Expression, Matrix, Negative, Number, Sum, Times, names_of
from handgrad.worked.record import Equation, WorkedStep

LARGE = 30
"""Numbers to train above which a sheet does not write each rule for each matrix."""
ONE, NOTHING = Number(1.0, exact=True), Number(0.0, exact=True)


def shorter(sheet: Sheet, worked: WorkedStep) -> Equation:
    """The equation of a quantity as the sheet shows it here."""
    equation = without_idle_steps(worked.equation)
    equation = replace(equation, numbers=tuple(map(_shorter_numbers, equation.numbers)))
    if not is_large(sheet):
        return equation
    numbers = equation.numbers[:1]
    equation = replace(equation, numbers=numbers)
    rule = _rule(worked)
    if rule in sheet.rules and numbers:
        return Equation(equation.target, (), numbers, equation.result)
    sheet.rules.add(rule)
    return equation


def without_idle_steps(equation: Equation) -> Equation:
    """The equation without the lines, and in later lines the terms and factors, that only add 0 or multiply by 1.

    >>> one, half = Number(1.0), Number(0.5)
    >>> idle = Equation(Number(0.0), (), (Times((Number(2.0), half)), Sum((one, Number(0.0)))), one)
    >>> len(without_idle_steps(idle).numbers)
    1
    """
    kept = list(equation.numbers[:1])
    stated = None if equation.result is None else _gist(equation.result)
    for tree in equation.numbers[1:]:
        busy = map_tree(tree, _busy)
        gist = _gist(busy)
        if gist not in (stated, _gist(map_tree(kept[-1], _busy))):
            kept.append(busy)
    return replace(equation, numbers=tuple(kept))


def _busy(tree: Expression) -> Expression:
    """A sum without terms that are 0, a product without factors that are 1."""
    match tree:
        case Sum(terms):
            left = tuple(term for term in terms if not _is(term, 0.0))
            # a matrix of zeros over which a column is spread gives the sum its shape
            if not left or len(left) == len(terms) or _size(left) < _size(terms):
                return tree
            return left[0] if len(left) == 1 else Sum(left)
        case Times(factors, sign):
            left = tuple(factor for factor in factors if not _is(factor, 1.0))
            return tree if not left else left[0] if len(left) == 1 else Times(left, sign)
    return tree


def _size(terms: tuple[Expression, ...]) -> float:
    """Entries of the largest term; of one that is yet to be worked out, any number of them."""
    sizes = {Matrix: lambda term: float(term.values.size), Number: lambda term: 1.0}
    return max(sizes.get(type(term), lambda term: float("inf"))(term) for term in terms)


def _is(tree: Expression, value: float) -> bool:
    match tree:
        case Number(number):
            return number == value
        case Matrix(values):
            return value == 0.0 and not np.any(values)
        case Negative(operand):
            return value == 0.0 and _is(operand, value)
    return False


def _gist(tree: Expression) -> Hashable:
    """What a tree of numbers says, to compare it: a number that is subtracted is its negative that is added."""
    match tree:
        case Number(value):
            return float(value) + 0.0
        case Matrix(values):
            return (values.shape, (values.astype(np.float64) + 0.0).tobytes())
        case Negative(Number(value)):
            return 0.0 - float(value)
        case Negative(Matrix(values)):
            return _gist(Matrix(0.0 - values))
    return (type(tree), *(_held(getattr(tree, name)) for name in names_of(type(tree))))


def _held(part: object) -> Hashable:
    if isinstance(part, Expression):
        return _gist(part)
    return tuple(map(_held, part)) if isinstance(part, tuple) else repr(part)


def is_large(sheet: Sheet) -> bool:
    """True where each rule is written once, and between numbers and result stands no line."""
    return sheet.settings.detail != "scalar" and sheet.record.network.parameter_count > LARGE


def _rule(worked: WorkedStep) -> str:
    """What the letters are the rule of: a state of the optimizer, for any parameter, or the quantity itself."""
    return worked.quantity.partition("_")[2] if worked.part == "update" else worked.quantity


def _shorter_numbers(tree: Expression) -> Expression:
    return map_tree(tree, _shorter_node)


def _shorter_node(tree: Expression) -> Expression:
    match tree:
        case Times(factors, sign) if any(isinstance(factor, Number) for factor in factors):
            return Times(tuple(NOTHING if _nothing(factor) else factor for factor in factors), sign)
        case Divide(Matrix() as matrix, below) if not _is_matrix(below):
            return Times((Divide(ONE, below), matrix))
    return tree


def _nothing(tree: Expression) -> bool:
    return isinstance(tree, Matrix) and tree.values.size > 1 and not np.any(tree.values)


def _is_matrix(tree: Expression) -> bool:
    found: list[Expression] = []

    def keep(part: Expression) -> Expression:
        found.append(part)
        return part

    map_tree(tree, keep)
    return any(isinstance(part, Matrix) for part in found)
