"""The document that layout makes of a record, and that each writer writes.

Everything is decided here but the medium: words are in the reader's language, numbers are rounded text, large
matrices are elided, symbols wait only for `notation` to say how they are written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from handgrad.diagram.shapes import Scene
from handgrad.worked.expressions import Expression
from handgrad.writing.letter_parts import Notation
from handgrad.writing.phrasebook import Spans


@dataclass(frozen=True, slots=True)
class Literal(Expression):
    """A number as it is shown: decimal text with '-' for minus and '.' or ',' as the language has it.

    `substituted`: stands in a place where a negative number takes parentheses.
    """

    text: str
    substituted: bool = False


@dataclass(frozen=True, slots=True)
class LaidMatrix(Expression):
    """A matrix as it is shown: rows of expressions (`Ellipsis` where rows or columns are left out), true shape."""

    rows: tuple[tuple[Expression, ...], ...]
    shape: tuple[int, int]
    show_shape: bool = True


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of level 1 (title) to 4. `anchor` is unique in the document (letters, digits, -)."""

    level: int
    spans: Spans
    anchor: str = ""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text. `role`: '' | note | observation | source | settings."""

    spans: Spans
    role: str = ""


@dataclass(frozen=True, slots=True)
class Formula:
    """target = forms[0] = forms[1] ...: each form may begin a line of its own, aligned at the equals sign.

    `forms` pairs a relation sign (=, ~ or :=) with the expression; `shapes` is the line of shapes below it. `aside`:
    it stands beside the calculation, and nothing comes from it.
    """

    target: Expression
    forms: tuple[tuple[str, Expression], ...]
    shapes: Spans = ()
    aside: bool = False


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list of points."""

    items: tuple[Spans, ...]


Row: TypeAlias = tuple[Spans, ...]
"""One row of a table: the running text of each cell."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a header row; `align` holds l, c or r for each column; `caption` names it."""

    header: Row
    rows: tuple[Row, ...]
    align: str
    caption: Spans = ()


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture as a scene, which has what it shows in words (for those who cannot see it), and a caption.

    `chain`: the words of its boxes from the first to the last, where it is a row of boxes: a medium of characters
    draws them itself.
    """

    scene: Scene
    caption: Spans = ()
    chain: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Code:
    """A program, each line as it is written; a medium that runs programs can run it."""

    text: str
    language: str = "python"

    @property
    def lines(self) -> list[str]:
        """Its lines, without those that are empty at the end."""
        return self.text.rstrip("\n").split("\n")


@dataclass(frozen=True, slots=True)
class Fold:
    """Detail that a medium may fold away behind its title, and prints in full on paper."""

    title: Spans
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """One place for the reader to write into.

    `name` is what a file of answers calls it (unique in the document), `label` says it in words, for those who
    cannot see where it stands; `quantity`, `index` and `step` where it is a number of the calculation. `value`
    stands there already. Nothing is shown of one that is `hidden`: what it holds travels with the document.
    """

    name: str
    label: str
    quantity: str = ""
    index: tuple[int, ...] = ()
    step: int = 1
    value: str = ""
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Blanks:
    """target = a matrix of places to write into, the way round that paper has it.

    `digits` is the room for an answer, in characters; `remark` stands behind the places.
    """

    target: Spans
    rows: tuple[tuple[Field, ...], ...]
    digits: int = 8
    remark: Spans = ()

    @property
    def shown(self) -> bool:
        """True where there is something to see."""
        return any(not field.hidden for row in self.rows for field in row)


Block: TypeAlias = "Heading | Paragraph | Formula | Bullets | Table | Figure | Code | Fold | Blanks"


@dataclass(frozen=True, slots=True)
class Document:
    """A title, a language (BCP 47: en, bn) and blocks in reading order."""

    title: str
    language: str
    blocks: tuple[Block, ...]
    notation: Notation
    contents: bool = False
    """True: long enough for a table of contents."""
    program: str = ""
    """Python that computes the sheet anew, for a medium that runs programs (a notebook)."""


def fields_of(blocks: Iterable[Block]) -> Iterator[Field]:
    """Every field of the blocks in reading order, those that are hidden too."""
    for block in blocks:
        if isinstance(block, Blanks):
            yield from (field for row in block.rows for field in row)
        elif isinstance(block, Fold):
            yield from fields_of(block.blocks)
