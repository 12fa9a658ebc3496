"""The parts of the textbook that are equations, by name."""

from __future__ import annotations

from collections.abc import Callable, Collection

from handgrad.nn.network import Network
from handgrad.nn.step import Recipe
from handgrad.worked.derive.formulas import narrow
from handgrad.worked.paper import Paper
from handgrad.worked.record import Lesson, Options
from handgrad.worked.textbook.braces import braces
from handgrad.worked.textbook.composition import composition, roles, unit, vectors
from handgrad.worked.textbook.desk import Desk, drawn_for
from handgrad.worked.textbook.errors import errors, losses
from handgrad.worked.textbook.neuron import delta, neuron
from handgrad.worked.textbook.tables import activations, variants

LESSONS: dict[str, Callable[[Desk], Lesson | None]] = {
    "roles": roles,
    "composition": composition,
    "unit": unit,
    "vectors": vectors,
    "errors": errors,
    "losses": losses,
    "delta": delta,
    "neuron": neuron,
    "braces": braces,
    "activations": activations,
    "variants": variants,
}


def lessons(paper: Paper, wanted: Collection[str]) -> dict[str, Lesson]:
    """The lessons that were asked for, on the numbers of a step where they may be used."""
    names = [name for name in LESSONS if name in wanted]
    if not names:
        return {}
    desk = Desk.of(paper)
    made = {name: LESSONS[name](desk) for name in names}
    return {name: lesson for name, lesson in made.items() if lesson is not None}


def lessons_at_random(network: Network, recipe: Recipe | None, options: Options) -> dict[str, Lesson]:
    """The lessons of a sheet without steps: letters alone, proved at numbers drawn at random."""
    if not options.textbook:
        return {}
    return lessons(drawn_for(narrow(network), recipe, options), options.textbook)
