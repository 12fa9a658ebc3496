"""A browser for the pages that are written, as the live sheets have it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

Shown = Callable[..., Any]


@pytest.fixture
def shown(browser: Any, tmp_path: Path) -> Iterator[Shown]:
    """Opens a page from its bytes; every error of its script fails the test."""
    pages: list[Any] = []
    complaints: list[str] = []

    def show(content: bytes, **options: Any) -> Any:
        path = tmp_path / f"page{len(pages)}.html"
        path.write_bytes(content)
        page = browser.new_page(**options)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(path.as_uri())
        pages.append(page)
        return page

    yield show
    for page in pages:
        page.close()
    assert complaints == []
