"""Mathematics in text: a rule for each kind of node."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from handgrad.diagram.palette import kind_of
from handgrad.errors import RenderError
from handgrad.render.document import LaidMatrix, Literal
from handgrad.render.math.parentheses import ATOM, BIG, PRODUCT, SUM, TIGHT, level
from handgrad.render.terminal import textbox
from handgrad.render.terminal.textbox import EMPTY, TextBox, beside, fenced, plain
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
from handgrad.writing.letter_parts import Notation, digits_in
from handgrad.writing.letters import function_written, lowered, raised
from handgrad.writing.letters import plain as symbol_text

MINUS = "\u2212"
SIGNS = {"=": "=", "<": "<", ">": ">", "<=": "≤", ">=": "≥", "!=": "≠", "~": "≈", ":=": ":="}
DOTS = {"horizontal": "⋯", "vertical": "⋮", "diagonal": "⋱"}
WIDEST_LABEL = 14
_KEPT = 4096


@dataclass(frozen=True)
class Writer:
    """Writes trees as boxes of text; `words` says 'if' and 'otherwise' in the reader's language."""

    notation: Notation
    words: Callable[[str], str] = str
    made: dict[int, tuple[Expression, TextBox]] = field(default_factory=dict, compare=False, repr=False)
    """Boxes of late, by the identity of their trees: a formula is measured before it is set."""

    def box(self, tree: Expression) -> TextBox:
        """The tree as a box.

        Raises RenderError for a kind of node without a rule.
        """
        known = self.made.get(id(tree))
        if known is not None:
            return known[1]
        if len(self.made) >= _KEPT:
            self.made.clear()
        box = self.boxed(tree)
        self.made[id(tree)] = tree, box  # with the tree, whose identity would be another's otherwise
        return box

    def boxed(self, tree: Expression) -> TextBox:
        """The same, made anew."""
        rule = RULES.get(type(tree))
        if rule is None:
            raise RenderError(
                f"the terminal has no rule for {type(tree).__name__}; add one to RULES in {__name__}"
            )
        return rule(self, tree)

    def within(self, tree: Expression, least: int) -> TextBox:
        """The tree, in parentheses if it binds looser than `least`."""
        box = self.box(tree)
        return fenced(box) if binding(tree) < least else box


def binding(tree: Expression) -> int:
    """How tightly a tree binds; a sum with a label under it stands in parentheses already."""
    labelled = isinstance(tree, Factor) and isinstance(tree.operand, Sum | Negative | Relation)
    return ATOM if labelled else level(tree)


Break = Iterator[tuple[str, Expression, int]]


def _sum_breaks(tree: Sum) -> Break:
    for place, term in enumerate(tree.terms):
        if isinstance(term, Negative):
            yield MINUS, term.operand, BIG
        else:
            yield "+", term, SUM + (1 if place and isinstance(term, Sum) else 0)


def _product_breaks(sign: str, factors: tuple[Expression, ...], same: type[Expression]) -> Break:
    for place, factor in enumerate(factors):
        inner = factor.operand if isinstance(factor, Factor) else factor
        open_end = isinstance(inner, BigSum | SumOver) and place < len(factors) - 1
        # a sum over an index has no end of its own: before another factor it takes parentheses
        yield (sign if place else ""), factor, TIGHT if open_end else _least(factor, same, place)


def _least(factor: Expression, same: type[Expression], place: int) -> int:
    """What a factor must bind at least: products of another kind take parentheses; a number at the front takes none."""
    inner = factor.operand if isinstance(factor, Factor) else factor
    if place == 0 and isinstance(inner, Literal | Number):
        return SUM
    if isinstance(factor, same):
        return PRODUCT
    if same is Times and isinstance(factor, MatMul | Outer | BigSum | SumOver):
        return BIG
    return TIGHT


BREAKS: dict[type[Expression], Callable[[Any], Break]] = {
    Sum: _sum_breaks,
    Negative: lambda tree: iter([(MINUS, tree.operand, BIG)]),
    Times: lambda tree: _product_breaks(_times_sign(tree), tree.factors, Times),
    Hadamard: lambda tree: _product_breaks("⊙", tree.factors, Hadamard),
    MatMul: lambda tree: _product_breaks("·", (tree.left, tree.right), MatMul),
    Outer: lambda tree: _product_breaks("⊗", (tree.left, tree.right), Outer),
}
"""Where a line of each kind may break: sign, part, and what the part must bind at least."""


def _times_sign(tree: Times) -> str:
    """Numbers are multiplied by ×, in letters and with the numbers put in; the point is the product of matrices."""
    return "×"


def _product(writer: Writer, tree: Any) -> TextBox:
    boxes: list[TextBox] = []
    for place, (sign, factor, least) in enumerate(BREAKS[type(tree)](tree)):
        box = writer.within(factor, least)
        boxes.extend((plain(f" {sign} "), box) if place else (box,))
    return beside(*boxes)


def _sum(writer: Writer, tree: Sum) -> TextBox:
    boxes: list[TextBox] = []
    for place, (sign, term, least) in enumerate(_sum_breaks(tree)):
        front = f" {sign} " if place else sign.replace("+", "")
        boxes.extend((plain(front), writer.within(term, least)))
    return beside(*boxes)


def _symbol(writer: Writer, tree: Symbol) -> TextBox:
    text = digits_in(symbol_text(tree, writer.notation), writer.notation.numerals)
    return plain(text, kind_of(name_of(tree)))


def _literal(writer: Writer, tree: Literal) -> TextBox:
    text = tree.text.replace("-", MINUS)
    return plain(f"({text})" if tree.substituted and text.startswith(MINUS) else text)


def _number(writer: Writer, tree: Number) -> TextBox:
    return plain(digits_in(f"{tree.value:g}".replace("-", MINUS), writer.notation.numerals))


def _entries(writer: Writer, rows: tuple[tuple[Expression, ...], ...]) -> TextBox:
    boxes = [[writer.box(entry) for entry in row] for row in rows]
    columns = list(zip(*rows, strict=True))
    align = ["r" if any(map(_is_number, column)) else "c" for column in columns]
    for column, entries in enumerate(columns):
        behind = textbox.blanks_behind([row[column] for row in boxes])
        for line, blanks in zip(boxes, behind, strict=True):
            line[column] = beside(line[column], plain(" " * blanks))
        width = max(line[column].width for line in boxes)
        for row, entry in enumerate(entries):
            if isinstance(entry, Ellipsis):
                boxes[row][column] = textbox.centred(boxes[row][column], width)
    return textbox.grid(boxes, align)


def _is_number(entry: Expression) -> bool:
    """Digits, perhaps times a power of ten."""
    match entry:
        case Literal() | Times((Literal(), Power(Literal(), Literal()))):
            return True
    return False


def _laid_matrix(writer: Writer, tree: LaidMatrix) -> TextBox:
    box = fenced(_entries(writer, tree.rows), "[", "]")
    if not tree.show_shape:
        return box
    return textbox.annotated(
        box, plain(digits_in(f"{tree.shape[0]}×{tree.shape[1]}", writer.notation.numerals), "shape")
    )


def _grid(writer: Writer, tree: Grid) -> TextBox:
    return fenced(_entries(writer, tree.rows), "[", "]")


def _matrix(writer: Writer, tree: Matrix) -> TextBox:
    rows = tuple(tuple(Number(float(value)) for value in row) for row in tree.values)
    return fenced(_entries(writer, rows), "[", "]")


def _gradient(writer: Writer, tree: Gradient) -> TextBox:
    """The derivative is one quantity, and of one colour."""
    boxes = (plain("∂"), writer.within(tree.of, ATOM), plain("/∂"), writer.within(tree.by, ATOM))
    return textbox.restyled(beside(*boxes), kind_of(name_of(tree)))


def _negative(writer: Writer, tree: Negative) -> TextBox:
    return beside(plain(MINUS), writer.within(tree.operand, BIG))


def _transpose(writer: Writer, tree: Transpose) -> TextBox:
    if isinstance(tree.operand, Factor):  # the sign belongs to the quantity, not to its label
        return _factor(writer, Factor(tree.operand.label, Transpose(tree.operand.operand)))
    box = writer.within(tree.operand, ATOM)
    height = box.height - box.notes
    return beside(box, TextBox((((("ᵀ"), ""),), *(((" ", ""),),) * (height - 1)), box.baseline, 1))


def _divide(writer: Writer, tree: Divide) -> TextBox:
    top, bottom = tree.numerator, tree.denominator
    if _short(top) and _short(bottom):
        return beside(writer.box(top), plain("/"), writer.box(bottom))
    return textbox.fraction(writer.box(top), writer.box(bottom))


def _short(tree: Expression) -> bool:
    return isinstance(tree, Symbol) or (isinstance(tree, Literal) and not tree.text.startswith("-"))


def _power(writer: Writer, tree: Power) -> TextBox:
    base, exponent = writer.within(tree.base, ATOM), writer.box(tree.exponent)
    if exponent.height > 1:
        return textbox.superscript(base, exponent)
    shown = raised(exponent.text)
    if shown.startswith("^"):
        shown = f"^{_grouped(exponent.text)}"
    blank = ((" " * len(shown), ""),)
    below = base.height - base.notes - 1
    return beside(base, TextBox((((shown, ""),), *(blank,) * below), base.baseline, len(shown)))


def _grouped(text: str) -> str:
    return text if text.isalnum() else f"({text})"


def _root(writer: Writer, tree: Root) -> TextBox:
    box = writer.box(tree.operand)
    atom = isinstance(tree.operand, Literal | Symbol) and box.height == 1
    return beside(plain("√"), box) if atom else textbox.radical(box)


def _norm(writer: Writer, tree: Norm) -> TextBox:
    box = fenced(writer.box(tree.operand), "‖", "‖")
    return beside(box, plain("₁")) if tree.order == 1 else box


def _arguments(writer: Writer, tree: Apply) -> TextBox:
    boxes: list[TextBox] = []
    for place, argument in enumerate(tree.arguments):
        boxes.extend((plain(", "), writer.box(argument)) if place else (writer.box(argument),))
    return beside(*boxes)


def _apply(writer: Writer, tree: Apply) -> TextBox:
    arguments = _arguments(writer, tree)
    if tree.function == "abs":
        return fenced(arguments, "|", "|")
    if tree.function == "exp" and arguments.height == 1:
        return plain(f"e^{_grouped(arguments.text)}")
    if tree.function == "indicator":
        return beside(plain("1"), fenced(beside(arguments, plain(" > 0")), "[", "]"))
    for place, parameter in enumerate(tree.parameters):
        arguments = beside(arguments, plain("; " if not place else ", "), writer.box(parameter))
    return beside(head(tree), fenced(arguments))


def head(tree: Apply) -> TextBox:
    """The name of a function."""
    name = function_written(tree.function)
    return plain(name.base + (lowered(name.subscript) if name.subscript else ""))


def _factor(writer: Writer, tree: Factor) -> TextBox:
    box = writer.box(tree.operand)
    if binding(tree.operand) < ATOM and isinstance(tree.operand, Sum | Negative | Relation):
        box = fenced(box)
    words = [plain(word + " ", "label") for word in tree.label.split()]
    label = textbox.wrapped(words, max(box.width, WIDEST_LABEL))
    width = max(box.width, 3)
    left = (width - 1) // 2
    brace = plain("╰" + "─" * (left - 1) + "┬" + "─" * (width - left - 2) + "╯", "label")
    note = textbox.stacked([brace, *(TextBox(line.lines, 0, line.width) for line in label)], 0, "c")
    return textbox.annotated(box, note)


def _limits(sign: str, below: TextBox, above: TextBox) -> TextBox:
    parts = [box for box in (above, plain(sign), below) if box.width]
    return textbox.stacked(parts, 1 if above.width else 0, "c")


def sigma(writer: Writer, tree: BigSum | SumOver) -> TextBox:
    """The sign of a sum with its limits."""
    if isinstance(tree, SumOver):
        index = ",".join(tree.index or {None: "ij", 0: "i", 1: "j"}[tree.axis])
        return beside(_limits("mean" if tree.mean else "Σ", plain(index), EMPTY), plain(" "))
    below = plain(tree.index)
    if tree.first is not None:
        below = beside(below, plain("="), writer.box(tree.first))
    above = EMPTY if tree.last is None else writer.box(tree.last)
    return beside(_limits("Σ", below, above), plain(" "))


def _big_sum(writer: Writer, tree: BigSum) -> TextBox:
    return beside(sigma(writer, tree), writer.within(tree.body, BIG))


def _sum_over(writer: Writer, tree: SumOver) -> TextBox:
    return beside(sigma(writer, tree), writer.within(tree.operand, BIG))


def _relation(writer: Writer, tree: Relation) -> TextBox:
    return beside(writer.box(tree.left), plain(f" {SIGNS[tree.sign]} "), writer.box(tree.right))


def _cases(writer: Writer, tree: Cases) -> TextBox:
    rows = []
    for value, condition in tree.branches:
        if condition is None:
            rows.append([writer.box(value), plain(writer.words("otherwise"))])
        else:
            rows.append([writer.box(value), beside(plain(writer.words("if") + " "), writer.box(condition))])
    return textbox.braced(textbox.grid(rows, "ll", gap=3))


def _ellipsis(writer: Writer, tree: Ellipsis) -> TextBox:
    return plain(DOTS[tree.direction])


RULES: dict[type[Expression], Callable[[Writer, Any], TextBox]] = {
    Symbol: _symbol,
    Literal: _literal,
    LaidMatrix: _laid_matrix,
    Gradient: _gradient,
    Number: _number,
    Matrix: _matrix,
    Grid: _grid,
    Sum: _sum,
    Negative: _negative,
    Times: _product,
    MatMul: _product,
    Hadamard: _product,
    Outer: _product,
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
"""How each kind of node is written; a test holds the table to `expressions.NODES`."""
