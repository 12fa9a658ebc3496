"""`handgrad evaluate`: how good a model is on a file with the target."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from handgrad.cli import options
from handgrad.cli.consoles import output, print_json
from handgrad.cli.larger import budget_to_read
from handgrad.data.reading import AS_FOUND
from handgrad.models.model import Model
from handgrad.models.predictions import check_threshold
from handgrad.models.streaming import evaluated, stored_for


def evaluate(
    model: Annotated[Path, typer.Argument(help="Model file.")],
    data: Annotated[
        list[Path], typer.Argument(help="Table with the model's columns and its target: file, folder, or - .")
    ],
    threshold: Annotated[
        float, typer.Option(help="The second of two classes is predicted above this probability.")
    ] = 0.5,
    delimiter: options.Delimiter = None,
    header: options.Header = None,
    encoding: options.Encoding = None,
    decimal: options.Decimal = None,
    thousands: options.Thousands = None,
    dates: options.Dates = None,
    missing_marker: options.MissingMarker = None,
    memory: options.Memory = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the metrics as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print the main metric alone.")] = False,
) -> None:
    """Compare predictions with the target, beside who always says the commonest class or the mean.

    Classes: accuracy, balanced accuracy, ROC-AUC, PR-AUC, log loss, Brier score, calibration, confusion; numbers:
    R2, MAE, RMSE, MAPE, quantiles of the residuals.

    Example: handgrad evaluate penguins.safetensors test.csv
    """
    reading = options.reading(delimiter, header, encoding, decimal, thousands, dates, missing_marker)
    loaded = Model.load(model)
    name, said = options.table_name(data), None if reading == AS_FOUND else reading
    budget = budget_to_read(memory, name, None, quiet)
    if budget is None:
        found = loaded.evaluate(loaded.read(name, said), threshold)
    else:
        check_threshold(threshold)
        found = evaluated(loaded.asked, stored_for(loaded.asked, name, said, budget), budget, threshold)
    if as_json:
        print_json(found.as_json())
    elif quiet:
        output().print(repr(found.R2 if found.task == "regression" else found.accuracy))
    else:
        output().print(found)
