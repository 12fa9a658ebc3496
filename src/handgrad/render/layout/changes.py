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
        masked = any(name.startswith("mask") for name in step.quantities)
        yield sheet.paragraph("second_forward_masked" if masked else "second_forward")
        yield from loss_before_and_after(sheet, step)


def loss_before_and_after(sheet: Sheet, step: StepRecord) -> Iterator[Block]:
    """The loss of the batch by the old parameters and by the new ones; why the next step opens with another."""
    if step.loss_before is None or step.loss_after is None:
        return
    before, after = sheet.apart((step.loss_before, step.loss_after), "loss")
    yield Formula(Symbol("loss"), (("=" if before.exact else "~", literal(before)),))
    yield Formula(Symbol("loss", mark="new"), (("=" if after.exact else "~", literal(after)),))
    yield from _next_loss(sheet, step)


def _next_loss(sheet: Sheet, step: StepRecord) -> Iterator[Block]:
    """Why the next step opens with another loss than this one ended with, where it does."""
    following = next((other for other in sheet.record.steps if other.number == step.number + 1), None)
    if following is None or following.loss_before is None:
        return
    batch = following.rows != step.rows
    masked = any(
        not np.array_equal(mask, following.quantities[name])
        for name, mask in step.quantities.items()
        if name.startswith("mask") and name in following.quantities
    )
    if masked or batch:
        key = "both" if masked and batch else "masked" if masked else "batch"
        yield sheet.paragraph(f"next_loss_{key}", "note")


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
    shape, count = np.shape(parameter), int(np.size(parameter))
    everything = list(range(count) if among is None else among)
    places = _rows_shown(sheet, everything)
    cut = len(everything) if len(places) == len(everything) else len(places) - 1
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


def _rows_shown(sheet: Sheet, places: list[int]) -> list[int]:
    """All entries, or of many the first ones and the last."""
    most = _most_entries(sheet)
    return places if len(places) <= most else [*places[: most - 2], places[-1]]


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
    probed = np.flatnonzero(~np.isnan(numeric))
    errors = iter(_flat(check.relative_errors)[_rows_shown(sheet, probed.tolist())])
    for row in rows:
        if isinstance(row[0][0], Ellipsis):
            yield (*row, (Ellipsis("vertical"),))
        else:
            yield ((_by(check.symbol, row[0][0]),), *row[1:], (sheet.roughly(float(next(errors))),))


def _by(gradient: Expression, symbol: object) -> Expression:
    assert isinstance(symbol, Expression)
    return replace(gradient, by=symbol) if isinstance(gradient, Gradient) else symbol
