"""The digits of another script, in everything that a document shows; addresses keep theirs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from handgrad.diagram.shapes import Scene, Text
from handgrad.render.document import (
    Block,
    Bullets,
    Document,
    Figure,
    Fold,
    Formula,
    Heading,
    Literal,
    Paragraph,
    Table,
)
from handgrad.render.links import with_links
from handgrad.worked.evaluate import map_tree
from handgrad.worked.expressions import Expression, Factor
from handgrad.writing.letter_parts import digits_in
from handgrad.writing.phrasebook import Span, Spans


def in_numerals(document: Document, numerals: str) -> Document:
    """The document with the digits of `numerals` (latin, bengali) in its words, numbers and figures.

    The digits of letters (layers, entries) are written by the notation, which each writer asks.
    """
    if numerals == "latin":
        return document
    blocks = tuple(_block(block, numerals) for block in document.blocks)
    notation = replace(document.notation, numerals=numerals)
    return replace(document, title=digits_in(document.title, numerals), blocks=blocks, notation=notation)


def _block(block: Block, numerals: str) -> Block:
    rule = _RULES.get(type(block))
    return block if rule is None else rule(block, numerals)


def _spans(spans: Spans, numerals: str) -> Spans:
    return tuple(_span(span, numerals) for span in spans)


def _span(span: Span, numerals: str) -> Span:
    if isinstance(span, str):
        return with_links(span, lambda words: digits_in(words, numerals), str)
    return _tree(span, numerals)


def _tree(tree: Expression, numerals: str) -> Expression:
    def change(part: Expression) -> Expression:
        if isinstance(part, Literal):
            return replace(part, text=digits_in(part.text, numerals))
        return replace(part, label=digits_in(part.label, numerals)) if isinstance(part, Factor) else part

    return map_tree(tree, change)


def _formula(block: Formula, numerals: str) -> Formula:
    forms = tuple((sign, _tree(form, numerals)) for sign, form in block.forms)
    return replace(
        block, target=_tree(block.target, numerals), forms=forms, shapes=_spans(block.shapes, numerals)
    )


def _table(block: Table, numerals: str) -> Table:
    header, *rows = (tuple(_spans(cell, numerals) for cell in row) for row in (block.header, *block.rows))
    return replace(block, header=header, rows=tuple(rows), caption=_spans(block.caption, numerals))


def _scene(scene: Scene, numerals: str) -> Scene:
    shapes = tuple(
        replace(shape, text=digits_in(shape.text, numerals)) if isinstance(shape, Text) else shape
        for shape in scene.shapes
    )
    title, described = (digits_in(words, numerals) for words in (scene.title, scene.description))
    return replace(scene, shapes=shapes, title=title, description=described)


_RULES: dict[type, Callable[[Any, str], Block]] = {
    Heading: lambda block, to: replace(block, spans=_spans(block.spans, to)),
    Paragraph: lambda block, to: replace(block, spans=_spans(block.spans, to)),
    Formula: _formula,
    Bullets: lambda block, to: Bullets(tuple(_spans(item, to) for item in block.items)),
    Table: _table,
    Figure: lambda block, to: Figure(
        _scene(block.scene, to),
        _spans(block.caption, to),
        tuple(digits_in(words, to) for words in block.chain),
    ),
    Fold: lambda block, to: Fold(_spans(block.title, to), tuple(_block(inner, to) for inner in block.blocks)),
}
