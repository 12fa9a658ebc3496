"""Exercises as questions for Moodle: one Cloze question each, with a numerical field for each number.

A numerical field has the right number with a tolerance, for all marks, and a second, wider one for a share of them:
Moodle cannot know what follows from an earlier answer, so rounding on the way is in the tolerance.

Source: Moodle documentation, "Moodle XML format" and "Embedded Answers (Cloze) question type".
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import groupby
from xml.etree import ElementTree

import numpy as np

from handgrad.exercises.exercise import Asked, Exercise
from handgrad.exercises.sheet import answer_key, exercise_sheet
from handgrad.nn.arrays import Array
from handgrad.render.document import Blanks, Block, Document, Heading, Paragraph
from handgrad.render.html.page import fragment
from handgrad.rich_repr import printable
from handgrad.worked.rounding import Rounding
from handgrad.worksheets.case_steps import trace_case

HALF = 0.5
_SLACK = 1.02
"""Of a tolerance: a number that lies on its edge is within it, in whatever arithmetic Moodle has."""
_PERCENTS = (
    100,
    90,
    80,
    75,
    70,
    66.66667,
    60,
    50,
    40,
    33.33333,
    30,
    25,
    20,
    16.66667,
    14.28571,
    12.5,
    11.11111,
    10,
    5,
    0,
)
"""The shares of the marks that Moodle takes."""


def moodle_xml(exercises: Iterable[Exercise], language: str | None = None, last_digit: float = HALF) -> bytes:
    """The questions of the exercises as a file for Moodle's question bank (Import, Moodle XML format)."""
    quiz = ElementTree.Element("quiz")
    for exercise in exercises:
        _question(quiz, exercise, language, last_digit)
    ElementTree.indent(quiz)
    body = ElementTree.tostring(quiz, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<!-- Written by handgrad -->\n{body}\n'.encode()


def tolerances(exercise: Exercise) -> dict[str, float]:
    """How far an answer may lie from the exact number, by the name of its field, for all marks.

    Half a unit of the last digit that was asked for, and what comes in when each result is rounded to its digits
    before it is used again, as on paper.
    """
    carried = _carried(exercise)
    found = {}
    for name, (asked, index) in exercise.fields.items():
        unit = 10.0**-asked.digits
        held = np.asarray(carried[asked.step][asked.quantity])
        on_the_way = abs(float(held[index] if held.ndim else held) - exercise.value(asked, index))
        found[name] = (math.ceil(on_the_way / unit * 2 - 1e-6) / 2 + 0.5) * unit * _SLACK
    return found


def _carried(exercise: Exercise) -> Mapping[int, Mapping[str, Array]]:
    """Every quantity when each result is rounded to the decimals asked for before it is used again."""
    finest = max(asked.digits for asked in exercise.asked)
    own = {asked.quantity: asked.digits for asked in exercise.asked}
    case = replace(exercise.case, rounding=Rounding(finest, True, tuple(sorted(own.items()))))
    steps = sorted(exercise.quantities)
    with np.errstate(all="ignore"):
        traces = trace_case(case, steps[0], steps[-1])
        return {trace.number: trace.quantities for trace in traces if trace.number in steps}


def _question(quiz: ElementTree.Element, exercise: Exercise, language: str | None, last_digit: float) -> None:
    sheet = exercise_sheet(exercise, language, follows=False)
    question = ElementTree.SubElement(quiz, "question", {"type": "cloze"})
    title = printable(sheet.title)
    if exercise.of > 1 or exercise.name:
        title += f" ({printable(exercise.name) or exercise.number})"
    _text(question, "name", title)
    allowed = tolerances(exercise)
    fields, whole = exercise.fields, _whole(exercise)
    places = {
        name: cloze(
            exercise.value(asked, index), asked, allowed[name], last_digit, round(asked.worth * whole)
        )
        for name, (asked, index) in fields.items()
    }
    _text(question, "questiontext", _page(sheet, places), html=True)
    key = answer_key(exercise, language)
    blocks = [block for block in key.blocks if not (isinstance(block, Heading) and block.level == 1)]
    _text(question, "generalfeedback", fragment(replace(key, blocks=tuple(blocks))), html=True)
    ElementTree.SubElement(question, "penalty").text = "0"
    ElementTree.SubElement(question, "hidden").text = "0"
    ElementTree.SubElement(question, "idnumber").text = f"handgrad-{exercise.id}-{exercise.number}"


def _whole(exercise: Exercise) -> float:
    """What the marks of a number are multiplied with, so that the weights are whole numbers, as Moodle wants them."""
    worths = {asked.worth for asked in exercise.asked}
    for factor in range(1, 61):
        if all(abs(worth * factor - max(1, round(worth * factor))) < 1e-6 for worth in worths):
            return float(factor)
    return 1 / min(worths)


def cloze(value: float, asked: Asked, tolerance: float, last_digit: float = HALF, weight: int = 1) -> str:
    """The numerical field of one number.

    >>> cloze(0.5, Asked("loss", 1, 2, 1.0, ()), 0.0051)
    '{1:NUMERICAL:=0.5:0.0051~%50%0.5:0.0152}'
    """
    shown = _plain(value, asked.digits + 4)
    fields = [f"={shown}:{_plain(tolerance, asked.digits + 3)}"]
    share = min(_PERCENTS, key=lambda percent: abs(percent - 100 * last_digit))
    if share not in (0, 100):
        wider = tolerance + 1.01 * 10.0**-asked.digits
        fields.append(f"%{share:g}%{shown}:{_plain(wider, asked.digits + 3)}")
    return f"{{{weight}:NUMERICAL:{'~'.join(fields)}}}"


def _plain(value: float, decimals: int) -> str:
    """Decimal text without a power of ten."""
    text = f"{value:.{decimals}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def _page(sheet: Document, places: Mapping[str, str]) -> str:
    """The sheet as HTML, a field of Moodle's in place of each blank; a brace of the text's own opens none."""
    parts: list[str] = []
    for blanks, group in groupby(sheet.blocks, lambda block: isinstance(block, Blanks)):
        blocks = [block for block in group if not _is_title(block)]
        if blanks:
            parts += [_blank(sheet, block, places) for block in blocks if isinstance(block, Blanks)]
        else:
            parts.append(fragment(replace(sheet, blocks=tuple(blocks))).replace("{", "&#123;"))
    return "\n".join(part for part in parts if part)


def _blank(sheet: Document, block: Blanks, places: Mapping[str, str]) -> str:
    if not block.shown or not all(field.name in places for row in block.rows for field in row):
        return ""
    target = fragment(replace(sheet, blocks=(Paragraph(block.target),))).replace("{", "&#123;")
    rows = "".join(
        "<tr>" + "".join(f"<td>{places[field.name]}</td>" for field in row) + "</tr>" for row in block.rows
    )
    return f"{target}\n<table>{rows}</table>"


def _is_title(block: Block) -> bool:
    return isinstance(block, Heading) and block.level == 1


def _text(parent: ElementTree.Element, name: str, text: str, html: bool = False) -> None:
    element = ElementTree.SubElement(parent, name, {"format": "html"} if html else {})
    ElementTree.SubElement(element, "text").text = text
