"""The update as assignments, the variants of gradient descent with their rules, and the loop as a program."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from handgrad.render.document import Block, Bullets, Code, Formula, Table
from handgrad.render.layout.context import Sheet
from handgrad.render.layout.training_program import Wanted, is_written_out, left_out, training_program
from handgrad.worked.expressions import Expression, Relation, Symbol
from handgrad.worked.record import Equation
from handgrad.worked.textbook.tables import rules
from handgrad.writing.phrasebook import Spans

SAMPLES = {"batch": "variants_of_all", "stochastic": "variants_of_one", "mini_batch": "variants_of_some"}
"""How many samples a step of each variant sees."""


def _target(tree: Expression) -> Expression:
    """W of W_new: what gets the value."""
    return replace(tree, mark="") if isinstance(tree, Symbol) and tree.mark == "new" else tree


def assigned(sheet: Sheet, equation: Equation) -> Formula:
    """W := W - eta dL/dW."""
    display = sheet.display()
    first, *others = (display.tree(tree) for tree in equation.symbols)
    return Formula(
        display.tree(_target(equation.target), shapes=False),
        ((":=", first), *(("=", tree) for tree in others)),
    )


def assignments(sheet: Sheet) -> Iterator[Block]:
    """W := and b := layer by layer, in the letters of the update of the sheet."""
    steps = sheet.record.steps
    updates = [worked for worked in steps[0].steps if worked.part == "update"] if steps else []
    if not updates:
        return
    yield sheet.paragraph("assignments_text")
    for worked in updates:
        if worked.equation.symbols and worked.layer is not None:
            yield assigned(sheet, Equation(worked.equation.target, worked.equation.symbols[:1]))
    yield sheet.paragraph("assignments_gradients", eta=Symbol("eta"))


def variants(sheet: Sheet) -> Iterator[Block]:
    """Each variant with its rule, and what it is good for."""
    lesson = sheet.record.textbook.get("variants")
    if lesson is None:
        return
    equations, rows = list(lesson.equations), list[tuple[Spans, ...]]()
    for name, count in rules():
        own, equations = equations[:count], equations[count:]
        rows += _rows(sheet, name, own)
    yield sheet.paragraph("variants_text", theta=Symbol("theta"), g=Symbol("g"), i=Symbol("i"))
    header = tuple(sheet.say(key) for key in ("method", "variants_rule", "properties"))
    yield Table(header, tuple(rows), "lll")


def _rows(sheet: Sheet, name: str, equations: list[Equation]) -> Iterator[tuple[Spans, ...]]:
    """One row for each equation of a variant; its name and what it is good for stand in the first."""
    if name in SAMPLES:
        samples = sheet.say(SAMPLES[name])
        method = sheet.say("variants_named", method=sheet.say(f"variant_{name}"), samples=samples)
        good_for = sheet.say(f"variant_{name}_properties")
    else:
        method, good_for = sheet.say(f"optimizer:{name}"), sheet.say(f"optimizer_{name}_says")
    for place, equation in enumerate(equations):
        target = _target(equation.target)
        sign = "=" if target is equation.target else ":="
        rule = Relation(target, sign, sheet.display().tree(equation.symbols[0]))
        yield ((), (rule,), ()) if place else (method, (rule,), good_for)


def loop(sheet: Sheet) -> Iterator[Block]:
    """What is repeated, and the program."""
    yield sheet.paragraph("loop_text")
    keys = ("forward", "loss", "backward", "update", "repeat")
    yield Bullets(tuple(sheet.say(f"loop_{key}") for key in keys))
    record = sheet.record
    if not record.steps:
        return
    step, network = record.steps[0], record.network
    given = any(worked.reason is not None and worked.reason.key == "given" for worked in step.steps)
    why = left_out(network, record.recipe, step.quantities, given or record.carry)
    if why or record.recipe is None:
        reason = sheet.text(f"activation:{why}" if why not in REASONS else f"loop_reason_{why}")
        yield sheet.paragraph("loop_none", reason=reason)
        return
    comments = {key: sheet.text(f"code_{key}") for key in keys[:-1]}
    wanted = Wanted(network, record.recipe, step.learning_rate, step.quantities, comments)
    yield sheet.paragraph(_said(sheet, wanted, step.number))
    yield Code(training_program(wanted))


REASONS = ("dropout", "clipping", "weights", "given", "bias")
"""Why there may be no program, besides a function without a line."""


def _said(sheet: Sheet, wanted: Wanted, number: int) -> str:
    if not is_written_out(wanted.network, wanted.quantities):
        return "loop_program_drawn"
    return "loop_program_anew" if wanted.recipe.optimizer.slots and number > 1 else "loop_program"
