"""Files of answers: to be filled in (TOML, CSV), and read back from whatever a student hands in.

A sheet in PDF, Word, HTML, Markdown or a notebook that was filled in is a file of answers too: its fields have the
same names. `exercise` in each of them says which exercise it is.
"""

from __future__ import annotations

import ast
import csv
import io
import json
import re
import tomllib
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from handgrad.errors import DataError, MissingExtraError
from handgrad.exercises.exercise import Exercise
from handgrad.files import read_whole
from handgrad.render.word.blanks import KEPT

LARGEST_FILE = 50 << 20
_LARGEST_PART = 20 << 20
MOST_ANSWERS = 20_000
_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


@dataclass(frozen=True)
class Answers:
    """What a file says: texts by the names of their fields, and remarks on what could not be read as it stands."""

    file: str
    texts: Mapping[str, str]
    name: str = ""
    exercise: str = ""
    remarks: tuple[str, ...] = ()


# -- to be filled in


def blank_toml(exercise: Exercise, labels: Mapping[str, str]) -> str:
    """A TOML file with an empty text for each number; a number may stand there without quotes.

    >>> from handgrad.exercises.exercise import make
    >>> from handgrad.exercises.recipe import Recipe
    >>> print(blank_toml(make(Recipe(difficulty="easy")), {}).splitlines()[-1])
    "loss" = ""
    """
    lines = [
        "# Write each answer between the quotes; 0.25, 0,25, 1/4 and 2.5e-1 are all read.",
        f"name = {json.dumps(exercise.name, ensure_ascii=False)}",
        f'exercise = "{exercise.code}"  # which exercise it is: leave this as it is',
        "",
        "[answers]",
    ]
    for name in exercise.fields:
        label = labels.get(name, "")
        lines.append(f'"{name}" = ""' + (f"  # {_one_line(label)}" if label else ""))
    return "\n".join(lines) + "\n"


def blank_csv(exercise: Exercise, labels: Mapping[str, str]) -> str:
    """A CSV file: a row for each number, its name, what it is, and an empty cell."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["field", "what", "answer"])
    writer.writerow(["name", "", exercise.name])
    writer.writerow(["exercise", "leave this as it is", exercise.code])
    writer.writerows([name, _one_line(labels.get(name, "")), ""] for name in exercise.fields)
    return out.getvalue()


def _one_line(text: str) -> str:
    return " ".join(text.split())


# -- read


def read_answers(path: Path) -> Answers:
    """The answers of a file, by its suffix.

    Raises DataError for a file that cannot be read, MissingExtraError where that needs a library.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise DataError(
            f"{path}: answers are read from {', '.join(READERS)}; fill in one of these, or save it as one"
        )
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise DataError(f"{path}: larger than {LARGEST_FILE >> 20} MiB; this is no sheet of answers")
        raw = read_whole(path)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error}); check the path") from error
    texts, remarks = reader(raw, path)
    if len(texts) > MOST_ANSWERS:
        raise DataError(f"{path}: {len(texts):,} answers; no exercise has so many")
    held = {_named(name): str(text) for name, text in texts.items()}
    name, exercise = held.pop("name", ""), held.pop("exercise", "")
    return Answers(str(path), held, _one_line(name.strip("_ ")), exercise.strip(), tuple(remarks))


Read = tuple[dict[str, str], list[str]]


def _named(name: str) -> str:
    """The name of a field as a file of answers has it: no blanks within."""
    return re.sub(r"\s+", "", str(name))


def _text(raw: bytes, path: Path) -> tuple[str, list[str]]:
    """The text, in UTF-8 or as an office program on Windows writes it."""
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return raw.decode("utf-16", errors="replace"), []
    try:
        return raw.decode("utf-8-sig"), []
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace"), [f"{path.name}: not in UTF-8; read as Windows-1252"]


def _toml(raw: bytes, path: Path) -> Read:
    text, remarks = _text(raw, path)
    try:
        held = tomllib.loads(text, parse_float=str)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        lines = dict(_lines(text))
        return lines, [*remarks, f"{path.name}: not valid TOML ({error}); read line by line"]
    found: dict[str, str] = {}
    for name, value in held.items():
        if name == "answers" and isinstance(value, dict):
            for inner, answer in value.items():
                found.update(_flat(inner, answer))
        else:
            found.update(_flat(name, value))
    return found, remarks


_LINE = re.compile(r'^\s*"?(?P<name>[^"=#]+?)"?\s*=\s*(?P<answer>.*?)\s*$')


def _lines(text: str) -> Iterator[tuple[str, str]]:
    """name = answer, whatever stands there; what follows a # is a remark."""
    for line in text.splitlines():
        found = _LINE.match(line)
        if found is None:
            continue
        answer = found["answer"]
        quoted = re.match(r'^"([^"]*)"|^\'([^\']*)\'', answer)
        if quoted is not None:
            answer = quoted[1] if quoted[1] is not None else quoted[2]
        else:
            answer = answer.partition("#")[0].strip().strip("\"'")
        yield found["name"].strip(), answer


def _flat(name: str, value: Any, index: tuple[int, ...] = ()) -> dict[str, str]:
    """One text for each number; lists within lists are rows and columns."""
    if isinstance(value, list):
        found: dict[str, str] = {}
        for number, inner in enumerate(value):
            found.update(_flat(name, inner, (*index, number)))
        return found
    if isinstance(value, dict):
        return {}
    place, _, step = name.partition("@")
    shown = f"{place}[{','.join(map(str, index))}]" if index else place
    return {f"{shown}@{step}" if step else shown: str(value)}


def _csv(raw: bytes, path: Path) -> Read:
    text, remarks = _text(raw, path)
    first = text.lstrip().split("\n", 1)[0]
    mark = max(";\t,", key=first.count)
    found: dict[str, str] = {}
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=mark):
            cells = [cell.strip() for cell in row]
            if len(cells) < 2 or not cells[0] or cells[:1] == ["field"]:
                continue
            # an answer with a decimal comma, typed into a file whose cells are parted by commas
            answer = mark.join(cells[2:]).rstrip(mark) if len(cells) > 2 else cells[1]
            found[cells[0]] = answer.removeprefix("'")
    except csv.Error as error:
        raise DataError(f"{path}: not a table of answers ({error}); save it as CSV again") from error
    return found, remarks


def _json(raw: bytes, path: Path) -> Read:
    text, remarks = _text(raw, path)
    try:
        held = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: not valid JSON ({error})") from error
    found: dict[str, str] = {}
    if isinstance(held, dict):
        inner = held.get("answers")
        both = {**held, **inner} if isinstance(inner, dict) else held
        for name, value in both.items():
            found.update(_flat(name, "" if value is None else value))
    return found, remarks


def _pdf(raw: bytes, path: Path) -> Read:
    try:
        from pypdf import PdfReader
    except ImportError as error:
        raise MissingExtraError("reading the fields of a PDF", "docs") from error
    import logging

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # what it says of damage is said here
    try:
        fields = PdfReader(io.BytesIO(raw)).get_fields() or {}
        found = {str(name): _value_of(field) for name, field in fields.items()}
    except Exception as error:  # whatever a damaged PDF brings about in its reader
        raise DataError(f"{path}: cannot be read as a PDF ({type(error).__name__}: {error})") from error
    if not found:
        raise DataError(
            f"{path}: a PDF without fields; it was printed or scanned. Type the answers into the file of answers"
        )
    return found, []


def _value_of(field: Any) -> str:
    value = field.get("/V")
    return "" if value is None else str(value)


def _docx(raw: bytes, path: Path) -> Read:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as package:
            if package.getinfo("word/document.xml").file_size > _LARGEST_PART:
                raise DataError(f"{path}: too large for a sheet of answers")
            body = ElementTree.fromstring(package.read("word/document.xml"))
    except (zipfile.BadZipFile, KeyError, ElementTree.ParseError, NotImplementedError, RuntimeError, OSError,
            EOFError, ValueError) as error:  # fmt: skip
        raise DataError(f"{path}: cannot be read as a Word file ({error}); save it as .docx again") from error
    found: dict[str, str] = {}
    for control in body.iter(f"{_WORD}sdt"):
        name, content = _control_name(control), control.find(f"{_WORD}sdtContent")
        if not name or content is None:
            continue
        empty = control.find(f"{_WORD}sdtPr/{_WORD}showingPlcHdr") is not None
        text = "".join(node.text or "" for node in content.iter(f"{_WORD}t"))
        found[name] = "" if empty and not re.search(r"\d", text) else text
    whole = "".join(node.text or "" for node in body.iter(f"{_WORD}t"))
    for kept in re.finditer(rf"{KEPT}(\w+)=([^ ]*) ", whole):
        found.setdefault(kept[1], kept[2])
    return found, []


def _control_name(control: ElementTree.Element) -> str:
    """The tag of a content control; where LibreOffice dropped it, what its alias begins with."""
    tag = control.find(f"{_WORD}sdtPr/{_WORD}tag")
    if tag is not None:
        return tag.get(f"{_WORD}val", "")
    alias = control.find(f"{_WORD}sdtPr/{_WORD}alias")
    return "" if alias is None else alias.get(f"{_WORD}val", "").partition(":")[0]


class _Inputs(HTMLParser):
    """The values of the inputs of a page that was saved."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        held = dict(attrs)
        if tag == "input" and held.get("name"):
            self.found[str(held["name"])] = held.get("value") or ""


def _html(raw: bytes, path: Path) -> Read:
    text, remarks = _text(raw, path)
    page = _Inputs()
    page.feed(text)
    if not page.found:
        raise DataError(
            f"{path}: a page without fields to fill in; open the sheet in a browser and save its answers"
        )
    return page.found, remarks


_CELL = re.compile(r"\|([^|\n]*?)<!--\s*(\S+?)\s*-->")
_KEPT = re.compile(r"<!--\s*(\w+) = (.*?)\s*-->")


def _markdown(raw: bytes, path: Path) -> Read:
    text, remarks = _text(raw, path)
    found = {cell[2]: unescape(cell[1]).replace("\\", "").strip() for cell in _CELL.finditer(text)}
    found |= {kept[1]: unescape(kept[2]) for kept in _KEPT.finditer(text)}
    if not found:
        raise DataError(f"{path}: Markdown without places to fill in; name the sheet of an exercise")
    return found, remarks


def _notebook(raw: bytes, path: Path) -> Read:
    text, remarks = _text(raw, path)
    try:
        cells = json.loads(text)["cells"]
        sources = [cell["source"] for cell in cells if cell["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DataError(f"{path}: cannot be read as a notebook; save it again") from error
    found: dict[str, str] = {}
    for source in sources:
        code = "".join(source) if isinstance(source, list) else str(source)
        try:
            tree = ast.parse(code)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            found |= _entries(code)
            remarks.append(f"{path.name}: a cell is not valid Python; read line by line")
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Dict):
                found |= _dictionary(node, code)
    return found, remarks


def _dictionary(node: ast.Dict, code: str) -> dict[str, str]:
    """The texts of a dictionary; of an expression its source: nothing of a student's is run."""
    found: dict[str, str] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            text = value.value if isinstance(value, ast.Constant) else None
            found[key.value] = text if isinstance(text, str) else ast.get_source_segment(code, value) or ""
    return found


def _entries(code: str) -> dict[str, str]:
    return {
        found[1]: found[2].strip().strip("\"'")
        for found in re.finditer(r'^\s*"([^"]+)":\s*(.*?),?\s*(?:#.*)?$', code, re.MULTILINE)
    }


READERS: dict[str, Callable[[bytes, Path], Read]] = {
    ".toml": _toml,
    ".csv": _csv,
    ".tsv": _csv,
    ".json": _json,
    ".pdf": _pdf,
    ".docx": _docx,
    ".html": _html,
    ".htm": _html,
    ".md": _markdown,
    ".ipynb": _notebook,
}
"""Who reads a file of answers, by its suffix."""
