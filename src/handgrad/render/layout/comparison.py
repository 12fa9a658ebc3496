"""Tables that compare: outputs with targets, the common losses, the scalar way with the matrix way."""

from __future__ import annotations

from collections.abc import Iterator

from handgrad.render.document import Block, Table
from handgrad.render.layout.context import Sheet
from handgrad.worked.evaluate import evaluate
from handgrad.worked.expressions import Sum
from handgrad.worked.record import Equation, Timing
from handgrad.writing.numerals import Precision, shown
from handgrad.writing.phrasebook import Spans

TASKS = ("losses_regression", "losses_classification", "losses_two_classes")
NAMES = ("losses_mean_squared_error", "losses_cross_entropy", "losses_binary_cross_entropy")


def errors(sheet: Sheet) -> Iterator[Block]:
    """Each output with its target and its error."""
    lesson = sheet.record.textbook.get("errors")
    if lesson is None:
        return
    equations = [equation for equation in lesson.equations if isinstance(equation.numbers[0], Sum)]
    outputs, targets, found = zip(*map(_three, equations), strict=True)
    columns = [
        sheet.shown_column(outputs, "yhat"),
        sheet.shown_column(targets, "y"),
        sheet.shown_column(found, "yhat"),
    ]
    rows = [
        (_first(equation), (output,), (target,), (error,))
        for equation, output, target, error in zip(equations, *columns, strict=True)
    ]
    yield sheet.paragraph("errors_text")
    keys = ("errors_output", "errors_prediction", "errors_target", "errors_error")
    yield Table(tuple(sheet.say(key) for key in keys), tuple(rows), "lrrr")
    left = sheet.record.steps[0].quantities["yhat"].size - len(equations) if sheet.record.steps else 0
    if left > 0:
        yield sheet.paragraph("left_out", "note", count=int(left))
    yield sheet.paragraph("errors_next")


def _three(equation: Equation) -> tuple[float, float, float]:
    """Output, target and error of one equation, as its numbers say them."""
    numbers = equation.numbers[0]
    assert isinstance(numbers, Sum) and equation.result is not None
    output, target = (float(evaluate(term).item()) for term in numbers.terms)
    return output, -target, float(evaluate(equation.result).item())


def _first(equation: Equation) -> Spans:
    letters = equation.symbols[0]
    assert isinstance(letters, Sum)
    return (letters.terms[0],)


def losses(sheet: Sheet) -> Iterator[Block]:
    """The common losses one after another: for which task, with formula, derivative and value for this prediction."""
    lesson = sheet.record.textbook.get("losses")
    if lesson is None:
        return
    yield sheet.paragraph("losses_text")
    steps = sheet.record.steps
    which = "first" if steps and sheet.samples(steps[0]) > 1 else "here"
    thirds = [lesson.equations[start : start + 3] for start in range(0, len(lesson.equations), 3)]
    for task, name, (value, slope, here) in zip(TASKS, NAMES, thirds, strict=True):
        said = "losses_of_task" if here.result is None else f"losses_of_task_{which}"
        yield sheet.paragraph(said, task=sheet.say(task), loss=sheet.say(name))
        yield sheet.formula(value)
        yield sheet.formula(slope)
        if here.result is not None:
            yield sheet.formula(here, "loss")
    yield sheet.paragraph("losses_compared")


# --- scalar or matrix ---------------------------------------------------------------------------------------


def scalar_or_matrix(sheet: Sheet) -> Iterator[Block]:
    """The two ways by what they need, with the times that this machine took."""
    network = sheet.record.network
    units = sum(layer.units for layer in network.layers)
    products = sum(layer.units * width for layer, width in zip(network.layers, network.sizes, strict=False))
    rows: list[tuple[Spans, ...]] = [
        (sheet.say("aspect_equations"), (str(units),), (str(network.depth),)),
        (sheet.say("aspect_operations"), (str(products),), (str(products),)),
    ]
    for aspect in ("order", "growth", "hardware", "program"):
        keys = (f"aspect_{aspect}", f"aspect_{aspect}_scalar", f"aspect_{aspect}_matrix")
        rows.append(tuple(sheet.say(key) for key in keys))
    for timing in sheet.record.timings:
        name = sheet.say("aspect_time", inputs=timing.inputs, units=timing.units)
        rows.append((name, (_duration(sheet, timing.scalar),), (_duration(sheet, timing.matrix),)))
    yield sheet.paragraph("scalar_or_matrix_text")
    yield Table(
        tuple(sheet.say(key) for key in ("aspect", "aspect_scalar", "aspect_matrix")), tuple(rows), "lll"
    )
    if sheet.record.timings:
        yield sheet.paragraph("timing_is")
        yield from _ratio(sheet, sheet.record.timings[-1])


def _duration(sheet: Sheet, seconds: float) -> str:
    """A time in the unit that fits it, to two digits."""
    factor, unit = (1e3, "ms") if seconds >= 1e-3 else (1e6, "µs")
    return f"{shown(seconds * factor, Precision(significant=2, decimal=sheet.decimal))} {unit}"


def _ratio(sheet: Sheet, timing: Timing) -> Iterator[Block]:
    times = timing.scalar / timing.matrix
    if times >= 2:
        said = str(shown(times, Precision(significant=2, decimal=sheet.decimal)))
        yield sheet.paragraph("timing_times", inputs=timing.inputs, units=timing.units, times=said)
