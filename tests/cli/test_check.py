"""`handgrad check`: what it prints, what it writes, its exit status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from handgrad.cli.main import status

EXAMPLES = Path(__file__).parents[2] / "examples"
SLIP = str(EXAMPLES / "postnetwork-softmax.toml")
RIGHT = str(EXAMPLES / "micrograd-neuron.toml")


def test_the_report_begins_with_the_first_wrong_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert status(["check", SLIP]) == 1
    shown = capsys.readouterr().out
    assert "Printed is 0.185; right is 0.157." in shown
    assert shown.index("0.185") < shown.index("Every number")


def test_json_has_a_row_for_each_claim_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    assert status(["check", SLIP, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert [row["quantity"] for row in found["verdicts"]] == ["z1", "a1", "z2", "yhat", "loss"]
    row = found["verdicts"][2]
    assert set(row) == {
        "quantity", "step", "index", "published", "computed", "verdict", "root", "cause", "why", "entries",
    }  # fmt: skip
    assert (row["verdict"], row["root"], row["cause"]) == ("wrong", True, "wrong-index")
    assert row["published"] == [[0.428, 0.185]]
    assert row["computed"][0][1] == pytest.approx(0.1574442516811659, rel=1e-12)
    assert row["entries"][1]["index"] == [0, 1]
    assert found["counts"] == {"exact": 5, "wrong-propagated": 2, "wrong": 2}


def test_exit_status(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert status(["check", RIGHT]) == 0
    assert status(["check", RIGHT, "--quiet"]) == 0
    assert "Nothing is wrong." in capsys.readouterr().out
    assert status(["check", str(EXAMPLES / "dot-product.toml"), "-q"]) == 0
    assert status(["check", str(tmp_path / "none.toml")]) == 2
    assert status(["check", str(EXAMPLES / "formula-sheet.toml")]) == 2
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 2
    assert "no claims" in errors[1]


@pytest.mark.parametrize("suffix", ["md", "html", "tex", "json", "txt"])
def test_every_medium_has_the_wrong_number(tmp_path: Path, suffix: str) -> None:
    target = tmp_path / f"report.{suffix}"
    assert status(["check", SLIP, "-o", str(target)]) == 1
    assert "0.185" in target.read_text(encoding="utf-8")


def test_bengali(capsys: pytest.CaptureFixture[str]) -> None:
    assert status(["check", SLIP, "--language", "bn"]) == 1
    assert "ঠিক হলো" in capsys.readouterr().out


def test_the_case_is_never_written_over() -> None:
    assert status(["check", SLIP, "-o", SLIP]) == 2
