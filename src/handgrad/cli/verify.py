"""`handgrad verify`: what a model file holds, and whether it is whole."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from handgrad.cli.consoles import output, print_json
from handgrad.data.tables import read_table
from handgrad.errors import HandgradError, ModelError
from handgrad.files import read_whole
from handgrad.models.model import Model
from handgrad.models.safetensors import FORMAT, unpacked
from handgrad.models.seal import digest
from handgrad.rich_repr import printable

NOT_WHOLE = 1


def verify(
    model: Annotated[Path, typer.Argument(help="Model file.")],
    data: Annotated[
        Path | None,
        typer.Option(help="The table it was trained on, to compare; by default the recorded one."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only the exit status.")] = False,
) -> None:
    """Say what a model file holds and whether it is whole; exit status 1 where it is not, or its table is another.

    Example: handgrad verify penguins.safetensors
    """
    try:
        content = read_whole(model)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ModelError(f"{model} cannot be read: {reason}; give a model file") from error
    found: dict[str, Any] = {"model": str(model), "bytes": len(content)}
    try:
        opened = Model(*unpacked(model))
    except ModelError as error:
        found |= {"whole": False, "why": str(error)}
        _show(found, as_json=as_json, quiet=quiet)
        raise typer.Exit(NOT_WHOLE) from error
    table = _table(opened, data)
    found |= {
        "whole": True,
        "why": None,
        "sha256": digest(content),
        "format": FORMAT,
        **_held(opened),
        "data": table,
    }
    _show(found, as_json=as_json, quiet=quiet)
    if table["same"] is False:
        raise typer.Exit(NOT_WHOLE)


def _held(model: Model) -> dict[str, Any]:
    fit, schema = model.fit, model.schema
    return {
        "sizes": list(fit.network.sizes),
        "activations": [layer.function.name for layer in fit.network.layers],
        "parameters": fit.network.parameter_count,
        "dtype": fit.plan.dtype,
        "optimizer": fit.recipe.optimizer.name,
        "engine": fit.engine,
        "seed": fit.plan.seed,
        "epochs": len(fit.history),
        "steps": fit.steps,
        "ended": fit.ended,
        "best_epoch": fit.best_epoch,
        "snapshots": [snapshot.step for snapshot in fit.snapshots],
        "training_rows": len(fit.training_rows),
        "validation_rows": len(fit.validation_rows),
        "task": None if schema is None else schema.target.task,
        "target": [] if schema is None else list(schema.target.names),
        "classes": [] if schema is None else [list(classes) for classes in schema.target.classes],
        "columns": [] if schema is None else [column.name for column in schema.columns if column.features],
    }


def _table(model: Model, data: Path | None) -> dict[str, Any]:
    """The table that the model names; `same` is None where it is not there or the model names none."""
    origin = model.origin
    if origin is None:
        return {
            "file": None,
            "rows": None,
            "fingerprint": None,
            "same": None,
            "why": "it was trained on arrays",
        }
    named = {"file": origin.file, "rows": origin.rows, "fingerprint": origin.fingerprint}
    try:
        table = read_table(data or model.training_file())
    except HandgradError as error:
        if data is not None:
            raise
        return {**named, "same": None, "why": str(error)}
    try:
        model.training_data(table)
    except HandgradError as error:
        return {**named, "same": False, "why": str(error)}
    return {**named, "same": True, "why": None}


def _show(found: dict[str, Any], *, as_json: bool, quiet: bool) -> None:
    if as_json:
        print_json(found)
    elif not quiet:
        output().print(_rows(found))


def _rows(found: dict[str, Any]) -> Table:
    shown = Table(box=None, pad_edge=False, show_header=False)
    shown.add_column()
    shown.add_column(overflow="fold")
    for name, value in {**found, "data": None, **_about_data(found.get("data"))}.items():
        if value is not None and value != []:
            shown.add_row(name.replace("_", " "), printable(_text(value)))
    return shown


def _about_data(data: dict[str, Any] | None) -> dict[str, Any]:
    if data is None:
        return {}
    same = {True: "yes", False: "no", None: "not compared"}[data["same"]]
    return {"table": data["file"], "table rows": data["rows"], "table is the same": same, "note": data["why"]}


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        inner = ", ".join(_text(part) for part in value[:12])
        return inner if len(value) <= 12 else f"{inner} and {len(value) - 12} more"
    return str(value)
