"""LaTeX documents: they compile by themselves, without a box that is too wide, and show what was written."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from handgrad.diagram.shapes import Circle, Scene
from handgrad.errors import RenderError
from handgrad.render.document import Document, Figure, Formula, Heading, Paragraph, Table
from handgrad.render.latex import article as tex
from handgrad.render.latex.math import escape
from handgrad.render.latex.tikz import tikz
from handgrad.render.settings import PARTS
from handgrad.worked.expressions import Symbol
from handgrad.worksheets.worksheet import explain
from handgrad.writing.letter_parts import Notation
from handgrad.writing.messages import SENTENCES
from tests.render.everything import BENGALI, EXPRESSIONS, HOSTILE, SCENE, document
from tests.render.test_lengths import EXAMPLES

ENGLISH_TITLE = "Prices: $5 < 6 > 4 & a_b * c \\ 'it' #1 50% {y}"


def compiled(source: bytes, folder: Path, engine: str) -> str:
    """The log of two runs; the PDF stands beside it."""
    command = shutil.which(engine)
    if command is None:
        pytest.skip(f"{engine} is not installed")
    (folder / "sheet.tex").write_bytes(source)
    for _ in range(2):
        run = subprocess.run(
            [command, "-interaction=nonstopmode", "-halt-on-error", "sheet.tex"],
            cwd=folder, capture_output=True, timeout=180, check=False,
        )  # fmt: skip
        log = (folder / "sheet.log").read_text(encoding="utf-8", errors="replace")
        if run.returncode and "not loadable" in log:
            pytest.skip(f"{engine} is installed without its fonts")
        assert run.returncode == 0, log[-3000:]
    return log


def text_of(folder: Path) -> str:
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed")
    found = subprocess.run(
        ["pdftotext", "sheet.pdf", "-"], cwd=folder, capture_output=True, text=True, check=True
    )
    return found.stdout


def english() -> Document:
    """The rich document in letters that pdflatex has."""
    blocks = tuple(
        Heading(2, ("Problem",), "problem")
        if block == Heading(2, ("Problem ", BENGALI), "problem")
        else block
        for block in document().blocks
    )
    return Document(ENGLISH_TITLE, "en", (Heading(1, (ENGLISH_TITLE,)), *blocks), Notation(), contents=True)


def test_the_english_document_compiles_with_pdflatex(tmp_path: Path):
    source = tex.write(english())
    assert source.startswith(b"% !TeX program = pdflatex\n")
    log = compiled(source, tmp_path, "pdflatex")
    assert "Missing character" not in log
    assert "undefined" not in log
    shown = text_of(tmp_path)
    for words in (
        "$5 < 6 > 4 & a_b",
        "50%",
        "{y}",
        "derivative",
        "0.9876",
        "128",
        "Contents",
        "sigmoid prime & more",
    ):
        assert words in shown, words


@pytest.mark.parametrize("engine", ["lualatex", "xelatex"])
def test_the_bengali_document_compiles(engine: str, tmp_path: Path):
    source = tex.write(document("bn"))
    assert source.startswith(b"% !TeX program = lualatex\n")
    log = compiled(source, tmp_path, engine)
    if "No font with Bengali letters" in log:
        pytest.skip("no font with Bengali letters is installed")
    assert "Missing character" not in log


def test_every_kind_of_node_and_notation_compiles(tmp_path: Path):
    notations = (Notation("superscript", "hy", 0), Notation("subscript", "xyz", 1))
    for number, notation in enumerate(notations):
        blocks = tuple(Formula(Symbol("n"), (("=", tree), ("~", tree))) for tree in EXPRESSIONS.values())
        folder = tmp_path / str(number)
        folder.mkdir()
        compiled(tex.write(Document("t", "en", blocks, notation)), folder, "pdflatex")


def test_a_wide_table_gets_columns_of_paragraphs(tmp_path: Path):
    words = "A sentence that would not fit into one line of a table. " * 2
    table = Table((("Quantity",), ("Meaning",)), (((Symbol("x"),), (words,)),) * 3, "ll")
    source = tex.write(Document("t", "en", (table,), Notation()))
    assert rb"{l>{\raggedright\arraybackslash}p{" in source
    assert "Overfull" not in compiled(source, tmp_path, "pdflatex")


def test_a_formula_that_cannot_break_is_made_smaller(tmp_path: Path):
    wide = Formula(Symbol("x"), (("=", EXPRESSIONS["Grid"].__class__((((Symbol("W", 1, (0, 0)),) * 40),))),))
    log = compiled(tex.write(Document("t", "en", (wide,), Notation())), tmp_path, "pdflatex")
    assert "Overfull" not in log


def test_every_kind_of_shape_is_drawn_or_refused():
    drawn = tikz(SCENE, str)
    assert r"\path[draw=figure-000000,line width=0.75pt] (10,10) -- (10,150) -- (290,150);" in drawn
    assert r"\path[draw=figure-14549c,line width=1.5pt,dashed] (10,150) -- (100,140) -- (200,145);" in drawn
    assert "(120,45) rectangle (164,63);" in drawn
    assert drawn.count(r"\node[") == 2 + 1
    for shape, said in (
        (Circle(1, 1, 1, "red"), "#rrggbb, got 'red'"),
        ("triangle", "no rule to draw a str"),
    ):
        scene = Scene(9, 9, "x", "x", (shape,))
        with pytest.raises(RenderError, match=said):
            tex.write(Document("t", "en", (Figure(scene),), Notation()))


def test_hostile_text_does_not_reach_tex():
    source = tex.write(Document("t", "en", (Paragraph((HOSTILE,)),), Notation())).decode()
    line = next(line for line in source.splitlines() if line.startswith("Cost"))
    assert not re.search(r"(?<!\\)[$&#%_^~]", line)
    assert tex.write(document()) == tex.write(document())
    with pytest.raises(RenderError, match="NoneType"):
        tex.write(Document("t", "en", (None,), Notation()))  # type: ignore[arg-type]


def test_every_sentence_is_in_letters_that_pdflatex_has() -> None:
    for key, sentence in SENTENCES.items():
        assert escape(sentence).isascii(), (key, sentence)


def test_a_sheet_with_every_part_compiles(tmp_path: Path) -> None:
    sheet = explain(EXAMPLES / "postnetwork-softmax.toml", parts=PARTS, detail="scalar", language="en")
    log = compiled(sheet.to("tex"), tmp_path, "pdflatex")
    assert "Missing character" not in log
