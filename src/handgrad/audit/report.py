"""The report of an audit as a document: roots first, each with its cause and its consequences, then every number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from handgrad.audit.consequences import roots_of
from handgrad.audit.conventions import Convention
from handgrad.audit.diagnosis import Explanation
from handgrad.audit.marked import marked_calculation
from handgrad.audit.printed import Printed
from handgrad.audit.symbols import symbol_of
from handgrad.audit.verdicts import (
    EXACT,
    FOLLOWS,
    LAST_DIGIT,
    ROOTS,
    ROUNDED,
    TRUNCATED,
    UNKNOWN,
    WRONG,
    Entry,
    Verdict,
)
from handgrad.cases.case import Case
from handgrad.render.document import Block, Bullets, Document, Heading, Literal, Paragraph, Table
from handgrad.rich_repr import printable
from handgrad.worked.expressions import Expression
from handgrad.worked.record import Certificate
from handgrad.worksheets.recording import MOST_CERTIFIED
from handgrad.writing.letter_parts import Notation
from handgrad.writing.numerals import Precision, shown
from handgrad.writing.phrasebook import Phrasebook, Spans, chosen_language, decimal_mark, joined

MOST_ROWS = 400
_COUNTED = (
    ("audit_roots", WRONG),
    ("audit_last", LAST_DIGIT),
    ("audit_consequences", FOLLOWS),
    ("audit_kept", ROUNDED),
    ("audit_cut", TRUNCATED),
    ("audit_unchecked", UNKNOWN),
)
_MOST_DECIMALS = 17


def document(
    case: Case,
    verdicts: tuple[Verdict, ...],
    language: str | None = None,
    convention: Convention | None = None,
    certificate: Certificate | None = None,
) -> Document:
    """The report in a language (None: that of the locale)."""
    return Report(case, verdicts, chosen_language(language), convention, certificate).document()


def convention_sentence(convention: Convention, language: str = "en") -> str:
    """Which other convention explains the printed numbers, and what to do."""
    return Phrasebook(language).text(f"convention:{convention.code}", line=convention.line)


def sentence(verdict: Verdict, language: str = "en") -> str | None:
    """Why a number is not simply right, in one sentence; None where there is nothing to say."""
    phrasebook = Phrasebook(language)
    if isinstance(verdict.explanation, Explanation):
        return " ".join(_cause(phrasebook, verdict.explanation))
    if verdict.missing:
        return phrasebook.text(f"missing:{verdict.missing}")
    plain = {ROUNDED: "audit_rounded", TRUNCATED: "audit_truncated"}.get(verdict.verdict)
    return None if plain is None else phrasebook.text(plain)


def _cause(phrasebook: Phrasebook, explanation: Explanation) -> Iterator[str]:
    code = explanation.code
    if code == "wrong-index" and "other" not in explanation.details:
        code = "wrong-term"
    yield phrasebook.text(f"mistake:{code}", **explanation.details)
    if explanation.layer is not None:
        yield phrasebook.text("mistake_layer", number=explanation.layer)


class Report:
    """One report on its way to a document."""

    def __init__(
        self,
        case: Case,
        verdicts: tuple[Verdict, ...],
        language: str,
        convention: Convention | None,
        certificate: Certificate | None,
    ) -> None:
        self.convention, self.certificate = convention, certificate
        self.case, self.verdicts, self.language = case, verdicts, language
        self.decimal = decimal_mark(language)
        self.words = Phrasebook(language)
        asked = case.notation
        self.notation = Notation(
            layer=asked.layer or "bracket",
            names=asked.names or "az",
            first=1 if asked.first is None else asked.first,
            orientation=asked.orientation or "column",
        )
        self.several = any(verdict.claim.step > 1 for verdict in verdicts)

    def document(self) -> Document:
        """Title, counts, what is wrong, what could not be checked, every number."""
        title = self.title()
        blocks: list[Block] = [Heading(1, (title,), "title")]
        if self.case.source:
            blocks.append(Paragraph(self.words.say("source", source=printable(self.case.source)), "source"))
        blocks.append(Paragraph((self._counts(),)))
        if self.convention is not None:
            blocks.append(Paragraph((convention_sentence(self.convention, self.language),), "observation"))
        blocks += self.about()
        blocks += self._wrong()
        blocks += self.after()
        blocks += self._unknown()
        blocks += self._all()
        blocks += self._marked()
        if self.certificate is not None:
            said = self.words.text("audit_certified", bits=self.certificate.bits)
            blocks.append(Paragraph((said,), "note"))
            if any(verdict.claim.step > MOST_CERTIFIED for verdict in self.verdicts):
                said = self.words.text("audit_certified_until", step=MOST_CERTIFIED)
                blocks.append(Paragraph((said,), "note"))
        notation = replace(self.notation, decimal=self.decimal)
        return Document(title, self.language, tuple(blocks), notation)

    def title(self) -> str:
        """Its title."""
        return self.words.text(
            "audit_title", title=printable(self.case.title) or self.words.text("audit_case")
        )

    def about(self) -> Iterator[Block]:
        """What stands before the wrong numbers; nothing for a case."""
        yield from ()

    def beside(self, verdict: Verdict) -> Iterator[Block]:
        """What stands beside a wrong claim; nothing for a case."""
        yield from ()

    def after(self) -> Iterator[Block]:
        """What stands behind the wrong claims; nothing for a case."""
        yield from ()

    def leading_header(self) -> tuple[Spans, ...]:
        """The heads of the columns before the quantity in the table of every number; none for a case."""
        return ()

    def leading(self, verdict: Verdict) -> tuple[Spans, ...]:
        """Their cells."""
        return ()

    def _counts(self) -> str:
        counts = Counter(entry.verdict for verdict in self.verdicts for entry in verdict.entries)
        said = [self.words.text("audit_count", count=counts.total())]
        said += [self.words.text(key, count=counts[name]) for key, name in _COUNTED if counts[name]]
        if not any(counts[name] for name in (WRONG, LAST_DIGIT, FOLLOWS)):
            said.append(self.words.text("audit_nothing"))
        return " ".join(said)

    # -- what is wrong

    def _wrong(self) -> Iterator[Block]:
        roots = [verdict for verdict in self.verdicts if verdict.root]
        if not roots:
            return
        yield Heading(2, self.words.say("audit_first"), "wrong")
        from_root = roots_of(self.verdicts, self.case.network)
        for number, verdict in enumerate(roots, 1):
            yield Heading(3, self._headed(verdict), f"wrong-{number}")
            for entry in verdict.entries:
                if entry.verdict in ROOTS:
                    yield Paragraph(self._sentence(verdict, entry), "observation")
            yield from self.beside(verdict)
            yield Paragraph((" ".join(self._why(verdict)),))
            following = [
                other
                for other in self.verdicts
                if verdict.claim.number in from_root.get(other.claim.number, ())
            ]
            if following:
                names = _listed([self._named(other) for other in following])
                yield Paragraph(self.words.say("audit_follows", names=names))

    def _headed(self, verdict: Verdict) -> Spans:
        wrong = [entry for entry in verdict.entries if entry.verdict in ROOTS]
        if len(wrong) == 1 and len(verdict.entries) > 1:
            return self._named(verdict, wrong[0])
        return self._named(verdict)

    def _sentence(self, verdict: Verdict, entry: Entry) -> Spans:
        key = "audit_claim_last" if entry.verdict == LAST_DIGIT else "audit_claim_wrong"
        sentence = self.words.say(
            key,
            printed=(self._printed(entry.printed, verdict.claim.sign),),
            right=(self.right(entry, verdict.claim.sign),),
        )
        several = sum(other.verdict in ROOTS for other in verdict.entries) > 1
        return joined((*self._named(verdict, entry), ": ", *sentence)) if several else sentence

    def _why(self, verdict: Verdict) -> Iterator[str]:
        cause = verdict.explanation
        if not isinstance(cause, Explanation):
            yield self.words.text("audit_no_cause")
            return
        yield from _cause(self.words, cause)
        yield self.words.text("audit_sure" if cause.sure else "audit_likely")

    def _named(self, verdict: Verdict, entry: Entry | None = None) -> Spans:
        claim = verdict.claim
        index = entry.index if entry is not None else claim.index
        samples = claim.shape[0] if len(claim.shape) == 2 else 1
        name = symbol_of(claim, index, samples, self.notation.orientation)
        spans: Spans = (name,) if isinstance(name, Expression) else (printable(name),)
        if not self.several:
            return spans
        return self.words.say("audit_of_step", which=spans, number=claim.step)

    # -- numbers

    def _printed(self, printed: Printed, sign: int = 1) -> Literal:
        decimals, value = _decimals(printed.unit), sign * printed.value + 0.0
        text = f"{value:.{decimals}f}"
        if len(text) > _MOST_DECIMALS or (value != 0 and float(text) != value):
            text = str(shown(value, Precision(_MOST_DECIMALS)))
        return Literal(text.replace(".", self.decimal))

    def right(self, entry: Entry, sign: int = 1, more: int = 0) -> Literal:
        """The right number in the digits of the printed one, and so many more."""
        if entry.computed is None:
            return Literal("–")
        decimals = min(_MOST_DECIMALS, _decimals(entry.printed.unit) + more)
        return Literal(str(shown(sign * entry.computed + 0.0, Precision(decimals, None, self.decimal))))

    def _marked(self) -> Iterator[Block]:
        """The worked calculation, with what was printed under the equation that it is about."""
        calculation = marked_calculation(self.case, self.verdicts, self.language, self.notation, self._mark)
        if calculation:
            yield Heading(2, self.words.say("audit_marked"), "calculation")
            yield from calculation

    def _mark(self, verdict: Verdict, entry: Entry | None) -> Spans:
        sign = verdict.claim.sign
        if entry is None:
            return self.words.say("audit_mark_all", which=self._named(verdict))
        name = self._named(verdict, entry if len(verdict.entries) > 1 else None)
        return self.words.say(
            "audit_mark_wrong" if entry.verdict in (*ROOTS, FOLLOWS) else "audit_mark",
            which=name,
            printed=(self._printed(entry.printed, sign),),
            right=(self.right(entry, sign, 2),),
            verdict=self.words.text(f"verdict:{entry.verdict}"),
        )

    # -- tables

    def _unknown(self) -> Iterator[Block]:
        lost = [verdict for verdict in self.verdicts if verdict.verdict == UNKNOWN]
        if not lost:
            return
        yield Heading(2, self.words.say("audit_unknown"), "unknown")
        yield Bullets(
            tuple(
                joined(
                    (*self._named(verdict), ": ", self.words.text(f"missing:{verdict.missing or 'weights'}"))
                )
                for verdict in lost
            )
        )

    def _all(self) -> Iterator[Block]:
        yield Heading(2, self.words.say("audit_all"), "all")
        keys = ("audit_quantity", "audit_printed", "audit_right", "audit_verdict")
        lead = self.leading_header()
        header = (*lead, *(self.words.say(key) for key in keys))
        rows = [
            (entry, (*self.leading(verdict), *self._row(verdict, entry)))
            for verdict in self.verdicts
            for entry in verdict.entries
        ]
        kept, left = rows, 0
        if len(rows) > MOST_ROWS:
            kept = [row for row in rows if row[0].verdict != EXACT]
            left = len(rows) - len(kept)
        if kept:
            yield Table(header, tuple(row for _, row in kept), "r" * len(lead) + "lrrl")
        if left:
            yield Paragraph((self.words.text("audit_more_rows", count=left),), "note")

    def _row(self, verdict: Verdict, entry: Entry) -> tuple[Spans, ...]:
        name = self._named(verdict, entry if len(verdict.entries) > 1 else None)
        sign = verdict.claim.sign
        mark = self.words.text(f"verdict:{entry.verdict}")
        return name, (self._printed(entry.printed, sign),), (self.right(entry, sign, 2),), (mark,)


def _decimals(unit: float) -> int:
    return max(0, min(_MOST_DECIMALS, _exponent(unit)))


def _exponent(unit: float) -> int:
    text = f"{unit:.0e}"
    return -int(text.partition("e")[2])


def _listed(names: list[Spans]) -> Spans:
    parts: list[object] = []
    for number, name in enumerate(names):
        parts += [*([", "] if number else []), *name]
    return joined(parts)  # type: ignore[arg-type]
