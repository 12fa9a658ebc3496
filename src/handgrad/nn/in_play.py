"""The part of a network that some samples see: of the categories that are gathered those that occur.

The others add nothing to any sum and have no gradient, so that the smaller network, in which categories are inputs of
0 and 1, computes the same: this is how a step with ten thousand categories is written down.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from handgrad.errors import SpecificationError
from handgrad.nn.arrays import Array
from handgrad.nn.network import Dense, LayerParameters, Network, Parameters
from handgrad.nn.step import Training

MOST_INPUTS = 2000
"""Of a network that is written down whole."""


class InPlay(NamedTuple):
    """A network whose inputs are some of those of another."""

    network: Network
    columns: Array
    """Which, in order: columns of the other's W[1]."""
    gathered: tuple[int, ...]
    """Of the other."""

    def inputs(self, X: Array) -> Array:
        """X as the smaller network takes it, (m, inputs)."""
        if not self.gathered:
            return X
        numbers = X.shape[1] - len(self.gathered)
        parts, first = [X[:, :numbers]], numbers
        for j, count in enumerate(self.gathered):
            own = self.columns[(self.columns >= first) & (self.columns < first + count)] - first
            parts.append((X[:, numbers + j, None] == own).astype(X.dtype))
            first += count
        return np.concatenate(parts, axis=1)

    def parameters(self, parameters: Parameters) -> Parameters:
        """Its parameters, of those of the other."""
        first, *rest = parameters
        return (LayerParameters(first.W[:, self.columns], first.b), *rest)

    def training(self, training: Training) -> Training:
        """Where its training stands, of that of the other."""
        state = training.state
        if state:
            (of_W, of_b), *rest = state
            state = ((tuple(slot[:, self.columns] for slot in of_W), of_b), *rest)
        return Training(self.parameters(training.parameters), state)

    def among(self, first: int, stop: int) -> slice:
        """Where those of its inputs are that the other has from `first` to before `stop`."""
        here = np.searchsorted(self.columns, (first, stop))
        return slice(int(here[0]), int(here[1]))


def in_play(network: Network, X: Array) -> InPlay:
    """What the samples X (m, columns) see of a network; all of it where it gathers nothing.

    >>> network = Network(4, [Dense(1, W=[[1.0, 10.0, 20.0, 30.0]])], gathered=(3,))
    >>> part = in_play(network, np.array([[0.5, 2.0], [0.5, -1.0]]))
    >>> part.network.layers[0].W.tolist(), part.inputs(np.array([[0.5, 2.0]])).tolist()
    ([[1.0, 30.0]], [[0.5, 1.0]])
    """
    columns = np.arange(network.inputs)
    if not network.gathered:
        return everything(network)
    numbers = network.columns - len(network.gathered)
    kept, first = [columns[:numbers]], numbers
    for j, count in enumerate(network.gathered):
        there = np.unique(X[:, numbers + j])
        kept.append(first + there[there >= 0].astype(np.int64))
        first += count
    columns = np.concatenate(kept)
    # a row without any known category: one of them, at 0, stands for all
    return _part(network, columns if columns.size else np.arange(1))


def everything(network: Network) -> InPlay:
    """The network as it is, as the part of itself that all samples see."""
    return InPlay(network, np.arange(network.inputs), ())


def whole(network: Network) -> InPlay:
    """The network with all its categories as inputs of 0 and 1.

    Raises SpecificationError for more than `MOST_INPUTS`.
    """
    if network.inputs > MOST_INPUTS:
        raise SpecificationError(
            f"the penalty counts every weight of W1, and {network.inputs:,} inputs are too many to be written down; "
            "train without l2 and l1 (adamw decays the weights without a penalty), or with --encode COLUMN=effect"
        )
    return _part(network, np.arange(network.inputs))


def _part(network: Network, columns: Array) -> InPlay:
    head = network.layers[0]
    layer = Dense(
        head.units,
        head.activation,
        W=None if head.W is None else head.W[:, columns],
        b=head.b,
        initializer=head.initializer,
        bias=head.bias,
        dropout=head.dropout,
    )
    smaller = Network(len(columns), [layer, *network.layers[1:]], network.loss)
    return InPlay(smaller, columns, network.gathered)
