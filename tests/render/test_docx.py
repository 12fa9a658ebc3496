from __future__ import annotations

import io
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import docx as python_docx
import pytest

from handgrad.errors import MissingExtraError, RenderError
from handgrad.render.document import Document, Figure, Fold, Formula, Heading, Paragraph, Table
from handgrad.render.word import document as docx
from handgrad.worked.expressions import Divide, Factor, Symbol
from handgrad.writing.letter_parts import Notation
from tests.render.everything import BENGALI, HOSTILE, LONG, document, numbers

M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


def opened(sheet: Document) -> Any:
    return python_docx.Document(io.BytesIO(docx.write(sheet)))


def small(*blocks: Any, language: str = "en", contents: bool = False) -> Any:
    return opened(Document("t", language, blocks, Notation(), contents))


def math_text(element: Any) -> str:
    return "".join(found.text or "" for found in element.iter(f"{M}t"))


def test_two_runs_give_the_same_bytes_and_fixed_dates() -> None:
    first = docx.write(document())
    assert first == docx.write(document())
    with zipfile.ZipFile(io.BytesIO(first)) as package:
        assert package.testzip() is None
        assert {entry.date_time for entry in package.infolist()} == {(2000, 1, 1, 0, 0, 0)}
        assert package.namelist()[0] == "[Content_Types].xml"


def test_headings_are_headings_of_word() -> None:
    file = opened(document())
    styles = [paragraph.style.name for paragraph in file.paragraphs]
    assert styles[0] == "Title"
    found = [p.style.name for p in file.paragraphs if p.style.name.startswith("Heading")]
    assert found == ["Heading 1", "Heading 1", "Heading 2", "Heading 1"]
    assert file.paragraphs[0].text == HOSTILE
    assert file.core_properties.title == HOSTILE


def test_tables_have_their_header_and_their_cells() -> None:
    (table,) = opened(document()).tables
    assert [cell.text for cell in table.rows[0].cells][:2] == ["Parameter", "Before | after"]
    assert table.rows[0]._tr.find(f"{W}trPr/{W}tblHeader") is not None
    assert math_text(table.rows[1]._tr).endswith("−0.1357")
    assert table.rows[2].cells[2].text == HOSTILE
    sides = [cell.paragraphs[0].alignment for cell in table.rows[1].cells]
    assert [str(side).split()[0] for side in sides] == ["LEFT", "RIGHT", "CENTER"]


def test_wide_tables_fit_the_page() -> None:
    words = "long words " * 30
    table = Table((("a",), ("b",), ("c",)), (((words,), ("short",), (words,)),), "lll")
    widths = [int(column.get(f"{W}w")) for column in small(table).tables[0]._tbl.tblGrid]
    assert sum(widths) <= docx.LINE * docx.EM + 3
    assert widths[1] < 2000 < widths[0] == widths[2]


def test_equations_are_equations_and_say_every_number() -> None:
    body = opened(document()).element.body
    shown = math_text(body)
    for number in (
        "0.2301",
        "−0.9876",
        "0.7531",
        "0.2468",
        "0.4794",
        "0.4421",
        "sigmoid prime & more",
        "128×784",
    ):
        assert number in shown
    assert len(list(body.iter(f"{M}oMath"))) >= 15
    assert list(body.iter(f"{M}f"))


def test_long_forms_are_broken_and_short_ones_share_a_line() -> None:
    body = small(Formula(Symbol("z"), (("=", LONG), ("~", numbers(("1",)))))).element.body
    found = [math_text(line) for line in body.iter(f"{M}oMathPara")]
    assert len(found) > 2
    assert found[0].startswith("z=0.1123×")
    assert all(line[:2] in ("\u200b+", "\u200b≈") for line in found[1:])
    assert found[-1].endswith("1")
    short = Formula(Symbol("z"), (("=", Symbol("x")), ("=", numbers(("1", "2"))), ("~", numbers(("3", "4")))))
    (line,) = small(short).element.body.iter(f"{M}oMathPara")
    assert math_text(line) == "z=x=12≈34"


def test_what_is_given_stands_side_by_side() -> None:
    given = [Formula(Symbol("W", layer), (("=", numbers(("0.5", "0.25"))),)) for layer in (1, 2, 3)]

    def lines(*blocks: Any) -> list[int]:
        rows = [p for p in small(*blocks).paragraphs if p.style.name == "Equation"]
        return [sum(1 for _ in row._p.iter(f"{M}oMath")) for row in rows]

    assert lines(*given, Paragraph(("End",)), *given) == [3, 3]
    assert len(lines(*given * 4)) > 1  # as many as a line holds
    assert sum(lines(*given * 4)) == 12
    rule = Formula(Symbol("z"), (("=", Divide(Symbol("x"), Symbol("m"))),))
    (line,) = [math_text(line) for line in small(rule, rule).element.body.iter(f"{M}oMathPara")]
    assert line.count("=") == 2


def test_lists_figures_and_captions() -> None:
    file = opened(document())
    assert [p.text for p in file.paragraphs if p.style.name == "List Bullet"][1].startswith("Loss is ")
    (picture,) = file.element.body.iter(
        "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}docPr"
    )
    assert picture.get("descr") == "Two inputs & one output"
    assert file.inline_shapes[0].width.pt == pytest.approx(225)
    assert [p.text for p in file.paragraphs if p.style.name == "Caption"] == ["The network ", "Parameters & "]


def test_contents_lead_to_the_headings() -> None:
    file = opened(document(contents=True))
    anchors = [link.get(f"{W}anchor") for link in file.element.body.iter(f"{W}hyperlink")]
    marks = [mark.get(f"{W}name") for mark in file.element.body.iter(f"{W}bookmarkStart")]
    assert anchors == ["h_problem", "h_forward", "h_layer_1", "h_changes"]
    assert set(anchors) <= set(marks)
    assert len(set(marks)) == len(marks)
    kinds = [found.get(f"{W}fldCharType") for found in file.element.body.iter(f"{W}fldChar")]
    assert kinds == ["begin", "separate", "end"]
    assert not list(opened(document(contents=False)).element.body.iter(f"{W}hyperlink"))


def test_the_footer_has_the_page_number_in_the_words_of_the_language() -> None:
    footer = opened(document()).sections[0].footer.paragraphs[0]._p
    assert [field.get(f"{W}instr") for field in footer.iter(f"{W}fldSimple")] == ["PAGE", "NUMPAGES"]
    words = "".join(found.text or "" for found in footer.iter(f"{W}t"))
    assert words.endswith("Page 1 of 1")
    assert words.startswith(HOSTILE)


def test_folds_are_in_full_and_moved_in() -> None:
    inner = Fold(("Inner",), (Paragraph(("deep",)),))
    file = small(Fold(("Outer",), (Paragraph(("shallow",)), inner)))
    left = {p.text: p.paragraph_format.left_indent for p in file.paragraphs}
    assert left["Outer"] is None
    assert left["shallow"] is not None
    assert left["deep"] == 2 * left["shallow"]


def test_words_that_lead_to_a_formula_stay_on_its_page() -> None:
    file = small(Paragraph(("Because",)), Formula(Symbol("z"), ()), Paragraph(("End",)))
    keeps = {p.text: p.paragraph_format.keep_with_next for p in file.paragraphs}
    assert keeps["Because"] is True
    assert not keeps["End"]


def test_bengali_says_its_language_and_has_a_font() -> None:
    file = small(Paragraph((BENGALI,)), language="bn")
    run = next(run for run in file.element.body.iter(f"{W}r") if BENGALI in "".join(run.itertext()))
    assert run.find(f"{W}rPr/{W}lang").get(f"{W}bidi") == "bn-BD"
    normal = file.styles["Normal"].element.rPr
    assert normal.find(f"{W}rFonts").get(f"{W}cs") == "Nirmala UI"
    assert normal.find(f"{W}lang").get(f"{W}bidi") == "bn-BD"
    assert normal.find(f"{W}szCs").get(f"{W}val") == "20"


def test_bengali_names_of_factors_stand_below_the_equation() -> None:
    file = small(
        Formula(Symbol("z"), (("=", Factor("ওজন", Symbol("W", 1))), ("=", Factor("ওজন", Symbol("x")))))
    )
    assert [p.text for p in file.paragraphs if p.style.name == "Shapes"] == ["(1) ওজন"]
    assert "(1)" in math_text(file.element.body)


def test_bengali_names_within_a_line_follow_the_equation() -> None:
    file = small(Paragraph(("So ", Factor("ওজন", Symbol("W", 1)), ".")))
    assert file.paragraphs[0].text == "So  (1) ওজন."


def test_every_picture_has_a_number_of_its_own() -> None:
    figure = next(block for block in document().blocks if isinstance(block, Figure))
    names = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}docPr"
    pictures = list(
        small(
            figure, figure, replace(figure, scene=replace(figure.scene, description="other"))
        ).element.body.iter(names)
    )
    assert [picture.get("id") for picture in pictures] == ["1", "2", "3"]


def test_characters_that_xml_cannot_hold_are_left_out() -> None:
    title = "a\x00b\x01c\ud800d"
    sheet = Document(title, "en", (Heading(1, (title,)), Paragraph((title,))), Notation())
    file = opened(sheet)
    assert file.core_properties.title == "abcd"
    assert [p.text for p in file.paragraphs] == ["abcd", "abcd"]


def test_an_unknown_block_is_refused() -> None:
    with pytest.raises(RenderError, match="no rule for the block str"):
        docx.write(Document("t", "en", ("text",), Notation()))  # type: ignore[arg-type]


def test_without_python_docx_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "docx", None)
    with pytest.raises(MissingExtraError, match=r"Word output needs .* pip install 'handgrad\[docs\]'"):
        docx.write(Document("t", "en", (), Notation()))


@pytest.mark.slow
@pytest.mark.skipif(
    shutil.which("soffice") is None or shutil.which("pdftotext") is None,
    reason="LibreOffice and poppler-utils are not installed",
)
def test_libreoffice_reads_the_equations_as_equations(tmp_path: Path) -> None:
    path = tmp_path / "sheet.docx"
    path.write_bytes(docx.write(document()))
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    call = ["soffice", profile, "--headless", "--convert-to", "pdf", "--outdir", str(tmp_path), str(path)]
    subprocess.run(call, check=True, capture_output=True, timeout=240)
    found = subprocess.run(
        ["pdftotext", str(path.with_suffix(".pdf")), "-"], check=True, capture_output=True, text=True
    ).stdout
    for shown in ("0.2301", "sigmoid prime & more", "cost derivative", "Page 1 of"):
        assert shown in found
    assert "¿" not in found  # LibreOffice's mark for an equation with a part missing
