"""`handgrad check`: somebody's printed numbers beside the calculation."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from handgrad.audit.check import Audit
from handgrad.audit.page.beside import check as judged
from handgrad.cli.consoles import print_line, wants_color
from handgrad.cli.outputs import Force, check_outputs, sheet_output
from handgrad.files import is_stream, write_whole
from handgrad.render.media import medium_of
from handgrad.render.terminal.colours import depth_of, ground_of

PIPE_WIDTH, MOST_WIDTH = 80, 120


def check(
    what: Annotated[
        Path,
        typer.Argument(
            metavar="CASE|PAGE",
            help="A case file (.toml, .json) with [[claims]], or a page (md, txt, tex, html, ipynb) with --case.",
        ),
    ],
    case: Annotated[
        list[Path] | None,
        typer.Option(
            "--case",
            help="The case file that a page's calculation belongs to; several for a page with several calculations.",
        ),
    ] = None,
    language: Annotated[
        str | None, typer.Option(help="Language of the report: en, bn; otherwise that of the locale.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Write the report to this file: md, html, tex, pdf, docx, ipynb, json, txt.",
        ),
    ] = None,
    force: Force = False,
    width: Annotated[int | None, typer.Option(min=20, help="Columns of the terminal.")] = None,
    certify: Annotated[
        bool, typer.Option("--certify", help="Compare with the exact values, computed without rounding.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON: a row for each claim.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only the exit status.")] = False,
) -> None:
    """Judge the numbers that a case claims: which are wrong, which only follow, and by which mistake.

    Of a page, what it prints is read and judged beside the case, line by line. Exit status 1 where something is
    wrong.

    Example: handgrad check examples/mazur-2015-retold.toml

    Example: handgrad check notes.md --case examples/sigmoid-2-2-1.toml

    Example: handgrad check lecture.tex --case first.toml --case second.toml

    Example: handgrad check examples/sigmoid-2-2-1.toml -o report.html
    """
    if output is not None:
        check_outputs([sheet_output(output, medium_of(output))], reads=[what, *(case or ())], force=force)
    audit = judged(what, case or None, certify=certify)
    if output is not None:
        _write(audit, output, width, language)
        if not (quiet or as_json or is_stream(output)):
            print_line(f"wrote {output}")
    if as_json:
        sys.stdout.write(audit.json())
    elif not quiet and output is None:
        sys.stdout.write(_in_terminal(audit, width, language))
    if audit.found_something:
        raise typer.Exit(1)


def _write(audit: Audit, output: Path, width: int | None, language: str | None) -> None:
    if medium_of(output) == "terminal":
        write_whole(output, audit.text(width or PIPE_WIDTH, language=language).encode())
    else:
        audit.save(output, language=language)


def _in_terminal(audit: Audit, width: int | None, language: str | None) -> str:
    depth, ground = depth_of(os.environ), ground_of(os.environ)
    return audit.text(_columns(width), wants_color(), language, depth, ground)


def _columns(width: int | None) -> int:
    if width is not None:
        return width
    return (
        min(MOST_WIDTH, shutil.get_terminal_size((PIPE_WIDTH, 24)).columns)
        if sys.stdout.isatty()
        else PIPE_WIDTH
    )
