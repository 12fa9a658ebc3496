"""JAX: the whole block is one compiled call, `lax.scan` over its batches, parameters and state donated.

One thread is asked for by giving the process one processor, since XLA sizes its pool by the processors it
sees.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from benchmarks.peers import Array, Problem, Workload

ACTIVATIONS = {"relu": jax.nn.relu, "tanh": jnp.tanh, "sigmoid": jax.nn.sigmoid}
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


def batch_loss(parameters: Any, X: Any, Y: Any, workload: Workload) -> Any:
    """Mean loss of a batch, from the logits."""
    for W, b in parameters[:-1]:
        X = ACTIVATIONS[workload.hidden](X @ W.T + b)
    W, b = parameters[-1]
    Z = X @ W.T + b
    if workload.output == "sigmoid":
        return jnp.mean(jnp.logaddexp(0.0, Z) - Y * Z)
    return -jnp.mean(jnp.sum(Y * jax.nn.log_softmax(Z), axis=1))


@partial(jax.jit, static_argnames="workload", donate_argnums=(0, 1))
def block(parameters: Any, state: Any, data: Any, order: Any, workload: Workload) -> Any:
    """All steps of a block: the parameters after them."""

    def step(carry: Any, rows: Any) -> Any:
        parameters, (m, v, t) = carry
        X, Y = data
        batch = (X, Y) if workload.full_batch else (X[rows], Y[rows])
        gradients = jax.grad(batch_loss)(parameters, *batch, workload)
        eta = workload.learning_rate
        if workload.optimizer == "sgd":
            return (jax.tree.map(lambda p, g: p - eta * g, parameters, gradients), (m, v, t)), None
        t = t + 1
        m = jax.tree.map(lambda m, g: BETA1 * m + (1 - BETA1) * g, m, gradients)
        v = jax.tree.map(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, v, gradients)
        first, second = 1 - BETA1**t, 1 - BETA2**t
        parameters = jax.tree.map(
            lambda p, m, v: p - eta * (m / first) / (jnp.sqrt(v / second) + EPSILON), parameters, m, v
        )
        return (parameters, (m, v, t)), None

    (parameters, state), _ = lax.scan(step, (parameters, state), order)
    return parameters, state


class Scan:
    """See `benchmarks.peers.Peer`."""

    def __init__(self, problem: Problem, threads: int) -> None:
        self._problem = problem
        self._X, self._Y = jnp.asarray(problem.X), jnp.asarray(problem.Y)
        self._order = jnp.asarray(problem.order.astype(np.int32))
        self._prefixes = {len(problem.order): self._order}
        self.reset()

    def reset(self) -> None:
        self._parameters = jax.tree.map(lambda p: jnp.array(p, copy=True), self._problem.parameters)
        zeros = partial(jax.tree.map, jnp.zeros_like)
        adam = self._problem.workload.optimizer == "adam"
        moments = (zeros(self._parameters), zeros(self._parameters)) if adam else ((), ())
        self._state = (*moments, jnp.float32(0))
        jax.block_until_ready((self._parameters, self._state))

    def run(self, steps: int) -> None:
        if steps not in self._prefixes:
            self._prefixes[steps] = self._order[:steps]
        order = self._prefixes[steps]
        self._parameters, self._state = block(
            self._parameters, self._state, (self._X, self._Y), order, self._problem.workload
        )
        jax.block_until_ready(self._parameters)

    def parameters(self) -> list[tuple[Array, Array]]:
        return [(np.array(W), np.array(b)) for W, b in self._parameters]


def start(problem: Problem, threads: int) -> Scan:
    """A training in JAX; the harness has already pinned the process where `threads` is 1."""
    return Scan(problem, threads)
