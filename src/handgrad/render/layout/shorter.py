"""What a sheet leaves out because it has said it, or because it says nothing.

A rule that stood there in letters is not written again for the next of many matrices; a state that is still
zero is a 0; a matrix over a number is that matrix times a fraction, which is half as high.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from handgrad.render.layout.context import Sheet
from handgrad.worked.evaluate import map_tree
from handgrad.worked.expressions import Divide, Expression, Matrix, Number, Times
from handgrad.worked.record import Equation, WorkedStep

LARGE = 30
"""Numbers to train above which a sheet does not write each rule for each matrix."""
ONE, NOTHING = Number(1.0, exact=True), Number(0.0, exact=True)


def shorter(sheet: Sheet, worked: WorkedStep) -> Equation:
    """The equation of a quantity as the sheet shows it here."""
    equation = replace(worked.equation, numbers=tuple(map(_shorter_numbers, worked.equation.numbers)))
    if not is_large(sheet):
        return equation
    numbers = equation.numbers[:1]
    equation = replace(equation, numbers=numbers)
    rule = _rule(worked)
    if rule in sheet.rules and numbers:
        return Equation(equation.target, (), numbers, equation.result)
    sheet.rules.add(rule)
    return equation


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
