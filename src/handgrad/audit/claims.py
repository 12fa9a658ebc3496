"""The claims of a case, read: which quantity, which entries of it, each as a printed number."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from handgrad.audit.formula import Formula
from handgrad.audit.printed import Printed, unit_as_written, unit_of_decimals, unit_of_significant
from handgrad.cases.arrays import numbers
from handgrad.cases.case import Case
from handgrad.cases.schema import ClaimKeys, Significant
from handgrad.errors import CaseError
from handgrad.nn.arrays import Array
from handgrad.nn.network import Network

Index = tuple[int, ...]

MOST_CLAIMS = 100_000
_MOST_DECIMALS = 20
_SCALARS = ("loss", "data_loss", "penalty", "gradient_norm")
_PER_OUTPUT = ("y", "yhat", "dyhat", "loss_terms")
_PER_UNIT = re.compile(r"(?:z|a|f|mask|delta|da|df|derivative)([1-9]\d*)")
_PARAMETER = re.compile(
    r"d?([Wb])([1-9]\d*)(?:_(?:new|velocity|m|v|m_hat|v_hat|v_max|s|data|penalty|clipped))?"
)


@dataclass(frozen=True, eq=False)
class Claim:
    """What somebody says a quantity is.

    `value` is the number or array as it was printed, `entries` its numbers by their place in the quantity;
    `formula` stands for a claim between the quantities; `transposed` where rows were printed as columns.
    """

    number: int
    quantity: str
    step: int
    index: Index | None
    value: Any
    entries: Mapping[Index, Printed]
    shape: tuple[int, ...]
    formula: Formula | None = None
    transposed: bool = False
    sign: int = 1
    """-1 where the author prints the quantity with the other sign; `entries` have the sign of this program."""
    note: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The quantities that it is about."""
        return (self.quantity,) if self.formula is None else self.formula.names

    def arranged(self, values: Mapping[Index, Any]) -> Any:
        """Something for each entry, in the shape in which the claim was printed: nested lists or one thing."""
        places = list(self.entries)
        if np.ndim(self.value) == 0:
            return values[places[0]]
        if self.transposed:
            places.sort(key=lambda place: place[::-1])
        flat = iter([values[place] for place in places])
        return _nested(np.shape(self.value), flat)


def _nested(shape: tuple[int, ...], flat: Any) -> Any:
    return next(flat) if not shape else [_nested(shape[1:], flat) for _ in range(shape[0])]


def read_claims(
    case: Case, place: str = "case", shapes: Mapping[str, tuple[int, ...]] | None = None
) -> tuple[Claim, ...]:
    """The claims of a case.

    `shapes` has the shapes of quantities that only a run can tell (of formulas).

    Raises CaseError for a quantity that there is not, a step or an entry beyond the end, numbers that do not fit.
    """
    if len(case.claims) > MOST_CLAIMS:
        raise CaseError(f"{place}: claims: at most {MOST_CLAIMS:,} are read, got {len(case.claims):,}")
    return tuple(
        _claim(keys, number, case, f"{place}: claims[{number}]", shapes or {})
        for number, keys in enumerate(case.claims)
    )


def _claim(
    keys: ClaimKeys, number: int, case: Case, place: str, shapes: Mapping[str, tuple[int, ...]]
) -> Claim:
    name = keys.quantity.strip()
    if not 1 <= keys.step <= case.steps + 1:
        raise CaseError(
            f"{place}.step: the case has the steps 1 to {case.steps} (and {case.steps + 1} for what comes after "
            f"the last update), got {keys.step}; set training.steps"
        )
    formula = None
    shape = shape_of(name, case, keys.step)
    if shape is None:
        formula = Formula.parse(name, f"{place}.quantity")
        for part in formula.names:
            if shape_of(part, case, keys.step) is None:
                raise CaseError(f"{place}.quantity: {_unknown(part, case.network)}")
        shape = shapes.get(f"{keys.step}:{name}")
    values = numbers(keys.value, f"{place}.value")
    index = None if keys.index is None else tuple(keys.index)
    places, transposed, whole = _places(values, index, shape, place, name)
    units = _units(values, keys.digits, f"{place}.digits")
    flat_values, flat_units = values.ravel(), units.ravel()
    entries = {
        where: Printed(float(v), float(u))
        for where, v, u in zip(places, flat_values, flat_units, strict=True)
    }
    ordered = dict(sorted(entries.items())) if transposed else entries
    return Claim(
        number, name, keys.step, index, keys.value, ordered, whole, formula, transposed, 1, keys.note
    )


def shape_of(name: str, case: Case, step: int) -> tuple[int, ...] | None:
    """The shape that a quantity has in a step; None for a name that is no quantity of this network."""
    sizes, depth = case.network.sizes, case.network.depth
    samples = len(next(case.planned(step, step)).rows)
    if name in _SCALARS:
        return ()
    if name == "x":
        return samples, sizes[0]
    if name in _PER_OUTPUT:
        return samples, sizes[-1]
    if (found := _PER_UNIT.fullmatch(name)) and int(found[1]) <= depth:
        return samples, sizes[int(found[1])]
    if (found := _PARAMETER.fullmatch(name)) and int(found[2]) <= depth:
        layer = int(found[2])
        return (sizes[layer], sizes[layer - 1]) if found[1] == "W" else (sizes[layer],)
    return None


def _unknown(name: str, network: Network) -> str:
    known = [*_SCALARS, "x", *_PER_OUTPUT]
    for l in range(1, network.depth + 1):
        known += [f"{q}{l}" for q in ("W", "b", "z", "a", "delta", "da", "dW", "db", "derivative")]
        known += [f"W{l}_new", f"b{l}_new"]
    near = difflib.get_close_matches(name, known, n=3)
    hint = f"; do you mean {' or '.join(near)}?" if near else f"; there are {', '.join(known[:12])}, ..."
    return f"there is no quantity {name!r} in this network{hint}"


def _places(
    values: Array, index: Index | None, shape: tuple[int, ...] | None, place: str, name: str
) -> tuple[list[Index], bool, tuple[int, ...]]:
    """Where each number stands in the quantity, whether the claim is turned over, and the quantity's shape."""
    if shape is None:  # of a formula that could not be computed: taken as it was printed
        prefix = index or ()
        return [(*prefix, *where) for where in np.ndindex(values.shape)], False, values.shape
    if index is not None:
        return _within(values, index, shape, place, name), False, shape
    if values.shape == shape:
        return list(np.ndindex(shape)), False, shape
    if values.ndim == 2 and values.shape == shape[::-1] and 1 not in shape:
        return [(j, i) for i, j in np.ndindex(values.shape)], True, shape
    one_line = sum(n > 1 for n in shape) <= 1 and sum(n > 1 for n in values.shape) <= 1
    if one_line and values.size == int(np.prod(shape)):
        return list(np.ndindex(shape)), False, shape
    raise CaseError(
        f"{place}.value: {name} has shape {_shown(shape)}, one sample a row, got {_shown(values.shape)}; "
        "give all of it, or name one entry by index"
    )


def _within(values: Array, index: Index, shape: tuple[int, ...], place: str, name: str) -> list[Index]:
    if len(index) == 1 and len(shape) == 2 and shape[0] == 1 and values.ndim == 0:
        index = (0, *index)
    rest = shape[len(index) :]
    inside = len(index) <= len(shape) and all(0 <= i < n for i, n in zip(index, shape, strict=False))
    if not inside:
        raise CaseError(
            f"{place}.index: {list(index)} is not in {name}, whose shape is {_shown(shape)}, counted from 0"
        )
    if values.size != int(np.prod(rest)):
        raise CaseError(
            f"{place}.value: {name}{list(index)} has shape {_shown(rest)}, got {_shown(values.shape)}"
        )
    return [(*index, *where) for where in np.ndindex(rest)]


def _shown(shape: tuple[int, ...]) -> str:
    return "of one number" if not shape else f"({', '.join(map(str, shape))})"


def _units(values: Array, digits: Any, place: str) -> Array:
    """The unit of the last digit of each number."""
    if isinstance(digits, list):
        flat, kinds = values.ravel(), _flat(digits)
        if len(kinds) not in (1, flat.size) or any(_bad(kind) for kind in kinds):
            raise CaseError(
                f"{place}: expected decimals for each of the {flat.size} numbers (0 to {_MOST_DECIMALS}), "
                f"got {str(digits)[:60]}"
            )
        each = kinds * flat.size if len(kinds) == 1 else kinds
        return np.array([_unit(v, kind) for v, kind in zip(flat, each, strict=True)]).reshape(values.shape)
    kind = digits.significant if isinstance(digits, Significant) else digits
    if kind is not None and (_bad(kind) or (isinstance(digits, Significant) and kind < 1)):
        raise CaseError(f"{place}: expected 0 to {_MOST_DECIMALS} (significant: from 1), got {kind}")
    return np.array([_unit(v, digits) for v in values.ravel()]).reshape(values.shape)


def _unit(value: float, digits: Any) -> float:
    if digits is None:
        return unit_as_written(float(value))
    if isinstance(digits, Significant):
        return unit_of_significant(float(value), digits.significant)
    if isinstance(digits, dict):
        return unit_of_significant(float(value), int(digits["significant"]))
    return unit_of_decimals(int(digits))


def _flat(digits: Any) -> list[Any]:
    return [kind for part in digits for kind in _flat(part)] if isinstance(digits, list) else [digits]


def _bad(kind: Any) -> bool:
    if isinstance(kind, dict):
        return set(kind) != {"significant"} or _bad(kind["significant"]) or kind["significant"] < 1
    return kind is not None and (
        isinstance(kind, bool) or not isinstance(kind, int) or not 0 <= kind <= _MOST_DECIMALS
    )
