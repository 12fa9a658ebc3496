"""`handgrad predict`: a model and a raw file in, a column of predictions out."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet
import typer

from handgrad.cli import options
from handgrad.cli.consoles import print_json, remark
from handgrad.cli.options import columns_named
from handgrad.cli.outputs import Force, Output, check_outputs
from handgrad.cli.spreadsheets import defused
from handgrad.data.reading import AS_FOUND
from handgrad.data.tables import Table
from handgrad.errors import OutputError
from handgrad.files import write_whole
from handgrad.models.model import Model
from handgrad.rich_repr import visible
from handgrad.version import __version__


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
    write = _writer(out)
    reading = options.reading(delimiter, header, encoding, decimal, thousands, dates, missing_marker)
    files = [data] if isinstance(data, Path) else data
    loaded = Model.load(model)
    if out is not None:
        check_outputs(
            [Output("-o", out, (out.suffix.lower(),))],
            reads=[model, *files, None if loaded.origin is None else loaded.origin.file],
            force=force,
        )
    rows = loaded.read(options.table_name(data), None if reading == AS_FOUND else reading)
    table, notes = loaded.predictions(rows, threshold)
    table = _beside(loaded, rows, keep or (), table)
    remark(notes, quiet)
    if out is not None:
        delimited = out.suffix.lower() in (".csv", ".tsv")
        write_whole(out, write(defused(table) if delimited and not raw else table))
    if as_json:
        print_json(table.to_pylist())
    elif out is None:
        text = _delimited(table if raw else defused(table), ",").decode()
        sys.stdout.write(visible(text) if sys.stdout.isatty() else text)


def _beside(model: Model, rows: Table, keep: Sequence[str], predicted: pa.Table) -> pa.Table:
    """The predictions behind the columns that name the rows, and those that are asked for.

    Raises DataError for a column that is not there.
    """
    own = () if model.schema is None else model.schema.identifiers
    wanted = [name for name in own if name in rows.columns] + columns_named(keep, rows.names)
    columns = {
        name: _plain(rows.column(name))
        for name in dict.fromkeys(wanted)
        if name not in predicted.column_names
    }
    return pa.table({**columns, **{name: predicted.column(name) for name in predicted.column_names}})


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Words as they are written, not as places among the distinct ones."""
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def _delimited(table: pa.Table, mark: str) -> bytes:
    sink = io.BytesIO()
    # Arrow quotes every text when it may quote at all
    style = "needed" if any(_needs_quotes(column) for column in table.columns) else "none"
    options = pyarrow.csv.WriteOptions(delimiter=mark, quoting_style=style, include_header=False)
    header = mark.join(_quoted(name, mark) for name in table.column_names)
    sink.write(f"{header}\n".encode())
    pyarrow.csv.write_csv(table, sink, options)
    return sink.getvalue()


def _needs_quotes(column: pa.ChunkedArray) -> bool:
    return pa.types.is_string(column.type) and bool(
        pc.any(pc.match_substring_regex(column, pattern='[",;\t\r\n]')).as_py()
    )


def _quoted(name: str, mark: str) -> str:
    special = any(character in name for character in (mark, '"', "\n", "\r"))
    return '"' + name.replace('"', '""') + '"' if special else name


def _marked(table: pa.Table) -> pa.Table:
    """The table with the mark by which `cli.outputs` knows that handgrad wrote it."""
    return table.replace_schema_metadata({"handgrad predictions": __version__})


def _parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pyarrow.parquet.write_table(_marked(table), sink)
    return sink.getvalue()


def _feather(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pyarrow.feather.write_feather(_marked(table), sink)
    return sink.getvalue()


WRITERS: dict[str, Callable[[pa.Table], bytes]] = {
    ".csv": lambda table: _delimited(table, ","),
    ".tsv": lambda table: _delimited(table, "\t"),
    ".parquet": _parquet,
    ".feather": _feather,
}


def _writer(out: Path | None) -> Callable[[pa.Table], bytes]:
    if out is None:
        return WRITERS[".csv"]
    if out.suffix.lower() not in WRITERS:
        raise OutputError(f"cannot write {out}: its name must end in one of {' '.join(WRITERS)}")
    return WRITERS[out.suffix.lower()]
