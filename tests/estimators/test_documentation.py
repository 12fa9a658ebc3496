"""docs/scikit-learn.md runs, and prints what it shows."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import pytest
from sklearn.exceptions import ConvergenceWarning

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "scikit-learn.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```(?:\n\n```text\n(.*?)```)?", PAGE, re.DOTALL)


@pytest.mark.parametrize(("program", "printed"), BLOCKS)
def test_block(
    program: str, printed: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        exec(compile(program, "docs/scikit-learn.md", "exec"), {})
    shown = capsys.readouterr().out
    assert shown == printed if printed else len(shown) > 1000
