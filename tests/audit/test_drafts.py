"""Case files drafted off pages: they load, they are the case that the page was written from, they can be checked."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pytest

from handgrad.audit.check import check
from handgrad.audit.page.draft import draft_case
from handgrad.audit.page.opening import read_page
from handgrad.cases.case import Case
from handgrad.cli.main import status
from handgrad.errors import CaseError
from tests.audit.pages import CASE, brackets, fences, numbers, planted


@pytest.mark.parametrize("write", [fences, brackets])
def test_a_draft_is_the_case_of_the_page(write) -> None:
    text = write(planted(numbers(4), "loss", 0))
    if write is brackets:  # the page above gives no weights of the second layer
        text += "\n$W^{[2]} = [0.7, -0.4]$ and $b^{[2]} = 0.25$, with binary cross-entropy.\n"
    drafted = draft_case(read_page(text))
    keys = tomllib.loads(drafted.text)
    case = Case.from_dict(keys)
    meant = Case.from_dict(CASE)
    assert [layer.function.name for layer in case.network.layers] == ["tanh", "sigmoid"]
    for ours, theirs in zip(case.network.layers, meant.network.layers, strict=True):
        np.testing.assert_array_equal(ours.W, theirs.W)
        np.testing.assert_array_equal(ours.b, theirs.b)
    np.testing.assert_array_equal(case.X, meant.X)
    np.testing.assert_array_equal(case.Y, meant.Y)
    assert case.network.loss is not None and case.network.loss.name == "binary_cross_entropy"
    assert case.recipe is not None and case.recipe.optimizer.learning_rate == 0.2
    assert [verdict.claim.quantity for verdict in check(case).verdicts if verdict.root] == ["loss"]


def test_what_is_missing_is_a_comment_and_the_draft_still_loads() -> None:
    drafted = draft_case(
        read_page("Inputs `x = [0.5, 0.25]` and `W1 = [[0.1, 0.2], [0.3, 0.4]]` give `z1 = [0.1, 0.25]`.")
    )
    assert {"b1", "data.y", "network.loss"} <= set(drafted.missing)
    assert "# y = [[...]]  # MISSING" in drafted.text and "# b = ...  # MISSING" in drafted.text
    audit = check(Case.from_dict(tomllib.loads(drafted.text)))
    assert [(verdict.claim.quantity, verdict.verdict) for verdict in audit.verdicts] == [("z1", "exact")]


def test_a_page_without_a_calculation_is_refused() -> None:
    with pytest.raises(CaseError, match="neither weights, inputs nor results"):
        draft_case(read_page("Neural networks learn from examples."))


def test_the_verb(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page, case = tmp_path / "notes.md", tmp_path / "case.toml"
    page.write_text(fences(planted(numbers(4), "dW2", 1)), encoding="utf-8")
    assert status(["read", str(page), "-o", str(case)]) == 1  # the page names no loss
    assert "network.loss" in capsys.readouterr().err
    assert status(["read", str(page), "-o", str(case), "-q"]) == 1  # its own file may be replaced
    assert status(["check", str(case), "-q"]) == 1
    assert status(["check", str(page), "--case", str(case), "-q"]) == 1
    page.write_text(fences(numbers(4)), encoding="utf-8")
    assert status(["check", str(page), "--case", str(case), "-q"]) == 0
    assert status(["read", str(page), "-o", str(page)]) == 2
    assert "cannot write" in capsys.readouterr().err
