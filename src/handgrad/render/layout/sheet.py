"""From a record to a document: which parts, in which order, under which headings.

Each part is a function in a file of its own (`layout_*.py`). Nothing is computed here: numbers are rounded
for display, words are looked up, trees are elided.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from handgrad.render.document import Block, Document, Heading, Paragraph
from handgrad.render.layout import textbook
from handgrad.render.layout.brief import brief_problem, brief_step, path
from handgrad.render.layout.calculation import calculation, observation
from handgrad.render.layout.cells import answer
from handgrad.render.layout.certificate import certificate
from handgrad.render.layout.changes import changes, gradient_check
from handgrad.render.layout.context import Sheet
from handgrad.render.layout.conventions import conventions
from handgrad.render.layout.formulas import formulas
from handgrad.render.layout.headings import step_heading
from handgrad.render.layout.matrices import matrices
from handgrad.render.layout.numerals import in_numerals
from handgrad.render.layout.problem import problem
from handgrad.render.layout.shapes import shapes
from handgrad.render.layout.training import training
from handgrad.render.settings import PARTS, Settings
from handgrad.worked.record import Record, StepRecord

MANY = 20
"""Headings from which on a document has a table of contents: fewer are seen by turning a page."""

StepPart = Callable[[Sheet, StepRecord], Iterator[Block]]
RecordPart = Callable[[Sheet], Iterator[Block]]

BEFORE: dict[str, RecordPart] = {"problem": problem, "textbook_before": textbook.before}
"""Parts that stand once, before the steps."""

STEP_PARTS: dict[str, StepPart] = {
    "forward": lambda sheet, step: calculation(sheet, step, "forward"),
    "loss": lambda sheet, step: calculation(sheet, step, "loss"),
    "backward": lambda sheet, step: calculation(sheet, step, "backward"),
    "update": lambda sheet, step: calculation(sheet, step, "update"),
    "changes": changes,
}
"""Parts that stand in each step."""

AFTER: dict[str, RecordPart] = {
    "matrices": matrices,
    "formulas": formulas,
    "shapes": shapes,
    "training": training,
    "textbook_after": textbook.after,
}
"""Parts that stand once, after the steps."""


def lay_out(record: Record, settings: Settings | None = None) -> Document:
    """The document of a record, ready for a writer of any medium.

    Raises RenderError for a language without a catalogue, or words and symbols without a row in the tables.
    """
    sheet = Sheet(record, settings or Settings())
    opening, body = list(_opening(sheet)), [*_body(sheet), *certificate(sheet)]
    said = conventions(sheet, body)
    blocks = [*opening, *([Paragraph((said,), "settings")] if said else []), *body]
    document = Document(
        title=record.title,
        language=sheet.language,
        blocks=tuple(blocks),
        notation=sheet.notation,
        contents=sum(isinstance(block, Heading) for block in blocks) > MANY,
    )
    return in_numerals(document, sheet.settings.numerals)


def _opening(sheet: Sheet) -> Iterator[Block]:
    yield Heading(1, (sheet.record.title,), sheet.anchor("title"))
    if sheet.record.source:
        yield sheet.paragraph("source", "source", source=sheet.record.source)


Marks = Mapping[tuple[int, str], Sequence[Block]]
"""What is said of quantities, by step and public name."""


def marked_steps(record: Record, settings: Settings, marks: Marks, level: int) -> tuple[Block, ...]:
    """The calculation of a record's steps, headings from `level` on, with `marks` under their equations."""
    sheet = Sheet(record, settings)
    blocks: list[Block] = []
    for step in record.steps:
        sheet.marks = {name: held for (number, name), held in marks.items() if number == step.number}
        sheet.base_level = level
        if record.total > 1:
            blocks.append(
                sheet.heading(0, "step_of", number=step.number, count=max(record.total, step.number))
            )
            sheet.base_level = level + 1
        for part in ("forward", "loss", "backward", "update"):
            blocks += _headed(sheet, part, STEP_PARTS[part](sheet, step))
    return tuple(blocks)


BRIEF = ("forward", "loss", "backward", "update", "changes")
"""Parts that a brief sheet says in one."""


def _body(sheet: Sheet) -> Iterator[Block]:
    wanted = _wanted(sheet)
    if sheet.settings.focus is not None:
        yield from _paths(sheet)
        return
    if sheet.settings.detail == "brief" and sheet.record.steps:
        yield from _brief(sheet, wanted)
        return
    for part in wanted:
        if part in BEFORE:
            yield from _headed(sheet, part, BEFORE[part](sheet))
    steps = sheet.record.steps
    for step in steps:
        heading = list(step_heading(sheet, step))
        yield from heading
        if heading:
            sheet.base_level = 3
        for part in wanted:
            if part in STEP_PARTS:
                yield from _headed(sheet, part, STEP_PARTS[part](sheet, step))
        yield from observation(sheet, step)
        yield from answer(sheet, step)
        if "gradient_check" in wanted:
            yield from _headed(sheet, "gradient_check", gradient_check(sheet, step))
        sheet.base_level = 2
    for part in wanted:
        if part in AFTER:
            yield from _headed(sheet, part, AFTER[part](sheet))


def _wanted(sheet: Sheet) -> list[str]:
    """The parts that were asked for, those of the textbook in two."""
    parts = sheet.settings.parts
    groups = {"textbook_before": textbook.BEFORE, "textbook_after": textbook.AFTER}
    of_textbook = [name for name, group in groups.items() if parts & group.keys()]
    return [*(part for part in PARTS if part in parts), *of_textbook]


def _paths(sheet: Sheet) -> Iterator[Block]:
    """Nothing but the path to the entry that the reader follows, in each step."""
    for step in sheet.record.steps:
        yield from step_heading(sheet, step)
        yield from path(sheet, step)


def _brief(sheet: Sheet, wanted: list[str]) -> Iterator[Block]:
    """A page a step: the rules once, then each step with its example and its tables."""
    if "problem" in wanted:
        yield from _headed(sheet, "problem", brief_problem(sheet))
    if "textbook_before" in wanted:
        yield from _headed(sheet, "textbook_before", textbook.before(sheet))
    for step in sheet.record.steps:
        yield from step_heading(sheet, step, always=True)
        if any(part in BRIEF for part in wanted):
            yield from brief_step(sheet, step)
        yield from observation(sheet, step)
        yield from answer(sheet, step)
        if "gradient_check" in wanted:
            yield from _headed(sheet, "gradient_check", gradient_check(sheet, step))
    for part in wanted:
        if part in AFTER:
            yield from _headed(sheet, part, AFTER[part](sheet))


def _headed(sheet: Sheet, part: str, blocks: Iterator[Block]) -> Iterator[Block]:
    """The part under its heading; nothing if the record has nothing for it."""
    heading = sheet.heading(0, "loss_part" if part == "loss" else part)
    content = list(blocks)
    if content:
        yield heading
        yield from content
    else:
        sheet.anchors.discard(heading.anchor)
