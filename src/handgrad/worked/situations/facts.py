"""What a situation is decided by: the numbers of a step, as arrays of one sample a row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from handgrad.nn.arrays import Array
from handgrad.nn.network import Dense
from handgrad.worked.paper import Paper
from handgrad.worked.record import Argument

Arguments = dict[str, Argument] | None
"""What fills the places of a sentence; None where the situation is another."""


@dataclass(frozen=True)
class Situation:
    """A row of the bank: the key of its sentence, and when it is so."""

    key: str
    holds: Callable[[Facts], Arguments]


class Slopes(NamedTuple):
    """A hidden layer with the slope of its activation (samples, units)."""

    number: int
    layer: Dense
    slopes: Array


class Facts:
    """A step that was worked out, and the loss that it led to."""

    def __init__(self, paper: Paper, before: float | None, after: float | None) -> None:
        self.paper, self.before, self.after = paper, before, after
        self.network, self.samples, self.trace = paper.network, paper.samples, paper.trace
        self.optimizer = "" if paper.recipe is None else paper.recipe.optimizer.name
        self.downhill = paper.recipe is not None and paper.recipe.optimizer.downhill

    def has(self, *names: str) -> bool:
        """True where the step has all these quantities."""
        return all(map(self.paper.has, names))

    def get(self, name: str) -> Array:
        """A quantity in float64."""
        return np.asarray(self.paper.quantities[name], np.float64)

    @property
    def last(self) -> int:
        return self.network.depth

    @cached_property
    def hidden(self) -> list[Slopes]:
        """The hidden layers whose slopes are there and finite."""
        return [
            Slopes(l, layer, self.get(f"derivative{l}"))
            for l, layer in self.network.numbered()
            if l < self.last
            and layer.function.elementwise
            and self.has(f"derivative{l}")
            and np.isfinite(self.get(f"derivative{l}")).all()
        ]

    @cached_property
    def gradients(self) -> list[tuple[int, Array]]:
        """The gradient of the weights of each layer that has one."""
        return [(l, self.get(f"dW{l}")) for l, _ in self.network.numbered() if self.has(f"dW{l}")]

    @cached_property
    def gradient(self) -> Array:
        """All of them as one vector."""
        return _joined([array for _, array in self.gradients])

    @cached_property
    def weights(self) -> Array:
        """All weights before the step as one vector."""
        return _joined([layer.W for layer in self.trace.before.parameters])

    @cached_property
    def change(self) -> Array:
        """How far each weight moved."""
        return _joined([layer.W for layer in self.trace.after.parameters]) - self.weights

    def state(self, slot: str) -> Array:
        """A state of the optimizer before the step, of all weights."""
        assert self.paper.recipe is not None
        place = self.paper.recipe.optimizer.slots.index(slot)
        return _joined([states[0][place] for states in self.trace.before.state])

    @property
    def moved(self) -> bool:
        """True for a step that was taken with a whole gradient."""
        return self.trace.updated and self.gradient.size == self.weights.size > 0

    @cached_property
    def one_hot(self) -> bool:
        """True where each sample has one true class among several outputs."""
        loss = self.network.loss
        if loss is None or not loss.targets.classes or not self.has("y", "yhat"):
            return False
        y = self.get("y")
        return bool(y.shape[1] > 1 and np.isin(y, (0, 1)).all() and (y.sum(axis=1) == 1).all())

    @cached_property
    def labels(self) -> bool:
        """True where one output is the probability of the second of two classes."""
        loss = self.network.loss
        if loss is None or not self.has("y", "yhat") or loss.name != "binary_cross_entropy":
            return False
        y = self.get("y")
        return bool(y.shape[1] == 1 and np.isin(y, (0, 1)).all())

    def true_probabilities(self) -> Array | None:
        """The probability that the network gave to what is true, for each sample; None where it gives none."""
        if self.one_hot:
            return np.asarray((self.get("yhat") * self.get("y")).sum(axis=1))
        if self.labels:
            y, yhat = self.get("y")[:, 0], self.get("yhat")[:, 0]
            return np.where(y == 1, yhat, 1 - yhat)
        return None

    def classes(self) -> tuple[Array, Array] | None:
        """The predicted and the true class of each sample."""
        if self.one_hot:
            return self.get("yhat").argmax(axis=1), self.get("y").argmax(axis=1)
        if self.labels:
            return (self.get("yhat")[:, 0] > 0.5).astype(int), self.get("y")[:, 0].astype(int)
        return None


def _joined(arrays: list[Array]) -> Array:
    return (
        np.concatenate([np.ravel(np.asarray(array, np.float64)) for array in arrays])
        if arrays
        else np.zeros(0)
    )


def roughly(number: float) -> float:
    """To two significant digits, where only the size matters.

    >>> roughly(133769.2105), roughly(0.01234)
    (130000.0, 0.012)
    """
    return float(f"{number:.2g}")


def percent(part: float) -> int:
    """A part as whole percent."""
    return round(100 * part)
