"""Friendly numbers for an exercise: few decimals, every unit alive, every answer large enough to be written down.

Weights are drawn unit by unit until the weighted sums of a unit are neither on a kink nor in a flat tail of its
activation (the tables of `nn.activations` say where these are), then the whole step is computed and judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from handgrad.cases.case import Case
from handgrad.errors import CaseError, HandgradError
from handgrad.exercises.recipe import DIFFICULTIES, Difficulty, Recipe
from handgrad.nn.activations import ACTIVATIONS, EVERYWHERE, Activation, ActivationRule, Range
from handgrad.nn.arrays import Array
from handgrad.nn.losses import Loss
from handgrad.worksheets.case_steps import trace_case

LARGEST_SUM = 3.0
"""A weighted sum is not larger: beyond it, curves are flat and exponentials long."""
FROM_KINK = 0.05
"""A weighted sum keeps this distance from where the derivative jumps."""
LEAST_ERROR = 0.005
"""A delta is not smaller, where it is not 0 on purpose: its digits could not be seen."""
LEAST_LOSS, LARGEST_LOSS = 0.01, 20.0
MOST_CERTAIN = 0.95
"""A probability of a softmax is not larger."""
_TRIES, _TRIES_OF_UNIT = 200, 80


def friendly_case(recipe: Recipe) -> Case:
    """The case of a recipe; the same recipe gives the same case.

    >>> case = friendly_case(Recipe((2, 2, 1), difficulty="easy", seed=1))
    >>> bool(np.all(case.X % 0.5 == 0))
    True

    Raises CaseError where no such numbers are found.
    """
    for name in map(_name, recipe.activations):
        if ACTIVATIONS[name].dead == (EVERYWHERE,):
            raise CaseError(
                f"{recipe.place}: nothing is learned through the activation {name!r}; choose another one"
            )
    generator = np.random.default_rng([recipe.seed, *recipe.sizes])
    for _ in range(_TRIES):
        document = _document(recipe, generator)
        if document is None:
            continue
        case = _built(document, recipe.place)
        if _readable(case, recipe):
            return case
    raise CaseError(
        f"{recipe.place}: no friendly numbers were found for the sizes {','.join(map(str, recipe.sizes))} with seed "
        f"{recipe.seed}; take smaller layers, another seed, or the difficulty hard, whose numbers are finer"
    )


def _name(activation: Any) -> str:
    return activation if isinstance(activation, str) else str(activation["name"])


def _built(document: dict[str, Any], place: str) -> Case:
    try:
        return Case.from_dict(document)
    except HandgradError as error:
        raise CaseError(f"{place}: {str(error).removeprefix('case: ')}") from error


@dataclass(frozen=True)
class _Unit:
    """What is wanted of a unit."""

    dead: bool = False
    saturated: bool = False


def _document(recipe: Recipe, generator: np.random.Generator) -> dict[str, Any] | None:
    """A case with numbers that were drawn; None where a layer found none."""
    level = DIFFICULTIES[recipe.difficulty]
    X = _inputs(recipe, level, generator)
    if len(np.unique(X, axis=0)) < len(X):
        return None
    A, layers = X, []
    wanted = _wanted(recipe, generator)
    for number, activation in enumerate(recipe.activations, 1):
        function = Activation(activation) if isinstance(activation, str) else Activation(**activation)
        last = number == len(recipe.activations)
        drawn = _layer(A, function, wanted[number - 1], level, generator, last)
        if drawn is None:
            return None
        W, b = drawn
        A = function.value(A @ W.T + b)
        layers.append(
            {"units": len(b), "activation": activation, "W": _written(W), "b": _written(b)},
        )
    targets = _targets(recipe, A, level, generator)
    if targets is None:
        return None
    document: dict[str, Any] = {
        "title": recipe.title or f"{'-'.join(map(str, recipe.sizes))} by hand",
        "source": recipe.source,
        "network": {"inputs": recipe.sizes[0], "loss": recipe.loss, "layers": layers},
        "data": {"x": _written(X), "y": targets},
        "optimizer": dict(recipe.optimizer or {}),
    }
    for key in ("regularization", "notation"):
        held: Mapping[str, Any] | None = getattr(recipe, key)
        if held:
            document[key] = dict(held)
    if recipe.digits is not None:
        document["rounding"] = {"digits": recipe.digits}
    return document


def _multiples(level: Difficulty, largest: float, zero: bool = False) -> Array:
    count = round(largest / level.step)
    steps = np.arange(-count, count + 1)
    return steps[steps != 0] * level.step if not zero else steps * level.step


def _written(values: Array) -> Any:
    """Lists of the shortest decimals: 0.3, where a product of floats has 0.30000000000000004."""
    return np.round(values, 6).tolist()


def _inputs(recipe: Recipe, level: Difficulty, generator: np.random.Generator) -> Array:
    shape = (recipe.samples, recipe.sizes[0])
    return np.round(generator.choice(_multiples(level, level.largest), shape), 6)


def _wanted(recipe: Recipe, generator: np.random.Generator) -> list[list[_Unit]]:
    """What is wanted of each unit of each layer: so many hidden ones dead, so many saturated."""
    hidden = [(l, k) for l, size in enumerate(recipe.sizes[1:-1]) for k in range(size)]
    order = [hidden[place] for place in generator.permutation(len(hidden))] if hidden else []
    dead = set(order[: recipe.dead])
    saturated = set(order[len(order) - recipe.saturated :]) if recipe.saturated else set()
    return [
        [_Unit((l, k) in dead, (l, k) in saturated) for k in range(size)]
        for l, size in enumerate(recipe.sizes[1:])
    ]


def _layer(
    A: Array,
    function: Activation,
    wanted: list[_Unit],
    level: Difficulty,
    generator: np.random.Generator,
    last: bool,
) -> tuple[Array, Array] | None:
    """Weights and biases of a layer, unit by unit; None where some unit found none."""
    inputs = A.shape[1]
    largest = max(level.step, min(1.0, 3.0 / inputs))
    weights, biases = _multiples(level, largest), _multiples(level, 1.0, zero=True)
    rows: list[Array] = []
    shifts: list[float] = []
    for unit in wanted:
        for _ in range(_TRIES_OF_UNIT):
            strong = 4.0 if unit.dead or unit.saturated else 1.0
            w, b = generator.choice(weights, inputs), float(generator.choice(biases)) * strong
            z = A @ w + b
            if _suits(z, function.rule, unit) and not any(np.array_equal(w, row) for row in rows):
                rows.append(w)
                shifts.append(b)
                break
        else:
            return None
    W, b_all = np.round(np.array(rows), 6), np.round(np.array(shifts), 6)
    if last and not function.elementwise and float(np.max(function.value(A @ W.T + b_all))) > MOST_CERTAIN:
        return None
    return W, b_all


def _within(z: Array, ranges: tuple[Range, ...]) -> Array:
    inside = np.zeros(z.shape, bool)
    for low, high in ranges:
        inside |= (z > low) & (z < high)
    return inside


def _suits(z: Array, rule: ActivationRule, wanted: _Unit) -> bool:
    """Whether the weighted sums of a unit, one a sample, are as they are wanted."""
    if any(np.any(np.abs(z - kink) < FROM_KINK) for kink in rule.kinks) or np.any(np.abs(z) < 0.01):
        return False
    dead, flat = _within(z, rule.dead), _within(z, rule.flat)
    if wanted.dead:
        return bool(np.all(dead))
    if wanted.saturated:
        return bool(np.all(flat & ~dead)) if not np.all(dead) else False
    if np.any(np.abs(z) > LARGEST_SUM) or (rule.dead and np.all(dead)):
        return False
    return not np.any(flat & ~dead)


def _targets(recipe: Recipe, yhat: Array, level: Difficulty, generator: np.random.Generator) -> Any:
    """Targets of the kind that the loss takes, none of them met already; None where there are none."""
    loss = Loss(recipe.loss) if isinstance(recipe.loss, str) else Loss(**recipe.loss)
    kind, shape = loss.targets, yhat.shape
    if kind.classes and shape[1] > 1:
        return generator.integers(0, shape[1], shape[0]).tolist()
    if kind.only is not None:
        return generator.choice(np.array(kind.only), shape).tolist()
    low, high = kind.lowest, kind.highest
    if np.isfinite(low) and np.isfinite(high):
        return generator.integers(round(low), round(high) + 1, shape).tolist()
    if np.isfinite(low):
        return generator.integers(round(low), round(low) + 4, shape).tolist()
    last = recipe.activations[-1]
    function = Activation(last) if isinstance(last, str) else Activation(**last)
    ends = function.rule.outputs
    around = np.round(yhat / level.step) * level.step
    moved = around + generator.choice(_multiples(level, level.largest), shape)
    bounded = np.clip(moved, max(ends[0], -1e9), min(ends[1], 1e9))
    return None if np.any(np.abs(bounded - yhat) < 0.05) else _written(bounded)


def _readable(case: Case, recipe: Recipe) -> bool:
    """Whether the numbers of the first step can be written down, and tell mistakes apart."""
    with np.errstate(all="ignore"):
        trace = next(iter(trace_case(case, 1, 1)))
    found = trace.quantities
    if not all(np.all(np.isfinite(value)) for value in found.values()):
        return False
    if "loss" in found and not LEAST_LOSS <= float(found["loss"]) <= LARGEST_LOSS:
        return False
    if recipe.dead or recipe.saturated:
        return True
    return all(_visible(delta, rule) for delta, rule in _errors(case, found))


def _errors(case: Case, found: Mapping[str, Array]) -> Iterator[tuple[Array, ActivationRule]]:
    for l, layer in case.network.numbered():
        if f"delta{l}" in found:
            yield found[f"delta{l}"], layer.function.rule


def _visible(delta: Array, rule: ActivationRule) -> bool:
    """Every unit gets an error that can be seen; of a batch, a unit that can be off is on for some sample."""
    large = np.abs(delta) >= LEAST_ERROR
    per_unit = np.any(large, axis=0)
    return bool(np.all(per_unit)) if rule.dead else bool(np.all(large))
