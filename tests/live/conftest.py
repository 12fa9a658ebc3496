"""A browser for the tests of the live sheet: Debian's Chromium, driven by Playwright, without any network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from handgrad.cases.case import Case
from handgrad.live.page import live_page

Opened = Callable[..., Any]


@pytest.fixture
def opened(open_bytes: Opened) -> Opened:
    """Opens the live sheet of a case from a file; every console error fails the test."""

    def open_case(case: Case | dict[str, Any], fragment: str = "", **options: Any) -> Any:
        sheet = live_page(Case.from_dict(case) if isinstance(case, dict) else case)
        return open_bytes(sheet, fragment, **options)

    return open_case


@pytest.fixture
def open_bytes(browser: Any, tmp_path: Path) -> Iterator[Opened]:
    """Opens a live sheet from a file; every console error fails the test."""
    pages, complaints = [], []

    def open_sheet(sheet: bytes, fragment: str = "", **options: Any) -> Any:
        path = tmp_path / f"sheet{len(pages)}.html"
        path.write_bytes(sheet)
        page = browser.new_page(**options)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console", lambda message: complaints.append(message.text) if message.type == "error" else None
        )
        page.goto(f"{path.as_uri()}{fragment}")
        page.evaluate("window.handgrad.ready")
        pages.append(page)
        return page

    yield open_sheet
    for page in pages:
        page.close()
    assert complaints == []
