"""What a page gives: data, weights, biases and the learning rate, off its assignments, without a case beside it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from handgrad.audit.page.formula_trees import Name, literal
from handgrad.audit.page.names import Meaning, Scheme, meanings
from handgrad.audit.page.phrases import is_target, named
from handgrad.audit.page.ranges import as_printed
from handgrad.audit.page.reading import Work
from handgrad.nn.arrays import Array

DEEPEST = 9


class Value(NamedTuple):
    """Numbers, and the line that they are from."""

    array: Array
    line: int


@dataclass(slots=True)
class Givens:
    """Whole arrays and single entries by name: x, target, yhat, rate, W1, b1, ..., and what bears no layer."""

    whole: dict[str, Value] = field(default_factory=dict)
    entries: dict[str, dict[tuple[int, ...], Value]] = field(default_factory=dict)
    flat: dict[int, Value] = field(default_factory=dict)
    """Weights that are counted through."""

    def lines(self, name: str) -> list[int]:
        """The lines that a quantity is from."""
        if name in self.whole:
            return [self.whole[name].line]
        return sorted({value.line for value in self.entries.get(name, {}).values()})

    def array(self, name: str) -> Array | None:
        """A quantity as an array: whole, or put together of all its entries; None where some are missing."""
        if name in self.whole:
            return self.whole[name].array
        held = self.entries.get(name)
        if not held or any(i < 0 for index in held for i in index):
            return None
        rank = len(next(iter(held)))
        if any(len(index) != rank for index in held):
            return None
        shape = tuple(max(index[k] for index in held) + 1 for k in range(rank))
        if len(held) != int(np.prod(shape)):
            return None
        made = np.zeros(shape)
        for index, value in held.items():
            made[index] = float(value.array)
        return made

    @property
    def depth(self) -> int:
        """The number of layers whose weights or biases were found."""
        numbers = [
            int(found[1])
            for name in (*self.whole, *self.entries)
            if (found := re.fullmatch(r"[Wb](\d)", name))
        ]
        return max(numbers, default=0)


def givens(work: Iterable[Work], scheme: Scheme) -> Givens:
    """What is assigned right away, the first time that it is: a name, an equals sign, a number."""
    found = Givens()
    for one in work:
        chain = one.chain
        head, first = chain.parts[0], chain.parts[1] if len(chain.parts) > 1 else None
        if first is None or not literal(first.tree) or not isinstance(head.tree, Name | None):
            continue
        array = as_printed(first.tree)
        if array is None or one.context.step > 1 or one.context.after:
            continue
        for meaning in _meant(head.tree, chain.words, scheme):
            if _keep(
                found, meaning, one, Value(np.squeeze(array, 0) if array.ndim == 3 else array, first.line)
            ):
                break
    return found


def _meant(head: Name | None, words: str, scheme: Scheme) -> list[Meaning]:
    letter = named(words if head is None else f"{words} {head.base}")
    if head is None or (len(head.base) > 2 and not head.lowered and letter is not None):
        return [] if letter is None else [Meaning(letter, None, ())]
    meant = list(meanings(head, scheme, DEEPEST))
    if meant and is_target(words):
        return [meant[0]._replace(letter="target")]
    return meant


def _keep(found: Givens, meaning: Meaning, one: Work, value: Value) -> bool:
    """Notes one value under its name; False where that is nothing that a case gives."""
    if meaning.new or (one.context.updating and meaning.letter in ("W", "b") and not meaning.old):
        return True
    if meaning.flat is not None:
        found.flat.setdefault(meaning.flat, value)
        return True
    if meaning.letter in ("W", "b"):
        layer = meaning.layer if meaning.layer is not None else one.context.layer
        name = f"{meaning.letter}{layer if layer is not None else 1}"
    elif meaning.letter in ("x", "target", "yhat", "rate"):
        name = meaning.letter
    else:
        return False
    sample = meaning.sample if meaning.sample is not None else one.context.sample
    entries = meaning.entries
    if entries and value.array.ndim == 0:
        found.entries.setdefault(name, {}).setdefault(entries, value)
    elif name in ("x", "target") and sample is not None and value.array.ndim <= 1:
        for k, number in enumerate(np.atleast_1d(value.array)):
            found.entries.setdefault(name, {}).setdefault((sample, k), Value(np.float64(number), value.line))  # type: ignore[arg-type]
    elif not entries:
        found.whole.setdefault(name, value)
    return True
