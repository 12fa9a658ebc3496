"""One writer for each medium, chosen by name or by the suffix of a file."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path

from handgrad.errors import MissingExtraError, RenderError
from handgrad.render.document import Document

MEDIA: dict[str, str] = {
    "md": "markdown.markdown",
    "html": "html.page",
    "tex": "latex.article",
    "pdf": "typst.pdf",
    "docx": "word.document",
    "ipynb": "markdown.notebook",
    "slides": "slides.deck",
    "slides-pdf": "slides.paper",
}
"""Name (and suffix) of a medium: module of `handgrad.render` whose `write` makes it."""

BY_NAME = ("slides", "slides-pdf")
"""Media that no suffix names."""

SUFFIXES = {"htm": "html", "markdown": "md", "txt": "terminal"}
_OPTIONAL = ("typst", "docx", "lxml", "nbformat", "pypdf")


def medium_of(path: str | os.PathLike[str]) -> str:
    """The medium of a file name, by its suffix.

    >>> medium_of("sheet.pdf")
    'pdf'

    Raises RenderError for a suffix that no medium has.
    """
    suffix = Path(path).suffix.lower().removeprefix(".")
    medium = SUFFIXES.get(suffix, suffix)
    suffixes = tuple(name for name in MEDIA if name not in BY_NAME)
    if medium not in (*suffixes, "json", "terminal"):
        raise RenderError(
            f"{os.fspath(path)}: the suffix {suffix!r} names no medium; end the name in "
            f".{', .'.join((*suffixes, 'json', 'txt'))}, or choose with --to"
        )
    return medium


def medium_for(name: str, path: str | os.PathLike[str]) -> str:
    """The medium that a name asks for where a file of that path is wanted: slides for a .pdf are pages.

    >>> medium_for("slides", "talk.pdf"), medium_for("slides", "talk.html"), medium_for("md", "a.pdf")
    ('slides-pdf', 'slides', 'md')
    """
    return "slides-pdf" if name == "slides" and Path(path).suffix.lower() == ".pdf" else name


def write(medium: str, document: Document) -> bytes:
    """The document in a medium.

    Raises MissingExtraError where the library of the medium is not installed.
    """
    try:
        written = import_module(f"handgrad.render.{MEDIA[medium]}").write(document)
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] in _OPTIONAL:
            raise MissingExtraError(f"{medium} output", "docs") from error
        raise
    return written.encode() if isinstance(written, str) else bytes(written)
