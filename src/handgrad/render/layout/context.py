"""What all parts of a sheet share: the record, the reader's choices, words, numbers, headings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import pairwise

import numpy as np

from handgrad.nn.arrays import Array
from handgrad.render.document import Block, Formula, Heading, Paragraph
from handgrad.render.layout.elision import Display, Limits, literal
from handgrad.render.layout.names import short_names
from handgrad.render.settings import DEFAULT_DIGITS, Settings
from handgrad.worked.evaluate import evaluate, is_rounded, map_tree
from handgrad.worked.expressions import (
    Expression,
    Hadamard,
    MatMul,
    Matrix,
    Number,
    SumOver,
    Symbol,
    Times,
)
from handgrad.worked.record import Argument, Equation, Record, Shape, StepRecord, Words
from handgrad.writing.letter_parts import Notation
from handgrad.writing.numerals import MOST_DECIMALS, Precision, Shown, shown, shown_together
from handgrad.writing.phrasebook import Phrasebook, Span, Spans, chosen_language, decimal_mark, joined

BRIEF_TERMS = 6
"""Terms of a long sum in a brief sheet: as many as a line holds."""
CAME_OUT_EVEN = 1e-12
"""Up to this relative difference a carried result is its numbers' value, and nothing was rounded."""


class Sheet:
    """A record on its way to a document. Layout computes nothing; it asks this for words and numbers."""

    def __init__(self, record: Record, settings: Settings) -> None:
        self.record, self.settings = record, settings
        self.language = chosen_language(settings.language)
        self.decimal = settings.decimal or decimal_mark(self.language)
        recipe = record.recipe
        self.regularization = record.regularization if recipe is None else recipe.regularization
        self.anchors: set[str] = set()
        self.said: set[Spans] = set()
        self.rules: set[str] = set()
        self.base_level = 2
        self.marks: Mapping[str, Sequence[Block]] = {}
        """What is said of quantities where they are worked out, by public name."""

    @cached_property
    def notation(self) -> Notation:
        """The notation of the settings; orientation and decimal point are the sheet's own."""
        chosen = self.settings.notation or Notation()
        numbers, of_samples = _single(self.record)
        return replace(
            chosen,
            orientation=self.record.options.orientation,
            decimal=self.decimal,
            numbers=numbers,
            of_samples=of_samples,
            inputs=short_names(self.record.names),
            outputs=short_names(self.record.outputs),
            depth=self.record.network.depth,
        )

    @cached_property
    def phrasebook(self) -> Phrasebook:
        """The words of the reader's language."""
        return Phrasebook(self.language, show=lambda value: in_words(shown(value, self.precision())))

    @property
    def column(self) -> bool:
        """True where a sample is a column on paper."""
        return self.record.options.orientation == "column"

    @property
    def digits(self) -> int:
        """Decimals asked for by the reader, else by the case, else the default."""
        if self.settings.digits is not None:
            return self.settings.digits
        return DEFAULT_DIGITS if self.record.digits is None else self.record.digits

    def precision(self, quantity: str = "") -> Precision:
        """How a quantity is rounded for display: by its own decimals, else the reader's or the case's."""
        decimals = dict(self.settings.digits_of).get(quantity)
        if decimals is None and self.settings.digits is None:
            decimals = dict(self.record.rounding.quantities).get(quantity)
        significant = None if decimals is not None else self.settings.significant
        return Precision(self.digits if decimals is None else decimals, significant, self.decimal)

    def display(self, quantity: str = "") -> Display:
        """How the trees of a quantity are shown."""
        settings = self.settings
        terms = settings.most_terms if settings.detail != "brief" else min(settings.most_terms, BRIEF_TERMS)
        limits = Limits(settings.most_rows, settings.most_columns, terms)
        return Display(self.precision(quantity), limits, lambda label: self.text(f"factor:{label}"))

    # words

    def text(self, key: str, **arguments: Argument | Spans) -> str:
        """A sentence as text."""
        return self.phrasebook.text(key, **arguments)

    def say(self, key: str, **arguments: Argument | Spans) -> Spans:
        """A sentence, its mathematics ready to be written."""
        return self._ready(self.phrasebook.say(key, **arguments))

    def spans(self, words: Words) -> Spans:
        """The sentence of the record's words."""
        return self._ready(self.phrasebook.spans(words))

    def _ready(self, spans: Spans) -> Spans:
        display = self.display()
        return tuple(span if isinstance(span, str) else display.tree(span, shapes=False) for span in spans)

    def paragraph(self, key: str, role: str = "", **arguments: Argument | Spans) -> Paragraph:
        """A sentence as a paragraph."""
        return Paragraph(self.say(key, **arguments), role)

    def once(self, spans: Spans) -> Iterator[Paragraph]:
        """A paragraph, unless this step has said the same before."""
        if spans not in self.said:
            self.said.add(spans)
            yield Paragraph(spans)

    def heading(self, depth: int, key: str, **arguments: Argument) -> Heading:
        """A heading `depth` levels below the parts, with an anchor of its own."""
        stem = "-".join([key.replace("_", "-"), *(str(value) for value in arguments.values())])
        return Heading(min(4, self.base_level + depth), self.say(key, **arguments), self.anchor(stem))

    def anchor(self, stem: str) -> str:
        """`stem`, with a number after it where it is taken."""
        anchor, count = stem, 1
        while anchor in self.anchors:
            count += 1
            anchor = f"{stem}-{count}"
        self.anchors.add(anchor)
        return anchor

    # numbers

    def on_paper(self, values: Array, *, weights: bool = False) -> Expression:
        """An array of the record (one sample a row, biases flat) the way round that paper has it."""
        array = np.atleast_2d(np.asarray(values, dtype=np.float64))
        turned = array.T if self.column and not weights else array
        return Number(float(turned[0, 0])) if turned.size == 1 else Matrix(turned)

    def quantity(self, step: StepRecord, name: str) -> Expression:
        """A quantity of a step as a number or a matrix on paper."""
        return self.on_paper(step.quantities[name], weights=name.lstrip("d").startswith("W"))

    def shown_column(
        self, values: Iterable[float], quantity: str = "", least_digits: int = 0
    ) -> list[Expression]:
        """Numbers of a column of a table, with the same number of decimals."""
        precision = self.precision(quantity)
        precision = replace(precision, decimals=max(precision.decimals, least_digits))
        table = shown_together([[value] for value in values], precision)
        return [literal(row[0]) for row in table]

    def number(self, value: float, quantity: str = "") -> Expression:
        """A number on its own."""
        return self.display(quantity).number(value)

    def apart(self, values: Iterable[float], quantity: str = "") -> list[Shown]:
        """Numbers that are compared, with as many more digits as it takes to tell different ones apart."""
        values, precision = list(values), self.precision(quantity)
        while True:
            texts = [shown(value, precision) for value in values]
            said = {(_without_zeros(text.text), text.exponent) for text in texts}
            if len(said) >= _different(values) or precision.decimals == MOST_DECIMALS:
                return texts
            more = None if precision.significant is None else min(MOST_DECIMALS, precision.significant + 1)
            precision = replace(precision, decimals=precision.decimals + 1, significant=more)

    def roughly(self, value: float) -> Expression:
        """A number of which only the size matters, to two significant digits."""
        return literal(shown(value, Precision(significant=2, decimal=self.decimal)))

    def samples(self, step: StepRecord | None) -> int:
        """How many samples the batch has; 1 where there is none."""
        held = {} if step is None else step.quantities
        batch = held.get("x", held.get("yhat"))  # outputs given by hand stand without inputs
        return 1 if batch is None else int(batch.shape[0])

    # formulas

    def formula(self, equation: Equation, quantity: str = "", shapes: tuple[Shape, ...] = ()) -> Formula:
        """The equation line by line: symbols, numbers, result."""
        display = self.working(quantity)
        scalar = isinstance(equation.result, Number)
        symbols = [_of_numbers(tree) if scalar else tree for tree in equation.letters]
        forms = [("=", display.tree(tree)) for tree in symbols]
        endless = bool(equation.numbers) and is_rounded(equation.numbers[0])
        for place, tree in enumerate(equation.numbers):
            rounded = place > 0 and (not display.exact(tree) or (endless and not is_rounded(tree)))
            forms.append(("~" if rounded else "=", display.tree(tree)))
        if equation.result is not None:
            form = self._result(equation, quantity)
            if forms and forms[-1][1] == form[1]:
                forms.pop()
            forms.append(form)
        target = display.tree(equation.target, shapes=False)
        return Formula(target, tuple(forms), self.shape_line(shapes, equation.target))

    def _result(self, equation: Equation, quantity: str) -> tuple[str, Expression]:
        """The result with its sign; a number that was put in unchanged is shown as it was put in."""
        assert equation.result is not None
        display = self.display(quantity)
        if equation.numbers and _same_numbers(equation.numbers[-1], equation.result):
            display = self.working(quantity)
        sign = "~" if self.rounded(equation, quantity) else "="
        return sign, display.tree(equation.result)

    def working(self, quantity: str) -> Display:
        """How the numbers that lead to a quantity are shown: never with fewer digits than others are."""
        display, own = self.display(), self.precision(quantity)
        decimals = max(display.precision.decimals, own.decimals)
        return replace(display, precision=replace(display.precision, decimals=decimals))

    def rounded(self, equation: Equation, quantity: str) -> bool:
        """True where the result was rounded: for display, or as on paper."""
        assert equation.result is not None
        if not self.display(quantity).exact(equation.result) or any(map(is_rounded, equation.numbers)):
            return True
        if not self.record.carry or not equation.numbers:
            return False
        found, stated = evaluate(equation.numbers[-1]), evaluate(equation.result)
        return not np.allclose(found, stated, rtol=CAME_OUT_EVEN, atol=0.0, equal_nan=True)

    def shape_line(self, shapes: tuple[Shape, ...], target: Expression) -> Spans:
        """W 2×3, x 3×1 → z 2×1; nothing where the shapes stay as they are."""
        if len({(shape.rows, shape.columns) for shape in shapes}) < 2:
            return ()
        parts: list[Span] = []
        for place, shape in enumerate(shapes):
            if place:
                parts.append(" → " if shape.symbol == target else ", ")
            parts.extend(
                (self.display().tree(shape.symbol), f" {self.shape_text(shape.rows, shape.columns)}")
            )
        return joined(parts)

    def shape_text(self, rows: int, columns: int) -> str:
        """2×3."""
        return self.text("shape_of", rows=rows, columns=columns)

    def activity(self, layer: int) -> Symbol:
        """What a layer gives: x, a, or the prediction."""
        if layer == 0:
            return Symbol("x")
        return Symbol("yhat") if layer == self.record.network.depth else Symbol("a", layer)


def _single(record: Record) -> tuple[frozenset[str], frozenset[str]]:
    """The quantities that are one number in every step, and those of which each sample has one number."""
    shapes: dict[str, set[tuple[int, int]]] = {}
    for step in record.steps:
        units = 0 if step.bindings.column else 1
        for name, value in step.bindings.items():
            rows = value.shape if isinstance(value, Matrix) else (1, 1)
            shapes.setdefault(name, set()).add((rows[units], rows[1 - units]))
    numbers = frozenset(name for name, found in shapes.items() if found == {(1, 1)})
    one_unit = {name for name, found in shapes.items() if {units for units, _ in found} == {1}}
    return numbers, frozenset(name for name in one_unit if name[0] not in "Wb")


def in_words(number: Shown) -> str:
    """A number within a sentence, with a true minus sign."""
    return str(number).replace("-", "\u2212")


def _different(values: list[float]) -> int:
    """How many of the numbers differ by more than the last digits of binary arithmetic."""
    ordered = sorted(values)
    return len(ordered) - sum(
        bool(np.isclose(low, high, rtol=CAME_OUT_EVEN, atol=0.0)) for low, high in pairwise(ordered)
    )


def _without_zeros(text: str) -> str:
    """4 of 4.00, to compare what two numbers say."""
    return text.rstrip("0").rstrip(".,") if set(text) & {".", ","} else text


def _same_numbers(left: Expression, right: Expression) -> bool:
    if isinstance(left, Matrix) and isinstance(right, Matrix):
        one, other = (side.values.astype(np.float64) for side in (left, right))
        return np.array_equal(one, other, equal_nan=True)
    return isinstance(left, Number) and isinstance(right, Number) and left.value == right.value


def _of_numbers(tree: Expression) -> Expression:
    """Between numbers, a product entry by entry is a product."""
    if any(isinstance(part, MatMul | SumOver) for part in _parts(tree)):
        return tree
    return map_tree(tree, lambda part: Times(part.factors) if isinstance(part, Hadamard) else part)


def _parts(tree: Expression) -> list[Expression]:
    found: list[Expression] = []

    def keep(part: Expression) -> Expression:
        found.append(part)
        return part

    map_tree(tree, keep)
    return found
