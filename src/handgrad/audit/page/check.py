"""`check_page`: what a page prints, judged beside a case, with the page's own lines."""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from handgrad.audit.check import Audit, check
from handgrad.audit.page.accounts import Fate
from handgrad.audit.page.arithmetic import Slip
from handgrad.audit.page.opening import page_of
from handgrad.audit.page.reading import Reading, Stated, read
from handgrad.audit.page.report import PageReport
from handgrad.audit.page.script import Page
from handgrad.audit.printed import Printed
from handgrad.audit.verdicts import ALARMS, Verdict
from handgrad.cases.case import Case
from handgrad.cases.schema import ClaimKeys, Significant
from handgrad.errors import CaseError
from handgrad.render.document import Document
from handgrad.rich_repr import visible_json
from handgrad.writing.phrasebook import chosen_language

_MOST_DECIMALS = 20


@dataclass(frozen=True, eq=False)
class PageAudit(Audit):
    """The claims of a page, judged beside a case; it shows itself in terminals and notebooks as an `Audit` does."""

    reading: Reading | None = None

    @property
    def page(self) -> Reading:
        """What was read of the page."""
        assert self.reading is not None
        return self.reading

    @property
    def lone_slips(self) -> tuple[Slip, ...]:
        """Lines whose arithmetic does not hold, where the number itself is right or no quantity's."""
        wrong = {
            (spot.row, spot.start)
            for verdict in self.verdicts
            for said in (self.said(verdict),)
            for entry, spot in zip(verdict.entries, said.spots, strict=False)
            if entry.verdict in ALARMS
        }
        return tuple(slip for slip in self.page.slips if (slip.row, slip.start) not in wrong)

    @property
    def found_something(self) -> bool:
        """True where a claim, a line's arithmetic or a given number is wrong."""
        return bool(self.wrong or self.page.slips or self.page.differs)

    def said(self, verdict: Verdict) -> Stated:
        """What the page says, of a verdict."""
        return self.page.stated[verdict.claim.number]

    def as_dict(self) -> dict[str, Any]:
        """As of an audit, each row with its line; then the arithmetic, the given numbers, what was not placed."""
        found = super().as_dict()
        page = self.page.page
        for row, verdict in zip(found["verdicts"], self.verdicts, strict=True):
            said = self.said(verdict)
            row.update(
                _where(page, said.line)
                | {"text": page.quoted(said.line), "also": list(said.also), "name": said.text}
            )
        found["arithmetic"] = [_slip_row(slip, page) for slip in self.page.slips]
        found["differs"] = [
            _where(page, said.line)
            | {"quantity": said.place.quantity, "published": [n.value for n in said.numbers], "case": case}
            for said, case in self.page.differs
        ]
        found["page"] = page_rows(self.page)
        return found

    def json(self) -> str:
        """`as_dict` as text."""
        text = json.dumps(self.as_dict(), indent=2, allow_nan=False, ensure_ascii=False)
        return visible_json(text) + "\n"

    def document(self, language: str | None = None) -> Document:
        """The report, with the page's own lines quoted and the correction beside them."""
        return self.report(language).document()

    def report(self, language: str | None = None, alone: bool = True) -> PageReport:
        """The report on its way to a document; `alone`: it says what became of the page's numbers too."""
        return PageReport(
            self.case,
            self.verdicts,
            chosen_language(language),
            self.convention,
            self.certificate,
            self.page,
            self.lone_slips,
            alone,
        )


def check_page(
    page: Page | str | os.PathLike[str], case: Case | str | os.PathLike[str], *, certify: bool = False
) -> PageAudit:
    """Judges what a page (Markdown, LaTeX, HTML, a notebook, text) prints beside a case.

    Each result that names a quantity is a claim; each chain of equations is worked out part by part, so that numbers
    that do not give what follows them are found too; a number that nothing names is listed, not passed over.

    >>> from handgrad.audit.page.opening import read_page
    >>> case = Case.from_dict({
    ...     "network": {"inputs": 1, "loss": "squared_error", "layers": [{"units": 1, "W": [[2.0]]}]},
    ...     "data": {"x": [[3.0]], "y": [[5.0]]},
    ... })
    >>> audit = check_page(read_page("`z = 2 × 3 = 6`, so the loss is 1.5"), case)
    >>> [(verdict.claim.quantity, verdict.verdict) for verdict in audit.verdicts]
    [('z1', 'exact'), ('loss', 'wrong')]

    `certify` as in `check`.

    Raises CaseError for a page that cannot be read, or on which no number belongs to the case.
    """
    page = page_of(page)
    if not isinstance(case, Case):
        case = Case.load(Path(case))
    reading = read_beside(page, case)
    if not reading.slips and not reading.account.found_any:
        raise CaseError(
            f"{page.name}: no number on this page names a quantity of the case; write results as z1 = 0.21, "
            "or check that page and case belong together"
        )
    return audited(reading, case, certify)


def read_beside(page: Page, case: Case) -> Reading:
    """What a page says beside a case."""
    reading = read(page, case)
    # of two roundings of one number the finer one is carried forward: it comes last
    ordered = sorted(reading.stated, key=lambda said: -min(n.unit for n in said.numbers))
    return replace(reading, stated=tuple(ordered))


def audited(reading: Reading, case: Case, certify: bool) -> PageAudit:
    """The claims of a page, judged."""
    claims = tuple(claim_keys(said) for said in reading.stated)
    beside = replace(case, claims=claims)
    if not claims:
        return PageAudit(beside, (), reading.page.name, reading=reading)
    audit = check(beside, certify=certify)
    return PageAudit(
        audit.case, audit.verdicts, reading.page.name, audit.convention, audit.certificate, reading
    )


def page_rows(reading: Reading) -> dict[str, Any]:
    """What became of the numbers of a page, for JSON."""
    page, account = reading.page, reading.account
    return {
        "name": page.name,
        "numbers": account.counts,
        "placed": round(account.share, 4),
        "unplaced": [
            _where(page, one.line) | {"number": one.text, "text": page.quoted(one.line)}
            for one in account.unplaced
        ],
    } | {
        key: [_where(page, one.line) | {"number": one.text} for one in account.numbers if one.fate is fate]
        for key, fate in (("words", Fate.WORD), ("scale", Fate.SCALE))
    }


def claim_keys(said: Stated) -> ClaimKeys:
    """The claim as a case file has it."""
    place, shape = said.place, said.shape
    values = np.array([n.value for n in said.numbers]).reshape(shape).tolist()
    digits = [_digits(n) for n in said.numbers]
    index = None if place.entry is None else list(place.entry)
    kept: Any = digits[0] if len(set(map(str, digits))) == 1 else digits
    if isinstance(kept, dict):
        kept = Significant(**kept)
    return ClaimKeys(place.quantity, values, kept, place.step, index, said.text)


def _digits(printed: Printed) -> Any:
    decimals = -round(math.log10(printed.unit))
    if 0 <= decimals <= _MOST_DECIMALS:
        return decimals
    leading = math.floor(math.log10(abs(printed.value))) if printed.value else 0
    return {"significant": max(1, leading + decimals + 1)}


def _where(page: Page, line: int) -> dict[str, Any]:
    cell, at = page.place(line)
    return {"line": at} if cell is None else {"cell": cell, "line": at}


def _slip_row(slip: Slip, page: Page) -> dict[str, Any]:
    return _where(page, slip.line) | {
        "text": page.quoted(slip.line),
        "part": slip.left,
        "result": slip.right,
        "gives": slip.gives,
        "says": slip.says,
    }
