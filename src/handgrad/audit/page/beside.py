"""`check`: the claims of a case, or what a page prints beside one case or several, judged."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from handgrad.audit.check import Audit
from handgrad.audit.check import check as check_case
from handgrad.audit.page.check import check_page
from handgrad.audit.page.opening import is_page, page_of
from handgrad.audit.page.script import Page
from handgrad.audit.page.several import audit_several
from handgrad.cases.case import Case
from handgrad.errors import CaseError

Beside: TypeAlias = Case | Mapping[str, Any] | str | os.PathLike[str]
"""A case, its dictionary, its file."""


def check(
    what: Page | Beside, case: Beside | Sequence[Beside] | None = None, *, certify: bool = False
) -> Audit:
    """Judges the claims of a case (a `Case`, its dictionary, its file): which numbers are wrong, and why.

    A printed number is *exact* if the value in full precision rounds to it; *rounded* if it is reached when
    earlier results are rounded first; *truncated*; *last-digit* if it misses by one in its last digit; *wrong*;
    *wrong-propagated* if it is right given an earlier wrong number of the same author; *not-recomputable*.

    >>> case = {
    ...     "network": {"inputs": 1, "loss": "squared_error", "layers": [{"units": 1, "W": [[2.0]]}]},
    ...     "data": {"x": [[3.0]], "y": [[5.0]]},
    ... }
    >>> claims = [{"quantity": "z1", "value": [[6.0]]}, {"quantity": "loss", "value": 0.5}]
    >>> [verdict.verdict for verdict in check({**case, "claims": claims}).verdicts]
    ['exact', 'wrong']

    With `case`, `what` is a page instead: a file (md, txt, tex, html, ipynb) or its text. What the page prints is
    read and judged beside the case, line by line; a page with several calculations beside several cases.

    >>> audit = check("Here z = 2 × 3 = 6, and the loss is 0.5.", case=case)
    >>> [(verdict.claim.quantity, verdict.verdict) for verdict in audit.wrong]
    [('loss', 'wrong')]

    `certify`: what is compared with are the correctly rounded digits of the exact values (extra `certify`).

    Raises CaseError for a case, a claim or a page that cannot be; MissingExtraError where a library is missing.
    """
    if case is None:
        if isinstance(what, Page) or _is_named_page(what):
            name = what.name if isinstance(what, Page) else os.fspath(what)  # type: ignore[arg-type]
            raise CaseError(
                f"{name}: a page is judged beside a case; name its case file (--case, in Python case=), or draft one "
                "with handgrad read"
            )
        return check_case(what, certify=certify)
    if not isinstance(what, Page | str | os.PathLike):
        raise CaseError("case: a page is judged beside a case; give the page as a file or as its text")
    cases = [_case(one) for one in _listed(case)]
    if not cases:
        raise CaseError("case: there is no case to judge the page beside; name one or several")
    page = page_of(what)
    return (
        check_page(page, cases[0], certify=certify)
        if len(cases) == 1
        else audit_several(page, cases, certify)
    )


def _is_named_page(what: Beside) -> bool:
    return isinstance(what, str | os.PathLike) and "\n" not in os.fspath(what) and is_page(what)


def _listed(case: Beside | Sequence[Beside]) -> Sequence[Beside]:
    alone = isinstance(case, Case | Mapping | str | os.PathLike)
    return [case] if alone else list(case)  # type: ignore[list-item, arg-type]


def _case(case: Beside) -> Case:
    if isinstance(case, Case):
        return case
    return Case.from_dict(case) if isinstance(case, Mapping) else Case.load(Path(case))
