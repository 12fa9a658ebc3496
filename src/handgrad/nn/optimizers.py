"""The optimizers by name, and one step of any of them on every parameter that is trained.

`g` is the gradient, `eta` the learning rate of the step, `t` the step counted from 1. Each class names
its state in `slots`; all state begins at zero.
"""

from __future__ import annotations

from typing import TypeAlias

from handgrad.nn.adam import Adam, AdamW, Lion, NAdam
from handgrad.nn.adaptive import Adadelta, Adagrad, RMSprop
from handgrad.nn.arrays import namespace
from handgrad.nn.descent import SGD, Momentum, Nesterov
from handgrad.nn.network import Network, Parameters
from handgrad.nn.observe import UNOBSERVED, Observer
from handgrad.nn.update_rules import Moment, Optimizer, State

__all__ = [
    "OPTIMIZERS", "SGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Lion", "Moment", "Momentum", "NAdam", "Nesterov",
    "Optimizer", "OptimizerState", "RMSprop", "State", "initial_state", "update",
]  # fmt: skip

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
