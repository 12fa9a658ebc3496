"""A document as frames: what is said before an equation, the equation, and where in the figure it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from handgrad.diagram.shapes import Box, Circle, Line, Scene, Shape
from handgrad.render.document import (
    Block,
    Document,
    Figure,
    Fold,
    Formula,
    Heading,
    LaidMatrix,
    Literal,
    Paragraph,
    Table,
)
from handgrad.render.math.aligned import abreast
from handgrad.render.math.typeset import Style
from handgrad.worked.bindings import name_of
from handgrad.worked.expressions import Gradient, Symbol
from handgrad.writing.phrasebook import Spans

MOST_ROWS = 10
"""Rows of a table on one frame."""
_LAYER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame: under which headings it stands, what it holds, and what it lights in the figure."""

    headings: tuple[Spans, ...]
    blocks: tuple[Block, ...]
    lit: frozenset[str] = frozenset()


def network_of(document: Document) -> Scene | None:
    """The figure of the network, which every frame shows."""
    scenes = (block.scene for block in document.blocks if isinstance(block, Figure))
    return next((scene for scene in scenes if any(_of(shape) for shape in scene.shapes)), None)


def frames(document: Document) -> tuple[Frame, ...]:
    """The frames in reading order; words stay with the equation, table or figure that they lead to."""
    return tuple(_Frames(document).of(document.blocks))


class _Frames:
    def __init__(self, document: Document) -> None:
        self.style = Style(document.notation, document.language)
        self.network = network_of(document)
        self.depth = (
            max((_layer(_of(shape)) for shape in self.network.shapes), default=0) if self.network else 0
        )
        self.headings: dict[int, Spans] = {}
        self.said: list[Block] = []

    def of(self, blocks: tuple[Block, ...]) -> Iterator[Frame]:
        for block in abreast(_unfolded(blocks), self.style):
            if isinstance(block, Heading):
                yield from self._rest()
                self.headings = {level: said for level, said in self.headings.items() if level < block.level}
                self.headings[block.level] = block.spans
            elif isinstance(block, Paragraph) and block.role != "observation":
                self.said.append(block)
            elif isinstance(block, Formula):
                yield self._frame(block)
            elif isinstance(block, tuple):
                yield from self._together(block)
            elif isinstance(block, Table):
                yield from map(self._frame, _in_parts(block))
            elif not (isinstance(block, Figure) and block.scene is self.network):
                yield self._frame(block)
        yield from self._rest()

    def _together(self, formulas: tuple[Formula, ...]) -> Iterator[Frame]:
        """What is given stands on one frame; each equation has its own."""
        if all(isinstance(form, LaidMatrix | Literal) for formula in formulas for _, form in formula.forms):
            yield self._frame(*formulas)
        else:
            yield from map(self._frame, formulas)

    def _rest(self) -> Iterator[Frame]:
        if self.said:
            yield self._frame()

    def _frame(self, *blocks: Block) -> Frame:
        formulas = [block for block in blocks if isinstance(block, Formula)]
        lit = frozenset(name for formula in formulas for name in self._along(formula))
        frame = Frame(tuple(self.headings.values()), (*self.said, *blocks), lit)
        self.said = []
        return frame

    def _along(self, formula: Formula) -> Iterator[str]:
        """The connections, units and biases of the figure in which the quantity arises."""
        if not isinstance(formula.target, Symbol | Gradient):
            return
        name = name_of(formula.target)
        layer = _layer(name) or self.depth
        if name == "x":
            yield "x"
        elif re.match(r"d?W\d", name):
            yield f"W{layer}"
        elif re.match(r"d?b\d", name):
            yield f"b{layer}"
        elif re.match(r"z\d|a\d|f\d|delta\d|derivative\d|da\d|mask\d|d?yhat|loss|data_loss", name):
            yield "yhat" if layer == self.depth else f"a{layer}"
            if name.startswith("z"):
                yield f"W{layer}"


def _layer(name: str) -> int:
    found = _LAYER.search(name)
    return int(found[0]) if found else 0


def _of(shape: Shape) -> str:
    return shape.of.partition(" ")[0] if isinstance(shape, Line | Circle | Box) else ""


def _unfolded(blocks: tuple[Block, ...]) -> Iterator[Block]:
    """Detail that other media fold away comes after its title."""
    for block in blocks:
        if isinstance(block, Fold):
            yield Paragraph(block.title)
            yield from _unfolded(block.blocks)
        else:
            yield block


def _in_parts(table: Table) -> Iterator[Table]:
    for start in range(0, len(table.rows), MOST_ROWS):
        yield replace(table, rows=table.rows[start : start + MOST_ROWS])


def lit_scene(scene: Scene, lit: frozenset[str]) -> Scene:
    """The figure with what is lit drawn strongly, for media without a script."""
    return replace(
        scene, shapes=tuple(_strong(shape) if _of(shape) in lit else shape for shape in scene.shapes)
    )


def _strong(shape: Shape) -> Shape:
    if isinstance(shape, Line):
        return replace(shape, width=max(4.5, shape.width))
    if isinstance(shape, Circle):
        return replace(shape, r=shape.r + 3, stroke="#1c1e21", width=3.0)
    return replace(shape, stroke="#1c1e21") if isinstance(shape, Box) else shape
