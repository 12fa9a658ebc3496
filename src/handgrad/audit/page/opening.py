"""A page, opened: its bytes judged, its format found by its name, its blocks read."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from handgrad.audit.page.html import blocks_of_html
from handgrad.audit.page.latex import blocks_of_latex
from handgrad.audit.page.markdown import blocks_of_markdown
from handgrad.audit.page.script import Block, Page, Passage, Script
from handgrad.errors import CaseError, HandgradError, MissingExtraError
from handgrad.files import read_whole

MOST_BYTES = 2_000_000
"""Of a page; a worked calculation is a thousand times shorter."""
MOST_NUMBERS = 20_000
_LONGEST_LINE = 20_000
_LONG_LINES = (".ipynb", ".html", ".htm")

READERS: Mapping[str, Callable[[str], list[Block]]] = {
    ".md": blocks_of_markdown,
    ".markdown": blocks_of_markdown,
    ".txt": blocks_of_markdown,
    ".tex": blocks_of_latex,
    ".html": blocks_of_html,
    ".htm": blocks_of_html,
}
SUFFIXES = (*READERS, ".ipynb")
"""Of the pages that can be read."""


_BEGINNINGS = (
    (re.compile(r"\s*<[a-z!]", re.IGNORECASE), ".html"),
    (re.compile(r"\s*\\(?:documentclass|usepackage|begin|(?:sub)*section|chapter|newcommand)\b"), ".tex"),
    (re.compile(r'\s*\{\s*"(?:cells|metadata|nbformat)'), ".ipynb"),
)
"""How the text of a page begins that is no Markdown."""
_IN_NO_PATH = re.compile(r"[\n=`$]")


def is_page(path: str | os.PathLike[str]) -> bool:
    """True for a name that ends as a page does.

    >>> is_page("notes.md"), is_page("case.toml")
    (True, False)
    """
    return Path(path).suffix.lower() in SUFFIXES


def open_page(path: str | os.PathLike[str]) -> Page:
    """The page of a file: Markdown, LaTeX, HTML, a notebook, or text.

    Raises CaseError for what is no such page, MissingExtraError where a library is missing.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise CaseError(f"{path}: {suffix or 'no suffix'} is no page; give one of {', '.join(SUFFIXES)}")
    return _opened(_text_of(path), str(path), path.name, suffix)


def page_of(what: Page | str | os.PathLike[str]) -> Page:
    """The page that is meant: one that was opened, a file by its path, or its text itself.

    >>> page_of("`z = 0.5`").name
    'page'
    """
    if isinstance(what, Page):
        return what
    if not isinstance(what, str) or not _is_text(what):
        return open_page(what)
    suffix = next((suffix for begins, suffix in _BEGINNINGS if begins.match(what)), ".md")
    return _opened(_judged(what.replace("\r\n", "\n"), "page", suffix), "page", "page", suffix)


def _is_text(what: str) -> bool:
    return "\n" in what or (not is_page(what) and _IN_NO_PATH.search(what) is not None)


def read_page(text: str, suffix: str = ".md", name: str = "page") -> Page:
    """The page of a text, in the format of a suffix.

    >>> read_page("# One\\n\\n`z = 0.5`").blocks[1].script.text.strip()
    'z = 0.5'
    """
    return _notebook(text, name) if suffix == ".ipynb" else _page(text, name, READERS[suffix])


def _text_of(path: Path) -> str:
    try:
        raw = read_whole(path)
    except FileNotFoundError as error:
        raise CaseError(f"{path}: no such file; check the path") from error
    except OSError as error:
        raise CaseError(f"{path}: cannot be read ({error.strerror}); name a page") from error
    if len(raw) > MOST_BYTES:
        raise CaseError(
            f"{path}: {len(raw):,} bytes; a page of at most {MOST_BYTES:,} is read; cut out the calculation"
        )
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return raw.decode("utf-16")
        except UnicodeDecodeError as error:
            raise CaseError(f"{path}: not text in UTF-16; save it as UTF-8") from error
    try:
        text = raw.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        raise CaseError(f"{path}: not text in UTF-8 (byte {error.start}); save it as UTF-8") from error
    return _judged(text, str(path), path.suffix.lower())


def _judged(text: str, place: str, suffix: str) -> str:
    """The text, if there may be a page in it."""
    if len(text) > MOST_BYTES:
        raise CaseError(
            f"{place}: {len(text):,} letters; a page of at most {MOST_BYTES:,} is read; cut out the calculation"
        )
    if "\0" in text:
        raise CaseError(f"{place}: not text but bytes; give a page of text")
    if not text.strip():
        raise CaseError(f"{place}: there is nothing on this page; give one with a calculation")
    if any(len(line) > _LONGEST_LINE for line in text.split("\n")) and suffix not in _LONG_LINES:
        raise CaseError(
            f"{place}: a line has more than {_LONGEST_LINE:,} letters; no page of a calculation has"
        )
    return text


def _opened(text: str, place: str, name: str, suffix: str) -> Page:
    """The page of a text, its blocks read; `place` is what an error calls it."""
    try:
        page = _notebook(text, name) if suffix == ".ipynb" else _page(text, name, READERS[suffix])
    except MissingExtraError:
        raise
    except HandgradError as error:
        raise CaseError(f"{place}: {error}") from error
    except (RecursionError, MemoryError) as error:
        raise CaseError(f"{place}: it is nested too deep to be read; write it flatter") from error
    except (ValueError, IndexError, KeyError, AttributeError, TypeError) as error:
        # the libraries stumble over some of what no author writes; it is no calculation then
        raise CaseError(f"{place}: no {suffix} page that can be read ({type(error).__name__})") from error
    if not page.blocks:
        raise CaseError(f"{place}: there is nothing on this page; give one with a calculation")
    return page


def _page(text: str, name: str, reader: Callable[[str], list[Block]]) -> Page:
    return Page(name, tuple(text.split("\n")), tuple(reader(text)))


def _notebook(text: str, name: str) -> Page:
    """The cells of a notebook: Markdown as it is, code and the text that it printed as code."""
    try:
        import nbformat
        from nbformat.reader import NotJSONError
    except ImportError as error:
        raise MissingExtraError("reading a notebook", "pages") from error
    try:
        reads: Callable[..., Any] = nbformat.reads
        book = reads(text, as_version=4)
    except (NotJSONError, nbformat.ValidationError, KeyError, TypeError, AttributeError) as error:
        raise CaseError("not a notebook of Jupyter; save it as .ipynb again") from error
    lines: list[str] = []
    blocks: list[Block] = []
    starts: list[int] = []
    for cell in book.cells:
        starts.append(len(lines) + 1)
        source = str(cell.source)
        if cell.cell_type == "markdown":
            blocks += blocks_of_markdown(source, len(lines) + 1)
        else:
            blocks.append(Passage("code", Script.of(source, len(lines) + 1)))
        lines += source.split("\n")
        for printed in _outputs(cell):
            blocks.append(Passage("code", Script.of(printed, len(lines) + 1)))
            lines += printed.split("\n")
    return Page(name, tuple(lines), tuple(blocks), tuple(starts))


def _outputs(cell: Any) -> list[str]:
    found = []
    for output in cell.get("outputs", ()):
        text = output.get("text") or output.get("data", {}).get("text/plain") or ""
        if isinstance(text, str) and text.strip():
            found.append(text.rstrip("\n"))
    return found
