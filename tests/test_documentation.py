"""The pages of docs whose Python runs: each block does, and prints what it shows."""

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
