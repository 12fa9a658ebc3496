"""An expression tree as boxes: which sign stands between factors, where parentheses are needed, how a
function is written. `RULES` says how each kind of node is set.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from handgrad.errors import RenderError
from handgrad.render.document import LaidMatrix, Literal
from handgrad.render.math import boxes
from handgrad.render.math.boxes import Box, Operator, row
from handgrad.render.math.parentheses import ATOM, BIG, SUM, grouped_factor, level
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
from handgrad.writing.letter_parts import Notation, Written
from handgrad.writing.letters import function_written, written
from handgrad.writing.numerals import Precision, shown_exactly
from handgrad.writing.phrasebook import Phrasebook


@dataclass(frozen=True, slots=True)
class Style:
    """The choices that the boxes depend on."""

    notation: Notation
    language: str = "en"

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
        raise RenderError(f"no rule to write {type(tree).__name__}; add one to RULES in render/typeset.py")
    return rule(tree, style)


# --- parentheses --------------------------------------------------------------------------------------------


def _fenced(box: Box) -> Box:
    return boxes.Fence("(", box, ")")


def _within(tree: Expression, least: int, style: Style) -> Box:
    """The boxes for a place that asks for `least`: in parentheses if the tree is looser. A brace under a
    factor does not replace them."""
    if isinstance(tree, Factor):
        return boxes.Brace(_within(tree.operand, least, style), tree.label)
    box = typeset(tree, style)
    return _fenced(box) if level(tree) < least else box


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
        return _fenced(typeset(tree, style))
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
    return _fenced(box) if grouped_factor(product, place, factor, count) and not open_end else box


# --- symbols and numbers ------------------------------------------------------------------------------------

_PLAIN = re.compile(r"[0-9০-৯]+(?:[.,][0-9০-৯]+)?")
_SCIENTIFIC = re.compile(
    r"(?P<mantissa>[\d.,]+)\s*(?:[eE](?P<e>[+-]?\d+)|×\s*10(?P<power>[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+))|10(?P<bare>[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)"
)
_LOWER = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
_SCRIPT = re.compile(r"\d+|[^\W\d_]+|\S")


def _digits(text: str) -> Box:
    """A number from its text: a sign, digits, perhaps a power of ten; blanks and words as they are."""
    if text.startswith("-"):
        return row(Operator("negative"), _digits(text[1:]))
    if _PLAIN.fullmatch(text):
        return boxes.Digits(text)
    scientific = _SCIENTIFIC.fullmatch(text)
    if scientific:
        mantissa = scientific["mantissa"]
        exponent = (scientific["e"] or scientific["power"] or scientific["bare"]).translate(_LOWER)
        power = boxes.Scripts(boxes.Digits("10"), above=_digits(str(int(exponent))))
        return row(boxes.Digits(mantissa), Operator("times"), power) if mantissa else power
    if text and not text.strip("_"):
        return boxes.Blank(len(text))
    return boxes.Letter(text, upright=True) if text == "∞" else boxes.Text(text)


def _script(text: str) -> Box | None:
    """A sub- or superscript from its text: digits, single letters, words, commas, brackets, signs."""
    parts: list[Box] = []
    for token in _SCRIPT.findall(text):
        if token.isdigit():
            parts.append(boxes.Digits(token))
        elif token.isalpha():
            parts.append(boxes.Letter(token, upright=len(token) > 1))
        elif token in _SCRIPT_SIGNS:
            parts.append(Operator(_SCRIPT_SIGNS[token]))
        else:
            parts.append(boxes.Letter(token, upright=True))
    return row(*parts) if parts else None


_SCRIPT_SIGNS = {",": "comma", "\u2212": "-", "-": "-", "+": "+"}


def _named(name: Written) -> Box:
    """The base of a symbol, with its accent, without its scripts."""
    if name.upright:
        base: Box = boxes.Letter(name.base, upright=True)
    else:
        base = row(*(boxes.Letter(character, name.bold, not character.isalpha()) for character in name.base))
    return boxes.Accent(base, name.accent) if name.accent else base


def _scripts(base: Box, below: Box | None, above: Box | None) -> Box:
    return boxes.Scripts(base, below, above) if below is not None or above is not None else base


def _symbol(tree: Symbol, style: Style) -> Box:
    name = written(tree, style.notation)
    box = _scripts(_named(name), _script(name.subscript), _script(name.superscript))
    suffix = _script(name.suffix)
    return box if suffix is None else row(box, suffix)


def _raised(base: Expression, above: Box, style: Style, joins: bool) -> Box:
    """The base with a superscript. A symbol that has one takes parentheses, unless the two may join."""
    if isinstance(base, Factor):
        return boxes.Brace(_raised(base.operand, above, style, joins), base.label)
    if isinstance(base, Symbol):
        name = written(base, style.notation)
        if not name.suffix and (joins or not name.superscript):
            own = _script(name.superscript)
            joined = above if own is None else row(own, above)
            return boxes.Scripts(_named(name), _script(name.subscript), joined)
        return boxes.Scripts(_fenced(_symbol(base, style)), above=above)
    return boxes.Scripts(_within(base, ATOM, style), above=above)


def _literal(tree: Literal, style: Style) -> Box:
    box = _digits(tree.text)
    return _fenced(box) if tree.substituted and tree.text.startswith("-") else box


def _number(tree: Number, style: Style) -> Box:
    if not tree.exact:
        raise RenderError(f"the number {tree.value!r} was not rounded for display; lay the record out first")
    return _digits(str(shown_exactly(tree.value, Precision(decimal=style.notation.decimal))))


# --- matrices -----------------------------------------------------------------------------------------------


def _matrix(tree: Matrix, style: Style) -> Box:
    raise RenderError(
        f"a matrix of {tree.shape[0]} x {tree.shape[1]} numbers was not rounded for display; "
        "lay the record out first"
    )


def _array(
    rows: tuple[tuple[Expression, ...], ...], style: Style, shape: tuple[int, int] | None = None
) -> Box:
    return boxes.Array(tuple(tuple(typeset(entry, style) for entry in line) for line in rows), shape=shape)


def _laid_matrix(tree: LaidMatrix, style: Style) -> Box:
    elided = any(isinstance(entry, Ellipsis) for line in tree.rows for entry in line)
    return _array(tree.rows, style, tree.shape if elided and tree.show_shape else None)


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


def _joined(sign: str, factors: list[Box]) -> Box:
    parts = [factors[0]]
    for factor in factors[1:]:
        parts += [Operator(sign), factor]
    return row(*parts)


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
    return _joined("times", factors) if tree.sign else _side_by_side(factors)


def _matmul(tree: MatMul, style: Style) -> Box:
    return _side_by_side(_factors(tree, (tree.left, tree.right), style))


def _hadamard(tree: Hadamard, style: Style) -> Box:
    return _joined("hadamard", _factors(tree, tree.factors, style))


def _outer(tree: Outer, style: Style) -> Box:
    return _joined("outer", _factors(tree, (tree.left, tree.right), style))


def _big_sum(tree: BigSum, style: Style) -> Box:
    index = boxes.Letter(tree.index)
    first = None if tree.first is None else typeset(tree.first, style)
    below = index if first is None else row(index, Operator("="), first)
    above = None if tree.last is None else typeset(tree.last, style)
    return row(boxes.Series(below, above), Operator("beside"), _within(tree.body, BIG, style))


def _sum_over(tree: SumOver, style: Style) -> Box:
    """Row i and column j are the indices of the matrix that is added up."""
    below = [boxes.Letter(index) for index in tree.index or {None: "ij", 0: "i", 1: "j"}[tree.axis]]
    index = _joined("comma", list[Box](below))
    if tree.mean:
        name = boxes.Scripts(boxes.Letter("mean", upright=True), index)
        return row(name, Operator("apply"), _fenced(typeset(tree.operand, style)))
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
    above = row(Operator("partial"), _within(tree.of, ATOM, style))
    return boxes.Fraction(above, row(Operator("partial"), _within(tree.by, ATOM, style)))


def _apply(tree: Apply, style: Style) -> Box:
    special = _WRITTEN_DIFFERENTLY.get(tree.function)
    arguments = [typeset(argument, style) for argument in tree.arguments]
    if special is not None and (tree.function != "exp" or not boxes.tall(arguments[0])):
        return special(tree, arguments, style)
    return _called(tree.function, arguments, tree.parameters, style)


def _called(function: str, arguments: list[Box], parameters: tuple[Expression, ...], style: Style) -> Box:
    """A function by its name: parameters as a subscript, arguments in parentheses."""
    name = function_written(function)
    letters = name.base.rstrip("′")
    primes = len(name.base) - len(letters)
    below = [typeset(parameter, style) for parameter in parameters]
    own = _script(name.subscript)
    if own is not None:
        below.insert(0, own)
    head = _scripts(
        _named(replace(name, base=letters, upright=len(letters) > 1)),
        _joined("comma", below) if below else None,
        boxes.Letter("′" * primes, upright=True) if primes else None,
    )
    return row(head, Operator("apply"), _fenced(_joined("comma", arguments)))


def _exp(tree: Apply, arguments: list[Box], style: Style) -> Box:
    return boxes.Scripts(boxes.Letter("e"), above=arguments[0])


def _abs(tree: Apply, arguments: list[Box], style: Style) -> Box:
    return boxes.Fence("|", arguments[0], "|")


def _indicator(tree: Apply, arguments: list[Box], style: Style) -> Box:
    condition = row(arguments[0], Operator(">"), boxes.Digits("0"))
    return row(boxes.Letter("1", bold=True, upright=True), boxes.Fence("[", condition, "]"))


def _ln_softmax(tree: Apply, arguments: list[Box], style: Style) -> Box:
    softmax = _called("softmax", arguments, (), style)
    return row(boxes.Letter("ln", upright=True), Operator("beside"), softmax)


_WRITTEN_DIFFERENTLY: dict[str, Callable[[Apply, list[Box], Style], Box]] = {
    "exp": _exp,
    "abs": _abs,
    "indicator": _indicator,
    "ln_softmax": _ln_softmax,
}
"""Functions that are not written as a name with its arguments in parentheses."""


# --- the rest -----------------------------------------------------------------------------------------------


def _relation(tree: Relation, style: Style) -> Box:
    if tree.sign not in RELATIONS:
        raise RenderError(f"unknown relation {tree.sign!r}; known are {' '.join(RELATIONS)}")
    return row(typeset(tree.left, style), Operator(tree.sign), typeset(tree.right, style))


RELATIONS = ("=", "<", ">", "<=", ">=", "!=", "~")


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
