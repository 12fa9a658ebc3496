"""The calculation itself: forward, loss, backward and update, in summary, matrix or scalar detail."""

from __future__ import annotations

from collections.abc import Iterator

from handgrad.render.document import Block, Fold, Formula, Paragraph, Spans
from handgrad.render.sheet import Sheet
from handgrad.render.words import joined
from handgrad.worked.expressions import Expression
from handgrad.worked.record import StepRecord, Words, WorkedStep

LAYERED = ("forward", "backward", "update")
JOINED = ("weights_all_grew", "weights_all_shrank", "weights_mixed")
"""Clauses that follow from the one before them."""


def calculation(sheet: Sheet, step: StepRecord, part: str) -> Iterator[Block]:
    """The steps of one part, each layer under its heading."""
    layer = None
    for worked in step.steps:
        if worked.part != part:
            continue
        if part in LAYERED and worked.layer is not None and worked.layer != layer:
            layer = worked.layer
            if sheet.record.network.depth > 1 and sheet.settings.detail != "summary":
                yield sheet.heading(1, _layer_key(sheet, layer), number=layer)
        yield from worked_step(sheet, worked)


def _layer_key(sheet: Sheet, layer: int) -> str:
    return "output_layer" if layer == sheet.record.network.depth else "layer"


def worked_step(sheet: Sheet, worked: WorkedStep) -> Iterator[Block]:
    """One quantity: why, how, its factors, the other route, and entry by entry."""
    formula = sheet.formula(worked.equation, worked.quantity, worked.shapes)
    if sheet.settings.detail == "summary":
        yield Formula(formula.target, _short(formula))
        return
    if worked.reason is not None:
        yield from sheet.once(sheet.spans(worked.reason))
    yield formula
    if worked.factors:
        yield from sheet.once(sheet.say("factor_by_factor_intro"))
        for equation in worked.factors:
            yield sheet.formula(equation, worked.quantity)
    if worked.check is not None:
        key = "check_fused" if worked.quantity.startswith("delta") else "check_factors"
        yield sheet.paragraph(key, "note")
        yield sheet.formula(worked.check, worked.quantity)
    if worked.scalar:
        yield Fold(_fold_title(sheet, worked), tuple(_scalar(sheet, worked)))


def _short(formula: Formula) -> tuple[tuple[str, Expression], ...]:
    """The symbols and the result."""
    return formula.forms if len(formula.forms) < 3 else (formula.forms[0], formula.forms[-1])


def _fold_title(sheet: Sheet, worked: WorkedStep) -> Spans:
    target = sheet.display().tree(worked.equation.target)
    return joined((*sheet.say("scalar_detail"), ": ", target))


def _scalar(sheet: Sheet, worked: WorkedStep) -> Iterator[Block]:
    for equation in worked.scalar:
        yield sheet.formula(equation, worked.quantity)
    if worked.left_out:
        yield sheet.paragraph("left_out", "note", count=worked.left_out)


def observation(sheet: Sheet, step: StepRecord) -> Iterator[Block]:
    """What the step did and why, in one paragraph."""
    sentences: list[Spans] = []
    pending: Words | None = None
    for words in step.observation:
        if pending is not None:
            if words.key in JOINED:
                sentences.append(sheet.say("joined", cause=pending, effect=words))
                pending = None
                continue
            sentences.append(sheet.say("clause", clause=pending))
            pending = None
        if words.key.startswith("prediction"):
            pending = words
        elif words.key in JOINED:
            sentences.append(sheet.say("clause_effect", effect=words))
        else:
            sentences.append(sheet.say("clause", clause=words))
    if pending is not None:
        sentences.append(sheet.say("clause", clause=pending))
    if sentences:
        spans = [part for sentence in sentences for part in (" ", *sentence)][1:]
        yield Paragraph(joined(spans), "observation")
