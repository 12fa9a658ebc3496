"""Where the verbs write: results to stdout, progress and remarks to stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderHook, RenderResult
from rich.segment import Segment

from handgrad.errors import SpecificationError
from handgrad.rich_repr import printable, visible, visible_json


class _Visible:
    """What is printed, without characters that command the terminal or turn the direction of writing."""

    def __init__(self, inner: ConsoleRenderable) -> None:
        self._inner = inner

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for segment in console.render(self._inner, options):
            yield segment if segment.control else Segment(visible(segment.text), segment.style)


class _Hook(RenderHook):
    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        return [_Visible(renderable) for renderable in renderables]


def _console(stderr: bool) -> Console:
    """A console whose every print passes the hook, whatever a table, a class or a file brought into the text."""
    console = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    console.push_render_hook(_Hook())
    return console


def output() -> Console:
    """The console of results."""
    return _console(stderr=False)


def remarks() -> Console:
    """The console of progress and remarks."""
    return _console(stderr=True)


def remark(lines: Iterable[str], quiet: bool = False) -> None:
    """Remarks to stderr, unless quiet."""
    for line in () if quiet else lines:
        remarks().print(f"note: {visible(line)}", soft_wrap=True)  # rich drops some of them before the hook


COLORS = ("auto", "always", "never")
"""When results are in colour."""


def require_color(when: str) -> None:
    """Raises SpecificationError for a word that says not when."""
    if when not in COLORS:
        raise SpecificationError(f"--color is one of {', '.join(COLORS)}, got {when!r}")


def wants_color(when: str = "auto") -> bool:
    """Whether results are in colour: in a terminal that has some, unless NO_COLOR asks for none; or as was asked.

    Source: https://no-color.org (a flag of the command comes before the variable).
    """
    if when != "auto":
        return when == "always"
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def print_json(value: object) -> None:
    """One JSON document on stdout."""
    text = json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False)
    sys.stdout.write(visible_json(text) + "\n")


def print_list(values: Iterable[object]) -> None:
    """One JSON list on stdout, a value at a time."""
    between = "[\n"
    for value in values:
        text = json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False).replace("\n", "\n  ")
        sys.stdout.write(f"{between}  {visible_json(text)}")
        between = ",\n"
    sys.stdout.write("[]\n" if between == "[\n" else "\n]\n")


def print_line(line: str) -> None:
    """One line on stdout."""
    sys.stdout.write(printable(line) + "\n")
