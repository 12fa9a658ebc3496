"""Trees and worked steps in one line of plain text each, so that tests can say in a table what a sheet holds.

Letters stand by their names (W1, dloss/dW1, delta2[k](i) for entry k of sample i, W1.m.old), constants of a formula by
their value, numbers that were put in by # alone or with their shape (#2x3): what they are worth, `verify` says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

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
)
from handgrad.worked.record import Equation, StepRecord, Words, WorkedStep

LOOSE = {
    Sum: 1,
    Negative: 1,
    Relation: 0,
    Times: 2,
    MatMul: 2,
    Hadamard: 2,
    Outer: 2,
    Divide: 2,
    BigSum: 1,
    SumOver: 2,
}
"""How loosely a node holds together; the others, 3, need no parentheses."""


def plain(tree: Expression | None) -> str:
    """A tree as a line.

    >>> plain(Sum((MatMul(Symbol("W", 1), Symbol("x")), Negative(Symbol("b", 1)))))
    'W1 . x - b1'
    """
    return "" if tree is None else RULES[type(tree)](tree)


def _in(tree: Expression, least: int) -> str:
    return f"({plain(tree)})" if LOOSE.get(type(tree), 3) < least else plain(tree)


def _symbol(symbol: Symbol) -> str:
    entry = f"[{','.join(map(str, symbol.entry))}]" if symbol.entry else ""
    sample = "" if symbol.sample is None else f"({symbol.sample})"
    mark = f".{symbol.mark}" if symbol.mark else ""
    layer = "" if symbol.layer is None else symbol.layer
    return f"{symbol.letter}{layer}{entry}{sample}{mark}{'.old' if symbol.old else ''}"


def _number(number: Number) -> str:
    return f"{number.value:g}" if number.exact else "#~" if number.dust else "#"


def _sum(tree: Sum) -> str:
    first, *others = tree.terms
    return _in(first, 1) + "".join(
        f" - {_in(term.operand, 2)}" if isinstance(term, Negative) else f" + {_in(term, 1)}"
        for term in others
    )


def _apply(tree: Apply) -> str:
    inside = ", ".join(map(plain, tree.arguments))
    with_what = "".join(f"; {plain(parameter)}" for parameter in tree.parameters)
    return f"{tree.function}{'_' if tree.axis else ''}({inside}{with_what})"


def _big_sum(tree: BigSum) -> str:
    return f"sum {tree.index}={plain(tree.first)}..{plain(tree.last)} {_in(tree.body, 2)}"


def _sum_over(tree: SumOver) -> str:
    along = {None: "all", 0: "down", 1: "across"}[tree.axis]
    return f"{'mean' if tree.mean else 'total'}[{along} {tree.index}]({plain(tree.operand)})"


def _cases(tree: Cases) -> str:
    branches = (
        plain(value) + ("" if test is None else f" if {plain(test)}") for value, test in tree.branches
    )
    return f"{{{'; '.join(branches)}}}"


def _joined(sign: str, least: int = 3) -> Callable[[Any], str]:
    return lambda tree: sign.join(_in(part, least) for part in _operands(tree))


def _operands(tree: Any) -> Iterable[Expression]:
    return (tree.left, tree.right) if isinstance(tree, MatMul | Outer) else tree.factors


RULES: dict[type[Expression], Callable[[Any], str]] = {
    Symbol: _symbol,
    Gradient: lambda tree: f"d{plain(tree.of)}/d{plain(tree.by)}",
    Number: _number,
    Matrix: lambda tree: f"#{tree.shape[0]}x{tree.shape[1]}{'' if tree.dust is None else '~'}",
    Grid: lambda tree: "[" + "; ".join(", ".join(map(plain, row)) for row in tree.rows) + "]",
    Sum: _sum,
    Negative: lambda tree: f"-{_in(tree.operand, 2)}",
    Times: lambda tree: (" x " if tree.sign else " ").join(_in(factor, 2) for factor in tree.factors),
    MatMul: _joined(" . "),
    Hadamard: _joined(" * "),
    Outer: _joined(" o "),
    Transpose: lambda tree: f"{_in(tree.operand, 3)}^T",
    Divide: lambda tree: f"{_in(tree.numerator, 3)} / {_in(tree.denominator, 3)}",
    Power: lambda tree: f"{_in(tree.base, 3)}^{_in(tree.exponent, 3)}",
    Root: lambda tree: f"root({plain(tree.operand)})",
    Norm: lambda tree: f"norm{tree.order}({plain(tree.operand)})",
    Apply: _apply,
    Factor: lambda tree: f"<{tree.label}: {plain(tree.operand)}>",
    BigSum: _big_sum,
    SumOver: _sum_over,
    Relation: lambda tree: f"{plain(tree.left)} {tree.sign} {plain(tree.right)}",
    Cases: _cases,
}


def said(words: Words | None) -> str:
    """A sentence by its key, with what fills its places: numbers to four digits."""
    if words is None:
        return ""
    return " ".join([words.key, *(f"{name}={_argument(value)}" for name, value in words.arguments)])


def _argument(value: Any) -> str:
    if isinstance(value, Expression):
        return plain(value)
    if isinstance(value, Words):
        return f"({said(value)})"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def letters(equation: Equation) -> str:
    """target = (scheme) = forms in letters."""
    scheme = [] if equation.scheme is None else [f"({plain(equation.scheme)})"]
    return " = ".join([plain(equation.target), *scheme, *map(plain, equation.symbols)])


def whole(equation: Equation) -> str:
    """The equation with its lines of numbers and its result."""
    result = [] if equation.result is None else [plain(equation.result)]
    return " = ".join([letters(equation), *map(plain, equation.numbers), *result])


def shapes(step: WorkedStep) -> str:
    """The shapes that meet in a step."""
    return ", ".join(f"{plain(shape.symbol)} {shape.rows}x{shape.columns}" for shape in step.shapes)


def _details(step: WorkedStep) -> Iterator[tuple[str, str]]:
    yield from (("scalar", whole(equation)) for equation in step.scalar)
    if step.left_out:
        yield "left out", str(step.left_out)
    yield from (("factor", whole(equation)) for equation in step.factors)
    if step.check is not None:
        yield "check", whole(step.check)
    yield from (("route", whole(equation)) for equation in step.route)
    if step.rule is not None:
        yield "rule", plain(step.rule)
    if step.remark is not None:
        yield "remark", said(step.remark)


def in_lines(step: WorkedStep) -> list[str]:
    """All of a worked step: where it stands and why, its equation, its shapes, its details."""
    layer = "" if step.layer is None else f" {step.layer}"
    head = f"{step.quantity} [{step.part}{layer}] {said(step.reason)}".rstrip()
    lines = [head, f"  {whole(step.equation)}"]
    if step.shapes:
        lines.append(f"  shapes {shapes(step)}")
    return lines + [f"  {kind}: {text}" for kind, text in _details(step)]


def steps_in_lines(record: StepRecord) -> list[str]:
    """Every step of a record, one after the other."""
    return [line for step in record.steps for line in in_lines(step)]
