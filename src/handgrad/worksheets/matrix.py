"""One matrix calculation, worked out operation by operation, with the shapes that meet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from handgrad.errors import SpecificationError, VerificationError
from handgrad.nn.arrays import Array
from handgrad.render.document import Block, Document, Formula, Heading, Paragraph
from handgrad.render.layout.elision import Display, Limits
from handgrad.worked.evaluate import evaluate
from handgrad.worked.expressions import (
    Apply,
    Expression,
    Grid,
    Hadamard,
    MatMul,
    Matrix,
    Negative,
    Number,
    Outer,
    Sum,
    Times,
    Transpose,
)
from handgrad.worked.substitute import node, products_worked_out
from handgrad.worksheets.matrix_text import parse
from handgrad.writing.letter_parts import Notation
from handgrad.writing.numerals import Precision
from handgrad.writing.phrasebook import Phrasebook, chosen_language, decimal_mark

MOST_WRITTEN_OUT = 36
"""A result with more entries is not written out entry by entry."""
MOST_TERMS = 8
"""A sum of more products than this is not written out."""

Shape = tuple[int, int]


@dataclass(frozen=True)
class Operation:
    """One operation: its tree with the numbers of its operands, entry by entry, its result, the shapes that meet."""

    name: str
    tree: Expression
    written_out: Expression | None
    result: Number | Matrix
    operands: tuple[Shape, ...]

    @property
    def shape(self) -> Shape:
        """(rows, columns) of the result."""
        return _shape(self.result)


@dataclass(frozen=True)
class MatrixSheet:
    """A calculation and its operations in the order in which they are done.

    >>> sheet = MatrixSheet.of("[10 20 30 40] . [0; 1; 2; 3]")
    >>> sheet.result.tolist(), [operation.name for operation in sheet.operations]
    ([[200.0]], ['dot'])
    """

    text: str
    operations: tuple[Operation, ...]
    final: Number | Matrix

    @classmethod
    def of(cls, text: str) -> MatrixSheet:
        """Reads and works out a calculation written as text.

        Raises SpecificationError where it cannot be read, or shapes do not fit: it names both.
        """
        operations: list[Operation] = []
        final = _work(parse(text), operations)
        return cls(text.strip(), tuple(operations), final)

    @property
    def result(self) -> Array:
        """The result, two dimensions."""
        return evaluate(self.final)

    def as_json(self) -> dict[str, Any]:
        """Every operation with its shapes and its result, as `matrix --json` prints it."""
        return {
            "calculation": self.text,
            "shape": list(_shape(self.final)),
            "result": self.result.tolist(),
            "steps": [
                {
                    "operation": operation.name,
                    "operands": [list(shape) for shape in operation.operands],
                    "shape": list(operation.shape),
                    "result": evaluate(operation.result).tolist(),
                }
                for operation in self.operations
            ],
        }

    def document(self, digits: int = 4, language: str | None = None) -> Document:
        """The sheet, ready for any medium."""
        chosen = chosen_language(language)
        words = Phrasebook(chosen)
        display = Display(Precision(digits, decimal=decimal_mark(chosen)), Limits())
        title = words.text("matrix_title")
        blocks: list[Block] = [Heading(1, (title,), "title")]
        if not self.operations:
            blocks.append(Formula(display.tree(self.final), ()))
        for place, operation in enumerate(self.operations, 1):
            name = words.text(f"matrix_{operation.name}")
            blocks.append(Heading(2, (f"{place}. {name}",), f"step-{place}"))
            blocks.append(Paragraph((words.text(f"matrix_{operation.name}_how"),)))
            blocks.append(_formula(operation, display))
            blocks.append(Paragraph((_meeting(operation, words),), "note"))
        if self.operations and isinstance(self.final, Matrix):
            rows, columns = _shape(self.final)
            closing = words.say("matrix_result", rows=rows, columns=columns)
            blocks.append(Paragraph(closing, "observation"))
        return Document(title, chosen, tuple(blocks), Notation(decimal=decimal_mark(chosen)))


def _formula(operation: Operation, display: Display) -> Formula:
    forms: list[Expression] = [operation.result]
    if operation.written_out is not None:
        forms = [*_in_stages(operation.written_out), operation.result]
    signs = ["=" if display.exact(form) else "~" for form in forms]
    return Formula(
        display.tree(operation.tree),
        tuple((sign, display.tree(form)) for sign, form in zip(signs, forms, strict=True)),
    )


def _in_stages(written_out: Expression) -> list[Expression]:
    """The sums of products as they are, then with each product worked out: 2 x 3 + 4 x 5 is 6 + 20."""
    if not isinstance(written_out, Grid):
        worked = products_worked_out(written_out)
    else:
        worked = Grid(tuple(tuple(map(products_worked_out, row)) for row in written_out.rows))
    products = any(isinstance(part, Times) for part in _terms(written_out))
    return [written_out, worked] if products and worked != written_out else [written_out]


def _terms(tree: Expression) -> Iterator[Expression]:
    """The terms of a sum, or of the sums in a table of them."""
    if isinstance(tree, Grid):
        for row in tree.rows:
            for entry in row:
                yield from _terms(entry)
    elif isinstance(tree, Sum):
        yield from tree.terms


def _meeting(operation: Operation, words: Phrasebook) -> str:
    shapes = " , ".join(f"{rows} × {columns}" for rows, columns in operation.operands)
    rows, columns = operation.shape
    return words.text("matrix_shapes", operands=shapes.replace(" , ", ", "), shape=f"{rows} × {columns}")


def _shape(tree: Expression) -> Shape:
    return tree.shape if isinstance(tree, Matrix) else (1, 1)


def _work(tree: Expression, operations: list[Operation]) -> Number | Matrix:
    """The value of a tree; each operation below it, then its own, is added to the list."""
    if isinstance(tree, Number | Matrix):
        return tree
    if isinstance(tree, Negative) and isinstance(tree.operand, Number):
        return Number(-tree.operand.value, exact=True)
    done = _with_parts(tree, operations)
    shapes = tuple(_shape(_bare(part)) for part in _parts(done))
    name = _name(done, shapes)
    if isinstance(done, MatMul) and name == "dot" and shapes[0] == shapes[1] != (1, 1):
        upright = shapes[0][1] == 1  # two columns, or two rows: one of them is turned
        done = (
            MatMul(Transpose(done.left), done.right) if upright else MatMul(done.left, Transpose(done.right))
        )
    result = node(evaluate(done))
    result = replace(result, exact=True) if isinstance(result, Number) else result
    written_out = _written_out(name, done)
    if written_out is not None and not np.allclose(
        evaluate(written_out), evaluate(result), rtol=1e-12, atol=0, equal_nan=True
    ):
        raise VerificationError(f"{name}: entry by entry the result is another one; this is a defect")
    operations.append(Operation(name, done, written_out, result, shapes))
    return result


def _with_parts(tree: Expression, operations: list[Operation]) -> Expression:
    """The operation with the values of its operands in their places."""
    changes: dict[str, Any] = {}
    for field in fields(tree):
        held = getattr(tree, field.name)
        if isinstance(held, Expression):
            changes[field.name] = _work(held, operations)
        elif isinstance(held, tuple) and held and isinstance(held[0], Expression):
            changes[field.name] = tuple(_term(part, operations) for part in held)
    changed: Expression = replace(tree, **changes)
    return changed


def _term(part: Expression, operations: list[Operation]) -> Expression:
    """A term of a sum: its minus is part of the sum, not an operation."""
    if isinstance(part, Negative):
        return Negative(_work(part.operand, operations))
    return _work(part, operations)


def _parts(tree: Expression) -> tuple[Expression, ...]:
    match tree:
        case Sum(parts) | Times(parts) | Hadamard(parts):
            return parts
        case MatMul(left, right) | Outer(left, right):
            return (left, right)
        case Transpose(operand) | Negative(operand):
            return (operand,)
        case Apply(_, arguments):
            return arguments
    raise SpecificationError(f"a matrix calculation does not know {type(tree).__name__}")


def _bare(tree: Expression) -> Expression:
    return tree.operand if isinstance(tree, Negative) else tree


def _name(tree: Expression, shapes: tuple[Shape, ...]) -> str:
    """What the operation is called.

    Raises SpecificationError where the shapes of its operands do not fit.
    """
    match tree:
        case Outer():
            if any(min(shape) > 1 for shape in shapes):
                raise _misfit("an outer product takes two vectors", shapes)
            return "outer"
        case MatMul():
            return _product(shapes)
        case Hadamard() | Sum():
            if len({shape for shape in shapes if shape != (1, 1)}) > 1 and not _broadcasts(tree, shapes):
                raise _misfit("entry by entry takes two of the same shape", shapes)
            return "hadamard" if isinstance(tree, Hadamard) else "sum"
    return _NAMES.get(type(tree), "applied")


_NAMES: dict[type[Expression], str] = {Times: "scaled", Transpose: "transpose", Negative: "negative"}


def _broadcasts(tree: Expression, shapes: tuple[Shape, ...]) -> bool:
    """A column added to each column of a matrix, as a bias is."""
    rows, columns = (max(sizes) for sizes in zip(*shapes, strict=True))
    return isinstance(tree, Sum) and all(
        shape[0] in (1, rows) and shape[1] in (1, columns) for shape in shapes
    )


def _product(shapes: tuple[Shape, ...]) -> str:
    (m, n), (p, q) = shapes
    if (1, 1) in shapes:
        return "scaled"
    vectors = min(m, n) == 1 and min(p, q) == 1
    if vectors and m * n == p * q and (n == p == m * n or (m, n) == (p, q)):
        return "dot"
    if n != p:
        raise _misfit("the columns of the left matrix must be as many as the rows of the right one", shapes)
    return "product"


def _misfit(rule: str, shapes: tuple[Shape, ...]) -> SpecificationError:
    came = " and ".join(f"{rows} x {columns}" for rows, columns in shapes)
    return SpecificationError(f"{rule}, got {came}; transpose one with ' or correct the numbers")


# --- entry by entry ---------------------------------------------------------------------------------------


def _written_out(name: str, tree: Expression) -> Expression | None:
    """The result with each entry as its own small calculation; None where that shows nothing or too much."""
    match tree:
        case MatMul(left, right) if name in ("product", "dot"):
            entries = _products(evaluate(left), evaluate(right))
        case Outer(left, right):
            column, row = evaluate(left).reshape(-1, 1), evaluate(right).reshape(1, -1)
            entries = _products(column, row)
        case Hadamard(factors):
            entries = _each(factors, lambda parts: Times(parts, sign=True))
        case Sum(terms):
            signs = [isinstance(term, Negative) for term in terms]
            entries = _each(
                tuple(_bare(term) for term in terms),
                lambda parts: Sum(tuple(Negative(p) if s else p for p, s in zip(parts, signs, strict=True))),
            )
        case Times(factors):
            entries = _each(factors, lambda parts: Times(parts, sign=True))
        case _:
            return None
    rows = tuple(entries)
    if sum(map(len, rows)) > MOST_WRITTEN_OUT or not rows or rows[0][0] is None:
        return None
    whole = tuple(tuple(entry for entry in row if entry is not None) for row in rows)
    return whole[0][0] if sum(map(len, whole)) == 1 else Grid(whole)


def _products(left: Array, right: Array) -> Iterator[list[Expression | None]]:
    """Entry (i, j): the products of row i with column j, added up."""
    if left.shape[1] > MOST_TERMS:
        return
    for row in left:
        yield [_sum_of_products(row, column) for column in right.T]


def _sum_of_products(row: Array, column: Array) -> Expression:
    terms = tuple(Times((_number(a), _number(b)), sign=True) for a, b in zip(row, column, strict=True))
    return terms[0] if len(terms) == 1 else Sum(terms)


def _each(parts: tuple[Expression, ...], join: Any) -> Iterator[list[Expression | None]]:
    arrays = np.broadcast_arrays(*(evaluate(part) for part in parts))
    if arrays[0].size == 1:
        return
    for i in range(arrays[0].shape[0]):
        yield [join(tuple(_number(array[i, j]) for array in arrays)) for j in range(arrays[0].shape[1])]


def _number(value: float) -> Number:
    return Number(float(value))
