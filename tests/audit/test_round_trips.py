"""Pages that handgrad itself writes, read again: the draft is the case that the page was made of."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import handgrad as hg
from handgrad.audit.page.check import check_page
from handgrad.audit.page.draft import draft_case
from handgrad.audit.page.opening import read_page
from handgrad.cases.case import Case

EXAMPLES = Path(__file__).parents[2] / "examples"
STEPS_SHOWN, DIGITS = 3, 6
WHOLE = (
    "adam-parabola",
    "chain-rule",
    "gradient-descent-given-1",
    "han-kamber-3-2-1",
    "momentum-parabola",
    "planar-backward",
    "postnetwork-softmax",
    "relu-sigmoid-2-2-1",
    "zhou-2019",
    "cs231n-softmax-notes",
)
"""Examples whose sheets print everything that is given; of others the targets or whole weights are not shown."""
MEDIA = ("html", "tex", "ipynb")


def page_of(name: str, medium: str) -> tuple[Case, str]:
    case = replace(Case.load(EXAMPLES / f"{name}.toml"), claims=())
    shown = {"step": (1, min(case.steps, STEPS_SHOWN))} if case.steps > 1 else {}
    return case, hg.explain(case, digits=DIGITS, **shown).to(medium).decode()


def assert_same(meant: Case, found: Case) -> None:
    assert found.network.sizes == meant.network.sizes
    for ours, theirs in zip(found.network.layers, meant.network.layers, strict=True):
        assert (ours.function, ours.bias) == (theirs.function, theirs.bias)
        for mine, other in ((ours.W, theirs.W), (ours.b, theirs.b)):
            if other is not None and np.any(other):
                np.testing.assert_allclose(mine, other, atol=10.0**-DIGITS)
    for mine, other in ((found.X, meant.X), (found.Y, meant.Y)):
        assert (mine is None) == (other is None)
        if mine is not None and other is not None:
            np.testing.assert_allclose(mine, other, atol=10.0**-DIGITS)
    assert str(found.network.loss) == str(meant.network.loss)
    ours, theirs = (None if case.recipe is None else case.recipe.optimizer for case in (found, meant))
    assert ours == theirs
    assert found.regularization == meant.regularization
    assert found.steps == meant.steps
    assert set(found.given) == set(meant.given)


@pytest.mark.parametrize("name", WHOLE)
def test_the_draft_of_a_sheet_is_its_case(name: str) -> None:
    meant, text = page_of(name, "md")
    drafted = draft_case(read_page(text, ".md"))
    assert_same(meant, Case.from_dict(tomllib.loads(drafted.text)))


@pytest.mark.parametrize(
    ("name", "medium"),
    [
        *(("postnetwork-softmax", medium) for medium in MEDIA),
        ("momentum-parabola", "html"),
        ("momentum-parabola", "ipynb"),
        ("chain-rule", "tex"),
    ],
)
def test_in_every_medium(name: str, medium: str) -> None:
    meant, text = page_of(name, medium)
    drafted = draft_case(read_page(text, f".{medium}"))
    assert_same(meant, Case.from_dict(tomllib.loads(drafted.text)))


@pytest.mark.parametrize("medium", ["html", "tex"])
def test_its_own_sheets_raise_nothing_in_other_media(medium: str) -> None:
    case, text = page_of("relu-sigmoid-2-2-1", medium)
    audit = check_page(read_page(text, f".{medium}"), case)
    assert not audit.found_something, audit.text(120)
    assert audit.page.account.share > 0.95


ADAM = """# A neuron and Adam

One sigmoid unit with two inputs; the error is the binary cross-entropy, the optimizer is Adam.

x = [0.5, -1.0], y = 1, W1 = [0.4, 0.3], b1 = 0.1, learning rate η = 0.1, β₁ = 0.8, β₂ = 0.95, ε = 1e-6

## Iteration 1

z1 = 0.0000, ŷ = 0.5000, loss = 0.6931

## Iteration 2

z1 = 0.2500
"""


def test_the_numbers_of_a_rule_and_its_steps_are_read() -> None:
    keys = tomllib.loads(draft_case(read_page(ADAM)).text)
    optimizer = keys["optimizer"]
    assert (optimizer["name"], optimizer["learning_rate"]) == ("adam", 0.1)
    assert (optimizer["beta1"], optimizer["beta2"], optimizer["epsilon"]) == (0.8, 0.95, 1e-6)
    assert keys["training"]["steps"] == 2
    assert keys["network"]["loss"] == "binary_cross_entropy"


def test_what_the_page_does_not_say_of_a_rule_is_a_remark() -> None:
    text = draft_case(read_page(ADAM.replace(", β₂ = 0.95, ε = 1e-6", ""))).text
    assert "beta1 = 0.8  # from line" in text
    assert "beta2 = 0.999  # a guess: the page does not say it" in text


def test_momentum_and_samples_of_another_style() -> None:
    page = r"""\section{Given}
Momentum with $\mu = 0.5$, $\eta = 0.2$, half the squared error. The inputs are
$X = \begin{bmatrix} 1 & 2 \\ 3 & 1 \\ 0 & 1 \end{bmatrix}$ and the targets
$T = \begin{bmatrix} 1 \\ 0 \\ 2 \end{bmatrix}$, $W_1 = [0.5, -0.5]$, $b_1 = 0.25$; a linear unit.
\section{Forward}
$z_1 = \begin{bmatrix} -0.25 \\ 1.25 \\ -0.25 \end{bmatrix}$
"""
    case = Case.from_dict(tomllib.loads(draft_case(read_page(page, ".tex")).text))
    assert case.X is not None and case.X.tolist() == [[1, 2], [3, 1], [0, 1]]
    assert case.Y is not None and case.Y.ravel().tolist() == [1, 0, 2]
    assert case.recipe is not None
    assert type(case.recipe.optimizer).__name__ == "Momentum"
    assert (case.recipe.optimizer.momentum, case.recipe.optimizer.learning_rate) == (0.5, 0.2)
