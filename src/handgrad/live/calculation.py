"""A case as a calculation that a browser can do: its numbers, its program for each batch size, its plan of steps.

The program is the record's own (`StepRecord.program`): letters evaluated in order, from the leaves on. Nothing here
knows a formula.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from handgrad.cases.case import Case
from handgrad.errors import SpecificationError
from handgrad.live.trees import Plain, as_data, letters_of, whole
from handgrad.nn.arrays import Array
from handgrad.nn.forward import dropout_masks
from handgrad.nn.network import Network
from handgrad.nn.step import Recipe, Training
from handgrad.training.plan import Step
from handgrad.worked.bindings import Value, array_of, name_of
from handgrad.worked.derive.step import derive
from handgrad.worked.record import Options, StepRecord, Words
from handgrad.worked.trace import Trace, trace_step
from handgrad.worksheets.case_steps import given_of_batch, initial_training, start_of

MOST_STEPS = 200
"""A case of fewer steps can be walked beyond its last one, up to this many."""
MOST_VALUES = 4_000_000
"""More numbers than this make a page that no browser opens at once."""
COUNTS = re.compile(r"m|t|L|n\d*")
PARAMETER = re.compile(r"[Wb]\d+")
UPDATE = re.compile(r"[Wb]\d+_(?!data|penalty|clipped)\w+")


@dataclass
class Reasons:
    """Sentences of the calculation, each kept once; the page shows them in the reader's language."""

    words: list[Words] = field(default_factory=list)
    places: dict[str, int] = field(default_factory=dict)

    def place(self, reason: Words) -> int:
        """The number of a sentence."""
        key = repr(reason)
        if key not in self.places:
            self.places[key] = len(self.words)
            self.words.append(reason)
        return self.places[key]


@dataclass(frozen=True)
class Derived:
    """The record of the first step of one batch size, and the trace that it was made of."""

    record: StepRecord
    trace: Trace
    samples: int

    @property
    def leaves(self) -> dict[str, Value]:
        """The letters that the program does not make."""
        made = {assignment.quantity for assignment in self.record.program}
        return {name: value for name, value in self.record.bindings.items() if name not in made}


class Leaves(NamedTuple):
    """What a program starts from, beside the rows of its step."""

    start: dict[str, Array]
    """Parameters as the training begins with them, and the optimizer's states: zeros."""
    constants: dict[str, float]
    """Hyperparameters."""
    same: dict[str, str]
    """Other names of given quantities: the last a, where yhat was given."""
    kept: dict[str, Array]
    """Quantities that the program has no letters for; they stand as they are until something is changed."""


class Beginning(NamedTuple):
    """Where a calculation begins in the middle of a training: before the first of `steps`."""

    training: Training
    steps: list[Step]
    weights: Array | None = None
    """By which the loss of each sample of the case counts, (samples,)."""


class Calculation:
    """The calculation of a case, for one orientation; from `beginning` on, where it is a part of a longer training.

    Raises SpecificationError for a case without numbers, and for one with more than a page can hold.
    """

    def __init__(self, case: Case, orientation: str = "column", beginning: Beginning | None = None) -> None:
        if case.symbolic:
            raise SpecificationError(
                "a live sheet needs numbers to change; give the case [data], or choose another medium"
            )
        self.case, self.options = case, Options(orientation=orientation)
        planned = case.planned(1, max(case.steps, MOST_STEPS if case.recipe else 1))
        self.steps = list(planned) if beginning is None else beginning.steps
        self.training = initial_training(case) if beginning is None else beginning.training
        self.weights = None if beginning is None else beginning.weights
        self.sizes: dict[int, int] = {}
        for place, step in enumerate(self.steps):
            self.sizes.setdefault(len(step.rows), place)
        self.symbols: dict[str, Plain] = {}
        self.reasons = Reasons()
        self._refuse_too_much()

    def _refuse_too_much(self) -> None:
        values = sum(int(np.size(array)) for layer in self.training.parameters for array in layer)
        values += 0 if self.case.X is None else int(self.case.X.size)
        if values > MOST_VALUES:
            raise SpecificationError(
                f"{values:,} numbers are more than a page can hold ({MOST_VALUES:,}); open a smaller case, or "
                "choose another medium"
            )

    def derived(self, network: Network, recipe: Recipe | None, place: int) -> Derived:
        """A step's record for a network and a recipe, from the first parameters."""
        case, step = self.case, self.steps[place]
        training = self.training if recipe is case.recipe else start_of(network, recipe, case.plan.seed)
        with np.errstate(all="ignore"):
            trace = trace_step(
                network,
                recipe,
                training,
                None if case.X is None else case.X[step.rows],
                None if case.Y is None else case.Y[step.rows],
                step.number,
                step.rate,
                dropout_masks(network, case.plan.seed, step.number, len(step.rows)),
                regularization=case.regularization,
                given={
                    name: given_of_batch(value, step.rows, case.samples) for name, value in case.given.items()
                },
                rows=tuple(int(row) for row in step.rows),
                weights=None if self.weights is None else self.weights[step.rows],
            )
            record = derive(trace, network, recipe, self.options, case.regularization)
        return Derived(record, trace, len(step.rows))

    @cached_property
    def names(self) -> frozenset[str]:
        """The quantities of the case's own steps."""
        return frozenset(self.derived(self.case.network, self.case.recipe, 0).trace.quantities)

    def own(self) -> list[Derived]:
        """The records of the case itself, one for each batch size."""
        return [self.derived(self.case.network, self.case.recipe, place) for place in self.sizes.values()]

    def assignments(self, derived: Derived, depth: int, only: Iterable[str] = ()) -> list[Plain]:
        """The program of a step as data; `only` the assignments of these groups."""
        worked = {step.quantity: step for step in derived.record.steps}
        groups = frozenset(only)
        found = []
        for quantity, letters in derived.record.program:
            group = group_of(quantity, depth)
            if groups and group not in groups:
                continue
            self.note(letters)
            line: Plain = {"quantity": quantity, "letters": as_data(letters), "group": group}
            step = worked.get(quantity)
            if step is not None:
                self.symbols[quantity] = as_data(step.equation.target)
                line["part"] = step.part
                if step.layer is not None:
                    line["layer"] = step.layer
                if step.reason is not None:
                    line["reason"] = self.reasons.place(step.reason)
                shown = [form for form in step.equation.symbols if form != letters]
                if shown:
                    line["shown"] = [as_data(form) for form in shown]
                    for form in shown:
                        self.note(form)
            found.append(line)
        return found

    def note(self, tree: Any) -> None:
        """Keeps how the letters of a tree are written."""
        for letter in letters_of(tree):
            self.symbols.setdefault(name_of(letter), as_data(whole(letter)))

    def data(self) -> Plain:
        """All that the page needs to walk the training."""
        case = self.case
        own = self.own()
        leaves, quantities = self._leaves(own[0]), own[0].trace.quantities
        arrays = {**quantities, **leaves.start, **case.given}
        samples = {**self._per_sample(), "x": case.X, "y": case.Y}
        return {
            "rate": float(self.steps[0].rate),
            "column": self.options.orientation == "column",
            "samples": case.samples,
            "steps": case.steps,
            "first": self.steps[0].number,
            "kinds": {name: kind_of(name, np.asarray(array)) for name, array in arrays.items()},
            "data": {name: nested(array) for name, array in samples.items() if array is not None},
            "start": {name: nested(array) for name, array in leaves.start.items()},
            "given": {name: nested(array) for name, array in case.given.items()},
            "same": leaves.same,
            "kept": {name: nested(array) for name, array in leaves.kept.items()},
            "constants": leaves.constants,
            "quantities": list(quantities),
            "rounding": {
                "digits": case.rounding.digits,
                "carry": case.rounding.carry,
                "quantities": dict(case.rounding.quantities),
            },
            "plan": [self._planned(step) for step in self.steps],
            "programs": [
                {
                    "samples": derived.samples,
                    "assignments": self.assignments(derived, case.network.depth),
                    "constants": {
                        name: float(array_of(value).reshape(-1)[0])
                        for name, value in derived.record.bindings.items()
                        if COUNTS.fullmatch(name)
                    },
                }
                for derived in own
            ],
        }

    def _per_sample(self) -> dict[str, Array]:
        """What each sample has beside its inputs and targets."""
        return {} if self.weights is None else {"omega": self.weights[:, None]}

    def _leaves(self, derived: Derived) -> Leaves:
        """What the program of a step starts from, by its kind; x, y, masks and counts come with each step."""
        quantities, given = derived.trace.quantities, self.case.given
        leaves = Leaves({}, {}, {}, {})
        for name, value in derived.leaves.items():
            if (
                name in ("x", "y", "omega")
                or name in given
                or name.startswith("mask")
                or COUNTS.fullmatch(name)
            ):
                continue
            if PARAMETER.match(name):
                leaves.start[name] = self._start_of(name, array_of(value))
            elif name not in quantities:
                leaves.constants[name] = float(array_of(value).reshape(-1)[0])
            elif (other := _equal(quantities, name, given)) is not None:
                leaves.same[name] = other
            else:
                leaves.kept[name] = quantities[name]
        return leaves

    def _start_of(self, name: str, held: Array) -> Array:
        """A parameter as the first step begins with it, or a state of the optimizer: on paper a vector is a column."""
        matched = re.match(r"([Wb])(\d+)", name)
        assert matched is not None
        layer = self.training.parameters[int(matched.group(2)) - 1]
        array = layer.W if matched.group(1) == "W" else layer.b
        return array if name == matched.group() else np.reshape(held, np.shape(array))

    def _planned(self, step: Step) -> Plain:
        planned: Plain = {}  # what is not said is usual: all rows in order, the first rate
        if not np.array_equal(step.rows, np.arange(self.case.samples)):
            planned["rows"] = [int(row) for row in step.rows]
        if step.rate != self.steps[0].rate:
            planned["rate"] = float(step.rate)
        masks = dropout_masks(self.case.network, self.case.plan.seed, step.number, len(step.rows))
        given = {f"mask{l}": nested(mask) for l, mask in enumerate(masks or (), 1) if mask is not None}
        return planned | ({"masks": given} if given else {})


def group_of(quantity: str, depth: int) -> str:
    """Which choice an assignment belongs to: hidden (activation), ending (output and loss), optimizer, or none.

    >>> group_of("a1", 2), group_of("yhat", 2), group_of("W1_m", 2), group_of("dW1", 2)
    ('hidden', 'ending', 'optimizer', '')
    """
    if UPDATE.fullmatch(quantity):
        return "optimizer"
    matched = re.fullmatch(r"(a|f|derivative|delta)(\d+)", quantity)
    if matched:
        return "ending" if int(matched.group(2)) == depth else "hidden"
    return "ending" if quantity in ("yhat", "dyhat", "loss_terms", "data_loss", "loss") else ""


def _equal(quantities: Mapping[str, Array], name: str, given: Iterable[str]) -> str | None:
    """The given quantity that has the same numbers."""
    for other in given:
        if other in quantities and np.array_equal(quantities[name], quantities[other], equal_nan=True):
            return other
    return None


def kind_of(name: str, array: Array) -> str:
    """How a quantity lies: number, vector, weights (the same on paper) or rows (one sample a row)."""
    if np.ndim(array) < 2:
        return "vector" if np.ndim(array) else "number"
    return "weights" if re.match(r"d?W\d", name) else "rows"


def nested(array: Array) -> Any:
    """Nested lists; what is not finite is null."""
    values = np.asarray(array, np.float64)
    if np.isfinite(values).all():
        return values.tolist()
    return np.where(np.isfinite(values), values.astype(object), np.array(None, object)).tolist()
