"""The terminal: a written line means what its tree means, at every width, and no control code slips out."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from handgrad.errors import RenderError
from handgrad.render.document import Document, Formula, Heading, LaidMatrix, Literal, Paragraph, Table
from handgrad.render.html.page import RULES as PAGE_RULES
from handgrad.render.layout.sheet import lay_out
from handgrad.render.settings import PARTS, Settings
from handgrad.render.terminal.line_breaks import rows
from handgrad.render.terminal.math import RULES, Writer
from handgrad.render.terminal.sheet import BLOCKS, to_text
from handgrad.render.terminal.textbox import TextBox
from handgrad.worked.evaluate import evaluate
from handgrad.worked.expressions import (
    NODES,
    Expression,
    MatMul,
    Negative,
    Outer,
    Power,
    Root,
    Sum,
    SumOver,
    Symbol,
    Times,
    Transpose,
)
from handgrad.worksheets.worksheet import explain
from handgrad.writing.letter_parts import Notation
from tests.render.arithmetic import shown, trees
from tests.render.everything import document, labels, literals
from tests.render.records import record
from tests.render.test_lengths import EXAMPLES, four_five_three

WRITER = Writer(Notation())
WIDTHS = (60, 80, 200)


class _SquareRoot:
    def __pow__(self, value: float) -> float:
        return math.sqrt(value)


def _meaning(text: str) -> float:
    """What a line says, by the rules of arithmetic."""
    for sign, python in (("\u2212", "-"), ("×", "*"), ("·", "*"), ("²", "**2"), ("√", "R**")):
        text = text.replace(sign, python)
    return float(eval(text, {"__builtins__": {}, "R": _SquareRoot()}))


def _level(box: TextBox) -> str:
    """The line that stands level with its neighbours; labels stand below it."""
    return box.text.split("\n")[box.baseline]


@given(trees)
def test_a_line_has_the_value_of_its_tree(tree: Expression):
    box = WRITER.box(shown(tree))
    line = _level(box)
    value = float(evaluate(tree)[0, 0])
    if "─" in line or box.baseline or not math.isfinite(value) or abs(value) > 1e12:
        return  # a fraction in two dimensions
    assert _meaning(line) == pytest.approx(value, rel=1e-9), line


@given(trees, st.integers(12, 60))
def test_a_broken_line_keeps_the_value_of_its_tree(tree: Expression, width: int):
    boxes = rows(WRITER, shown(tree), width)
    text = " ".join(_level(box) for box in boxes)
    value = float(evaluate(tree)[0, 0])
    if "─" in text or any(box.baseline for box in boxes) or "/" in text or abs(value) > 1e12:
        return
    assert _meaning(text) == pytest.approx(value, rel=1e-9), text


def test_there_is_a_rule_for_every_kind_of_node_and_block():
    assert set(RULES) == {*NODES, Literal, LaidMatrix}
    assert set(BLOCKS) == set(PAGE_RULES)

    class Unknown(Expression):
        __slots__ = ()

    with pytest.raises(RenderError, match="Unknown"):
        WRITER.box(Unknown())


def _as_shown(text: str) -> str:
    return text.replace("-", "\u2212")


@pytest.mark.parametrize("width", WIDTHS)
def test_every_number_and_label_of_a_document_is_shown(width: int):
    text = to_text(document(), width)
    words = " ".join(text.split())
    for number in set(literals(document())):
        assert _as_shown(number) in words, number
    for label in labels(document()):
        assert all(word in words for word in label.split()), label


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("detail", ["brief", "matrix", "scalar"])
def test_a_sheet_fits_its_width(width: int, detail: str):
    settings = Settings(detail=detail, parts=frozenset(PARTS), language="en")
    text = to_text(lay_out(record(detail=detail), settings), width)
    wide = [line for line in text.split("\n") if cell_len(line) > width]
    assert not wide


@pytest.mark.parametrize("width", WIDTHS)
def test_without_colour_there_is_no_control_code_and_with_it_the_same_text(width: int):
    sheet = lay_out(record(), Settings(language="en"))
    plain, coloured = to_text(sheet, width), to_text(sheet, width, color=True)
    assert "\x1b" not in plain
    assert "\x1b[" in coloured
    without = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
    assert [line.rstrip() for line in without.split("\n")] == plain.split("\n")


def test_a_column_is_seen_as_a_column_with_its_shape_below():
    column = LaidMatrix(((Literal("0.5"),), (Literal("-0.25"),)), (2, 1))
    sheet = Document("t", "en", (Formula(Symbol("x"), (("=", column),)),), Notation())
    assert to_text(sheet).split("\n")[:3] == ["  x = ⎡ 0.5 ⎤", "      ⎣−0.25⎦", "        2×1"]


def test_equals_signs_stand_below_each_other():
    lines = to_text(lay_out(record(), Settings(language="en", parts=frozenset(["forward"])))).split("\n")
    start = next(n for n, line in enumerate(lines) if line.startswith("  z[1] = "))
    block = lines[start : lines.index("", start)]
    signs = [match.start(1) for line in block if (match := re.match(r" {2}(?:z\[1\]| {4}) ([=≈]) ", line))]
    assert signs == [7, 7, 7, 7]


def test_a_long_sum_breaks_before_its_operators():
    matrix = LaidMatrix(((Literal("0.1234"),) * 4,) * 2, (2, 4))
    tree = Sum((MatMul(matrix, Transpose(matrix)), Outer(matrix, matrix)))
    boxes = rows(WRITER, tree, 44)
    assert len(boxes) > 1
    assert all(box.width <= 44 for box in boxes)
    assert [_level(box).strip()[0] for box in boxes[1:]] == list("·+⊗")


def test_a_matrix_that_is_too_wide_keeps_its_ends_and_its_shape():
    matrix = LaidMatrix((tuple(Literal(f"0.{n}234") for n in range(6)),), (1, 6))
    (box,) = rows(WRITER, matrix, 32)
    assert box.width <= 32
    assert "0.0234" in box.text and "0.5234" in box.text and "⋯" in box.text and "1×6" in box.text


def test_bengali_text_is_wrapped_by_cells():
    text = "প্রতিটি নিউরন প্রতিটি ইনপুটকে সেই সংযোগের ওজন দিয়ে গুণ করে " * 4
    lines = to_text(Document("t", "bn", (Paragraph((text,)),), Notation()), 40).split("\n")
    assert len(lines) > 4
    assert all(cell_len(line) <= 40 for line in lines)
    assert " ".join(lines).split() == text.split()


def test_a_width_that_cannot_be_is_refused():
    with pytest.raises(RenderError, match="20 columns"):
        to_text(Document("t", "en", (Heading(1, ("t",)),), Notation()), 5)


@pytest.mark.parametrize(
    ("tree", "line"),
    [
        (Power(Literal("-0.5"), Literal("2")), "(\u22120.5)²"),
        (Power(Root(Literal("3")), Literal("2")), "(√3)²"),
        (Times((Literal("2"), Literal("-0.5"))), "2 × (\u22120.5)"),
        (Sum((Literal("1"), Negative(SumOver(Symbol("delta", 1), None)))), "1 \u2212  Σ  δ[1]"),
    ],
)
def test_the_terminal_asks_the_one_table_of_precedence(tree: Expression, line: str):
    assert _level(WRITER.box(tree)) == line


def test_a_root_is_drawn_over_what_it_holds():
    box = WRITER.box(Root(Sum((Symbol("x"), Literal("0.1")))))
    assert box.text.split("\n") == [" _______", "√x + 0.1"]
    assert box.baseline == 1
    assert WRITER.box(Root(Literal("3"))).text == "√3"


ADDRESS = "https://example.org/" + "a-long-way/" * 12


@pytest.mark.parametrize("width", [30, 40, 60])
def test_no_line_is_longer_than_the_width(width: int):
    cells = tuple((f"column {n} of several",) for n in range(6))
    table = Table(cells, ((("0.123456789",),) * 6,), "rrrrrr")
    sheet = Document(
        "t",
        "en",
        (
            Paragraph(
                (
                    "See ",
                    ADDRESS,
                    " for more",
                )
            ),
            table,
        ),
        Notation(),
    )
    text = to_text(sheet, width)
    assert max(cell_len(line) for line in text.split("\n")) <= width
    assert ADDRESS in "".join(text.split("\n"))
    assert text.count("0.123456789") == 6


@pytest.mark.parametrize("language", ["en", "bn"])
@pytest.mark.parametrize("width", [60, 80])
def test_no_line_of_the_richest_sheets_is_longer_than_the_width(width: int, language: str):
    for case in (four_five_three(steps=1), EXAMPLES / "adam-given-gradient.toml"):
        text = explain(case, detail="scalar", language=language, parts=PARTS).text(width)
        assert max(cell_len(line) for line in text.split("\n")) <= width


def test_a_bengali_table_is_aligned_by_cells():
    words = ("পরামিতি", "আগে", "গ্রেডিয়েন্ট")
    table = Table(tuple((word,) for word in words), ((("ওজন",), ("০.৫",), ("ক্ষ",)),) * 3, "lll")
    lines = to_text(Document("t", "bn", (table,), Notation())).rstrip("\n").split("\n")
    starts = [
        cell_len(line[: line.index(mark)])
        for line, mark in zip(lines, ("গ্রে", "─", "ক্ষ", "ক্ষ"), strict=False)
    ]
    assert starts[0] == starts[2] == starts[3]


def test_a_column_without_a_word_is_a_column():
    table = Table((("One",), ("Two",)), ((("word",), ()), ((), ())), "ll")
    text = to_text(Document("t", "en", (table,), Notation()))
    assert "One" in text and "Two" in text and "word" in text
