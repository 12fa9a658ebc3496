r"""Formulas of a page, `$a$` and `$$a$$`, as MathML: no script and no font has to be loaded to read them."""

from __future__ import annotations

import re
import xml.etree.ElementTree as etree
from typing import Any

from latex2mathml.converter import convert
from markdown import Markdown
from markdown.extensions import Extension
from markdown.inlinepatterns import InlineProcessor

_FORMULA = r"(?<![\\$\w])(\$\$?)(?!\s)((?:[^$`])+?)(?<!\s)\1(?![$\w])"
_BETWEEN_CODE_AND_ESCAPES = 185


class Formula(InlineProcessor):
    """A formula between dollars; two of them set it in a line of its own, which scrolls where it is too long."""

    def handleMatch(self, found: re.Match[str], data: str) -> tuple[Any, int, int]:  # type: ignore[override]
        """The element of a formula, and where it begins and ends."""
        block = found[1] == "$$"
        math = convert(found[2].replace("\n", " "), display="block" if block else "inline")
        stored = self.md.htmlStash.store(math)
        if not block:
            return stored, found.start(0), found.end(0)
        frame = etree.Element("span", {"class": "formula", "tabindex": "0"})
        frame.text = stored
        return frame, found.start(0), found.end(0)


class Formulas(Extension):
    """The extension of Markdown."""

    def extendMarkdown(self, md: Markdown) -> None:
        """Registers the pattern before backslashes are read as escapes."""
        md.inlinePatterns.register(Formula(_FORMULA, md), "formula", _BETWEEN_CODE_AND_ESCAPES)


def makeExtension(**settings: Any) -> Formulas:
    """What Markdown asks a module for."""
    return Formulas(**settings)
