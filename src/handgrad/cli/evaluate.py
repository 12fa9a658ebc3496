"""`handgrad evaluate`: how good a model is on a file with the target."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from handgrad.cli import options
from handgrad.cli.consoles import output, print_json
from handgrad.data.reading import AS_FOUND
from handgrad.models.model import Model


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
    table = loaded.read(options.table_name(data), None if reading == AS_FOUND else reading)
    found = loaded.evaluate(table, threshold)
    if as_json:
        print_json(found.as_json())
    elif quiet:
        output().print(repr(found.R2 if found.task == "regression" else found.accuracy))
    else:
        output().print(found)
