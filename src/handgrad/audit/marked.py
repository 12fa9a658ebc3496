"""The worked calculation with each claim marked, where it is reached: what was printed, and what it should be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from handgrad.audit.verdicts import EXACT, Entry, Verdict
from handgrad.cases.case import Case
from handgrad.errors import CaseError, SpecificationError
from handgrad.render.document import Block, Paragraph
from handgrad.render.layout.sheet import Marks, marked_steps
from handgrad.render.settings import Settings
from handgrad.worked.record import Options
from handgrad.worksheets.recording import recorded
from handgrad.worksheets.steps import CaseSource
from handgrad.writing.letter_parts import Notation
from handgrad.writing.phrasebook import Spans

MOST_MARKED = 3
"""Steps that are worked out: those with something wrong in them first."""
MOST_PARAMETERS = 60
"""Of a larger network the matrices are elided, and marks would stand beside dots."""

Sentence = Callable[[Verdict, Entry | None], Spans]
"""Of one entry of a claim, or of all of them where each is exact."""


def marked_calculation(
    case: Case, verdicts: tuple[Verdict, ...], language: str, notation: Notation, sentence: Sentence
) -> tuple[Block, ...]:
    """The steps that claims are about, worked out, each claim under the equation of its quantity.

    Nothing for a case that cannot be worked out as a whole: one without weights, inputs or a step.
    """
    if case.symbolic or case.network.parameter_count > MOST_PARAMETERS:
        return ()
    steps = _steps(case, verdicts)
    source, options = CaseSource(case), Options(orientation=notation.orientation)
    try:
        records = [recorded(source, step, step, options, with_formulas=False) for step in steps]
    except (CaseError, SpecificationError):
        return ()  # its claims are in the table, and what is missing was said
    settings = Settings(notation=notation, language=language)
    marks = _marks(case, verdicts, sentence)
    return tuple(block for record in records for block in marked_steps(record, settings, marks, level=3))


def _steps(case: Case, verdicts: tuple[Verdict, ...]) -> list[int]:
    wrong = {verdict.claim.step for verdict in verdicts if verdict.alarm}
    others = {verdict.claim.step for verdict in verdicts} - wrong
    kept = [step for step in (*sorted(wrong), *sorted(others)) if step <= case.steps][:MOST_MARKED]
    return sorted(kept)


def _marks(case: Case, verdicts: tuple[Verdict, ...], sentence: Sentence) -> Marks:
    """The sentences of each quantity of each step; the last layer's activity is the prediction."""
    held: dict[tuple[int, str], list[Block]] = defaultdict(list)
    last = f"a{case.network.depth}"
    for verdict in verdicts:
        name = verdict.claim.names[0] if verdict.claim.names else verdict.claim.quantity
        exact = len(verdict.entries) > 1 and all(entry.verdict == EXACT for entry in verdict.entries)
        entries: tuple[Entry | None, ...] = (None,) if exact else verdict.entries
        for entry in entries:
            wrong = entry is not None and entry.verdict.startswith(("wrong", "last"))
            role = "observation" if wrong else "note"
            paragraph = Paragraph(sentence(verdict, entry), role)
            held[verdict.claim.step, "yhat" if name == last else name].append(paragraph)
    return dict(held)
