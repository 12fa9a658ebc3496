"""Adam and its kin: running averages of the gradient, of its square, or of its sign."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from handgrad.nn.arrays import Array, namespace
from handgrad.nn.observe import Observer
from handgrad.nn.update_rules import Moment, Optimizer, State, fraction, not_negative, truth


@dataclass(frozen=True)
class Adam(Optimizer):
    """Adam: running averages of the gradient and its square, both corrected for their start at zero.

        m := beta1 m + (1 - beta1) g,       m_hat = m / (1 - beta1^t)
        v := beta2 v + (1 - beta2) g^2,     v_hat = v / (1 - beta2^t)
        p := p - eta m_hat / (sqrt(v_hat) + epsilon)

    `epsilon_inside` puts epsilon under the root; `amsgrad` uses the largest v so far.

    >>> import numpy as np
    >>> from handgrad.nn.observe import UNOBSERVED
    >>> p, g, zero = np.array([1.0]), np.array([2.0]), np.zeros(1)
    >>> float(Adam(0.1).step(p, g, (zero, zero), 1, 0.1, UNOBSERVED)[0][0].round(6))
    0.9

    Source: D. Kingma, J. Ba, Adam: a method for stochastic optimization (ICLR 2015), algorithm 1;
    S. Reddi, S. Kale, S. Kumar, On the convergence of Adam and beyond (ICLR 2018), algorithm 2.
    """

    learning_rate: float = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    epsilon_inside: bool = False
    amsgrad: bool = False
    name: ClassVar[str] = "adam"
    label: ClassVar[str] = "Adam"

    def __post_init__(self) -> None:
        super().__post_init__()
        fraction(self.name, "beta1", self.beta1)
        fraction(self.name, "beta2", self.beta2)
        not_negative(self.name, "epsilon", self.epsilon)
        truth(self.name, "epsilon_inside", self.epsilon_inside)
        truth(self.name, "amsgrad", self.amsgrad)

    @property
    def slots(self) -> tuple[str, ...]:
        """m and v, and the largest v for `amsgrad`."""
        return ("m", "v", "v_max") if self.amsgrad else ("m", "v")

    def corrections(self, t: Any) -> tuple[Any, ...]:
        """1 - beta1^t and 1 - beta2^t."""
        return 1 - self.beta1**t, 1 - self.beta2**t

    def step(
        self, p: Array, g: Array, state: State, t: Moment, eta: float, observe: Observer
    ) -> tuple[Array, State]:
        """Both averages after the gradient, then the parameter."""
        xp = namespace(p)
        m = observe("m", self.beta1 * state[0] + (1 - self.beta1) * g)
        v = observe("v", self.beta2 * state[1] + (1 - self.beta2) * g * g)
        new_state: State = (m, v)
        largest = v
        if self.amsgrad:
            largest = observe("v_max", xp.maximum(state[2], v))
            new_state = (m, v, largest)
        first, second = self.corrected(t)
        m_hat = observe("m_hat", m / first)
        v_hat = observe("v_hat", largest / second)
        root = xp.sqrt(v_hat + self.epsilon) if self.epsilon_inside else xp.sqrt(v_hat) + self.epsilon
        return observe("new", self.decayed(p, eta) - eta * m_hat / root), new_state

    def decayed(self, p: Array, eta: float) -> Array:
        """The parameter before the step of Adam; AdamW shrinks it first."""
        return p


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam with decoupled weight decay: p := p - eta lambda p - eta m_hat / (sqrt(v_hat) + epsilon).

    Weights and trained biases both decay, as in PyTorch.

    >>> import numpy as np
    >>> from handgrad.nn.observe import UNOBSERVED
    >>> p, g, zero = np.array([1.0]), np.array([2.0]), np.zeros(1)
    >>> float(AdamW(0.1, weight_decay=0.5).step(p, g, (zero, zero), 1, 0.1, UNOBSERVED)[0][0].round(6))
    0.85

    Source: I. Loshchilov, F. Hutter, Decoupled weight decay regularization (ICLR 2019), algorithm 2.
    """

    weight_decay: float = 0.01

    rate_for_tables: ClassVar[float] = 0.002
    name: ClassVar[str] = "adamw"
    label: ClassVar[str] = "AdamW"

    def __post_init__(self) -> None:
        super().__post_init__()
        not_negative(self.name, "weight_decay", self.weight_decay)

    @property
    def rule(self) -> str:
        """Adam's, with a weight decay."""
        return Adam.name

    def decayed(self, p: Array, eta: float) -> Array:
        """p - eta lambda p."""
        return p - eta * self.weight_decay * p


@dataclass(frozen=True)
class NAdam(Optimizer):
    """NAdam: Adam with Nesterov's look ahead, its momentum constant.

        m := beta1 m + (1 - beta1) g,   m_hat = beta1 m / (1 - beta1^(t+1)) + (1 - beta1) g / (1 - beta1^t)
        v := beta2 v + (1 - beta2) g^2, v_hat = v / (1 - beta2^t)
        p := p - eta m_hat / (sqrt(v_hat) + epsilon)

    This is Optax's form. PyTorch's and Keras's lets beta1 grow from a half of itself with a schedule of the paper's;
    PyTorch's is this one with an infinite `momentum_decay`.

    Raises SpecificationError unless 0 <= beta1, beta2 < 1, or for an epsilon below 0.

    Source: T. Dozat, Incorporating Nesterov momentum into Adam (ICLR workshop 2016), algorithm 2 with one mu.
    """

    learning_rate: float = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    name: ClassVar[str] = "nadam"
    label: ClassVar[str] = "NAdam"

    def __post_init__(self) -> None:
        super().__post_init__()
        fraction(self.name, "beta1", self.beta1)
        fraction(self.name, "beta2", self.beta2)
        not_negative(self.name, "epsilon", self.epsilon)

    @property
    def slots(self) -> tuple[str, ...]:
        """m and v."""
        return ("m", "v")

    def corrections(self, t: int) -> tuple[float, ...]:
        """1 - beta1^(t+1), 1 - beta1^t and 1 - beta2^t."""
        return 1 - self.beta1 ** (t + 1), 1 - self.beta1**t, 1 - self.beta2**t

    def step(
        self, p: Array, g: Array, state: State, t: Moment, eta: float, observe: Observer
    ) -> tuple[Array, State]:
        """Both averages after the gradient, then the parameter."""
        m = observe("m", self.beta1 * state[0] + (1 - self.beta1) * g)
        v = observe("v", self.beta2 * state[1] + (1 - self.beta2) * g * g)
        ahead, first, second = self.corrected(t)
        m_hat = observe("m_hat", self.beta1 * m / ahead + (1 - self.beta1) * g / first)
        v_hat = observe("v_hat", v / second)
        return observe("new", p - eta * m_hat / (namespace(p).sqrt(v_hat) + self.epsilon)), (m, v)


@dataclass(frozen=True)
class Lion(Optimizer):
    """Lion: a step of one length for every parameter, in the direction of the sign of an average.

        c = beta1 m + (1 - beta1) g,    m := beta2 m + (1 - beta2) g,    p := p - eta (sign(c) + lambda p)

    Its rate is some 3 to 10 times smaller than Adam's, for every parameter moves by the whole of it.

    Raises SpecificationError unless 0 <= beta1, beta2 < 1, or for a weight decay below 0.

    >>> import numpy as np
    >>> from handgrad.nn.observe import UNOBSERVED
    >>> p, (m,) = Lion(0.25).step(np.ones(2), np.array([3.0, -0.1]), (np.zeros(2),), 1, 0.25, UNOBSERVED)
    >>> p.tolist()
    [0.75, 1.25]

    Source: X. Chen et al., Symbolic discovery of optimization algorithms (NeurIPS 2023), algorithm 2.
    """

    learning_rate: float = 0.0001
    beta1: float = 0.9
    beta2: float = 0.99
    weight_decay: float = 0.0
    name: ClassVar[str] = "lion"
    label: ClassVar[str] = "Lion"
    rate_for_tables: ClassVar[float] = 0.0003

    def __post_init__(self) -> None:
        super().__post_init__()
        fraction(self.name, "beta1", self.beta1)
        fraction(self.name, "beta2", self.beta2)
        not_negative(self.name, "weight_decay", self.weight_decay)

    @property
    def slots(self) -> tuple[str, ...]:
        """m, the running average of the gradient."""
        return ("m",)

    def step(
        self, p: Array, g: Array, state: State, t: Moment, eta: float, observe: Observer
    ) -> tuple[Array, State]:
        """The direction and the average after the gradient, then the parameter."""
        (m,) = state
        c = observe("c", self.beta1 * m + (1 - self.beta1) * g)
        m = observe("m", self.beta2 * m + (1 - self.beta2) * g)
        return observe("new", p - eta * (namespace(p).sign(c) + self.weight_decay * p)), (m,)
