"""`python -m tests.mutation nn/forward nn/step training`: which changes of these files no test notices.

Each room meets the tests of TESTS. Survivors are printed, unless equivalent.toml names them; the exit status is 1 where
more than 5 % of a room's mutants survive.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import count, pairwise
from pathlib import Path

import pytest

import handgrad
from tests.mutation.mutants import Mutant
from tests.mutation.session import KILLED, Mutation

HOUSE = Path(handgrad.__file__).parent
HERE = Path(__file__).parent
MOST = 0.05
TESTS = {
    "nn": (
        "tests/nn",
        "tests/training",
        "tests/cases",
        "tests/worked/test_derive.py",
        "tests/models/test_why.py",
    ),
    "training": ("tests/training", "tests/cases", "tests/worksheets", "tests/models"),
    "worked": ("tests/worked", "tests/worksheets", "tests/render/test_layout.py", "tests/test_published.py"),
    "audit": ("tests/audit", "tests/worked"),
}
NEVER = (
    "tests/nn/test_jax.py",  # a forked child may not start JAX's threads
    "tests/training/test_against_scikit_learn.py",  # slow, and looser than the equations
)

Key = tuple[str, str, str, str]
"""File, function, line as it stands, change."""
Fates = dict[tuple[Path, Mutant], str]


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the mutants of the rooms or files named, all rooms by default."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__.split("\n")[0])
    parser.add_argument("what", nargs="*", default=list(TESTS), help="a room (nn) or a file (nn/forward)")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--line", type=int, help="only the mutants of this line")
    parser.add_argument("--every", type=int, default=1, help="only every Nth mutant: an estimate")
    parser.add_argument("--again", type=Path, help="only the survivors that an earlier output names")
    parser.add_argument(
        "--reach", type=Path, help="a file that keeps which tests reach what, for the next run"
    )
    parser.add_argument(
        "--tests", nargs="+", metavar="PATH", help="only these tests in the place of the room's"
    )
    asked = parser.parse_args(arguments)
    again = None if asked.again is None else _survivors(asked.again.read_text(encoding="utf-8"))
    for what in asked.what:
        if what.split("/")[0] not in TESTS or ("/" in what and not (HOUSE / f"{what}.py").exists()):
            parser.error(
                f"{what!r} is neither a room ({', '.join(TESTS)}) nor a file of one, such as nn/forward"
            )
    os.environ["HYPOTHESIS_PROFILE"] = "mutation"
    signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # a job in the background ignores what tests press
    known, poor = _equivalent(), False
    rows = []
    for room in dict.fromkeys(what.split("/")[0] for what in asked.what):
        if not (HOUSE / room).exists():
            continue
        files = _files(room, asked.what)
        chosen = partial(_chosen, asked.line, again, asked.every, count())
        plugin = Mutation(files, asked.jobs, chosen, partial(_show, known, Counter()), kept=asked.reach)
        tests = asked.tests or [test for test in TESTS[room] if Path(test).exists()]
        options = ["-q", "-p", "no:xdist", "-p", "no:cacheprovider", *(f"--ignore={path}" for path in NEVER)]
        if pytest.main([*options, *tests], [plugin]) not in (0, 5):
            return 2
        row, fails = _row(
            room, files if (asked.line, again, asked.every) == (None, None, 1) else [], plugin.fates, known
        )
        rows.append(row)
        poor = poor or fails
    print("\n| room | mutants | killed | equivalent | survive |\n| --- | ---: | ---: | ---: | ---: |")
    print("\n".join(rows))
    return int(poor)


def _files(room: str, what: Sequence[str]) -> list[Path]:
    chosen = [HOUSE / f"{name}.py" for name in what if "/" in name and name.split("/")[0] == room]
    return sorted((HOUSE / room).rglob("*.py")) if room in what else chosen


def _key(file: Path, mutant: Mutant) -> Key:
    return str(file.relative_to(HOUSE)), mutant.function, mutant.text, mutant.change


def _equivalent() -> dict[Key, str]:
    entries = tomllib.loads((HERE / "equivalent.toml").read_text(encoding="utf-8")).get("equivalent", [])
    return {(e["file"], e["function"], e["line"], e["change"]): e["why"] for e in entries}


def _chosen(
    line: int | None, again: set[Key] | None, every: int, place: Iterator[int], file: Path, mutant: Mutant
) -> bool:
    return (
        line in (None, mutant.line)
        and (again is None or _key(file, mutant) in again)
        and next(place) % every == 0
    )


def _survivors(text: str) -> set[Key]:
    """What an earlier run printed: a line with the place and the change, and one with the text."""
    found = set()
    for head, line in pairwise(text.splitlines()):
        said = re.fullmatch(r"(.+?):\d+: (?:survived|unreached): in (.+?): (.+)", head)
        if said:
            file, function, change = said.groups()
            found.add((file, "" if function == "the module" else function, line.strip(), change))
    return found


def _show(known: Mapping[Key, str], seen: Counter[str], file: Path, mutant: Mutant, fate: str) -> None:
    """Says a survivor as soon as it is one, and now and then how far things are."""
    seen[fate] += 1
    if fate != KILLED and _key(file, mutant) not in known:
        where = f"{file.relative_to(HOUSE)}:{mutant.line}"
        print(f"{where}: {fate}: in {mutant.function or 'the module'}: {mutant.change}\n    {mutant.text}")
    if seen.total() % 100 == 0:
        print(f"({seen.total()} mutants of {file.parent.name}/{file.name} and before, {seen[KILLED]} killed)")
    sys.stdout.flush()


def _row(room: str, files: Sequence[Path], fates: Fates, known: dict[Key, str]) -> tuple[str, bool]:
    """The row of the table, and whether too many survive."""
    alive = {place: fate for place, fate in fates.items() if fate != KILLED}
    named = {place for place in alive if _key(*place) in known}
    stale = {key for key in known if (HOUSE / key[0]) in files} - {_key(*place) for place in fates}
    for key in sorted(stale):
        print(f"equivalent.toml: no mutant is {key}", file=sys.stderr)
    rest = len(alive) - len(named)
    part = rest / max(1, len(fates))
    row = f"| {room} | {len(fates)} | {len(fates) - len(alive)} | {len(named)} | {rest} ({part:.1%}) |"
    return row, part > MOST or bool(stale)


if __name__ == "__main__":
    sys.exit(main())
