"""`handgrad bench`: how fast this machine is, and what a matrix product saves."""

from __future__ import annotations

import json as json_format
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from handgrad.bench import Benchmark
from handgrad.bench import benchmark as measure


def bench(
    threads: Annotated[
        int | None,
        typer.Option(min=1, help="Threads of the native engine; it chooses by itself without this."),
    ] = None,
    seconds: Annotated[float, typer.Option(min=0.001, help="Time for each measurement.")] = 0.3,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print the tables only.")] = False,
) -> None:
    """Time one layer (loops, matrix product, native core) and training steps on this machine.

    Example: handgrad bench --seconds 0.1
    """
    result = measure(seconds=seconds, threads=threads)
    if json:
        typer.echo(json_format.dumps(result.as_data(), indent=2))
        return
    console = Console()
    if not quiet:
        count = result.units * result.inputs
        console.print(
            f"A layer of {result.units} units and {result.inputs} inputs, z = W x + b: "
            f"{result.units} x {result.inputs} = {count:,} multiplications for each sample."
        )
    console.print(_layer_table(result))
    console.print(_training_table(result))
    for note in result.notes:
        console.print(f"Note: {note}.", highlight=False)


def _layer_table(result: Benchmark) -> Table:
    table = Table(title="One layer; speed-up for each sample")
    table.add_column("computed by")
    for heading in ("samples", "multiplications", "time", "per second", "speed-up"):
        table.add_column(heading, justify="right")
    for row in result.layer:
        table.add_row(
            row.method,
            str(row.samples),
            f"{row.multiplications:,}",
            duration(row.seconds),
            f"{row.multiplications / row.seconds:.2e}",
            f"{row.speedup:,.0f} x" if row.speedup >= 10 else f"{row.speedup:.1f} x",
        )
    return table


def _training_table(result: Benchmark) -> Table:
    table = Table(title="A training step: forward, backward, Adam; float32")
    table.add_column("network")
    table.add_column("engine")
    for heading in ("time", "steps/s", "speed-up"):
        table.add_column(heading, justify="right")
    for row in result.training:
        table.add_row(
            row.network,
            row.engine,
            duration(row.step_seconds),
            f"{1 / row.step_seconds:,.0f}",
            f"{row.speedup:.1f} x",
        )
    return table


def duration(seconds: float) -> str:
    """Three significant digits in ns, us, ms or s.

    >>> duration(0.000361), duration(2.5)
    ('361 us', '2.50 s')
    """
    for factor, unit in ((1e9, "ns"), (1e6, "us"), (1e3, "ms")):
        value = seconds * factor
        if value < 999.5:
            return f"{value:.{0 if value >= 99.95 else 1 if value >= 9.995 else 2}f} {unit}"
    return f"{seconds:.2f} s"
