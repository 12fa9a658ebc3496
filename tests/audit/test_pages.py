"""Pages in several notations: nothing right is called wrong, what is planted is found on its line."""

from __future__ import annotations

import pytest

from handgrad.audit.page.check import PageAudit, check_page
from handgrad.audit.page.opening import read_page
from handgrad.cases.case import Case
from tests.audit.pages import CASE, PRINTED, STYLES, numbers, planted

BESIDE = Case.from_dict(CASE)


def audit_of(text: str, suffix: str = ".md", case: Case = BESIDE) -> PageAudit:
    return check_page(read_page(text, suffix), case)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("decimals", [3, 4, 6])
def test_a_right_page_is_called_right_and_every_number_is_placed(style: str, decimals: int) -> None:
    write, suffix = STYLES[style]
    audit = audit_of(write(numbers(decimals)), suffix)
    assert not audit.found_something, audit.text(100)
    assert {verdict.claim.quantity for verdict in audit.verdicts} >= set(PRINTED)
    assert not audit.page.account.unplaced


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("name", PRINTED)
def test_a_planted_number_is_found_on_its_line(style: str, name: str) -> None:
    write, suffix = STYLES[style]
    right, wrong = numbers(4), planted(numbers(4), name, 0)
    text = write(wrong)
    audit = audit_of(text, suffix)
    roots = [verdict for verdict in audit.verdicts if verdict.root]
    assert [verdict.claim.quantity for verdict in roots] == [name], audit.text(100)
    lines = zip(write(right).split("\n"), text.split("\n"), strict=True)
    changed = [k for k, (before, after) in enumerate(lines, 1) if before != after]
    assert audit.said(roots[0]).line in range(changed[0] - 2, changed[0] + 1)
