"""The sheet of an exercise, with a place to write into for each number asked, and its answer key."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from itertools import groupby, takewhile
from pathlib import Path

import numpy as np

from handgrad.audit.symbols import quantity_symbol
from handgrad.exercises.exercise import Asked, Exercise, Index
from handgrad.files import is_stream
from handgrad.nn.arrays import Array
from handgrad.render.document import (
    Blanks,
    Block,
    Document,
    Field,
    Formula,
    Heading,
    LaidMatrix,
    Literal,
    Paragraph,
)
from handgrad.render.layout.context import Sheet
from handgrad.render.markdown import markdown
from handgrad.render.media import write
from handgrad.render.terminal.sheet import to_text
from handgrad.rich_repr import printable
from handgrad.worked.expressions import Expression, Gradient, Symbol
from handgrad.worked.record import Equation, words
from handgrad.worked.rounding import round_decimal
from handgrad.worksheets.worksheet import Worksheet, explain
from handgrad.writing.letter_parts import Notation
from handgrad.writing.letters import plain
from handgrad.writing.phrasebook import Phrasebook, Spans, decimal_mark

_WHOLE = 64
"""Rows and columns up to which what is given is written out: nothing of it may be left out."""
_ROOM = 4
"""Characters of an answer besides its decimals."""
_HEADED = {"forward": "forward", "loss": "loss_part", "backward": "backward", "update": "update"}


def exercise_sheet(
    exercise: Exercise, language: str | None = None, hints: bool = False, follows: bool = True
) -> Document:
    """The problem, and a place to write into for each number; with hints its equation in letters before it.

    `follows`: whoever marks it does not mark down what only follows from an earlier error, and the sheet says so.
    """
    return _Sheet(exercise, language).sheet(hints, follows)


def answer_key(exercise: Exercise, language: str | None = None) -> Document:
    """Every answer, rounded as it was asked for, then the whole calculation."""
    return _Sheet(exercise, language).key()


def labels(exercise: Exercise, language: str | None = None) -> dict[str, str]:
    """What each number asked for is, in words, by the name of its field."""
    return _Sheet(exercise, language).labels()


def files_of(document: Document, path: Path, medium: str) -> dict[Path, bytes]:
    """What is written for a document: beside Markdown its figures, which are where GitHub shows them from."""
    if medium == "terminal":
        return {path: to_text(document).encode()}
    if medium != "md" or is_stream(path):
        return {path: write(medium, document)}
    figures = markdown.figures(document, path.stem)
    beside: dict[Path, bytes] = {path.with_name(name): figure for name, figure in figures.items()}
    return {**beside, path: markdown.write(document, path.stem)}


def on_paper(asked: Asked, column: bool) -> list[list[Index]]:
    """The places of a quantity in rows and columns as paper has them; places are those of the arrays.

    >>> on_paper(Asked("z1", 1, 4, 1.0, (1, 2)), column=True)
    [[(0, 0)], [(0, 1)]]
    """
    places = np.empty(asked.shape, dtype=object)
    for index in asked.places():
        places[index] = index
    table: Array = np.atleast_2d(places)
    weights = asked.quantity.lstrip("d").startswith("W")
    rows: list[list[Index]] = (table.T if column and not weights else table).tolist()
    return rows


class _Sheet:
    """One exercise on its way to a document."""

    def __init__(self, exercise: Exercise, language: str | None) -> None:
        self.exercise = exercise
        steps = [asked.step for asked in exercise.asked]
        self.digits = Counter(asked.digits for asked in exercise.asked).most_common(1)[0][0]
        opened = explain(
            exercise.case,
            step=(min(steps), max(steps)),
            detail="matrix",
            digits=self.digits,
            language=language,
        )
        whole = replace(opened.settings, most_rows=_WHOLE, most_columns=_WHOLE)
        self.opened: Worksheet = replace(opened, settings=whole)
        self.layout = Sheet(self.opened.record, self.opened.settings)
        self.words = Phrasebook(self.layout.language)

    @cached_property
    def notation(self) -> Notation:
        """How letters are written."""
        return self.layout.notation

    @property
    def column(self) -> bool:
        """True where a sample is a column on paper."""
        return self.layout.column

    def sheet(self, hints: bool, follows: bool) -> Document:
        problem = replace(
            self.opened, settings=replace(self.opened.settings, parts=frozenset(("problem",)))
        ).document
        title = self.words.text("exercise_title", title=problem.title)
        blocks: list[Block] = [Heading(1, (title,), "title"), *self._head()]
        place: tuple[tuple[Field, ...], ...] = ((self._name_field(),),)
        if not self.exercise.name:
            blocks.append(Blanks((self.words.text("exercise_name"),), place, 30))
        kept = [Field("exercise", "", value=self.exercise.code, hidden=True)]
        if self.exercise.name:
            kept.append(replace(place[0][0], hidden=True))
        blocks.append(Blanks((), (tuple(kept),)))
        blocks.append(Paragraph(self._task(follows)))
        blocks += takewhile(_is_asked, (block for block in problem.blocks if not _is_title(block)))
        blocks += self._given()
        blocks.append(Heading(2, (self.words.text("exercise_answers"),), "answers"))
        blocks += self._blanks(hints)
        return Document(title, problem.language, tuple(blocks), problem.notation)

    def key(self) -> Document:
        document = self.opened.document
        title = self.words.text("exercise_key", title=document.title)
        blocks: list[Block] = [Heading(1, (title,), "title"), *self._head()]
        blocks.append(Heading(2, (self.words.text("exercise_right"),), "answers"))
        several = len({asked.step for asked in self.exercise.asked}) > 1
        for step, group in groupby(self.exercise.asked, lambda asked: asked.step):
            if several:
                blocks.append(self._step_heading(step))
            blocks += [self._answer(asked) for asked in group]
        blocks.append(Heading(2, (self.words.text("exercise_calculation"),), "calculation"))
        blocks += [block for block in document.blocks if not _is_title(block)]
        return replace(document, title=title, blocks=tuple(blocks))

    # -- parts

    def _head(self) -> Iterator[Block]:
        """Whose it is."""
        said = []
        if self.exercise.name:
            said.append(self.words.text("exercise_for", name=printable(self.exercise.name)))
        if self.exercise.of > 1:
            number, count = self.exercise.number, self.exercise.of
            said.append(self.words.text("exercise_variant", number=number, count=count))
        if said:
            yield Paragraph((" · ".join(said),))

    def _name_field(self) -> Field:
        return Field("name", self.words.text("exercise_name"), value=self.exercise.name)

    def _task(self, follows: bool) -> Spans:
        task = self.words.text("exercise_task", digits=words("n_decimals", count=self.digits))
        if follows:
            task += " " + self.words.text("exercise_follows")
        possible = self.exercise.possible
        if possible == round(possible):
            task += " " + self.words.text("exercise_marks", count=round(possible))
        return (task,)

    def _given(self) -> Iterator[Block]:
        """What a case takes as given, and the masks of dropout: numbers that the problem does not show."""
        first = min(self.exercise.quantities)
        held = self.exercise.quantities[first]
        names = [*self.exercise.case.given, *(name for name in held if name.startswith("mask"))]
        if "x" not in held:  # then the problem shows no data
            names.insert(0, "y")
        shown_values = [name for name in names if name in held]
        if shown_values:
            yield Paragraph((self.words.text("exercise_given"),))
        for name in shown_values:
            result = self.layout.on_paper(held[name], weights=name.lstrip("d").startswith("W"))
            yield self.layout.formula(Equation(quantity_symbol(name, None), result=result), name)

    def _step_heading(self, step: int) -> Heading:
        count = max(self.exercise.case.steps, step)
        text = self.words.text("step_of", number=step, count=count)
        return Heading(3, (text,), f"answers-step-{step}")

    def _blanks(self, hints: bool) -> Iterator[Block]:
        several = len({asked.step for asked in self.exercise.asked}) > 1
        for step, of_step in groupby(self.exercise.asked, lambda asked: asked.step):
            if several:
                yield self._step_heading(step)
            for part, of_part in groupby(of_step, lambda asked: asked.part):
                text = self.words.text(_HEADED.get(part, "exercise_more"))
                yield Heading(4 if several else 3, (text,), f"answers-{part}-{next(self._count)}")
                for asked in of_part:
                    yield from self._hint(asked) if hints else ()
                    yield self._blank(asked)

    @cached_property
    def _count(self) -> Iterator[int]:
        return iter(range(1, 1_000_000))

    def _hint(self, asked: Asked) -> Iterator[Block]:
        """The equation in letters."""
        for step in self.opened.record.steps:
            for worked in step.steps if step.number == asked.step else ():
                if worked.quantity == asked.quantity and worked.equation.letters:
                    equation = worked.equation
                    letters = Equation(equation.target, equation.symbols, scheme=equation.scheme)
                    yield self.layout.formula(letters, asked.quantity)
                    return

    def labels(self) -> dict[str, str]:
        """What each number is, in words, by the name of its field."""
        found: dict[str, str] = {}
        for asked in self.exercise.asked:
            symbol = self._symbol(asked)
            for i, row in enumerate(on_paper(asked, self.column)):
                for j, index in enumerate(row):
                    field = self._field(asked, index, symbol, i, j)
                    found[field.name] = field.label
        return found

    def _blank(self, asked: Asked) -> Blanks:
        symbol = self._symbol(asked)
        rows = tuple(
            tuple(self._field(asked, index, symbol, i, j) for j, index in enumerate(row))
            for i, row in enumerate(on_paper(asked, self.column))
        )
        remark: Spans = ()
        if asked.digits != self.digits:
            remark = (self.words.text("n_decimals", count=asked.digits),)
        return Blanks((symbol, " ="), rows, asked.digits + _ROOM, remark)

    def _field(self, asked: Asked, index: Index, symbol: Expression, row: int, column: int) -> Field:
        label = _plain(symbol, self.notation) or asked.quantity
        if asked.step > 1:
            label = self.words.text("exercise_in_step", quantity=label, number=asked.step)
        if len(index) and len(list(asked.places())) > 1:
            label = self.words.text("exercise_entry", quantity=label, row=row + 1, column=column + 1)
        return Field(asked.name_of(index), label, asked.quantity, index, asked.step)

    def _symbol(self, asked: Asked) -> Expression:
        tree = quantity_symbol(asked.quantity, None)
        return self.layout.display().tree(tree, shapes=False)

    def _answer(self, asked: Asked) -> Formula:
        """symbol = the numbers, each to the decimals asked for."""
        decimal = decimal_mark(self.layout.language)
        rows = on_paper(asked, self.column)
        values = [[self.exercise.value(asked, index) for index in row] for row in rows]
        texts = [[rounded_text(value, asked.digits).replace(".", decimal) for value in row] for row in values]
        exact = all(
            float(text.replace(decimal, ".")) == value
            for row, of_row in zip(texts, values, strict=True)
            for text, value in zip(row, of_row, strict=True)
        )
        cells = tuple(tuple(Literal(text) for text in row) for row in texts)
        single = len(cells) == len(cells[0]) == 1
        form: Expression = (
            cells[0][0] if single else LaidMatrix(cells, (len(cells), len(cells[0])), show_shape=False)
        )
        return Formula(self._symbol(asked), (("=" if exact else "~", form),))


def rounded_text(value: float, digits: int) -> str:
    """The number to so many decimals, all of them written, rounded half up as on paper.

    >>> rounded_text(-0.38, 4), rounded_text(-0.00001, 2), rounded_text(0.00039, 4), rounded_text(0.285, 2)
    ('-0.3800', '0.00', '0.0004', '0.29')
    """
    text = f"{round_decimal(value, digits):.{digits}f}"
    return text.removeprefix("-") if not text.strip("-0.") else text


def _plain(symbol: Expression, notation: Notation) -> str:
    """The symbol as text on one line, for those who hear it."""
    if isinstance(symbol, Symbol):
        return plain(symbol, notation)
    if isinstance(symbol, Gradient) and isinstance(symbol.of, Symbol) and isinstance(symbol.by, Symbol):
        return f"∂{plain(symbol.of, notation)}/∂{plain(symbol.by, notation)}"
    return ""


def _is_title(block: Block) -> bool:
    return isinstance(block, Heading) and block.level == 1


def _is_asked(block: Block) -> bool:
    """True up to where a sheet begins to tell what comes out."""
    if isinstance(block, Heading):
        return not block.anchor.startswith("step-of")
    return not (isinstance(block, Paragraph) and block.role == "observation")
