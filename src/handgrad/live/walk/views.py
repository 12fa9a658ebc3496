"""What the browser of a training shows, as plain data: the training, a step of it, the batch, why, the sheet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from handgrad.errors import SpecificationError
from handgrad.live.walk.heat import Region, heat, root_mean_square, rounded
from handgrad.live.walk.units import idle_units
from handgrad.live.walk.walked import Opened, Walked
from handgrad.models.why import why
from handgrad.nn.arrays import Array
from handgrad.nn.network import Network
from handgrad.rich_repr import printable
from handgrad.training.history import Epoch, Fit
from handgrad.worksheets.worksheet import Worksheet

MOST_EPOCHS = 1_000
"""A longer history is thinned for the curve, and the page says so."""
MOST_STEPS = 2_000
"""More steps of one epoch are thinned likewise."""
ROWS_AT_ONCE = 25
KINDS = ("weights", "gradients", "updates", "activations")


def training(walked: Walked) -> dict[str, Any]:
    """The whole training in a few numbers, with its history.

    >>> import handgrad as hg
    >>> table = {"x": [0.0, 1.0, 2.0, 3.0], "y": [1.0, 3.0, 5.0, 7.0]}
    >>> model = hg.fit_table(table, "y", hidden=(2,), validation=0, epochs=3, batch_size=2)
    >>> found = training(Walked(model, "line", table))
    >>> found["sizes"], found["steps"], [line["epoch"] for line in found["history"]]
    ([1, 2, 1], 6, [1, 2, 3])
    """
    model, fit = walked.model, walked.fit
    network, schema = fit.network, model.schema
    history, every = _thinned(fit.history)
    return {
        "name": printable(walked.name),
        "target": "" if schema is None else printable(", ".join(schema.target.names)),
        "sizes": list(network.sizes),
        "activations": [layer.function.name for layer in network.layers],
        "loss": None if network.loss is None else network.loss.name,
        "optimizer": fit.recipe.optimizer.name,
        "parameters": network.parameter_count,
        "engine": fit.engine,
        "dtype": fit.plan.dtype,
        "batch_size": fit.batch_size,
        "steps": fit.steps,
        "steps_per_epoch": fit.steps_per_epoch,
        "epochs": len(fit.history),
        "ended": fit.ended,
        "best_epoch": fit.best_epoch,
        "metric": fit.metric,
        "inputs": [] if schema is None else [printable(name) for name in schema.features],
        "rows": schema is not None and walked.table is not None,
        "history": history,
        "every": every,
    }


def _thinned(lines: tuple[Epoch, ...]) -> tuple[list[dict[str, Any]], int]:
    every = -(-len(lines) // MOST_EPOCHS) or 1
    kept = [line for place, line in enumerate(lines) if place % every == 0 or place == len(lines) - 1]
    return [
        {
            "epoch": line.epoch,
            "loss": _number(line.loss),
            "validation": _number(line.validation_loss),
            "steps": line.steps,
        }
        for line in kept
    ], every


def epoch(walked: Walked, number: int) -> dict[str, Any]:
    """The loss of each step of the epoch that step `number` belongs to."""
    _check_step(walked.fit, number)
    first, losses = walked.losses(number)
    every = -(-len(losses) // MOST_STEPS) or 1
    return {"first": first, "every": every, "losses": [_number(float(loss)) for loss in losses[::every]]}


def step(walked: Walked, number: int, minus: tuple[Walked, int] | None = None) -> dict[str, Any]:
    """A step: where it stands, what it lost, its layers as heat maps; `minus` another one: the difference.

    Raises SpecificationError for a step that was not taken, or for a difference of networks of other sizes.
    """
    opened = walked.open(number)
    other = None if minus is None else minus[0].open(minus[1])
    if minus is not None and minus[0].fit.network.sizes != walked.fit.network.sizes:
        raise SpecificationError("networks of other sizes have no difference; compare them side by side")
    network, quantities = walked.fit.network, opened.trace.quantities
    return {
        "step": number,
        "epoch": opened.replayed.epoch,
        "batch": opened.replayed.batch,
        "samples": opened.trace.samples,
        "engine": opened.replayed.engine,
        "numbers": _numbers(opened, network),
        "layers": [
            {
                "layer": l,
                "activation": layer.function.name,
                "units": layer.units,
                "maps": {
                    kind: [
                        {"name": name, **heat(_lessened(array, of_kind(other, network, l, kind), name))}
                        for name, array in of_kind(opened, network, l, kind).items()
                    ]
                    for kind in KINDS
                },
                "ratio": _ratio(opened, l),
                "idle": idle_units(network, quantities, l),
            }
            for l, layer in network.numbered()
        ],
    }


def part(
    walked: Walked, number: int, name: str, region: Region, minus: tuple[Walked, int] | None = None
) -> dict[str, Any]:
    """A region of one heat map, by the name that `step` gave it.

    Raises SpecificationError for a name or a region that is not there.
    """
    network, other = walked.fit.network, None if minus is None else minus[0].open(minus[1])
    opened = walked.open(number)
    for l, _ in network.numbered():
        for kind in KINDS:
            found = of_kind(opened, network, l, kind)
            if name in found:
                return {
                    "name": name,
                    **heat(_lessened(found[name], of_kind(other, network, l, kind), name), region),
                }
    raise SpecificationError(f"there is no heat map {name!r}; such as W1, dW1, b2, a1")


def of_kind(opened: Opened | None, network: Network, l: int, kind: str) -> dict[str, Array]:
    """The matrices of a layer that one kind of heat map shows, units down, by name; biases are columns."""
    if opened is None:
        return {}
    quantities = opened.trace.quantities
    if kind == "activations":
        a = quantities[f"a{l}"] if f"a{l}" in quantities else quantities["yhat"]
        return {f"a{l}": a.T}
    found = {}
    for letter in ("W", "b"):
        name = f"{letter}{l}"
        if kind == "weights" and name in quantities:
            found[name] = quantities[name]
        elif kind == "gradients" and f"d{name}" in quantities:
            found[f"d{name}"] = quantities[f"d{name}"]
        elif kind == "updates" and f"{name}_new" in quantities:
            found[f"{name}_change"] = np.subtract(quantities[f"{name}_new"], quantities[name])
    return {name: array if array.ndim == 2 else array.reshape(-1, 1) for name, array in found.items()}


def _lessened(array: Array, others: dict[str, Array], name: str) -> Array:
    """The array, less the one of this name; batches of other sizes keep the samples that both have."""
    if name not in others:
        return array
    other = others[name]
    columns = min(array.shape[1], other.shape[1])
    difference: Array = array[:, :columns] - other[:, :columns]
    return difference


def _numbers(opened: Opened, network: Network) -> dict[str, float | None]:
    quantities = opened.trace.quantities
    found: dict[str, Any] = {
        "loss": quantities.get("loss"),
        "penalty": quantities.get("penalty"),
        "rate": opened.trace.learning_rate,
        "gradient_norm": _norm(opened, network, "gradients"),
        "update_norm": _norm(opened, network, "updates"),
        "weight_norm": _norm(opened, network, "weights"),
    }
    return {name: _number(value) for name, value in found.items()}


def _norm(opened: Opened, network: Network, kind: str) -> float:
    """The length of all arrays of a kind together, in float64."""
    squares = 0.0
    for l, _ in network.numbered():
        for array in of_kind(opened, network, l, kind).values():
            squares += root_mean_square(array) ** 2 * array.size
    return float(np.sqrt(squares))


def _ratio(opened: Opened, l: int) -> float | None:
    """How large the update of W is beside W: the quotient of their root mean squares."""
    quantities = opened.trace.quantities
    if f"W{l}_new" not in quantities:
        return None
    weights = root_mean_square(quantities[f"W{l}"])
    change = root_mean_square(np.subtract(quantities[f"W{l}_new"], quantities[f"W{l}"]))
    return rounded(change / weights) if weights else None


def batch(walked: Walked, number: int, first: int = 0) -> dict[str, Any]:
    """Rows of the batch of a step, from place `first` on: cells, target, prediction, loss of each.

    Raises SpecificationError for a place that is not in the batch.
    """
    opened = walked.open(number)
    count = opened.trace.samples
    if not 0 <= first < count:
        raise SpecificationError(f"the batch of step {number} has the places 0 to {count - 1}, got {first}")
    places = np.arange(first, min(first + ROWS_AT_ONCE, count))
    rows = np.array(opened.trace.rows)[places]
    quantities, loss = opened.trace.quantities, walked.fit.network.loss
    losses = None if loss is None else loss.per_sample(np.asarray(quantities["loss_terms"], np.float64))
    found: dict[str, Any] = {
        "step": number,
        "first": first,
        "samples": count,
        "rows": rows.tolist(),
        "losses": None if losses is None else [_number(value) for value in losses[places].tolist()],
        "predicted": _predicted(walked, quantities["yhat"][places]),
        "columns": [],
        "cells": [],
        "target": [],
        "targets": [],
    }
    schema, table = walked.model.schema, walked.table
    if schema is None or table is None:
        shown = range(min(walked.fit.network.inputs, 8))
        found["columns"] = [f"x{j + 1}" for j in shown]
        found["cells"] = [[f"{quantities['x'][place, j]:.6g}" for j in shown] for place in places]
        found["targets"] = [[f"{y:.6g}" for y in quantities["y"][place]] for place in places]
        return found
    some = table.take(rows)
    columns = [column.name for column in schema.used]
    found["columns"] = [printable(name) for name in columns]
    found["cells"] = list(map(list, zip(*(_texts(some, name) for name in columns), strict=True)))
    found["target"] = [printable(name) for name in schema.target.names]
    found["targets"] = list(
        map(list, zip(*(_texts(some, name) for name in schema.target.names), strict=True))
    )
    return found


def _texts(table: Any, name: str) -> list[str]:
    return [
        "" if value is None else printable(f"{value:.6g}" if isinstance(value, float) else str(value))
        for value in table.column(name).to_pylist()
    ]


def _predicted(walked: Walked, outputs: Array) -> list[str]:
    """What the outputs say, row by row, in the words of the file."""
    schema = walked.model.schema
    if schema is None:
        return [", ".join(f"{value:.6g}" for value in line) for line in outputs]
    if schema.target.is_regression:
        return [", ".join(f"{value:.6g}" for value in line) for line in schema.target.values(outputs)]
    labels = schema.target.labels(np.asarray(outputs, np.float64))
    return [printable(", ".join(line)) for line in zip(*labels, strict=True)]


def reasons(walked: Walked, number: int, row: int) -> dict[str, Any]:
    """Why the model predicts what it does for a row of the file, with the parameters before a step.

    Raises SpecificationError for a row that is not there, ModelError for a training on arrays.
    """
    opened, model = walked.open(number), walked.model
    at_step = replace(model, fit=replace(model.fit, training=opened.replayed.training))
    table = walked.table
    if table is None:
        raise SpecificationError("the table of this training cannot be read again; its rows have no reasons")
    if not 0 <= row < table.rows:
        raise SpecificationError(f"row {row}: {table.source} has the rows 0 to {table.rows - 1}")
    found = why(at_step, table.take(np.array([row])), 0).as_json()
    found["row"] = row
    return dict(_printable(found))


def _printable(value: Any) -> Any:
    """The same with every text fit to be shown, and null for what is not finite."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, dict):
        return {_printable(key): _printable(part) for key, part in value.items()}
    return [_printable(part) for part in value] if isinstance(value, list | tuple) else value


SHEET = ("detail", "focus", "language", "layer_notation")


def sheet(walked: Walked, number: int, **choices: Any) -> bytes:
    """The sheet of a step as a page: in brief, unless `detail` or the entry `focus` asks for more.

    Raises SpecificationError for a step, a detail or an entry that is not there.
    """
    _check_step(walked.fit, number)
    worksheet = Worksheet(walked.source(), number, number, chosen=True)
    return worksheet.with_choices(**{"detail": "brief", **choices}).to("html")


def _check_step(fit: Fit, number: int) -> None:
    if not 1 <= number <= fit.steps:
        raise SpecificationError(f"the training has the steps 1 to {fit.steps}, got step {number}")


def _number(value: Any) -> float | None:
    if value is None:
        return None
    number = float(value)
    return number if np.isfinite(number) else None


def names(found: dict[str, Any]) -> Iterator[str]:
    """Every heat map of a step, by name."""
    for layer in found["layers"]:
        for maps in layer["maps"].values():
            yield from (one["name"] for one in maps)
