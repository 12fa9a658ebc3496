"""The PDF as PDF/UA-1 (ISO 14289-1) wants it, from the structure of the file: all of it can be heard, in order."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import Any

import pytest

from handgrad.audit.check import check
from handgrad.cases.case import Case
from handgrad.exercises.exercise import make
from handgrad.exercises.sheet import exercise_sheet
from handgrad.render.document import Document, Figure, Fold, Formula, Heading, Table
from handgrad.render.media import write
from handgrad.render.settings import PARTS
from handgrad.worksheets.worksheet import explain
from tests.render.test_lengths import EXAMPLES, four_five_three
from tests.render.test_pdf import bengali_font

pypdf = pytest.importorskip("pypdf")
pytest.importorskip("typst")

CASE = EXAMPLES / "relu-sigmoid-2-2-1.toml"
SHEETS: dict[str, Any] = {
    "every part": lambda: explain(CASE, parts=PARTS, language="en").document,
    "scalar": lambda: explain(EXAMPLES / "mazur-2015.toml", detail="scalar", language="en").document,
    "adam": lambda: explain(four_five_three(steps=2), detail="matrix", language="en").document,
    "formulas": lambda: explain(EXAMPLES / "formula-sheet.toml", parts=PARTS, language="en").document,
    "report": lambda: check(CASE).document("en"),
    "bengali": lambda: explain(CASE, language="bn").document,
}


class Element:
    """An element of the structure: its kind, its words, its attributes, and what it holds."""

    def __init__(self, held: Any) -> None:
        self.kind = str(held["/S"])[1:]
        self.words = str(held.get("/Alt", ""))
        attributes = held.get("/A", [])
        listed = attributes if isinstance(attributes, list) else [attributes]
        self.attributes = {key: value for part in listed for key, value in part.get_object().items()}
        kids = held.get("/K", [])
        kids = kids if isinstance(kids, list) else [kids]
        held_kids = [kid.get_object() if hasattr(kid, "get_object") else kid for kid in kids]
        self.kids = [Element(kid) for kid in held_kids if isinstance(kid, dict) and "/S" in kid]
        self.objects = [
            kid["/Obj"].get_object() for kid in held_kids if isinstance(kid, dict) and "/Obj" in kid
        ]

    def walk(self) -> Iterator[Element]:
        yield self
        for kid in self.kids:
            yield from kid.walk()


def elements(reader: Any) -> list[Element]:
    kids = reader.root_object["/StructTreeRoot"]["/K"]
    kids = kids if isinstance(kids, list) else [kids]
    return [each for kid in kids for each in Element(kid.get_object()).walk()]


@cache
def opened(name: str, medium: str = "pdf") -> tuple[Document, Any]:
    document = SHEETS[name]()
    return document, pypdf.PdfReader(io.BytesIO(write(medium, document)))


@pytest.fixture(params=SHEETS)
def name(request: pytest.FixtureRequest) -> str:
    if request.param == "bengali" and not bengali_font():
        pytest.skip("no Bengali font is installed")
    return str(request.param)


def blocks_of(blocks: Any) -> Iterator[Any]:
    for block in blocks:
        yield block
        if isinstance(block, Fold):
            yield from blocks_of(block.blocks)


def test_the_file_says_that_it_is_tagged_its_language_and_its_title(name: str) -> None:
    document, reader = opened(name)
    root = reader.root_object
    assert root["/MarkInfo"]["/Marked"] is True or bool(root["/MarkInfo"]["/Marked"])
    assert str(root["/Lang"]).split("-")[0] == document.language
    assert bool(root["/ViewerPreferences"]["/DisplayDocTitle"])
    metadata = root["/Metadata"].get_data().decode()
    assert "<pdfuaid:part>1</pdfuaid:part>" in metadata
    assert document.title.split(":")[0].split("&")[0] in metadata


def test_headings_stand_in_the_order_of_the_document_and_skip_no_level(name: str) -> None:
    document, reader = opened(name)
    levels = [int(each.kind[1]) for each in elements(reader) if each.kind in ("H1", "H2", "H3", "H4")]
    wanted = [block.level for block in blocks_of(document.blocks) if isinstance(block, Heading)]
    assert levels == wanted
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_every_formula_and_figure_is_said_in_words(name: str) -> None:
    document, reader = opened(name)
    found = elements(reader)
    formulas = [each for each in found if each.kind == "Formula"]
    assert len(formulas) >= sum(isinstance(block, Formula) for block in blocks_of(document.blocks))
    assert all(each.words.strip() for each in formulas)
    figures = [each.words for each in found if each.kind == "Figure" and each.words]
    wanted = [block.scene.description for block in blocks_of(document.blocks) if isinstance(block, Figure)]
    assert [words for words in figures if words in wanted] == wanted


def test_tables_have_headers_that_say_what_they_head(name: str) -> None:
    document, reader = opened(name)
    tables = [each for each in elements(reader) if each.kind == "Table"]
    wanted = [block for block in blocks_of(document.blocks) if isinstance(block, Table)]
    assert len(tables) >= len(wanted)
    for table in tables:
        heads = [each for each in table.walk() if each.kind == "TH"]
        assert heads
        assert all(str(each.attributes.get("/Scope")) == "/Column" for each in heads)
        rows = [each for each in table.walk() if each.kind == "TR"]
        assert len({sum(each.kind in ("TH", "TD") for each in row.walk()) for row in rows}) == 1


def test_every_annotation_is_part_of_the_structure(name: str) -> None:
    _, reader = opened(name)
    held = [each for element in elements(reader) for each in element.objects]
    for page in reader.pages:
        assert page.get("/Tabs") == "/S" or "/Annots" not in page
        for reference in page.get("/Annots", []):
            annotation = reference.get_object()
            assert "/StructParent" in annotation
            assert any(annotation == each for each in held)


def test_slides_are_tagged_too() -> None:
    document = SHEETS["every part"]()
    reader = pypdf.PdfReader(io.BytesIO(write("slides-pdf", document)))
    found = elements(reader)
    assert all(each.words for each in found if each.kind == "Formula")
    assert any(each.kind.startswith("H") for each in found)


def test_the_fields_of_an_exercise_are_fields_of_the_structure_with_words() -> None:
    document = exercise_sheet(make(Case.load(CASE)), "en")
    reader = pypdf.PdfReader(io.BytesIO(write("pdf", document)))
    fields = [
        reference.get_object() for page in reader.pages for reference in page.get("/Annots", [])
        if reference.get_object()["/Subtype"] == "/Widget" and not int(reference.get_object()["/F"]) & 2
    ]  # fmt: skip
    forms = [each for each in elements(reader) if each.kind == "Form"]
    assert len(fields) > 5
    assert len(forms) == len(fields)
    assert all(str(field["/TU"]).strip() for field in fields)
    assert (
        "pdfuaid" not in reader.root_object["/Metadata"].get_data().decode()
    )  # its Helvetica is not embedded
