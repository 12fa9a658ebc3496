"""Mutants of a module: the same tree with one operator, sign, index, constant or transpose changed.

What is only said (messages of errors, docstrings, annotations) is left alone, because it does nothing; so are guards
against errors of programming (`assert`, `zip(strict=True)`, `frozen=True`), whose absence no result shows.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass

OPERATORS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Div,
    ast.Mod: ast.Mult, ast.Pow: ast.Mult, ast.MatMult: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitAnd, ast.LShift: ast.RShift, ast.RShift: ast.LShift, ast.And: ast.Or, ast.Or: ast.And,
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
SIGNS = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**",
    ast.MatMult: "@", ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^", ast.LShift: "<<", ast.RShift: ">>",
    ast.And: "and", ast.Or: "or", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==",
    ast.NotEq: "!=", ast.Is: "is", ast.IsNot: "is not", ast.In: "in", ast.NotIn: "not in",
}  # fmt: skip
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_GUARDS = ("strict", "frozen")
_BODIES = ("body", "orelse", "finalbody", "handlers", "cases")


@dataclass(frozen=True)
class Mutant:
    """One change: where it is, what it is, and whether it acts only while the module is imported."""

    function: str
    line: int
    first: int
    last: int
    """The lines of the statement, or of the head of a compound one: tests that never reach them cannot tell."""
    text: str
    """The line as it stands."""
    change: str
    at_import: bool
    path: tuple[tuple[str, int | None], ...]
    """The way from the tree's root to the node, as fields and places in lists."""
    edit: str
    part: int = 0

    def applied(self, tree: ast.Module) -> ast.Module:
        """A copy of the tree with this change in it."""
        changed = deepcopy(tree)
        if not self.path:
            return changed
        owner: ast.AST = changed
        for name, place in self.path[:-1]:
            owner = _child(owner, name, place)
        name, place = self.path[-1]
        node = _edited(_child(owner, name, place), self.edit, self.part)
        if place is None:
            setattr(owner, name, node)
        else:
            getattr(owner, name)[place] = node
        return ast.fix_missing_locations(changed)


def _child(owner: ast.AST, name: str, place: int | None) -> ast.AST:
    held = getattr(owner, name)
    child: ast.AST = held if place is None else held[place]
    return child


def mutants(source: str) -> list[Mutant]:
    """Every mutant of the source of a module, from its first line to its last.

    >>> [mutant.change for mutant in mutants("def half(x):\\n    return -x / 2")]
    ['/ -> *', '-x -> x', '2 -> 3']
    """
    return list(_Walk(source.splitlines()).of(ast.parse(source), (), "", True, (0, 0)))


def unchanged(at_import: bool) -> Mutant:
    """The mutant that changes nothing."""
    return Mutant("", 0, 0, 0, "", "", at_import, (), "")


class _Walk:
    def __init__(self, lines: list[str]) -> None:
        self.lines = lines

    def of(
        self,
        node: ast.AST,
        path: tuple[tuple[str, int | None], ...],
        function: str,
        at_import: bool,
        span: tuple[int, int],
    ) -> Iterator[Mutant]:
        """The mutants at a node and below it."""
        for edit, part, change in _edits(node):
            line = node.lineno  # type: ignore[attr-defined]
            text = self.lines[line - 1].strip()
            yield Mutant(function, line, *span, text, change, at_import, path, edit, part)
        for name, place, child in _children(node):
            if _only_said(node, name, child):
                continue
            inside = isinstance(node, _FUNCTIONS) and name == "body"
            within = f"{function}.{_name(node)}".strip(".") if _name(node) and name == "body" else function
            reach = span
            if isinstance(child, ast.stmt | ast.expr) and (
                isinstance(child, ast.stmt | ast.Lambda)
                or (isinstance(node, ast.stmt) and _compound(node))
                or span == (0, 0)
            ):
                reach = (child.lineno, child.end_lineno or child.lineno)
            yield from self.of(child, (*path, (name, place)), within, at_import and not inside, reach)


def _children(node: ast.AST) -> Iterator[tuple[str, int | None, ast.AST]]:
    for name, held in ast.iter_fields(node):
        if isinstance(held, ast.AST):
            yield name, None, held
        elif isinstance(held, list):
            yield from (
                (name, place, child) for place, child in enumerate(held) if isinstance(child, ast.AST)
            )


def _name(node: ast.AST) -> str:
    return node.name if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) else ""


def _compound(node: ast.stmt) -> bool:
    return any(hasattr(node, body) for body in _BODIES)


def _only_said(node: ast.AST, name: str, child: ast.AST) -> bool:
    """True for what changes no behaviour: annotations, docstrings, messages of errors, guards, names for import."""
    if name in ("annotation", "returns", "type_params"):
        return True
    if isinstance(child, ast.Expr):
        return isinstance(child.value, ast.Constant)
    if isinstance(child, ast.keyword):
        return child.arg in _GUARDS
    if isinstance(child, ast.BinOp) and isinstance(node, ast.Call) and name == "args":
        return ast.unparse(node.func) in ("isinstance", "cast")
    if isinstance(child, ast.Assign | ast.AnnAssign):
        return "TypeAlias" in ast.unparse(child) or ast.unparse(child).startswith("__all__")
    typing = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
    return typing or isinstance(child, ast.Raise | ast.Assert | ast.JoinedStr)


def _edits(node: ast.AST) -> Iterator[tuple[str, int, str]]:
    """(kind of change, which part of the node, how it reads)."""
    if isinstance(node, ast.BinOp | ast.BoolOp | ast.AugAssign) and type(node.op) in OPERATORS:
        other = OPERATORS[type(node.op)]
        yield "operator", 0, f"{SIGNS[type(node.op)]} -> {SIGNS[other]}"
    if isinstance(node, ast.Compare):
        for part, operator in enumerate(node.ops):
            yield "comparison", part, f"{SIGNS[type(operator)]} -> {SIGNS[OPERATORS[type(operator)]]}"
            for side in (node.left, *node.comparators)[part : part + 2]:
                if isinstance(side, ast.Constant) and isinstance(side.value, str):
                    yield "word", part, f"{side.value!r} -> {side.value + '~'!r}"
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Not | ast.Invert):
        yield "sign", 0, f"{ast.unparse(node)} -> {ast.unparse(node.operand)}"
    if isinstance(node, ast.Constant) and isinstance(node.value, bool | int | float):
        yield "constant", 0, f"{node.value!r} -> {_other(node.value)!r}"
    if isinstance(node, ast.Attribute) and node.attr == "T":
        yield "transpose", 0, f"{ast.unparse(node)} -> {ast.unparse(node.value)}"
    if isinstance(node, ast.If | ast.IfExp | ast.While) and isinstance(
        node.test, ast.Name | ast.Attribute | ast.Call
    ):
        test = ast.unparse(node.test)
        yield "test", 0, f"if {test} -> if not {test}"


def _other(value: bool | int | float) -> bool | int | float:
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int) else value * 1.5 or 1.0


def _edited(node: ast.AST, edit: str, part: int) -> ast.AST:
    if edit == "operator":
        assert isinstance(node, ast.BinOp | ast.BoolOp | ast.AugAssign)
        node.op = OPERATORS[type(node.op)]()  # type: ignore[assignment]
    elif edit == "comparison":
        assert isinstance(node, ast.Compare)
        node.ops[part] = OPERATORS[type(node.ops[part])]()  # type: ignore[call-overload]
    elif edit == "word":
        assert isinstance(node, ast.Compare)
        for side in (node.left, *node.comparators)[part : part + 2]:
            if isinstance(side, ast.Constant) and isinstance(side.value, str):
                side.value += "~"
    elif edit == "sign":
        assert isinstance(node, ast.UnaryOp)
        return node.operand
    elif edit == "constant":
        assert isinstance(node, ast.Constant)
        assert isinstance(node.value, bool | int | float)
        node.value = _other(node.value)
    elif edit == "transpose":
        assert isinstance(node, ast.Attribute)
        return node.value
    else:
        assert isinstance(node, ast.If | ast.IfExp | ast.While)
        node.test = ast.copy_location(ast.UnaryOp(ast.Not(), node.test), node.test)
    return node
