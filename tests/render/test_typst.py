from __future__ import annotations

import json
from dataclasses import replace

import pytest
import typst
from hypothesis import given
from hypothesis import strategies as st

from handgrad.diagram.shapes import Scene, Text
from handgrad.errors import RenderError
from handgrad.render.document import Document, Figure, Formula, Heading, Literal, Paragraph
from handgrad.render.math import boxes
from handgrad.render.math.boxes import (
    Box,
    Brace,
    Digits,
    Fence,
    Letter,
    Operator,
    Row,
    Scripts,
    Stack,
    row,
)
from handgrad.render.math.typeset import Style, typeset
from handgrad.render.typst.figure import figure_source
from handgrad.render.typst.math import RULES, line_math, math, string
from handgrad.render.typst.page import typst_source
from handgrad.worked.expressions import Symbol
from handgrad.writing.letter_parts import Notation
from handgrad.writing.scripts import fonts
from tests.render.everything import BENGALI, EXPRESSIONS, HOSTILE, LONG, document

STYLE = Style(Notation())


def compiled(source: str) -> str:
    """The pages as SVG; Typst raises where the source is wrong."""
    page = "#set page(width: 40cm, height: auto)\n"
    svg = typst.compile((page + source).encode(), format="svg", font_paths=fonts(system=False))
    assert isinstance(svg, bytes)
    return svg.decode()


def test_every_kind_of_box_has_a_rule() -> None:
    assert set(RULES) == set(boxes.BOXES)


@pytest.mark.parametrize("kind", EXPRESSIONS)
@pytest.mark.parametrize("layer", ["bracket", "superscript", "subscript"])
def test_every_kind_of_expression_compiles(kind: str, layer: str) -> None:
    source = math(typeset(EXPRESSIONS[kind], Style(Notation(layer=layer))))
    assert "<path" in compiled(f"$display({source})$") or "<use" in compiled(f"$display({source})$")
    compiled(f"Within a line ${source}$ and ${source}$.")


@pytest.mark.parametrize(
    "box",
    [
        row(boxes.Blank(4), Fence("(", Digits("2"), ")")),
        Fence("(", Stack((Digits("1"), row(Operator("+"), Digits("2")))), ")"),
        Fence("[", Stack((Operator("comma"), Operator("semicolon"))), "]"),
        Fence("|", Fence("‖", Letter("x"), "‖"), "|"),
        Scripts(row(Letter("x"), Operator("comma"), Letter("y")), Operator("semicolon"), Operator("-")),
        Row((Brace(Digits("1"), "a"), Operator("beside"), Brace(Digits("2"), "b"))),
        boxes.Series(),
        boxes.Array(((Digits("1"), Operator("comma")), (Operator("semicolon"), boxes.Text("a, b; c")))),
    ],
    ids=lambda box: type(box).__name__,
)
def test_signs_that_typst_could_read_as_syntax_compile(box: Box) -> None:
    compiled(f"$display({math(box)})$ and ${line_math(box)}$")


@pytest.mark.parametrize("name", boxes.OPERATORS)
def test_every_operator_compiles_at_the_beginning_of_a_line(name: str) -> None:
    compiled(f"${line_math(row(Operator(name), Digits('2'), Operator('+'), Letter('x')))}$")


@given(st.text(max_size=40))
def test_any_text_is_a_string_and_never_markup(text: str) -> None:
    expected = "".join(" " if character in "\n\r\t" else character for character in text)
    safe = text.encode("utf-8", "ignore").decode()
    if safe != text:
        return
    assert json.loads(typst.eval(b"", string(text))) == expected


def test_hostile_words_arrive_as_they_are() -> None:
    source = typst_source(Document(HOSTILE, "en", (Heading(1, (HOSTILE,), "t"),), Notation()))
    found = json.loads(typst.query(source.encode(), "heading", font_paths=fonts(system=False)))
    assert found[0]["body"]["text"] == HOSTILE


@pytest.mark.parametrize("contents", [True, False])
def test_the_document_with_every_block_compiles(contents: bool) -> None:
    source = typst_source(document(contents=contents)).replace(BENGALI, "words")
    assert ("\n#contents(" in source) == contents
    assert json.loads(typst.query(source.encode(), "heading.where(level: 2)", font_paths=fonts(system=False)))


def test_numbers_labels_and_words_are_all_in_the_source() -> None:
    source = typst_source(document())
    for shown in (
        "0.2301",
        "0.9876",
        "sigmoid prime & more",
        "0.7531",
        "0.2468",
        "0.4421",
        "128×784",
        BENGALI,
    ):
        assert shown in source


def test_long_formulas_are_broken_before_operators() -> None:
    formula = Formula(Symbol("z"), (("=", LONG),))
    source = typst_source(Document("t", "en", (formula,), Notation()))
    assert source.count("$display(+ med") >= 2


def test_words_that_lead_to_a_formula_stay_with_it() -> None:
    blocks = (Paragraph(("Because",)), Formula(Symbol("z"), ()), Paragraph(("End",)))
    source = typst_source(Document("t", "en", blocks, Notation()))
    assert '#block(sticky: true)[#note("")[#"Because";]]' in source
    assert '\n#note("")[#"End";]' in source


def test_a_blank_is_drawn_as_a_line_to_write_on() -> None:
    assert "#{box(width: 2.20em" in math(typeset(Literal("____"), STYLE))


def test_words_in_another_script_are_placed_over_the_svg() -> None:
    words = Text(40, 20, BENGALI, 12, "#767676", bold=True), Text(1, 9, "b", 12, "#000000", "start")
    source = figure_source(Scene(100, 50, "t", "d", words), "words", most_width=37.5)
    image, placed = source.split("place(", 1)
    assert BENGALI not in image.split("let word")[0]
    assert BENGALI in image.split("let word")[1]
    assert placed.startswith("top + left, dx: 15.00pt - 0.5 * measure(word).width, dy: 7.50pt")
    assert ">b</" in source
    compiled(f"#{source}")


def test_an_unknown_block_and_an_unknown_box_are_refused() -> None:
    with pytest.raises(RenderError, match="no rule for the block str"):
        typst_source(Document("t", "en", ("text",), Notation()))  # type: ignore[arg-type]
    with pytest.raises(RenderError, match="no rule for Box"):
        math(Box())


def test_a_figure_is_never_wider_than_the_text() -> None:
    figure = next(block for block in document().blocks if isinstance(block, Figure))
    source = typst_source(
        Document(
            "t", "en", (replace(figure, scene=replace(figure.scene, width=3000.0, height=300.0)),), Notation()
        )
    )
    assert "width: 498.00pt, height: 49.80pt" in source
