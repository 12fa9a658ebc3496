"""`handgrad inspect`: what was read from a table, and what would be made of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table as Grid

from handgrad.cli import options, run_file
from handgrad.cli.consoles import output, print_json, remark
from handgrad.cli.outputs import Force, Output, check_outputs
from handgrad.data.inspection import ColumnReport, Inspection
from handgrad.data.inspection import inspect as inspected
from handgrad.data.tables import read_table
from handgrad.files import write_whole
from handgrad.rich_repr import number

_MOST_CLASSES = 12
_WIDE = 90


def inspect(
    data: Annotated[list[Path], typer.Argument(help="Table: file, folder, several files, or - .")],
    *,
    target: Annotated[
        list[str] | None, typer.Option(help="Column to predict; repeat it for several.")
    ] = None,
    task: Annotated[
        str | None, typer.Option(help="binary, multiclass, multilabel or regression; found from the target.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Where the run file goes, for train --config (.toml)."),
    ] = None,
    delimiter: options.Delimiter = None,
    header: options.Header = None,
    encoding: options.Encoding = None,
    decimal: options.Decimal = None,
    thousands: options.Thousands = None,
    dates: options.Dates = None,
    missing_marker: options.MissingMarker = None,
    categorical: options.Categorical = None,
    numeric: options.Numeric = None,
    date: options.DateColumn = None,
    text: options.TextColumn = None,
    ignore: options.Ignore = None,
    scaling: options.Scaling = "standard",
    missing: options.Missing = "mean",
    encode: options.Encode = None,
    class_weight: options.ClassWeight = None,
    weight: options.Weight = None,
    force: Force = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was found as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print the warnings alone.")] = False,
) -> None:
    """Show what a table holds: each column's kind, the task, the features, and what looks wrong.

    Example: handgrad inspect penguins.csv --target species -o penguins.run.toml
    """
    reading = options.reading(delimiter, header, encoding, decimal, thousands, dates, missing_marker)
    name = options.table_name(data)
    if out is not None:
        reads = [data] if isinstance(data, Path) else data
        check_outputs([Output("-o", out, (".toml",))], reads=reads, force=force)
    table = read_table(name, reading)
    names = options.columns_named(target or (), table.names)
    named = {"categorical": categorical, "numeric": numeric, "date": date, "text": text, "ignore": ignore}
    choices = options.choices(table.names, named, scaling, missing, class_weight, weight, encode)
    seen = inspected(table, names, task, choices)
    if out is not None:
        flags: dict[str, Any] = {
            "data": [str(path) for path in ([data] if isinstance(data, Path) else data)],
            "target": names,
            "task": seen.task,
            "model": str(out.with_suffix("").with_suffix(".safetensors")),
            "delimiter": delimiter,
            "header": header,
            "encoding": encoding,
            "decimal": decimal,
            "thousands": thousands,
            "dates": dates,
            "missing_marker": missing_marker,
            **_kinds(seen),
            "scaling": scaling,
            "missing": missing,
            "encode": encode,
            "class_weight": class_weight,
            "weight": weight,
        }
        write_whole(out, run_file.written(flags, out.parent))
    if as_json:
        print_json(seen.as_json())
    elif quiet:
        remark(seen.warnings)
    else:
        show(seen, output())


def _kinds(seen: Inspection) -> dict[str, list[str]]:
    """The kinds as flags, so that the training decides as this look did."""
    flags = {"numeric": "numeric", "categorical": "categorical", "date": "date"}
    named: dict[str, list[str]] = {flag: [] for flag in (*flags, "ignore")}
    for column in seen.columns:
        if column.target:
            continue
        if column.used and column.kind in flags:
            named[flags[column.kind]].append(column.name)
        elif not column.used:
            named["ignore"].append(column.name)
    return named


def show(seen: Inspection, console: Console) -> None:
    """The whole of it, in as many columns as the terminal is wide."""
    console.print(f"{seen.source}: {seen.rows:,} rows, {len(seen.columns)} columns", soft_wrap=True)
    for line in seen.remarks:
        console.print(line, soft_wrap=True)
    if console.width >= _WIDE:
        console.print(_grid(seen.columns))
    else:
        for column in seen.columns:
            console.print(f"{column.name}  {_kind(column)}")
            for part in (column.holds, _absent(column), column.note or ""):
                if part:
                    console.print(f"    {part}")
    for line in summary(seen):
        console.print(line, soft_wrap=console.width >= _WIDE)
    for warning in seen.warnings:
        console.print(f"warning: {warning}")


def _kind(column: ColumnReport) -> str:
    if column.target:
        return f"{column.kind}, the target"
    return column.kind if column.used else f"{column.kind}, not used"


def _absent(column: ColumnReport) -> str:
    return f"{column.missing:,} missing" if column.missing else ""


def _grid(columns: tuple[ColumnReport, ...]) -> Grid:
    grid = Grid(box=None, pad_edge=False)
    for heading in ("column", "kind", "missing", "features", "holds", "note"):
        grid.add_column(
            heading,
            justify="right" if heading in ("missing", "features") else "left",
            overflow="fold",
            no_wrap=heading in ("missing", "features"),
        )
    for column in columns:
        missing = f"{column.missing:,}" if column.missing else ""
        features = f"{column.features:,}" if column.features else ""
        grid.add_row(column.name, _kind(column), missing, features, column.holds, column.note or "")
    return grid


def summary(seen: Inspection) -> list[str]:
    """Task, features, balance of the classes, the score to beat: the short form that `train` prints too."""
    lines = []
    if seen.task is not None:
        lines.append(f"task {seen.task}, {seen.features:,} features")
    else:
        lines.append(f"{seen.features:,} features")
    if seen.without_target:
        lines.append(f"{seen.without_target:,} rows have no target and are left out")
    if seen.balance:
        total = max(1, sum(count for _, count in seen.balance))
        shown = [f"{name} {count:,} ({count / total:.1%})" for name, count in seen.balance[:_MOST_CLASSES]]
        more = len(seen.balance) - len(shown)
        lines.append("classes " + ", ".join(shown) + (f" and {more:,} more" if more else ""))
    if "accuracy" in seen.trivial:
        lines.append(
            f"to beat: always the commonest class has accuracy {seen.trivial['accuracy']:.2%}, "
            f"log loss {number(seen.trivial['log_loss'])}"
        )
    elif seen.trivial:
        lines.append(
            f"to beat: always the mean {number(seen.trivial['prediction'])} has R2 0, RMSE "
            f"{number(seen.trivial['RMSE'])}"
        )
    return lines
