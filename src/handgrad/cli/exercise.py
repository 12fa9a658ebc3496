"""`handgrad exercise`: a sheet with places to write into, its answer key, and files of answers to fill in."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from handgrad.cases.case import Case
from handgrad.cli.consoles import print_line
from handgrad.cli.explain import parse_steps
from handgrad.cli.options import described, whole_numbers
from handgrad.cli.outputs import Force, Output, check_outputs, sheet_output
from handgrad.errors import SpecificationError
from handgrad.exercises.answers import blank_csv, blank_toml
from handgrad.exercises.class_list import book, names_of, slugs
from handgrad.exercises.exercise import Exercise, Wishes, make, variants
from handgrad.exercises.moodle import moodle_xml
from handgrad.exercises.recipe import DIFFICULTIES, Recipe, read_source, recipe_of
from handgrad.exercises.sheet import answer_key, exercise_sheet, files_of, labels
from handgrad.files import is_stream, write_whole
from handgrad.render.document import Document
from handgrad.render.media import medium_of
from handgrad.render.terminal.sheet import to_text

PIPE_WIDTH = 80
MOST_VARIANTS = 5_000


def exercise(
    source: Annotated[
        Path | None,
        typer.Argument(metavar="[CASE|RECIPE]", help="A case file, or a recipe (a file with [recipe])."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write the sheet: md, html, tex, pdf, docx, ipynb, txt."),
    ] = None,
    answers: Annotated[
        Path | None,
        typer.Option(
            help="Write the answer key, with the whole calculation: md, html, tex, pdf, docx, ipynb, txt."
        ),
    ] = None,
    fill: Annotated[
        Path | None, typer.Option(help="Write a file of answers to fill in: toml or csv.")
    ] = None,
    moodle: Annotated[
        Path | None, typer.Option(help="Write Moodle XML: a question with numerical fields for each variant.")
    ] = None,
    book_file: Annotated[
        Path | None,
        typer.Option("--book", help="Write all exercises as one JSON file, for handgrad mark --exercise."),
    ] = None,
    sizes: Annotated[
        str | None, typer.Option(metavar="N,N,...", help="Recipe: inputs, then the units of each layer.")
    ] = None,
    activations: Annotated[
        str | None, typer.Option(help="Recipe: an activation for each layer, or one for all hidden ones.")
    ] = None,
    loss: Annotated[str | None, typer.Option(help="Recipe: the loss.")] = None,
    optimizer: Annotated[
        str | None, typer.Option(metavar="NAME:KEY=VALUE,...", help="Recipe: such as adam:learning_rate=0.1.")
    ] = None,
    difficulty: Annotated[
        str | None, typer.Option(help=f"Recipe: {', '.join(DIFFICULTIES)}; how fine the numbers are.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Recipe: decides all numbers.")] = None,
    samples: Annotated[int | None, typer.Option(help="Recipe: samples in the batch.")] = None,
    dead: Annotated[int | None, typer.Option(help="Recipe: so many hidden units that are dead.")] = None,
    saturated: Annotated[
        int | None, typer.Option(help="Recipe: so many hidden units that are saturated.")
    ] = None,
    ask: Annotated[
        str | None,
        typer.Option(
            metavar="WHAT,...", help="forward, loss, backward, update, or quantities such as z1,dW2."
        ),
    ] = None,
    digits: Annotated[int | None, typer.Option(help="Decimals of an answer.")] = None,
    marks: Annotated[
        list[str] | None,
        typer.Option(
            metavar="QUANTITY=N", help="Marks for a quantity, otherwise 1 a number; may be repeated."
        ),
    ] = None,
    step: Annotated[
        str | None, typer.Option(help="A step N, or several A:B (both included), counted from 1.")
    ] = None,
    count: Annotated[
        int | None,
        typer.Option("--variants", min=1, max=MOST_VARIANTS, help="So many, each with a seed of its own."),
    ] = None,
    names: Annotated[
        str | None, typer.Option(help="A variant for each name: a file with a name in each line, or A,B,C.")
    ] = None,
    hints: Annotated[
        bool, typer.Option("--hints", help="The equation in letters before each place to write into.")
    ] = False,
    language: Annotated[
        str | None, typer.Option(help="Language of the sheet: en, bn; otherwise that of the locale.")
    ] = None,
    force: Force = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Do not name the files that were written.")
    ] = False,
) -> None:
    """Make a worksheet with blanks, from a case or from a recipe, with its answer key.

    With several variants a number or a name is added to the name of each file.

    Example: handgrad exercise examples/relu-sigmoid-2-2-1.toml -o sheet.pdf --answers key.pdf --fill answers.toml

    Example: handgrad exercise --sizes 2,3,1 --difficulty easy --seed 7 --names Ann,Ben -o sheet.docx --book book.json
    """
    made = _made(
        source,
        Wishes(
            tuple(part.strip() for part in (ask or "").split(",") if part.strip()),
            digits,
            _marks(marks),
            _steps(step),
        ),
        {
            "sizes": None if sizes is None else tuple(whole_numbers("--sizes", sizes)),
            "activations": None if activations is None else tuple(activations.split(",")),
            "loss": loss,
            "optimizer": None if optimizer is None else described("--optimizer", optimizer, _optimizer),
            "difficulty": difficulty,
            "samples": samples,
            "dead": dead,
            "saturated": saturated,
        },
        seed,
        count,
        [] if names is None else names_of(names),
    )
    ends = [""] if len(made) == 1 and not names else [f"-{slug}" for slug in slugs(_ends(made))]
    outputs = [
        *(sheet_output(_with(path, end), medium_of(path))._replace(flag=flag) for flag, path in
          (("-o", output), ("--answers", answers)) if path is not None for end in ends),
        *(Output("--fill", _with(fill, end), (".toml", ".csv")) for end in ends if fill is not None),
        *([] if moodle is None else [Output("--moodle", moodle, (".xml",))]),
        *([] if book_file is None else [Output("--book", book_file, (".json",))]),
    ]  # fmt: skip
    if fill is not None and fill.suffix.lower() not in (".toml", ".csv"):
        raise SpecificationError(f"--fill writes .toml or .csv, got {fill.name}")
    check_outputs(outputs, reads=[source], force=force, filled_in=True)
    written: dict[Path, bytes] = {}
    for one, end in zip(made, ends, strict=True):
        if output is not None:
            sheet = exercise_sheet(one, language, hints)
            written |= _files(sheet, _with(output, end), medium_of(output))
        if answers is not None:
            written |= _files(answer_key(one, language), _with(answers, end), medium_of(answers))
        if fill is not None:
            blank = blank_csv if fill.suffix.lower() == ".csv" else blank_toml
            written[_with(fill, end)] = blank(one, labels(one, language)).encode()
    if moodle is not None:
        written[moodle] = moodle_xml(made, language)
    if book_file is not None:
        written[book_file] = book(made).encode()
    beside = [Output("-o", path, (path.suffix,)) for path in written if path.suffix == ".svg"]
    check_outputs(beside, reads=[source], force=force, filled_in=True)
    for path, content in written.items():
        write_whole(path, content)
        if not (quiet or is_stream(path)):
            print_line(f"wrote {path}")
    if not written:
        for one in made:
            sys.stdout.write(to_text(exercise_sheet(one, language, hints), PIPE_WIDTH))


def _optimizer(name: str, **keys: Any) -> dict[str, Any]:
    return {"name": name, **keys}


def _made(
    source: Path | None,
    wishes: Wishes,
    changes: dict[str, Any],
    seed: int | None,
    count: int | None,
    names: Sequence[str],
) -> list[Exercise]:
    """The exercises: of a case as it is, or of a recipe, one for each variant."""
    changes = {key: value for key, value in changes.items() if value is not None}
    opened: Case | Recipe = Recipe(place="--sizes") if source is None else read_source(source)
    if source is None and "sizes" not in changes:
        raise SpecificationError("give a case file, a recipe, or --sizes such as 2,3,1")
    if isinstance(opened, Case):
        if changes:
            flags = ", ".join(f"--{key}" for key in changes)
            raise SpecificationError(f"{flags} belongs to a recipe; {source} is a case with its own network")
        if count is None and not names and seed is None:
            return [make(opened, wishes, str(source))]
        opened = recipe_of(opened, seed or 0, str(source))
    if changes:
        opened = _changed(opened, changes)
    if seed is not None:
        opened = replace(opened, seed=seed)
    return variants(opened, wishes, names, count or 1)


def _changed(recipe: Recipe, changes: dict[str, Any]) -> Recipe:
    """The recipe with what the flags say; what it had filled in by itself is filled in anew."""
    own: dict[str, Any] = {}
    if "sizes" in changes or "loss" in changes or "activations" in changes:
        own["activations"] = ()
    if "sizes" in changes and "loss" not in changes:
        own["loss"] = None
    if "difficulty" in changes:
        own |= {"samples": 0, "ask": ()}
    return replace(recipe, **{**own, **changes})


def _marks(pairs: list[str] | None) -> dict[str, float]:
    try:
        return {
            name.strip(): float(worth) for name, _, worth in (pair.partition("=") for pair in pairs or [])
        }
    except ValueError as error:
        raise SpecificationError(f"--marks is written QUANTITY=N, such as loss=2, got {pairs}") from error


def _steps(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    steps = parse_steps(text)
    return steps if isinstance(steps, tuple) else (steps, steps)


def _ends(made: Sequence[Exercise]) -> list[str]:
    """What tells the files of the variants apart: the name, or the number with zeros before it."""
    places = len(str(len(made)))
    return [one.name or f"{one.number:0{places}d}" for one in made]


def _with(path: Path, end: str) -> Path:
    return path.with_name(f"{path.stem}{end}{path.suffix}") if end else path


def _files(document: Document, path: Path, medium: str) -> dict[Path, bytes]:
    if medium == "json":
        raise SpecificationError(f"{path}: a sheet has no JSON; the numbers are in --book FILE.json")
    return files_of(document, path, medium)
