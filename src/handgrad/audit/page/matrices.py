r"""Matrices drawn over several lines of plain text become one line: `| 1 2 |` above `| 3 4 |` is `[[1, 2], [3, 4]]`.

Rows belong together where they stand under each other between the same kind of bars or brackets, and nothing but
other rows stands beside them.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from handgrad.audit.page.script import Script

_LEFT, _RIGHT = "|⎡⎢⎣⎛⎜⎝│┌└[(", "|⎤⎥⎦⎞⎟⎠│┐┘])"
_DRAWN = re.compile(r"[⎡⎢⎣⎛⎜⎝│┌└]([^⎤⎥⎦⎞⎟⎠│┐┘]*)[⎤⎥⎦⎞⎟⎠│┐┘]|\|([^|]*)\||\[([^\[\]]*)\]|\(([^()]*)\)")
_CELL = re.compile(r"\s{2,}|,\s*|\s+(?=[-+]?[\d.])(?<![-+*/×·]\s)|\t")
_REMARK = re.compile(r"[\s(]*(\([^)]*\)|[←#<].*|//.*)?[\s]*")


class _Row(NamedTuple):
    start: int
    end: int
    inner: tuple[int, int]
    kind: str


def flattened(script: Script) -> list[Script]:
    """The lines of some code, each matrix on the line where it begins.

    >>> code = Script.of("W = | 1  2 |    b = | 5 |\\n    | 3  4 |        | 6 |")
    >>> [row.text for row in flattened(code)]
    ['W = [[1, 2], [3, 4]]    b = [[5], [6]]', '']
    """
    lines = script.rows()
    rows = [_rows(line.text) for line in lines]
    for number in range(len(lines)):
        _flatten(lines, rows, number)
    return lines


def _rows(text: str) -> list[_Row]:
    found = []
    for match in _DRAWN.finditer(text):
        inner = next(group for group in (1, 2, 3, 4) if match[group] is not None)
        found.append(_Row(match.start(), match.end(), match.span(inner), str(inner)))
    return found


def _flatten(lines: list[Script], rows: list[list[_Row]], number: int) -> None:
    """Puts the matrices that begin on this line together."""
    stacks = [[(number, row)] for row in rows[number]]
    below = number + 1
    while below < len(lines) and rows[below] and _only_rows(lines[below].text, rows[below]):
        joined = [
            (stack, row)
            for row in rows[below]
            for stack in stacks
            if len(stack) == below - number and _under(stack[0][1], row)
        ]
        if len(joined) < len(rows[below]):
            break
        for stack, row in joined:
            stack.append((below, row))
        below += 1
    if below == number + 1:
        return
    line, made, end = lines[number], [], 0
    for stack in stacks:
        start = stack[0][1].start
        made.append(line.cut(end, start))
        made.append(_matrix(lines, stack) if len(stack) > 1 else line.cut(start, stack[0][1].end))
        end = stack[0][1].end
    made.append(line.cut(end))
    lines[number] = Script.joined(made)
    for k in range(number + 1, below):
        lines[k], rows[k] = Script("", ()), []


def _only_rows(text: str, rows: list[_Row]) -> bool:
    """True where nothing stands beside the rows but spaces, and a remark behind them."""
    end = 0
    for row in rows:
        if text[end : row.start].strip():
            return False
        end = row.end
    return _REMARK.fullmatch(text[end:]) is not None


def _under(first: _Row, row: _Row) -> bool:
    return first.kind == row.kind and abs(first.start - row.start) <= 1


def _matrix(lines: list[Script], stack: list[tuple[int, _Row]]) -> Script:
    made: list[Script] = []
    for number, row in stack:
        inner = lines[number].cut(*row.inner)
        at = lines[number].line_at(row.start)
        made += [Script.on(", [" if made else "[[", at), *_cells(inner, at), Script.on("]", at)]
    return Script.joined((*made, Script.on("]", lines[stack[0][0]].line_at(0))))


def _cells(inner: Script, line: int) -> list[Script]:
    """The cells of a row, with commas between them."""
    text = inner.text
    start, made = len(text) - len(text.lstrip()), []
    stop = len(text.rstrip())
    depth_at = _depths(text)
    for gap in _CELL.finditer(text, start, stop):
        if depth_at[gap.start()]:
            continue
        made += [inner.cut(start, gap.start()), Script.on(", ", line)]
        start = gap.end()
    return [*made, inner.cut(start, stop)]


def _depths(text: str) -> list[int]:
    depth, found = 0, []
    for letter in text:
        depth += (letter in "([{") - (letter in ")]}")
        found.append(depth)
    return found
