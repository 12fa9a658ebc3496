"""The comments on one student's answers: marks, each number beside what is right, and what went wrong and why."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from handgrad.audit.consequences import roots_of
from handgrad.audit.conventions import Convention
from handgrad.audit.report import convention_sentence, sentence
from handgrad.audit.symbols import quantity_symbol
from handgrad.audit.verdicts import Verdict
from handgrad.exercises.marking import BLANK, REPEATED, UNREADABLE, Marked, Paper, repeated
from handgrad.exercises.sheet import rounded_text
from handgrad.render.document import Block, Document, Heading, Literal, Paragraph, Table
from handgrad.rich_repr import printable
from handgrad.writing.letter_parts import Notation
from handgrad.writing.phrasebook import Phrasebook, Spans, chosen_language, decimal_mark, joined

_LONGEST = 24
"""Characters of an answer that are quoted."""
MARK_DECIMALS = 2


def comments(paper: Paper, language: str | None = None) -> Document:
    """The comments as a document, ready for a writer of any medium."""
    return _Comments(paper, chosen_language(language)).document()


def points(value: float) -> str:
    """Marks, to two decimals at most.

    >>> points(3.0), points(2.5), points(1 / 3)
    ('3', '2.5', '0.33')
    """
    return f"{value:.{MARK_DECIMALS}f}".rstrip("0").rstrip(".") or "0"


def notation_of(paper: Paper, language: str) -> Notation:
    """How the case of the exercise writes its letters."""
    asked = paper.exercise.case.notation
    notation = Notation(
        layer=asked.layer or "bracket",
        names=asked.names or "az",
        first=1 if asked.first is None else asked.first,
        orientation=asked.orientation or "column",
    )
    alone = frozenset(asked.quantity for asked in paper.exercise.asked if math.prod(asked.shape) == 1)
    return replace(notation, decimal=decimal_mark(language), numbers=alone)


class _Comments:
    """One student's comments on their way to a document."""

    def __init__(self, paper: Paper, language: str) -> None:
        self.paper, self.language = paper, language
        self.words = Phrasebook(language)
        self.decimal = decimal_mark(language)
        self.several = any(number.asked.step > 1 for number in paper.numbers)

    def document(self) -> Document:
        who = printable(self.paper.name) or self.words.text("marks_nobody")
        title = self.words.text("marks_title", name=who)
        blocks = [Heading(1, (title,), "title"), *self._head(), *self._wrong(), *self._numbers()]
        notation = notation_of(self.paper, self.language)
        return Document(title, self.language, tuple(blocks), notation)

    def _head(self) -> Iterator[Block]:
        paper = self.paper
        exercise = printable(paper.exercise.case.title)
        if paper.exercise.of > 1:
            number, count = paper.exercise.number, paper.exercise.of
            variant = self.words.text("exercise_variant", number=number, count=count)
            exercise = " · ".join(part for part in (exercise, variant) if part)
        if exercise:
            yield Paragraph((exercise,), "source")
        earned, possible = self._points(paper.earned), self._points(paper.possible)
        said = self.words.text(
            "marks_total", earned=earned, possible=possible, percent=f"{paper.percent:.0f}"
        )
        yield Paragraph((said,), "observation")
        if isinstance(paper.convention, Convention):
            yield Paragraph((convention_sentence(paper.convention, self.language),))
        for remark in paper.remarks:
            yield Paragraph((printable(remark),), "note")

    def _points(self, value: float) -> str:
        return points(value).replace(".", self.decimal)

    # -- what went wrong

    def _wrong(self) -> Iterator[Block]:
        roots = [verdict for verdict in self.paper.verdicts if verdict.root]
        if not roots:
            everything = all(number.verdict not in (BLANK, UNREADABLE) for number in self.paper.numbers)
            if everything and self.paper.numbers:
                yield Paragraph((self.words.text("marks_all_right"),))
            return
        yield Heading(2, (self.words.text("marks_wrong"),), "wrong")
        following = roots_of(self.paper.verdicts, self.paper.exercise.case.network)
        again = {id(verdict): first for verdict, first in repeated(self.paper.verdicts)}
        for number, verdict in enumerate(roots, 1):
            yield Heading(3, self._named(verdict), f"wrong-{number}")
            yield Paragraph((self._why(verdict),))
            if id(verdict) in again:
                rule = "once" if self._costs_nothing(verdict) else "each"
                said = self.words.say(f"marks_again_{rule}", which=self._named(again[id(verdict)]))
                yield Paragraph(said)
            names = [
                self._named(other)
                for other in self.paper.verdicts
                if verdict.claim.number in following.get(other.claim.number, ())
            ]
            if names:
                parts: list[object] = []
                for place, name in enumerate(names):
                    parts += [*([", "] if place else []), *name]
                yield Paragraph(self.words.say("marks_follows", names=joined(parts)))  # type: ignore[arg-type]

    def _costs_nothing(self, verdict: Verdict) -> bool:
        claim = verdict.claim
        return any(
            number.verdict == REPEATED and number.earned > 0
            for number in self.paper.numbers
            if (number.asked.step, number.asked.quantity) == (claim.step, claim.quantity)
        )

    def _why(self, verdict: Verdict) -> str:
        if verdict.explanation is None:
            return self.words.text("marks_no_cause")
        said = sentence(verdict, self.language)
        assert said is not None
        return said

    def _named(self, verdict: Verdict) -> Spans:
        return self._symbol(verdict.claim.quantity, verdict.claim.step)

    def _symbol(self, quantity: str, step: int) -> Spans:
        spans: Spans = (quantity_symbol(quantity, None),)
        return self.words.say("audit_of_step", which=spans, number=step) if self.several else spans

    # -- every number

    def _numbers(self) -> Iterator[Block]:
        yield Heading(2, (self.words.text("audit_all"),), "all")
        keys = ("audit_quantity", "marks_answer", "audit_right", "audit_verdict", "marks_points")
        header = tuple(self.words.say(key) for key in keys)
        yield Table(header, tuple(self._row(number) for number in self.paper.numbers), "lrrlr")
        notes = [(number.name, note) for number in self.paper.numbers for note in number.written.notes]
        if notes:
            kinds = dict.fromkeys(note for _, note in notes)
            said = " ".join(self.words.text(f"marks_note:{kind}") for kind in kinds)
            yield Paragraph((said,), "note")

    def _row(self, number: Marked) -> tuple[Spans, ...]:
        asked = number.asked
        samples = asked.shape[0] if len(asked.shape) == 2 else 1
        alone = math.prod(asked.shape) == 1
        symbol: Spans = (quantity_symbol(asked.quantity, None if alone else number.index, samples),)
        if self.several:
            symbol = self.words.say("audit_of_step", which=symbol, number=asked.step)
        text = printable(number.text.strip())
        text = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
        right = rounded_text(number.right, asked.digits).replace(".", self.decimal)
        earned = f"{self._points(number.earned)}/{self._points(number.possible)}"
        verdict = self.words.text(f"marks_verdict:{number.verdict}")
        return symbol, (text or "–",), (Literal(right),), (verdict,), (earned,)
