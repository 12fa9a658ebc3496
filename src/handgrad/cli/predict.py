"""`handgrad predict`: a model and a raw file in, a column of predictions out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import pyarrow as pa
import typer

from handgrad.cli import options
from handgrad.cli.consoles import print_list, remark
from handgrad.cli.larger import budget_to_read
from handgrad.cli.options import columns_named
from handgrad.cli.outputs import Force, Output, check_outputs
from handgrad.cli.spreadsheets import defused
from handgrad.cli.table_files import Terminal, needs_quotes, plain, writer_for
from handgrad.data.reading import AS_FOUND
from handgrad.data.stored import StoredTable
from handgrad.data.tables import Table
from handgrad.files import whole_file
from handgrad.models.budget import Budget
from handgrad.models.model import Model
from handgrad.models.streaming import Predictions, stored_for

_TOGETHER = 1 << 16


def predict(
    model: Annotated[Path, typer.Argument(help="Model file.")],
    data: Annotated[
        list[Path], typer.Argument(help="Table with the model's columns: file, folder, several files, or - .")
    ],
    out: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Where the predictions go (.csv .tsv .parquet .feather)."),
    ] = None,
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
    keep: Annotated[
        list[str] | None,
        typer.Option(
            help="Column of the data that stands before the predictions; identifiers do so by themselves."
        ),
    ] = None,
    force: Force = False,
    raw: Annotated[
        bool, typer.Option("--raw", help="Leave text that a spreadsheet would run (= + - @) as it is.")
    ] = False,
    memory: options.Memory = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a JSON list, one object for each row.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No remarks.")] = False,
) -> None:
    """Predict every row of a file: the class and its probabilities, or the number.

    Without -o the predictions go to the standard output as CSV. In CSV and TSV a class that a spreadsheet would run
    as a formula gets an apostrophe before it, which spreadsheets do not show.

    Example: handgrad predict penguins.safetensors new.csv -o predicted.csv
    """
    write = writer_for(out)
    reading = options.reading(delimiter, header, encoding, decimal, thousands, dates, missing_marker)
    files = [data] if isinstance(data, Path) else data
    loaded = Model.load(model)
    if out is not None:
        check_outputs(
            [Output("-o", out, (out.suffix.lower(),))],
            reads=[model, *files, None if loaded.origin is None else loaded.origin.file],
            force=force,
        )
    name, said = options.table_name(data), None if reading == AS_FOUND else reading
    budget = budget_to_read(memory, name, None if out is None else out.parent, quiet)
    tables: Iterable[pa.Table]
    if budget is None:
        table, notes = _held(loaded, loaded.read(name, said), threshold, keep or ())
        tables, quoted = [table], any(map(needs_quotes, table.columns))
    else:
        stored = stored_for(loaded.asked, name, said, budget)
        tables, quoted = _streamed(loaded, stored, budget, threshold, keep or ())
    written = map(plain, tables)
    if out is not None:
        delimited = out.suffix.lower() in (".csv", ".tsv")
        with whole_file(out) as sink:
            write(sink, map(defused, written) if delimited and not raw else written, quoted)
        written = map(plain, tables)
    if as_json:
        print_list(row for table in written for row in table.to_pylist())
    elif out is None:
        write(Terminal(), written if raw else map(defused, written), quoted)
    remark(tables.remarks if isinstance(tables, Predictions) else notes, quiet)


def _streamed(
    model: Model, rows: StoredTable, budget: Budget, threshold: float, keep: Sequence[str]
) -> tuple[Predictions, bool]:
    """The predictions of a table that does not fit the memory, and whether a text in them needs quotes."""
    beside = _wanted(model, rows, keep)
    classes = () if model.schema is None else model.schema.target.classes
    quoted = any(needs_quotes(pa.chunked_array([pa.array(names, pa.string())])) for names in classes)
    if beside and not quoted:
        blocks = rows.blocks(beside, _TOGETHER)
        quoted = any(
            needs_quotes(pa.chunked_array([column])) for block in blocks for column in block.values()
        )
    return Predictions(model.asked, rows, budget, threshold, beside), quoted


def _held(
    model: Model, rows: Table, threshold: float, keep: Sequence[str]
) -> tuple[pa.Table, tuple[str, ...]]:
    """The predictions behind the columns that name the rows, and those that are asked for; what is to be said."""
    made, notes = model.predictions(rows, threshold)
    beside = {name: rows.column(name) for name in _wanted(model, rows, keep) if name not in made.column_names}
    return pa.table({**beside, **{name: made.column(name) for name in made.column_names}}), notes


def _wanted(model: Model, rows: Table, keep: Sequence[str]) -> list[str]:
    """The columns that stand before the predictions. Raises DataError for one that is not there."""
    own = () if model.schema is None else model.schema.identifiers
    wanted = [name for name in own if name in rows.columns] + columns_named(keep, rows.names)
    for name in wanted:
        if name not in rows.columns:
            rows.column(name)  # raises
    return list(dict.fromkeys(wanted))
