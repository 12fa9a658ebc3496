"""Addresses in running text: media that can make links of them do, and break them where lines end."""

from __future__ import annotations

import re
from collections.abc import Callable

_ADDRESS = re.compile(r"https?://[^\s<>\"'`{}|\\^]*[^\s<>\"'`{}|\\^.,;:!?)\]]")


def with_links(text: str, words: Callable[[str], str], address: Callable[[str], str]) -> str:
    """The text written by `words`, the web addresses in it by `address`.

    >>> with_links("see https://a.org/b.", str.upper, lambda link: f"<{link}>")
    'SEE <https://a.org/b>.'
    """
    parts, end = [], 0
    for found in _ADDRESS.finditer(text):
        parts += [words(text[end : found.start()]), address(found[0])]
        end = found.end()
    return "".join([*parts, words(text[end:])])
