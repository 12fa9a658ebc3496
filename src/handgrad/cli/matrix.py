"""`handgrad matrix`: one matrix calculation, step by step."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from handgrad.cli.consoles import print_line
from handgrad.cli.outputs import Force, check_outputs, sheet_output, to_stdout
from handgrad.errors import RenderError
from handgrad.files import is_stream, write_whole
from handgrad.render.media import MEDIA, medium_for, medium_of, write
from handgrad.render.terminal.sheet import to_text
from handgrad.worksheets.matrix import MatrixSheet


def matrix(
    calculation: Annotated[
        str, typer.Argument(metavar="EXPRESSION", help="Such as '[1 2; 3 4] . [5; 6]' or '[1 2] (x) [3 4]'.")
    ],
    digits: Annotated[int, typer.Option(min=0, max=17, help="Decimals shown.")] = 4,
    language: Annotated[str | None, typer.Option(help="Language of the sheet: en, bn.")] = None,
    to: Annotated[
        str | None,
        typer.Option(
            help="terminal, md, html, slides, tex, pdf, docx, ipynb or json; otherwise by the suffix of -o."
        ),
    ] = None,
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

    Example: handgrad matrix "[10; 20] (x) [1 2 3]" --to html -o outer.html
    """
    sheet = MatrixSheet.of(calculation)
    medium = _medium(to, output, as_json)
    if output is not None:
        check_outputs([sheet_output(output, medium)], force=force)
        write_whole(output, _content(sheet, medium, digits, language, width))
        if not (quiet or is_stream(output)):
            print_line(f"wrote {output}")
    elif medium == "terminal":
        columns = width or min(shutil.get_terminal_size((80, 24)).columns, 120)
        sys.stdout.write(to_text(sheet.document(digits, language), columns, False))
    else:
        to_stdout(_content(sheet, medium, digits, language, width), medium)


def _medium(to: str | None, output: Path | None, as_json: bool) -> str:
    """The medium by its name, else by the suffix of the file, else the terminal."""
    if as_json:
        return "json"
    if to is not None:
        known = ("terminal", "json", *MEDIA)
        if to not in known:
            raise RenderError(
                f"there is no medium {to!r} for a matrix calculation; choose from {', '.join(known)}"
            )
        return to if output is None else medium_for(to, output)
    return "terminal" if output is None else medium_of(output)


def _content(sheet: MatrixSheet, medium: str, digits: int, language: str | None, width: int | None) -> bytes:
    if medium in MEDIA:
        return write(medium, sheet.document(digits, language))
    if medium == "json":
        return f"{json.dumps(sheet.as_json())}\n".encode()
    return to_text(sheet.document(digits, language), width or 80, False).encode()
