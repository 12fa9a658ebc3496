"""The site as it was built by `make docs`: its links and places, what it loads, and how it looks in Chromium.

python -m pytest tests/documentation/built.py     # after python -m docs.site.make
"""

from __future__ import annotations

import functools
import http.server
import re
import threading
import warnings
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from docs.site.run import ROOT

from tests.conftest import QUIET
from tests.documentation.pages import PAGES, wrong_on

SITE = ROOT / "build" / "site" / "html"
PAGES_OF_HTML = sorted(SITE.rglob("*.html"))
LOADING = {("script", "src"), ("link", "href"), ("img", "src"), ("iframe", "src"), ("source", "src")}
SELF_CONTAINED = "sheet.html"
WIDTHS = (360, 1200)


class Page(HTMLParser):
    """What a page points to, what it loads, and the places in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.places: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("id", "name") and value:
                self.places.add(value)
            if value and (tag, name) in LOADING and dict(attrs).get("rel") not in ("alternate", "canonical"):
                self.loads.append(value)
            if value and (tag, name) == ("a", "href"):
                self.links.append(value)


@functools.cache
def read(path: Path) -> Page:
    return Page(path.read_text(encoding="utf-8"))


def test_the_site_was_built() -> None:
    assert len(PAGES_OF_HTML) > 50


@pytest.mark.parametrize("path", PAGES_OF_HTML, ids=lambda path: str(path.relative_to(SITE)))
def test_links(path: Path) -> None:
    """Each leads to a file of the site and to a place in it; 404.html is served anywhere: its links are absolute."""
    page = read(path)
    wrong = []
    for link in [*page.links, *page.loads]:
        parts = urlsplit(link)
        if parts.scheme or path.name == "404.html":
            continue
        there = path if not parts.path else (path.parent / unquote(parts.path)).resolve()
        there = there / "index.html" if there.is_dir() else there
        if not there.exists() or (
            parts.fragment and there.suffix == ".html" and unquote(parts.fragment) not in read(there).places
        ):
            wrong.append(link)
    assert wrong == []


@pytest.mark.parametrize("path", PAGES_OF_HTML, ids=lambda path: str(path.relative_to(SITE)))
def test_nothing_is_loaded_from_elsewhere(path: Path) -> None:
    assert [load for load in read(path).loads if urlsplit(load).scheme in ("http", "https")] == []


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *arguments: object) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(SITE))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture(scope="module")
def chrome(chromium: Callable[..., Any]) -> Iterator[Any]:
    """Chromium with this machine as its only network."""
    switches = [switch for switch in QUIET if "resolver" not in switch]
    opened = chromium(*switches, "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")
    yield opened
    opened.close()


OF_THE_THEME = [
    path
    for path in PAGES_OF_HTML
    if "md-main" in path.read_text(encoding="utf-8") and path.name != "404.html"
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", OF_THE_THEME, ids=lambda path: str(path.relative_to(SITE)))
def test_looks(path: Path, scheme: str, address: str, chrome: Any) -> None:
    """At 360 and 1,200 pixels nothing scrolls sideways, and nothing is said on the console."""
    context = chrome.new_context(viewport={"width": WIDTHS[0], "height": 800}, color_scheme=scheme)
    page = context.new_page()
    said: list[str] = []
    page.on(
        "console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(f"{address}/{path.relative_to(SITE)}", wait_until="load")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{wide} pixels beyond {width}"
    dark = page.evaluate("document.body.getAttribute('data-md-color-scheme')") == "slate"
    assert dark == (scheme == "dark")
    context.close()
    assert said == []


def test_search_finds(address: str, chrome: Any) -> None:
    page = chrome.new_page(viewport={"width": 1200, "height": 800})
    page.goto(f"{address}/index.html")
    page.keyboard.press("Control+k")
    page.keyboard.type("momentum")
    page.get_by_text(re.compile("remember where you were going")).last.wait_for(timeout=30_000)
    page.close()


@pytest.mark.parametrize("page", PAGES)
def test_blocks_with_the_long_ones(page: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        assert wrong_on(page, long=True) == []
