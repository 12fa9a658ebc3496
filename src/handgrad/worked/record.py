"""The worked record: a step of training as data.

A `Record` holds what a sheet shows, in the order of the calculation, and nothing of how it is shown: expressions
are trees, words are keys of the message catalogue with their arguments.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from handgrad.nn.arrays import Array
from handgrad.nn.network import Network
from handgrad.nn.regularization import Regularization
from handgrad.nn.step import Recipe
from handgrad.worked.expressions import Expression, Symbol
from handgrad.worked.rounding import Rounding

Argument: TypeAlias = "str | int | float | Expression | Words"


@dataclass(frozen=True)
class Words:
    """A sentence or label by its key in the message catalogue, with the arguments that fill its places."""

    key: str
    arguments: tuple[tuple[str, Argument], ...] = ()


def words(key: str, **arguments: Argument) -> Words:
    """`Words` with named arguments.

    >>> words("layer", number=1).arguments
    (('number', 1),)
    """
    return Words(key, tuple(arguments.items()))


@dataclass(frozen=True)
class Equation:
    """target = symbols[0] = symbols[1] ... = numbers = result.

    `symbols` are forms of the right-hand side without numbers (several when the chain rule is first written as
    derivatives, then as the quantities that they are); `numbers` the substituted forms, each of which evaluates
    to `result` (several when an intermediate line is shown); `result` a Number or Matrix, None for a formula.
    """

    target: Expression
    symbols: tuple[Expression, ...] = ()
    numbers: tuple[Expression, ...] = ()
    result: Expression | None = None


@dataclass(frozen=True)
class Shape:
    """A quantity and its (rows, columns) on paper."""

    symbol: Expression
    rows: int
    columns: int


@dataclass(frozen=True)
class WorkedStep:
    """One quantity worked out.

    `quantity` is its public name (z1, dW2, W1_new); `part` one of forward, loss, backward, update; `layer` None
    for what belongs to no layer. `equation` is the matrix form, `shapes` the shapes that meet in it (operands,
    then the result), `reason` why this is the next step. `scalar` has the same in scalars: one equation for each
    entry (empty unless asked for, `left_out` of them not written), `factors` the chain rule factor by factor,
    `check` a second route that must give the same result, `remark` what the result means.
    """

    quantity: str
    part: str
    layer: int | None
    equation: Equation
    shapes: tuple[Shape, ...] = ()
    reason: Words | None = None
    scalar: tuple[Equation, ...] = ()
    left_out: int = 0
    factors: tuple[Equation, ...] = ()
    check: Equation | None = None
    remark: Words | None = None


@dataclass(frozen=True, eq=False)
class ParameterChange:
    """A parameter before and after the step, with its gradient; arrays in the shapes of arithmetic."""

    quantity: str
    symbol: Symbol
    before: Array
    gradient: Array
    after: Array


@dataclass(frozen=True, eq=False)
class GradientCheck:
    """Analytic gradient beside the central difference, in the shape of the parameter."""

    quantity: str
    symbol: Expression
    analytic: Array
    numeric: Array
    largest_relative_error: float


@dataclass(frozen=True, eq=False)
class StepRecord:
    """One update worked out: what it started from, its calculation, what it changed."""

    number: int
    learning_rate: float
    quantities: dict[str, Array]
    """Every quantity by its public name, as in arithmetic: one sample a row, full precision."""
    steps: tuple[WorkedStep, ...]
    changes: tuple[ParameterChange, ...] = ()
    observation: tuple[Words, ...] = ()
    loss_before: float | None = None
    loss_after: float | None = None
    checks: tuple[GradientCheck, ...] = ()
    rows: tuple[int, ...] = ()
    """Zero-based row numbers of the batch in the data."""


@dataclass(frozen=True)
class Options:
    """What the derivation is asked for."""

    orientation: str = "column"  # or "row"
    detail: str = "matrix"  # or "summary", "scalar"
    layers: tuple[int, ...] | None = None  # only these layers
    neuron: int | None = None  # only this unit (zero-based) in the scalar detail
    sample: int | None = None  # only this sample (zero-based) in the scalar detail
    most_scalar: int = 16  # scalar equations for one quantity, the others are counted in left_out
    gradient_check: bool = False


@dataclass(frozen=True, eq=False)
class Record:
    """A worked calculation: the problem and its steps."""

    title: str
    source: str
    network: Network
    recipe: Recipe | None
    steps: tuple[StepRecord, ...]
    digits: int | None = None
    carry: bool = False
    layer_notation: str | None = None  # bracket, superscript or subscript, as the case file asks
    options: Options = field(default_factory=Options)
    losses: tuple[float, ...] = ()
    """Of a trained model: the training loss of each epoch."""
    epoch: int | None = None
    """Of a trained model: the epoch (counted from 1) that the step belongs to."""
    names: tuple[str, ...] = ()
    """Of a trained model: the input columns."""
    classes: tuple[str, ...] = ()
    """Of a trained model: the classes of the target."""
    engine: tuple[str, str] | None = None
    """Of a step that was taken: the engine that took it, and in which precision."""
    total: int = 1
    """How many steps the case or the training has; `steps` may hold some of them."""
    rounding: Rounding = field(default_factory=Rounding)
    """Decimals for single quantities, beside `digits`."""
    regularization: Regularization = field(default_factory=Regularization)
    """The penalties where there is no recipe (gradients only)."""
