"""The steps of a source as one record, every number of it verified."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import chain, repeat

from handgrad.errors import SpecificationError
from handgrad.models.model import Model
from handgrad.nn.arrays import Array
from handgrad.rich_repr import printable
from handgrad.worked.bindings import array_of
from handgrad.worked.certify import Exactly, certified
from handgrad.worked.derive.formulas import formula_sheet
from handgrad.worked.derive.step import derive
from handgrad.worked.preparation import Preparation
from handgrad.worked.record import Certificate, FormulaSheet, Options, Record, StepRecord
from handgrad.worked.textbook.lessons import lessons, lessons_at_random
from handgrad.worked.verify import verify_proofs, verify_steps
from handgrad.worksheets.cells import preparation
from handgrad.worksheets.steps import CaseSource, ModelSource, Source
from handgrad.worksheets.timing import timings

MOST_CERTIFIED = 300
"""Steps that are computed in real numbers at once; each is slower than in float64 by some hundred times."""


def recorded(
    source: Source, first: int, last: int, options: Options, with_formulas: bool, certify: bool = False
) -> Record:
    """The record of the steps `first` to `last`; `certify`: in real numbers, so that every digit is right.

    Raises VerificationError for a number that does not follow, MissingExtraError to certify without python-flint.
    """
    certificate = None
    if isinstance(source, ModelSource):
        source = source.spanning(first, last)
    if certify:
        steps, certificate = _certified(source, first, last, options)
    else:
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
        epoch=_epoch(source, first) if isinstance(source, ModelSource) else None,
        names=tuple(map(printable, source.names)) if isinstance(source, ModelSource) else (),
        not_shown=source.not_shown if isinstance(source, ModelSource) else 0,
        classes=() if model is None else _classes(model),
        outputs=() if model is None else _outputs(model),
        preparation=_preparation(source, steps, options),
        standing=source.standing if isinstance(source, ModelSource) else None,
        engine=_taken_by(source),
        total=source.total,
        rounding=source.rounding,
        regularization=source.regularization,
        formulas=_formulas(source, steps, options) if with_formulas else None,
        certificate=certificate,
        lessons={} if steps else lessons_at_random(source.network, source.recipe, options),
        timings=timings(source.network) if "scalar_or_matrix" in options.textbook else (),
    )
    if certificate is None:
        verify_steps(record)
    verify_proofs(record)
    return record


def exact_quantities(source: CaseSource, last: int) -> tuple[dict[int, dict[str, Array]], Certificate]:
    """The quantities of the steps 1 to `last` by step, each the nearest float64 of its exact value.

    Raises as `recorded` does.
    """
    options = Options(detail="brief")
    steps, certificate = _certified(source, 1, last, options)
    return {step.number: step.quantities for step in steps}, certificate


def _worked(
    source: Source, first: int, last: int, options: Options, exactly: Exactly | None = None
) -> tuple[StepRecord, ...]:
    if isinstance(source, CaseSource) and source.case.symbolic:
        return ()
    return tuple(
        derive(
            trace,
            source.network,
            source.recipe,
            of_step,
            source.regularization,
            exactly,
            partial(lessons, wanted=of_step.textbook),
        )
        for trace, of_step in zip(source.traces(first, last), _options_by_step(options), strict=False)
    )


def _certified(
    source: Source, first: int, last: int, options: Options
) -> tuple[tuple[StepRecord, ...], Certificate]:
    """The steps in real numbers; those of a case from its first on, which the later ones begin with."""
    of_case = isinstance(source, CaseSource)
    start = 1 if of_case else first
    if last - start >= MOST_CERTIFIED:
        raise SpecificationError(
            f"steps {start} to {last}: at most {MOST_CERTIFIED} steps are certified, all from the first on"
        )
    plain = replace(
        options, detail="brief", focus=None, gradient_check=False, matrices=False, textbook=frozenset()
    )

    def made(exactly: Exactly) -> tuple[StepRecord, ...]:
        before = _worked(source, start, first - 1, plain, exactly) if start < first else ()
        exactly.computed.clear()
        steps = _worked(source, first, last, options, exactly)
        of_steps = Record("", "", source.network, source.recipe, (*before, *steps))
        verify_steps(replace(of_steps, carry=source.rounding.carry, rounding=source.rounding))
        return steps

    return certified(made, not of_case, source.rounding if source.rounding.carry else None)


def _options_by_step(options: Options) -> Iterator[Options]:
    """What a sheet says once it says of its first step."""
    return chain((options,), repeat(replace(options, matrices=False, textbook=frozenset())))


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


def _preparation(source: Source, steps: tuple[StepRecord, ...], options: Options) -> Preparation | None:
    return preparation(source, steps[0], options) if isinstance(source, ModelSource) and steps else None


def _epoch(source: ModelSource, step: int) -> int:
    """The epoch that a step belongs to; of the trained parameters the one that they were found in."""
    fit = source.model.fit
    if source.chosen is not None and step == source.trained_step:
        return fit.best_epoch or max(1, len(fit.history))
    return min(fit.at(step).epoch, max(1, len(fit.history)))


def _taken_by(source: Source) -> tuple[str, str] | None:
    """Engine and precision of a step that happened; none of one on rows that the reader chose."""
    if not isinstance(source, ModelSource) or source.chosen is not None:
        return None
    return source.model.fit.engine, source.model.fit.plan.dtype


def _outputs(model: Model) -> tuple[str, ...]:
    """What the outputs stand for, where there are several."""
    if model.schema is None or model.schema.target.outputs == 1:
        return ()
    target = model.schema.target
    return tuple(map(printable, target.classes[0] if target.task == "multiclass" else target.names))


def _classes(model: Model) -> tuple[str, ...]:
    schema = model.schema
    if schema is None or schema.target.is_regression or len(schema.target.classes) != 1:
        return ()
    return tuple(map(printable, schema.target.classes[0]))
