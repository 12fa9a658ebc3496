"""The pictures of docs/open.md and docs/live.md, made by Chromium: `python docs/pictures/make.py [FOLDER]`."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import handgrad as hg
from handgrad.cases.case import Case
from handgrad.live.page import live_page
from handgrad.live.walk.app import Walking
from handgrad.live.walk.serving import Serving
from handgrad.live.walk.walked import Walked

HERE = Path(__file__).resolve().parent
EXAMPLES = HERE.parents[1] / "examples"
DESK, PHONE = {"width": 1300, "height": 860}, {"width": 360, "height": 740}

VIEWS: dict[str, tuple[dict[str, int], str, str, str]] = {
    "open-desk": (DESK, "light", "#step=40", "#title"),
    "open-layers": (DESK, "light", "#step=40&focus=W1%5B3,5%5D", "#layers-title"),
    "open-compare": (DESK, "dark", "#step=200&against=1,200", "#layers-title"),
    "open-phone": (PHONE, "light", "#step=40&language=bn&numerals=bn", "#layers-title"),
}
"""Window, scheme, place in the browser of a training, and what stands at the top."""


def picture(browser: Any, address: str, view: tuple[dict[str, int], str, str, str], path: Path) -> None:
    """One view of a page as a PNG."""
    window, scheme, fragment, top = view
    page = browser.new_page(viewport=window, color_scheme=scheme)
    page.goto(address + fragment)
    page.evaluate("window.handgrad.ready.then(() => 1)")
    page.wait_for_selector("#content:not([aria-busy])", state="attached")
    page.locator(top).evaluate("element => element.scrollIntoView()")
    page.wait_for_timeout(300)
    page.screenshot(path=path)
    page.close()


def make(folder: Path) -> None:
    """Every picture, into a folder."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    table = str(EXAMPLES / "penguins.csv")
    walked = [
        Walked(
            hg.fit_table(table, "species", validation=0.2, epochs=50, optimizer=hg.Adam(rate)), name, table
        )
        for name, rate in (("penguins", 0.001), ("quicker", 0.01))
    ]
    with (
        sync_playwright() as driver,
        Serving(Walking(walked, "en")) as serving,
        TemporaryDirectory() as temporary,
    ):
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for name, view in VIEWS.items():
            picture(browser, serving.address, view, folder / f"{name}.png")
        sheet = Path(temporary) / "sheet.html"
        sheet.write_bytes(live_page(Case.load(EXAMPLES / "relu-sigmoid-2-2-1.toml")))
        for name, window, scheme in (("live-desk", DESK, "light"), ("live-phone", PHONE, "dark")):
            picture(browser, sheet.as_uri(), (window, scheme, "", "h1"), folder / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
