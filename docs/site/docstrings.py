"""Docstrings as Markdown: their examples become blocks of code, and what they raise a paragraph of its own."""

from __future__ import annotations

import re
from typing import Any

from griffe import Extension, Object

_EXAMPLE = re.compile(r"^>>> .*\n?(?:^(?=\S).*\n?)*", re.MULTILINE)


def as_markdown(docstring: str) -> str:
    r"""A docstring with a fence around each example: from `>>>` to the next empty line.

    >>> as_markdown("Adds.\n\n>>> 1 + 1\n2\n\nSource: Peano.").splitlines()[1:6]
    ['', '```pycon', '>>> 1 + 1', '2', '```']
    """
    return _EXAMPLE.sub(lambda found: f"```pycon\n{found[0].rstrip()}\n```\n", docstring).rstrip("\n")


class AsMarkdown(Extension):  # type: ignore[misc]
    """Hands mkdocstrings each docstring as Markdown."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        """Called for every object of the package."""
        if obj.docstring is not None:
            obj.docstring.value = as_markdown(obj.docstring.value)
