"""Certified digits: the program of a step evaluated in real numbers, from the decimals as they were given.

The quantities that a sheet shows are computed once more as fractions and balls (real.py), more finely until every
digit that may be shown is that of the exact value. What float64 had instead is kept beside them. The parameters and
states that one step leaves are what the next begins with, so that nothing is rounded between steps either.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, TypeVar

import numpy as np

from handgrad.errors import VerificationError
from handgrad.nn.arrays import Array
from handgrad.worked.bindings import Bindings, Value, array_of
from handgrad.worked.evaluate import evaluate
from handgrad.worked.expressions import Matrix
from handgrad.worked.real import NotFinite, Real, Undecided, computing, reals
from handgrad.worked.record import Assignment, Certificate
from handgrad.worked.rounding import Rounding
from handgrad.worked.substitute import node

FIRST_BITS, LAST_BITS = 256, 4096
_STATE = re.compile(r"[Wb]\d+_(m|v|s|velocity|v_max)")
_NEW = re.compile(r"([Wb]\d+)_new")
_STORED = re.compile(r"x|y|[Wb]\d+(_\w+_old)?")
"""Quantities that a training holds in binary."""

Made = TypeVar("Made")


@dataclass(eq=False)
class Exactly:
    """The steps of a training in real numbers, one after the other."""

    binary: bool = False
    rounding: Rounding | None = None
    computed: list[dict[str, Array]] = field(default_factory=list)
    _carried: dict[str, Array] = field(default_factory=dict)
    _next: int = 0

    def step(self, number: int, bindings: Bindings, program: Iterable[Assignment]) -> dict[str, Array]:
        """Every quantity of a step by its public name, on paper.

        Raises VerificationError for a step with a number that is not finite.
        """
        lines = list(program)
        leaves = self._leaves(number, bindings, {line.quantity for line in lines})
        values = dict(self._evaluated(leaves, lines, bindings.column))
        self._carried = {_after(name): value for name, value in values.items() if _after(name)}
        self._next = number + 1
        self.computed.append({name: array_of(value) for name, value in bindings.items()})
        return {
            name: np.broadcast_to(value, array_of(bindings[name]).shape)
            for name, value in values.items()
            if name in bindings
        }

    def afterwards(
        self, known: Mapping[str, Array], program: Iterable[Assignment], column: bool
    ) -> dict[str, Array]:
        """The forward pass and the loss once more, with the new parameters."""
        lines = list(program)
        made = {line.quantity for line in lines}
        leaves = {name: value for name, value in known.items() if name not in made}
        leaves |= {_after(name): value for name, value in known.items() if _NEW.fullmatch(name)}
        forward = [line for line in lines if _FORWARD.fullmatch(line.quantity)]
        return dict(self._evaluated(leaves, forward, column))

    def _leaves(self, number: int, bindings: Bindings, made: set[str]) -> dict[str, Array]:
        carried = self._carried if number == self._next else {}
        return {
            name: carried[name] if name in carried else self._given(name, array_of(value))
            for name, value in bindings.items()
            if name not in made
        }

    def _given(self, name: str, array: Array) -> Array:
        if array.dtype != object and not np.isfinite(array).all():
            raise VerificationError(f"{name} is not finite; there is no digit of it to certify")
        if self.binary and _STORED.fullmatch(name):
            return np.asarray(_binary(array), dtype=object).reshape(array.shape)
        return reals(array)

    def _evaluated(
        self, leaves: Mapping[str, Array], program: Iterable[Assignment], column: bool
    ) -> Iterator[tuple[str, Array]]:
        held: dict[str, Value] = {name: node(array) for name, array in leaves.items()}
        yield from leaves.items()
        for name, letters in program:
            try:
                value = self._rounded(name, evaluate(letters, Bindings(held, column)))
            except (NotFinite, ZeroDivisionError) as error:
                raise VerificationError(
                    f"{name} is not finite; there is no digit of it to certify"
                ) from error
            held[name] = node(value)
            yield name, value

    def _rounded(self, name: str, value: Array) -> Array:
        digits = None if self.rounding is None else self.rounding.of(name)
        if digits is None or name.startswith("derivative"):
            return value
        return np.asarray(np.frompyfunc(lambda number: number.rounded(digits), 1, 1)(value), dtype=object)


_FORWARD = re.compile(r"[zfa]\d+|yhat|loss|loss_terms|data_loss|penalty")
_binary = np.frompyfunc(Real.binary, 1, 1)


def _after(name: str) -> str:
    """What a quantity of this step is called in the next; '' for what the next makes anew."""
    new = _NEW.fullmatch(name)
    return new.group(1) if new else f"{name}_old" if _STATE.fullmatch(name) else ""


def certified(
    make: Callable[[Exactly], Made], binary: bool, rounding: Rounding | None
) -> tuple[Made, Certificate]:
    """What `make` makes of the steps in real numbers, with as many bits as every digit of it needs.

    Raises MissingExtraError without python-flint, VerificationError for a step whose numbers are not finite.
    """
    bits = FIRST_BITS
    while True:
        exactly = Exactly(binary, rounding)
        with computing(bits, last=bits >= LAST_BITS) as held:
            try:
                made = make(exactly)
                settle(made)
            except Undecided:
                bits *= 2
                continue
            except NotFinite as error:
                raise VerificationError(
                    "a number of the sheet is not finite; there is no digit of it to certify"
                ) from error
        return made, Certificate(bits, len(held.ties), binary, tuple(exactly.computed))


def settle(held: Any) -> None:
    """Writes down every number of a record, so that no digit is open when it is shown.

    Raises Undecided for one whose digits need more bits.
    """
    if isinstance(held, Real):
        str(held)
    elif isinstance(held, Matrix):
        settle(held.values)
    elif isinstance(held, np.ndarray) and held.dtype == object:
        for number in held.flat:
            settle(number)
    elif isinstance(held, Mapping):
        settle(tuple(held.values()))
    elif isinstance(held, tuple | list):
        for part in held:
            settle(part)
    elif is_dataclass(held):
        for each in fields(held):
            settle(getattr(held, each.name))
