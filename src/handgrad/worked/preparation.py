"""From a raw row to the inputs of a network, and from its outputs back to the target's own unit, as a record.

x_k = (c_k - mean_k) / deviation_k      a number; a category is 1 for its own input and 0 for the others
answer_k = deviation_k yhat_k + mean_k  of a regression
"""

from __future__ import annotations

from dataclasses import dataclass

from handgrad.worked.record import Equation, StepRecord, Words


@dataclass(frozen=True)
class Input:
    """One input made of a cell: its place in x, its name, its number, and how it was made.

    `equation` where it is computed, `rule` where it is looked up.
    """

    place: int
    name: str
    value: float
    rule: Words
    equation: Equation | None = None


@dataclass(frozen=True)
class Cell:
    """A cell of the row as the file has it (None: empty), and the inputs made of it; `zeros` more of them are 0."""

    column: str
    value: str | None
    inputs: tuple[Input, ...]
    zeros: int = 0


@dataclass(frozen=True, eq=False)
class Preparation:
    """Cells, inputs and answers of one row; `proof` has every equation of it, as `verify` evaluates them.

    `answers` give the outputs in the target's unit; `said` is the prediction in words, then what the row itself says.
    """

    row: int
    cells: tuple[Cell, ...]
    left_out: int
    answers: tuple[Equation, ...]
    said: tuple[Words, ...]
    proof: StepRecord
