"""What a loss takes as y: numbers, labels, classes, signs or counts, and what is right about a prediction of each."""

from __future__ import annotations

import math
from dataclasses import dataclass

from handgrad.nn.arrays import Array, namespace


@dataclass(frozen=True)
class Targets:
    """A kind of targets: the values that they may have, and where two classes part.

    `only`: there are but these two. `boundary`: an output above it says the upper of two values; None where targets
    are numbers. `classes`: of the outputs of a sample one is the true class, so that an index may stand for the row.
    `beyond`: published examples put other numbers in the formula too, so that a hand calculation takes them.

    >>> LABELS.metric, COUNTS.metric
    ('accuracy', 'R2')
    """

    described: str
    lowest: float = -math.inf
    highest: float = math.inf
    only: tuple[float, float] | None = None
    boundary: float | None = None
    classes: bool = False
    beyond: bool = False
    remedy: str = ""

    @property
    def metric(self) -> str:
        """What is said of a prediction besides the loss: 'accuracy' of classes, 'R2' of numbers."""
        return "R2" if self.boundary is None else "accuracy"

    def allowed(self, y: Array) -> Array:
        """True for each entry of y that may be a target, shape as y.

        >>> import numpy as np
        >>> SIGNS.allowed(np.array([-1.0, 0.0, 1.0])).tolist()
        [True, False, True]
        """
        allowed: Array = (y >= self.lowest) & (y <= self.highest)
        if self.only:
            allowed = (y == self.only[0]) | (y == self.only[1])
        return allowed

    def groups(self, y: Array) -> Array:
        """The class of each sample, from y of shape (samples, outputs); several labels count by their largest."""
        groups: Array = namespace(y).argmax(y, axis=1) if y.shape[1] > 1 else y[:, 0] > self.boundary
        return groups

    def right(self, yhat: Array, y: Array) -> Array:
        """Where the prediction is the target's class: one answer a sample, or one an output."""
        if self.classes:
            xp = namespace(yhat)
            right: Array = xp.argmax(yhat, axis=1) == xp.argmax(y, axis=1)
        else:
            right = (yhat > self.boundary) == (y > self.boundary)
        return right


NUMBERS = Targets("numbers")
LABELS = Targets("probabilities from 0 to 1", lowest=0.0, highest=1.0, boundary=0.5, beyond=True)
CLASSES = Targets(
    "a probability for each class, none below 0", lowest=0.0, boundary=0.5, classes=True, beyond=True
)
SIGNS = Targets(
    "the signs -1 and +1",
    only=(-1.0, 1.0),
    boundary=0.0,
    remedy="write the class 0 as -1 and the class 1 as +1",
)
COUNTS = Targets("counts, none below 0", lowest=0.0)
