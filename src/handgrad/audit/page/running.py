r"""Running text with mathematics in it: `$...$`, `\( ... \)` and the like become their linear form."""

from __future__ import annotations

import re

from handgrad.audit.page.script import GAP, Passage, Script
from handgrad.audit.page.tex import linear

_MATH = re.compile(
    r"\$\$(?P<a>.+?)\$\$|\\\[(?P<b>.+?)\\\]|\\\((?P<c>.+?)\\\)|(?<![\\$\w])\$(?P<d>[^$\n]+?)\$(?!\d)"
    r"|(?P<e>\\begin\{(?P<name>align|equation|gather|aligned|multline)(?P<star>\*?)\}.+?\\end\{(?P=name)(?P=star)\})",
    re.DOTALL,
)


def passages(script: Script) -> list[Passage]:
    r"""The text, and each display of mathematics in it as a passage of its own.

    >>> [part.kind for part in passages(Script.of(r"First $z = 1$, then $$a = 2$$ follows."))]
    ['text', 'math', 'text']
    """
    found: list[Passage] = []
    run: list[Script] = []
    place = 0
    for match in _MATH.finditer(script.text):
        kind, inner = next((key, match[key]) for key in "abcde" if match[key] is not None)
        run.append(script.cut(place, match.start()))
        place = match.end()
        line = script.line_at(match.start(kind))
        made = linear(inner, line)
        if kind in "cd":
            run += [Script.on(GAP, line), made, Script.on(GAP, line)]
        else:
            found += [Passage("text", Script.joined(run)), Passage("math", made)]
            run = []
    run.append(script.cut(place))
    return [part for part in (*found, Passage("text", Script.joined(run))) if part.script.text.strip()]
