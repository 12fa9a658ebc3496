"""The steps of a source as one record, every number of it verified."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, repeat

from handgrad.models.model import Model
from handgrad.rich_repr import printable
from handgrad.worked.bindings import array_of
from handgrad.worked.derive.formulas import formula_sheet
from handgrad.worked.derive.step import derive
from handgrad.worked.record import FormulaSheet, Options, Record, StepRecord
from handgrad.worked.verify import verify
from handgrad.worksheets.steps import CaseSource, ModelSource, Source


def recorded(source: Source, first: int, last: int, options: Options, with_formulas: bool) -> Record:
    """The record of the steps `first` to `last`. Raises VerificationError for a number that does not follow."""
    steps = _worked(source, first, last, options)
    model = source.model if isinstance(source, ModelSource) else None
    record = Record(
        title=source.title,
        source=source.source,
        network=source.network,
        recipe=source.recipe,
        steps=steps,
        digits=source.rounding.digits,
        carry=source.rounding.carry,
        options=options,
        losses=() if model is None else tuple(line.loss for line in model.fit.history),
        epoch=None if model is None else _epoch(model, first),
        names=() if model is None or model.schema is None else tuple(map(printable, model.schema.features)),
        classes=() if model is None else _classes(model),
        engine=_taken_by(source),
        total=source.total,
        rounding=source.rounding,
        regularization=source.regularization,
        formulas=_formulas(source, steps, options) if with_formulas else None,
    )
    verify(record)
    return record


def _worked(source: Source, first: int, last: int, options: Options) -> tuple[StepRecord, ...]:
    if isinstance(source, CaseSource) and source.case.symbolic:
        return ()
    return tuple(
        derive(trace, source.network, source.recipe, of_step, source.regularization)
        for trace, of_step in zip(source.traces(first, last), _options_by_step(options), strict=False)
    )


def _options_by_step(options: Options) -> Iterator[Options]:
    """What a sheet says once it says of its first step."""
    return chain((options,), repeat(replace(options, matrices=False)))


def _formulas(source: Source, steps: tuple[StepRecord, ...], options: Options) -> FormulaSheet:
    """The formulas for batches of the size of the first step; without any step, of m samples."""
    batch = [int(array_of(step.bindings["m"]).item()) for step in steps]
    return formula_sheet(
        source.network,
        source.recipe,
        source.regularization,
        batch[0] if batch else 2,
        options,
        weighted=any("omega" in step.quantities for step in steps),
    )


def _epoch(model: Model, step: int) -> int:
    return min(model.fit.at(step).epoch, max(1, len(model.fit.history)))


def _taken_by(source: Source) -> tuple[str, str] | None:
    """Engine and precision of a step that happened; none of one on rows that the reader chose."""
    if not isinstance(source, ModelSource) or source.chosen is not None:
        return None
    return source.model.fit.engine, source.model.fit.plan.dtype


def _classes(model: Model) -> tuple[str, ...]:
    schema = model.schema
    if schema is None or schema.target.is_regression or len(schema.target.classes) != 1:
        return ()
    return tuple(map(printable, schema.target.classes[0]))
