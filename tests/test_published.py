"""The examples: every number of a published calculation, recomputed in float64 by somebody else.

`tests/published/NAME.json` holds the figures of `examples/NAME.toml`: the quantity, the step where it is not
the first, the entry where it is not the whole, and its value. They were recomputed from the printed inputs
without this project. Numbers that a source prints between the quantities are computed by the table `BETWEEN`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from handgrad import Case, explain
from handgrad.nn.arrays import Array
from handgrad.worked.rounding import Rounding, round_array
from handgrad.worksheets.case_steps import trace_case

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.toml"))
FIGURES = sorted((ROOT / "tests" / "published").glob("*.json"))
LONG = 100
"""Steps from which on rounding has had time to grow."""

Quantities = Mapping[str, Array]


def terms(q: Quantities, l: int) -> Array:
    """The products of which z of layer l is the sum, unit after unit, for one sample."""
    return (q[f"W{l}"] * q["x" if l == 1 else f"a{l - 1}"]).ravel()


BETWEEN: dict[str, Callable[[Quantities], Any]] = {
    "W1 x": lambda q: q["x"] @ q["W1"].T,
    "terms of z1": lambda q: terms(q, 1),
    "terms of z1, the first three added": lambda q: [terms(q, 1)[:3].sum(), terms(q, 1)[3]],
    "terms of z2": lambda q: terms(q, 2),
    "terms of z2 and b2": lambda q: [*terms(q, 2), *q["b2"]],
    "e^z1": lambda q: np.exp(q["z1"]),
    "-z1": lambda q: -q["z1"],
    "e^-z1": lambda q: np.exp(-q["z1"]),
    "1 + e^-z1": lambda q: 1 + np.exp(-q["z1"]),
    "e^-z2": lambda q: np.exp(-q["z2"]),
    "1 + e^-z2": lambda q: 1 + np.exp(-q["z2"]),
    "-yhat^2": lambda q: -(q["yhat"] ** 2),
    "-yhat^2 e^-z1": lambda q: -(q["yhat"] ** 2) * np.exp(-q["z1"]),
    "1 - yhat": lambda q: 1 - q["yhat"],
    "y - yhat": lambda q: q["y"] - q["yhat"],
    "(yhat - y)^2": lambda q: (q["yhat"] - q["y"]) ** 2,
    "mean |y - yhat|": lambda q: np.abs(q["y"] - q["yhat"]).mean(),
    "(y - yhat) W2": lambda q: (q["y"] - q["yhat"]) @ q["W2"],
    "dyhat * derivative2": lambda q: q["dyhat"] * q["derivative2"],
    "W2 * derivative2, first unit": lambda q: q["W2"][0, 0] * q["derivative2"][0, 0],
    "x1 * derivative1, first unit": lambda q: q["x"][0, 0] * q["derivative1"][0, 0],
    "x1 * derivative of the first unit": lambda q: q["x"][0, 0] * q["derivative1"][0, 0],
    "terms of da1, first unit": lambda q: q["delta2"][0] * q["W2"][:, 0],
    "dx": lambda q: q["delta1"] @ q["W1"],
    "loss of each sample": lambda q: q["loss_terms"].mean(axis=1),
    "means of z1, a1, z2, yhat": lambda q: [q[name].mean() for name in ("z1", "a1", "z2", "yhat")],
}


def figures_of(path: Path) -> tuple[Path, list[dict[str, Any]]]:
    document = json.loads(path.read_text())
    return ROOT / "examples" / document["case"], document["figures"]


def value_of(figure: dict[str, Any], quantities: Quantities) -> Array:
    name = figure["quantity"]
    whole = np.asarray(quantities[name] if name in quantities else BETWEEN[name](quantities))
    return whole[tuple(figure["index"])] if "index" in figure else whole


def assert_equal(figure: dict[str, Any], found: Any, tolerance: float) -> None:
    expected = np.asarray(figure["value"], dtype=np.float64)
    assert np.shape(found) == expected.shape, figure
    # 1e-14: where numbers near 1 cancel, what is left is rounding (7.2 - 7.2 at the bottom of a parabola)
    np.testing.assert_allclose(
        found,
        expected,
        rtol=tolerance,
        atol=1e-14,
        err_msg=f"{figure['quantity']}, step {figure.get('step', 1)}",
    )


@pytest.mark.parametrize("path", FIGURES, ids=lambda path: path.stem)
def test_every_figure(path: Path) -> None:
    case_file, figures = figures_of(path)
    case = Case.load(case_file)
    wanted = {figure.get("step", 1) for figure in figures}
    seen = {}
    for trace in trace_case(case, 1, max(wanted)):  # once through, however long
        if trace.number in wanted:
            seen[trace.number] = trace.quantities
    for figure in figures:
        step = figure.get("step", 1)
        assert_equal(figure, value_of(figure, seen[step]), 1e-9 if step > LONG else 1e-12)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_opened_and_verified(path: Path) -> None:
    case = Case.load(path)
    assert case.title
    assert case.source
    sheet = explain(case, step=1, detail="scalar", parts=("problem", "forward", "backward", "gradient_check"))
    assert len(sheet.record.steps) == (0 if case.symbolic else 1)
    for step in sheet.record.steps:
        for check in step.checks:
            assert check.largest_relative_error < 1e-6, check.quantity


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_claim_is_about_a_number_that_is_there(path: Path) -> None:
    case = Case.load(path)
    assert all(claim.step <= case.steps for claim in case.claims)
    first = {} if case.symbolic else next(iter(trace_case(case, 1, 1))).quantities
    for claim in case.claims:
        assert claim.quantity in first, claim.quantity
        if claim.index is None:
            assert np.shape(claim.value) == np.shape(first[claim.quantity]), claim.quantity
        else:
            assert np.ndim(first[claim.quantity][tuple(claim.index)]) == 0


def test_every_example_with_claims_has_figures() -> None:
    with_claims = {path.stem for path in EXAMPLES if Case.load(path).claims}
    assert with_claims <= {path.stem for path in FIGURES}


PRODUCTS = (("da1", 6), ("dW1", 6), ("dW2", 6), ("db1", 6), ("db2", 6))  # never written down, never rounded

PAPER = [
    ("han-kamber-3-2-1", Rounding(3, carry=True, quantities=(("delta1", 4), ("delta2", 4), *PRODUCTS))),
    ("zhou-2019", Rounding(4, carry=True, quantities=(("dyhat", 3), ("yhat", 3)))),
]
"""Sources whose printed numbers are reached only if each result is rounded before it is used again."""


@pytest.mark.parametrize(("name", "rounding"), PAPER)
def test_paper_arithmetic_gives_every_printed_digit(name: str, rounding: Rounding) -> None:
    case = replace(Case.load(ROOT / "examples" / f"{name}.toml"), rounding=rounding)
    assert case.claims
    quantities = explain(case).quantities()
    exact = explain(replace(case, rounding=Rounding())).quantities()
    missed = 0
    for claim in case.claims:
        index = () if claim.index is None else tuple(claim.index)
        digits = np.max(claim.digits)
        printed = np.asarray(claim.value)
        assert round_array(quantities[claim.quantity][index], digits) == pytest.approx(printed, abs=1e-12)
        missed += bool(np.any(np.abs(round_array(exact[claim.quantity][index], digits) - printed) > 1e-12))
    assert missed  # without carrying, not all of them come out


def test_the_command_line_gives_the_same_numbers() -> None:
    path = ROOT / "tests" / "published" / "relu-sigmoid-2-2-1.json"
    case_file, figures = figures_of(path)
    done = subprocess.run(
        [sys.executable, "-m", "handgrad", "explain", str(case_file), "--to", "json"],
        capture_output=True,
        check=True,
    )
    document = json.loads(done.stdout)
    assert document["title"] == Case.load(case_file).title
    (step,) = document["steps"]
    assert step["step"] == 1
    quantities = {name: np.asarray(value) for name, value in step["quantities"].items()}
    for figure in figures:
        assert_equal(figure, value_of(figure, quantities), 1e-12)
