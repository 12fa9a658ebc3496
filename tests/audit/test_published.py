"""Published calculations: every verdict as it was found by hand, no false alarm, the causes named."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from handgrad import Case, check
from tests.audit.published import BETWEEN, NOT_EXACT, TWICE

EXAMPLES = Path(__file__).parents[2] / "examples"
STEMS = sorted(
    path.stem for path in EXAMPLES.glob("*.toml") if Case.load(path).claims or path.stem in BETWEEN
)


def document(stem: str) -> dict[str, Any]:
    case = tomllib.loads((EXAMPLES / f"{stem}.toml").read_text(encoding="utf-8"))
    case["claims"] = [*case.get("claims", []), *BETWEEN.get(stem, [])]
    return case


@pytest.mark.parametrize("stem", STEMS)
def test_every_verdict(stem: str) -> None:
    audit = check(document(stem))
    expected = dict(NOT_EXACT.get(stem, {}))
    for row in audit.as_dict()["verdicts"]:
        place = (row["quantity"], row["step"], None if row["index"] is None else tuple(row["index"]))
        wrong_ones = TWICE.get((stem, row["quantity"]))
        right = wrong_ones is not None and row["published"] not in wrong_ones
        wanted = ("exact", None) if right else expected.get(place, ("exact", None))
        assert (row["verdict"], row["cause"]) == wanted, place


def test_enough_causes_are_named() -> None:
    causes = [cause for table in NOT_EXACT.values() for _, cause in table.values()]
    assert sum(cause is not None for cause in causes) >= 15


def test_entries_of_an_array_have_their_own_verdicts() -> None:
    audit = check(EXAMPLES / "postnetwork-softmax.toml")
    rows = {row["quantity"]: row for row in audit.as_dict()["verdicts"]}
    assert [entry["verdict"] for entry in rows["yhat"]["entries"]] == ["wrong", "wrong-propagated"]
    assert [entry["verdict"] for entry in rows["z2"]["entries"]] == ["exact", "wrong"]
    assert rows["z2"]["root"]
    assert not rows["loss"]["root"]
    assert audit.counts == {"exact": 5, "wrong-propagated": 2, "wrong": 2}


def test_outputs_without_weights_cannot_be_checked_but_their_errors_can() -> None:
    # a figure shows inputs and outputs, and no weights; 2.9 - 3.2 and 0.2 - 0.2 follow from what it shows
    audit = check(
        {
            "network": {
                "inputs": 3,
                "loss": {"name": "squared_error", "outputs": "mean"},
                "layers": [{"units": 2, "activation": "sigmoid"}, {"units": 2}],
            },
            "data": {"x": [[1.2, 1.4, 1.3]], "y": [[3.2, 0.2]]},
            "claims": [
                {"quantity": "yhat", "value": [[2.9, 0.2]], "digits": 1},
                {"quantity": "dyhat", "value": [[-0.3, 0.0]], "digits": 1},
                {"quantity": "W1_new", "value": [[0.1] * 3] * 2},
            ],
        }
    )
    assert [verdict.verdict for verdict in audit.verdicts] == [
        "not-recomputable",
        "exact",
        "not-recomputable",
    ]
    assert not audit.wrong
