"""`handgrad explain`: the worked calculation of a case or of a step of a trained model."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from handgrad.cli.consoles import print_line, remark, require_color, wants_color
from handgrad.cli.outputs import Force, Output, check_outputs, sheet_output, to_stdout
from handgrad.errors import SpecificationError
from handgrad.files import is_stream, write_whole
from handgrad.render.media import medium_for, medium_of
from handgrad.render.settings import ALL_OF_TEXTBOOK, DEFAULT_PARTS, PARTS, TEXTBOOK
from handgrad.render.terminal.colours import depth_of, ground_of
from handgrad.worksheets.worksheet import Worksheet
from handgrad.worksheets.worksheet import explain as open_worksheet

PIPE_WIDTH = 80
MOST_WIDTH = 120  # a line of text or of a formula is hard to read beyond this


def explain(
    what: Annotated[
        Path, typer.Argument(metavar="CASE|MODEL", help="A case file (.toml, .json) or a model.")
    ],
    data: Annotated[
        Path | None, typer.Option(help="For a model: the table it was trained on, if it has moved.")
    ] = None,
    rows: Annotated[
        str | None, typer.Option(help="For a model: rows of the table, N or A:B, counted from 0.")
    ] = None,
    step: Annotated[
        str | None, typer.Option(help="A step N, or several A:B (both included), counted from 1.")
    ] = None,
    detail: Annotated[
        str | None,
        typer.Option(help="brief, matrix or scalar; without it brief for more than 30 parameters."),
    ] = None,
    focus: Annotated[
        str | None,
        typer.Option(
            metavar="ENTRY",
            help="Only the path to one entry, counted from 0: W2[0,1], b1[2], a1[0], yhat[1], x[2] (a row).",
        ),
    ] = None,
    digits: Annotated[int | None, typer.Option(help="Decimals shown.")] = None,
    significant: Annotated[
        int | None, typer.Option(help="Significant digits shown, instead of decimals.")
    ] = None,
    carry: Annotated[
        bool | None, typer.Option(help="Round each result before it is used again, as on paper.")
    ] = None,
    digits_of: Annotated[
        list[str] | None,
        typer.Option(metavar="QUANTITY=N", help="Decimals of one quantity, such as a1=2; may be repeated."),
    ] = None,
    notation: Annotated[
        str | None, typer.Option(help="Layer index: bracket W^[1], superscript W^1, subscript W_1.")
    ] = None,
    names: Annotated[
        str | None,
        typer.Option(help="Letters: az, hy (h, yhat), xyz (layers X, Y, Z) or capital (A, Z, W, B, C)."),
    ] = None,
    numerals: Annotated[str | None, typer.Option(help="Digits: latin or bengali.")] = None,
    first_index: Annotated[int | None, typer.Option(help="Entries are counted from 1 or from 0.")] = None,
    orientation: Annotated[str | None, typer.Option(help="A sample is a column or a row.")] = None,
    layer: Annotated[list[int] | None, typer.Option(help="Only this layer; may be repeated.")] = None,
    neuron: Annotated[int | None, typer.Option(help="Only this unit in the scalar detail, from 1.")] = None,
    sample: Annotated[int | None, typer.Option(help="Only this sample in the scalar detail, from 1.")] = None,
    with_part: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            metavar="PART",
            help=f"Add a part: {', '.join(PARTS)}; textbook or a part of it ({', '.join(TEXTBOOK)}); or all; "
            "may be repeated.",
        ),
    ] = None,
    without_part: Annotated[
        list[str] | None, typer.Option("--without", metavar="PART", help="Leave a part out; may be repeated.")
    ] = None,
    certify: Annotated[
        bool,
        typer.Option(
            "--certify", help="Every digit as that of the exact value; name those float64 has wrong."
        ),
    ] = False,
    language: Annotated[
        str | None, typer.Option(help="Language of the sheet: en, bn; otherwise that of the locale.")
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(
            help="terminal, md, html, live (a page whose numbers can be changed), slides (a deck; "
            "with -o NAME.pdf its pages), tex, pdf, docx, ipynb or json; "
            "otherwise by the suffix of -o."
        ),
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file.")] = None,
    force: Force = False,
    width: Annotated[int | None, typer.Option(min=20, help="Columns of the terminal.")] = None,
    color: Annotated[
        str,
        typer.Option(
            metavar="WHEN",
            help="Colours of quantities in the terminal: auto (a terminal without NO_COLOR), always or never.",
        ),
    ] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="The same as --to json.")] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Do not name the file that was written.")
    ] = False,
) -> None:
    """Open a case, or any step of a trained model, as a complete hand calculation.

    Every equation in symbols, with the numbers put in, with its result and its shapes.

    Example: handgrad explain examples/relu-sigmoid-2-2-1.toml --detail scalar

    Example: handgrad explain penguins.safetensors --step 40 --to html -o step40.html

    Example: handgrad explain examples/mazur-2015.toml --to live -o sheet.html
    """
    medium = _medium(to, output, as_json)
    require_color(color)
    if certify and medium == "live":
        raise SpecificationError("a live sheet computes in float64; --certify is for the other media")
    if output is not None:
        check_outputs([sheet_output(output, medium)], reads=[what, data], force=force)
    worksheet = open_worksheet(
        what,
        step=None if step is None else parse_steps(step),
        data=data,
        rows=rows,
        detail=detail,
        focus=focus,
        digits=digits,
        significant=significant,
        carry=carry,
        digits_of=_digits_of(digits_of),
        parts=_parts(with_part or [], without_part or []),
        language=language,
        layer_notation=notation,
        names=names,
        first_index=first_index,
        numerals=numerals,
        orientation=orientation,
        layers=layer,
        neuron=neuron,
        sample=sample,
        certify=certify,
    )
    if output is not None:
        whole = _whole(worksheet, medium, width)
        files = worksheet.files(output, medium) if whole is None else {output: whole}
        beside = [Output("-o", path, (".svg",)) for path in files if path != output]  # figures of Markdown
        check_outputs([*beside, sheet_output(output, medium)], reads=[what, *worksheet.reads()], force=force)
        for path, content in files.items():
            write_whole(path, content)
        if not (quiet or is_stream(output)):
            print_line(f"wrote {output}")
    elif medium == "terminal":
        _show(worksheet, width, color)
    else:
        to_stdout(_whole(worksheet, medium, width) or worksheet.to(medium), medium)
    remark(worksheet.remarks, quiet)


def parse_steps(text: str) -> int | tuple[int, int]:
    """A step "N" or steps "A:B", both included, counted from 1."""
    head, colon, tail = text.partition(":")
    try:
        return (int(head), int(tail)) if colon else int(head)
    except ValueError as error:
        raise SpecificationError(
            f"--step is written N or A:B (steps A to B, from 1), got {text!r}"
        ) from error


def _digits_of(pairs: list[str] | None) -> dict[str, int] | None:
    if not pairs:
        return None
    try:
        return {name: int(digits) for name, _, digits in (pair.partition("=") for pair in pairs)}
    except ValueError as error:
        raise SpecificationError(f"--digits-of is written QUANTITY=N, such as a1=2, got {pairs}") from error


def _parts(added: list[str], removed: list[str]) -> frozenset[str]:
    for part in (*added, *removed):
        if part not in (*PARTS, *TEXTBOOK, ALL_OF_TEXTBOOK, "all"):
            known = ", ".join((*PARTS, *TEXTBOOK))
            raise SpecificationError(f"there is no part {part!r}; choose from {known}, textbook, all")
    groups = {"all": (*PARTS, *TEXTBOOK), ALL_OF_TEXTBOOK: TEXTBOOK}
    chosen = DEFAULT_PARTS | {part for name in added for part in groups.get(name, (name,))}
    return frozenset(chosen - {part for name in removed for part in groups.get(name, (name,))})


def _medium(to: str | None, output: Path | None, as_json: bool) -> str:
    if as_json:
        return "json"
    if to is not None:
        return to if output is None else medium_for(to, output)
    return "terminal" if output is None else medium_of(output)


def _whole(worksheet: Worksheet, medium: str, width: int | None) -> bytes | None:
    """The sheet in a medium that is not a worksheet's own; None for one that is."""
    if medium == "live":
        from handgrad.live.page import live_sheet

        return live_sheet(worksheet)
    return worksheet.text(width or PIPE_WIDTH).encode() if medium == "terminal" else None


def _show(worksheet: Worksheet, width: int | None, color: str) -> None:
    terminal = sys.stdout.isatty()
    if width is None:
        width = (
            min(shutil.get_terminal_size((PIPE_WIDTH, 24)).columns, MOST_WIDTH) if terminal else PIPE_WIDTH
        )
    depth = "256" if color == "always" and not terminal else depth_of(os.environ)
    sys.stdout.write(worksheet.text(width, wants_color(color), depth, ground_of(os.environ)))
