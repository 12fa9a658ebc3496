"""A set of exercises as one file, and which paper belongs to which of them."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from handgrad.cases.case import Case
from handgrad.errors import CaseError, DataError
from handgrad.exercises.answers import READERS, Answers
from handgrad.exercises.exercise import Exercise, make
from handgrad.exercises.recipe import Recipe, read_source
from handgrad.files import read_whole
from handgrad.rich_repr import printable
from handgrad.version import __version__

MOST_NAMES = 5_000
_LONGEST_NAME = 100


def book(exercises: Sequence[Exercise]) -> str:
    """All exercises of a class as JSON, for whoever marks them."""
    held = {"handgrad": __version__, "exercises": [exercise.as_dict() for exercise in exercises]}
    return json.dumps(held, indent=1, ensure_ascii=False) + "\n"


def exercises_of(path: Path) -> list[Exercise]:
    """The exercises of a file: a book of them, a case, or a recipe.

    Raises CaseError for a file that is none of these.
    """
    if path.suffix.lower() == ".json":
        held = _book(path)
        if held is not None:
            return [Exercise.from_dict(each, f"{path}: exercises[{k}]") for k, each in enumerate(held)]
    source: Case | Recipe = read_source(path)
    return [make(source, place=str(path))]


def _book(path: Path) -> list[Any] | None:
    try:
        held = json.loads(read_whole(path).decode("utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return None  # read_source says what is wrong
    listed = held.get("exercises") if isinstance(held, dict) else None
    return listed if isinstance(listed, list) and listed else None


def exercise_for(answers: Answers, known: Sequence[Exercise], is_book: bool) -> Exercise:
    """The exercise that answers belong to: of those that are known, else the one that the file itself carries.

    Raises CaseError where that cannot be told.
    """
    carried = Exercise.from_code(answers.exercise, answers.file) if answers.exercise else None
    if not known:
        if carried is None:
            raise CaseError(
                f"{answers.file}: nothing says which exercise it is; name the exercise with --exercise"
            )
        return carried
    if carried is not None:
        for exercise in known:
            if exercise.id == carried.id and (not exercise.name or exercise.name == carried.name):
                return exercise
            if not is_book and exercise.case_id == carried.case_id:
                return carried  # other numbers of it were asked for than would be by default
        raise CaseError(f"{answers.file}: it belongs to another exercise than the one named with --exercise")
    if len(known) == 1:
        return known[0]
    named = [exercise for exercise in known if exercise.name and _same(exercise.name, answers.name)]
    if len(named) == 1:
        return named[0]
    raise CaseError(f"{answers.file}: nothing says which of the {len(known)} exercises it is")


def _same(one: str, other: str) -> bool:
    return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()


def names_of(text: str) -> list[str]:
    """Names of a file with one in each line (of a table its first column), or with commas between them.

    >>> names_of("Ann, Ben")
    ['Ann', 'Ben']

    Raises DataError where there are none, or too many.
    """
    path = Path(text)
    try:
        is_file = path.is_file()
    except OSError:
        is_file = False
    if is_file:
        lines = read_whole(path).decode("utf-8-sig", errors="replace").splitlines()
        found = [
            re.split(r"[;\t,]" if path.suffix.lower() in (".csv", ".tsv") else r"\t", line)[0]
            for line in lines
        ]
    else:
        found = text.split(",")
    names = [printable(name.strip().strip('"'))[:_LONGEST_NAME] for name in found]
    names = [name for name in names if name]
    if not 1 <= len(names) <= MOST_NAMES:
        raise DataError(f"--names: 1 to {MOST_NAMES:,} names are taken, got {len(names):,}")
    return names


def files_in(places: Iterable[Path]) -> Iterator[Path]:
    """The files of answers among files and folders, in order; in folders those whose suffix can be read.

    Raises DataError for a place that is not there, or a folder with nothing to mark.
    """
    for place in places:
        if not place.is_dir():
            yield place
            continue
        found = [path for path in sorted(place.rglob("*")) if _handed_in(path, place)]
        if not found:
            raise DataError(f"{place}: there is no file of answers in it ({', '.join(READERS)})")
        yield from found


def _handed_in(path: Path, place: Path) -> bool:
    hidden = any(part.startswith((".", "~$")) for part in path.relative_to(place).parts)
    return path.suffix.lower() in READERS and path.is_file() and not hidden


def slugs(names: Sequence[str]) -> list[str]:
    """Ends of file names for names: letters and digits with - between them, each different.

    >>> slugs(["Ann Ä.", "../ann ä", "", "রহিম"])
    ['ann-ä', 'ann-ä-2', '3', 'রহিম']
    """
    found: list[str] = []
    for number, name in enumerate(names, 1):
        kept = "".join(sign if unicodedata.category(sign)[0] in "LMN" else "-" for sign in name.casefold())
        base = re.sub(r"-+", "-", kept).strip("-")[:40] or str(number)
        slug, count = base, 1
        while slug in found:
            count += 1
            slug = f"{base}-{count}"
        found.append(slug)
    return found
