"""What every optimizer is: a learning rate, named state, and a step from a parameter and its gradient."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

from handgrad.errors import SpecificationError
from handgrad.nn.arrays import Array
from handgrad.nn.observe import Observer

State: TypeAlias = tuple[Array, ...]
"""The state of one parameter, in the order of the optimizer's `slots`."""


Moment: TypeAlias = int | tuple[Array, ...]
"""Which step it is: its number t, or what the rule makes of t where a compiled loop has that from the host."""


@dataclass(frozen=True)
class Optimizer(ABC):
    """What all optimizers share: a learning rate and `step`.

    Of the class: `name` and `label`; `rate_for_tables`, the learning rate that a table with standardized columns is
    trained with unless another is asked for; `downhill`, True where a step goes straight against the gradient.

    Raises SpecificationError for a learning rate that is not a finite number > 0.
    """

    learning_rate: float = 0.01
    name: ClassVar[str] = ""
    label: ClassVar[str] = ""
    rate_for_tables: ClassVar[float] = 0.001
    downhill: ClassVar[bool] = False

    def __post_init__(self) -> None:
        positive(self.name, "learning_rate", self.learning_rate)

    @property
    def rule(self) -> str:
        """Which update it is where one name stands for several: momentum's form; AdamW's is Adam's."""
        return self.name

    @property
    def slots(self) -> tuple[str, ...]:
        """Names of the state arrays, such as ('m', 'v')."""
        return ()

    def corrections(self, t: Any) -> tuple[Any, ...]:
        """The numbers in the rule that depend on t alone, such as 1 - beta1^t, float64; t may be an array.

        A compiled loop cannot make them of its own t: in float32, 1 - 0.999^t has lost four digits.
        """
        return ()

    def corrected(self, t: Moment) -> tuple[Any, ...]:
        """The corrections of a step, whether it comes by its number or by them."""
        return t if isinstance(t, tuple) else self.corrections(t)

    @abstractmethod
    def step(
        self, p: Array, g: Array, state: State, t: Moment, eta: float, observe: Observer
    ) -> tuple[Array, State]:
        """The new parameter and the new state."""


def positive(optimizer: str, name: str, value: float) -> None:
    """Raises SpecificationError unless the value is a finite number > 0."""
    if not (value > 0 and math.isfinite(value)):
        raise SpecificationError(f"{optimizer}: {name} must be a finite number > 0, got {value}")


def not_negative(optimizer: str, name: str, value: float) -> None:
    """Raises SpecificationError unless the value is a finite number >= 0."""
    if not (value >= 0 and math.isfinite(value)):
        raise SpecificationError(f"{optimizer}: {name} must be a finite number >= 0, got {value}")


def truth(optimizer: str, name: str, value: object) -> None:
    """Raises SpecificationError unless the value is True or False."""
    if not isinstance(value, bool):
        raise SpecificationError(f"optimizer {optimizer!r}: {name} must be true or false, got {value!r}")


def fraction(optimizer: str, name: str, value: float) -> None:
    """Raises SpecificationError unless 0 <= value < 1."""
    if not 0 <= value < 1:
        raise SpecificationError(f"{optimizer}: {name} must be >= 0 and < 1, got {value}")
