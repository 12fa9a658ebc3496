from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from handgrad.errors import MissingExtraError, RenderError
from handgrad.render.document import Document, Formula, Heading, Paragraph
from handgrad.render.typst import pdf
from handgrad.render.typst.raster import picture
from handgrad.worked.expressions import Symbol
from handgrad.writing import scripts as fonts
from handgrad.writing.letter_parts import Notation
from handgrad.writing.scripts import SCRIPTS, families_for
from tests.render.everything import BENGALI, LONG, SCENE, document, numbers

poppler = pytest.mark.skipif(shutil.which("pdftotext") is None, reason="poppler-utils is not installed")


def bengali_font() -> bool:
    known = fonts.fonts(system=True).families()
    return any(family in known for family in SCRIPTS[0].families)


bengali = pytest.mark.skipif(not bengali_font(), reason="no Bengali font is installed")


def extracted(data: bytes, folder: Path, *options: str) -> str:
    path = folder / "sheet.pdf"
    path.write_bytes(data)
    found = subprocess.run(
        ["pdftotext", *options, str(path), "-"], capture_output=True, text=True, check=True
    )
    return found.stdout


@bengali
def test_two_runs_give_the_same_bytes() -> None:
    first = pdf.write(document())
    assert first.startswith(b"%PDF-")
    assert first == pdf.write(document())


@bengali
@poppler
def test_the_words_and_numbers_can_be_searched(tmp_path: Path) -> None:
    text = " ".join(extracted(pdf.write(document()), tmp_path).split())
    for words in (
        "Source: a book & a half",
        "Contents",
        "Forward pass",
        "Each unit adds up",
        '"quoted"',
        "<script>alert(1)</script>",
        "sigmoid prime & more",
        "0.2301",
        "0.7531",
        "Before | after",
        "The step lowered the loss from",
        "Page 1 of",
    ):
        assert words in text
    assert BENGALI.split()[0] in text


@bengali
@poppler
def test_nothing_reaches_over_the_margin(tmp_path: Path) -> None:
    wide = numbers(*[("0.123456789",) * 16] * 3)
    blocks = (
        *document().blocks,
        Formula(Symbol("z"), (("=", wide), ("=", LONG))),
        Formula(Symbol("z"), (("=", numbers(*[("12345.6789",) * 7] * 2)),)),
    )
    data = pdf.write(Document("t", "en", blocks, Notation()))
    boxes = extracted(data, tmp_path, "-bbox")
    page = float(re.findall(r'<page width="([\d.]+)"', boxes)[0])
    edges = [float(edge) for edge in re.findall(r'xMax="([\d.]+)"', boxes)]
    assert page == pytest.approx(595.28, abs=0.1)
    assert max(edges) <= page - 48.2 + 6.0  # 1.7 cm, and an em of slack for brackets


@bengali
@poppler
def test_folds_are_printed_in_full_and_pages_are_numbered(tmp_path: Path) -> None:
    blocks = tuple(Paragraph((f"Paragraph {number}",)) for number in range(200))
    text = extracted(
        pdf.write(Document("Long", "en", (Heading(1, ("Long",)), *blocks), Notation())), tmp_path
    )
    pages = text.count("\f")
    assert pages > 3
    assert f"Page {pages} of {pages}" in text
    assert "Folded" in extracted(pdf.write(document()), tmp_path)


@bengali
@poppler
def test_bengali_keeps_its_conjuncts(tmp_path: Path) -> None:
    words = "ম্যাট্রিক্স বহিঃস্থ গুণফল সক্রিয়ণ ফাংশনের অন্তরজ"
    data = pdf.write(Document(words, "bn", (Heading(1, (words,)), Paragraph((words,))), Notation()))
    text = extracted(data, tmp_path)
    assert words in " ".join(text.split())


def test_latin_text_needs_no_font_of_the_system() -> None:
    families, known = families_for("Latin, Greek λ and mathematics ∑ ⊙")
    assert families == ("New Computer Modern", "Libertinus Serif")
    assert "Noto Sans Bengali" not in known.families()


def test_a_missing_font_is_named_with_its_package() -> None:
    with pytest.raises(RenderError, match=r"no font with Bengali letters .* apt install fonts-noto-core or"):
        families_for(BENGALI, installed=("DejaVu Sans",))
    assert families_for(BENGALI, installed=("Lohit Bengali",))[0][-1] == "Lohit Bengali"


def test_without_typst_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(MissingExtraError, match=r"PDF output needs .* pip install 'handgrad\[docs\]'"):
        pdf.write(Document("t", "en", (), Notation()))


@pytest.mark.parametrize(("form", "begins"), [("png", b"\x89PNG"), ("pdf", b"%PDF-")])
def test_pictures_have_their_own_size_and_the_same_bytes(form: str, begins: bytes) -> None:
    drawn = picture(SCENE, form, "Network & more")
    assert drawn.startswith(begins)
    assert drawn == picture(SCENE, form, "Network & more")
    if form == "png":
        assert [int.from_bytes(drawn[place : place + 4], "big") for place in (16, 20)] == [600, 320]


def test_a_picture_of_another_format_is_refused() -> None:
    with pytest.raises(RenderError, match="png or pdf, got 'gif'"):
        picture(SCENE, "gif")
    with pytest.raises(RenderError, match="could not draw"):
        picture(replace(SCENE, width=-1.0), "png")
