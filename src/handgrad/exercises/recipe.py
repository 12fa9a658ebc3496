"""A recipe: what an exercise is to be about, without its numbers."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from handgrad.cases.case import Case
from handgrad.errors import CaseError, HandgradError
from handgrad.files import read_whole
from handgrad.nn.activations import Activation
from handgrad.nn.losses import Loss


@dataclass(frozen=True)
class Difficulty:
    """How hard the numbers are, and what is asked unless the recipe says so.

    Weights and inputs are multiples of `step`; `samples` stand in the batch; `ask` are the parts asked for.
    """

    step: float
    largest: float
    samples: int
    ask: tuple[str, ...]


DIFFICULTIES: dict[str, Difficulty] = {
    "easy": Difficulty(0.5, 2.0, 1, ("forward", "loss")),
    "medium": Difficulty(0.25, 1.5, 1, ("forward", "loss", "backward")),
    "hard": Difficulty(0.1, 1.0, 2, ("forward", "loss", "backward", "update")),
}
MOST_UNITS, MOST_SAMPLES, MOST_LAYERS = 64, 64, 16
LARGEST_SEED = 2**53


class RecipeKeys(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`[recipe]` of a recipe file."""

    sizes: tuple[int, ...] = (2, 2, 1)
    activations: str | list[str | dict[str, Any]] | None = None
    loss: str | dict[str, Any] | None = None
    difficulty: str = "medium"
    seed: int = 0
    samples: int | None = None
    ask: list[str] | None = None
    digits: int | None = None
    dead: int = 0
    saturated: int = 0


class RecipeFile(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A whole recipe file; what stands beside `[recipe]` is as in a case file."""

    recipe: RecipeKeys
    title: str = ""
    source: str = ""
    optimizer: dict[str, Any] | None = None
    regularization: dict[str, Any] | None = None
    notation: dict[str, Any] | None = None
    marks: dict[str, float] = {}


@dataclass(frozen=True)
class Recipe:
    """What an exercise is about: sizes from the inputs on, an activation for each layer, a loss, an optimizer.

    `difficulty`: easy, medium, hard; `seed` decides all numbers; `dead` and `saturated` say how many hidden units
    are to be so (none unless asked for). `ask`: parts (forward, loss, backward, update) or quantities; `digits`
    decimals of an answer; `marks` for a quantity, shared by its entries.

    >>> Recipe((2, 3, 1), loss="binary_cross_entropy").activations
    ('relu', 'sigmoid')

    Raises CaseError for what cannot be.
    """

    sizes: tuple[int, ...] = (2, 2, 1)
    activations: tuple[Any, ...] = ()
    loss: Any = None
    optimizer: Mapping[str, Any] | None = None
    difficulty: str = "medium"
    seed: int = 0
    samples: int = 0
    ask: tuple[str, ...] = ()
    digits: int | None = None
    dead: int = 0
    saturated: int = 0
    title: str = ""
    source: str = ""
    regularization: Mapping[str, Any] | None = None
    notation: Mapping[str, Any] | None = None
    marks: Mapping[str, float] = field(default_factory=dict)
    place: str = "recipe"

    def __post_init__(self) -> None:
        if self.difficulty not in DIFFICULTIES:
            known = ", ".join(DIFFICULTIES)
            raise CaseError(f"{self.place}: difficulty must be one of {known}, got {self.difficulty!r}")
        if not 0 <= self.seed <= LARGEST_SEED:
            raise CaseError(f"{self.place}: seed must be a whole number from 0 to 2^53, got {self.seed}")
        self._check_sizes()
        self._fill_in()
        for name in ("dead", "saturated"):
            if not 0 <= getattr(self, name) <= sum(self.sizes[1:-1]):
                hidden = sum(self.sizes[1:-1])
                raise CaseError(
                    f"{self.place}: {name}: there are {hidden} hidden units, got {getattr(self, name)}"
                )

    def _check_sizes(self) -> None:
        sizes = self.sizes
        if not 2 <= len(sizes) <= MOST_LAYERS + 1 or not all(1 <= size <= MOST_UNITS for size in sizes):
            raise CaseError(
                f"{self.place}: sizes are the inputs and the units of each layer, as 2,3,1: 1 to {MOST_UNITS} "
                f"each, at most {MOST_LAYERS} layers; got {','.join(map(str, sizes))}"
            )
        if not 0 <= self.samples <= MOST_SAMPLES:
            raise CaseError(f"{self.place}: samples must be 1 to {MOST_SAMPLES}, got {self.samples}")

    def _fill_in(self) -> None:
        """What the recipe leaves open, by its difficulty and its loss."""
        level, outputs = DIFFICULTIES[self.difficulty], self.sizes[-1]
        loss = self.loss or ("binary_cross_entropy" if outputs == 1 else "cross_entropy")
        try:
            rule = (Loss(loss) if isinstance(loss, str) else Loss(**loss)).rule
        except (HandgradError, TypeError) as error:
            raise CaseError(f"{self.place}: loss: {error}") from error
        last = next(iter(rule.closed), "identity")
        layers = len(self.sizes) - 1
        asked = self.activations
        if len(asked) in (0, 1) and layers > 1:  # one name is that of the hidden layers
            asked = (*(asked or ("relu",)) * (layers - 1), last)
        elif not asked:
            asked = (last,)
        if len(asked) != layers:
            raise CaseError(
                f"{self.place}: activations: {layers} layers need {layers} names (or one for all hidden layers), "
                f"got {len(asked)}"
            )
        for activation in asked:
            try:
                Activation(activation) if isinstance(activation, str) else Activation(**activation)
            except (HandgradError, TypeError) as error:
                raise CaseError(f"{self.place}: activations: {error}") from error
        object.__setattr__(self, "loss", loss)
        object.__setattr__(self, "activations", tuple(asked))
        object.__setattr__(self, "samples", self.samples or level.samples)
        object.__setattr__(self, "ask", self.ask or level.ask)
        object.__setattr__(self, "optimizer", self.optimizer or {"name": "sgd", "learning_rate": 0.5})


def read_recipe(document: Any, place: str) -> Recipe:
    """The recipe of a file that was read; `place` stands at the head of errors.

    >>> read_recipe({"recipe": {"sizes": [2, 1], "seed": 3}}, "week3.toml").seed
    3

    Raises CaseError naming the key.
    """
    try:
        held = msgspec.convert(document, RecipeFile)
    except msgspec.ValidationError as error:
        message, _, where = str(error).partition(" - at `")
        key = where.rstrip("`").removeprefix("$").removeprefix(".") or "the file"
        known = f"; [recipe] takes {', '.join(RecipeKeys.__struct_fields__)}" if "unknown" in message else ""
        raise CaseError(f"{place}: {key}: {message}{known}") from error
    keys = held.recipe
    activations: Any = keys.activations
    if isinstance(activations, str):
        activations = (activations,)
    return Recipe(
        keys.sizes,
        tuple(activations or ()),
        keys.loss,
        held.optimizer,
        keys.difficulty,
        keys.seed,
        keys.samples or 0,
        tuple(keys.ask or ()),
        keys.digits,
        keys.dead,
        keys.saturated,
        held.title,
        held.source,
        held.regularization,
        held.notation,
        held.marks,
        place,
    )


def read_source(path: Path) -> Case | Recipe:
    """The case or the recipe of a TOML or JSON file: a recipe has the table `[recipe]`.

    Raises CaseError for a file that is neither.
    """
    try:
        text = read_whole(path).decode("utf-8-sig")
        document = json.loads(text) if path.suffix.lower() == ".json" else tomllib.loads(text)
    except (OSError, ValueError, RecursionError):
        return Case.load(path)  # which says what is wrong
    if isinstance(document, dict) and "recipe" in document:
        return read_recipe(document, str(path))
    return Case.load(path)


def recipe_of(case: Case, seed: int, place: str) -> Recipe:
    """A recipe with the shape of a case: the same network, loss and optimizer, other numbers.

    Raises CaseError for a case that has no network to make numbers for.
    """
    if case.keys is None or case.X is None or case.Y is None or case.given or case.network.loss is None:
        raise CaseError(
            f"{place}: variants need a case with data, a loss and nothing given; this one has only its own numbers"
        )
    keys = case.keys
    held = msgspec.to_builtins(keys)
    if any(layer.dropout is not None or layer.bias != "trained" for layer in case.network.layers):
        raise CaseError(f"{place}: variants have no dropout and a bias for each unit; write a recipe instead")
    return Recipe(
        case.network.sizes,
        tuple(_named(layer.function) for layer in case.network.layers),
        held["network"]["loss"],
        held.get("optimizer"),
        "medium",
        seed,
        min(case.samples, MOST_SAMPLES),
        ("forward", "loss", "backward", *(("update",) if case.recipe is not None else ())),
        case.rounding.digits,
        title=case.title,
        source="",
        regularization=held.get("regularization"),
        notation=held.get("notation"),
        place=place,
    )


def _named(activation: Activation) -> Any:
    plain = Activation(activation.name) == activation
    return activation.name if plain else {"name": activation.name, "alpha": activation.alpha}
