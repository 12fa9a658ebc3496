"""A document as a Jupyter notebook: the sheet in Markdown cells, and a cell that computes it anew.

The notebook is JSON of the format 4.5, written with the same bytes every time: cells are numbered, not named
at random.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

from handgrad.render.document import Block, Code, Document, Field, Figure, Heading, fields_of
from handgrad.render.markdown.markdown import MarkdownText, escape

_CELL_LEVEL = 3
"""A heading up to this level begins a cell."""


def write(document: Document) -> bytes:
    """The document as a notebook, UTF-8.

    `document.program`, where there is one, stands in a code cell after the title; after a section with places to
    write into stands a cell for the answers.

    Raises RenderError for a kind of block, node or box without a rule.
    """
    text = MarkdownText(document, lambda number, figure: f"attachment:{_name(number)}")
    cells: list[dict[str, Any]] = []
    asked = False
    for number, blocks in enumerate(_sections(document.blocks)):
        for part in _programs_apart(blocks):
            cells.append(_code_cell(part.text) if isinstance(part, Code) else _markdown(text, part))
        if number == 0 and document.program:
            cells.append(_markdown_cell(escape(text.words.text("compute_again"))))
            cells.append(_code_cell(document.program))
        fields = list(fields_of(blocks))
        if fields:
            cells.append(_code_cell(_answers(fields, first=not asked)))
            asked = True
    for number, cell in enumerate(cells, 1):
        cell["id"] = f"handgrad-{number:04d}"
    notebook = {
        "cells": cells,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
            "title": document.title,
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return (json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def _sections(blocks: tuple[Block, ...]) -> Iterator[tuple[Block, ...]]:
    """The blocks of each cell: from one heading to the next."""
    section: list[Block] = []
    for block in blocks:
        if isinstance(block, Heading) and 1 < block.level <= _CELL_LEVEL and section:
            yield tuple(section)
            section = []
        section.append(block)
    if section:
        yield tuple(section)


def _programs_apart(blocks: tuple[Block, ...]) -> Iterator[tuple[Block, ...] | Code]:
    """The blocks of a section in runs between its programs, which have cells of their own."""
    run: list[Block] = []
    for block in blocks:
        if not isinstance(block, Code):
            run.append(block)
            continue
        if run:
            yield tuple(run)
        yield block
        run = []
    if run:
        yield tuple(run)


def _name(number: int) -> str:
    return f"figure-{number}.svg"


def _markdown(text: MarkdownText, blocks: tuple[Block, ...]) -> dict[str, Any]:
    """A cell of the sheet; its figures travel with it."""
    first = text.figures + 1
    cell = _markdown_cell(text.blocks(blocks))
    drawn = [block for block in blocks if isinstance(block, Figure)]
    if drawn:
        cell["attachments"] = {
            _name(number): {"image/svg+xml": base64.b64encode(figure.scene.svg().encode()).decode()}
            for number, figure in enumerate(drawn, first)
        }
    return cell


def _answers(fields: list[Field], *, first: bool) -> str:
    """Places to write into as a dictionary of Python; a number may be an expression, such as 1/3."""
    lines = [
        f"    {json.dumps(field.name)}: {json.dumps(field.value, ensure_ascii=False)},"
        + (f"  # {field.label}" if field.label and not field.hidden else "")
        for field in fields
    ]
    return "\n".join([f"answers {'' if first else '|'}= {{", *lines, "}"])


def _markdown_cell(source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def _code_cell(source: str) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {},
        "outputs": [],
        "source": source,
    }
