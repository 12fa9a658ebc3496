"""A page with several calculations beside several cases, the marks of a scale, and pages from Python."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import handgrad as hg
from handgrad.audit.page.check import PageAudit, check_page
from handgrad.audit.page.opening import page_of, read_page
from handgrad.audit.page.several import SeveralAudits
from handgrad.cases.case import Case
from handgrad.cli.main import status
from handgrad.errors import CaseError
from tests.audit.pages import CASE, STYLES, fences, numbers, planted


def unit(weights: list[float], inputs: list[float], title: str) -> dict[str, Any]:
    return {
        "title": title,
        "network": {
            "inputs": len(weights),
            "layers": [{"units": 1, "activation": "identity", "W": [weights], "bias": "none"}],
        },
        "data": {"x": [inputs]},
    }


FIRST = unit([0.5, -0.25], [1.5, 2.0], "the first")
SECOND = unit([0.125, 0.75, 0.3], [4.0, 0.2, 1.5], "the second")
# 0.5·1.5 - 0.25·2 = 0.25;  0.125·4 + 0.75·0.2 + 0.3·1.5 = 1.1
PAGE = """# The first example

z = 0.5 × 1.5 - 0.25 × 2 = {first}

# The second example

z = 0.125 × 4 + 0.75 × 0.2 + 0.3 × 1.5 = {second}
"""


def test_each_calculation_is_judged_beside_its_own_case() -> None:
    right = hg.check(PAGE.format(first="0.25", second="1.10"), case=[FIRST, SECOND])
    assert isinstance(right, SeveralAudits)
    assert not right.found_something
    assert [(p.case.title, v.claim.value) for p in right.parts for v in p.verdicts] == [
        ("the first", 0.25),
        ("the second", 1.1),
    ]
    assert right.parts[0].page.account.share == 1
    # beside one case the other calculation is wrong, or belongs nowhere
    assert hg.check(PAGE.format(first="0.25", second="1.10"), case=FIRST).found_something


@pytest.mark.parametrize(
    ("first", "second", "title", "line"),
    [("0.35", "1.10", "the first", 3), ("0.25", "1.20", "the second", 7)],
)
def test_what_is_wrong_is_wrong_beside_its_own_case(first: str, second: str, title: str, line: int) -> None:
    audit = hg.check(PAGE.format(first=first, second=second), case=[FIRST, SECOND])
    found = audit.as_dict()
    wrong = [row for row in found["verdicts"] if row["verdict"] != "exact"]
    assert [(row["case"], row["line"]) for row in wrong] == [(title, line)]
    assert {row["line"] for row in found["arithmetic"]} == {line}
    assert title in audit.text() and "beside 2 cases" in audit.text()


def test_the_report_of_several_cases_is_written_in_every_medium(tmp_path: Path) -> None:
    audit = hg.check(PAGE.format(first="0.35", second="1.10"), case=[FIRST, SECOND])
    for suffix in ("md", "html", "tex", "json", "txt"):
        path = audit.save(tmp_path / f"report.{suffix}", "terminal" if suffix == "txt" else None)
        assert "the second" in path.read_text(encoding="utf-8")
    anchors = [block.anchor for block in audit.document().blocks if getattr(block, "anchor", "")]
    assert len(anchors) == len(set(anchors))


def test_the_verb_takes_several_cases(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE.format(first="0.25", second="1.10"), encoding="utf-8")
    cases = []
    for name, case in (("a", FIRST), ("b", SECOND)):
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(case), encoding="utf-8")
        cases += ["--case", str(path)]
    assert status(["check", str(page), *cases, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["counts"] == {"exact": 2}
    assert status(["check", str(page)]) == 2
    assert "beside a case" in capsys.readouterr().err


# -- scales

LADDER = "\n".join(f"$\\frac{{{k}.19}}{{{k + 1}.19}}$ pm" for k in range(3, 30))


def test_the_marks_of_a_scale_are_no_numbers_of_a_calculation() -> None:
    audit = check_page(read_page(f"z = 0.5 × 1.5 - 0.25 × 2 = 0.25\n\n{LADDER}\n"), Case.from_dict(FIRST))
    account = audit.page.account
    assert account.counts["scale"] == 54
    assert account.share == 1
    assert "marks of a scale" in audit.text()
    assert len(audit.as_dict()["page"]["scale"]) == 54


@pytest.mark.parametrize(
    "lines",
    [
        [f"{k}.513 pm" for k in range(9)],  # too few
        [f"{k * k}.513 pm" for k in range(12)],  # no equal steps
        ["0.513 pm", *(f"{k % 3}.513 pm" for k in range(12))],  # up and down
        [f"{k}.513 {'pm' if k % 2 else 'nm'}" for k in range(12)],  # not of one form
    ],
)
def test_what_does_not_climb_evenly_is_listed(lines: list[str]) -> None:
    page = "z = 0.5 × 1.5 - 0.25 × 2 = 0.25\n\n" + "\n".join(lines) + "\n"
    account = check_page(read_page(page), Case.from_dict(FIRST)).page.account
    assert "scale" not in account.counts
    assert len(account.unplaced) == len(lines)


def test_results_of_a_calculation_are_no_scale() -> None:
    rows = "\n".join(f"loss = {0.1 * k:.1f}" for k in range(1, 15))
    account = check_page(read_page(f"```\n{rows}\n```"), Case.from_dict(CASE)).page.account
    assert "scale" not in account.counts


# -- pages from Python


def test_a_page_is_a_file_or_its_text(tmp_path: Path) -> None:
    for style, (write, suffix) in STYLES.items():
        text = write(planted(numbers(4), "delta2", 0))
        path = tmp_path / f"{style}{suffix}"
        path.write_text(text, encoding="utf-8")
        audits = [hg.check(what, case=CASE) for what in (path, str(path), text)]
        assert all(isinstance(audit, PageAudit) for audit in audits)
        found = [
            [(v.claim.quantity, v.verdict, audit.said(v).line) for v in audit.verdicts]  # type: ignore[attr-defined]
            for audit in audits
        ]
        assert found[0] == found[1] == found[2]
        assert [verdict.claim.quantity for verdict in audits[2].verdicts if verdict.root] == ["delta2"]


def test_the_text_of_a_notebook() -> None:
    nbformat = pytest.importorskip("nbformat")
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("$z_2 = 0.2833$")])
    assert page_of(nbformat.writes(book)).cells == (1,)


@pytest.mark.parametrize(
    ("what", "case", "words"),
    [
        ("notes.md", None, "beside a case"),
        ("nowhere.md", CASE, "no such file"),
        ("case.toml", CASE, "is no page"),
        ("no number\nhere", CASE, "no number on this page"),
        (" \n ", CASE, "nothing on this page"),
        (fences(numbers(4)), [], "no case"),
    ],
)
def test_what_is_no_page_is_said(what: str, case: Any, words: str) -> None:
    with pytest.raises(CaseError, match=words):
        hg.check(what, case=case)
