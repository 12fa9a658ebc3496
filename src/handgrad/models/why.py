"""Why a model predicts what it predicts for a row: from the raw cells to the contribution of each column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from handgrad.data.tables import Table, read_table
from handgrad.engines.reference import forecast
from handgrad.errors import ModelError, SpecificationError
from handgrad.models.model import Model
from handgrad.nn.attribution import Attribution, integrated_gradients
from handgrad.nn.in_play import InPlay, in_play


@dataclass(frozen=True)
class Contribution:
    """What a column had to do with a prediction, in the target's unit or as a part of the probability."""

    column: str
    value: str | None
    """The cell as it stands in the file; None where it is empty."""
    contribution: float
    features: tuple[tuple[str, float], ...]
    """The inputs that were made of the cell, scaled, by their names."""
    slope: float
    """Gradient times input: what the contribution would be if the output went on as it does at this row."""


@dataclass(frozen=True)
class Why:
    """A prediction and the contributions of the columns, the largest first.

    `output - baseline` is their sum. The baseline is the output for the row whose numbers are those of the training's
    middle and whose categories are unknown.
    """

    row: int
    target: str
    predicted: str | float
    """The class, or the number in the target's unit."""
    probability: float | None
    baseline: float
    output: float
    contributions: tuple[Contribution, ...]
    left_over: float

    def as_json(self) -> dict[str, Any]:
        """Plain numbers and text, as `why --json` prints them."""
        named = (
            {"target": self.target, "value": self.predicted}
            if self.probability is None
            else {"target": self.target, "class": self.predicted, "probability": self.probability}
        )
        return {
            "row": self.row,
            "prediction": named,
            "baseline": self.baseline,
            "output": self.output,
            "contributions": [
                {
                    "column": part.column,
                    "value": part.value,
                    "contribution": part.contribution,
                    "gradient_times_input": part.slope,
                    "inputs": dict(part.features),
                }
                for part in self.contributions
            ],
            "left_over": self.left_over,
        }


def why(model: Model, data: Any, row: int, *, target: str | None = None, of: str | None = None) -> Why:
    """Why `model` predicts what it does for row `row` (from 0) of a table.

    `target` names one of several targets, `of` a class: without it, the one that is predicted.

    >>> from handgrad.models.fit_table import fit_table
    >>> from handgrad.nn.optimizers import Adam
    >>> table = {"x": [0.0, 1.0, 2.0, 3.0], "y": [1.0, 3.0, 5.0, 7.0]}
    >>> model = fit_table(table, "y", hidden=(), validation=0, optimizer=Adam(0.1), epochs=400)
    >>> found = why(model, {"x": [5.0]}, 0)
    >>> found.contributions[0].column, round(found.output - found.baseline, 1)
    ('x', 7.0)

    Raises ModelError for a model without a schema, SpecificationError for a row, a target or a class that is not there.
    """
    schema = model.schema
    if schema is None:
        raise ModelError(
            "the model was trained on arrays and knows no columns; `why` explains models that `handgrad train` or "
            "fit_table made"
        )
    table = read_table(data, schema.reading)
    if not 0 <= row < table.rows:
        raise SpecificationError(f"row {row}: {table.source} has the rows 0 to {table.rows - 1}")
    one = table.take(np.array([row]))
    X, _ = schema.encode(one)
    outputs = forecast(model.network, model.parameters, X).outputs
    unit, predicted, sign, scale, shift = _chosen(model, outputs, target, of)
    played = in_play(model.network, X)  # of the categories that are gathered only those of the row are inputs
    x = played.inputs(X)[0]
    found = integrated_gradients(
        played.network, played.parameters(model.parameters), x, np.zeros(len(x)), unit
    )
    return Why(
        row=row,
        target=_target(model, target),
        predicted=predicted,
        probability=None if schema.target.is_regression else shift + sign * scale * found.output,
        baseline=shift + sign * scale * found.baseline,
        output=shift + sign * scale * found.output,
        contributions=_by_column(model, one, x, played, found, sign * scale),
        left_over=sign * scale * found.left_over,
    )


def _target(model: Model, name: str | None) -> str:
    assert model.schema is not None
    names = model.schema.target.names
    if name is not None and name not in names:
        raise SpecificationError(f"there is no target {name!r}; the model predicts {', '.join(names)}")
    return names[0] if name is None else name


def _chosen(
    model: Model, outputs: Any, target: str | None, of: str | None
) -> tuple[int, str | float, float, float, float]:
    """The output unit that is explained, what is predicted, and the unit's value a as that: shift + sign scale a."""
    assert model.schema is not None
    described = model.schema.target
    place = described.names.index(_target(model, target))
    if described.is_regression:
        scale, shift = described.deviations[place], described.means[place]
        return place, float(outputs[0, place] * scale + shift), 1.0, scale, shift
    classes = described.classes[0 if described.task == "multiclass" else place]
    label = str(described.labels(outputs)[place if described.task == "multilabel" else 0][0])
    named = label if of is None else of
    if named not in classes:
        raise SpecificationError(f"there is no class {named!r}; the model knows {', '.join(classes[:12])}")
    if described.task == "multiclass":
        return classes.index(named), named, 1.0, 1.0, 0.0
    # one output says the probability of the second class
    return (place, named, 1.0, 1.0, 0.0) if named == classes[1] else (place, named, -1.0, 1.0, 1.0)


def _by_column(
    model: Model, table: Table, x: Any, played: InPlay, found: Attribution, factor: float
) -> tuple[Contribution, ...]:
    assert model.schema is not None
    parts, place = [], 0
    for column in model.schema.used:
        features = column.features
        here = played.among(place, place + len(features))
        names = tuple(features[k - place] for k in played.columns[here])
        parts.append(
            Contribution(
                column.name,
                cell_text(table, column.name),
                float(factor * found.contributions[here].sum()),
                tuple(zip(names, map(float, x[here]), strict=True)),
                float(factor * (found.gradient[here] * x[here]).sum()),
            )
        )
        place += len(features)
    return tuple(sorted(parts, key=lambda part: -abs(part.contribution)))


def cell_text(table: Table, name: str) -> str | None:
    """The cell of the first row as the file has it; None where it is empty."""
    value = table.column(name)[0].as_py()
    return None if value is None or value == "" else str(value)
