"""Where the lessons are written: the numbers of the step where they may be used, and how equations are proved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from handgrad.errors import VerificationError
from handgrad.nn.losses import Loss
from handgrad.nn.network import Dense, Network
from handgrad.nn.optimizers import SGD, Optimizer
from handgrad.nn.regularization import Regularization
from handgrad.nn.step import Recipe
from handgrad.worked.bindings import Bindings, Value, name_of
from handgrad.worked.derive.letters import constants_of
from handgrad.worked.derive.matrices import at_random, first_sample
from handgrad.worked.derive.random_step import random_step
from handgrad.worked.evaluate import map_tree
from handgrad.worked.expressions import Expression, Gradient, Symbol
from handgrad.worked.paper import Paper
from handgrad.worked.record import Equation, Options, StepRecord, WorkedStep

PART = "textbook"
MOST_WRITTEN = 30
"""Parameters of a network up to which a lesson writes its matrices out."""


@dataclass(frozen=True)
class Desk:
    """The paper that the lessons are written on.

    `own`: it has the numbers of the step. Where values were given by hand, or each result was rounded before it was
    used again, equations that go over several of them hold for other numbers only: `paper` then has some drawn at
    random, and only the letters are shown. `step` is the paper of the step itself.
    """

    step: Paper
    paper: Paper
    own: bool

    @classmethod
    def of(cls, paper: Paper) -> Desk:
        """The desk of a step, or of none: one drawn at random has no rows."""
        needed = ("x", "W1", "z1", "yhat", f"W{paper.network.depth}")
        own = (
            all(paper.has(name) for name in needed)
            and not paper.trace.given
            and not paper.trace.rounding.carry
        )
        return cls(paper, paper if own else at_random(paper), own)

    @property
    def number(self) -> int:
        """The number of the step whose numbers are shown; 0 of those drawn at random."""
        return self.step.trace.number if self.own else 0

    @property
    def alone(self) -> Paper:
        """The paper of the first sample."""
        return first_sample(self.paper)

    @property
    def small(self) -> bool:
        """True where the numbers of whole matrices are worth writing."""
        return self.own and self.paper.network.parameter_count <= MOST_WRITTEN


def proved(
    number: int, paper: Paper, equations: Iterable[Equation], extra: Mapping[str, Value] | None = None
) -> StepRecord:
    """The equations as something to verify, with the letters of the paper and the `extra` ones."""
    bindings = Bindings({**paper.bindings.held, **(extra or {})}, paper.column)
    steps = tuple(WorkedStep(_named(equation.target), PART, None, equation) for equation in equations)
    return StepRecord(number, paper.trace.learning_rate, dict(paper.quantities), steps, bindings=bindings)


def _named(target: Expression) -> str:
    try:
        return name_of(target)
    except VerificationError:  # a form without a name of its own, such as a transpose
        return PART


def in_letters(equation: Equation) -> Equation:
    """The equation without its numbers."""
    return Equation(equation.target, equation.symbols, scheme=equation.scheme)


def with_entries(equation: Equation, places: Mapping[str, int]) -> Equation:
    """The equation with numbers in the place of the index letters of its entries; sums keep theirs."""

    def placed(part: Expression) -> Expression:
        if not isinstance(part, Symbol) or not part.entry:
            return part
        return replace(part, entry=tuple(places.get(str(index), index) for index in part.entry))

    def changed(tree: Expression) -> Expression:
        return map_tree(tree, placed)

    target = equation.target
    if isinstance(target, Gradient):
        target = Gradient(changed(target.of), changed(target.by))
    return Equation(changed(target), tuple(map(changed, equation.symbols)))


def drawn(
    network: Network, optimizer: Optimizer | None = None, samples: int = 1, column: bool = True
) -> Paper:
    """The paper of a step at random numbers of a network of its own."""
    options = Options(orientation="column" if column else "row")
    return drawn_for(network, Recipe(optimizer or SGD(0.1)), options, samples)


def drawn_for(network: Network, recipe: Recipe | None, options: Options, samples: int = 1) -> Paper:
    """The paper of a step at random numbers; its number is not that of a step."""
    penalties = Regularization() if recipe is None else recipe.regularization
    trace = random_step(network, recipe, penalties, samples)
    constants = constants_of(trace, network, recipe, penalties)
    return Paper(trace, network, recipe, options, constants=constants)


def half_squared_error(network: Network, most: int = 4) -> Network:
    """A network of the same kind, small, with the loss of which delta is (yhat - y) f'(z): 1/2 (y - yhat)^2."""
    layers = [
        Dense(
            min(layer.units, most),
            layer.function if layer.function.elementwise else "sigmoid",
            bias="none" if layer.bias == "none" else "trained",
        )
        for layer in network.layers
    ]
    return Network(min(network.inputs, most), layers, Loss("squared_error", scale=0.5))
