"""Gradient descent: plain, and with a velocity that remembers earlier gradients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from handgrad.errors import SpecificationError
from handgrad.nn.arrays import Array
from handgrad.nn.observe import Observer
from handgrad.nn.update_rules import Moment, Optimizer, State, fraction


@dataclass(frozen=True)
class SGD(Optimizer):
    """Gradient descent: p := p - eta g. Batch, stochastic or mini-batch is the size of the batch.

    >>> import numpy as np
    >>> from handgrad.nn.observe import UNOBSERVED
    >>> p, g = np.array([1.0]), np.array([2.0])
    >>> float(SGD(0.1).step(p, g, (), 1, 0.1, UNOBSERVED)[0][0].round(6))
    0.8

    Source: L. Bottou, Stochastic gradient descent tricks (2012).
    """

    name: ClassVar[str] = "sgd"
    label: ClassVar[str] = "gradient descent"
    rate_for_tables: ClassVar[float] = 0.05
    downhill: ClassVar[bool] = True

    def step(
        self, p: Array, g: Array, state: State, t: Moment, eta: float, observe: Observer
    ) -> tuple[Array, State]:
        """p - eta g."""
        return observe("new", p - eta * g), ()


@dataclass(frozen=True)
class Momentum(Optimizer):
    """Momentum, in its published forms.

        velocity    v := mu v + g,              p := p - eta v     (PyTorch)
        heavy_ball  v := mu v - eta g,          p := p + v         (Rumelhart et al. 1986; Polyak 1964)
        average     v := mu v + (1 - mu) g,     p := p - eta v     (Ng's courses)

    >>> import numpy as np
    >>> from handgrad.nn.observe import UNOBSERVED
    >>> p, g, zero = np.array([1.0]), np.array([2.0]), np.zeros(1)
    >>> float(Momentum(0.1, momentum=0.9).step(p, g, (zero,), 1, 0.1, UNOBSERVED)[0][0].round(6))
    0.8

    Raises SpecificationError unless 0 <= momentum < 1.

    Source: B. Polyak, Some methods of speeding up the convergence of iteration methods (1964), the
    method of the heavy ball; the other forms as named above.
    """

    momentum: float = 0.9
    form: str = "velocity"
    name: ClassVar[str] = "momentum"
    label: ClassVar[str] = "momentum"
    rate_for_tables: ClassVar[float] = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        fraction(self.name, "momentum", self.momentum)
        if self.form not in ("velocity", "heavy_ball", "average"):
            raise SpecificationError(
                f"momentum: form must be 'velocity', 'heavy_ball' or 'average', got {self.form!r}"
            )

    @property
    def rule(self) -> str:
        """The form."""
        return self.form

    @property
    def slots(self) -> tuple[str, ...]:
        """v, the velocity."""
        return ("velocity",)

    def step(
        self, p: Array, g: Array, state: State, t: Moment, eta: float, observe: Observer
    ) -> tuple[Array, State]:
        """The velocity after the gradient, then the parameter after the velocity."""
        (v,) = state
        if self.form == "heavy_ball":
            v = observe("velocity", self.momentum * v - eta * g)
            return observe("new", p + v), (v,)
        weight = 1 - self.momentum if self.form == "average" else 1.0
        v = observe("velocity", self.momentum * v + weight * g)
        return observe("new", p - eta * v), (v,)


@dataclass(frozen=True)
class Nesterov(Optimizer):
    """Nesterov's momentum: v := mu v + g, p := p - eta (g + mu v).

    >>> import numpy as np
    >>> from handgrad.nn.observe import UNOBSERVED
    >>> p, g, zero = np.array([1.0]), np.array([2.0]), np.zeros(1)
    >>> float(Nesterov(0.1, momentum=0.9).step(p, g, (zero,), 1, 0.1, UNOBSERVED)[0][0].round(6))
    0.62

    Source: I. Sutskever et al., On the importance of initialization and momentum (ICML 2013), in the form of
    Y. Bengio, N. Boulanger-Lewandowski, R. Pascanu, Advances in optimizing recurrent networks (2013), section 3.5,
    with the rate outside the velocity.
    """

    momentum: float = 0.9
    name: ClassVar[str] = "nesterov"
    label: ClassVar[str] = "Nesterov's momentum"
    rate_for_tables: ClassVar[float] = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        fraction(self.name, "momentum", self.momentum)

    @property
    def slots(self) -> tuple[str, ...]:
        """v, the velocity."""
        return ("velocity",)

    def step(
        self, p: Array, g: Array, state: State, t: Moment, eta: float, observe: Observer
    ) -> tuple[Array, State]:
        """The velocity after the gradient, then the parameter, one velocity ahead."""
        (v,) = state
        v = observe("velocity", self.momentum * v + g)
        return observe("new", p - eta * (g + self.momentum * v)), (v,)
