"""The blocks of code of a page, in their order: the site embeds what they make, and tests run them all."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import NamedTuple

_FENCE = re.compile(r"^```(?P<language>\w*)(?P<rest>[^\n]*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
_INDENTED = re.compile(r"(?:(?<=\n\n)|\A)(?P<text>    [^\n]*\n(?:    [^\n]*\n|\n(?=    ))*)")
_TITLE = re.compile(r'title="([^"]+)"')
_PROGRAM = re.compile(r"(?:handgrad|make|python|pip|cc|mkdir) |\./")
_LINK = re.compile(r"""(?:\]\(|src=")(?!\w+:|#|/)([^)#\s"]+)""")


class Block(NamedTuple):
    """A block of code: its language, the file it is where it has a title, its text and its line, from 1."""

    language: str
    title: str | None
    text: str
    line: int


class Command(NamedTuple):
    """A command of a page, and what the page shows of its output."""

    words: list[str]
    shown: str
    line: int


def blocks(page: str) -> list[Block]:
    """Every block of a page, fenced or indented; an indented one that holds commands is a console."""
    found = []
    for fence in _FENCE.finditer(page):
        title = _TITLE.search(fence["rest"])
        line = page.count("\n", 0, fence.start()) + 1
        found.append(Block(fence["language"], title and title[1], fence["text"], line))
    unfenced = _FENCE.sub(lambda fence: "\n" * fence[0].count("\n"), page)
    for indented in _INDENTED.finditer(unfenced):
        text = re.sub(r"^    ", "", indented["text"], flags=re.MULTILINE)
        if _PROGRAM.match(text):
            text = "".join(f"$ {line}\n" for line in _joined(text))
            found.append(Block("console", None, text, unfenced.count("\n", 0, indented.start()) + 1))
    return sorted(found, key=lambda block: block.line)


def _joined(text: str) -> Iterator[str]:
    """The lines of a block of commands, those that a backslash continues in one."""
    yield from filter(None, text.replace("\\\n", " ").splitlines())


def commands(block: Block) -> list[Command]:
    """The commands of a console, each with the lines that stand below it."""
    found: list[Command] = []
    for offset, line in enumerate(block.text.replace("\\\n", " ").splitlines(keepends=True), block.line + 1):
        if line.startswith("$ "):
            found += [
                Command(shlex.split(part, comments=True), "", offset) for part in line[2:].split(" && ")
            ]
        elif found:
            found[-1] = found[-1]._replace(shown=found[-1].shown + line)
    return found


def output(command: Command) -> list[str]:
    """The files that a command is told to write.

    >>> output(Command(["handgrad", "explain", "case.toml", "-o", "sheet.html"], "", 1))
    ['sheet.html']
    """
    flags = (
        "-o",
        "--output",
        "--answers",
        "--fill",
        "--book",
        "--moodle",
        "--comments",
        "--summary",
        "--report",
    )
    return [name for flag, name in zip(command.words, command.words[1:], strict=False) if flag in flags]


def pointed_to(page: str) -> list[str]:
    """What the links, pictures and frames of a page point to, without other sites and places within the page."""
    return _LINK.findall(_FENCE.sub("", page))


def made_by_the_page(page: str) -> set[str]:
    """The files a page shows or links to which its own commands write."""
    written = {
        name
        for block in blocks(page)
        if block.language == "console"
        for command in commands(block)
        for name in output(command)
    }
    return written & set(pointed_to(page))
