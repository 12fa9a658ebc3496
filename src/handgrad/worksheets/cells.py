"""The preparation of a row: from its cells to x, and from yhat to what the reader asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from handgrad.data.cells import column_values
from handgrad.data.columns import Column
from handgrad.data.tables import Table
from handgrad.data.targets import Target
from handgrad.errors import VerificationError
from handgrad.models.training_data import one_row
from handgrad.models.why import cell_text
from handgrad.nn.arrays import Array
from handgrad.nn.in_play import InPlay, everything
from handgrad.rich_repr import printable
from handgrad.worked.bindings import Bindings
from handgrad.worked.expressions import Divide, Negative, Sum, Symbol, Times
from handgrad.worked.preparation import Cell, Input, Preparation
from handgrad.worked.record import Equation, Options, StepRecord, Words, WorkedStep, words
from handgrad.worked.substitute import node, same, substitute
from handgrad.worksheets.steps import ModelSource

MOST_COLUMNS = 30
"""Columns whose cells are shown; the others are said to follow in the same way."""


def preparation(source: ModelSource, step: StepRecord, options: Options) -> Preparation | None:
    """How the first row of the step became x, and its outputs an answer; None where no table says so."""
    model = source.model
    schema = model.schema
    if schema is None or not step.rows or "x" not in step.quantities:
        return None
    row = step.rows[0]
    table = one_row(model.asked, source.model.training_file() if source.data is None else source.data, row)
    x = np.asarray(step.quantities["x"][0], np.float64)
    part = everything(model.network) if source.part is None else source.part
    placed = _placed(schema.used, part)
    _check(x, part.inputs(schema.encode(table)[0])[0], placed, model.fit.plan.dtype)
    made = _Row(table, x, placed, schema.target, step, options.orientation == "column")
    cells = tuple(made.cells())
    answers = tuple(made.answers()) if "yhat" in step.quantities and schema.target.is_regression else ()
    said = tuple(made.said()) if "yhat" in step.quantities else ()
    equations = [part.equation for cell in cells for part in cell.inputs if part.equation is not None]
    proof = StepRecord(
        step.number,
        step.learning_rate,
        {"W1": step.quantities["W1"]},
        tuple(WorkedStep("x", "prepared", None, equation) for equation in equations)
        + tuple(WorkedStep("answer", "prepared", None, equation) for equation in answers),
        bindings=made.bindings,
    )
    kept = cells[:MOST_COLUMNS]
    return Preparation(row, kept, len(cells) - len(kept), answers, said, proof)


class _Placed(NamedTuple):
    """A column and its inputs: where they stand in x, and which of its features they are."""

    column: Column
    here: slice
    names: tuple[str, ...]


def _placed(used: tuple[Column, ...], part: InPlay) -> tuple[_Placed, ...]:
    found, place = [], 0
    for column in used:
        features = column.features
        here = part.among(place, place + len(features))
        found.append(_Placed(column, here, tuple(features[k - place] for k in part.columns[here])))
        place += len(features)
    return tuple(found)


def _check(x: Array, encoded: Array, placed: tuple[_Placed, ...], dtype: str) -> None:
    """Raises VerificationError where x is not what the schema makes of the row's cells.

    The effects of very many categories are cross-fitted for the rows of the training, and are not compared.
    """
    for column, here, _ in placed:
        if not column.effects and not np.array_equal(x[here], encoded[here].astype(dtype)):
            raise VerificationError(
                f"column {column.name!r}: its cell makes {encoded[here]}, the step saw {x[here]}"
            )


class _Row:
    """One row of a table on its way into a network and out of it."""

    def __init__(
        self,
        table: Table,
        x: Array,
        placed: tuple[_Placed, ...],
        target: Target,
        step: StepRecord,
        column: bool,
    ) -> None:
        self.table, self.x, self.placed, self.target, self.step = table, x, placed, target, step
        self.raw = np.full(len(x), np.nan)
        self.means, self.deviations = np.full(len(x), np.nan), np.full(len(x), np.nan)
        for held, here, _ in placed:
            if held.kind != "category" and not held.quantiles:
                self.raw[here.start] = column_values(table, held.name, held.kind, held.order)[0]
                self.means[here.start], self.deviations[here.start] = held.mean, held.deviation
        vectors = {"x": x, "cell": self.raw, "mean": self.means, "deviation": self.deviations}
        if "yhat" in step.quantities:
            vectors["yhat"] = np.asarray(step.quantities["yhat"][0], np.float64)
        if target.is_regression:
            vectors |= {"ymean": np.array(target.means), "ydeviation": np.array(target.deviations)}
            vectors["answer"] = np.array(target.deviations) * vectors.get("yhat", 0.0) + np.array(
                target.means
            )
        self.bindings = Bindings(
            {name: node(np.atleast_2d(values).T if column else values) for name, values in vectors.items()},
            column,
        )

    # -- in

    def cells(self) -> Iterator[Cell]:
        for placed in self.placed:
            value = cell_text(self.table, placed.column.name)
            parts = tuple(self._inputs(placed, value))
            name, width = printable(placed.column.name), len(placed.column.features)
            yield Cell(name, None if value is None else printable(value), parts, width - len(parts))

    def _inputs(self, placed: _Placed, value: str | None) -> Iterator[Input]:
        column, place = placed.column, placed.here.start
        flag = placed.here.stop - 1 if column.missing and not column.sparse else None
        for k, name in enumerate(placed.names, place):
            if k == flag:
                yield self._input(k, name, words("cell_missing" if value is None else "cell_there"))
            elif column.effects:
                yield self._input(k, name, words("cell_effect"))
            elif column.kind == "category":
                if self.x[k] != 0:
                    yield self._input(k, name, words("cell_row" if column.sparse else "cell_category"))
            elif k > place:
                yield self._input(k, name, words("cell_wave"))
            elif np.isnan(self.raw[k]):
                key = "cell_quantile" if column.quantiles and value is not None else "cell_filled"
                yield self._input(k, name, words(key))
            else:
                yield self._input(k, name, self._rule(column), self._scaled(k))

    def _input(self, k: int, name: str, rule: Words, equation: Equation | None = None) -> Input:
        return Input(k, printable(name), float(self.x[k]), rule, equation)

    @staticmethod
    def _rule(column: Column) -> Words:
        return words("cell_days" if column.kind == "date" else "cell_scaled")

    def _scaled(self, k: int) -> Equation:
        """x_k = (c_k - mean_k) / deviation_k."""
        cell, mean, deviation = (Symbol(name, entry=(k,)) for name in ("cell", "mean", "deviation"))
        return self._equation(Symbol("x", entry=(k,)), Divide(Sum((cell, Negative(mean))), deviation))

    def _equation(self, target: Symbol, letters: Divide | Sum) -> Equation:
        stated = substitute(target, self.bindings)
        return Equation(target, (letters,), (same(substitute(letters, self.bindings)),), stated)

    # -- out

    def answers(self) -> Iterator[Equation]:
        """answer_k = deviation_k yhat_k + mean_k."""
        for k in range(len(self.target.names)):
            entry = (k,) if len(self.target.names) > 1 else ()
            yhat, deviation, mean, answer = (
                Symbol(name, entry=entry) for name in ("yhat", "ydeviation", "ymean", "answer")
            )
            yield self._equation(answer, Sum((Times((deviation, yhat)), mean)))

    def said(self) -> Iterator[Words]:
        outputs = np.asarray(self.step.quantities["yhat"][:1], np.float64)
        if self.target.is_regression:
            values = self.target.values(outputs)[0]
            for name, value in zip(self.target.names, values, strict=True):
                yield words("answer_number", target=printable(name), value=float(value))
        else:
            yield from self._classes(outputs)
        truths = [cell_text(self.table, name) for name in self.target.names if name in self.table.columns]
        if truths and all(truth is not None for truth in truths):
            yield words("answer_truth", truth=printable(", ".join(map(str, truths))))

    def _classes(self, outputs: Array) -> Iterator[Words]:
        labels, probabilities = self.target.labels(outputs), self.target.probabilities(outputs)[0]
        for j, (name, label) in enumerate(zip(self.target.names, labels, strict=True)):
            chance = float(probabilities.max())
            if self.target.task == "multilabel":
                chance = float(max(probabilities[j], 1 - probabilities[j]))
            yield words(
                "answer_class", target=printable(name), name=printable(str(label[0])), probability=chance
            )
