"""Makes the manual page of the command from its parsers.

python -m docs.man.make          # writes docs/man/handgrad.1 anew; the wheel installs it
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from docs.site.parsers import Parameter, verbs
from docs.site.reference import STATUSES

from handgrad.version import __version__

HERE = Path(__file__).resolve().parent
ENVIRONMENT = (
    ("NO_COLOR", "no colours in the terminal"),
    (
        "LC_ALL, LC_MESSAGES, LANG",
        "the language of sheets, where --language does not say it: bn, otherwise English",
    ),
    ("HANDGRAD_TRACEBACK", "1 shows where a defect of handgrad is"),
)


def escaped(text: str) -> str:
    r"""A text as roff reads it: backslashes, hyphens that are minus signs, and no line that is a request.

    >>> escaped("--to md")
    '\\-\\-to md'
    """
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^(?=[.'])", r"\\&", text, flags=re.MULTILINE)


def page() -> str:
    """The manual page, in the macros of man(7)."""
    return "\n".join([*_head(), *_verbs(), *_foot()]) + "\n"


def _head() -> Iterator[str]:
    yield f'.TH HANDGRAD 1 "" "handgrad {__version__}" "User Commands"'
    yield from (".SH NAME", "handgrad \\- trains feed\\-forward neural networks and shows its work")
    yield from (
        ".SH SYNOPSIS",
        ".B handgrad",
        ".I VERB",
        "[\\fIARGUMENT\\fR ...] [\\fIOPTION\\fR ...]",
        ".br",
    )
    yield from (".B handgrad", "[\\fB\\-\\-version\\fR] [\\fB\\-\\-help\\fR]")
    yield ".SH DESCRIPTION"
    yield "Trains neural networks on tables and opens any step of a training, or of a case file, as a complete hand"
    yield "calculation; judges printed calculations; sets and marks exercises."
    yield "\\fBhandgrad \\fIVERB\\fB \\-\\-help\\fR says the same as this page."


def _verbs() -> Iterator[str]:
    yield ".SH VERBS"
    for verb in verbs():
        yield from (f".SS {verb.name}", f".B {escaped(verb.call)}", "[\\fIOPTION\\fR ...]")
        for paragraph in verb.does:
            yield from (".PP", escaped(paragraph))
        for part in (*verb.arguments, *verb.options):
            yield from _parameter(part)
        if verb.examples:
            yield from (".PP", "Example:" if len(verb.examples) == 1 else "Examples:", ".PP", ".nf", ".RS")
            yield from map(escaped, verb.examples)
            yield from (".RE", ".fi")


def _parameter(part: Parameter) -> Iterator[str]:
    default = f" Default: {part.default}." if part.default else ""
    yield from (".TP", f".B {escaped(part.written)}", escaped(f"{part.means}{default}".strip() or "."))


def _foot() -> Iterator[str]:
    yield ".SH EXIT STATUS"
    for code, meaning in STATUSES:
        yield from (".TP", f".B {escaped(code)}", f"{escaped(meaning)}.")
    yield ".SH ENVIRONMENT"
    for name, meaning in ENVIRONMENT:
        yield from (".TP", f".B {name}", f"{escaped(meaning)}.")


if __name__ == "__main__":
    (HERE / "handgrad.1").write_text(page(), encoding="utf-8")
