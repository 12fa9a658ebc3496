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
}
"""Name (and suffix) of a medium: module of `handgrad.render` whose `write` makes it."""

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
    if medium not in (*MEDIA, "json", "terminal"):
        raise RenderError(
            f"{os.fspath(path)}: the suffix {suffix!r} names no medium; end the name in "
            f".{', .'.join((*MEDIA, 'json', 'txt'))}, or choose with --to"
        )
    return medium


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
