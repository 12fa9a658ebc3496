"""Every entry of every quantity, in scalars, has the number of the whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from handgrad.cases.case import Case
from handgrad.worked.entries import entry_of
from handgrad.worked.evaluate import evaluate
from handgrad.worksheets.worksheet import explain

EXAMPLES = Path(__file__).parents[2] / "examples"
CASES = (
    "relu-sigmoid-2-2-1",
    "mazur-2015",
    "zhou-2019",
    "planar-backward",
    "trask-2015-two-layers",
    "cs231n-softmax-slides",
)


@pytest.mark.parametrize("orientation", ["column", "row"])
@pytest.mark.parametrize("stem", CASES)
def test_an_entry_in_scalars_is_the_entry_of_the_whole(stem: str, orientation: str) -> None:
    case = Case.load(EXAMPLES / f"{stem}.toml")
    (step,) = explain(case, step=1, orientation=orientation).record.steps
    seen = 0
    for quantity, letters in step.program:
        whole = evaluate(letters, step.bindings)
        for row, column in list(np.ndindex(*whole.shape))[:12]:
            tree = entry_of(letters, row, column, step.bindings)
            found = evaluate(tree, step.bindings)
            place = min(row, found.shape[0] - 1), min(column, found.shape[1] - 1)
            scale = np.max(np.abs(whole))
            assert np.isclose(found[place], whole[row, column], rtol=1e-12, atol=1e-13 * scale), (
                quantity,
                row,
                column,
            )
            seen += found.shape == (1, 1)
    assert seen > 8
