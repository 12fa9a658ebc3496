"""`handgrad mark`: answers judged, with an error carried forward, for one student or a class."""

from __future__ import annotations

import csv
import io
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import pyarrow as pa
import typer

from handgrad.cli.consoles import print_json, print_line, remark
from handgrad.cli.outputs import Force, Output, check_outputs, sheet_output
from handgrad.cli.spreadsheets import defused
from handgrad.errors import DataError, HandgradError, MissingExtraError, SpecificationError
from handgrad.exercises.answers import read_answers
from handgrad.exercises.class_list import exercise_for, exercises_of, files_in, slugs
from handgrad.exercises.class_marking import Work, mark_all
from handgrad.exercises.comments import comments, points
from handgrad.exercises.exercise import Exercise
from handgrad.exercises.marking import HALF, Paper, shares
from handgrad.exercises.sheet import files_of
from handgrad.exercises.summary import as_dict, summary
from handgrad.files import is_stream, write_whole
from handgrad.render.media import medium_of
from handgrad.render.terminal.sheet import to_text

PIPE_WIDTH, MOST_WIDTH = 80, 120


def mark(
    answers: Annotated[
        list[Path],
        typer.Argument(
            metavar="ANSWERS...",
            help="Files of answers (toml, csv, json; a filled pdf, docx, html, md, ipynb), or folders of them.",
        ),
    ],
    exercise: Annotated[
        Path | None,
        typer.Option(help="The exercises: a book (.json), a case or a recipe; else what each file carries."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the table of results: csv.")
    ] = None,
    comments_file: Annotated[
        Path | None,
        typer.Option(
            "--comments", help="Write a sheet of comments for each paper: md, html, tex, pdf, docx, ..."
        ),
    ] = None,
    summary_file: Annotated[
        Path | None,
        typer.Option("--summary", help="Write what the class gets wrong, and how: md, html, pdf, ..."),
    ] = None,
    last_digit: Annotated[
        float, typer.Option(help="Share of the marks for a number whose last digit is off by one.")
    ] = HALF,
    few_digits: Annotated[
        float, typer.Option(help="Share of the marks for a right number with fewer decimals than asked for.")
    ] = HALF,
    repeat: Annotated[
        str, typer.Option(help="A mistake of method that is made again costs its marks: each time, once.")
    ] = "each",
    language: Annotated[
        str | None, typer.Option(help="Language: en, bn; otherwise that of the locale.")
    ] = None,
    force: Force = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON: every paper with every number.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print nothing that was not asked for.")
    ] = False,
) -> None:
    """Mark answers: what is right given an earlier wrong number earns its marks.

    Exit status 1 where a file could not be marked; the others are.

    Example: handgrad mark answers.toml

    Example: handgrad mark handed-in --exercise book.json -o results.csv --comments comments.pdf --summary class.html
    """
    files = list(files_in(answers))
    table = shares(last_digit, few_digits, repeat)
    reads: list[Path | str | None] = [exercise, *files]
    outputs = [
        *([] if output is None else [Output("-o", output, (".csv",))]),
        *([] if summary_file is None else [sheet_output(summary_file, _medium(summary_file))]),
        *([] if comments_file is None or len(files) > 1 else [sheet_output(comments_file, _medium(comments_file))]),
    ]  # fmt: skip
    check_outputs(outputs, reads=reads, force=force, filled_in=True)
    papers, unread = _papers(files, exercise, table)
    if not papers:
        raise DataError("; ".join(unread[:3]))
    written: dict[Path, bytes] = {}
    if comments_file is not None:
        ends = slugs([paper.name or Path(paper.file).stem for paper in papers]) if len(files) > 1 else [""]
        for paper, end in zip(papers, ends, strict=True):
            path = comments_file.with_stem(f"{comments_file.stem}-{end}") if end else comments_file
            written |= files_of(comments(paper, language), path, _medium(comments_file))
    if summary_file is not None:
        written |= files_of(summary(papers, unread, language), summary_file, _medium(summary_file))
    if output is not None:
        written[output] = results(papers, unread)
    check_outputs(
        [Output("--comments", path, (path.suffix,)) for path in written],
        reads=reads,
        force=force,
        filled_in=True,
    )
    for path, content in written.items():
        write_whole(path, content)
        if not (quiet or as_json or is_stream(path)):
            print_line(f"wrote {path}")
    if as_json:
        print_json({**as_dict(papers), "unread": unread})
    elif not quiet and not written:
        one = len(papers) == 1 and not unread
        document = comments(papers[0], language) if one else summary(papers, unread, language)
        sys.stdout.write(to_text(document, _columns()))
    if unread:
        remark(unread if quiet or written or as_json else (), quiet=False)
        raise typer.Exit(1)


def _papers(
    files: Sequence[Path], exercise: Path | None, table: dict[str, float]
) -> tuple[list[Paper], list[str]]:
    """The papers marked, and a line for each file that could not be."""
    known: list[Exercise] = [] if exercise is None else exercises_of(exercise)
    is_book = (
        exercise is not None
        and exercise.suffix.lower() == ".json"
        and (len(known) > 1 or bool(known[0].name))
    )
    work: list[Work] = []
    unread: list[str] = []
    for path in files:
        try:
            read = read_answers(path)
            work.append((exercise_for(read, known, is_book), read, table))
        except MissingExtraError:
            raise
        except HandgradError as error:
            unread.append(str(error))
    return mark_all(work), unread


def results(papers: Sequence[Paper], unread: Sequence[str] = ()) -> bytes:
    """The table of results: a row for each paper, a column for each quantity; nothing in it runs in a spreadsheet."""
    quantities = list(dict.fromkeys(key for paper in papers for key in paper.by_quantity()))
    titles = [f"{name} (step {step})" if step > 1 else name for step, name in quantities]
    header = ["name", "file", "variant", "marks", "of", "percent", *titles, "mistakes", "remarks"]
    rows = []
    for paper in papers:
        earned = paper.by_quantity()
        rows.append(
            [
                paper.name,
                Path(paper.file).name,
                str(paper.exercise.number),
                points(paper.earned),
                points(paper.possible),
                f"{paper.percent:.1f}",
                *(points(earned[key][0]) if key in earned else "" for key in quantities),
                " ".join(dict.fromkeys(paper.causes().values())),
                "; ".join(paper.remarks),
            ]
        )
    empty = [""] * (len(header) - 3)
    rows += [["", line.partition(":")[0], *empty, line] for line in unread]
    columns = {str(k): pa.array([row[k] for row in rows], pa.string()) for k in range(len(header))}
    safe = defused(pa.table(columns)).to_pylist()
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(list(row.values()) for row in safe)
    return out.getvalue().encode()


def _medium(path: Path) -> str:
    medium = medium_of(path)
    if medium == "json":
        raise SpecificationError(f"{path}: print JSON with --json instead")
    return medium


def _columns() -> int:
    if not sys.stdout.isatty():
        return PIPE_WIDTH
    return min(MOST_WIDTH, shutil.get_terminal_size((PIPE_WIDTH, 24)).columns)
