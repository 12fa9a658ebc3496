"""Parameters before and after the step, and the gradient beside a central difference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from handgrad.nn.arrays import Array
from handgrad.render.document import Block, Formula, Table
from handgrad.render.layout.context import Sheet
from handgrad.render.layout.elision import literal
from handgrad.render.layout.shorter import is_large
from handgrad.render.settings import SMALLEST_LIMIT
from handgrad.worked.expressions import Ellipsis, Expression, Gradient, Matrix, Number, Symbol
from handgrad.worked.record import GradientCheck, ParameterChange, StepRecord
from handgrad.writing.phrasebook import Spans

Row = tuple[Spans, ...]
CHECK_DIGITS = 8
"""Decimals where two routes to a gradient are compared, or more if the sheet has more."""


def changes(sheet: Sheet, step: StepRecord) -> Iterator[Block]:
    """A table of every parameter: before, gradient, change, after; then the loss before and after."""
    if step.changes:
        yield sheet.paragraph("changes_intro")
        header = tuple(sheet.say(key) for key in ("parameter", "before", "gradient", "change", "after"))
        rows = [row for change in step.changes for row in _change_rows(sheet, step, change)]
        yield Table(header, tuple(rows), "lrrrr")
    if step.loss_before is not None and step.loss_after is not None:
        yield sheet.paragraph("second_forward")
        before, after = sheet.apart((step.loss_before, step.loss_after), "loss")
        yield Formula(Symbol("loss"), (("=" if before.exact else "~", literal(before)),))
        yield Formula(Symbol("loss", mark="new"), (("=" if after.exact else "~", literal(after)),))


def _change_rows(sheet: Sheet, step: StepRecord, change: ParameterChange) -> Iterator[Row]:
    before, after, gradient = (_flat(values) for values in (change.before, change.after, change.gradient))
    shown = step.bindings.get(f"d{change.quantity}")
    if isinstance(shown, Matrix) and shown.dust is not None:
        gradient = np.where(shown.dust.reshape(-1), 0.0, gradient)
    elif isinstance(shown, Number) and shown.dust:
        gradient = np.zeros_like(gradient)
    columns = [before, gradient, after - before, after]
    name = change.quantity
    return _rows(sheet, change.symbol, change.before, columns, (name, f"d{name}", name, f"{name}_new"))


def _flat(values: Array) -> Array:
    return np.asarray(values, dtype=np.float64).reshape(-1)


def _rows(
    sheet: Sheet,
    symbol: Symbol,
    parameter: Array,
    columns: Sequence[Array],
    quantities: Sequence[str],
    *,
    least_digits: int = 0,
    among: Sequence[int] | None = None,
) -> Iterator[Row]:
    """A row for each entry (`among` these), or for the first and the last of them with dots between."""
    shape, count, most = np.shape(parameter), int(np.size(parameter)), _most_entries(sheet)
    places = list(range(count) if among is None else among)
    cut = most - 2 if len(places) > most else len(places)
    places = places if cut == len(places) else [*places[:cut], places[-1]]
    texts = [
        sheet.shown_column([float(column[i]) for i in places], quantity, least_digits)
        for column, quantity in zip(columns, quantities, strict=True)
    ]
    for row, place in enumerate(places):
        if row == cut:
            yield tuple((Ellipsis("vertical"),) for _ in range(len(columns) + 1))
        entry = tuple(int(i) for i in np.unravel_index(place, shape))
        name = symbol if count == 1 else replace(symbol, entry=entry)
        yield ((name,), *((column[row],) for column in texts))


def _most_entries(sheet: Sheet) -> int:
    """Rows for one parameter; fewer of a large network, whose matrices have been shown before and after."""
    most = sheet.settings.most_entries
    return max(SMALLEST_LIMIT, most // 2) if is_large(sheet) else most


def gradient_check(sheet: Sheet, step: StepRecord) -> Iterator[Block]:
    """The gradients of the backward pass beside central differences, and how far apart they are."""
    if not step.checks:
        return
    yield sheet.paragraph("gradient_check_intro")
    if any(np.isnan(check.numeric).any() for check in step.checks):
        yield sheet.paragraph("gradient_check_some", "note")
    header = tuple(sheet.say(key) for key in ("gradient", "analytic", "numeric", "relative_error"))
    rows = [row for check in step.checks for row in _check_rows(sheet, check)]
    yield Table(header, tuple(rows), "lrrr")


def _check_rows(sheet: Sheet, check: GradientCheck) -> Iterator[Row]:
    analytic, numeric = _flat(check.analytic), _flat(check.numeric)
    symbol = check.symbol.by if isinstance(check.symbol, Gradient) else check.symbol
    assert isinstance(symbol, Symbol)
    rows = list(
        _rows(
            sheet,
            symbol,
            check.analytic,
            [analytic, numeric],
            (check.quantity, check.quantity),
            least_digits=CHECK_DIGITS,
            among=np.flatnonzero(~np.isnan(numeric)).tolist(),  # of many entries some are probed
        )
    )
    error = sheet.roughly(check.largest_relative_error)
    for place, row in enumerate(rows):
        gradient = row[0] if isinstance(row[0][0], Ellipsis) else (_by(check.symbol, row[0][0]),)
        last: Spans = (error,) if place == len(rows) - 1 else ()
        yield (gradient, *row[1:], last)


def _by(gradient: Expression, symbol: object) -> Expression:
    assert isinstance(symbol, Expression)
    return replace(gradient, by=symbol) if isinstance(gradient, Gradient) else symbol
