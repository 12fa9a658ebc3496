"""`handgrad matrix`: one matrix calculation, step by step."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from handgrad.cli.outputs import Force, Output, check_outputs
from handgrad.files import is_stream, write_whole
from handgrad.render.media import MEDIA, medium_of, write
from handgrad.render.terminal.sheet import to_text
from handgrad.worksheets.matrix import MatrixSheet


def matrix(
    calculation: Annotated[
        str, typer.Argument(metavar="EXPRESSION", help="Such as '[1 2; 3 4] . [5; 6]' or '[1 2] (x) [3 4]'.")
    ],
    digits: Annotated[int, typer.Option(min=0, max=17, help="Decimals shown.")] = 4,
    language: Annotated[str | None, typer.Option(help="Language of the sheet: en, bn.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file.")] = None,
    width: Annotated[int | None, typer.Option(min=20, help="Columns of the terminal.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The steps as JSON.")] = False,
    force: Force = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Do not name the file that was written.")
    ] = False,
) -> None:
    """Work out one matrix calculation, operation by operation, with the shapes that meet.

    Rows are separated by semicolons. `.` is the product (of two vectors the dot product), `o` the product entry by
    entry, `(x)` the outer product, `'` the transpose, `*` a multiple; + and - as usual; functions such as relu(...).

    Example: handgrad matrix "[10 20 30 40] . [0; 1; 2; 3]"
    """
    sheet = MatrixSheet.of(calculation)
    if output is not None:
        medium = medium_of(output)
        check_outputs([Output("-o", output, (f".{medium}",))], force=force)
        write_whole(output, _content(sheet, medium, digits, language, width))
        if not (quiet or is_stream(output)):
            typer.echo(f"wrote {output}")
    elif as_json:
        typer.echo(json.dumps(sheet.as_json()))
    else:
        columns = width or min(shutil.get_terminal_size((80, 24)).columns, 120)
        sys.stdout.write(to_text(sheet.document(digits, language), columns, False))


def _content(sheet: MatrixSheet, medium: str, digits: int, language: str | None, width: int | None) -> bytes:
    if medium in MEDIA:
        return write(medium, sheet.document(digits, language))
    if medium == "json":
        return f"{json.dumps(sheet.as_json())}\n".encode()
    return to_text(sheet.document(digits, language), width or 80, False).encode()
