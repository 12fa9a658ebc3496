"""An exercise: a case, and which of its numbers are asked for."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import math
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import msgspec
import numpy as np

from handgrad.audit.claims import shape_of
from handgrad.audit.unknown import unknown_layers, unknown_quantities
from handgrad.cases.case import Case
from handgrad.errors import CaseError, HandgradError
from handgrad.exercises.numbers import friendly_case
from handgrad.exercises.recipe import Recipe
from handgrad.nn.arrays import Array
from handgrad.render.settings import DEFAULT_DIGITS
from handgrad.worksheets.case_steps import trace_case

Index = tuple[int, ...]

PARTS: dict[str, re.Pattern[str]] = {
    "forward": re.compile(r"(?:z|a|f)\d+|yhat"),
    "loss": re.compile(r"data_loss|penalty|loss"),
    "backward": re.compile(r"delta\d+|d[Wb]\d+"),
    "update": re.compile(r"[Wb]\d+_(?!data|penalty|clipped)\w+"),
}
"""The parts that are asked for by name, and the quantities that belong to each."""
MOST_STEPS, MOST_FIELDS = 3, 2_000
MOST_DIGITS = 12
_LARGEST_CODE = 4 << 20
_VERSION = 1
_DUST = 1e-9
"""Below it, decimals are not added: what is so small is what float64 leaves of 0."""


@dataclass(frozen=True)
class Asked:
    """A quantity that is asked for: in which step, to how many decimals, what one of its numbers is worth."""

    quantity: str
    step: int
    digits: int
    worth: float
    shape: tuple[int, ...]

    def places(self) -> Iterator[Index]:
        """Where each number stands; one empty place of a number that stands alone."""
        return iter(np.ndindex(self.shape))

    def name_of(self, index: Index) -> str:
        """What a file of answers calls the number.

        >>> Asked("z1", 1, 4, 1.0, (1, 2)).name_of((0, 1)), Asked("loss", 2, 4, 1.0, ()).name_of(())
        ('z1[0,1]', 'loss@2')
        """
        place = f"[{','.join(map(str, index))}]" if index else ""
        return f"{self.quantity}{place}" + (f"@{self.step}" if self.step > 1 else "")

    @property
    def part(self) -> str:
        """The part of the calculation that it belongs to; `more` for what was asked for by its own name."""
        return next((part for part, names in PARTS.items() if names.fullmatch(self.quantity)), "more")


@dataclass(frozen=True, eq=False)
class Exercise:
    """A case with the numbers asked for; `name` of who gets it, `number` of the variant, `seed` of its numbers.

    >>> exercise = make(Recipe((2, 2, 1), difficulty="easy", seed=1))
    >>> [asked.quantity for asked in exercise.asked]
    ['z1', 'a1', 'z2', 'yhat', 'loss']
    """

    case: Case
    asked: tuple[Asked, ...]
    name: str = ""
    number: int = 1
    of: int = 1
    seed: int | None = None

    @cached_property
    def quantities(self) -> Mapping[int, Mapping[str, Array]]:
        """Every quantity of each step that is asked about, in full precision."""
        steps = sorted({asked.step for asked in self.asked})
        with np.errstate(all="ignore"):
            traces = trace_case(self.case, steps[0], steps[-1])
            return {trace.number: trace.quantities for trace in traces if trace.number in steps}

    def value(self, asked: Asked, index: Index) -> float:
        """The number that is right."""
        held = np.asarray(self.quantities[asked.step][asked.quantity])
        return float(held[index]) if held.ndim else float(held)

    @property
    def fields(self) -> dict[str, tuple[Asked, Index]]:
        """Every number asked for, by the name that a file of answers gives it."""
        return {asked.name_of(index): (asked, index) for asked in self.asked for index in asked.places()}

    @property
    def possible(self) -> float:
        """The marks for a sheet without a mistake."""
        return math.fsum(asked.worth for asked, _ in self.fields.values())

    # -- as text that travels with a sheet

    def as_dict(self) -> dict[str, Any]:
        """What `from_dict` takes: the case, what is asked, whose it is."""
        return {
            "version": _VERSION,
            "id": self.id,
            "name": self.name,
            "number": self.number,
            "of": self.of,
            "seed": self.seed,
            "asked": [[asked.quantity, asked.step, asked.digits, asked.worth] for asked in self.asked],
            "case": self._numbers,
        }

    @property
    def id(self) -> str:
        """Ten hexadecimal digits of the case and what is asked; the same for the same exercise, whoever has it."""
        asked = [[asked.quantity, asked.step, asked.digits, asked.worth] for asked in self.asked]
        return _digest([self._numbers, asked])

    @property
    def case_id(self) -> str:
        """Ten hexadecimal digits of the case alone, whatever is asked."""
        return _digest(self._numbers)

    @property
    def _numbers(self) -> dict[str, Any]:
        """The case as it is written, without what somebody claims."""
        assert self.case.keys is not None
        held: dict[str, Any] = msgspec.to_builtins(self.case.keys)
        held.pop("claims", None)
        return held

    @property
    def code(self) -> str:
        """The exercise as one word of letters, digits, - and _ that travels with a sheet."""
        text = json.dumps(self.as_dict(), separators=(",", ":"), ensure_ascii=False)
        return base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode().rstrip("=")

    @classmethod
    def from_code(cls, code: str, place: str) -> Exercise:
        """The exercise of a code; raises CaseError for a damaged one."""
        try:
            packed = base64.urlsafe_b64decode("".join(code.split()) + "===")
            unpacking = zlib.decompressobj()
            text = unpacking.decompress(packed, _LARGEST_CODE)
            if unpacking.unconsumed_tail or not unpacking.eof:
                raise ValueError("it does not end")
            held = json.loads(text)
        except (ValueError, binascii.Error, zlib.error, RecursionError) as error:
            raise CaseError(
                f"{place}: what says which exercise it is was damaged; name the exercise with --exercise"
            ) from error
        return cls.from_dict(held, place)

    @classmethod
    def from_dict(cls, held: Any, place: str) -> Exercise:
        """The exercise that `as_dict` wrote; raises CaseError for anything else."""
        try:
            if held["version"] != _VERSION:
                raise CaseError(f"{place}: written by another version of handgrad; make the exercise anew")
            case = Case.from_dict(held["case"])
            asked = tuple(
                _asked_of(case, str(name), int(step), int(digits), float(worth))
                for name, step, digits, worth in held["asked"]
            )
            made = cls(
                case,
                asked,
                str(held["name"]),
                int(held["number"]),
                int(held["of"]),
                None if held["seed"] is None else int(held["seed"]),
            )
            if not asked or len(made.fields) > MOST_FIELDS:
                raise CaseError(f"{place}: an exercise asks for 1 to {MOST_FIELDS:,} numbers")
            missing = [a.quantity for a in asked if a.quantity not in made.quantities.get(a.step, {})]
            if missing:
                raise CaseError(f"{place}: the case has no {missing[0]}")
        except CaseError:
            raise
        except (HandgradError, KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise CaseError(f"{place}: this is no exercise of handgrad; make it anew") from error
        return made


def _digest(held: Any) -> str:
    return hashlib.sha256(json.dumps(held, sort_keys=True, default=str).encode()).hexdigest()[:10]


def _asked_of(case: Case, name: str, step: int, digits: int, worth: float) -> Asked:
    if not 1 <= step <= case.steps or not 0 <= digits <= MOST_DIGITS + 5 or not 0 <= worth <= 1e6:
        raise ValueError("out of range")
    shape = shape_of(name, case, step)
    if shape is None:
        raise ValueError("no such quantity")
    return Asked(name, step, digits, worth, shape)


@dataclass(frozen=True)
class Wishes:
    """What somebody who sets an exercise may say; None and nothing: as the case or the recipe has it.

    `ask`: parts or quantities, `digits` decimals of an answer, `marks` for a quantity, `steps` (first, last).
    """

    ask: tuple[str, ...] = ()
    digits: int | None = None
    marks: Mapping[str, float] = field(default_factory=dict)
    steps: tuple[int, int] | None = None


def make(source: Case | Recipe, wishes: Wishes | None = None, place: str = "case") -> Exercise:
    """The exercise of a case or a recipe; raises CaseError for what cannot be asked."""
    wishes = wishes or Wishes()
    seed = None
    if isinstance(source, Recipe):
        place, seed = source.place, source.seed
        wishes = replace(
            wishes,
            ask=wishes.ask or source.ask,
            digits=source.digits if wishes.digits is None else wishes.digits,
            marks={**source.marks, **wishes.marks},
        )
        source = friendly_case(source)
    return Exercise(source, _asked(source, wishes, place), seed=seed)


def variants(
    recipe: Recipe, wishes: Wishes | None = None, names: Iterable[str] = (), count: int = 0
) -> list[Exercise]:
    """So many exercises of one recipe, or one for each name; the k-th has the seed of the recipe plus k - 1.

    >>> [exercise.seed for exercise in variants(Recipe(seed=7), names=["Ann", "Ben"])]
    [7, 8]
    """
    named = list(names) or [""] * count
    return [
        replace(make(replace(recipe, seed=recipe.seed + k), wishes), name=name, number=k + 1, of=len(named))
        for k, name in enumerate(named)
    ]


def _asked(case: Case, wishes: Wishes, place: str) -> tuple[Asked, ...]:
    """What is asked, in the order of the calculation."""
    if case.symbolic:
        raise CaseError(f"{place}: there are no numbers to ask for; give data (data.x, data.y)")
    first, last = wishes.steps or (1, case.steps if case.steps <= MOST_STEPS else 1)
    if not 1 <= first <= last <= case.steps or last - first >= 100:
        raise CaseError(f"{place}: step {first} to {last}: there are the steps 1 to {case.steps}")
    digits = DEFAULT_DIGITS if case.rounding.digits is None else case.rounding.digits
    digits = digits if wishes.digits is None else wishes.digits
    if not 0 <= digits <= MOST_DIGITS:
        raise CaseError(f"{place}: digits must be 0 to {MOST_DIGITS} decimals, got {digits}")
    with np.errstate(all="ignore"):
        traces = list(trace_case(case, first, last))
    chosen: list[Asked] = []
    chance = unknown_quantities(case, tuple(range(first, last + 1)))
    for trace in traces:
        known = {name: held for name, held in trace.quantities.items() if name not in chance[trace.number]}
        found = {name: np.asarray(held) for name, held in known.items()}
        for name in _chosen(case, found, wishes.ask, place):
            worth = _worth(name, found[name], wishes.marks, place)
            own = case.rounding.of(name) if wishes.digits is None else None
            shown = digits if own is None else own
            chosen.append(Asked(name, trace.number, _enough(found[name], shown), worth, found[name].shape))
    if not chosen and unknown_layers(case):
        layer = unknown_layers(case)[0]
        raise CaseError(f"{place}: the weights of layer {layer} are left to chance; give W, or network.seed")
    fields = sum(int(np.prod(asked.shape)) for asked in chosen)
    if not chosen or fields > MOST_FIELDS:
        raise CaseError(
            f"{place}: {fields:,} numbers would be asked for (1 to {MOST_FIELDS:,} can be); choose with --ask: "
            f"{', '.join(PARTS)}, or quantities such as {', '.join(list(traces[0].quantities)[:6])}"
        )
    for name in wishes.marks:
        if name not in {asked.quantity for asked in chosen}:
            raise CaseError(f"{place}: marks: {name} is not asked for; {_known(chosen)}")
    return tuple(chosen)


def _known(chosen: list[Asked]) -> str:
    return f"asked for are {', '.join(dict.fromkeys(asked.quantity for asked in chosen))}"


def _chosen(case: Case, found: Mapping[str, Array], ask: tuple[str, ...], place: str) -> list[str]:
    """Names of quantities, of those that the step has and the sheet does not give."""
    given = {"x", "y", *case.given}
    given |= {name for name in found if re.fullmatch(r"[Wb]\d+|mask\d+", name)}
    wanted = ask or tuple(PARTS)
    penalized = (
        case.regularization.l2
        or case.regularization.l1
        or (case.recipe is not None and (case.recipe.regularization.l2 or case.recipe.regularization.l1))
    )
    for name in wanted:
        if name not in PARTS and (name not in found or name in given):
            possible = ", ".join(key for key in found if key not in given)
            raise CaseError(
                f"{place}: ask: {name!r} cannot be asked for; choose from {', '.join(PARTS)}, or {possible}"
            )

    def asked(name: str) -> bool:
        if name in wanted:
            return True
        if not any(part in PARTS and PARTS[part].fullmatch(name) for part in wanted):
            return False
        last, twin = case.network.depth, found.get(f"mask{name[1:]}")
        if _again(case, name, found, last):
            return False
        if name in ("data_loss", "penalty"):
            return bool(penalized)
        return not (name.startswith("f") and twin is None)

    return [name for name in found if name not in given and asked(name) and np.all(np.isfinite(found[name]))]


def _again(case: Case, name: str, found: Mapping[str, Array], last: int) -> bool:
    """True for the same numbers under another name: the output of the last layer, or of a layer without a curve."""
    if name == f"a{last}" and "yhat" in found:
        return True
    layer = last if name == "yhat" else int(name[1:]) if re.fullmatch(r"a\d+", name) else 0
    if not layer or f"z{layer}" not in found:
        return False
    held = case.network.layers[layer - 1]
    return held.function.name == "identity" and held.dropout is None


def _worth(name: str, values: Array, marks: Mapping[str, float], place: str) -> float:
    worth = float(marks.get(name, values.size))
    if not 0 < worth <= 1e6:
        raise CaseError(
            f"{place}: marks: {name} must be worth more than 0 and at most 1,000,000, got {worth:g}"
        )
    return worth / values.size


def _enough(values: Array, digits: int) -> int:
    """Decimals with which the largest entry has two significant digits at least."""
    largest = float(np.max(np.abs(values))) if values.size else 0.0
    if largest < _DUST or largest >= 10.0 ** (1 - digits):
        return digits
    return min(MOST_DIGITS, 1 - math.floor(math.log10(largest)))
