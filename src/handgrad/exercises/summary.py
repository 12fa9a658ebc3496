"""What a class did: the marks, the step that it gets wrong, and how; for the teacher."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any

from handgrad.audit.symbols import quantity_symbol
from handgrad.audit.verdicts import EXACT, FOLLOWS, LAST_DIGIT, ROUNDED, TRUNCATED, WRONG
from handgrad.exercises.comments import notation_of, points
from handgrad.exercises.marking import BLANK, FEW_DIGITS, REPEATED, UNREADABLE, Paper
from handgrad.render.document import Block, Bullets, Document, Heading, Paragraph, Table
from handgrad.rich_repr import printable
from handgrad.writing.letter_parts import Notation
from handgrad.writing.messages import SENTENCES
from handgrad.writing.phrasebook import Phrasebook, Spans, chosen_language, decimal_mark

RIGHT = (EXACT, ROUNDED, TRUNCATED)
ROOTS = (WRONG, REPEATED, LAST_DIGIT, FEW_DIGITS)
_MOST_NAMES = 8


@dataclass(frozen=True)
class Step:
    """One quantity over all papers: how many have it right, wrong of itself, following, blank; by which mistakes."""

    step: int
    quantity: str
    papers: int
    right: int
    wrong: int
    follows: int
    blank: int
    causes: tuple[tuple[str, int], ...]


def steps_of(papers: Sequence[Paper]) -> tuple[Step, ...]:
    """Each quantity that was asked, in the order of the calculation; a paper counts once, with its worst number."""
    order: dict[tuple[int, str], None] = {}
    kinds: dict[tuple[int, str], Counter[str]] = {}
    causes: dict[tuple[int, str], Counter[str]] = {}
    for paper in papers:
        seen: dict[tuple[int, str], set[str]] = {}
        for number in paper.numbers:
            seen.setdefault((number.asked.step, number.asked.quantity), set()).add(number.verdict)
        named = paper.causes()
        for key, verdicts in seen.items():
            order[key] = None
            kinds.setdefault(key, Counter())[_kind(verdicts)] += 1
            if key in named:
                causes.setdefault(key, Counter())[named[key]] += 1
    return tuple(
        Step(
            key[0],
            key[1],
            kinds[key].total(),
            kinds[key]["right"],
            kinds[key]["wrong"],
            kinds[key]["follows"],
            kinds[key]["blank"],
            tuple(causes.get(key, Counter()).most_common()),
        )
        for key in order
    )


def _kind(verdicts: set[str]) -> str:
    if verdicts & {*ROOTS, UNREADABLE}:
        return "wrong"
    if FOLLOWS in verdicts:
        return "follows"
    return "blank" if BLANK in verdicts else "right"


def as_dict(papers: Sequence[Paper]) -> dict[str, Any]:
    """Marks of each paper and the steps of the class, for JSON."""
    return {
        "papers": [
            {
                "name": paper.name,
                "file": paper.file,
                "variant": paper.exercise.number,
                "exercise": paper.exercise.id,
                "earned": round(paper.earned, 6),
                "possible": round(paper.possible, 6),
                "counts": dict(paper.counts),
                "causes": {
                    f"{quantity}@{step}" if step > 1 else quantity: code
                    for (step, quantity), code in paper.causes().items()
                },
                "convention": None if paper.convention is None else paper.convention.code,
                "remarks": list(paper.remarks),
                "numbers": [
                    {
                        "field": number.name,
                        "answer": number.text,
                        "read": number.written.value,
                        "right": number.right,
                        "verdict": number.verdict,
                        "earned": round(number.earned, 6),
                        "possible": round(number.possible, 6),
                    }
                    for number in paper.numbers
                ],
            }
            for paper in papers
        ],
        "steps": [
            {
                "quantity": step.quantity,
                "step": step.step,
                "papers": step.papers,
                "right": step.right,
                "wrong": step.wrong,
                "follows": step.follows,
                "blank": step.blank,
                "causes": dict(step.causes),
            }
            for step in steps_of(papers)
        ],
    }


def summary(papers: Sequence[Paper], unread: Sequence[str] = (), language: str | None = None) -> Document:
    """The summary as a document; `unread` says which files could not be marked, and why."""
    return _Summary(papers, unread, chosen_language(language)).document()


class _Summary:
    """The summary of a class on its way to a document."""

    def __init__(self, papers: Sequence[Paper], unread: Sequence[str], language: str) -> None:
        self.papers, self.unread, self.language = papers, unread, language
        self.words = Phrasebook(language)
        self.decimal = decimal_mark(language)
        self.steps = steps_of(papers)
        self.several = any(step.step > 1 for step in self.steps)

    def document(self) -> Document:
        title = self.words.text("class_title")
        blocks = [
            Heading(1, (title,), "title"),
            *self._head(),
            *self._steps(),
            *self._mistakes(),
            *self._marks(),
        ]
        notation = notation_of(self.papers[0], self.language) if self.papers else Notation()
        return Document(title, self.language, tuple(blocks), notation)

    def _head(self) -> Iterator[Block]:
        said = [self.words.text("class_papers", count=len(self.papers))]
        if self.papers:
            percents = [paper.percent for paper in self.papers]
            said.append(
                self.words.text("class_mean", mean=f"{fmean(percents):.0f}", median=f"{median(percents):.0f}")
            )
        yield Paragraph((" ".join(said),), "observation")
        hardest = max(self.steps, key=lambda step: step.wrong, default=None)
        if hardest is not None and hardest.wrong:
            yield Paragraph(
                self.words.say(
                    "class_hardest",
                    which=self._symbol(hardest),
                    wrong=str(hardest.wrong),
                    papers=str(hardest.papers),
                )
            )
        again = [n for paper in self.papers for n in paper.numbers if n.verdict == REPEATED]
        if again:
            rule = "once" if any(number.earned for number in again) else "each"
            papers = sum(REPEATED in paper.counts for paper in self.papers)
            yield Paragraph((self.words.text(f"class_repeat_{rule}", count=papers),), "note")
        if self.unread:
            yield Paragraph((self.words.text("class_unread", count=len(self.unread)),))
            yield Bullets(tuple((printable(line),) for line in self.unread))

    def _symbol(self, step: Step) -> Spans:
        symbol: Spans = (quantity_symbol(step.quantity, None),)
        return self.words.say("audit_of_step", which=symbol, number=step.step) if self.several else symbol

    def _steps(self) -> Iterator[Block]:
        if not self.steps:
            return
        yield Heading(2, (self.words.text("class_steps"),), "steps")
        keys = ("audit_quantity", "class_right", "class_wrong", "class_follows", "class_blank")
        rows = tuple(
            (
                self._symbol(step),
                *((str(count),) for count in (step.right, step.wrong, step.follows, step.blank)),
            )
            for step in self.steps
        )
        yield Table(tuple(self.words.say(key) for key in keys), rows, "lrrrr")
        yield Paragraph((self.words.text("class_counting"),), "note")

    def _mistakes(self) -> Iterator[Block]:
        """Each mistake once, the commonest first: in which quantities, and who made it."""
        found: dict[str, list[tuple[Step, int]]] = {}
        for step in self.steps:
            for code, count in step.causes:
                found.setdefault(code, []).append((step, count))
        if not found:
            return
        yield Heading(2, (self.words.text("class_mistakes"),), "mistakes")
        makers = {code: self._makers(code) for code in found}
        for code in sorted(found, key=lambda code: (-len(makers[code]), code)):
            where: list[Any] = []
            for place, (step, count) in enumerate(found[code]):
                where += [*([", "] if place else []), *self._symbol(step), f" ({count})"]
            yield Heading(3, (f"{code} ({len(makers[code])})",), f"mistake-{code}")
            general = f"class_mistake:{code}"  # of a sentence that names one student's numbers
            yield Paragraph((self.words.text(general if general in SENTENCES else f"mistake:{code}"),))
            names = makers[code]
            listed = ", ".join(names[:_MOST_NAMES]) + (", …" if len(names) > _MOST_NAMES else "")
            yield Paragraph(self.words.say("class_where", where=tuple(where), names=listed))

    def _makers(self, code: str) -> list[str]:
        return [
            printable(paper.name) or printable(paper.file)
            for paper in self.papers
            if code in paper.causes().values()
        ]

    def _marks(self) -> Iterator[Block]:
        if not self.papers:
            return
        yield Heading(2, (self.words.text("class_marks"),), "marks")
        keys = ("exercise_name", "marks_points", "class_of", "class_percent")
        rows = tuple(
            (
                (printable(paper.name) or printable(paper.file),),
                (points(paper.earned).replace(".", self.decimal),),
                (points(paper.possible).replace(".", self.decimal),),
                (f"{paper.percent:.0f} %",),
            )
            for paper in self.papers
        )
        yield Table(tuple(self.words.say(key) for key in keys), rows, "lrrr")
