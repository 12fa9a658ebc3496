"""A page with several calculations, each of which belongs to a case of its own.

The page is read beside every case. A number belongs to the case beside which it is right; one that is right beside
none belongs to the case that has the most right numbers of the same passage, or else the most of what is given there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from handgrad.audit.check import Audit
from handgrad.audit.page.accounts import Account, Fate
from handgrad.audit.page.arithmetic import Slip
from handgrad.audit.page.check import PageAudit, audited, page_rows, read_beside
from handgrad.audit.page.reading import Reading, Stated
from handgrad.audit.page.report import several_document
from handgrad.audit.page.script import Page
from handgrad.audit.page.tokens import printed
from handgrad.audit.verdicts import ALARMS
from handgrad.cases.case import Case
from handgrad.errors import CaseError
from handgrad.render.document import Document

_Spot = tuple[int, int]
"""The row of a number and its place in that."""
_BEST_FIRST = (Fate.CLAIM, Fate.GIVEN, Fate.TERM, Fate.CONSTANT, Fate.SCALE, Fate.WORD, Fate.UNPLACED)


@dataclass(frozen=True, eq=False)
class SeveralAudits(Audit):
    """The claims of a page, each judged beside the case that it belongs to."""

    parts: tuple[PageAudit, ...] = ()
    """One for each case, with what of the page belongs to it."""

    @property
    def found_something(self) -> bool:
        """True where a claim, a line's arithmetic or a given number is wrong."""
        return any(part.found_something for part in self.parts)

    def as_dict(self) -> dict[str, Any]:
        """As of one page; each row has the title of its case."""
        held = [(part, part.as_dict()) for part in self.parts]
        found = {**super().as_dict(), **{key: [] for key in ("verdicts", "arithmetic", "differs")}}
        for part, rows in held:
            for key in ("verdicts", "arithmetic", "differs"):
                found[key] += [row | {"case": part.case.title} for row in rows[key]]
        return found | {"page": page_rows(self.parts[0].page)}

    def document(self, language: str | None = None) -> Document:
        """One report, case after case."""
        return several_document([part.report(language, alone=False) for part in self.parts])


def audit_several(page: Page, cases: Sequence[Case], certify: bool) -> SeveralAudits:
    """Judges each number of a page beside the case that it belongs to.

    Raises CaseError for a page on which no number belongs to any of them.
    """
    readings = [read_beside(page, case) for case in cases]
    audits = [audited(reading, case, certify) for reading, case in zip(readings, cases, strict=True)]
    owners = _owners(audits)
    account = _best_of([reading.account for reading in readings], owners)
    if not account.found_any and not any(reading.slips for reading in readings):
        raise CaseError(
            f"{page.name}: no number on this page names a quantity of the cases; check that they belong together"
        )
    slips = _in_all(readings, owners)
    parts = []
    for number, (audit, case) in enumerate(zip(audits, cases, strict=True)):
        reading = replace(
            audit.page,
            stated=tuple(said for said in audit.page.stated if _belongs(said, number, owners)),
            slips=tuple(slips[number]),
            differs=tuple(pair for pair in audit.page.differs if _belongs(pair[0], number, owners)),
            account=account,
        )
        parts.append(audited(reading, case, certify))
    verdicts = tuple(verdict for part in parts for verdict in part.verdicts)
    return SeveralAudits(
        parts[0].case, verdicts, page.name, certificate=parts[0].certificate, parts=tuple(parts)
    )


def _spots(said: Stated) -> list[_Spot]:
    return [(spot.row, spot.start) for spot in said.spots]


def _right(audit: PageAudit) -> set[_Spot]:
    """The numbers that are right beside a case: claims without an alarm, and what it gives too."""
    right = {(one.row, one.start) for one in audit.page.account.numbers if one.fate is Fate.GIVEN}
    right -= {spot for said, _ in audit.page.differs for spot in _spots(said)}
    for verdict in audit.verdicts:
        for entry, spot in zip(verdict.entries, _spots(audit.said(verdict)), strict=False):
            if entry.verdict not in ALARMS:
                right.add(spot)
    return right


def _owners(audits: Sequence[PageAudit]) -> Mapping[_Spot, int]:
    """By number the case that it belongs to."""
    right = [_right(audit) for audit in audits]
    blocks = [
        Counter(_block(audit, spot) for spot in spots) for audit, spots in zip(audits, right, strict=True)
    ]
    given = [_given(audit) for audit in audits]
    found: dict[_Spot, tuple[tuple[bool, int, int], int]] = {}
    for number, audit in enumerate(audits):
        said = (*audit.page.stated, *(pair[0] for pair in audit.page.differs))
        claimed = {spot for one in said for spot in _spots(one)}
        for spot in claimed | right[number]:
            block = _block(audit, spot)
            rank = (spot in right[number], blocks[number][block], given[number][block])
            if spot not in found or rank > found[spot][0]:
                found[spot] = rank, number
    return {spot: number for spot, (_, number) in found.items()}


def _given(audit: PageAudit) -> Counter[int]:
    """By passage how many of its numbers the case gives."""
    case = audit.case
    arrays = [case.X, case.Y, *(part for layer in case.network.layers for part in (layer.W, layer.b))]
    known = {float(value) for array in arrays if array is not None for value in np.ravel(array)} - {0.0, 1.0}
    return Counter(
        audit.page.blocks[one.row]
        for one in audit.page.account.numbers
        if (number := printed(one.text)) is not None and number.value in known
    )


def _block(audit: PageAudit, spot: _Spot) -> int:
    return audit.page.blocks[spot[0]]


def _belongs(said: Stated, number: int, owners: Mapping[_Spot, int]) -> bool:
    return any(owners[spot] == number for spot in _spots(said))


def _best_of(accounts: Sequence[Account], owners: Mapping[_Spot, int]) -> Account:
    """Every number with the fate that its own case gave it, or the best of all."""
    numbers = []
    for of_all in zip(*(account.numbers for account in accounts), strict=True):
        owner = owners.get((of_all[0].row, of_all[0].start))
        best = min(of_all, key=lambda one: _BEST_FIRST.index(one.fate))
        numbers.append(best if owner is None else of_all[owner])
    return Account.holding(numbers)


def _in_all(readings: Sequence[Reading], owners: Mapping[_Spot, int]) -> list[list[Slip]]:
    """The slips that are slips beside every case, each with the case that its line belongs to."""

    def key(slip: Slip) -> tuple[int, str, str]:
        return slip.row, slip.left, slip.right

    common = set.intersection(*({key(slip) for slip in reading.slips} for reading in readings))
    found: list[list[Slip]] = [[] for _ in readings]
    rows = {row: number for (row, _), number in owners.items()}
    for number, reading in enumerate(readings):
        found[number] = [s for s in reading.slips if key(s) in common and rows.get(s.row, 0) == number]
    return found
