"""`handgrad why`: why a model predicts what it does for one row; `handgrad importance`: which columns matter."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table as Grid

from handgrad.cli.consoles import output, print_json
from handgrad.models.importance import importance as measured
from handgrad.models.importance import partial_dependence
from handgrad.models.model import Model
from handgrad.models.why import Why
from handgrad.models.why import why as explained
from handgrad.rich_repr import number

_BAR = 24
_MOST_INPUTS = 3


def why(
    model: Annotated[Path, typer.Argument(help="Model file.")],
    data: Annotated[Path, typer.Argument(help="File with the model's columns.")],
    row: Annotated[int, typer.Option(help="The row, counted from 0.")] = 0,
    target: Annotated[
        str | None, typer.Option(help="Which target, where the model predicts several.")
    ] = None,
    of: Annotated[
        str | None,
        typer.Option("--class", help="Explain the probability of this class, not of the predicted one."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the contributions as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Without the closing sentences.")] = False,
) -> None:
    """Say why the model predicts what it does for a row: what each column contributed, the largest first.

    The contributions (integrated gradients) add up to the output less the baseline: the output for a row whose numbers
    are the middle of the training's and whose categories are unknown.

    Example: handgrad why penguins.safetensors examples/penguins.csv --row 3
    """
    found = explained(Model.load(model), data, row, target=target, of=of)
    if as_json:
        print_json(found.as_json())
        return
    console = output()
    console.print(_headline(found))
    console.print(_grid(found))
    if not quiet:
        total = sum(part.contribution for part in found.contributions)
        console.print(
            f"baseline {number(found.baseline)} + contributions {number(total)} = {number(found.output)}"
            + (f" (left over {number(found.left_over, 2)})" if abs(found.left_over) > 1e-6 else "")
        )
        console.print(
            f"the whole calculation: handgrad explain {model} --data {data} --rows {row}", soft_wrap=True
        )


def _headline(found: Why) -> str:
    if found.probability is None:
        return f"row {found.row}: {found.target} = {number(float(found.predicted), 6)}"
    return (
        f"row {found.row}: {found.target} = {found.predicted}, with a probability of {found.probability:.2%}"
    )


def _grid(found: Why) -> Grid:
    grid = Grid(box=None, pad_edge=False)
    grid.add_column("column", overflow="fold")
    grid.add_column("cell", overflow="fold")
    grid.add_column("as inputs", overflow="fold")
    grid.add_column("contribution", justify="right", no_wrap=True)
    grid.add_column("", no_wrap=True)
    largest = max((abs(part.contribution) for part in found.contributions), default=0.0) or 1.0
    for part in found.contributions:
        inputs = [f"{value:.3g}" for _, value in part.features[:_MOST_INPUTS]]
        more = ["…"] if len(part.features) > _MOST_INPUTS else []
        bar = round(_BAR * abs(part.contribution) / largest)
        grid.add_row(
            part.column,
            "(empty)" if part.value is None else part.value,
            " ".join(inputs + more),
            f"{part.contribution:+.4g}",
            ("+" if part.contribution >= 0 else "-") * bar,
        )
    return grid


def importance(
    model: Annotated[Path, typer.Argument(help="Model file.")],
    data: Annotated[Path, typer.Argument(help="File with the model's columns and its target.")],
    repeats: Annotated[int, typer.Option(min=1, help="How often each column is shuffled.")] = 5,
    seed: Annotated[int, typer.Option(help="Seed of the shuffling.")] = 0,
    column: Annotated[
        str | None,
        typer.Option(help="Partial dependence of this column instead: the mean prediction at its values."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the numbers as JSON.")] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Without the sentence above the table.")
    ] = False,
) -> None:
    """Say which columns matter: by how much accuracy or R2 falls when a column is shuffled.

    Example: handgrad importance penguins.safetensors examples/penguins.csv
    """
    loaded = Model.load(model)
    grid = Grid(box=None, pad_edge=False)
    if column is not None:
        answers = partial_dependence(loaded, data, column)
        if as_json:
            print_json(answers.as_json())
            return
        grid.add_column(column, overflow="fold")
        grid.add_column(f"mean {answers.of}", justify="right")
        for value, mean in zip(answers.values, answers.means, strict=True):
            grid.add_row(value, number(mean))
        output().print(grid)
        return
    found = measured(loaded, data, repeats=repeats, seed=seed)
    if as_json:
        print_json(found.as_json())
        return
    if not quiet:
        output().print(f"{found.rows:,} rows, {found.metric} {number(found.value)}; shuffled, a column costs")
    for heading in ("column", "fall", "±"):
        grid.add_column(heading, justify="left" if heading == "column" else "right", overflow="fold")
    for part in found.columns:
        grid.add_row(part.column, number(part.fall), number(part.deviation, 2))
    output().print(grid)
