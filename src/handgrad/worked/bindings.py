"""Letters and what they stand for: every letter of a step is bound to its value once.

A quantity has one public name (`W1`, `delta2`, `dW1_clipped`, `W1_m_old`, `eta`); symbols with entries or samples
mean parts of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from handgrad.errors import VerificationError
from handgrad.nn.arrays import Array
from handgrad.worked.expressions import Expression, Gradient, Matrix, Number, Symbol
from handgrad.worked.real import number_of

Value = Number | Matrix
PARTS = {"loss": "", "data_loss": "_data", "penalty": "_penalty"}
"""What the gradient of a part of the loss has behind its name."""


def name_of(symbol: Expression) -> str:
    """The public name of the whole quantity that a symbol or a derivative means, entries and samples left aside.

    >>> name_of(Symbol("W", 1, (0, 1))), name_of(Symbol("W", 1, mark="m", old=True)), name_of(Symbol("n", 2))
    ('W1', 'W1_m_old', 'n2')
    >>> name_of(Gradient(Symbol("data_loss"), Symbol("W", 1)))
    'dW1_data'
    >>> name_of(Gradient(Symbol("a", 1), Symbol("z", 1)))
    'derivative1'

    Raises VerificationError for an expression that names no quantity.
    """
    if isinstance(symbol, Gradient):
        return _name_of_gradient(symbol)
    if not isinstance(symbol, Symbol):
        raise VerificationError(f"{type(symbol).__name__} is no letter: {symbol}")
    layer = "" if symbol.layer is None else str(symbol.layer)
    mark = f"_{symbol.mark}" if symbol.mark else ""
    return f"{symbol.letter}{layer}{mark}{'_old' if symbol.old else ''}"


def _name_of_gradient(gradient: Gradient) -> str:
    of, by = gradient.of, gradient.by
    if isinstance(of, Symbol) and isinstance(by, Symbol):
        if of.letter in PARTS and by.letter == "z":
            return f"delta{by.layer}"
        if of.letter in PARTS:
            return f"d{name_of(by)}{PARTS[of.letter]}{'_clipped' if of.mark == 'clipped' else ''}"
        if of.letter in ("a", "f", "yhat") and by.letter == "z":
            return f"derivative{by.layer}"
    return f"d{name_of(of)}_d{name_of(by)}"


@dataclass(frozen=True, eq=False)
class Bindings(Mapping[str, Value]):
    """Values by public name, as they stand on paper; `column`: there a sample is a column.

    >>> letters = Bindings({"x": Matrix(np.array([[1.0, 2.0], [3.0, 4.0]]))})
    >>> letters.part(Symbol("x", entry=(1,), sample=0), {}).tolist()
    [[3.0]]
    """

    held: Mapping[str, Value] = field(default_factory=dict)
    column: bool = True

    def __getitem__(self, name: str) -> Value:
        return self.held[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.held)

    def __len__(self) -> int:
        return len(self.held)

    def of(self, symbol: Expression) -> Value:
        """What the whole quantity of a symbol stands for.

        Raises VerificationError for a letter without a value.
        """
        value = self.held.get(name_of(symbol))
        if value is None:
            raise VerificationError(f"the letter {name_of(symbol)} stands for no number here: {symbol}")
        return value

    def number(self, symbol: Expression) -> Any:
        """The number of a symbol whose entry and sample are said by numbers; None for any other."""
        inner = symbol.by if type(symbol) is Gradient else symbol
        if type(inner) is not Symbol or not (inner.entry or inner.sample is not None):
            return None
        whole = self.held.get(name_of(symbol))
        if type(whole) is not Matrix:
            return None
        rows, columns = whole.values.shape
        if len(inner.entry) == 2:
            row, across = inner.entry
        elif len(inner.entry) == 1 and (inner.sample is not None or (columns if self.column else rows) == 1):
            unit, at = inner.entry[0], inner.sample or 0
            row, across = (unit, at) if self.column else (at, unit)
        else:
            return None
        if type(row) is int and type(across) is int and 0 <= row < rows and 0 <= across < columns:
            return number_of(whole.values[row, across])
        return None

    def part(self, symbol: Expression, indices: Mapping[str, Array]) -> Array:
        """The numbers of a symbol, its entry and sample taken; see `taken`."""
        return taken(array_of(self.of(symbol)), symbol, indices, self.column)


NOTHING = Bindings()


def array_of(value: Value) -> Array:
    """The numbers of a node, with two dimensions."""
    return np.array([[value.value]]) if isinstance(value, Number) else value.values


def bind(values: dict[str, Value], name: str, value: Value) -> None:
    """Gives a letter its value.

    Raises VerificationError where it has another one already.
    """
    held = values.setdefault(name, value)
    if held is not value and not np.array_equal(array_of(held), array_of(value), equal_nan=True):
        raise VerificationError(
            f"the letter {name} stands for {_short(held)} and for {_short(value)}; give one of them another letter"
        )


def _short(value: Value) -> str:
    array = array_of(value)
    return str(array.item()) if array.size == 1 else f"a matrix of {array.shape[0]} x {array.shape[1]}"


def position(symbol: Expression) -> tuple[tuple[int | str, ...], int | str | None]:
    """The entry and the sample of a symbol; of a derivative those of what it is taken by."""
    inner = symbol.by if isinstance(symbol, Gradient) else symbol
    return (inner.entry, inner.sample) if isinstance(inner, Symbol) else ((), None)


def is_placed(symbol: Expression) -> bool:
    """True for a symbol that means a part of its quantity."""
    entry, sample = position(symbol)
    return bool(entry) or (sample is not None and _letter(symbol) != "loss")


def _letter(symbol: Expression) -> str:
    inner = symbol.by if isinstance(symbol, Gradient) else symbol
    return inner.letter if isinstance(inner, Symbol) else ""


def taken(array: Array, symbol: Expression, indices: Mapping[str, Array], column: bool) -> Array:
    """The part of a quantity on paper that a symbol means.

    Index letters stand for arrays of numbers counted from 1, whose shape the result has before its two
    dimensions: with k = 1..3 `z_k` has the shape (3, 1, 1).

    Raises VerificationError for an entry that the quantity has not, or one of several samples left open.
    """
    entry, sample = position(symbol)
    if not entry and sample is None:
        return array
    if len(entry) == 2:
        row, across = (_place(symbol, index, indices) for index in entry)
        return _at(array, symbol, row, across)
    unit = _place(symbol, entry[0], indices) if entry else None
    at = None if sample is None else _place(symbol, sample, indices)
    samples = array.shape[1] if column else array.shape[0]
    if at is None:
        if samples > 1:
            raise VerificationError(f"{symbol} is one of {samples} samples, and does not say which")
        at = np.array(0)
    if unit is not None:
        return _at(array, symbol, *((unit, at) if column else (at, unit)))
    whole = _at(array if column else array.T, symbol, None, at)
    return whole if column else np.swapaxes(whole, -1, -2)


def _place(symbol: Expression, index: int | str, indices: Mapping[str, Array]) -> Array:
    """The zero-based position that an index stands for."""
    if isinstance(index, int):
        return np.array(index)
    if index not in indices:
        raise VerificationError(f"the index {index} of {symbol} stands for no number here")
    return indices[index] - 1


def _at(array: Array, symbol: Expression, row: Array | None, across: Array) -> Array:
    """The entries at these rows and columns; without rows, whole columns."""
    for places, count in ((row, array.shape[0]), (across, array.shape[1])):
        if places is not None and (places.min() < 0 or places.max() >= count):
            raise VerificationError(f"{symbol} lies outside its {array.shape[0]} x {array.shape[1]}")
    if row is None:
        columns = np.moveaxis(array[:, across], 0, -1)
        return np.asarray(columns)[..., np.newaxis]
    return np.asarray(array[row, across])[..., np.newaxis, np.newaxis]
