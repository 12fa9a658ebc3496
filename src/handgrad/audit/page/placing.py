"""From meanings to quantities of a case: which arrays there are, what a printed result may be an entry of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np

from handgrad.audit.claims import Index, shape_of
from handgrad.audit.formula import Formula
from handgrad.audit.page.formula_trees import Name
from handgrad.audit.page.names import Meaning
from handgrad.audit.printed import Printed
from handgrad.audit.rerun import World, rerun
from handgrad.audit.unknown import unknown_quantities
from handgrad.cases.case import Case
from handgrad.errors import HandgradError
from handgrad.nn.arrays import Array

MOST_STEPS_READ = 50


class Place(NamedTuple):
    """A quantity of a step, or an entry of it; the learning rate is `rate`."""

    quantity: str
    step: int = 1
    entry: Index | None = None


@dataclass(frozen=True)
class Context:
    """What the page has said before a line: in which layer, unit, sample and step it is."""

    layer: int | None = None
    unit: int | None = None
    sample: int | None = None
    step: int = 1
    after: bool = False
    """True where forward results are those of the new weights."""
    updating: bool = False


@dataclass(frozen=True, eq=False)
class Quantities:
    """The quantities of a case, step by step."""

    case: Case
    _seen: dict[int, Mapping[str, Array]] = field(default_factory=dict)

    @cached_property
    def unknown(self) -> frozenset[str]:
        """Those that hang on weights that the case does not give."""
        lost = unknown_quantities(self.case, (1,))[1]
        return frozenset(lost)

    def of_step(self, step: int) -> Mapping[str, Array]:
        """All of a step; nothing of one that there is not."""
        if not 1 <= step <= self.case.steps + 1:
            return {}
        if step not in self._seen:
            with np.errstate(all="ignore"):
                self._seen[step] = rerun(World(self.case), [step])[step].quantities
        return self._seen[step]

    def value(self, place: Place) -> Array | None:
        """The quantity or its entry; None where there is none."""
        if place.quantity == "rate":
            recipe = self.case.recipe
            return None if recipe is None else np.float64(recipe.optimizer.learning_rate)  # type: ignore[return-value]
        quantities = self.of_step(place.step)
        found = quantities.get(place.quantity)
        if found is None and shape_of(place.quantity, self.case, 1) is None:
            found = _computed(place.quantity, quantities)
        if found is None:
            return None
        array = np.asarray(found, dtype=np.float64)
        if place.entry is None:
            return array
        try:
            found_there: Array = array[place.entry]
        except IndexError:
            return None
        return found_there

    def there_is(self, place: Place) -> bool:
        """True for a quantity that this network has, whether or not it can be computed."""
        if place.quantity == "rate":
            return True
        if not 1 <= place.step <= self.case.steps + 1:
            return False
        shape = shape_of(place.quantity, self.case, place.step)
        if shape is None:
            return self.value(place) is not None
        index = place.entry or ()
        return len(index) <= len(shape) and all(0 <= i < n for i, n in zip(index, shape, strict=False))

    def shape(self, place: Place) -> tuple[int, ...] | None:
        """The shape of a quantity or its entry, also where it cannot be computed."""
        whole = shape_of(place.quantity, self.case, place.step)
        return None if whole is None else whole[len(place.entry or ()) :]

    @cached_property
    def given(self) -> frozenset[str]:
        """The names of what the case gives: data, parameters at the start, given quantities."""
        case = self.case
        names = set(case.given) | ({"x"} if case.X is not None else set())
        names |= {"y"} if case.Y is not None else set()
        for l, _ in case.network.numbered():
            names |= {f"W{l}", f"b{l}"}
        return frozenset(names - set(self.unknown))


def _computed(text: str, quantities: Mapping[str, Array]) -> Array | None:
    """The value of a formula over quantities; None where it has none."""
    try:
        return Formula.parse(text, "page")(quantities)
    except (HandgradError, KeyError, ValueError, IndexError, TypeError):
        return None


def places(meaning: Meaning, context: Context, case: Case) -> Iterator[Place]:
    """Where a meaning may be, the likeliest first; the context fills in what the name leaves open."""
    yield from _PLACES.get(meaning.letter, _of_layers)(meaning, context, case)


def _of_rate(meaning: Meaning, context: Context, case: Case) -> Iterator[Place]:
    yield Place("rate")


def _sample(meaning: Meaning, context: Context) -> int | None:
    return meaning.sample if meaning.sample is not None else context.sample


def _of_ends(meaning: Meaning, context: Context, case: Case) -> Iterator[Place]:
    """Inputs, targets, predictions."""
    name = "y" if meaning.letter == "target" else meaning.letter
    for at in _steps(name, context):
        yield Place(name, at, _of_unit(meaning.entries, _sample(meaning, context), case.samples > 1))


def _of_layers(meaning: Meaning, context: Context, case: Case) -> Iterator[Place]:
    """What each layer has."""
    depth = case.network.depth
    if meaning.flat is not None:
        return
    layers = [meaning.layer] if meaning.layer is not None else _layers(context, depth, meaning.letter)
    rule = _OF_LAYER.get(meaning.letter, _of_units)
    for layer in layers:
        if 1 <= layer <= depth:
            yield from rule(meaning, layer, context, case)


def _of_input(meaning: Meaning, layer: int, context: Context, case: Case) -> Iterator[Place]:
    """What a layer receives."""
    name = f"a{layer - 1}" if layer > 1 else "x"
    entry = _of_unit(meaning.entries, _sample(meaning, context), case.samples > 1)
    yield Place(name, context.step, entry)


def _of_parameter(meaning: Meaning, layer: int, context: Context, case: Case) -> Iterator[Place]:
    """Weights, biases and their gradients."""
    index = meaning.entries or None
    if index is None and context.unit is not None and meaning.letter[-1] == "b" and meaning.layer is None:
        index = (context.unit,)
    if meaning.letter in ("W", "dW") and index is not None and len(index) == 1:
        index = _in_a_line(index, case.network.sizes[layer], case.network.sizes[layer - 1])
    yield from _parameter(meaning, f"{meaning.letter}{layer}", index, context)
    b = case.network.layers[layer - 1].b
    if meaning.letter == "b" and index is None and b is not None and len(set(np.ravel(b).tolist())) == 1:
        # one number for all units of the layer
        yield from _parameter(meaning, f"b{layer}", (0,), context)


def _of_units(meaning: Meaning, layer: int, context: Context, case: Case) -> Iterator[Place]:
    """What each unit has: sums, activations, slopes, deltas."""
    depth, several, sample = case.network.depth, case.samples > 1, _sample(meaning, context)
    name = {"slope": "derivative"}.get(meaning.letter, meaning.letter) + str(layer)
    if name == f"da{depth}":
        name = "dyhat"  # the output of the last layer is the prediction
    entries = meaning.entries
    if not entries and context.unit is not None and context.layer == layer:
        entries = (context.unit,)
    for at in _steps(name, context):
        yield Place(name, at, _of_unit(entries, sample, several))
        if not meaning.entries and entries:
            yield Place(name, at, _of_unit((), sample, several))


def _in_a_line(index: Index, units: int, inputs: int) -> Index:
    """One number is enough for an entry of a single row or a single column."""
    if units == 1:
        return (0, *index)
    return (*index, 0) if inputs == 1 else index


def _steps(name: str, context: Context) -> tuple[int, ...]:
    """The step that is meant, and where it is said to be after the update the next one first."""
    if name in ("x", "y"):
        return (context.step,)
    return (context.step + 1, context.step) if context.after else (context.step,)


def _of_loss(meaning: Meaning, context: Context, case: Case) -> Iterator[Place]:
    several = case.samples > 1
    new = meaning.new or context.after
    steps = (context.step + 1, context.step) if new else (context.step,)
    for step in steps:
        if meaning.letter == "error" and not meaning.entries:
            yield Place("loss", step)
        if meaning.entries or meaning.sample is not None:
            if meaning.letter == "error":
                yield Place("yhat - y", step, _of_unit(meaning.entries, meaning.sample, several))
            yield Place("loss_terms", step, _of_unit(meaning.entries, meaning.sample, several))
            if several and len(meaning.entries) == 1:
                yield Place("loss_terms", step, (meaning.entries[0], 0))
        else:
            yield Place("loss", step)
            yield Place("data_loss", step)
            yield Place("penalty", step)


_PLACES: Mapping[str, Callable[[Meaning, Context, Case], Iterator[Place]]] = {
    "rate": _of_rate,
    **dict.fromkeys(("loss", "error"), _of_loss),
    **dict.fromkeys(("x", "target", "yhat", "dyhat"), _of_ends),
}
_OF_LAYER: Mapping[str, Callable[[Meaning, int, Context, Case], Iterator[Place]]] = {
    "input": _of_input,
    **dict.fromkeys(("W", "b", "dW", "db"), _of_parameter),
}


def _layers(context: Context, depth: int, letter: str) -> list[int]:
    order = [context.layer] if context.layer is not None else []
    order += [1, *range(depth, 1, -1)] if letter in ("z", "a", "W", "b") else [*range(depth, 0, -1)]
    return list(dict.fromkeys(order))


def _parameter(meaning: Meaning, name: str, index: Index | None, context: Context) -> Iterator[Place]:
    if meaning.letter in ("dW", "db"):
        yield Place(name, context.step, index)
        return
    new = Place(f"{name}_new", context.step, index)
    start = Place(name, context.step, index)
    if meaning.new:
        yield new
    elif context.updating and not meaning.old:
        yield new
        yield start
    else:
        yield start
        yield new


def _of_unit(entries: Index, sample: int | None, several: bool) -> Index | None:
    """Place of a unit in an array of samples a row."""
    if len(entries) > 1:
        return entries
    if not entries:
        return (sample,) if several and sample is not None else None
    return (sample or 0, *entries)


def flat_place(number: int, case: Case, by: str, new: bool, step: int, gradient: bool) -> Place | None:
    """The weight with a running number (from 1), counted unit by unit or input by input."""
    left = number - 1
    for l, layer in case.network.numbered():
        inputs = case.network.sizes[l - 1]
        if left < layer.units * inputs:
            index = divmod(left, inputs) if by == "unit" else divmod(left, layer.units)[::-1]
            name = f"dW{l}" if gradient else f"W{l}_new" if new else f"W{l}"
            return Place(name, step, tuple(index))
        left -= layer.units * inputs
    return None


def direct(name: Name, context: Context, case: Case) -> Place | None:
    """The quantity whose public name this is, such as W1_m_hat or delta2."""
    if name.raised:
        return None
    text = "_".join((name.base, *name.lowered))
    if len(text) > 30 or text in ("y", "loss") or shape_of(text, case, 1) is None:
        return None
    entries = tuple(
        int(piece) for part in name.entries for piece in part.split(",") if piece.strip().isdigit()
    )
    shape = shape_of(text, case, 1) or ()
    if len(entries) == 1 and len(shape) == 2 and shape[0] == 1:
        entries = (0, *entries)
    after = context.after and text[0] in "zafly" and text != "loss_terms"
    return Place(text, context.step + after, entries or None)


def near(printed: Printed, value: float) -> bool:
    """True where a printed number could be this value, rounded on the way."""
    return abs(printed.value - value) <= max(2.0 * printed.unit, 2e-3 * abs(value)) and (
        np.sign(printed.value) * np.sign(value) >= 0 or abs(value) < 2 * printed.unit
    )


def agreement(
    printed: list[Printed], shape: tuple[int, ...], value: Array | None, wanted: tuple[int, ...] | None = None
) -> tuple[int, int, bool]:
    """How many printed numbers could be the entries of a quantity, how many are, and whether they fit its shape.

    A quantity that cannot be computed has only the shape `wanted`: whatever fits that could be it.
    """
    if value is None:
        fit = wanted is not None and len(printed) == int(np.prod(wanted)) and fits(shape, wanted)
        return len(printed) * fit, 0, fit
    array = np.asarray(value, dtype=np.float64)
    if array.size != len(printed) or not fits(shape, array.shape):
        return 0, 0, False
    best = (0, 0)
    for turned in (array, array.T):
        flat = turned.ravel()
        pairs = [(p, float(v)) for p, v in zip(printed, flat, strict=True)]
        best = max(best, (sum(near(p, v) for p, v in pairs), sum(p.stands_for(v) for p, v in pairs)))
        if shape == array.shape and array.shape != array.T.shape:
            break
    return (*best, True)


def fits(shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    """True where numbers printed in one shape can be a quantity of another: as it is, turned over, or in a line."""
    long = [n for n in shape if n > 1]
    wants = [n for n in wanted if n > 1]
    return long == wants or (len(long) == len(wants) == 2 and long == wants[::-1])
