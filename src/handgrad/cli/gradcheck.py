"""`handgrad gradcheck`: the analytic gradients beside central differences."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from handgrad.cli.explain import parse_steps
from handgrad.errors import SpecificationError
from handgrad.worked.gradient_check import central_differences
from handgrad.worked.record import GradientCheck
from handgrad.worksheets.worksheet import explain as open_worksheet

TOLERANCE = 1e-6


def gradcheck(
    what: Annotated[
        Path, typer.Argument(metavar="CASE|MODEL", help="A case file (.toml, .json) or a model.")
    ],
    data: Annotated[Path | None, typer.Option(help="For a model: the table it was trained on.")] = None,
    rows: Annotated[
        str | None, typer.Option(help="For a model: rows of the table, N or A:B, from 0.")
    ] = None,
    step: Annotated[str, typer.Option(help="The step whose gradients are checked, from 1.")] = "1",
    tolerance: Annotated[float, typer.Option(help="Largest relative error that passes.")] = TOLERANCE,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only the exit status.")] = False,
) -> None:
    """Compare every gradient with a central difference; exit status 1 where one is off.

    Example: handgrad gradcheck examples/relu-sigmoid-2-2-1.toml
    """
    if not tolerance > 0:
        raise SpecificationError(f"--tolerance must be > 0, got {tolerance}")
    checks = _checks(what, step, data, rows)
    if as_json:
        typer.echo(msgspec.json.encode({"tolerance": tolerance, "checks": [_row(check) for check in checks]}))
    elif not quiet:
        Console().print(_table(checks, tolerance))
    if any(not check.largest_relative_error <= tolerance for check in checks):
        raise typer.Exit(1)


def _checks(what: Path, step: str, data: Path | None, rows: str | None) -> tuple[GradientCheck, ...]:
    number = parse_steps(step)
    if not isinstance(number, int):
        raise SpecificationError(f"--step names one step, got {step!r}")
    worksheet = open_worksheet(what, step=number, data=data, rows=rows)
    trace = next(worksheet.traces())
    if "x" not in trace.quantities or "y" not in trace.quantities:
        raise SpecificationError(f"{what}: gradients can only be checked where there are data.x and data.y")
    source = worksheet.source
    masks = [trace.quantities.get(f"mask{l}") for l in range(1, source.network.depth + 1)]
    return central_differences(
        source.network,
        trace.before.parameters,
        trace.quantities["x"],
        trace.quantities["y"],
        source.regularization,
        masks if any(mask is not None for mask in masks) else None,
    )


def _row(check: GradientCheck) -> dict[str, object]:
    return {
        "quantity": check.quantity,
        "largest_relative_error": check.largest_relative_error,
        "analytic": check.analytic.tolist(),
        "numeric": check.numeric.tolist(),
    }


def _table(checks: tuple[GradientCheck, ...], tolerance: float) -> Table:
    table = Table(title="Analytic gradient beside central difference")
    for title in ("gradient", "shape", "largest |analytic|", "largest difference", "relative error", ""):
        table.add_column(title, justify="left" if title in ("gradient", "") else "right")
    for check in checks:
        probed = ~np.isnan(check.numeric)
        difference = float(np.max(np.abs(check.analytic - check.numeric)[probed]))
        table.add_row(
            check.quantity,
            "x".join(map(str, check.analytic.shape)),
            f"{np.max(np.abs(check.analytic)):.6g}",
            f"{difference:.2g}",
            f"{check.largest_relative_error:.2g}",
            "ok" if check.largest_relative_error <= tolerance else "OFF",
        )
    return table
