"""What is called after each epoch, and what it may look at."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TypeAlias

import numpy as np

from handgrad.engines.protocol import Session
from handgrad.nn.arrays import Array
from handgrad.nn.network import LayerParameters, Parameters
from handgrad.training.history import Epoch


class Underway:
    """A training as it stands after an epoch; whatever is taken from it is a copy, to keep or to change.

    >>> from handgrad.nn.network import Dense, Network
    >>> from handgrad.training.fit import fit
    >>> kept = []
    >>> network = Network(1, [Dense(1, W=[[0.0]], bias="none")], "squared_error")
    >>> result = fit(
    ...     network, [[1.0]], [1.0], epochs=3, callbacks=[lambda epoch, now: kept.append(now.parameters)]
    ... )
    >>> [float(parameters[0].W[0, 0].round(4)) for parameters in kept]
    [0.001, 0.002, 0.003]
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    @cached_property
    def parameters(self) -> Parameters:
        """W and b of each layer, copied when they are first asked for."""
        standing = self._session.training().parameters
        return tuple(LayerParameters(W.copy(), b.copy()) for W, b in standing)

    def predict(self, X: Array) -> Array:
        """The outputs (samples, outputs) for X (samples, inputs), without dropout."""
        return np.array(self._session.predict(np.asarray(X)))


Callback: TypeAlias = Callable[[Epoch, Underway], bool | None]
"""Called after each epoch with its line of the history and the training as it stands; True ends the training."""
