"""Decimal points of a column stand under each other, in every medium that can."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from handgrad.render.document import Document, Formula, LaidMatrix, Literal, Table
from handgrad.render.html import page
from handgrad.render.latex import article
from handgrad.render.markdown import markdown
from handgrad.render.math.boxes import Array, Digits, Phantom, items
from handgrad.render.math.columns import rooms
from handgrad.render.math.typeset import Style, typeset
from handgrad.render.terminal.sheet import to_text
from handgrad.render.typst import pdf
from handgrad.worked.expressions import Power, Symbol, Times
from handgrad.worksheets.worksheet import explain
from handgrad.writing.letter_parts import Notation
from tests.render.everything import numbers
from tests.render.test_docx import math_text, opened

COLUMN = numbers(("0.1234",), ("-3",), ("12.5",), ("0",))
TINY = Times((Literal("4.5"), Power(Literal("10"), Literal("-7"))), sign=True)
TABLE = Table(
    (("name",), ("value",)),
    tuple(
        ((name,), (tree,))
        for name, tree in zip("abcd", [Literal("0.1234"), Literal("-3"), TINY, Literal("12.5")], strict=True)
    ),
    "lr",
)


def sheet(*blocks: Any, **choices: Any) -> Document:
    return Document("t", "en", blocks, Notation(**choices))


def point(text: str) -> int:
    """The cell at which the point of the only number of a line stands, or would stand."""
    found = re.search(r"\d+(\.|$|[^\d.])", text)
    assert found is not None
    return cell_len(text[: found.start()]) + len(re.match(r"\d+", text[found.start() :])[0])  # type: ignore[index]


def test_room_is_left_for_digits_point_and_power() -> None:
    column = [typeset(tree, Style(Notation())) for tree in (Literal("0.1234"), Literal("-3"), TINY)]
    texts = [room.text for room in rooms(column)]
    assert texts == ["", ".0000", "000"]
    assert [bool(room.power) for room in rooms(column)] == [True, True, False]
    assert [room.text for room in rooms([Digits("0,5"), Digits("7")])] == ["", ",0"]
    assert all(room == rooms([Digits("1")])[0] for room in rooms([Digits("0.5"), Digits("0.7")]))


def test_a_matrix_holds_the_room_that_its_numbers_need() -> None:
    box = typeset(COLUMN, Style(Notation()))
    assert isinstance(box, Array)
    held = [[each.body for each in items(cell) if isinstance(each, Phantom)] for (cell,) in box.rows]
    assert held == [[], [Digits(".0000")], [Digits("000")], [Digits(".0000")]]


def test_dots_and_letters_are_left_alone() -> None:
    mixed = LaidMatrix(((Literal("0.5"),), (Symbol("W", 1, (0, 0)),), (Literal("∞"),)), (3, 1))
    box = typeset(mixed, Style(Notation()))
    assert isinstance(box, Array)
    assert not any(isinstance(each, Phantom) for (cell,) in box.rows for each in items(cell))


def test_points_stand_under_each_other_in_the_terminal() -> None:
    lines = to_text(sheet(Formula(Symbol("x"), (("=", COLUMN),)))).split("\n")[:4]
    assert len({point(line) for line in lines}) == 1
    rows = to_text(sheet(TABLE)).split("\n")[2:6]
    assert len({point(line) for line in rows}) == 1
    assert rows[2].endswith("4.5 × 10⁻⁷")


@pytest.mark.parametrize("width", [24, 40])
def test_no_line_is_wider_for_it(width: int) -> None:
    wide = Table((("a",),) * 3, ((("x",), (Literal("0.123456"),), (Literal("2"),)),) * 2, "lrr")
    assert all(cell_len(line) <= width for line in to_text(sheet(wide, TABLE), width).split("\n"))


def test_pages_leave_room_that_is_not_read() -> None:
    source = page.write(sheet(Formula(Symbol("x"), (("=", COLUMN),)), TABLE))
    text = source if isinstance(source, str) else source.decode()
    assert "<mn>3</mn><mphantom><mn>.0000</mn></mphantom>" in text
    assert '<span class="n">\u22123</span><span class="room" data-room=".0000"></span>' in text
    assert ">.0000<" not in text.replace("<mn>.0000</mn>", "")


def test_latex_markdown_and_word_leave_the_same_room() -> None:
    blocks = (Formula(Symbol("x"), (("=", COLUMN),)), TABLE)
    source = article.write(sheet(*blocks)).decode()
    assert r"-3 \phantom{.0000}" in source
    assert r"\phantom{-0} 0.1234 \\ \phantom{0} -3 \phantom{.0000} \\" in source  # its columns are centred
    assert r"$-3$$\phantom{.0000 \times 10^{-7}}$" in source
    lines = markdown.write(sheet(*blocks)).decode().split("\n")
    assert next(line for line in lines if line.startswith("| b")).startswith(
        "| b | -3\u2008\u2007\u2007\u2007\u2007$"
    )
    body = opened(sheet(*blocks)).element.body
    hidden = [
        math_text(part)
        for part in body.iter("{http://schemas.openxmlformats.org/officeDocument/2006/math}phant")
    ]
    assert hidden[:3] == [".0000", "000", ".0000"]


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="poppler-utils is not installed")
def test_points_stand_under_each_other_on_paper(tmp_path: Path) -> None:
    path = tmp_path / "sheet.pdf"
    path.write_bytes(pdf.write(sheet(Formula(Symbol("x"), (("=", numbers(("0.1234",), ("3",), ("7.5",))),)))))
    boxes = subprocess.run(
        ["pdftotext", "-bbox", str(path), "-"], capture_output=True, text=True, check=True
    ).stdout
    left = {text: float(x) for x, text in re.findall(r'xMin="([\d.]+)"[^>]*>(0\.1234|3|7\.5)<', boxes)}
    assert len(left) == 3
    assert max(left.values()) - min(left.values()) < 0.2  # but for kerning


def test_bengali_digits_leave_bengali_room() -> None:
    text = page.write(sheet(TABLE, numerals="bengali"))
    assert 'data-room=".০০০০"' in (text if isinstance(text, str) else text.decode())


def test_sheets_with_significant_digits_are_aligned() -> None:
    case = {
        "network": {"inputs": 1, "loss": "squared_error", "layers": [{"units": 3, "W": [[12.5], [0.25], [3.0]]},
                                                                     {"units": 1, "W": [[1.0, 1.0, 1.0]]}]},
        "data": {"x": [[1.0]], "y": [[1.0]]},
    }  # fmt: skip
    lines = explain(case, significant=3, language="en").text().split("\n")
    start = next(place for place, line in enumerate(lines) if "12.5" in line and "⎡" in line)
    sides = zip(lines[start:], "⎡⎢⎣", strict=False)
    assert len({line.index(side) + point(line[line.index(side) :]) for line, side in sides}) == 1
