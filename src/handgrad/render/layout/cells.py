"""From the cell and back: the raw row and its scaling before the network, the answer in the target's unit after it."""

from __future__ import annotations

from collections.abc import Iterator

from handgrad.render.document import Block, Paragraph, Table
from handgrad.render.layout.context import Sheet
from handgrad.worked.expressions import Number, Symbol
from handgrad.worked.preparation import Cell, Input
from handgrad.worked.record import StepRecord
from handgrad.writing.phrasebook import Span, Spans, joined


def from_cells(sheet: Sheet) -> Iterator[Block]:
    """The row as the file has it, and what became of each cell."""
    prepared = sheet.record.preparation
    if prepared is None:
        return
    yield sheet.heading(1, "cells")
    yield sheet.paragraph("cells_intro", row=str(prepared.row + 1))
    header = tuple(sheet.say(key) for key in ("cells_column", "cells_cell", "cells_input", "cells_how"))
    rows = tuple(row for cell in prepared.cells for row in _rows(sheet, cell))
    yield Table(header, rows, "llll")
    if prepared.left_out:
        yield sheet.paragraph("cells_left_out", "note", count=prepared.left_out)
    yield sheet.paragraph(
        "cells_letters", cell=Symbol("cell"), mean=Symbol("mean"), deviation=Symbol("deviation")
    )
    yield counted(sheet)


def counted(sheet: Sheet) -> Paragraph:
    """From which number the sheet counts."""
    return sheet.paragraph("counted_from_one" if sheet.notation.first == 1 else "counted_from_zero", "note")


def _rows(sheet: Sheet, cell: Cell) -> Iterator[tuple[Spans, ...]]:
    """A line for each input that the cell made; the column and the cell stand in the first.

    That the cell is not empty is said on the line of the number that it holds.
    """
    value = sheet.text("cells_empty") if cell.value is None else cell.value
    head: tuple[Spans, Spans] = ((cell.column,), (value,))
    lines: list[tuple[Spans, Spans]] = []
    for part in cell.inputs:
        how = sheet.spans(part.rule)
        if lines and part.rule.key == "cell_there":
            before, rule = lines.pop()
            lines.append(
                (joined((*before, ", ", sheet.number(part.value, "x"))), joined((*rule, "; ", *how)))
            )
        else:
            lines.append((_made(sheet, part), how))
    for made, how in lines:
        yield (*head, made, how)
        head = ((), ())
    if cell.zeros:
        yield (*head, ("0",), sheet.say("cells_zeros", count=cell.zeros))


def _made(sheet: Sheet, part: Input) -> Spans:
    """x_4 = (39.1 - 43.9) / 5.46 = -0.883."""
    display = sheet.display("x")
    spans: list[Span] = [display.tree(Symbol("x", entry=(part.place,)))]
    if part.equation is not None:
        spans += [" =\u00a0", display.tree(part.equation.numbers[0])]
    sign = " =\u00a0" if display.exact(Number(part.value)) else " ≈\u00a0"
    return joined((*spans, sign, display.number(part.value)))


def answer(sheet: Sheet, step: StepRecord) -> Iterator[Block]:
    """What the prediction means: in the target's own unit, or by the name of its class, beside what the row says."""
    prepared = sheet.record.preparation
    if prepared is None or step is not sheet.record.steps[0]:
        return
    yield sheet.heading(0, "answer")
    if prepared.answers:
        yield sheet.paragraph("answer_unit")
    for equation in prepared.answers:
        yield sheet.formula(equation, "answer")
    spans = [part for said in prepared.said for part in (" ", *sheet.spans(said))][1:]
    yield Paragraph(joined(spans))
