"""Units and inputs of a trained model carry the names of its columns and classes, in equations, tables and figures."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from handgrad.diagram.shapes import Text as Shown
from handgrad.models.fit_table import fit_table
from handgrad.models.model import Model
from handgrad.render.document import Figure
from handgrad.render.layout.names import LONGEST, short_names
from handgrad.render.math.boxes import Scripts, Text
from handgrad.render.math.typeset import Style, typeset
from handgrad.worked.expressions import Gradient, Symbol
from handgrad.worksheets.worksheet import explain
from handgrad.writing.letter_parts import Notation
from handgrad.writing.letters import plain
from tests.render.test_tex import compiled

NAMES = Notation(inputs=("age", "bill_length", ""), outputs=("Adelie", "Gentoo"), depth=2)
HOSTILE = ("a$b_{c}", "50% & #1 \\x", "<i>&amp;", "`|*_~^")


@cache
def trained(folder: Path, hostile: bool = False) -> Model:
    columns = HOSTILE if hostile else ("age", "a_long_name_of_a_column", "kind")
    path = folder / f"table-{hostile}.csv"
    rows = [[f"{(7 * n + 3 * k) % 11 / 3:.2f}" for k in range(len(columns))] for n in range(40)]
    if not hostile:
        for n, row in enumerate(rows):
            row[-1] = ("red", "green_as_grass")[n % 2]
    classes = ("Adelie", "Chinstrap", "Gentoo")
    lines = [",".join((*(f'"{name}"' for name in columns), "species"))]
    lines += [",".join((*row, classes[n % 3])) for n, row in enumerate(rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return fit_table(str(path), "species", hidden=(3,), epochs=2, seed=1, engine="reference")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("names")


@pytest.mark.parametrize(
    ("symbol", "text"),
    [
        (Symbol("x", None, (0,)), "x_age"),
        (Symbol("x", None, (2,)), "x₃"),
        (Symbol("W", 1, (0, 1)), "W[1]_1,bill_length"),
        (Symbol("W", 2, (1, 0)), "W[2]_Gentoo,1"),
        (Symbol("b", 2, (0,)), "b[2]_Adelie"),
        (Symbol("delta", 2, (0,)), "δ[2]_Adelie"),
        (Symbol("a", 1, (0,)), "a[1]₁"),
        (Symbol("yhat", None, (1,)), "ŷ_Gentoo"),
        (Symbol("W", 1, (0, 1), mark="new"), "W[1]_1,bill_length_new"),
        (Symbol("x", None, ("j",)), "xⱼ"),
    ],
)
def test_an_entry_is_called_by_its_column_or_class(symbol: Symbol, text: str) -> None:
    assert plain(symbol, NAMES) == text


def test_where_a_subscript_is_the_layer_names_stand_in_brackets() -> None:
    notation = Notation(layer="subscript", first=0, inputs=("age",), depth=2)
    assert plain(Symbol("W", 1, (0, 0)), notation) == "W₁[0,age]"


def test_a_name_is_one_word_whatever_characters_it_has() -> None:
    box = typeset(Symbol("x", None, (0,)), Style(Notation(inputs=("a$b_{c}",))))
    assert isinstance(box, Scripts)
    assert box.below == Text("a$b_{c}")


def test_short_names_are_short_and_no_two_alike() -> None:
    names = ("bill_length_mm", "bill_length_cm", "bill_length", "x" * 40, "x" * 41, "same", "same", "col=1")
    short = short_names(names)
    given = [name for name in short if name]
    assert len(set(given)) == len(given)
    assert all(len(name) <= LONGEST for name in given)
    assert short[2] == "bill_length"
    assert short[5] == short[6] == ""  # two columns of one name have their numbers
    assert short[7] == "col=1"


def test_a_sheet_says_each_name_and_how_it_is_shortened(folder: Path) -> None:
    text = explain(trained(folder), rows="0:2", detail="matrix", language="en").text()
    assert "W[1]_1,age" in text and "W[2]_Adelie,1" in text
    words = " ".join(text.split())
    assert "shortened in it: " in words
    assert "a_long_name (a_long_name_of_a_column)" in words
    assert "(age)" not in words
    focused = explain(trained(folder), rows="0:1", focus="W1[0,1]", language="en").text()
    assert "W[1]_1,a_long_name" in focused
    assert "a_long_name (a_long_name_of_a_column)" in " ".join(focused.split())
    assert "green" not in focused


def test_the_figure_has_whole_names_beside_its_units(folder: Path) -> None:
    document = explain(trained(folder), rows="0:1", detail="matrix", language="en").document
    (figure,) = [block for block in document.blocks if isinstance(block, Figure)]
    said = [shape.text for shape in figure.scene.shapes if isinstance(shape, Shown)]
    assert "a_long_name_of_a_colu…" in said and "Adelie" in said and "age" in said
    assert "3" in said  # within the unit stands its number


@pytest.mark.parametrize("medium", ["md", "html", "tex", "pdf", "docx", "terminal"])
@pytest.mark.parametrize("language", ["en", "bn"])
def test_names_of_any_characters_are_written(medium: str, language: str, folder: Path) -> None:
    sheet = explain(trained(folder, hostile=True), rows="0:2", detail="matrix", language=language)
    written = sheet.to(medium)
    assert written
    if medium == "html":
        assert b"<i>" not in written


def test_latex_sets_names_of_any_characters(folder: Path, tmp_path: Path) -> None:
    sheet = explain(trained(folder, hostile=True), rows="0:1", detail="matrix", language="en")
    compiled(sheet.to("tex"), tmp_path, "pdflatex")


def test_a_case_has_numbers_as_before() -> None:
    gradient: Any = Gradient(Symbol("loss"), Symbol("W", 1, (0, 1)))
    style = Style(Notation())
    assert typeset(gradient, style) == typeset(gradient, Style(Notation(depth=2)))
