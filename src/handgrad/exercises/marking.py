"""Marks for answers: each number judged by the audit, so that an error that is only carried forward costs nothing."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from handgrad.audit.claims import Claim
from handgrad.audit.conventions import Convention, as_meant
from handgrad.audit.diagnosis import diagnose
from handgrad.audit.mistakes import MISTAKES
from handgrad.audit.printed import Printed, unit_of_decimals
from handgrad.audit.verdicts import (
    EXACT,
    FOLLOWS,
    LAST_DIGIT,
    ROUNDED,
    TRUNCATED,
    UNKNOWN,
    WRONG,
    Verdict,
    verdicts_of,
)
from handgrad.audit.worlds import Worlds
from handgrad.errors import SpecificationError
from handgrad.exercises.answers import Answers
from handgrad.exercises.exercise import Asked, Exercise, Index
from handgrad.exercises.written import Written, read_number

BLANK, UNREADABLE, FEW_DIGITS, REPEATED = "blank", "unreadable", "few-digits", "repeated"
HALF = 0.5
_SPENT = 1_400
"""Of the steps that an audit may run in search of roundings, these are gone at its start: a class is many audits."""

SHARES: dict[str, float] = {
    EXACT: 1.0,
    ROUNDED: 1.0,
    TRUNCATED: 1.0,
    FOLLOWS: 1.0,
    LAST_DIGIT: HALF,
    FEW_DIGITS: HALF,
    WRONG: 0.0,
    REPEATED: 0.0,
    BLANK: 0.0,
    UNREADABLE: 0.0,
}
"""The share of a number's marks by its verdict. What cannot be recomputed is left out of the sum."""
REPEATS: dict[str, float] = {"each": 0.0, "once": 1.0}
"""Whether a mistake that is made again costs its marks each time, or once: the share of what it makes wrong."""


@dataclass(frozen=True)
class Marked:
    """One number: what was written, what was read, its verdict, what is right, the marks earned and possible."""

    name: str
    asked: Asked
    index: Index
    text: str
    written: Written
    verdict: str
    right: float
    earned: float
    possible: float


@dataclass(frozen=True, eq=False)
class Paper:
    """One student's answers, marked."""

    name: str
    file: str
    exercise: Exercise
    numbers: tuple[Marked, ...]
    verdicts: tuple[Verdict, ...] = ()
    convention: Convention | None = None
    remarks: tuple[str, ...] = ()

    @property
    def earned(self) -> float:
        """Marks in all."""
        return math.fsum(number.earned for number in self.numbers)

    @property
    def possible(self) -> float:
        """Marks for a paper without a mistake."""
        return math.fsum(number.possible for number in self.numbers)

    @property
    def percent(self) -> float:
        """Marks of a hundred."""
        return 100 * self.earned / self.possible if self.possible else 0.0

    @property
    def counts(self) -> Counter[str]:
        """How many numbers have each verdict."""
        return Counter(number.verdict for number in self.numbers)

    def by_quantity(self) -> dict[tuple[int, str], tuple[float, float]]:
        """Marks earned and possible by step and quantity, in the order of the calculation."""
        found: dict[tuple[int, str], tuple[float, float]] = {}
        for number in self.numbers:
            key = (number.asked.step, number.asked.quantity)
            earned, possible = found.get(key, (0.0, 0.0))
            found[key] = (earned + number.earned, possible + number.possible)
        return found

    def causes(self) -> dict[tuple[int, str], str]:
        """The code of the mistake behind each wrong quantity, where it could be named."""
        return {
            (verdict.claim.step, verdict.claim.quantity): verdict.explanation.code
            for verdict in self.verdicts
            if verdict.root and verdict.explanation is not None
        }


def shares(last_digit: float = HALF, few_digits: float = HALF, repeat: str = "each") -> dict[str, float]:
    """The table of shares with other ones for a wrong last digit, and for fewer digits than were asked for.

    `repeat`: a mistake that is made again costs its marks "each" time, or "once".

    >>> shares(last_digit=1.0)["last-digit"], shares(repeat="once")["repeated"]
    (1.0, 1.0)

    Raises SpecificationError for a share that is not from 0 to 1, and for another word.
    """
    for share in (last_digit, few_digits):
        if not 0 <= share <= 1:
            raise SpecificationError(f"a share of the marks is from 0 to 1, got {share:g}")
    if repeat not in REPEATS:
        raise SpecificationError(f"repeat: {repeat!r}; choose from {', '.join(REPEATS)}")
    return {**SHARES, LAST_DIGIT: last_digit, FEW_DIGITS: few_digits, REPEATED: REPEATS[repeat]}


def mark(exercise: Exercise, answers: Answers, table: Mapping[str, float] = SHARES) -> Paper:
    """The answers of one student, marked.

    >>> from handgrad.exercises.exercise import make
    >>> from handgrad.cases.case import Case
    >>> exercise = make(Case.from_dict({
    ...     "network": {"inputs": 1, "loss": "squared_error", "layers": [{"units": 1, "W": [[2.0]], "b": [0.5]}]},
    ...     "data": {"x": [[3.0]], "y": [[5.0]]},
    ... }))
    >>> paper = mark(exercise, Answers("ann.toml", {"z1[0,0]": "6", "loss": "1"}))
    >>> [(number.name, number.verdict, number.earned) for number in paper.numbers[:2]]
    [('z1[0,0]', 'wrong', 0.0), ('loss', 'wrong-propagated', 1.0)]
    """
    fields = exercise.fields
    texts = {_canonical(name, fields): text for name, text in answers.texts.items()}
    written = {name: read_number(texts.get(name, "")) for name in fields}
    with np.errstate(all="ignore"):
        verdicts, convention = _verdicts(exercise, written)
        found = _by_place(verdicts)
        coarse = _coarse(exercise, written, found)
    again = {key for verdict, _ in repeated(verdicts) for key in _wrong_places(verdict)}
    numbers = []
    for name, (asked, index) in fields.items():
        answer = written[name]
        key = (asked.step, asked.quantity, index)
        verdict = found.get(key, UNKNOWN)
        if answer.value is None:
            verdict = BLANK if answer.problem == "blank" else UNREADABLE
        elif verdict in (WRONG, LAST_DIGIT) and key in coarse:
            verdict = FEW_DIGITS
        elif verdict == WRONG and key in again:
            verdict = REPEATED
        possible = 0.0 if verdict == UNKNOWN else asked.worth
        earned = possible * table.get(verdict, 0.0)
        right = exercise.value(asked, index)
        numbers.append(
            Marked(name, asked, index, texts.get(name, ""), answer, verdict, right, earned, possible)
        )
    unknown = [name for name in texts if name not in fields and texts[name].strip()]
    remarks = list(answers.remarks)
    if unknown:
        remarks.append(f"not asked for: {', '.join(unknown[:5])}{', ...' if len(unknown) > 5 else ''}")
    return Paper(
        exercise.name or answers.name,
        answers.file,
        exercise,
        tuple(numbers),
        tuple(verdicts),
        convention,
        tuple(remarks),
    )


_SLIPS = frozenset({"other-sample", *(mistake.code for mistake in MISTAKES if mistake.making is None)})
"""Mistakes of reading and copying: two of them are two slips, where two of a method are one misunderstanding."""


def repeated(verdicts: Sequence[Verdict]) -> Iterator[tuple[Verdict, Verdict]]:
    """Wrong numbers whose mistake was made before, each with the first that it made wrong."""
    first: dict[str, Verdict] = {}
    for verdict in verdicts:
        code = None if verdict.explanation is None else verdict.explanation.code
        if not verdict.root or code is None or code in _SLIPS:
            continue
        if code in first:
            yield verdict, first[code]
        else:
            first[code] = verdict


def _wrong_places(verdict: Verdict) -> Iterator[tuple[int, str, Index]]:
    for entry in verdict.entries:
        if entry.verdict == WRONG:
            yield verdict.claim.step, verdict.claim.quantity, entry.index


_STEP = re.compile(r"@1$")


def _canonical(name: str, fields: Mapping[str, object]) -> str:
    """The name of a field, for the other ways to write it: z1[1] of a single sample, loss[0], loss@1."""
    plain = _STEP.sub("", name)
    if plain in fields:
        return plain
    quantity, bracket, rest = plain.partition("[")
    inner, _, after = rest.partition("]")
    for guess in (f"{quantity}[0,{inner}]{after}", f"{quantity}{after}", f"{quantity}[0,0]{after}"):
        if bracket and guess in fields:
            return guess
    # a number that stands alone needs no index
    head, at, step = plain.partition("@")
    for guess in (f"{head}[0,0]", f"{head}[0]"):
        if not bracket and guess + at + step in fields:
            return guess + at + step
    return plain


def _claims(
    exercise: Exercise, written: Mapping[str, Written], own_digits: bool = False
) -> tuple[Claim, ...]:
    """The numbers that were written, as claims; each to the decimals asked for, or to those that it has."""
    claims: list[Claim] = []
    for asked in exercise.asked:
        entries = {}
        for index in asked.places():
            answer = written[asked.name_of(index)]
            if answer.value is not None:
                fewer = own_digits and answer.decimals is not None and answer.decimals < asked.digits
                decimals = answer.decimals if fewer and answer.decimals is not None else asked.digits
                entries[index] = Printed(answer.value, unit_of_decimals(decimals))
        if entries:
            value = np.full(asked.shape, math.nan).tolist()
            claims.append(Claim(len(claims), asked.quantity, asked.step, None, value, entries, asked.shape))
    return tuple(claims)


def _verdicts(exercise: Exercise, written: Mapping[str, Written]) -> tuple[list[Verdict], Convention | None]:
    """The verdicts of the audit with their causes, and the convention under which nothing is wrong."""
    claims = _claims(exercise, written)
    if not claims:
        return [], None
    case = replace(exercise.case, claims=())
    worlds = Worlds(case, claims, spent=_SPENT)
    found = verdicts_of(worlds)
    if not any(verdict.alarm for verdict in found):
        return found, None
    meant = as_meant(case, claims, found)
    if meant is not None:
        return meant[1], meant[0]
    return diagnose(worlds, found)[0], None


def _by_place(verdicts: list[Verdict]) -> dict[tuple[int, str, Index], str]:
    return {
        (verdict.claim.step, verdict.claim.quantity, entry.index): entry.verdict
        for verdict in verdicts
        for entry in verdict.entries
    }


def _coarse(
    exercise: Exercise, written: Mapping[str, Written], found: Mapping[tuple[int, str, Index], str]
) -> frozenset[tuple[int, str, Index]]:
    """Numbers that are wrong to the decimals asked for, and right to the fewer ones that they have."""
    suspects = {key for key in _fewer(exercise, written) if found.get(key) in (WRONG, LAST_DIGIT)}
    if not suspects:
        return frozenset()
    worlds = Worlds(
        replace(exercise.case, claims=()), _claims(exercise, written, own_digits=True), spent=_SPENT
    )
    again = _by_place(verdicts_of(worlds))
    return frozenset(key for key in suspects if again[key] in (EXACT, TRUNCATED, FOLLOWS))


def _fewer(exercise: Exercise, written: Mapping[str, Written]) -> Iterator[tuple[int, str, Index]]:
    for name, (asked, index) in exercise.fields.items():
        answer = written[name]
        if answer.value is not None and answer.decimals is not None and 0 < answer.decimals < asked.digits:
            yield asked.step, asked.quantity, index
