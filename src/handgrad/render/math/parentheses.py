"""Where parentheses stand: how tightly each kind of node binds, told once for all writers of mathematics.

A writer asks for an expression at least as tight as its place demands; what is looser goes into parentheses.
"""

from __future__ import annotations

from handgrad.render.document import LaidMatrix, Literal
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
    Number,
    Outer,
    Power,
    Relation,
    Root,
    Sum,
    SumOver,
    Times,
    Transpose,
)

RELATION, SUM, BIG, PRODUCT, TIGHT, ATOM = range(6)
"""From loose to tight: a = b, a + b, sum of a, a b, a/b and a^2, a."""

_LEVELS: dict[type[Expression], int] = {
    Relation: RELATION,
    Cases: RELATION,
    Sum: SUM,
    Negative: SUM,
    BigSum: BIG,
    SumOver: BIG,
    Times: PRODUCT,
    MatMul: PRODUCT,
    Hadamard: PRODUCT,
    Outer: PRODUCT,
    Divide: TIGHT,
    Gradient: TIGHT,
    Power: TIGHT,
    Root: TIGHT,
    Transpose: TIGHT,
}


def level(tree: Expression) -> int:
    """How tightly the node binds; a negative number binds as loosely as a difference.

    >>> level(Sum((Number(1.0), Number(2.0)))) < level(Number(1.0))
    True
    """
    match tree:
        case Literal(text, substituted):
            return SUM if text.startswith("-") and not substituted else ATOM
        case Number(value):
            return SUM if value < 0 else ATOM
        case Factor(_, operand):
            return level(operand)
        case Sum((only,)) | Times((only,)) | Hadamard((only,)):
            return level(only)
        case Apply(function="exp"):
            return TIGHT
    return _LEVELS.get(type(tree), ATOM)


def grouped_factor(parent: Expression, place: int, factor: Expression, count: int) -> bool:
    """Whether `factor`, number `place` of `count` in the product `parent`, takes parentheses.

    Products of one kind run on; of different kinds they are told apart: (W a) ⊙ f'(z), but 1/m (W a).

    >>> from handgrad.worked.expressions import Symbol
    >>> grouped_factor(Hadamard(()), 0, MatMul(Symbol("W"), Symbol("a")), 2)
    True
    """
    inner = factor.operand if isinstance(factor, Factor) else factor
    tightness = level(inner)
    if tightness != PRODUCT:
        leading_number = place == 0 and isinstance(inner, Literal | Number)
        return tightness < PRODUCT and not leading_number
    match parent, inner:
        case Times(sign=outer), Times(sign=nested):
            return nested and not outer
        case Times(), MatMul():
            return place < count - 1
        case (MatMul(), Times(sign=False)) | (MatMul(), MatMul()) | (Hadamard(), Hadamard()):
            return place > 0
    return True


def begins_with_number(tree: Expression) -> bool:
    """Whether a digit comes first, so that a sign must keep it apart from a number before it."""
    match tree:
        case Literal(text, substituted):
            return not (substituted and text.startswith("-"))
        case Number():
            return True
        case Factor(_, operand) | Power(operand):
            return begins_with_number(operand)
        case Times(factors) | Hadamard(factors):
            return begins_with_number(factors[0])
    return False


def holds_matrix(tree: Expression) -> bool:
    """Whether the tree is, or holds, a matrix of numbers: it may be wide and cannot be broken."""
    if isinstance(tree, LaidMatrix | Matrix | Grid):
        return True
    return any(holds_matrix(child) for child in children(tree))


def children(tree: Expression) -> tuple[Expression, ...]:
    """The expressions directly inside a node."""
    found: list[Expression] = []
    slots: tuple[str, ...] = tree.__slots__
    for name in slots:
        _collect(getattr(tree, name), found)
    return tuple(found)


def _collect(held: object, found: list[Expression]) -> None:
    if isinstance(held, Expression):
        found.append(held)
    elif isinstance(held, tuple):
        for item in held:
            _collect(item, found)
