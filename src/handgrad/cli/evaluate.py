"""`handgrad evaluate`: how good a model is on a file with the target."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from handgrad.cli.consoles import output, print_json
from handgrad.data.tables import read_table
from handgrad.models.model import Model


def evaluate(
    model: Annotated[Path, typer.Argument(help="Model file.")],
    data: Annotated[Path, typer.Argument(help="File with the model's columns and its target.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the metrics as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print the main metric alone.")] = False,
) -> None:
    """Compare predictions with the target: accuracy and loss by class, or R2, MAE and RMSE.

    Example: handgrad evaluate penguins.safetensors test.csv
    """
    judged = Model.load(model).evaluate(read_table(data))
    if as_json:
        print_json(judged.as_json())
    elif quiet:
        output().print(repr(judged.R2 if judged.task == "regression" else judged.accuracy))
    else:
        output().print(judged)
