"""Places to write into, in every medium: each field is there under its name, and what is written can be read."""

from __future__ import annotations

import ast
import io
import json
import re
import zipfile
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from pypdf import PdfReader, PdfWriter

from handgrad.render.document import Blanks, Block, Document, Field, Fold, Heading, fields_of
from handgrad.render.media import MEDIA, write
from handgrad.render.terminal.sheet import to_text
from handgrad.worked.expressions import Gradient, Symbol
from handgrad.writing.letter_parts import Notation

WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
CODE = "eJz+/abc="


def field(quantity: str, *index: int) -> Field:
    place = f"[{','.join(map(str, index))}]" if index else ""
    return Field(f"{quantity}{place}", f"{quantity} & <entry> {index}", quantity, index)


BLOCKS: tuple[Block, ...] = (
    Heading(1, ("Exercise",), "title"),
    Blanks(("Name",), ((Field("name", "Name"),),), 30),
    Blanks((), ((Field("exercise", "", value=CODE, hidden=True),),)),
    Heading(2, ("Forward",), "forward"),
    Blanks((Symbol("z", 1), " ="), ((field("z1", 0, 0),), (field("z1", 0, 1),)), 8, ("6 decimals",)),
    Fold(("More",), (Blanks((Symbol("loss"), " ="), ((field("loss"),),)),)),
    Blanks(
        (Gradient(Symbol("loss"), Symbol("W", 1)), " ="),
        tuple(tuple(field("dW1", i, j) for j in range(3)) for i in range(2)),
    ),
)
SHEET = Document("Exercise", "en", BLOCKS, Notation())
NAMES = [each.name for each in fields_of(BLOCKS)]
SHOWN = [name for name in NAMES if name != "exercise"]


def test_the_names_are_those_of_the_document() -> None:
    assert NAMES[:3] == ["name", "exercise", "z1[0,0]"]
    assert len(NAMES) == 11


@pytest.mark.parametrize("medium", MEDIA)
def test_two_runs_give_the_same_bytes(medium: str) -> None:
    assert write(medium, SHEET) == write(medium, SHEET)


def test_a_field_of_the_pdf_survives_filling_in_and_reading_back() -> None:
    reader = PdfReader(io.BytesIO(write("pdf", SHEET)))
    fields = reader.get_fields()
    assert fields is not None
    assert set(fields) == set(NAMES)
    assert fields["exercise"]["/V"] == CODE
    assert {fields[name]["/FT"] for name in NAMES} == {"/Tx"}
    writer = PdfWriter(clone_from=reader)
    writer.update_page_form_field_values(writer.pages[0], {"z1[0,1]": "-0.25"})
    filled = io.BytesIO()
    writer.write(filled)
    again = PdfReader(filled).get_fields()
    assert again is not None
    assert again["z1[0,1]"]["/V"] == "-0.25"
    assert again["z1[0,0]"]["/V"] == ""


def test_the_fields_of_the_pdf_lie_beside_each_other_as_the_matrix_does() -> None:
    page = PdfReader(io.BytesIO(write("pdf", SHEET))).pages[0]
    boxes = {
        annotation["/T"]: [float(edge) for edge in annotation["/Rect"]]
        for annotation in (reference.get_object() for reference in page["/Annots"])
    }
    left, bottom, right, top = boxes["dW1[0,0]"]
    assert right - left > 40
    assert top - bottom > 12
    assert boxes["dW1[0,1]"][0] > right
    assert boxes["dW1[1,0]"][3] < bottom
    assert abs(boxes["dW1[1,2]"][0] - boxes["dW1[0,2]"][0]) < 0.1
    assert boxes["exercise"] == [0, 0, 0, 0]
    assert "handgrad-field" not in str(page["/Annots"])


def test_content_controls_of_word() -> None:
    with zipfile.ZipFile(io.BytesIO(write("docx", SHEET))) as package:
        body = ElementTree.fromstring(package.read("word/document.xml"))
    tags = [tag.get(f"{WORD}val") for tag in body.iter(f"{WORD}tag")]
    assert tags == SHOWN
    assert len({identity.get(f"{WORD}val") for identity in body.iter(f"{WORD}id")}) == len(SHOWN)
    assert all(
        control.find(f"{WORD}sdtPr/{WORD}showingPlcHdr") is not None for control in body.iter(f"{WORD}sdt")
    )
    hidden = [
        "".join(run.itertext())
        for run in body.iter(f"{WORD}r")
        if run.find(f"{WORD}rPr/{WORD}vanish") is not None
    ]
    assert [text.strip() for text in hidden] == [f"handgrad:exercise={CODE}"]


class Inputs(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[dict[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "input":
            self.found.append(dict(attrs))


def test_inputs_of_the_page() -> None:
    page = Inputs()
    page.feed(write("html", SHEET).decode())
    assert [each["name"] for each in page.found] == NAMES
    by_name = {each["name"]: each for each in page.found}
    assert by_name["dW1[1,2]"]["data-quantity"] == "dW1"
    assert by_name["dW1[1,2]"]["data-index"] == "1,2"
    assert by_name["loss"]["data-index"] == ""
    assert by_name["exercise"] == {"type": "hidden", "name": "exercise", "value": CODE}
    assert all(by_name[name]["aria-label"] for name in SHOWN)


def test_a_page_without_fields_has_neither_their_style_nor_their_script() -> None:
    plain = write("html", Document("Plain", "en", (Heading(1, ("Plain",), "title"),), Notation())).decode()
    assert "places" not in plain
    assert "save" not in plain


def test_markdown_names_each_place() -> None:
    text = write("md", SHEET).decode()
    assert re.findall(r"<!-- (\S+) -->", text) == SHOWN
    assert f"<!-- exercise = {CODE} -->" in text
    assert text.count("________ <!--") == len(SHOWN)


def test_the_cells_of_the_notebook_hold_the_answers() -> None:
    cells = [cell for cell in json.loads(write("ipynb", SHEET))["cells"] if cell["cell_type"] == "code"]
    scope: dict[str, dict[str, str]] = {}
    for cell in cells:
        ast.parse(cell["source"])
        exec(cell["source"], scope)
    assert list(scope["answers"]) == NAMES
    assert scope["answers"]["exercise"] == CODE


def test_the_latex_file_has_a_text_field_for_each() -> None:
    text = write("tex", SHEET).decode()
    assert re.findall(r"\\TextField\[name=\{([^}]*)\}", text) == SHOWN
    assert text.count(r"\begin{Form}") == text.count(r"\end{Form}") == 1


def test_the_terminal_has_lines_to_write_on() -> None:
    text = to_text(SHEET, 60)
    assert text.count("_" * 8) >= len(SHOWN) - 1
    assert CODE not in text
    assert max(map(len, text.splitlines())) <= 60
