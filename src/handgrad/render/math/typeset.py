"""An expression tree as boxes: which sign stands between factors, where parentheses are needed, how a
function is written. `RULES` says how each kind of node is set.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from handgrad.errors import RenderError
from handgrad.render.document import LaidMatrix, Literal
from handgrad.render.math import boxes
from handgrad.render.math.boxes import Box, Operator, fenced, joined, row
from handgrad.render.math.columns import aligned
from handgrad.render.math.functions import applied
from handgrad.render.math.parentheses import ATOM, BIG, SUM, grouped_factor, level
from handgrad.render.math.tokens import digits, named, script, with_scripts
from handgrad.worked.bindings import name_of
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
)
from handgrad.writing.letter_parts import Notation
from handgrad.writing.letters import written
from handgrad.writing.numerals import Precision, shown_exactly
from handgrad.writing.phrasebook import Phrasebook


@dataclass(frozen=True, slots=True)
class Style:
    """The choices that the boxes depend on; `quantities`: each letter says which quantity it is."""

    notation: Notation
    language: str = "en"
    quantities: bool = False

    def text(self, key: str) -> str:
        """A word of the message catalogue."""
        return Phrasebook(self.language).text(key)


def typeset(tree: Expression, style: Style) -> Box:
    """The boxes of an expression.

    >>> typeset(Sum((Symbol("m"), Negative(Literal("1")))), Style(Notation())).items[1:]
    (Operator(name='-'), Digits(text='1'))

    Raises RenderError for a node without a rule, and for a number that was not rounded for display.
    """
    rule = RULES.get(type(tree))
    if rule is None:
        raise RenderError(
            f"no rule to write {type(tree).__name__}; add one to RULES in render/math/typeset.py"
        )
    box = rule(tree, style)
    return box if style.notation.numerals == "latin" else boxes.in_numerals(box, style.notation.numerals)


# --- parentheses --------------------------------------------------------------------------------------------


def _within(tree: Expression, least: int, style: Style) -> Box:
    """The boxes for a place that asks for `least`: in parentheses if the tree is looser. A brace under a
    factor does not replace them."""
    if isinstance(tree, Factor):
        return boxes.Brace(_within(tree.operand, least, style), tree.label)
    box = typeset(tree, style)
    return fenced(box) if level(tree) < least else box


def _leads_with_sign(tree: Expression) -> bool:
    """Does the written form begin with a minus?"""
    match tree:
        case Negative():
            return True
        case Literal(text, substituted):
            return text.startswith("-") and not substituted
        case Number(value):
            return value < 0
        case Sum(parts) | Times(parts) | Hadamard(parts):
            return _leads_with_sign(parts[0])
        case Factor(_, operand):
            return _leads_with_sign(operand)
    return False


def _behind_sign(tree: Expression, style: Style) -> Box:
    """A term behind + or -: in parentheses if it is a sum or begins with a minus of its own."""
    if isinstance(tree, Factor):
        return boxes.Brace(_behind_sign(tree.operand, style), tree.label)
    if level(tree) > SUM and _leads_with_sign(tree):
        return fenced(typeset(tree, style))
    return _within(tree, BIG, style)


def _factors(product: Expression, factors: tuple[Expression, ...], style: Style) -> list[Box]:
    """The factors of a product, in parentheses where `grouped_factor` asks for them."""
    return [_factor_of(product, place, factor, len(factors), style) for place, factor in enumerate(factors)]


def _factor_of(product: Expression, place: int, factor: Expression, count: int, style: Style) -> Box:
    if isinstance(factor, Factor):
        return boxes.Brace(_factor_of(product, place, factor.operand, count, style), factor.label)
    box = typeset(factor, style)
    # nothing follows the last factor, so a sum over an index there needs no end
    open_end = place == count - 1 and level(factor) == BIG
    return fenced(box) if grouped_factor(product, place, factor, count) and not open_end else box


# --- symbols and numbers ------------------------------------------------------------------------------------


def _symbol(tree: Symbol, style: Style) -> Box:
    name = written(tree, style.notation)
    box = with_scripts(named(name), script(name.subscript), script(name.superscript))
    suffix = script(name.suffix)
    return _quantity(tree, box if suffix is None else row(box, suffix), style)


def _quantity(tree: Symbol | Gradient, box: Box, style: Style) -> Box:
    """The box of a letter, which says what it is the letter of where that is wanted."""
    if not style.quantities:
        return box
    inner = tree if isinstance(tree, Symbol) else tree.by
    entry, sample = (inner.entry, inner.sample) if isinstance(inner, Symbol) else ((), None)
    place = (*entry, *(() if sample is None else (sample,)))
    return boxes.Quantity(box, name_of(tree), ",".join(map(str, place)))


def _raised(base: Expression, above: Box, style: Style, joins: bool) -> Box:
    """The base with a superscript. A symbol that has one takes parentheses, unless the two may join."""
    if isinstance(base, Factor):
        return boxes.Brace(_raised(base.operand, above, style, joins), base.label)
    if isinstance(base, Symbol):
        name = written(base, style.notation)
        if not name.suffix and (joins or not name.superscript):
            own = script(name.superscript)
            joined = above if own is None else row(own, above)
            return _quantity(base, boxes.Scripts(named(name), script(name.subscript), joined), style)
        return boxes.Scripts(fenced(_symbol(base, style)), above=above)
    return boxes.Scripts(_within(base, ATOM, style), above=above)


def _literal(tree: Literal, style: Style) -> Box:
    box = digits(tree.text)
    return fenced(box) if tree.substituted and tree.text.startswith("-") else box


def _number(tree: Number, style: Style) -> Box:
    if not tree.exact:
        raise RenderError(f"the number {tree.value!r} was not rounded for display; lay the record out first")
    return digits(str(shown_exactly(tree.value, Precision(decimal=style.notation.decimal))))


# --- matrices -----------------------------------------------------------------------------------------------


def _matrix(tree: Matrix, style: Style) -> Box:
    raise RenderError(
        f"a matrix of {tree.shape[0]} x {tree.shape[1]} numbers was not rounded for display; "
        "lay the record out first"
    )


def _array(
    rows: tuple[tuple[Expression, ...], ...], style: Style, shape: tuple[int, int] | None = None
) -> boxes.Array:
    return boxes.Array(tuple(tuple(typeset(entry, style) for entry in line) for line in rows), shape=shape)


def _laid_matrix(tree: LaidMatrix, style: Style) -> Box:
    elided = any(isinstance(entry, Ellipsis) for line in tree.rows for entry in line)
    laid = _array(tree.rows, style, tree.shape if elided and tree.show_shape else None)
    return replace(laid, rows=aligned(laid.rows))


# --- sums and products --------------------------------------------------------------------------------------


def _sum(tree: Sum, style: Style) -> Box:
    parts = [_within(tree.terms[0], SUM, style)]
    for term in tree.terms[1:]:
        if isinstance(term, Negative):
            parts += [Operator("-"), _behind_sign(term.operand, style)]
        elif isinstance(term, Sum) and not _leads_with_sign(term):
            parts += [Operator("+"), typeset(term, style)]
        else:
            parts += [Operator("+"), _behind_sign(term, style)]
    return row(*parts)


def _negative(tree: Negative, style: Style) -> Box:
    return row(Operator("negative"), _behind_sign(tree.operand, style))


def _side_by_side(factors: list[Box]) -> Box:
    """Factors without a sign, but for numbers and fractions that would run together."""
    parts = [factors[0]]
    for factor in factors[1:]:
        parts += [Operator("times" if _runs_into(parts[-1], factor) else "beside"), factor]
    return row(*parts)


def _runs_into(left: Box, right: Box) -> bool:
    first, last = boxes.items(right)[0], boxes.items(left)[-1]
    if isinstance(first, boxes.Scripts):
        first = first.base
    if isinstance(first, boxes.Digits | boxes.Blank):
        return True
    return isinstance(last, boxes.Digits | boxes.Blank | boxes.Fraction) and isinstance(first, boxes.Fraction)


def _times(tree: Times, style: Style) -> Box:
    factors = _factors(tree, tree.factors, style)
    return joined("times", factors) if tree.sign else _side_by_side(factors)


def _matmul(tree: MatMul, style: Style) -> Box:
    return _side_by_side(_factors(tree, (tree.left, tree.right), style))


def _hadamard(tree: Hadamard, style: Style) -> Box:
    return joined("hadamard", _factors(tree, tree.factors, style))


def _outer(tree: Outer, style: Style) -> Box:
    return joined("outer", _factors(tree, (tree.left, tree.right), style))


def _big_sum(tree: BigSum, style: Style) -> Box:
    index = boxes.Letter(tree.index)
    first = None if tree.first is None else typeset(tree.first, style)
    below = index if first is None else row(index, Operator("="), first)
    above = None if tree.last is None else typeset(tree.last, style)
    return row(boxes.Series(below, above), Operator("beside"), _within(tree.body, BIG, style))


def _sum_over(tree: SumOver, style: Style) -> Box:
    """Row i and column j are the indices of the matrix that is added up."""
    below = [boxes.Letter(index) for index in tree.index or {None: "ij", 0: "i", 1: "j"}[tree.axis]]
    index = joined("comma", list[Box](below))
    if tree.mean:
        name = boxes.Scripts(boxes.Letter("mean", upright=True), index)
        return row(name, Operator("apply"), fenced(typeset(tree.operand, style)))
    return row(boxes.Series(index), Operator("beside"), _within(tree.operand, BIG, style))


# --- fractions, powers, functions ---------------------------------------------------------------------------


def _transpose(tree: Transpose, style: Style) -> Box:
    return _raised(tree.operand, Operator("transpose"), style, joins=style.notation.layer != "superscript")


def _divide(tree: Divide, style: Style) -> Box:
    return boxes.Fraction(typeset(tree.numerator, style), typeset(tree.denominator, style))


def _power(tree: Power, style: Style) -> Box:
    return _raised(tree.base, typeset(tree.exponent, style), style, joins=False)


def _root(tree: Root, style: Style) -> Box:
    return boxes.Radical(typeset(tree.operand, style))


def _norm(tree: Norm, style: Style) -> Box:
    fence = boxes.Fence("‖", typeset(tree.operand, style), "‖")
    # of a matrix, 2 would be its largest singular value: the root of the sum of squares is Frobenius' norm
    index = boxes.Letter("F", upright=True) if tree.order == 2 else boxes.Digits(str(tree.order))
    return boxes.Scripts(fence, below=index)


def _gradient(tree: Gradient, style: Style) -> Box:
    inner = replace(style, quantities=False)  # the derivative is one quantity
    above = row(Operator("partial"), _within(tree.of, ATOM, inner))
    return _quantity(
        tree, boxes.Fraction(above, row(Operator("partial"), _within(tree.by, ATOM, inner))), style
    )


def _apply(tree: Apply, style: Style) -> Box:
    arguments = [typeset(argument, style) for argument in tree.arguments]
    parameters = [typeset(parameter, style) for parameter in tree.parameters]
    return applied(tree.function, arguments, parameters)


# --- the rest -----------------------------------------------------------------------------------------------


def _relation(tree: Relation, style: Style) -> Box:
    if tree.sign not in RELATIONS:
        raise RenderError(f"unknown relation {tree.sign!r}; known are {' '.join(RELATIONS)}")
    return row(typeset(tree.left, style), Operator(tree.sign), typeset(tree.right, style))


RELATIONS = ("=", "<", ">", "<=", ">=", "!=", "~", ":=")


def _cases(tree: Cases, style: Style) -> Box:
    branches = []
    for value, condition in tree.branches:
        when = boxes.Text(style.text("otherwise")) if condition is None else typeset(condition, style)
        branches.append((typeset(value, style), when))
    return boxes.Array(tuple(branches), "{", "")


def _factor(tree: Factor, style: Style) -> Box:
    return boxes.Brace(typeset(tree.operand, style), tree.label)


def _ellipsis(tree: Ellipsis, style: Style) -> Box:
    if tree.direction not in ("horizontal", "vertical", "diagonal"):
        raise RenderError(f"unknown direction {tree.direction!r}; known are horizontal, vertical, diagonal")
    return Operator(tree.direction)


RULES: dict[type[Expression], Callable[[Any, Style], Box]] = {
    Symbol: _symbol,
    Gradient: _gradient,
    Number: _number,
    Literal: _literal,
    Matrix: _matrix,
    LaidMatrix: _laid_matrix,
    Grid: lambda tree, style: _array(tree.rows, style),
    Sum: _sum,
    Negative: _negative,
    Times: _times,
    MatMul: _matmul,
    Hadamard: _hadamard,
    Outer: _outer,
    Transpose: _transpose,
    Divide: _divide,
    Power: _power,
    Root: _root,
    Norm: _norm,
    Apply: _apply,
    Factor: _factor,
    BigSum: _big_sum,
    SumOver: _sum_over,
    Relation: _relation,
    Cases: _cases,
    Ellipsis: _ellipsis,
}
"""How each kind of node is set; a test holds the table to `expressions.NODES`."""
