"""One entry of a step, and the shortest complete path to it: from the loss back to a weight, or forward to a unit.

The path follows the program of the step. A gradient's entry is opened in scalars; what it needs of the backward pass
is opened in the same way, down to the loss; numbers of the forward pass stand in it as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from handgrad.errors import SpecificationError
from handgrad.nn.arrays import Array
from handgrad.worked.bindings import Bindings, array_of, name_of, position
from handgrad.worked.entries import entry_of, letter_at, letters_in
from handgrad.worked.evaluate import evaluate
from handgrad.worked.expressions import Expression, Gradient, Sum, Symbol, Times
from handgrad.worked.paper import Paper
from handgrad.worked.record import Assignment, Equation, WorkedStep
from handgrad.worked.substitute import node, substitute

_TEXT = re.compile(r"([A-Za-z]+)(\d*)\s*(?:\[\s*(\d+)\s*(?:,\s*(\d+)\s*)?\])?")
_BACKWARD = re.compile(r"(dyhat|da\d+|df\d+|derivative\d+|delta\d+|d[Wb]\d+(_\w+)?)")
_INNER = re.compile(r"da\d+|derivative\d+")
_UPDATE = re.compile(r"([Wb])(\d+)_(?!data|penalty|clipped)\w+")
MOST_BRANCHES = 4
"""Where more units than this feed an entry, only the one that carries most is opened; the others stand as numbers."""
KINDS = ("W", "b", "z", "a", "delta", "yhat", "x")


@dataclass(frozen=True)
class Focus:
    """What a reader wants to follow: an entry of a parameter, a unit, an output or a row, counted from 0.

    >>> Focus.parse("W2[0,1]")
    Focus(kind='W', layer=2, entry=(0, 1))
    >>> Focus.parse("a1[3]"), Focus.parse("yhat[0]")
    (Focus(kind='a', layer=1, entry=(3,)), Focus(kind='yhat', layer=None, entry=(0,)))

    Raises SpecificationError for text of another form.
    """

    kind: str
    layer: int | None
    entry: tuple[int, ...]

    @classmethod
    def parse(cls, text: str) -> Focus:
        """A quantity with its entry in brackets: W2[0,1], b1[2], z1[0], a1[0], delta1[0], yhat[1], x[2] (a row)."""
        matched = _TEXT.fullmatch(text.strip())
        wanted = "a quantity and its entry, counted from 0: W2[0,1], b1[2], a1[0], yhat[1], or x[2] for a row"
        if matched is None or matched.group(1) not in KINDS:
            raise SpecificationError(f"focus takes {wanted}; got {text!r}")
        kind, layer, *places = matched.groups()
        entry = tuple(int(place) for place in places if place is not None)
        layered = kind not in ("yhat", "x")
        if layered != bool(layer) or len(entry) > (2 if kind == "W" else 1):
            raise SpecificationError(f"focus takes {wanted}; got {text!r}")
        return cls(kind, int(layer) if layer else None, entry)


class Lines(NamedTuple):
    """The letters of a step: the program, and for each quantity the forms that its sheet shows."""

    program: dict[str, Expression]
    shown: dict[str, tuple[Expression, ...]]

    @classmethod
    def of(cls, program: Iterable[Assignment], steps: Iterable[WorkedStep]) -> Lines:
        """From a step's program and its worked steps."""
        return cls(dict(program), {step.quantity: step.equation.symbols for step in steps})


def path_to(
    paper: Paper, lines: Lines, focus: Focus, branches: int = MOST_BRANCHES
) -> tuple[WorkedStep, ...]:
    """The equations from the loss to a parameter and its update, or from the inputs to a unit and its delta.

    Of a batch one sample is followed: the one that the reader named, else the one that moves the entry most.

    Raises SpecificationError for an entry that the step has not.
    """
    return tuple(_Walk(paper, lines, _checked(paper, focus), branches).steps())


def _checked(paper: Paper, focus: Focus) -> Focus:
    """The focus with its entry complete: a vector or a matrix of one entry needs none said."""
    network, layer = paper.network, focus.layer
    if layer is not None and not 1 <= layer <= network.depth:
        raise SpecificationError(f"focus: layer {layer} of {network.depth} layers is not there")
    sizes: dict[str, tuple[int, ...]] = {
        "W": (paper.sizes[layer or 0], paper.sizes[(layer or 1) - 1]),
        "yhat": (network.outputs,),
        "x": (paper.samples,),
    }
    size = sizes.get(focus.kind, (paper.sizes[layer or 0],))
    entry = focus.entry or ((0,) * len(size) if max(size) == 1 else ())
    if len(entry) != len(size) or any(not 0 <= i < n for i, n in zip(entry, size, strict=False)):
        name = f"{focus.kind}{layer or ''}"
        shape = " x ".join(map(str, size))
        came = f"[{', '.join(map(str, entry))}]" if entry else "no entry"
        raise SpecificationError(f"focus: {name} is {shape}, its entries are counted from 0; got {came}")
    return Focus(focus.kind, layer, entry)


class _Walk:
    """From one entry to what it needs, and so on; every equation once."""

    def __init__(self, paper: Paper, lines: Lines, focus: Focus, branches: int) -> None:
        self.paper, self.program, self.focus = paper, lines.program, focus
        self.shown, self.branches = lines.shown, branches
        self.bindings: Bindings = paper.bindings
        self.sample = self._sample()
        self.found: dict[tuple[str, int, int], WorkedStep] = {}

    def steps(self) -> Iterator[WorkedStep]:
        for quantity, row, column in self.wanted():
            self.follow(quantity, row, column)
        order = {name: place for place, name in enumerate(self.program)}
        yield from (
            self.found[key] for key in sorted(self.found, key=lambda key: (order[key[0]], key[1], key[2]))
        )

    def wanted(self) -> Iterator[tuple[str, int, int]]:
        """The entries at the end of the path, by quantity and place on paper."""
        kind, layer, entry = self.focus.kind, self.focus.layer, self.focus.entry
        if kind in ("W", "b"):
            name = f"{kind}{layer}"
            place = (entry[0], entry[1]) if kind == "W" else self._upright(entry[0], 0)
            yield (f"d{name}", *place)
            for quantity in self.program:
                if (
                    matched := _UPDATE.fullmatch(quantity)
                ) and f"{matched.group(1)}{matched.group(2)}" == name:
                    yield (quantity, *place)
            return
        depth = self.paper.network.depth
        last = depth if kind == "yhat" else layer
        units = range(self.paper.network.outputs) if kind == "x" else entry[:1]
        for unit in units:
            names = [f"z{last or depth}", f"f{last}", "yhat" if last == depth else f"a{last}", f"delta{last}"]
            if kind == "x":
                names = [f"z{depth}", "yhat", f"delta{depth}"]
            for name in (f"delta{last}",) if kind == "delta" else names:
                yield (name, *self._upright(unit, self.sample))

    def _upright(self, unit: int, sample: int) -> tuple[int, int]:
        return (unit, sample) if self.bindings.column else (sample, unit)

    def _sample(self) -> int:
        """The sample that is followed."""
        paper, focus = self.paper, self.focus
        if focus.kind == "x":
            return focus.entry[0]
        if paper.options.sample is not None:
            return min(paper.options.sample, paper.samples - 1)
        if paper.samples == 1 or not paper.has(f"delta{focus.layer}"):
            return 0
        share = np.asarray(paper.quantities[f"delta{focus.layer}"][:, focus.entry[0]], np.float64)
        if focus.kind == "W":
            share = share * paper.quantities[paper.activity((focus.layer or 1) - 1)][:, focus.entry[1]]
        return int(np.argmax(np.abs(share)))

    def follow(self, quantity: str, row: int, column: int) -> None:
        letters = self.program.get(quantity)
        if letters is None:
            return
        whole = evaluate(letters, self.bindings)
        row, column = min(row, whole.shape[0] - 1), min(column, whole.shape[1] - 1)
        key = (quantity, row, column)
        if key in self.found or (isinstance(letters, Symbol) and quantity == "yhat"):
            if key not in self.found:
                self.follow(f"a{self.paper.network.depth}", row, column)
            return
        tree = self.entry(quantity, letters, whole, row, column)
        self.found[key] = self.step(quantity, tree, row, column)
        for letter in letters_in(self.carrying_most(tree)):
            self.needed(letter)

    def entry(self, quantity: str, letters: Expression, whole: Array, row: int, column: int) -> Expression:
        """The entry as the sheet writes it, where that form has the same number, else as the program computes it."""
        for form in (*self.shown.get(quantity, ()), letters):
            tree = entry_of(form, row, column, self.bindings)
            found = np.asarray(evaluate(tree, self.bindings), np.float64)
            if found.shape == (1, 1) and np.allclose(
                found, float(whole[row, column]), rtol=1e-9, atol=0, equal_nan=True
            ):
                return self.joined(tree)
        return self.joined(entry_of(letters, row, column, self.bindings))

    def joined(self, tree: Expression) -> Expression:
        """What comes back to a unit and the slope of its activation stand in its delta, not before it."""
        if not isinstance(tree, Times):
            return tree
        return Times(tuple(self.opened(factor) for factor in tree.factors), tree.sign)

    def opened(self, factor: Expression) -> Expression:
        if not isinstance(factor, Gradient) or not _INNER.fullmatch(name_of(factor)):
            return factor
        name, (entry, sample) = name_of(factor), position(factor)
        if name in self.paper.trace.given or name not in self.program or isinstance(sample, str):
            return factor
        place = self._upright(int(entry[0]) if entry else 0, self.sample if sample is None else sample)
        return entry_of(self.program[name], *place, self.bindings)

    def carrying_most(self, tree: Expression) -> Expression:
        """Of a sum of many terms that come from units the largest one; any other tree as it is."""
        if isinstance(tree, Times):
            return Times(tuple(self.carrying_most(factor) for factor in tree.factors))
        if not isinstance(tree, Sum) or len(tree.terms) <= self.branches:
            return tree
        sizes = [float(np.max(np.abs(evaluate(term, self.bindings)))) for term in tree.terms]
        return tree.terms[int(np.argmax(sizes))]

    def needed(self, letter: Symbol | Gradient) -> None:
        """Opens what an equation of the backward pass needs, of the sample that is followed."""
        name = name_of(letter)
        if not _BACKWARD.fullmatch(name):
            return
        entry, sample = position(letter)
        if (isinstance(sample, int) and sample != self.sample) or not all(isinstance(i, int) for i in entry):
            return  # of a sum over all samples the one that is followed is opened
        unit = int(entry[0]) if entry else 0
        if re.match(r"dW\d", name):
            self.follow(name, unit, int(entry[1]) if len(entry) > 1 else 0)
        elif re.match(r"db\d", name):
            self.follow(name, *self._upright(unit, 0))
        else:
            self.follow(name, *self._upright(unit, self.sample))

    def step(self, quantity: str, tree: Expression, row: int, column: int) -> WorkedStep:
        letter = self.paper.symbol(quantity)
        assert isinstance(letter, Symbol | Gradient)
        target = letter_at(letter, row, column, self.bindings) if quantity in self.bindings else letter
        held = array_of(self.bindings[quantity])
        result = node(held[min(row, held.shape[0] - 1), min(column, held.shape[1] - 1)])
        numbers = substitute(tree, self.bindings)
        part = (
            "update"
            if _UPDATE.fullmatch(quantity)
            else "backward"
            if _BACKWARD.fullmatch(quantity)
            else "forward"
        )
        equation = Equation(target, (tree,), (numbers,), result)
        layer = re.search(r"\d+", quantity)
        return WorkedStep(
            quantity, part, int(layer.group()) if layer else None, Equation(target), scalar=(equation,)
        )


def strongest(paper: Paper) -> Focus | None:
    """The weight of the first layer that the step moves most: the representative of all others."""
    for l, _ in paper.network.numbered():
        if paper.has(f"dW{l}"):
            gradient = np.abs(np.asarray(paper.quantities[f"dW{l}"], np.float64))
            if not np.isfinite(gradient).all():
                continue
            row, column = np.unravel_index(int(np.argmax(gradient)), gradient.shape)
            return Focus("W", l, (int(row), int(column)))
    return Focus("yhat", None, (0,)) if paper.has("yhat") else None


def representative(paper: Paper, lines: Lines) -> tuple[WorkedStep, ...]:
    """One unit of the first layer forward, then the weight of it that the step moves most, all the way."""
    focus = strongest(paper)
    if focus is None:
        return ()
    path = path_to(paper, lines, focus, branches=1)
    if focus.kind != "W":
        return path
    walk = _Walk(paper, lines, Focus("z", focus.layer, focus.entry[:1]), branches=1)
    walk.sample = _Walk(paper, lines, focus, branches=1).sample
    return (*(step for step in walk.steps() if step.part == "forward"), *path)
