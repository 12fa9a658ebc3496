"""`handgrad tune`: a search for the settings of a training."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table as Grid

from handgrad.cli import options
from handgrad.cli.consoles import output, print_json, remarks
from handgrad.cli.outputs import Force, Output, check_outputs
from handgrad.data.schema import Choices
from handgrad.data.tables import read_table
from handgrad.models.prepared import prepare
from handgrad.models.search import Search, Trial, search
from handgrad.models.splits import Parting
from handgrad.rich_repr import number

_SHOWN = 5


def tune(
    data: Annotated[list[Path], typer.Argument(help="Table: file, folder, several files, or - .")],
    *,
    target: Annotated[list[str], typer.Option(help="Column to predict; repeat it for several outputs.")],
    model: Annotated[Path, typer.Option("-o", "--output", help="Where the best model goes (.safetensors).")],
    trials: Annotated[int, typer.Option(help="How many networks are trained at most.")] = 30,
    seconds: Annotated[float | None, typer.Option(help="No trial begins after so many seconds.")] = None,
    epochs: Annotated[int, typer.Option(help="Passes over the training rows, at most, of each trial.")] = 100,
    task: Annotated[
        str | None, typer.Option(help="binary, multiclass, multilabel or regression; found from the target.")
    ] = None,
    validation: Annotated[float, typer.Option(help="Part of the rows that judges the trials.")] = 0.2,
    seed: Annotated[int, typer.Option(help="Same seed: same split, same trials.")] = 0,
    engine: Annotated[str, typer.Option(help="auto, native or reference.")] = "auto",
    categorical: options.Categorical = None,
    numeric: options.Numeric = None,
    date: options.DateColumn = None,
    text: options.TextColumn = None,
    ignore: options.Ignore = None,
    force: Force = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print all trials as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no table.")] = False,
) -> None:
    """Search widths, learning rate, penalty, dropout and batch size; keep the best model. Needs the extra tune.

    Example: handgrad tune penguins.csv --target species --trials 20 -o best.safetensors
    """
    check_outputs([Output("-o", model, (".safetensors",))], reads=data, force=force)
    table = read_table(options.table_name(data))

    def columns(names: list[str] | None) -> list[str]:
        return options.columns_named(names or (), table.names)

    ready = prepare(
        table,
        options.columns_named(target, table.names),
        task,
        choices=Choices(
            categorical=columns(categorical),
            numeric=columns(numeric),
            date=columns(date),
            text=columns(text),
            ignore=columns(ignore),
        ),
        parting=Parting(validation),
        seed=seed,
    )
    silent = quiet or as_json
    found = search(
        ready,
        trials=trials,
        seconds=seconds,
        epochs=epochs,
        seed=seed,
        engine=engine,
        callback=lambda trial: None if silent else remarks().print(_line(trial), soft_wrap=True),
    )
    found.model.save(model)
    if as_json:
        print_json(
            {
                "model": str(model),
                "best": found.best.number,
                "trials": [_as_json(trial) for trial in found.trials],
            }
        )
    elif not quiet:
        _show(found, model)


def _line(trial: Trial) -> str:
    loss = trial.ended if trial.loss is None else f"validation loss {number(trial.loss)}"
    mark = ", the best so far" if trial.ended == "best" else ""
    return f"trial {trial.number}: {loss} after {trial.epochs} epochs{mark}; {trial.settings.flags()}"


def _as_json(trial: Trial) -> dict[str, object]:
    return {
        "trial": trial.number,
        **trial.settings._asdict(),
        "validation_loss": trial.loss,
        "epochs": trial.epochs,
        "ended": trial.ended,
    }


def _show(found: Search, model: Path) -> None:
    """The best trials, and the flags that train the best again."""
    finished = sorted(
        (trial for trial in found.trials if trial.loss is not None), key=lambda trial: trial.loss or 0.0
    )
    grid = Grid(box=None, pad_edge=False)
    for title in ("trial", "validation loss", "epochs", "hidden", "learning rate", "l2", "dropout", "batch"):
        grid.add_column(title, justify="right")
    for trial in finished[:_SHOWN]:
        hidden, rate, l2, dropout, batch = trial.settings
        cells = (trial.number, number(trial.loss or 0.0), trial.epochs, ",".join(map(str, hidden)))
        grid.add_row(*map(str, cells), number(rate), number(l2), f"{dropout:g}", str(batch))
    ended = sum(trial.loss is None for trial in found.trials)
    console = output()
    console.print(grid)
    console.print(
        f"{len(found.trials)} trials, {ended} ended early; the best was chosen among them by its validation loss, "
        "which flatters it: judge it on rows that were not there",
        soft_wrap=True,
    )
    console.print(f"again: handgrad train ... {found.best.settings.flags()}", soft_wrap=True)
    console.print(f"model written to {model}", soft_wrap=True)
