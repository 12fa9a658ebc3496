"""`handgrad open`: the browser of a training, on the loopback interface, until the terminal ends it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from handgrad.cli.consoles import print_line
from handgrad.errors import SpecificationError
from handgrad.live.walk.app import Walking
from handgrad.live.walk.serving import Serving, check_installed
from handgrad.live.walk.walked import Walked
from handgrad.models.model import Model


def open_training(
    models: Annotated[list[Path], typer.Argument(metavar="MODEL...", help="A model, or several to compare.")],
    data: Annotated[
        list[Path] | None,
        typer.Option(help="The table it was trained on, if it has moved; one for each model."),
    ] = None,
    step: Annotated[
        int | None, typer.Option(help="The step that is shown first; by default the last.")
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="By default one that is free.")] = 0,
    browser: Annotated[bool, typer.Option(help="Open the browser, or only tell the address.")] = True,
    language: Annotated[
        str | None, typer.Option(help="Language of the page: en, bn; otherwise that of the locale.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Tell the address and nothing else.")] = False,
) -> None:
    """Walk a training in the browser: its curve, any of its steps, the layers as heat maps, any row's why.

    The page is served to this machine only, and reads only; Ctrl-C ends it.

    Example: handgrad open penguins.safetensors

    Example: handgrad open before.safetensors after.safetensors
    """
    check_installed()
    tables: list[Path | None] = [*data] if data else [None] * len(models)
    if len(tables) != len(models):
        raise SpecificationError(f"--data is given once for each model: {len(models)}, got {len(tables)}")
    walked = [
        Walked(Model.load(path), name, table)
        for path, name, table in zip(models, _names(models), tables, strict=True)
    ]
    for one in walked:
        assert one.seen  # a table that is not that of the training is told here, not in the browser
    first = walked[0].fit.steps if step is None else step
    if not 1 <= first <= walked[0].fit.steps:
        raise SpecificationError(f"step {first}: {models[0]} has the steps 1 to {walked[0].fit.steps}")
    with Serving(Walking(walked, language), port) as serving:
        show(serving, "" if step is None else f"#step={step}", browser, quiet)
        serving.wait()


def show(
    serving: Serving,
    place: str,
    browser: bool,
    quiet: bool,
    say: Callable[[str], object] = print_line,
) -> None:
    """Says the address, and opens the reader's browser there."""
    say(serving.address + place)
    sys.stdout.flush()
    if browser and not serving.show(place) and not quiet:
        say("no browser could be opened; open the address above in one")
    if not quiet:
        say("Ctrl-C ends it")
    sys.stdout.flush()


def _names(paths: list[Path]) -> list[str]:
    """A name for each model: its file's, with its folder where two have the same."""
    stems = [path.stem for path in paths]
    return [path.stem if stems.count(path.stem) == 1 else f"{path.parent.name}/{path.stem}" for path in paths]
