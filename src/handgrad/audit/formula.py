"""Claims between the named quantities: `exp(-z2)`, `1 - yhat`, `W2[0,0] * a1[0,0]`, `delta2 @ W2`.

A formula is arithmetic over quantities as they stand in the arrays: one sample a row, entries counted from 0.
It is read with Python's own grammar and evaluated by the table below; nothing else is allowed in it.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from handgrad.errors import CaseError
from handgrad.nn.arrays import Array

LONGEST = 400

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.BitXor: operator.pow,
    ast.MatMult: operator.matmul,
}
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {ast.USub: operator.neg, ast.UAdd: operator.pos}
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "exp": np.exp,
    "ln": np.log,
    "log": np.log,
    "sqrt": np.sqrt,
    "abs": np.abs,
    "sum": np.sum,
    "mean": np.mean,
}


@dataclass(frozen=True)
class Formula:
    """A formula and the quantities that it names.

    >>> Formula.parse("exp(-z2)", "claims[0]").names
    ('z2',)

    Raises CaseError for what is no formula, naming `place`.
    """

    text: str
    tree: ast.expr
    names: tuple[str, ...]

    @classmethod
    def parse(cls, text: str, place: str) -> Formula:
        """The formula that `text` says."""
        if len(text) > LONGEST:
            raise CaseError(f"{place}: a formula has at most {LONGEST} letters, this one has {len(text)}")
        try:
            # ^ binds as a power on paper, and as something else in Python
            tree = ast.parse(text.replace("^", "**"), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise CaseError(
                f"{place}: {text[:60]!r} is neither a quantity nor a formula; "
                "write names such as z1, dW2 or loss, or arithmetic over them such as exp(-z2)"
            ) from error
        names: dict[str, None] = {}
        _check(tree, names, place, text)
        return cls(text, tree, tuple(names))

    def __call__(self, quantities: Mapping[str, Array]) -> Array:
        """The value, from the quantities by name; KeyError where one is not there."""
        with np.errstate(all="ignore"):
            return np.asarray(_value(self.tree, quantities), dtype=np.float64)


def _check(node: ast.expr, names: dict[str, None], place: str, text: str) -> None:
    """Raises CaseError for a node that is not in the tables; gathers the names in their order."""
    children: list[ast.expr] = []
    match node:
        case ast.BinOp(left, op, right) if type(op) in _BINARY:
            children = [left, right]
        case ast.UnaryOp(op, operand) if type(op) in _UNARY:
            children = [operand]
        case ast.Call(ast.Name(name), arguments, []) if name in _FUNCTIONS and arguments:
            children = arguments
        case ast.Subscript(ast.Name(name), index):
            names[name] = None
            _index(index, place, text)
        case ast.Attribute(value, "T"):
            children = [value]
        case ast.Name(name):
            names[name] = None
        case ast.Constant(value) if isinstance(value, int | float) and not isinstance(value, bool):
            pass
        case _:
            raise CaseError(
                f"{place}: {text[:60]!r} is neither a quantity nor a formula over quantities; a formula has "
                f"+ - * / ^ @, .T, entries such as a1[0,1], and {', '.join(_FUNCTIONS)}"
            )
    for child in children:
        _check(child, names, place, text)


def _index(node: ast.expr, place: str, text: str) -> tuple[int, ...]:
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    numbers = [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, int)]
    if len(numbers) != len(parts):
        raise CaseError(f"{place}: {text[:60]!r}: an entry is named by whole numbers from 0, such as a1[0,1]")
    return tuple(numbers)


def _value(node: ast.expr, quantities: Mapping[str, Array]) -> Any:  # noqa: PLR0911  one kind of node a line
    match node:
        case ast.BinOp(left, op, right):
            return _BINARY[type(op)](_value(left, quantities), _value(right, quantities))
        case ast.UnaryOp(op, operand):
            return _UNARY[type(op)](_value(operand, quantities))
        case ast.Call(ast.Name(name), arguments, _):
            first, *axes = (_value(argument, quantities) for argument in arguments)
            return _FUNCTIONS[name](first, *(int(axis) for axis in axes))
        case ast.Subscript(ast.Name(name), index):
            return np.asarray(quantities[name])[_index(index, name, name)]
        case ast.Attribute(value, _):
            return np.asarray(_value(value, quantities)).T
        case ast.Name(name):
            return np.asarray(quantities[name], dtype=np.float64)
        case ast.Constant(value):
            return float(value)  # type: ignore[arg-type]
    raise AssertionError(node)
