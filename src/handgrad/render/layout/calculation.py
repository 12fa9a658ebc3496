"""The calculation itself: forward, loss, backward and update, in matrix or scalar detail."""

from __future__ import annotations

from collections.abc import Iterator

from handgrad.render.document import Block, Fold, Formula, Paragraph
from handgrad.render.layout.context import Sheet, in_words
from handgrad.render.layout.shorter import is_large, shorter, without_idle_steps
from handgrad.worked.bindings import position
from handgrad.worked.record import Equation, StepRecord, Words, WorkedStep, words
from handgrad.writing.phrasebook import Spans, joined

LAYERED = ("forward", "backward", "update")


def calculation(sheet: Sheet, step: StepRecord, part: str) -> Iterator[Block]:
    """The steps of one part, each layer under its heading."""
    layer = None
    for worked in step.steps:
        if worked.part != part:
            continue
        if part in LAYERED and worked.layer is not None and worked.layer != layer:
            layer = worked.layer
            if sheet.record.network.depth > 1:
                yield sheet.heading(1, _layer_key(sheet, layer), number=layer)
        yield from worked_step(sheet, worked, repeated=step is not sheet.record.steps[0])
        yield from sheet.marks.get(worked.quantity, ())


def _layer_key(sheet: Sheet, layer: int) -> str:
    return "output_layer" if layer == sheet.record.network.depth else "layer"


def worked_step(sheet: Sheet, worked: WorkedStep, *, repeated: bool = False) -> Iterator[Block]:
    """One quantity: why, how, its factors, the other route, and entry by entry.

    `repeated`: an earlier step of the sheet has shown both routes to it.
    """
    equation = shorter(sheet, worked)
    formula = sheet.formula(equation, worked.quantity, worked.shapes if equation.letters else ())
    if worked.reason is not None:
        yield from sheet.once(sheet.spans(worked.reason))
    yield formula
    if worked.remark is not None:
        yield Paragraph(_remark(sheet, worked.remark))
    factors = [] if repeated else _factors(sheet, worked)
    if factors:
        yield from sheet.once(sheet.say("factor_by_factor_intro"))
        yield from (sheet.formula(equation, worked.quantity) for equation in factors)
    if not repeated and not is_large(sheet):
        yield from _other_route(sheet, worked)
    if worked.scalar and not _says_the_same(sheet, worked, equation, formula):
        yield Fold(_fold_title(sheet, worked), tuple(_scalar(sheet, worked)))


def _factors(sheet: Sheet, worked: WorkedStep) -> list[Equation]:
    """The chain rule factor by factor: with numbers for the output of one sample, else in letters.

    Entry by entry all of it is asked for. A hidden layer's bias has the factors of its weights and a 1.
    """
    if sheet.settings.detail == "scalar":
        large = _is_large(sheet, worked)
    else:
        output = worked.layer == sheet.record.network.depth
        if worked.quantity.startswith("db") and not output:
            return []
        large = not output or sheet.samples(sheet.record.steps[0]) > 1
    return [_in_letters(equation) if large else equation for equation in worked.factors]


def _other_route(sheet: Sheet, worked: WorkedStep) -> Iterator[Block]:
    """The check by another way; before that of softmax its Jacobian, and delta from it entry by entry."""
    if worked.check is not None:
        key = "check_fused" if worked.quantity.startswith("delta") else "check_factors"
        yield sheet.paragraph(key, "note")
    if worked.route:
        yield from _jacobian(sheet, worked)
    if worked.check is not None:
        if worked.route:
            yield sheet.paragraph("check_softmax", "note")
        yield sheet.formula(worked.check, worked.quantity)


def _jacobian(sheet: Sheet, worked: WorkedStep) -> Iterator[Block]:
    table, *entries = worked.route
    yield from sheet.once(sheet.say("softmax_jacobian"))
    _, sample = position(table.target)
    if sample is not None:
        yield sheet.paragraph("softmax_jacobian_of_first", "note")
    yield sheet.formula(table, worked.quantity)
    yield from sheet.once(sheet.say("softmax_entries"))
    for equation in entries:
        yield sheet.formula(equation, worked.quantity)


def _is_large(sheet: Sheet, worked: WorkedStep) -> bool:
    """True where a matrix does not fit: its corners, once more, would not show the product of the factors."""
    rows, columns = sheet.settings.most_rows, sheet.settings.most_columns
    return any(shape.rows > rows or shape.columns > columns for shape in worked.shapes)


def _in_letters(equation: Equation) -> Equation:
    return Equation(equation.target, equation.symbols, scheme=equation.scheme)


def _remark(sheet: Sheet, remark: Words) -> Spans:
    """What a result means; an output by the name of its class where it has one."""
    classes, arguments = sheet.record.classes, dict(remark.arguments)
    output = arguments.get("output")
    if isinstance(output, int):
        number = words("output_number", number=output + sheet.notation.first)
        arguments["name"] = classes[output] if classes else number
    elif remark.key == "as_probability":
        arguments["name"] = classes[1] if len(classes) == 2 else words("class_one")
    return sheet.spans(Words(remark.key, tuple(arguments.items())))


def _says_the_same(sheet: Sheet, worked: WorkedStep, equation: Equation, formula: Formula) -> bool:
    """True where the only entry is the quantity itself, with the numbers that have just been written."""
    if len(worked.scalar) != 1 or worked.left_out:
        return False
    entry = worked.scalar[0]
    numbers = sheet.formula(entry, worked.quantity).forms[len(entry.letters) :]
    return numbers == formula.forms[len(equation.letters) :]


def _fold_title(sheet: Sheet, worked: WorkedStep) -> Spans:
    target = sheet.display().tree(worked.equation.target)
    return joined((*sheet.say("scalar_detail"), ": ", target))


def _scalar(sheet: Sheet, worked: WorkedStep) -> Iterator[Block]:
    for equation in worked.scalar:
        yield sheet.formula(without_idle_steps(equation), worked.quantity)
    if worked.left_out:
        yield sheet.paragraph("left_out", "note", count=worked.left_out)


def observation(sheet: Sheet, step: StepRecord) -> Iterator[Block]:
    """What the step did and why, in one paragraph."""
    clauses = _clauses(sheet, step)
    sentences = [sheet.say("clause", clause=words) for words in (*clauses, *step.closing)]
    if sentences:
        spans = [part for sentence in sentences for part in (" ", *sentence)][1:]
        yield Paragraph(joined(spans), "observation")


COMPARED = {"yhat": ("prediction", "target"), "loss": ("before", "after")}
"""Numbers of the observation that the reader compares: different ones must look different."""


def _clauses(sheet: Sheet, step: StepRecord) -> list[Words]:
    """The observation with the numbers that are compared as text."""
    shown: dict[tuple[str, float], str] = {}
    for quantity, places in COMPARED.items():
        values = [
            float(value)
            for words in step.observation
            for place, value in words.arguments
            if place in places and isinstance(value, float)
        ]
        texts = sheet.apart(values, quantity)
        shown |= {
            (place, value): in_words(text)
            for value, text in zip(values, texts, strict=True)
            for place in places
        }
    return [
        Words(
            words.key,
            tuple(
                (place, shown.get((place, value), value) if isinstance(value, float) else value)
                for place, value in words.arguments
            ),
        )
        for words in step.observation
    ]
