"""Expressions as trees: what a worked calculation is made of.

A tree says what is meant, never how it looks: no LaTeX, no text, no rounding. A matrix stands as it is on paper
(a column is a column); which way round that is, the derivation decides. Writers turn trees into a medium and
raise on a node that they do not know; `evaluate` computes them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from handgrad.nn.arrays import Array


@dataclass(frozen=True, slots=True)
class Expression:
    """Root of all nodes."""


_names: dict[type, tuple[str, ...]] = {}


def names_of(kind: Any) -> tuple[str, ...]:
    """The fields of a kind of node, looked up once: trees are walked node by node.

    >>> names_of(Number)
    ('value', 'exact', 'dust')
    """
    if kind not in _names:
        _names[kind] = tuple(each.name for each in fields(kind))
    return _names[kind]


@dataclass(frozen=True, slots=True)
class Symbol(Expression):
    """A quantity or constant by its meaning.

    `letter`: x y yhat omega (the weight of a sample) W b z f a delta mask loss data_loss penalty gradient_norm n
    m t L; in formulas g (a gradient), theta (a parameter) and i j k l; or a hyperparameter: eta mu rho beta1 beta2
    epsilon lambda (of L2) lambda1 (of L1) lambda_w (of AdamW) keep alpha threshold limit_value limit_norm.
    `layer`: 1..L, None where there is none; in formulas for any layer it is text: l, l-1, L.
    `entry`: zero-based position on paper, (unit,) of a vector or (row, column) of a matrix, empty for the whole;
    indices such as i and j are text.
    `sample`: zero-based, where one sample of a batch is meant.
    `mark`: '' or new, data, penalty, clipped, velocity, m, v, m_hat, v_hat, v_max, s: a companion of the quantity.
    `old`: the value before this step (v_{t-1}) of a state that the step changes.
    """

    letter: str
    layer: int | str | None = None
    entry: tuple[int | str, ...] = ()
    sample: int | str | None = None
    mark: str = ""
    old: bool = False


@dataclass(frozen=True, slots=True)
class Gradient(Expression):
    """The derivative of `of` by `by`: dL/dW[1], da[1]/dz[1]."""

    of: Expression
    by: Expression


@dataclass(frozen=True, slots=True)
class Number(Expression):
    """A number, at full precision. `exact`: a constant of the formula (1, 2, m), never rounded for display.
    `dust`: nothing but rounding, shown as 0."""

    value: float
    exact: bool = False
    dust: bool = field(default=False, repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Matrix(Expression):
    """Numbers in rows and columns: `values` has two dimensions, as on paper; `dust` says which are nothing but
    rounding, and shown as 0."""

    values: Array
    dust: Array | None = field(default=None, repr=False)

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        return self.values.shape[0], self.values.shape[1]


@dataclass(frozen=True, slots=True)
class Grid(Expression):
    """A matrix whose entries are expressions, row by row."""

    rows: tuple[tuple[Expression, ...], ...]


@dataclass(frozen=True, slots=True)
class Sum(Expression):
    """t1 + t2 + ...; a `Negative` term is subtracted. Matrices broadcast (a bias over the samples)."""

    terms: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Negative(Expression):
    """-x."""

    operand: Expression


@dataclass(frozen=True, slots=True)
class Times(Expression):
    """Product of numbers, or of numbers with one matrix. `sign`: write the multiplication sign (2 x 3), as
    between substituted numbers; without it the factors stand side by side (2 W)."""

    factors: tuple[Expression, ...]
    sign: bool = False


@dataclass(frozen=True, slots=True)
class MatMul(Expression):
    """Matrix product; inner dimensions agree."""

    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Hadamard(Expression):
    """Product entry by entry."""

    factors: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Outer(Expression):
    """Outer product: column times row; entry (i, j) is left_i right_j."""

    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Transpose(Expression):
    """Rows become columns."""

    operand: Expression


@dataclass(frozen=True, slots=True)
class Divide(Expression):
    """A fraction; entry by entry for matrices."""

    numerator: Expression
    denominator: Expression


@dataclass(frozen=True, slots=True)
class Power(Expression):
    """base^exponent; entry by entry for matrices (g^2 of a gradient)."""

    base: Expression
    exponent: Expression


@dataclass(frozen=True, slots=True)
class Root(Expression):
    """Square root; entry by entry for matrices."""

    operand: Expression


@dataclass(frozen=True, slots=True)
class Norm(Expression):
    """Frobenius norm, the root of the sum of the squares (`order` 2), or the sum of the absolute entries (1)."""

    operand: Expression
    order: int = 2


@dataclass(frozen=True, slots=True)
class Apply(Expression):
    """A function of `FUNCTIONS` (evaluate.py) applied to its arguments, entry by entry.

    Activations go by their names, with `parameters` (alpha); derivatives by name + "'"; others: exp ln max min abs
    sign erf_phi (Phi) phi clip indicator (1 where the argument is > 0, else 0), and in formulas, never evaluated,
    f and f' (an activation left open). Softmax works along the units:
    down each column when `axis` is 0, along each row when it is 1.
    """

    function: str
    arguments: tuple[Expression, ...]
    parameters: tuple[Expression, ...] = ()
    axis: int = 0


@dataclass(frozen=True, slots=True)
class Factor(Expression):
    """An expression with a brace and a name under it: input, activation derivative, weights, cost derivative,
    delta, ... (`label` is a key of the message catalogue)."""

    label: str
    operand: Expression


@dataclass(frozen=True, slots=True)
class BigSum(Expression):
    """Sum over an index that counts from 1: sum_{index = first}^{last} body."""

    index: str
    first: Expression | None
    last: Expression | None
    body: Expression


@dataclass(frozen=True, slots=True)
class SumOver(Expression):
    """Sum (or mean) of a matrix along an axis: 0 adds down the columns, 1 along the rows; None adds all entries.
    The result keeps two dimensions, or is a number for None."""

    operand: Expression
    axis: int | None
    mean: bool = False
    index: str = ""
    """The letters of what is added up (i samples, k units), one each; '' is i for rows, j for columns."""


@dataclass(frozen=True, slots=True)
class Relation(Expression):
    """left `sign` right, with sign one of = < > <= >= != ~ (about)."""

    left: Expression
    sign: str
    right: Expression


@dataclass(frozen=True, slots=True)
class Cases(Expression):
    """Values by condition: ((value, condition), ...); a condition None means otherwise."""

    branches: tuple[tuple[Expression, Expression | None], ...]


@dataclass(frozen=True, slots=True)
class Ellipsis(Expression):
    """Something left out: `direction` horizontal, vertical or diagonal; made by layout, never evaluated."""

    direction: str = "horizontal"


NODES: tuple[type[Expression], ...] = (
    Symbol, Gradient, Number, Matrix, Grid, Sum, Negative, Times, MatMul, Hadamard, Outer, Transpose, Divide,
    Power, Root, Norm, Apply, Factor, BigSum, SumOver, Relation, Cases, Ellipsis,
)  # fmt: skip
"""Every kind of node; a writer has a rule for each, and a test holds it to that."""
