"""`check`: a case's claims judged, with the causes of what is wrong, as a result that shows itself."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.text import Text

from handgrad.audit.claims import Claim, read_claims
from handgrad.audit.conventions import Convention, Exact, as_meant, in_the_file
from handgrad.audit.diagnosis import diagnose
from handgrad.audit.report import convention_sentence, document, sentence
from handgrad.audit.verdicts import VERDICTS, Verdict, verdicts_of
from handgrad.audit.worlds import Worlds
from handgrad.cases.case import Case
from handgrad.errors import CaseError, RenderError, SpecificationError
from handgrad.files import check_target, write_whole
from handgrad.render.document import Document
from handgrad.render.media import MEDIA, medium_of, write
from handgrad.render.terminal.sheet import to_text
from handgrad.rich_repr import visible_json
from handgrad.worked.record import Certificate
from handgrad.worksheets.recording import MOST_CERTIFIED, exact_quantities
from handgrad.worksheets.steps import CaseSource


@dataclass(frozen=True, eq=False)
class Audit:
    """The claims of a case, judged in the order of the calculation; it shows itself in terminals and notebooks."""

    case: Case
    verdicts: tuple[Verdict, ...]
    place: str = "case"
    convention: Convention | None = None
    """Another published convention that explains all claims."""
    certificate: Certificate | None = None
    """Where the digits compared with were certified: how finely they were computed."""

    @property
    def wrong(self) -> tuple[Verdict, ...]:
        """The claims with something wrong in them: a root, or what follows from one."""
        return tuple(verdict for verdict in self.verdicts if verdict.alarm)

    @property
    def found_something(self) -> bool:
        """True where something is wrong."""
        return bool(self.wrong)

    @property
    def counts(self) -> dict[str, int]:
        """How many single numbers have each verdict."""
        found = Counter(entry.verdict for verdict in self.verdicts for entry in verdict.entries)
        return {name: found[name] for name in VERDICTS if found[name]}

    def as_dict(self) -> dict[str, Any]:
        """A row for each claim in the order of the calculation, and how many numbers have each verdict."""
        found: dict[str, Any] = {
            "verdicts": [_row(verdict) for verdict in self.verdicts],
            "counts": self.counts,
            "convention": None,
        }
        if self.convention is not None:
            why = convention_sentence(self.convention)
            found["convention"] = {"code": self.convention.code, "line": self.convention.line, "why": why}
        if self.certificate is not None:
            found["certified"] = {"bits": self.certificate.bits, "ties": self.certificate.ties}
        return found

    def json(self) -> str:
        """`as_dict` as text."""
        text = json.dumps(self.as_dict(), indent=2, allow_nan=False, ensure_ascii=False)
        return visible_json(text) + "\n"

    def document(self, language: str | None = None) -> Document:
        """The report, ready for a writer of any medium."""
        return document(self.case, self.verdicts, language, self.convention, self.certificate)

    def text(
        self,
        width: int = 80,
        color: bool = False,
        language: str | None = None,
        depth: str = "256",
        ground: str = "",
    ) -> str:
        """The report for a terminal `width` columns wide; colours as `Worksheet.text` has them."""
        return to_text(self.document(language), width, color, depth, ground)

    def to(self, medium: str, language: str | None = None) -> bytes:
        """The report in a medium: md, html, tex, pdf, docx, ipynb, json or terminal (plain text).

        Raises RenderError for another name, MissingExtraError where a library is missing.
        """
        if medium == "json":
            return self.json().encode()
        if medium == "terminal":
            return self.text(language=language).encode()
        if medium not in MEDIA:
            raise RenderError(
                f"there is no medium {medium!r}; choose from {', '.join(('terminal', 'json', *MEDIA))}"
            )
        return write(medium, self.document(language))

    def save(
        self, path: str | os.PathLike[str], medium: str | None = None, language: str | None = None
    ) -> Path:
        """Writes the report to a file, whole or not at all, in the medium of its suffix or the one named."""
        check_target(Path(path))
        return write_whole(Path(path), self.to(medium or medium_of(path), language))

    def __repr__(self) -> str:
        return f"Audit({self.case.title!r}, {self.counts})"

    def __str__(self) -> str:
        return self.text()

    def __rich__(self) -> Text:
        return Text(self.text())  # not markup: W[1] is a weight

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": self.text(), "text/markdown": write("md", self.document()).decode()}


def check(what: Case | Mapping[str, Any] | str | os.PathLike[str], *, certify: bool = False) -> Audit:
    """Judges the claims of a case (a `Case`, its dictionary, its file): which numbers are wrong, and why.

    A printed number is *exact* if the value in full precision rounds to it; *rounded* if it is reached when
    earlier results are rounded first; *truncated*; *last-digit* if it misses by one in its last digit; *wrong*;
    *wrong-propagated* if it is right given an earlier wrong number of the same author; *not-recomputable*.

    >>> audit = check({
    ...     "network": {"inputs": 1, "loss": "squared_error", "layers": [{"units": 1, "W": [[2.0]]}]},
    ...     "data": {"x": [[3.0]], "y": [[5.0]]},
    ...     "claims": [{"quantity": "z1", "value": [[6.0]]}, {"quantity": "loss", "value": 0.5}],
    ... })
    >>> [verdict.verdict for verdict in audit.verdicts]
    ['exact', 'wrong']

    `certify`: what is compared with are the correctly rounded digits of the exact values (extra `certify`).

    Raises CaseError for a case or a claim that cannot be.
    """
    place = "case"
    if isinstance(what, str | os.PathLike):
        place, what = os.fspath(what), Case.load(Path(what))
    elif isinstance(what, Mapping):
        what = Case.from_dict(what)
    if not isinstance(what, Case):
        raise SpecificationError(f"check takes a case or the file of one; got {type(what).__name__}")
    if not what.claims:
        raise CaseError(f"{place}: there are no claims; add [[claims]] with quantity and value")
    with np.errstate(all="ignore"):  # what is beyond float64 matches nothing
        return _checked(what, place, certify)


def _checked(case: Case, place: str, certify: bool) -> Audit:
    claims = read_claims(case, place)
    worlds, certificate = Worlds(case, claims), None
    last = max((step for step in worlds.steps if step <= MOST_CERTIFIED), default=1)
    if certify:
        worlds.exact, certificate = exact_quantities(CaseSource(case), last)
    found = verdicts_of(worlds)
    meant = as_meant(case, claims, found, worlds.exact)
    if meant is not None:
        return Audit(case, tuple(meant[1]), place, meant[0], certificate)
    verdicts, _ = diagnose(worlds, found)

    def exact_of(other: Case) -> Exact:
        return exact_quantities(CaseSource(other), last)[0] if certify else {}

    return Audit(case, tuple(verdicts), place, in_the_file(case, claims, found, exact_of), certificate)


def _row(verdict: Verdict) -> dict[str, Any]:
    claim, by_place = verdict.claim, {entry.index: entry for entry in verdict.entries}
    return {
        "quantity": claim.quantity,
        "step": claim.step,
        "index": None if claim.index is None else list(claim.index),
        "published": claim.value,
        "computed": claim.arranged(
            {place: _signed(entry.computed, claim) for place, entry in by_place.items()}
        ),
        "verdict": verdict.verdict,
        "root": verdict.root,
        "cause": verdict.cause,
        "why": sentence(verdict),
        "entries": [
            {
                "index": list(entry.index),
                "published": _signed(entry.printed.value, claim),
                "computed": _signed(entry.computed, claim),
                "verdict": entry.verdict,
            }
            for entry in verdict.entries
        ],
    }


def _signed(value: float | None, claim: Claim) -> float | None:
    """The number with the sign that the author gives the quantity."""
    return value if value is None or claim.sign > 0 else 0.0 - value


__all__ = ["Audit", "Claim", "check"]
