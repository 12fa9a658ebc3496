"""HTML: one file that needs nothing else, valid, readable in light and dark, and safe with hostile text."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from handgrad.diagram.shapes import Circle, Scene
from handgrad.errors import RenderError
from handgrad.render.document import Document, Figure, Fold, Formula, Heading, Literal, Paragraph
from handgrad.render.html import page as html
from handgrad.worked.expressions import Symbol
from handgrad.writing.letter_parts import Notation
from tests.render.everything import BENGALI, HOSTILE, SCENE, document

VOID = {"meta", "link", "br", "img", "hr", "input"}
ADDRESS = "https://example.org/a_b/c-d?e=1&f=%20#g"
PAGE = html.write(document()).decode()


class Outline(HTMLParser):
    """Elements, identifiers, links and text; every element must be closed in its order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.headings: list[int] = []
        self.text = ""
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.ids += [str(given["id"])] if "id" in given else []
        self.links += [str(given[name]) for name in ("href", "src") if name in given]
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"style", "script", "svg"} & set(self.open):
            self.text += data


def test_the_page_is_closed_in_order_with_unique_names():
    outline = Outline(PAGE)
    assert len(set(outline.ids)) == len(outline.ids)
    assert PAGE.startswith('<!DOCTYPE html>\n<html lang="en">')
    assert outline.headings[0] == 1
    assert outline.headings.count(1) == 1


def test_links_lead_to_places_on_the_page_and_nothing_comes_from_elsewhere():
    outline = Outline(PAGE)
    assert outline.links == ["#content", ADDRESS, "#problem", "#forward", "#layer-1", "#changes"]
    assert {link[1:] for link in outline.links if link != ADDRESS} <= set(outline.ids)
    needed = re.sub(r"url\(data:font/woff2;base64,[^)]*\)|<a href=.*?</a>", "", PAGE)
    assert not re.search(r"https?:|//|@import|url\(", needed.replace("http://www.w3.org/2000/svg", ""))


def test_hostile_text_is_text():
    outline = Outline(PAGE)
    assert outline.text.count(HOSTILE) == 4  # the title of the window, the heading, a paragraph, a cell
    assert BENGALI in outline.text
    assert PAGE.count("<script") == 1


def test_folds_figures_and_roles():
    assert PAGE.count("<details>") == PAGE.count("<summary>") == 1
    assert "<title>Network 2-1</title>" in PAGE
    assert '<p class="observation">' in PAGE
    bare = Figure(Scene(9, 9, "A & B", "C", (Circle(1, 1, 1, "#000000"),)))
    page = html.write(Document("t", "bn", (Heading(1, ("t",)), bare), Notation())).decode()
    assert 'role="img">\n<title>A &amp; B</title>\n<desc>C</desc>\n<circle' in page
    assert '<html lang="bn">' in page
    assert 'class="contents"' not in page


def test_a_document_without_a_title_heading_gets_one():
    page = html.write(Document("A & B", "en", (Paragraph(("x",)),), Notation())).decode()
    assert "<h1>A &amp; B</h1>" in page


def test_numbers_in_text_have_a_minus_sign():
    page = html.write(Document("t", "en", (Paragraph((Literal("-0.5"),)),), Notation())).decode()
    assert '<span class="n">\u22120.5</span>' in page


def test_long_contents_list_the_parts_only():
    headings = [Heading(2 + n % 2, (f"h{n}",), f"h{n}") for n in range(130)]
    page = html.write(Document("t", "en", tuple(headings), Notation(), contents=True)).decode()
    assert page.count('<li><a href="#h') == 65


def test_two_runs_give_the_same_bytes_and_unknown_blocks_are_refused():
    assert html.write(document()) == html.write(document())
    with pytest.raises(RenderError, match="int"):
        html.write(Document("t", "en", (7,), Notation()))  # type: ignore[arg-type]


def test_formulas_that_are_too_wide_scroll_by_themselves():
    assert PAGE.count('<div class="formula"') == sum(
        isinstance(block, Formula) for fold in document().blocks for block in getattr(fold, "blocks", (fold,))
    )
    assert re.search(r"\.formula \{[^}]*overflow-x: auto", PAGE)


# --- contrast: WCAG 2.2, 1.4.3 ------------------------------------------------------------------------------


def luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    digits = digits if len(digits) == 6 else "".join(2 * digit for digit in digits)
    parts = [int(digits[start : start + 2], 16) / 255 for start in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    lighter, darker = sorted((luminance(first), luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_is_measured_as_wcag_says():
    assert contrast("#000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("scheme", [0, 1, 2], ids=["light", "dark", "print"])
@pytest.mark.parametrize("ink", ["ink", "quiet", "accent"])
@pytest.mark.parametrize("ground", ["ground", "sheet", "shade", "accent-shade"])
def test_words_stand_out_from_their_ground(scheme: int, ink: str, ground: str):
    palettes = [
        dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6})", part)) for part in PAGE.split(":root {")[1:]
    ]
    assert len(palettes) == 3
    assert contrast(palettes[scheme][ink], palettes[scheme][ground]) >= 4.5


# --- other people's checkers, where they are installed ------------------------------------------------------


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "page.html"
    short = Document("A title", "en", document().blocks, Notation(), contents=True)
    path.write_bytes(html.write(short))
    return path


@pytest.mark.parametrize("checker", ["vnu", "html-validate"])
def test_a_validator_finds_nothing(checker: str, saved: Path):
    command = shutil.which(checker)
    if command is None:
        pytest.skip(f"{checker} is not installed")
    found = subprocess.run([command, str(saved)], capture_output=True, text=True, timeout=120, check=False)
    assert found.returncode == 0, found.stdout + found.stderr


def chromium() -> str:
    names = ("chromium", "chromium-browser", "google-chrome")
    command = next((path for name in names if (path := shutil.which(name))), None)
    if command is None:
        pytest.skip("no Chromium is installed")
    return command


def in_browser(page: Path, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    quiet = [
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
    ]
    command = [chromium(), "--headless", "--no-sandbox", "--disable-gpu", "--disable-sync", *quiet]
    command += [f"--user-data-dir={folder / 'profile'}", *options, page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)


def test_axe_finds_nothing_in_the_browser(saved: Path, tmp_path: Path):
    axe = os.environ.get("AXE_CORE")
    if axe is None:
        pytest.skip("AXE_CORE does not name the file axe.min.js of axe-core")
    script = Path(axe).read_text(encoding="utf-8").replace("</script", "<\\/script")
    report = (
        "document.querySelectorAll('details').forEach(fold => fold.open = true);"
        "axe.run().then(found => { const p = document.createElement('p'); p.id = 'axe-report';"
        "p.textContent = JSON.stringify(found.violations.map(v => [v.id, v.nodes[0].html]));"
        "document.body.append(p); });"
    )
    page = saved.read_text(encoding="utf-8")
    saved.write_text(page.replace("</body>", f"<script>{script}</script><script>{report}</script></body>"))
    shown = in_browser(saved, tmp_path, "--virtual-time-budget=20000", "--dump-dom").stdout
    found = re.search(r'<p id="axe-report">(.*?)</p>', shown)
    assert found is not None
    assert json.loads(found[1].replace("&quot;", '"')) == []


def test_folds_are_open_on_paper(saved: Path, tmp_path: Path):
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed")
    printed = tmp_path / "page.pdf"
    in_browser(saved, tmp_path, f"--print-to-pdf={printed}")
    text = subprocess.run(["pdftotext", str(printed), "-"], capture_output=True, text=True, check=True).stdout
    assert "Folded 0.7531" in text


def test_the_symbol_of_a_fold_is_mathematics():
    assert re.search(r"<summary>Entry by entry <math>.*</math></summary>", PAGE)
    assert Symbol("z", 1) in next(block for block in document().blocks[::-1] if isinstance(block, Fold)).title
    assert SCENE.svg().split("\n")[1] in PAGE
