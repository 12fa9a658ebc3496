"""`handgrad read`: the case file of a page, drafted for its author to correct."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from handgrad.audit.page.draft import draft_case
from handgrad.cli.consoles import print_line
from handgrad.cli.outputs import Force, Output, check_outputs
from handgrad.files import is_stream, write_whole


def read(
    page: Annotated[Path, typer.Argument(metavar="PAGE", help="A page: md, txt, tex, html, ipynb.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write the case file (.toml) here instead of printing it."),
    ] = None,
    force: Force = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only the exit status.")] = False,
) -> None:
    """Draft the case file of a page: network, data, loss, optimizer and claims, with a comment at every guess.

    Exit status 1 where something could not be found; what is missing stands in the file as a comment.

    Example: handgrad read notes.md -o notes.toml
    """
    if output is not None:
        check_outputs([Output("-o", output, (".toml",))], reads=[page], force=force)
    drafted = draft_case(page)
    if output is not None:
        write_whole(output, drafted.text.encode())
        if not (quiet or is_stream(output)):
            print_line(
                f"wrote {output}, with {drafted.claims} claims; correct it, then handgrad check {output}"
            )
    elif not quiet:
        sys.stdout.write(drafted.text)
    if drafted.missing:
        sys.stderr.write(f"handgrad: not found on the page: {', '.join(drafted.missing)}; fill it in\n")
        raise typer.Exit(1)
