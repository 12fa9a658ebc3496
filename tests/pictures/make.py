"""Pictures of the ten richest sheets, as a reader sees them: `python -m tests.pictures.make [FOLDER]`.

Pages of the PDF by poppler, the page of HTML on a phone and on a desk, light and dark, by Chromium, the Word file by
LibreOffice. Whoever approves them looks at each: they are what `test_pictures.py` compares with.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from PIL import Image

from handgrad.models.fit_table import fit_table
from handgrad.render.settings import PARTS
from handgrad.worksheets.worksheet import Worksheet, explain
from tests.render.test_lengths import EXAMPLES, four_five_three

HERE = Path(__file__).resolve().parent
APPROVED = HERE / "approved"
WIDTH = 420
"""Every picture is made so wide: enough to see a bracket that is broken, too little to see a font's hinting."""


class View(NamedTuple):
    """How a sheet is looked at: pdf, docx or html; of html the width of the window and the scheme."""

    medium: str
    width: int = 0
    scheme: str = "light"


def _brief() -> Worksheet:
    model = fit_table(
        str(EXAMPLES / "penguins.csv"), "species", hidden=(64, 32), epochs=2, seed=1, engine="reference"
    )
    return explain(model, step=4, language="en")


SHEETS: dict[str, Callable[[], Worksheet]] = {
    "every-part": lambda: explain(EXAMPLES / "relu-sigmoid-2-2-1.toml", parts=PARTS, language="en"),
    "bengali": lambda: explain(EXAMPLES / "relu-sigmoid-2-2-1.toml", language="bn"),
    "adam": lambda: explain(four_five_three(steps=2), detail="matrix", language="en"),
    "scalar": lambda: explain(EXAMPLES / "mazur-2015.toml", detail="scalar", language="en"),
    "brief": _brief,
    "chain-rule": lambda: explain(EXAMPLES / "chain-rule.toml", detail="scalar", language="en"),
    "softmax": lambda: explain(EXAMPLES / "postnetwork-softmax.toml", parts=PARTS, language="en"),
    "two-layer-net": lambda: explain(EXAMPLES / "cs231n-two-layer-net.toml", language="en"),
    "formulas": lambda: explain(EXAMPLES / "formula-sheet.toml", parts=PARTS, language="en"),
    "rows": lambda: explain(EXAMPLES / "planar-backward.toml", orientation="row", language="en"),
}
VIEWS: dict[str, tuple[View, ...]] = {
    name: (View("pdf"), *also)
    for name, also in {
        **dict.fromkeys(SHEETS, ()),
        "every-part": (View("html", 360, "dark"), View("html", 1200), View("docx")),
        "bengali": (View("html", 360),),
        "adam": (View("html", 1200, "dark"),),
    }.items()
}


def pictures(
    name: str, media: tuple[str, ...] = ("pdf", "html", "docx")
) -> Iterator[tuple[str, Image.Image]]:
    """The pictures of one sheet and their names, of the media for which the programs are there."""
    sheet = SHEETS[name]()
    for view in VIEWS[name]:
        if view.medium in media:
            for number, picture in enumerate(_LOOK[view.medium](sheet, view), 1):
                kind = view.medium if view.medium != "html" else f"html-{view.width}-{view.scheme}"
                yield f"{name}-{kind}-{number}.png", small(picture)


def fingerprint(name: str) -> str:
    """What the sheet says, whatever it looks like: where that has changed, its pictures have to be approved anew."""
    return hashlib.sha256(SHEETS[name]().to("md")).hexdigest()


def missing(medium: str) -> str:
    """The program that looking at the medium wants; '' where it is there."""
    wanted = {"pdf": ("pdftoppm",), "html": ("chromium",), "docx": ("soffice", "pdftoppm")}[medium]
    return next((program for program in wanted if shutil.which(program) is None), "")


def small(picture: Image.Image) -> Image.Image:
    high = round(picture.height * WIDTH / picture.width)
    return picture.convert("RGB").resize((WIDTH, high), Image.Resampling.LANCZOS)


def _pages(pdf: Path, most: int) -> Iterator[Image.Image]:
    """The first pages of a PDF."""
    stem = pdf.with_suffix("")
    subprocess.run(
        ["pdftoppm", "-r", "80", "-l", str(most), "-png", str(pdf), str(stem)],
        check=True,
        capture_output=True,
    )
    for page in sorted(pdf.parent.glob(f"{pdf.stem}-*.png")):
        with Image.open(page) as opened:
            yield opened.copy()


def _pdf(sheet: Worksheet, view: View) -> Iterator[Image.Image]:
    with TemporaryDirectory() as folder:
        yield from _pages(sheet.save(Path(folder) / "sheet.pdf"), 2)


def _docx(sheet: Worksheet, view: View) -> Iterator[Image.Image]:
    with TemporaryDirectory() as folder:
        path = sheet.save(Path(folder) / "sheet.docx")
        office = [
            "soffice",
            "--headless",
            f"-env:UserInstallation=file://{folder}/profile",
            "--convert-to",
            "pdf",
        ]
        subprocess.run([*office, "--outdir", folder, str(path)], check=True, capture_output=True, timeout=180)
        yield from _pages(path.with_suffix(".pdf"), 2)


def _html(sheet: Worksheet, view: View) -> Iterator[Image.Image]:
    from playwright.sync_api import sync_playwright

    with TemporaryDirectory() as folder, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield screenshot(browser, sheet.save(Path(folder) / "sheet.html"), view)
        browser.close()


def screenshot(browser: Any, path: Path, view: View) -> Image.Image:
    page = browser.new_page(viewport={"width": view.width, "height": 900}, color_scheme=view.scheme)
    page.goto(path.as_uri())
    clip = {"x": 0, "y": 0, "width": view.width, "height": view.width * (6 if view.width < 600 else 2)}
    return Image.open(io.BytesIO(page.screenshot(full_page=True, clip=clip)))


_LOOK: dict[str, Callable[[Worksheet, View], Iterator[Image.Image]]] = {
    "pdf": _pdf,
    "docx": _docx,
    "html": _html,
}


def make(folder: Path) -> None:
    """Writes every picture that can be made here."""
    media = tuple(medium for medium in _LOOK if not missing(medium))
    for medium in set(_LOOK) - set(media):
        print(f"{medium} is left out: {missing(medium)} is not installed")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sheets.json").write_text(
        json.dumps({name: fingerprint(name) for name in SHEETS}, indent=1) + "\n", encoding="utf-8"
    )
    for name in SHEETS:
        for file, picture in pictures(name, media):
            # few colours are enough for ink on paper, and half of the size
            picture.quantize(64, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(
                folder / file, optimize=True
            )


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else APPROVED)
