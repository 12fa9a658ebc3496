"""What is called after each epoch, and what it may look at."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from inspect import signature
from typing import TypeAlias

import numpy as np

from handgrad.engines.protocol import Session
from handgrad.errors import SpecificationError
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


def check_callback(callback: object) -> None:
    """Raises SpecificationError for what cannot be called with an epoch and the training as it stands.

    >>> check_callback(lambda epoch, now: epoch.loss < 0.1)
    """
    if not callable(callback):
        raise SpecificationError(f"a callback is called as callback(epoch, now), got {callback!r}")
    try:
        signature(callback).bind(None, None)
    except ValueError:  # a builtin that does not say how it is called
        return
    except TypeError as error:
        raise SpecificationError(
            f"a callback is called as callback(epoch, now) with the line of the history and the training as it "
            f"stands; {callback!r} does not take them: {error}"
        ) from error


Callback: TypeAlias = Callable[[Epoch, Underway], bool | None]
"""Called after each epoch with its line of the history and the training as it stands; True ends the training."""
