"""The pages of docs: each block of Python runs and prints what it shows, and what is pointed to is there."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = ("scikit-learn.md", "interop.md", "search.md")
BLOCKS = [
    (page, *block)
    for page in PAGES
    for block in re.findall(
        r"```python\n(.*?)```(?:\n\n```text\n(.*?)```)?",
        (ROOT / "docs" / page).read_text(encoding="utf-8"),
        re.DOTALL,
    )
]


@pytest.mark.parametrize(("page", "program", "printed"), BLOCKS)
def test_block(
    page: str,
    program: str,
    printed: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a training that was meant to be short
        exec(compile(program, page, "exec"), {})
    shown = capsys.readouterr().out
    assert shown == printed if printed else len(shown) > 1000


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
