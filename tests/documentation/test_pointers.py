"""What the pages of docs and the comments of the sources point to is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]

POINTER = re.compile(
    r"(?<![\w./-])(?:[\w-]+/)+[\w-]+\.(?:py|hpp|cpp|sh|toml|js|md)\b|\b(?:src|tests|docs)/[\w/.-]*\w"
)


def _pointers(path: Path) -> set[str]:
    """The files and folders of the repository that a page, or the comments of a source file, point to."""
    lines = path.read_text(encoding="utf-8").splitlines()
    if path.suffix in (".hpp", ".cpp"):
        lines = [line for line in lines if not line.startswith("#include")]
    return {found[0] for line in lines for found in POINTER.finditer(line)}


def _written() -> list[Path]:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    sources = [*(ROOT / "src").rglob("*.py"), *(ROOT / "src/native").iterdir()]
    return sorted(page for page in [*pages, *sources] if page.name != "CHANGELOG.md")


def test_what_is_pointed_to_is_there() -> None:
    there = {str(path.relative_to(ROOT)) for path in ROOT.rglob("*") if ".git" not in path.parts}
    ends = {"/" + path for path in there}
    for page in _written():
        for pointer in _pointers(page):
            found = pointer in there or any(path.endswith("/" + pointer) for path in ends)
            assert found, f"{page.relative_to(ROOT)} points to {pointer}, which is not there"
