"""Optimizers that divide each gradient by the root of a sum or a mean of its squares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from handgrad.nn.arrays import Array, namespace
from handgrad.nn.observe import Observer
from handgrad.nn.update_rules import Moment, Optimizer, State, fraction, not_negative, positive


@dataclass(frozen=True)
class Adagrad(Optimizer):
    """Adagrad: s := s + g^2, p := p - eta g / (sqrt(s) + epsilon).

    Raises SpecificationError for an epsilon below 0.

    >>> import numpy as np
    >>> from handgrad.nn.observe import UNOBSERVED
    >>> p, (s,) = Adagrad(0.5).step(np.ones(1), np.full(1, 3.0), (np.zeros(1),), 1, 0.5, UNOBSERVED)
    >>> round(float(p[0]), 6), float(s[0])
    (0.5, 9.0)

    Source: J. Duchi, E. Hazan, Y. Singer, Adaptive subgradient methods (JMLR 2011), figure 1, the diagonal form.
    """

    epsilon: float = 1e-10
    name: ClassVar[str] = "adagrad"
    label: ClassVar[str] = "Adagrad"
    rate_for_tables: ClassVar[float] = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        not_negative(self.name, "epsilon", self.epsilon)

    @property
    def slots(self) -> tuple[str, ...]:
        """s, the sum of the squares of the gradient."""
        return ("s",)

    def step(
        self, p: Array, g: Array, state: State, t: Moment, eta: float, observe: Observer
    ) -> tuple[Array, State]:
        """The sum of squares after the gradient, then the parameter."""
        (s,) = state
        s = observe("s", s + g * g)
        return observe("new", p - eta * g / (namespace(p).sqrt(s) + self.epsilon)), (s,)


@dataclass(frozen=True)
class RMSprop(Optimizer):
    """RMSprop: s := rho s + (1 - rho) g^2, p := p - eta g / (sqrt(s) + epsilon).

    >>> import numpy as np
    >>> from handgrad.nn.observe import UNOBSERVED
    >>> p, g, zero = np.array([1.0]), np.array([2.0]), np.zeros(1)
    >>> float(RMSprop(0.1, decay=0.9).step(p, g, (zero,), 1, 0.1, UNOBSERVED)[0][0].round(6))
    0.683772

    Source: T. Tieleman, G. Hinton, Neural networks for machine learning, lecture 6.5 (2012).
    """

    decay: float = 0.9
    epsilon: float = 1e-8
    name: ClassVar[str] = "rmsprop"
    label: ClassVar[str] = "RMSprop"

    def __post_init__(self) -> None:
        super().__post_init__()
        fraction(self.name, "decay", self.decay)
        not_negative(self.name, "epsilon", self.epsilon)

    @property
    def slots(self) -> tuple[str, ...]:
        """s, the mean square of the gradient."""
        return ("s",)

    def step(
        self, p: Array, g: Array, state: State, t: Moment, eta: float, observe: Observer
    ) -> tuple[Array, State]:
        """The mean square after the gradient, then the parameter."""
        (s,) = state
        s = observe("s", self.decay * s + (1 - self.decay) * g * g)
        return observe("new", p - eta * g / (namespace(p).sqrt(s) + self.epsilon)), (s,)


@dataclass(frozen=True)
class Adadelta(Optimizer):
    """Adadelta: steps in the unit of the parameter, from the mean squares of gradients and of steps.

        s := rho s + (1 - rho) g^2,     step = sqrt(u + epsilon) / sqrt(s + epsilon) g
        u := rho u + (1 - rho) step^2,  p := p - eta step

    Raises SpecificationError unless 0 <= decay < 1, or for an epsilon that is not > 0: the first step is made of it.

    >>> import numpy as np
    >>> from handgrad.nn.observe import UNOBSERVED
    >>> p, (s, u) = Adadelta(decay=0.5, epsilon=0.25).step(
    ...     np.ones(1), np.ones(1), (np.full(1, 0.5), np.zeros(1)), 1, 1.0, UNOBSERVED)
    >>> round(float(p[0]), 6), float(s[0])
    (0.5, 0.75)

    Source: M. Zeiler, Adadelta: an adaptive learning rate method (2012), algorithm 1, where eta is 1.
    """

    learning_rate: float = 1.0
    decay: float = 0.9
    epsilon: float = 1e-6
    name: ClassVar[str] = "adadelta"
    label: ClassVar[str] = "Adadelta"
    rate_for_tables: ClassVar[float] = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        fraction(self.name, "decay", self.decay)
        positive(self.name, "epsilon", self.epsilon)

    @property
    def slots(self) -> tuple[str, ...]:
        """s and u, the mean squares of the gradient and of the step."""
        return ("s", "u")

    def step(
        self, p: Array, g: Array, state: State, t: Moment, eta: float, observe: Observer
    ) -> tuple[Array, State]:
        """The mean square of the gradient, the step, its mean square, then the parameter."""
        xp, (s, u) = namespace(p), state
        s = observe("s", self.decay * s + (1 - self.decay) * g * g)
        step = observe("step", xp.sqrt(u + self.epsilon) / xp.sqrt(s + self.epsilon) * g)
        u = observe("u", self.decay * u + (1 - self.decay) * step * step)
        return observe("new", p - eta * step), (s, u)
