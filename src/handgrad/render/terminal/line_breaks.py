"""Long lines of mathematics in text: where they break, and how a matrix narrows where they cannot."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from handgrad.render.document import LaidMatrix
from handgrad.render.math.parentheses import ATOM, BIG, TIGHT
from handgrad.render.terminal import textbox
from handgrad.render.terminal.math import BREAKS, Writer, binding, head, sigma
from handgrad.render.terminal.textbox import EMPTY, TextBox, beside, fenced, plain
from handgrad.worked.evaluate import map_tree
from handgrad.worked.expressions import (
    Apply,
    BigSum,
    Divide,
    Ellipsis,
    Expression,
    Hadamard,
    MatMul,
    Outer,
    SumOver,
    Times,
    Transpose,
)

PRODUCTS = (Times, MatMul, Hadamard, Outer)
ORPHAN = 6
"""A first factor of so few cells, such as 1/m, is not left alone at the end of a line."""
FEWEST_COLUMNS = 3
"""A matrix keeps its first and its last column, and the dots."""


def rows(writer: Writer, tree: Expression, width: int) -> list[TextBox]:
    """The tree in rows of at most `width` cells where it can be broken, a row for each."""
    box = writer.box(tree)
    if box.width <= width:
        return [box]
    return textbox.wrapped(_parts(writer, tree, width), width)


def _parts(writer: Writer, tree: Expression, width: int) -> Iterator[TextBox]:
    """Pieces between which a line may break, operators at the front of the later ones."""
    box = writer.box(tree)
    breaks = BREAKS.get(type(tree))
    if box.width <= width:
        yield box
    elif breaks is not None:
        before = EMPTY
        for place, (sign, part, least) in enumerate(breaks(tree)):
            front = beside(before, plain(f"{sign} " if place else sign.replace("+", "")))
            pieces = list(_led(front, _fenced_parts(writer, part, least, width - front.width)))
            before = EMPTY
            if not place and type(tree) in PRODUCTS and len(pieces) == 1 and pieces[0].width <= ORPHAN:
                before = pieces[0]  # a small first factor keeps the next one beside it
            else:
                yield from pieces
    elif isinstance(tree, Transpose | Apply) and type(_inner(tree)) in BREAKS:
        before, sign = _around(tree)
        pieces = list(_led(before, _fenced_parts(writer, _inner(tree), ATOM + 1, width - before.width)))
        pieces[-1] = beside(textbox.trimmed(pieces[-1]), plain(sign))
        yield from pieces
    elif isinstance(tree, SumOver | BigSum):
        front = sigma(writer, tree)
        body = tree.operand if isinstance(tree, SumOver) else tree.body
        yield from _led(front, _fenced_parts(writer, body, BIG, width - front.width))
    else:
        yield from _last_resort(writer, tree, width)


def _led(front: TextBox, pieces: list[TextBox]) -> Iterator[TextBox]:
    """The pieces with an operator before them and a blank behind."""
    yield from (beside(front, piece) if not place else piece for place, piece in enumerate(pieces[:-1]))
    last = pieces[-1] if len(pieces) > 1 else beside(front, pieces[-1])
    yield beside(last, plain(" "))


def _fenced_parts(writer: Writer, tree: Expression, least: int, width: int) -> list[TextBox]:
    """The pieces of a tree, in parentheses if it binds looser than `least`."""
    if binding(tree) >= least:
        return list(_parts(writer, tree, width))
    pieces = list(_parts(writer, tree, width - 2))
    if len(pieces) == 1:
        return [fenced(pieces[0])]
    last = textbox.trimmed(pieces[-1])
    first = beside(textbox.delimiter("(", pieces[0]), pieces[0])
    return [first, *pieces[1:-1], beside(last, textbox.delimiter(")", last))]


def _last_resort(writer: Writer, tree: Expression, width: int) -> Iterator[TextBox]:
    """Fewer columns in the matrices; if that does not do, a fraction on one line."""
    box = _narrow(writer, tree, width)
    if box.width <= width or not isinstance(tree, Divide):
        yield box
        return
    yield from _fenced_parts(writer, tree.numerator, TIGHT, width)
    least = ATOM if isinstance(tree.denominator, Divide) else TIGHT
    yield from _led(plain("/ "), _fenced_parts(writer, tree.denominator, least, width - 2))


def _narrow(writer: Writer, tree: Expression, width: int) -> TextBox:
    """The tree with fewer columns in its matrices, so that it fits if it can."""
    box = writer.box(tree)
    while box.width > width:
        widest = max((len(part.rows[0]) for part in _matrices(tree)), default=0)
        if widest < FEWEST_COLUMNS or (widest == FEWEST_COLUMNS and all(map(_has_dots, _matrices(tree)))):
            break
        tree = map_tree(tree, partial(_with_fewer_columns, most=widest))
        box = writer.box(tree)
    return box


def _inner(tree: Transpose | Apply) -> Expression:
    return tree.operand if isinstance(tree, Transpose) else tree.arguments[0]


def _around(tree: Transpose | Apply) -> tuple[TextBox, str]:
    """What stands before and behind the parentheses."""
    return (EMPTY, "ᵀ") if isinstance(tree, Transpose) else (head(tree), "")


def _matrices(tree: Expression) -> list[LaidMatrix]:
    found: list[LaidMatrix] = []

    def keep(part: Expression) -> Expression:
        if isinstance(part, LaidMatrix):
            found.append(part)
        return part

    map_tree(tree, keep)
    return found


def _has_dots(matrix: LaidMatrix) -> bool:
    return len(matrix.rows[0]) < FEWEST_COLUMNS or any(
        _is_dots(column) for column in zip(*matrix.rows, strict=True)
    )


def _is_dots(column: tuple[Expression, ...]) -> bool:
    return all(isinstance(entry, Ellipsis) and entry.direction != "vertical" for entry in column)


def _with_fewer_columns(tree: Expression, most: int) -> Expression:
    if (
        isinstance(tree, LaidMatrix)
        and len(tree.rows[0]) >= most
        and not (most == FEWEST_COLUMNS and _has_dots(tree))
    ):
        return without_a_column(tree)
    return tree


def without_a_column(matrix: LaidMatrix) -> LaidMatrix:
    """The matrix with one more column behind the dots."""
    columns = list(zip(*matrix.rows, strict=True))
    dots = [place for place, column in enumerate(columns) if _is_dots(column)]
    if dots:
        place = dots[0]
        del columns[place - 1 if place > 1 else place + 1]
    else:
        place = len(columns) // 2
        columns[place : place + (2 if len(columns) > FEWEST_COLUMNS else 1)] = [
            tuple(
                Ellipsis("diagonal" if isinstance(entry, Ellipsis) else "horizontal")
                for entry in columns[place]
            )
        ]
    return LaidMatrix(tuple(zip(*columns, strict=True)), matrix.shape, matrix.show_shape)
