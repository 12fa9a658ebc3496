"""Links between the pages lead somewhere: in the repository as it is read there, and in the sources of the site."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from docs.site import make
from docs.site.blocks import made_by_the_page, pointed_to
from docs.site.run import ROOT

SITE = ROOT / "docs" / "site" / "pages"
REPOSITORY = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "examples" / "README.md"])


@pytest.mark.parametrize("page", REPOSITORY, ids=lambda page: page.name)
def test_links_of_the_repository(page: Path) -> None:
    for target in pointed_to(page.read_text(encoding="utf-8")):
        assert (page.parent / target.partition("#")[0]).exists(), target


def on_the_site() -> set[str]:
    """Every page and file that is gathered for the site, but for what its own commands make."""
    from_docs = [make.on_the_site(f"docs/{path.name}") for path in (ROOT / "docs").glob("*.*")]
    pictures = [f"pictures/{path.name}" for path in (ROOT / "docs" / "pictures").glob("*.png")]
    pages = [str(path.relative_to(SITE)) for path in SITE.rglob("*.md")]
    return {*filter(None, from_docs), *pictures, *pages, *make.GENERATED, *make.FROM_ELSEWHERE.values()}


@pytest.mark.parametrize("page", sorted(SITE.rglob("*.md")), ids=lambda page: page.stem)
def test_links_of_the_site(page: Path) -> None:
    there = on_the_site()
    text = page.read_text(encoding="utf-8")
    for target in set(pointed_to(text)) - made_by_the_page(text):
        found = (page.parent / target.partition("#")[0]).resolve()
        assert str(found.relative_to(SITE)) in there, target


def _pages(nav: list[Any]) -> list[str]:
    return [
        place
        for entry in nav
        for held in entry.values()
        for place in ([held] if isinstance(held, str) else _pages(held))
    ]


def test_every_page_is_in_the_navigation() -> None:
    configuration = tomllib.loads((ROOT / "docs" / "site" / "zensical.toml").read_text(encoding="utf-8"))
    listed = _pages(configuration["project"]["nav"])
    assert sorted(listed) == sorted(place for place in on_the_site() if place.endswith(".md"))


def test_links_are_moved_with_their_pages() -> None:
    page = "[a](../README.md) [b](data.md#what) [c](../examples/mazur-2015.toml) ![d](pictures/x.png) [e](https://x.org)"
    moved = make.relinked(page, "docs/files.md", "guide/files.md")
    assert moved == (
        "a [b](../data.md#what) [c](../examples/mazur-2015.toml) ![d](../pictures/x.png) [e](https://x.org)"
    )
