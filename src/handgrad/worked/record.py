"""The worked record: a step of training as data.

A `Record` holds what a sheet shows, in the order of the calculation, and nothing of how it is shown: expressions
are trees, words are keys of the message catalogue with their arguments.

A step is a program, too. `StepRecord.bindings` gives every letter its value; `StepRecord.program` says, in the order
of the calculation, from which letters each quantity is computed. Whoever starts with the leaves alone (the bindings
that the program does not make: inputs, targets, parameters, states before the step, masks, given quantities,
hyperparameters) and evaluates line by line,

    values = {name: value for name, value in step.bindings.items() if name not in made}
    for quantity, letters in step.program:
        values[quantity] = node(evaluate(letters, Bindings(values, step.bindings.column)))

has every quantity of the step again, as it stands on paper, to the last digits. The program is whole whatever a sheet
shows of it, and holds no choice made from the numbers: clipping and the like are `Cases`. The gradient of a bias that
units share is one number there. Where a case carries rounded results (`Record.carry`), each value but a derivative of
an activation is rounded as `Rounding.of` says before it is used again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from handgrad.nn.arrays import Array
from handgrad.nn.network import Network
from handgrad.nn.regularization import Regularization
from handgrad.nn.step import Recipe
from handgrad.worked.bindings import Bindings
from handgrad.worked.expressions import Expression, Symbol
from handgrad.worked.rounding import Rounding

if TYPE_CHECKING:
    from handgrad.worked.preparation import Preparation

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
    """target = scheme = symbols[0] = symbols[1] ... = numbers = result.

    `symbols` are forms of the right-hand side in letters, each of which evaluates to `result` with the bindings of
    the step; `numbers` the forms with numbers put in (several when an intermediate line is shown), which do so too;
    `result` a Number or Matrix, None for a formula. `scheme` is the chain rule as a product of derivatives: it says
    what is multiplied, not in which order matrices are, and is never evaluated.
    """

    target: Expression
    symbols: tuple[Expression, ...] = ()
    numbers: tuple[Expression, ...] = ()
    result: Expression | None = None
    scheme: Expression | None = None

    @property
    def letters(self) -> tuple[Expression, ...]:
        """Every form without numbers: the scheme, where there is one, then the symbols."""
        return self.symbols if self.scheme is None else (self.scheme, *self.symbols)


@dataclass(frozen=True)
class Certificate:
    """Under which conditions every digit shown is right.

    `bits`: the precision of the balls; `ties`: digits that stayed open even so, and were taken as the tie that
    the number is nearest to; `binary`: the inputs and parameters are those of a training, to their last binary
    digit; `computed`: what float64 had, by step and public name, on paper.
    """

    bits: int
    ties: int
    binary: bool
    computed: tuple[Mapping[str, Array], ...] = ()


class Assignment(NamedTuple):
    """One line of a program: a quantity by its public name, and the letters that it is computed from."""

    quantity: str
    letters: Expression


@dataclass(frozen=True)
class Shape:
    """A quantity and its (rows, columns) on paper."""

    symbol: Expression
    rows: int
    columns: int


@dataclass(frozen=True)
class WorkedStep:
    """One quantity worked out.

    `quantity` is its public name (z1, dW2, W1_new); `part` one of forward, loss, backward, update (in the other parts
    of a sheet what the equation is there for); `layer` None
    for what belongs to no layer. `equation` is the matrix form, `shapes` the shapes that meet in it (operands,
    then the result), `reason` why this is the next step. `scalar` has the same in scalars: one equation for each
    entry (empty unless asked for, `left_out` of them not written), `factors` the chain rule factor by factor,
    `check` a second route that must give the same result, `route` what leads to it, entry by entry, `remark` what the
    result means. `rule` has the letters for
    any numbers, where the equation shows those that hold for these.
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
    route: tuple[Equation, ...] = ()
    remark: Words | None = None
    rule: Expression | None = None


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
    relative_errors: Array
    """Of each entry, relative to the largest of both in the array; NaN where it was not probed."""


@dataclass(frozen=True, eq=False)
class Lesson:
    """A part of the textbook: the equations that it shows, and what `verify` evaluates of them.

    `equations` may be said of any layer l, unit j or sample i; `proofs` have each of them with its numbers: those of
    the step where they carry its number, else some drawn at random, for which their number is 0.
    """

    equations: tuple[Equation, ...]
    proofs: tuple[StepRecord, ...]


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
    closing: tuple[Words, ...] = ()
    """What there is to learn from it: the situations that matter most."""
    loss_before: float | None = None
    loss_after: float | None = None
    checks: tuple[GradientCheck, ...] = ()
    rows: tuple[int, ...] = ()
    """Zero-based row numbers of the batch in the data."""
    bindings: Bindings = field(default_factory=Bindings)
    """Every letter of the step with its value on paper, by public name."""
    program: tuple[Assignment, ...] = ()
    """What computes the quantities from the leaves, in order; see the head of this file."""
    path: tuple[WorkedStep, ...] = ()
    """The equations, in scalars, to the entry that the reader follows, or to the one that stands for all."""
    matrices: StepRecord | None = None
    """Why matrices: its equations, with the letters of the first sample, where that was asked for."""
    lessons: Mapping[str, Lesson] = field(default_factory=dict)
    """The parts of the textbook that were asked for, by name."""


@dataclass(frozen=True, eq=False)
class FormulaSheet:
    """A network in letters alone: for any layer l, layer by layer, its functions, its loss, the optimizer's rule.

    `activations` has the name, f(z) and f'(z) of each that is used; `term` one term of the loss and its derivative.
    `proofs` are the same equations, with numbers drawn at random behind their letters: what `verify` evaluates.
    """

    general: tuple[Equation, ...]
    written_out: tuple[Equation, ...]
    activations: tuple[tuple[str, Equation, Equation], ...]
    loss: Equation | None
    term: tuple[Equation, ...]
    penalty: Equation | None
    optimizer: tuple[Equation, ...]
    proofs: tuple[StepRecord, ...]


@dataclass(frozen=True)
class Options:
    """What the derivation is asked for."""

    orientation: str = "column"  # or "row"
    detail: str = "matrix"  # or "brief", "scalar"
    focus: str | None = None  # the entry that the reader follows, as W2[0,1]
    layers: tuple[int, ...] | None = None  # only these layers
    neuron: int | None = None  # only this unit (zero-based) in the scalar detail
    sample: int | None = None  # only this sample (zero-based) in the scalar detail
    most_scalar: int = 16  # scalar equations for one quantity, the others are counted in left_out
    gradient_check: bool = False
    matrices: bool = False
    textbook: frozenset[str] = frozenset()  # parts of the textbook, by name


@dataclass(frozen=True)
class Timing:
    """Seconds that one forward pass of a layer took: unit by unit in a loop, and as one product."""

    units: int
    inputs: int
    scalar: float
    matrix: float


@dataclass(frozen=True)
class Standing:
    """Where the steps of a trained model stand in its training.

    `taken`: its steps; `epochs`: how many it ran; `kept`: the epoch whose parameters early stopping kept, None where
    they are the last ones; `following`: the step that these parameters take next; `chosen`: the rows are the reader's.
    """

    taken: int
    epochs: int
    kept: int | None
    following: int
    chosen: bool


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
    options: Options = field(default_factory=Options)
    losses: tuple[float, ...] = ()
    """Of a trained model: the training loss of each epoch."""
    epoch: int | None = None
    """Of a trained model: the epoch (counted from 1) that the step belongs to."""
    names: tuple[str, ...] = ()
    """Of a trained model: the input columns."""
    not_shown: int = 0
    """Of a trained model: inputs of categories that no sample has."""
    classes: tuple[str, ...] = ()
    """Of a trained model: the classes of the target."""
    outputs: tuple[str, ...] = ()
    """Of a trained model with several outputs: what each stands for, a class or a target."""
    preparation: Preparation | None = None
    """Of a model of a table: from the cells of the first row to x, and from the outputs to an answer."""
    standing: Standing | None = None
    """Of a trained model: which of its steps these are."""
    engine: tuple[str, str] | None = None
    """Of a step that was taken: the engine that took it, and in which precision."""
    total: int = 1
    """How many steps the case or the training has; `steps` may hold some of them."""
    rounding: Rounding = field(default_factory=Rounding)
    """Decimals for single quantities, beside `digits`."""
    regularization: Regularization = field(default_factory=Regularization)
    """The penalties where there is no recipe (gradients only)."""
    formulas: FormulaSheet | None = None
    """The formula sheet, where that was asked for."""
    certificate: Certificate | None = None
    """Where every digit was asked to be right: how finely it was computed, and what float64 had."""
    lessons: Mapping[str, Lesson] = field(default_factory=dict)
    """The parts of the textbook, of a sheet without steps; else its first step has them."""
    timings: tuple[Timing, ...] = ()
    """How long the scalar and the matrix way took on this machine, where that was asked for."""

    @property
    def textbook(self) -> Mapping[str, Lesson]:
        """The parts of the textbook, wherever they stand."""
        return self.steps[0].lessons if self.steps else self.lessons
