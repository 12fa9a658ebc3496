"""Which columns matter to a model: how much worse it gets when a column is shuffled, and how it answers to one alone.

Source of permutation importance: L. Breiman, Random Forests (2001), section 10; A. Fisher, C. Rudin, F. Dominici,
All Models are Wrong, but Many are Useful (2019). Of partial dependence: J. Friedman, Greedy Function Approximation: a
Gradient Boosting Machine (2001), section 8.2.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from handgrad.data.columns import Column, values_of
from handgrad.data.tables import Table, read_table
from handgrad.errors import ModelError, SpecificationError
from handgrad.models.model import Model
from handgrad.training.score import metric_of, score

MOST_GRID = 12


@dataclass(frozen=True)
class ColumnImportance:
    """By how much the metric falls when the column is shuffled: mean and deviation over the repeats."""

    column: str
    fall: float
    deviation: float


@dataclass(frozen=True)
class Importance:
    """The columns of a model, the most important first, beside the metric on the rows as they are."""

    metric: str
    value: float
    rows: int
    columns: tuple[ColumnImportance, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain numbers and text, as `importance --json` prints them."""
        return {
            "metric": self.metric,
            "value": self.value,
            "rows": self.rows,
            "columns": [
                {"column": part.column, "fall": part.fall, "deviation": part.deviation}
                for part in self.columns
            ],
        }


def importance(model: Model, data: Any, *, repeats: int = 5, seed: int = 0) -> Importance:
    """Permutation importance: the fall of accuracy or R2 when one column's cells change places among the rows.

    All inputs that were made of a column are moved together. A column whose content stands in another one as well
    can look unimportant: the model may take it from there.

    >>> from handgrad.models.fit_table import fit_table
    >>> from handgrad.nn.optimizers import Adam
    >>> table = {"x": [0.0, 1.0, 2.0, 3.0] * 5, "c": [0.0, 1.0] * 10, "y": [1.0, 3.0, 5.0, 7.0] * 5}
    >>> model = fit_table(table, "y", hidden=(), validation=0, optimizer=Adam(0.1), epochs=200)
    >>> importance(model, table).columns[0].column
    'x'

    Raises ModelError for a model without a schema or rows without a target, SpecificationError for repeats below 1.
    """
    schema = model.schema
    if schema is None:
        raise ModelError("the model was trained on arrays and knows no columns; train it on a table")
    if repeats < 1:
        raise SpecificationError(f"repeats must be at least 1, got {repeats}")
    table = read_table(data, schema.reading)
    table = table.take(np.flatnonzero(schema.target.present(table) & schema.target.known(table)))
    if table.rows < 2:
        raise ModelError(f"{table.source}: importance needs at least two rows with a target")
    X, _ = schema.encode(table)
    Y = schema.target.encode(table)
    base = _metric(model, X, Y)
    generator = np.random.default_rng(seed)
    found, place = [], 0
    for column in schema.used:
        width = column.width
        falls = []
        for _ in range(repeats):
            shuffled = X.copy()
            shuffled[:, place : place + width] = X[generator.permutation(len(X)), place : place + width]
            falls.append(base - _metric(model, shuffled, Y))
        found.append(ColumnImportance(column.name, float(np.mean(falls)), float(np.std(falls))))
        place += width
    columns = tuple(sorted(found, key=lambda part: -part.fall))
    return Importance(metric_of(model.network), base, table.rows, columns)


def _metric(model: Model, X: Any, Y: Any) -> float:
    value = score(model.network, model.parameters, X, Y).value
    return 0.0 if value is None else float(value)


@dataclass(frozen=True)
class Dependence:
    """The mean output when every row has the same value in one column: in the target's unit, or a probability."""

    column: str
    of: str
    values: tuple[str, ...]
    means: tuple[float, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain numbers and text."""
        return {"column": self.column, "of": self.of, "values": list(self.values), "means": list(self.means)}


def partial_dependence(model: Model, data: Any, column: str) -> Dependence:
    """The mean prediction over all rows with one column set to each of some values of its own.

    Of a classification it is the probability of the last class, of several targets the first.

    Raises ModelError for a model without a schema, SpecificationError for a column that it does not use.
    """
    schema = model.schema
    if schema is None:
        raise ModelError("the model was trained on arrays and knows no columns; train it on a table")
    if column not in {used.name for used in schema.used}:
        names = ", ".join(used.name for used in schema.used)
        raise SpecificationError(f"the model does not use a column {column!r}; it uses {names}")
    table = read_table(data, schema.reading)
    target, means = schema.target, []
    used = next(described for described in schema.used if described.name == column)
    values = _values(table, used)
    for value in values:
        held = pa.chunked_array([pa.array([value] * table.rows, table.column(column).type)])
        columns = {**table.columns, column: held}
        X, _ = schema.encode(Table(table.source, columns, reading=table.reading, decimal=table.decimal))
        outputs = model.fit.forecaster.forecast(X).outputs
        answers = (
            target.values(outputs)[:, 0] if target.is_regression else target.probabilities(outputs)[:, -1]
        )
        means.append(float(np.mean(answers)))
    of = target.names[0] if target.is_regression else target.classes[-1][-1]
    return Dependence(column, of, tuple(map(str, values)), tuple(means))


def _values(table: Table, column: Column) -> list[Any]:
    """Some cells of a column, in order: those at the quantiles of its numbers, else the commonest words."""
    cells = table.column(column.name)
    if column.kind == "category":
        counts = Counter(cell for cell in cells.to_pylist() if cell is not None)
        return sorted(cell for cell, _ in counts.most_common(MOST_GRID))
    numbers = np.asarray(values_of(table, column.name, column.kind, column.order)[0 : table.rows], np.float64)
    ordered = [int(row) for row in np.argsort(numbers, kind="stable") if not np.isnan(numbers[row])]
    places = np.unique(np.linspace(0, len(ordered) - 1, MOST_GRID).round().astype(int))
    return list(dict.fromkeys(cells[ordered[place]].as_py() for place in places))
