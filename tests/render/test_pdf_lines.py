"""What a reader of the paper sees, from the positions of its words: whole brackets, no factor alone, nothing over the
margin, no heading at a page's foot."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from handgrad.models.fit_table import fit_table
from handgrad.render.settings import PARTS
from handgrad.worksheets.worksheet import Worksheet, explain
from tests.render.test_lengths import EXAMPLES, four_five_three

pytest.importorskip("typst")
pytestmark = pytest.mark.skipif(shutil.which("pdftotext") is None, reason="poppler-utils is not installed")
MARGIN, FOOT = 48.2, 46.0
"""In points: 1.7 cm at the sides; the footer."""
_WORD = re.compile(r'<word xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="([\d.]+)">(.*?)</word>')


class Word(NamedTuple):
    left: float
    top: float
    right: float
    bottom: float
    text: str

    @property
    def size(self) -> float:
        return self.bottom - self.top


def _brief() -> Worksheet:
    model = fit_table(
        str(EXAMPLES / "penguins.csv"), "species", hidden=(64, 32), epochs=2, seed=1, engine="reference"
    )
    return explain(model, step=4, language="en")


SHEETS: dict[str, Callable[[], Worksheet]] = {
    "every part": lambda: explain(EXAMPLES / "relu-sigmoid-2-2-1.toml", parts=PARTS, language="en"),
    "adam": lambda: explain(four_five_three(steps=2), detail="matrix", language="en"),
    "scalar": lambda: explain(EXAMPLES / "mazur-2015.toml", detail="scalar", language="en"),
    "brief": _brief,
}


@cache
def pages(name: str, folder: Path) -> list[tuple[float, float, list[Word]]]:
    """Width and height of each page, and its words."""
    path = SHEETS[name]().save(folder / "sheet.pdf")
    text = subprocess.run(
        ["pdftotext", "-bbox", str(path), "-"], capture_output=True, text=True, check=True
    ).stdout
    found = []
    for page in re.findall(r"<page [^>]*>.*?</page>", text, re.DOTALL):
        size = re.search(r'<page width="([\d.]+)" height="([\d.]+)"', page)
        assert size is not None
        words = [Word(*map(float, word[:4]), word[4].replace("&lt;", "<")) for word in _WORD.findall(page)]
        found.append((float(size[1]), float(size[2]), words))
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lines")


def rows(words: list[Word]) -> Iterator[list[Word]]:
    """Words that stand on one baseline, as large as the text, from left to right."""
    by_line: dict[float, list[Word]] = {}
    for word in words:
        line = next((line for line in by_line if abs(line - word.bottom) < 0.6), word.bottom)
        by_line.setdefault(line, []).append(word)
    for line in sorted(by_line):
        yield sorted(by_line[line])


def unbalanced(row: list[Word]) -> bool:
    text = "".join(word.text for word in row)
    return text.count("(") != text.count(")")


def orphan(row: list[Word]) -> bool:
    """A line that begins with a sign between factors or terms and holds next to nothing."""
    begins = re.match(r"[×⊙⊗+]", row[0].text)
    return bool(begins) and row[0].left < 250 and row[-1].right - row[0].left < 32


@pytest.mark.parametrize("name", SHEETS)
def test_no_line_is_broken_within_a_bracket(name: str, folder: Path) -> None:
    for number, (_, _, words) in enumerate(pages(name, folder), 1):
        tall: list[Word] = []  # brackets that have grown stand on lines of their own, by their size
        for row in rows(words):
            if all(set(word.text) <= set("()") for word in row):
                tall += row
            else:
                assert not unbalanced(row), (number, [word.text for word in row])
        assert not unbalanced(tall), number


@pytest.mark.parametrize("name", SHEETS)
def test_no_factor_is_left_alone(name: str, folder: Path) -> None:
    for number, (_, _, words) in enumerate(pages(name, folder), 1):
        for row in rows(words):
            assert not orphan(row), (number, [word.text for word in row])


@pytest.mark.parametrize("name", SHEETS)
def test_no_line_is_overfull(name: str, folder: Path) -> None:
    for number, (width, _, words) in enumerate(pages(name, folder), 1):
        over = [word.text for word in words if word.right > width - MARGIN + 2.0 or word.left < MARGIN - 2.0]
        assert not over, (number, over)


@pytest.mark.parametrize("name", SHEETS)
def test_no_heading_stands_at_the_foot_of_a_page(name: str, folder: Path) -> None:
    for number, (_, height, words) in enumerate(pages(name, folder), 1):
        body = [word for word in words if word.bottom < height - FOOT]
        last = max(body, key=lambda word: word.bottom)
        usual = sorted(word.size for word in body)[len(body) // 2]
        assert last.size <= usual + 0.8, (number, last.text)


def test_the_checks_see_what_they_look_for() -> None:
    broken = [Word(50, 10, 60, 20, "(a"), Word(62, 10, 70, 20, "+ b")]
    assert unbalanced(broken)
    assert orphan([Word(90, 10, 98, 20, "×"), Word(100, 10, 110, 20, "0.5")])
    assert not orphan([Word(90, 10, 98, 20, "×"), Word(100, 10, 180, 20, "0.5")])
