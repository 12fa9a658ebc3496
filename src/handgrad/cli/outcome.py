"""What a training came to, as `train` tells it: the curve, the tables of metrics, or all of it as JSON."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any, NamedTuple

from handgrad.cli.consoles import output, print_json
from handgrad.cli.plots.loss_curve import in_terminal
from handgrad.data.rows import StoredRows
from handgrad.models.findings import findings
from handgrad.models.folds import spread
from handgrad.models.metrics import Evaluation
from handgrad.models.model import Model
from handgrad.models.prepared import Prepared
from handgrad.models.streaming import evaluated_rows
from handgrad.render.html import page as html
from handgrad.worksheets.report import About
from handgrad.worksheets.report import report as document_of
from handgrad.writing.phrasebook import chosen_language

_MEASURED = 1_000_000


class Outcome(NamedTuple):
    """What training came to."""

    trained: Model
    ready: Prepared
    path: Path
    seconds: float
    ended_by: int | None
    test: Evaluation | None
    folded: tuple[Evaluation, ...]

    @property
    def validated(self) -> bool:
        """True where rows were kept for validation."""
        return bool(self.ready.split.validation.size)

    @property
    def thinned(self) -> int:
        """Of rows on disk every so many-th is measured, so that no more than a million are."""
        rows = self.ready.split.validation if self.validated else self.ready.split.training
        return -(-len(rows) // _MEASURED) if isinstance(self.ready.X, StoredRows) else 1

    @property
    def measured_on(self) -> str:
        """Which rows the metrics are of."""
        which = "validation rows" if self.validated else "training rows (none were kept for validation)"
        return which if self.thinned == 1 else f"{which}, one in {self.thinned}"

    def measured(self) -> Evaluation:
        """The metrics on the validation rows, or where there are none on those of the training."""
        rows = self.ready.split.validation if self.validated else self.ready.split.training
        if isinstance(self.ready.X, StoredRows):
            return evaluated_rows(
                self.trained.asked, self.ready.X.of(rows if self.thinned == 1 else rows[:: self.thinned])
            )
        return self.trained.evaluate_encoded(self.ready.X[rows], self.ready.Y[rows])


def show(outcome: Outcome, *, plot: bool, as_json: bool, quiet: bool) -> None:
    """What training came to: the curve, the tables of metrics."""
    if as_json:
        print_json(_result(outcome))
        return
    if quiet:
        return
    fit, console = outcome.trained.fit, output()
    if plot:
        console.print(in_terminal(fit.history, min(console.width, 100)))
    console.print(
        f"{len(fit.history)} epochs, {fit.steps:,} steps in {outcome.seconds:.2f} s (engine {fit.engine}); "
        + _ending(outcome.trained, outcome.ended_by),
        soft_wrap=True,
    )
    if outcome.folded:
        console.print(spread(outcome.folded), soft_wrap=True)
    console.print(outcome.measured_on)
    console.print(outcome.measured())
    if outcome.test is not None:
        console.print("test rows")
        console.print(outcome.test)
    console.print(f"model written to {outcome.path}", soft_wrap=True)


def page_of(outcome: Outcome) -> bytes:
    """The report of a training as a page in the reader's language."""
    found = findings(outcome.trained, outcome.ready)
    about = About(
        outcome.trained,
        outcome.path,
        outcome.ready.table.source,
        outcome.validated,
        outcome.measured(),
        found,
    )
    return html.write(document_of(about, chosen_language()))


def _ending(trained: Model, ended_by: int | None) -> str:
    if trained.fit.ended == "interrupted":
        name = "Ctrl-C" if ended_by in (None, signal.SIGINT) else signal.Signals(ended_by).name
        return f"ended by {name}, what there is was saved"
    if trained.fit.best_epoch is not None:
        return f"the parameters are those of epoch {trained.fit.best_epoch}"
    return "all epochs done"


def _result(outcome: Outcome) -> dict[str, Any]:
    trained, fit = outcome.trained, outcome.trained.fit
    assert trained.schema is not None
    return {
        "model": str(outcome.path),
        "target": list(trained.schema.target.names),
        "task": trained.schema.target.task,
        "features": list(trained.schema.features),
        "not_used": {column.name: column.reason for column in trained.schema.ignored},
        "training_rows": len(fit.training_rows),
        "validation_rows": len(outcome.ready.split.validation),
        "parameters": fit.network.parameter_count,
        "steps": fit.steps,
        "ended": fit.ended,
        "best_epoch": fit.best_epoch,
        "engine": fit.engine,
        "seconds": outcome.seconds,
        "metric": fit.metric,
        "history": [line._asdict() for line in fit.history],
        "judged_on": "validation" if outcome.validated else "training",
        "metrics": outcome.measured().as_json(),
        "test": None if outcome.test is None else outcome.test.as_json(),
        "folds": [found.as_json() for found in outcome.folded],
    }
