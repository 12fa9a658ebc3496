"""The report on a page: its own lines quoted with the correction beside them, and what could not be placed."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from handgrad.audit.conventions import Convention
from handgrad.audit.page.accounts import Accounted, Fate
from handgrad.audit.page.arithmetic import Slip
from handgrad.audit.page.reading import Reading, Spot, Stated
from handgrad.audit.report import Report
from handgrad.audit.verdicts import ALARMS, Entry, Verdict
from handgrad.cases.case import Case
from handgrad.render.document import Block, Bullets, Document, Heading, Literal, Paragraph, Table
from handgrad.rich_repr import printable
from handgrad.worked.record import Certificate
from handgrad.writing.numerals import Precision, shown
from handgrad.writing.phrasebook import Spans, joined

_LONGEST = 110
_MOST_LISTED = 40
_NUMBER = re.compile(r"[\d০-৯]+(?:[.][\d০-৯]+)?|\.[\d০-৯]+")
_BENGALI = str.maketrans("0123456789", "০১২৩৪৫৬৭৮৯")
_DIGITS = str.maketrans("০১২৩৪৫৬৭৮৯", "0123456789")


def several_document(reports: Sequence[PageReport]) -> Document:
    """One document of the reports on a page beside several cases; letters are written as the first case has them."""
    first = reports[0]
    count = len(reports)
    title = first.words.text("page_several", page=printable(first.page.name), count=count)
    blocks: list[Block] = [Heading(1, (title,), "title"), *first.numbers()]
    for number, report in enumerate(reports, 1):
        blocks += [_below(block, number) for block in report.of_case()]
    return Document(title, first.language, (*blocks, *first.unplaced()), first.notation)


def _below(block: Block, number: int) -> Block:
    """A block of one of several reports: its headings a level lower, their anchors its own."""
    if not isinstance(block, Heading):
        return block
    anchor = f"{block.anchor}-of-{number}" if block.anchor else ""
    return replace(block, level=min(4, block.level + 1), anchor=anchor)


class PageReport(Report):
    """The report on a case's claims, with the lines that they come from."""

    def __init__(
        self,
        case: Case,
        verdicts: tuple[Verdict, ...],
        language: str,
        convention: Convention | None,
        certificate: Certificate | None,
        reading: Reading,
        slips: tuple[Slip, ...],
        alone: bool = True,
    ) -> None:
        super().__init__(case, verdicts, language, convention, certificate)
        self.reading, self.page, self.slips, self.alone = reading, reading.page, slips, alone

    def of_case(self) -> Iterator[Block]:
        """The blocks under a heading of their own; what holds for the page as a whole is said once beside several."""
        _, *blocks = self.document().blocks
        title = printable(self.case.title) or self.words.text("audit_case")
        yield Heading(1, (self.words.text("page_beside", title=title),), "case")
        yield from blocks

    def title(self) -> str:
        """Page and case."""
        title = printable(self.case.title) or self.words.text("audit_case")
        return self.words.text("page_title", page=printable(self.page.name), title=title)

    def about(self) -> Iterator[Block]:
        """What became of the numbers, and how the names were read."""
        if self.alone:
            yield from self.numbers()
        yield from self.how()

    def numbers(self) -> Iterator[Block]:
        """What became of the numbers."""
        account = self.reading.account
        counts = account.counts
        beside = counts.get("word", 0) + counts.get("scale", 0)
        sentences = [self.words.text("page_numbers", count=sum(counts.values()) - beside)]
        for fate in Fate:
            if counts.get(fate.value) and fate not in (Fate.WORD, Fate.SCALE):
                sentences.append(self.words.text(f"page_fate_{fate.value}", count=counts[fate.value]))
        if marks := [one.line for one in account.numbers if one.fate is Fate.SCALE]:
            first, last = self._line(min(marks)), self._line(max(marks))
            sentences.append(self.words.text("page_scale", count=len(marks), first=first, last=last))
        if counts.get("word"):
            sentences.append(self.words.text("page_words", count=counts["word"]))
        yield Paragraph((" ".join(sentences),))

    def how(self) -> Iterator[Block]:
        """How the names were read."""
        scheme = self.reading.scheme
        how = [
            self.words.text("page_lowered_layer" if scheme.lowered_is_layer else "page_lowered_unit"),
            self.words.text("page_first", lowered=scheme.first, brackets=scheme.first_in_brackets),
            self.words.text(f"page_y_{scheme.y}"),
        ]
        yield Paragraph((" ".join(how),), "note")

    def beside(self, verdict: Verdict) -> Iterator[Block]:
        """The lines of a wrong claim, as they stand and as they should."""
        said = self.reading.stated[verdict.claim.number]
        rows = [self._quoted(line, said, verdict) for line in (said.line, *said.also)]
        yield Table(self._header(), tuple(rows), "rll")
        for slip in self.reading.slips:
            if (slip.row, slip.start) in {(spot.row, spot.start) for spot in said.spots}:
                yield Paragraph(self._gives(slip))

    def leading_header(self) -> tuple[Spans, ...]:
        """The line."""
        return (self.words.say("page_line"),)

    def leading(self, verdict: Verdict) -> tuple[Spans, ...]:
        """The line that the claim is from."""
        return ((self._line(self.reading.stated[verdict.claim.number].line),),)

    def after(self) -> Iterator[Block]:
        """Lines that do not hold, given numbers that differ, numbers that could not be placed."""
        yield from self._follow()
        yield from self._arithmetic()
        yield from self._differing()
        if self.alone:
            yield from self.unplaced()
        yield from self._bare_sums()

    def _bare_sums(self) -> Iterator[Block]:
        """Sums that bear the name of the sum with the bias."""
        for said in self.reading.stated:
            if "@" in said.place.quantity:
                sentences = self.words.text(
                    "page_no_bias", line=self._line(said.line), name=printable(said.text)
                )
                yield Paragraph((sentences,), "note")

    def _all(self) -> Iterator[Block]:
        if self.verdicts:
            yield from super()._all()
        else:
            yield Paragraph((self.words.text("page_no_claims"),), "note")

    def _header(self) -> tuple[Spans, ...]:
        return tuple(self.words.say(key) for key in ("page_line", "page_on_page", "page_should"))

    def _line(self, line: int) -> str:
        cell, at = self.page.place(line)
        return str(at) if cell is None else self.words.text("page_cell", cell=cell, line=at)

    def _quoted(self, line: int, said: Stated, verdict: Verdict) -> tuple[Spans, ...]:
        """A line, and the same line with the right numbers in the places of the wrong ones."""
        source = self.page.quoted(line)
        corrected, at = source, -1
        for entry, spot in zip(verdict.entries, self._spots(said, verdict), strict=False):
            if entry.verdict in ALARMS and entry.computed is not None and spot is not None:
                right = self._correct(entry, verdict.claim.sign)
                corrected, at = _replaced(corrected, entry.printed.value * verdict.claim.sign, right, at)
        return (
            (self._line(line),),
            (_shortened(source, corrected),),
            (_shortened(corrected, source),),
        )

    def _spots(self, said: Stated, verdict: Verdict) -> list[Spot | None]:
        """Where the entries stand; of a claim that was turned over their places are another order."""
        return list(said.spots) if len(said.spots) == len(verdict.entries) else [None] * len(verdict.entries)

    def _correct(self, entry: Entry, sign: int) -> str:
        """The right number as the page would print it."""
        assert entry.computed is not None
        value, unit = sign * entry.computed + 0.0, entry.printed.unit
        decimals = max(0, round(-math.log10(unit)))
        text = f"{value:.{decimals}f}"
        if decimals == 0 and value != int(value):
            text = f"{value:.3g}"
        return text if "e" not in text else repr(value)

    def _gives(self, slip: Slip) -> Spans:
        return self.words.say(
            "page_gives",
            left=(printable(_cut(slip.left)),),
            gives=(_shown(slip.gives, slip.unit, self.decimal),),
            says=(_shown(slip.says, slip.unit, self.decimal),),
        )

    def _follow(self) -> Iterator[Block]:
        """The lines of what follows from a wrong number."""
        rows = []
        for verdict in self.verdicts:
            if verdict.alarm and not verdict.root:
                said = self.reading.stated[verdict.claim.number]
                rows += [self._quoted(line, said, verdict) for line in (said.line, *said.also)]
        if rows:
            yield Heading(2, self.words.say("page_follow"), "follow")
            yield Table(self._header(), tuple(rows), "rll")

    def _arithmetic(self) -> Iterator[Block]:
        if not self.slips:
            return
        yield Heading(2, self.words.say("page_arithmetic"), "arithmetic")
        for slip in self.slips:
            where = self.words.say("page_at", line=self._line(slip.line))
            yield Paragraph(joined((*where, " ", *self._gives(slip))), "observation")
            yield Paragraph((_cut(printable(self.page.quoted(slip.line))),), "source")

    def _differing(self) -> Iterator[Block]:
        if not self.reading.differs:
            return
        yield Heading(2, self.words.say("page_differs"), "differs")
        rows = []
        for said, value in self.reading.differs:
            wrong = min(said.numbers, key=lambda n: -abs(n.value - value))
            number = next((n for n in said.numbers if not n.stands_for(value)), wrong)
            rows.append(
                (
                    (self._line(said.line),),
                    (_cut(printable(self.page.quoted(said.line))),),
                    (_shown(value, min(number.unit, _unit_of(value)), self.decimal),),
                )
            )
        header = tuple(self.words.say(key) for key in ("page_line", "page_on_page", "page_case"))
        yield Table(header, tuple(rows), "rll")

    def unplaced(self) -> Iterator[Block]:
        """The numbers of which nothing says what they are."""
        lost = self.reading.account.unplaced
        if not lost:
            return
        yield Heading(2, self.words.say("page_unplaced"), "unplaced")
        rows = [self._of_line(line, list(group)) for line, group in groupby(lost, key=lambda one: one.line)]
        yield Bullets(tuple(rows[:_MOST_LISTED]))
        if len(rows) > _MOST_LISTED:
            yield Paragraph((self.words.text("page_more_lines", count=len(rows) - _MOST_LISTED),), "note")

    def _of_line(self, line: int, numbers: list[Accounted]) -> Spans:
        listed = ", ".join(one.text for one in numbers)
        return self.words.say("page_unplaced_line", line=self._line(line), numbers=listed)


def _replaced(source: str, printed: float, right: str, after: int) -> tuple[str, int]:
    """The line with the last number in it of that size replaced, of those behind a place if there are several."""
    places = [
        match for match in _NUMBER.finditer(source) if float(match[0].translate(_DIGITS)) == abs(printed)
    ]
    if not places:
        return source, after
    match = next((m for m in places if m.start() > after), places[-1]) if after >= 0 else places[-1]
    start = match.start()
    if not match[0].isascii():
        right = right.translate(_BENGALI)
    sign = ""
    if right.startswith("-") and printed < 0:
        right = right[1:]
    elif printed < 0 <= float(right.translate(_DIGITS)) and start and source[start - 1] in "-−":
        start -= 1
    elif right.startswith("-"):
        sign, right = "-", right[1:]
    return source[:start] + sign + right + source[match.end() :], start


def _shortened(text: str, other: str) -> str:
    """A long line around the place where it differs from another."""
    at = next((k for k, (a, b) in enumerate(zip(text, other, strict=False)) if a != b), 0)
    if len(text) <= _LONGEST:
        return printable(text)
    start = max(0, min(at - 2 * _LONGEST // 3, len(text) - _LONGEST))
    cut = text[start : start + _LONGEST]
    return printable(("… " if start else "") + cut + (" …" if start + _LONGEST < len(text) else ""))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 2]} …"


def _shown(value: float, unit: float, decimal: str) -> Literal:
    decimals = max(0, min(12, len(f"{unit:.12f}".rstrip("0").partition(".")[2])))
    extra = 0 if value == round(value, decimals) else 2
    return Literal(str(shown(value, Precision(decimals + extra, None, decimal))))


def _unit_of(value: float) -> float:
    text = f"{value:.10f}".rstrip("0").partition(".")[2]
    return 10.0 ** -len(text)
