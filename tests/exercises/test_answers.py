"""Answers come back from every medium that can be filled in, and rubbish is named."""

from __future__ import annotations

import ast
import io
import json
import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader, PdfWriter

from handgrad.errors import DataError, HandgradError
from handgrad.exercises.answers import READERS, blank_csv, blank_toml, read_answers
from handgrad.exercises.exercise import Exercise, make
from handgrad.exercises.marking import mark
from handgrad.exercises.recipe import Recipe
from handgrad.exercises.sheet import exercise_sheet, labels
from handgrad.render.media import write
from tests.exercises.by_hand import exercise, worked, written

TEXTS = {
    **written(worked()),
    "loss": "0,4790",
    "z1[0,0]": "২১/১০০",
    "yhat[0,0]": "",
    "dW1[0,0]": "rubbish & <b>",
}


def filled_pdf(raw: bytes) -> bytes:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(raw)))
    for page in writer.pages:
        writer.update_page_form_field_values(page, {"name": "Ann", **TEXTS}, auto_regenerate=False)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def filled_docx(raw: bytes) -> bytes:
    """As Word writes it: the placeholder goes, the text stands in a run."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(out, "w") as new:
        for part in old.namelist():
            content = old.read(part)
            if part == "word/document.xml":
                content = re.sub(
                    r"<w:sdt>.*?</w:sdt>", written_in, content.decode(), flags=re.DOTALL
                ).encode()
            new.writestr(part, content)
    return out.getvalue()


def written_in(found: re.Match[str]) -> str:
    name = re.search(r'<w:tag w:val="([^"]*)"', found[0])
    assert name is not None
    text = {"name": "Ann", **TEXTS}[name[1]].replace("&", "&amp;").replace("<", "&lt;")
    if not text:
        return found[0]
    control = found[0].replace("<w:showingPlcHdr/>", "")
    return re.sub(r"(<w:t [^>]*>)[^<]*", lambda run: run[1] + text, control)


def filled_html(raw: bytes) -> bytes:
    page = raw.decode()
    for name, text in {"name": "Ann", **TEXTS}.items():
        value = text.replace("&", "&amp;").replace("<", "&lt;")
        page = page.replace(f'name="{name}" value=""', f'name="{name}" value="{value}"')
    return page.encode()


def filled_md(raw: bytes) -> bytes:
    page = raw.decode()
    for name, text in {"name": "Ann", **TEXTS}.items():
        page = re.sub(rf"_+ <!-- {re.escape(name)} -->", lambda _, n=name, t=text: f"{t} <!-- {n} -->", page)
    return page.encode()


def filled_ipynb(raw: bytes) -> bytes:
    notebook = json.loads(raw)
    for cell in notebook["cells"]:
        for name, text in {"name": "Ann", **TEXTS}.items():
            value = "21/100" if name == "z1[0,0]" else json.dumps(text)
            cell["source"] = cell["source"].replace(f'"{name}": "",', f'"{name}": {value},')
        if cell["cell_type"] == "code":
            ast.parse(cell["source"])
    return json.dumps(notebook).encode()


FILLED: dict[str, Callable[[bytes], bytes]] = {
    "pdf": filled_pdf,
    "docx": filled_docx,
    "html": filled_html,
    "md": filled_md,
    "ipynb": filled_ipynb,
}


@pytest.mark.parametrize("medium", FILLED)
def test_a_sheet_that_was_filled_in_is_read_and_marked(medium: str, tmp_path: Path) -> None:
    path = tmp_path / f"sheet.{medium}"
    path.write_bytes(FILLED[medium](write(medium, exercise_sheet(exercise()))))
    found = read_answers(path)
    assert found.name == "Ann"
    carried = Exercise.from_code(found.exercise, "sheet")
    assert carried.id == exercise().id
    assert set(found.texts) == set(exercise().fields)
    paper = mark(carried, found)
    assert paper.earned == 26
    assert paper.counts["blank"] == paper.counts["unreadable"] == 1


@pytest.mark.parametrize("medium", ["pdf", "docx", "html", "md", "ipynb"])
def test_an_empty_sheet_is_blank_throughout(medium: str, tmp_path: Path) -> None:
    path = tmp_path / f"sheet.{medium}"
    path.write_bytes(write(medium, exercise_sheet(exercise())))
    paper = mark(exercise(), read_answers(path))
    assert paper.counts == {"blank": 28}


def filled_toml(quoted: bool) -> str:
    lines = blank_toml(exercise(), labels(exercise())).splitlines()
    filled = []
    for line in lines:
        name = line.split('"')[1] if line.startswith('"') else ""
        text = TEXTS.get(name, "")
        filled.append(line.replace('= ""', f'= "{text}"' if quoted else f"= {text}") if name else line)
    return "\n".join(filled).replace('name = ""', 'name = "Ann"')


@pytest.mark.parametrize("quoted", [True, False])
def test_a_toml_file_is_read_even_where_it_is_not_valid(tmp_path: Path, quoted: bool) -> None:
    path = tmp_path / "answers.toml"
    path.write_text(filled_toml(quoted), encoding="utf-8")
    found = read_answers(path)
    assert mark(Exercise.from_code(found.exercise, "f"), found).earned == 26
    assert bool(found.remarks) is not quoted


@pytest.mark.parametrize("mark_between", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_table_of_answers_is_read_as_an_office_program_saves_it(
    tmp_path: Path, mark_between: str, encoding: str
) -> None:
    import csv

    rows = list(csv.reader(io.StringIO(blank_csv(exercise(), labels(exercise())))))
    for row in rows[1:]:
        row[2] = {"name": "Ann", **TEXTS}.get(row[0], row[2])
    out = io.StringIO()
    csv.writer(out, delimiter=mark_between).writerows(rows)
    path = tmp_path / "answers.csv"
    path.write_bytes(out.getvalue().encode(encoding))
    found = read_answers(path)
    assert found.name == "Ann"
    assert mark(Exercise.from_code(found.exercise, "f"), found).earned == 26


def test_a_decimal_comma_in_a_table_with_commas(tmp_path: Path) -> None:
    path = tmp_path / "answers.csv"
    path.write_text("field,what,answer\nloss,the loss,0,4790\nz2,,0.487\n")
    assert read_answers(path).texts == {"loss": "0,4790", "z2": "0.487"}


def test_lists_in_toml_and_json(tmp_path: Path) -> None:
    toml, js = tmp_path / "a.toml", tmp_path / "a.json"
    toml.write_text("[answers]\nz1 = [[0.21, 0.470]]\nloss = 0.4790\n")
    js.write_text('{"name": "Ann", "answers": {"z1": [["0,21", 0.47]], "loss": null}}')
    assert read_answers(toml).texts == {"z1[0,0]": "0.21", "z1[0,1]": "0.470", "loss": "0.4790"}
    assert read_answers(js).texts == {"z1[0,0]": "0,21", "z1[0,1]": "0.47", "loss": ""}


@pytest.mark.parametrize("suffix", [*READERS, ".doc", ".jpg", ""])
@pytest.mark.parametrize(
    "raw", [b"", b"\x00\xff\xfe rubbish", b"%PDF-1.7\nrubbish", b"PK\x03\x04rubbish", b"[" * 5000]
)
def test_rubbish_is_read_or_named(tmp_path: Path, suffix: str, raw: bytes) -> None:
    path = tmp_path / f"answers{suffix}"
    path.write_bytes(raw)
    try:
        found = read_answers(path)
    except DataError as error:
        assert "answers" in str(error)
    else:
        assert mark(exercise(), found).earned == 0


@given(st.binary(max_size=300), st.sampled_from([".toml", ".csv", ".json", ".html", ".md", ".ipynb"]))
def test_whatever_is_handed_in_is_no_traceback(
    tmp_path_factory: pytest.TempPathFactory, raw: bytes, suffix: str
) -> None:
    path = tmp_path_factory.getbasetemp() / f"some{suffix}"
    path.write_bytes(raw)
    try:
        read_answers(path)
    except HandgradError as error:
        assert str(error)


def test_a_notebook_is_not_run(tmp_path: Path) -> None:
    path = tmp_path / "a.ipynb"
    code = f'answers = {{"loss": open("{tmp_path}/ran", "w").write("x"), "z2": 1/3}}'
    path.write_text(json.dumps({"cells": [{"cell_type": "code", "source": code}]}))
    assert read_answers(path).texts["z2"] == "1/3"
    assert not (tmp_path / "ran").exists()


def test_a_long_sheet_with_hints_has_every_field_in_its_pdf(tmp_path: Path) -> None:
    """The functions that set the fields once hid one of Typst's own, which long formulas and figures use."""
    made = make(Recipe((2, 3, 1), difficulty="hard", seed=3))
    path = tmp_path / "sheet.pdf"
    path.write_bytes(write("pdf", exercise_sheet(made, "en", hints=True)))
    assert set(read_answers(path).texts) == set(made.fields)


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_a_word_file_that_libreoffice_saved_is_read(tmp_path: Path) -> None:
    (tmp_path / "sheet.docx").write_bytes(filled_docx(write("docx", exercise_sheet(exercise()))))
    command = [
        "soffice",
        f"-env:UserInstallation=file://{tmp_path}/profile",
        "--headless",
        "--convert-to",
        "docx",
    ]
    subprocess.run(
        [*command, "--outdir", "again", "sheet.docx"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        timeout=120,
    )
    found = read_answers(tmp_path / "again" / "sheet.docx")
    assert found.name == "Ann"
    assert mark(Exercise.from_code(found.exercise, "f"), found).earned == 26
