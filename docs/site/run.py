"""Runs the blocks of a page in a folder that looks like a clone: its commands, its Python, the files it prints."""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from docs.site.blocks import Block, Command, blocks, commands, made_by_the_page, output
from handgrad.cli.main import app, status

ROOT = Path(__file__).resolve().parents[2]
FOUND = ("check", "read", "mark", "gradcheck", "verify")
"""Verbs whose exit status is 1 where something was found."""
ONLY_READ = ("open", "--open", "--coordinator", "DATA")
"""Words of commands that are servers, need other machines or name no table: their options are read, no more."""
LONG = ("tune", "bench")
"""Verbs that take a minute: run by `make docs`, and only read by `make test`."""


@contextlib.contextmanager
def clone() -> Iterator[Path]:
    """A folder with the examples in it, that is the working directory meanwhile; the language is English."""
    before, kept = Path.cwd(), dict(os.environ)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "examples").symlink_to(ROOT / "examples")
        os.environ.update(COLUMNS="80", LC_ALL="C.UTF-8", NO_COLOR="1")
        os.chdir(folder)
        try:
            yield folder
        finally:
            os.chdir(before)
            os.environ.clear()
            os.environ.update(kept)


def run_command(command: Command) -> tuple[int, str]:
    """The exit status of a command and what it printed; handgrad in this process, other programs beside it."""
    program, *arguments = command.words
    if program == "handgrad":
        printed, said = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(said):
            try:
                code = status(arguments)
            except SystemExit as ended:  # --version
                code = int(ended.code or 0)
        printed.seek(0)
        return code, printed.read() + (said.getvalue() if code else "")
    words = [sys.executable, *arguments] if program == "python" else command.words
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def _target(words: list[str]) -> str | None:
    """`make` is not called within the tests that it calls; its targets are looked up."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return next((f"no target {word}" for word in words[1:] if f"\n{word}:" not in makefile), None)


def _extra(words: list[str]) -> str | None:
    """Nothing is installed by a test; the extras that are named are looked up."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = [
        name for word in words for found in re.findall(r"\[([\w,-]+)\]", word) for name in found.split(",")
    ]
    return next((f"no extra {name}" for name in named if name not in project["optional-dependencies"]), None)


def _module(words: list[str]) -> str | None:
    """A module of the repository that measures or tests: it is there, and knows its options."""
    file = ROOT.joinpath(*words[2].split(".")).with_suffix(".py")
    file = file if file.exists() else file.with_suffix("") / "__main__.py"
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    return next(
        (f"{words[2]} knows no {word}" for word in words[3:] if word[:2] == "--" and word not in text), None
    )


def _completion(option: str) -> str | None:
    """It would change the shell of whoever runs the tests; that there is such an option is looked up."""
    command: Any = typer.main.get_command(app)
    known = {name for parameter in command.params for name in parameter.opts}
    return None if option in known else f"no option {option}"


LOOKED_UP = {"make": _target, "pip": _extra}


def _options(words: list[str]) -> None:
    """Reads the arguments and options of a verb, and does nothing. Raises an error of usage."""
    group: Any = typer.main.get_command(app)
    group.get_command(None, words[1]).make_context(words[1], list(words[2:]))


def fails(command: Command, long: bool = True) -> str | None:  # noqa: PLR0911  one kind of command after another
    """Runs a command; what is wrong with it, None where it does what the page says."""
    words = command.words
    if words[0] in LOOKED_UP:
        return LOOKED_UP[words[0]](words)
    if words[:2] == ["handgrad", "--install-completion"]:
        return _completion(words[1])
    if words[:2] == ["python", "-m"] and words[2].partition(".")[0] in ("benchmarks", "tests"):
        return _module(words)
    if words[0] == "handgrad" and (set(ONLY_READ) & set(words) or (words[1] in LONG and not long)):
        return _options(words)
    code, printed = run_command(command)
    if code != 0 and not (code == 1 and command.words[:1] == ["handgrad"] and command.words[1] in FOUND):
        return f"line {command.line}: exit status {code}: {printed[-500:]}"
    missing = [name for name in output(command) if not list(Path.cwd().glob(_stem(name)))]
    if missing:
        return f"line {command.line}: {missing} was not written"
    place, text = 0, _words(printed)
    for piece in filter(None, map(_words, _pieces(command.shown))):
        found = text.find(piece, place)
        if found < 0:
            return f"line {command.line}: the page shows\n{piece}\nand the command printed\n{printed[-4000:]}"
        place = found + len(piece)
    return None


def _stem(name: str) -> str:
    """A pattern for a file, also where a number or a name is added to its own."""
    path = Path(name)
    return str(path.with_name(f"{path.stem}*{path.suffix}"))


def _words(text: str) -> str:
    """A text whose lines have one space between their words: how a table is padded is not what a page shows."""
    return "\n".join(" ".join(line.split()) for line in text.strip("\n").splitlines())


def _pieces(shown: str) -> list[str]:
    """The parts of an output that is shown with `...` where something is left out."""
    return ("\n" + shown).split("\n...")


def fails_python(program: str, printed: str | None, names: dict[str, Any], line: int) -> str | None:
    """Runs a block of Python; what is wrong where it does not print what the page shows below it."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(program, f"line {line}", "exec"), names)
    if printed is not None and out.getvalue() != printed:
        return f"line {line}: the page shows\n{printed}\nand the block printed\n{out.getvalue()}"
    return None


def wrong(page: str, long: bool = True) -> Iterator[str]:
    """Runs every block of a page in the working directory, and says what does not do what the page says."""
    for _, said in _each(page, long):
        yield from said


def _each(page: str, long: bool) -> Iterator[tuple[Block, list[str]]]:
    """Each block of a page after it was run, and what is wrong with it."""
    found, names = blocks(page), {"__name__": "page"}
    for block, below in zip(found, [*found[1:], None], strict=False):
        said: list[str | None] = []
        if block.title is not None:
            write(block)
        elif block.language == "console":
            said = [fails(command, long) for command in commands(block)]
        elif block.language == "python":
            shown = below.text if below is not None and below.language == "text" else None
            said = [fails_python(block.text, shown, names, block.line)]
        yield block, [line for line in said if line is not None]


def write(block: Block) -> None:
    """Writes the file that a block with a title is."""
    path = Path(block.title or "")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(block.text, encoding="utf-8")


def run_to_the_last(page: str, folder: Path) -> set[str]:
    """Runs a page up to the last command that writes a file which the page shows; the files. Raises SystemExit."""
    wanted = made_by_the_page(page)
    if wanted:
        for _, said in _each(page, long=True):
            if said:
                raise SystemExit("\n".join(said))
            if all((folder / name).exists() for name in wanted):
                break
    return wanted
