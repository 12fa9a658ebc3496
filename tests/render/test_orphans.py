"""No factor is left alone at the end of a line or at its beginning, in any medium that breaks lines itself."""

from __future__ import annotations

import pytest

from handgrad.render.document import Literal
from handgrad.render.math.boxes import Fraction, Operator, Series, items, width
from handgrad.render.math.line_breaks import lines, loose
from handgrad.render.math.typeset import Style, typeset
from handgrad.render.terminal.line_breaks import rows
from handgrad.render.terminal.math import Writer
from handgrad.worked.expressions import BigSum, Divide, Expression, MatMul, Number, Sum, Symbol, Times
from handgrad.writing.letter_parts import Notation
from tests.render.everything import numbers

MEAN = Divide(Number(1.0, exact=True), Symbol("m"))
WIDE = numbers(*[("0.1234",) * 4] * 2)
TREES: dict[str, Expression] = {
    "1/m and a product": Times((MEAN, MatMul(WIDE, WIDE))),
    "1/m, with a sign": Times((Divide(Literal("1"), Literal("3")), WIDE, WIDE), sign=True),
    "a sum over an index": BigSum("i", Literal("1"), Symbol("m"), MatMul(WIDE, WIDE)),
    "within a sum": Sum((WIDE, Times((MEAN, MatMul(WIDE, WIDE))))),
}


@pytest.mark.parametrize("limit", [12.0, 16.0, 22.0, 30.0])
@pytest.mark.parametrize("name", TREES)
def test_no_line_holds_a_small_factor_alone(name: str, limit: float) -> None:
    box = typeset(TREES[name], Style(Notation()))
    for broken in (lines(box, limit), loose(box, limit)):
        for line in broken:
            assert width(line) > 2.4, line
            last = items(line)[-1]
            assert not isinstance(last, Series | Operator)
            assert not (isinstance(last, Fraction) and len(items(line)) < 3)


@pytest.mark.parametrize("cells", [30, 36, 44])
def test_nor_in_the_terminal(cells: int) -> None:
    writer = Writer(Notation())
    for tree in TREES.values():
        for box in rows(writer, tree, cells):
            assert box.text.split("\n")[box.baseline].strip() not in ("1/m", "1/3", "Σ", "+ 1/m")
