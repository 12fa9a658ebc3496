"""Tables as chains: `| W₁[0,1] | 0.200 | 0.206 |` under Before and After, or a row for each step or sample."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from handgrad.audit.page.chains import Chain, Line, Part
from handgrad.audit.page.formula_trees import Derivative, Name, Operation, Tree, literal
from handgrad.audit.page.grammar import Grammar
from handgrad.audit.page.phrases import named
from handgrad.audit.page.placing import Context
from handgrad.audit.page.script import Grid
from handgrad.cases.case import Case

_OLD = re.compile(r"\b(?:before|old|initial|start|current|given)\b|আগে|পুরনো|পুরানো|প্রারম্ভিক|শুরু", re.IGNORECASE)
_NEW = re.compile(r"\b(?:after|new|updated|final|next)\b|পরে|নতুন|হালনাগাদ", re.IGNORECASE)
_GRADIENT = re.compile(r"\b(?:gradients?|derivatives?|slopes?)\b|∂|নতি|গ্রেডিয়েন্ট|ঢাল", re.IGNORECASE)
_CHANGE = re.compile(r"\b(?:changes?|differences?)\b|^\W*Δ|পরিবর্তন", re.IGNORECASE)
_VALUE = re.compile(r"\b(?:values?|results?|numbers?|computed|printed|is)\b|মান|ফল", re.IGNORECASE)
_STEPS = re.compile(r"^\W*(?:step|epoch|iteration|update|iter|ধাপ|ইপক|পুনরাবৃত্তি)\W*$|^\W*t\W*$", re.IGNORECASE)
_SAMPLES = re.compile(r"^\W*(?:sample|example|row|pattern|#|no|নমুনা|সারি)\W*$", re.IGNORECASE)
_OF_LETTER = {
    "rate": "η", "target": "target", "yhat": "ŷ", "loss": "loss", "z": "z", "a": "a", "x": "x",
}  # fmt: skip


def letter_name(letter: str, line: int = 0) -> Name:
    """The name that stands for a quantity named in words."""
    return Name(_OF_LETTER[letter], line=line)


def of_table(
    grid: Grid, lines: list[Line], first: int, context: Context, case: Case
) -> Iterator[tuple[Chain, Context]]:
    """The chains that a table's cells make, each with its context; `first` is the number of its first cell's line."""
    cells: list[list[Line]] = []
    at = first
    for row in (grid.header, *grid.rows):
        cells.append(lines[at : at + len(row)])
        at += len(row)
    header, rows = cells[0], cells[1:]
    heads = [_name(cell) for cell in header]
    columns = sum(head is not None for head in heads)
    keyed = sum(bool(row) and _name(row[0]) is not None for row in rows)
    if keyed and keyed >= len(rows) / 2:
        yield from _by_row(header, rows, context)
    elif columns:
        yield from _by_column(header, heads, rows, context, case)


def _text(cell: Line) -> str:
    return cell.script.text.strip(" *`")


def _name(cell: Line) -> Tree | None:
    """The name that a cell is, in letters or in words."""
    begin = next((k for k, word in enumerate(cell.words) if word.kind != "space"), 0)
    found = Grammar(cell.words).longest(begin) if cell.words else None
    if found is not None and isinstance(found[0], Name | Derivative):
        rest = "".join(word.text for word in cell.words[found[1] :]).strip()
        if not rest or (rest.startswith("(") and rest.endswith(")")):
            short = isinstance(found[0], Derivative) or len(found[0].base) <= 4 or bool(found[0].lowered)
            if short:
                return found[0]
    letter = named(_text(cell))
    return None if letter is None else letter_name(letter)


def _value(cell: Line) -> Tree | None:
    """The number or the list that a cell is."""
    begin = next((k for k, word in enumerate(cell.words) if word.kind != "space"), 0)
    found = Grammar(cell.words).longest(begin) if cell.words else None
    return found[0] if found is not None and literal(found[0]) else None


def _chain(key: Line, name: Tree, cell: Line, value: Tree, words: str = "") -> Chain:
    left = Part("", name, _text(key), key.script.line_at(0), key.number)
    right = Part("=", value, _text(cell), cell.script.line_at(0), cell.number)
    return Chain([left, right], words, "cell", cell.block)


def _by_row(header: list[Line], rows: list[list[Line]], context: Context) -> Iterator[tuple[Chain, Context]]:
    for row in rows:
        name = _name(row[0]) if row else None
        if name is None:
            continue
        for place, cell in enumerate(row[1:], 1):
            value = _value(cell)
            if value is None:
                continue
            head = _text(header[place]) if place < len(header) else ""
            if len(row) > 2 and not _says_which(head):
                continue
            yield _chain(row[0], _in_column(name, head), cell, value), _context_under(head, context, name)


def _says_which(head: str) -> bool:
    """True for the head of a column that holds the quantity, its new value, its gradient or its change."""
    return not head.strip() or any(
        pattern.search(head) for pattern in (_OLD, _NEW, _GRADIENT, _VALUE, _CHANGE)
    )


def _in_column(name: Tree, head: str) -> Tree:
    if isinstance(name, Name) and name.base not in ("loss", "ŷ"):
        if _CHANGE.search(head):
            marked = [replace(name, lowered=(*name.lowered, mark)) for mark in ("new", "old")]
            return Operation("-", marked[0], marked[1])
        if _NEW.search(head):
            return replace(name, lowered=(*name.lowered, "new"))
        if _OLD.search(head):
            return replace(name, lowered=(*name.lowered, "old"))
        if _GRADIENT.search(head):
            return Derivative(Name("L"), name)
    return name


def _context_under(head: str, context: Context, name: Tree) -> Context:
    if _OLD.search(head):
        return replace(context, updating=False, after=False)
    if _NEW.search(head):
        return replace(context, after=True, updating=True)
    return replace(context, updating=False)


def _by_column(
    header: list[Line], heads: list[Tree | None], rows: list[list[Line]], context: Context, case: Case
) -> Iterator[tuple[Chain, Context]]:
    first = _text(header[0]) if header else ""
    stepped, sampled = bool(_STEPS.match(first)), bool(_SAMPLES.match(first))
    counted = _counted_from(rows)
    for number, row in enumerate(rows):
        where = context
        if stepped:
            label = _text(row[0]) if row else ""
            if not label.isdigit():
                continue
            step = int(label) + (counted == 0)
            if not 1 <= step <= case.steps + 1:
                continue
            where = replace(context, step=step, after=False, updating=False)
        elif case.samples > 1 and (sampled or len(rows) == case.samples):
            where = replace(context, sample=number)
        for cell, key, name in zip(row, header, heads, strict=False):
            value = _value(cell)
            if name is not None and value is not None and not (stepped and key is header[0]):
                yield _chain(key, name, cell, value), where


def _counted_from(rows: list[list[Line]]) -> int:
    labels = [_text(row[0]) for row in rows if row]
    return min((int(label) for label in labels if label.isdigit()), default=1)
