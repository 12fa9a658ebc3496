"""Optimizers: from a parameter and its gradient to the new parameter, one array at a time.

`g` is the gradient, `eta` the learning rate of the step, `t` the step counted from 1. Each class names
its state in `slots`; all state begins at zero.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

from handgrad.errors import SpecificationError
from handgrad.nn.arrays import Array, namespace
from handgrad.nn.network import Network, Parameters
from handgrad.nn.observe import UNOBSERVED, Observer

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
        _positive(self.name, "learning_rate", self.learning_rate)

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


@dataclass(frozen=True)
class SGD(Optimizer):
    """Gradient descent: p := p - eta g. Batch, stochastic or mini-batch is the size of the batch.

    >>> import numpy as np
    >>> p, g = np.array([1.0]), np.array([2.0])
    >>> float(SGD(0.1).step(p, g, (), 1, 0.1, UNOBSERVED)[0][0].round(6))
    0.8

    Source: L. Bottou, Stochastic gradient descent tricks (2012), equation 2.
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
    >>> p, g, zero = np.array([1.0]), np.array([2.0]), np.zeros(1)
    >>> float(Momentum(0.1, momentum=0.9).step(p, g, (zero,), 1, 0.1, UNOBSERVED)[0][0].round(6))
    0.8

    Raises SpecificationError unless 0 <= momentum < 1.

    Source: B. Polyak, Some methods of speeding up the convergence of iteration methods (1964), equation 9; the other
    forms as named above.
    """

    momentum: float = 0.9
    form: str = "velocity"
    name: ClassVar[str] = "momentum"
    label: ClassVar[str] = "momentum"
    rate_for_tables: ClassVar[float] = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        _fraction(self.name, "momentum", self.momentum)
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
    >>> p, g, zero = np.array([1.0]), np.array([2.0]), np.zeros(1)
    >>> float(Nesterov(0.1, momentum=0.9).step(p, g, (zero,), 1, 0.1, UNOBSERVED)[0][0].round(6))
    0.62

    Source: I. Sutskever et al., On the importance of initialization and momentum (ICML 2013), in the form of
    Y. Bengio, N. Boulanger-Lewandowski, R. Pascanu (2013), equation 7, with the rate outside the velocity.
    """

    momentum: float = 0.9
    name: ClassVar[str] = "nesterov"
    label: ClassVar[str] = "Nesterov's momentum"
    rate_for_tables: ClassVar[float] = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        _fraction(self.name, "momentum", self.momentum)

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


@dataclass(frozen=True)
class RMSprop(Optimizer):
    """RMSprop: s := rho s + (1 - rho) g^2, p := p - eta g / (sqrt(s) + epsilon).

    >>> import numpy as np
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
        _fraction(self.name, "decay", self.decay)
        _not_negative(self.name, "epsilon", self.epsilon)

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
class Adam(Optimizer):
    """Adam: running averages of the gradient and its square, both corrected for their start at zero.

        m := beta1 m + (1 - beta1) g,       m_hat = m / (1 - beta1^t)
        v := beta2 v + (1 - beta2) g^2,     v_hat = v / (1 - beta2^t)
        p := p - eta m_hat / (sqrt(v_hat) + epsilon)

    `epsilon_inside` puts epsilon under the root; `amsgrad` uses the largest v so far.

    >>> import numpy as np
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
        _fraction(self.name, "beta1", self.beta1)
        _fraction(self.name, "beta2", self.beta2)
        _not_negative(self.name, "epsilon", self.epsilon)
        _truth(self.name, "epsilon_inside", self.epsilon_inside)
        _truth(self.name, "amsgrad", self.amsgrad)

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
    >>> p, g, zero = np.array([1.0]), np.array([2.0]), np.zeros(1)
    >>> float(AdamW(0.1, weight_decay=0.5).step(p, g, (zero, zero), 1, 0.1, UNOBSERVED)[0][0].round(6))
    0.85

    Source: I. Loshchilov, F. Hutter, Decoupled weight decay regularization (ICLR 2019), algorithm 2.
    """

    weight_decay: float = 0.01
    name: ClassVar[str] = "adamw"
    label: ClassVar[str] = "AdamW"

    def __post_init__(self) -> None:
        super().__post_init__()
        _not_negative(self.name, "weight_decay", self.weight_decay)

    @property
    def rule(self) -> str:
        """Adam's, with a weight decay."""
        return Adam.name

    def decayed(self, p: Array, eta: float) -> Array:
        """p - eta lambda p."""
        return p - eta * self.weight_decay * p


@dataclass(frozen=True)
class Adagrad(Optimizer):
    """Adagrad: s := s + g^2, p := p - eta g / (sqrt(s) + epsilon).

    Raises SpecificationError for an epsilon below 0.

    >>> import numpy as np
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
        _not_negative(self.name, "epsilon", self.epsilon)

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
class Adadelta(Optimizer):
    """Adadelta: steps in the unit of the parameter, from the mean squares of gradients and of steps.

        s := rho s + (1 - rho) g^2,     step = sqrt(u + epsilon) / sqrt(s + epsilon) g
        u := rho u + (1 - rho) step^2,  p := p - eta step

    Raises SpecificationError unless 0 <= decay < 1, or for an epsilon that is not > 0: the first step is made of it.

    >>> import numpy as np
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
        _fraction(self.name, "decay", self.decay)
        _positive(self.name, "epsilon", self.epsilon)

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
        _fraction(self.name, "beta1", self.beta1)
        _fraction(self.name, "beta2", self.beta2)
        _not_negative(self.name, "epsilon", self.epsilon)

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
        _fraction(self.name, "beta1", self.beta1)
        _fraction(self.name, "beta2", self.beta2)
        _not_negative(self.name, "weight_decay", self.weight_decay)

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


OPTIMIZERS: dict[str, type[Optimizer]] = {
    rule.name: rule
    for rule in (SGD, Momentum, Nesterov, RMSprop, Adam, AdamW, Adagrad, Adadelta, NAdam, Lion)
}


OptimizerState: TypeAlias = tuple[tuple[State, State], ...]
"""For each layer the state of W and the state of b, in the order of the optimizer's `slots`."""


def initial_state(optimizer: Optimizer, parameters: Parameters) -> OptimizerState:
    """All state zero, in the shapes of the parameters."""
    count = range(len(optimizer.slots))
    return tuple(
        (
            tuple(namespace(W).zeros_like(W) for _ in count),
            tuple(namespace(b).zeros_like(b) for _ in count),
        )
        for W, b in parameters
    )


def update(
    optimizer: Optimizer,
    network: Network,
    parameters: Parameters,
    gradients: Parameters,
    state: OptimizerState,
    t: Moment,
    eta: float,
    observe: Observer = UNOBSERVED,
) -> tuple[Parameters, OptimizerState]:
    """One step of the optimizer on every parameter that is trained; t counts from 1."""
    new_parameters, new_state = [], []
    for l, layer in network.numbered():
        (W, b), (dW, db), (W_state, b_state) = parameters[l - 1], gradients[l - 1], state[l - 1]
        W, W_state = optimizer.step(W, dW, W_state, t, eta, observe.within(f"W{l}"))
        if layer.bias in ("trained", "shared"):
            b, b_state = optimizer.step(b, db, b_state, t, eta, observe.within(f"b{l}"))
        elif layer.bias == "frozen":
            b = observe(f"b{l}_new", b)
        new_parameters.append(type(parameters[l - 1])(W, b))
        new_state.append((W_state, b_state))
    return tuple(new_parameters), tuple(new_state)


def _positive(optimizer: str, name: str, value: float) -> None:
    if not (value > 0 and math.isfinite(value)):
        raise SpecificationError(f"{optimizer}: {name} must be a finite number > 0, got {value}")


def _not_negative(optimizer: str, name: str, value: float) -> None:
    if not (value >= 0 and math.isfinite(value)):
        raise SpecificationError(f"{optimizer}: {name} must be a finite number >= 0, got {value}")


def _truth(optimizer: str, name: str, value: object) -> None:
    if not isinstance(value, bool):
        raise SpecificationError(f"optimizer {optimizer!r}: {name} must be true or false, got {value!r}")


def _fraction(optimizer: str, name: str, value: float) -> None:
    if not 0 <= value < 1:
        raise SpecificationError(f"{optimizer}: {name} must be >= 0 and < 1, got {value}")
