"""The report of a training as a document: what was read, how it learned, how good it is, what matters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from handgrad.diagram.curve import Curve, Words, draw_curves
from handgrad.models.findings import Findings
from handgrad.models.metrics import Evaluation
from handgrad.models.model import Model
from handgrad.render.document import Block, Document, Figure, Heading, Paragraph, Table
from handgrad.rich_repr import number, printable
from handgrad.writing.letter_parts import Notation
from handgrad.writing.phrasebook import Phrasebook, Spans

_POINTS, _MOST_COLUMNS, _MOST_CLASSES, _STATES = 20, 200, 20, 6


class About(NamedTuple):
    """What a report is about."""

    model: Model
    path: Path
    source: str
    validated: bool
    metrics: Evaluation
    found: Findings


def report(about: About, language: str) -> Document:
    """The document of a training, in a language that there is a catalogue for."""
    book = Phrasebook(language, number)
    assert about.model.schema is not None
    target = printable(", ".join(about.model.schema.target.names))
    title = book.text("report_title", target=target)
    parts = (_read, _curves, _metrics, _classes, _calibration, _residuals, _importance, _layers, _units)
    blocks = [Heading(1, (title,), "report"), *(block for part in parts for block in part(book, about))]
    return Document(title, language, tuple(blocks), Notation(), contents=True)


def _heading(book: Phrasebook, key: str) -> Heading:
    return Heading(2, book.say(key), key.replace("_", "-"))


def _table(book: Phrasebook, keys: Sequence[str], rows: Sequence[Sequence[str]], align: str) -> Table:
    cells: tuple[tuple[Spans, ...], ...] = tuple(tuple((cell,) for cell in row) for row in rows)
    return Table(tuple(book.say(key) for key in keys), cells, align)


def _read(book: Phrasebook, about: About) -> Iterator[Block]:
    fit, schema = about.model.fit, about.model.schema
    assert schema is not None
    yield _heading(book, "report_read")
    yield Paragraph(
        book.say(
            "report_read_is",
            source=printable(about.source),
            training=f"{len(fit.training_rows):,}",
            validation=f"{len(fit.validation_rows):,}",
            features=str(len(schema.features)),
            parameters=f"{fit.network.parameter_count:,}",
        )
    )
    rows = [
        (printable(column.name), column.kind, str(len(column.features)), printable(column.reason))
        for column in schema.columns[:_MOST_COLUMNS]
    ]
    yield _table(book, ("report_column", "report_kind", "report_features", "report_note"), rows, "llrl")


def _curves(book: Phrasebook, about: About) -> Iterator[Block]:
    history = about.model.fit.history
    yield _heading(book, "report_curves")
    drawn = [Curve(book.text("loss_label"), tuple(line.loss for line in history))]
    held = [line.validation_loss for line in history]
    if all(value is not None for value in held):
        drawn.append(Curve(book.text("report_validation_loss"), tuple(float(value or 0) for value in held)))
    words = Words(
        book.text("report_curves"),
        book.text("training_description", first=history[0].loss, last=history[-1].loss),
        book.text("epoch"),
        book.text("logarithmic"),
    )
    yield Figure(draw_curves(drawn, words, lambda value: number(value, 3), about.model.fit.best_epoch))
    yield Paragraph(book.say("report_steps"))
    shown = history[:: max(1, -(-len(history) // _POINTS))]
    shown = shown if shown[-1] is history[-1] else (*shown, history[-1])
    rows = [
        (
            str(line.epoch),
            number(line.loss),
            number(line.validation_loss),
            number(line.metric),
            f"handgrad explain {about.path} --step {line.steps}",
        )
        for line in shown
    ]
    keys = ("epoch", "loss_label", "report_validation_loss", "report_measure", "report_command")
    yield _table(book, keys, rows, "rrrrl")


def _metrics(book: Phrasebook, about: About) -> Iterator[Block]:
    found = about.metrics
    yield _heading(book, "report_metrics")
    yield Paragraph(
        book.say("report_on_validation" if about.validated else "report_on_training", rows=f"{found.rows:,}")
    )
    measures = found.as_json()
    names = ("accuracy", "balanced_accuracy", "roc_auc", "pr_auc", "log_loss", "brier", "calibration_error")
    if found.task == "regression":
        rows = [
            (
                f"{name} {printable(output.name)}",
                number(getattr(output, name)),
                number(found.trivial.get(name)),
            )
            for output in found.outputs
            for name in ("R2", "MAE", "RMSE", "MAPE")
        ]
    else:
        rows = [
            (name.replace("_", " "), number(measures[name]), number(found.trivial.get(name)))
            for name in names
            if measures.get(name) is not None
        ]
    yield _table(book, ("report_measure", "report_model", "report_trivial"), rows, "lrr")
    yield from (Paragraph((printable(remark),), "note") for remark in found.remarks)


def _classes(book: Phrasebook, about: About) -> Iterator[Block]:
    found = about.metrics
    if not found.classes:
        return
    rows = [
        (printable(one.name), f"{one.rows:,}", number(one.precision), number(one.recall), number(one.f1))
        for one in found.classes[:_MOST_CLASSES]
    ]
    yield _heading(book, "report_classes")
    keys = ("report_class", "report_rows", "report_precision", "report_recall", "report_f1")
    yield _table(book, keys, rows, "lrrrr")
    if 2 <= len(found.confusion) <= _MOST_CLASSES:
        names = [printable(one.name) for one in found.classes]
        yield Paragraph(book.say("report_confusion"))
        lines = tuple(
            ((name,), *((f"{count:,}",) for count in line))
            for name, line in zip(names, found.confusion, strict=True)
        )
        head: tuple[Spans, ...] = (book.say("report_class"), *((name,) for name in names))
        yield Table(head, lines, "l" + "r" * len(names))


def _calibration(book: Phrasebook, about: About) -> Iterator[Block]:
    bins = about.metrics.calibration
    if not bins:
        return
    yield _heading(book, "report_calibration")
    yield Paragraph(book.say("report_calibration_is"))
    rows = [(number(one.predicted), number(one.observed), f"{one.rows:,}") for one in bins]
    yield _table(book, ("report_predicted", "report_observed", "report_rows"), rows, "rrr")


def _residuals(book: Phrasebook, about: About) -> Iterator[Block]:
    outputs = [output for output in about.metrics.outputs if output.residuals]
    if not outputs:
        return
    yield _heading(book, "report_residuals")
    yield Paragraph(book.say("report_residuals_are"))
    head: tuple[Spans, ...] = (book.say("report_column"), *((f"{q} %",) for q in (5, 25, 50, 75, 95)))
    rows = tuple(
        ((printable(output.name),), *((number(value),) for value in output.residuals)) for output in outputs
    )
    yield Table(head, rows, "lrrrrr")


def _importance(book: Phrasebook, about: About) -> Iterator[Block]:
    yield _heading(book, "report_importance")
    yield Paragraph(book.say("report_importance_is", rows=f"{about.found.rows:,}"))
    rows = [(printable(one.column), number(one.rise)) for one in about.found.importance[:_MOST_COLUMNS]]
    yield _table(book, ("report_column", "report_rise"), rows, "lr")


def _layers(book: Phrasebook, about: About) -> Iterator[Block]:
    yield _heading(book, "report_layers")
    yield Paragraph(book.say("report_layers_are", rows=f"{about.found.batch:,}"))
    steps = sorted({one.step for one in about.found.layers})
    kept = {*steps[:: max(1, -(-len(steps) // _STATES))], steps[-1]}
    rows = [
        (str(one.step), str(one.layer), number(one.gradient), number(one.change))
        for one in about.found.layers
        if one.step in kept
    ]
    yield _table(book, ("report_step", "layer_label", "report_gradient", "report_change"), rows, "rrrr")


def _units(book: Phrasebook, about: About) -> Iterator[Block]:
    if not about.found.units:
        return
    yield _heading(book, "report_units")
    yield Paragraph(book.say("report_units_are", rows=f"{about.found.batch:,}"))
    rows = [
        (str(one.layer), str(one.units), str(one.dead), f"{one.saturated:.1%}") for one in about.found.units
    ]
    yield _table(book, ("layer_label", "units", "report_dead", "report_saturated"), rows, "rrrr")
