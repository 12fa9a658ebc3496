"""`handgrad export`: a model for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from handgrad.cases.case import Case
from handgrad.cli.consoles import remark
from handgrad.cli.outputs import Force, Output, check_outputs
from handgrad.files import write_whole
from handgrad.interop.export import Wish, exported
from handgrad.interop.opening import load
from handgrad.models.model import Model


def export(
    what: Annotated[
        Path,
        typer.Argument(metavar="MODEL|CASE", help="A model (.safetensors, .onnx), or a case for a C header."),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            help="net.onnx, net.pt (PyTorch's state dict), net.keras, net.joblib (scikit-learn), net.h (C, with a "
            "test program), net.py (trains it again with NumPy alone).",
        ),
    ],
    *,
    data: Annotated[
        Path | None, typer.Option(help="The table it was trained on, for .py and for rows of it in .h.")
    ] = None,
    rows: Annotated[str | None, typer.Option(help="For .h: rows of the table, N or A:B, from 0.")] = None,
    force: Force = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Do not name the files.")] = False,
) -> None:
    """Write a model for another program, and say what that program must know.

    Example: handgrad export penguins.safetensors -o penguins.onnx

    Example: handgrad export examples/relu-sigmoid-2-2-1.toml -o golden.h
    """
    opened: Model | Case = Case.load(what) if what.suffix.lower() in (".toml", ".json") else load(what)
    made = exported(Wish(opened, output, data, rows))
    model_reads = opened.origin.file if isinstance(opened, Model) and opened.origin is not None else None
    outputs = [Output("-o", path, (path.suffix.lower(),)) for path in made.files]
    check_outputs(outputs, reads=[what, data, model_reads], force=force)
    for path, content in made.files.items():
        write_whole(path, content)
    if not quiet:
        for path in made.files:
            typer.echo(f"wrote {path}")
    remark(made.notes, quiet)
