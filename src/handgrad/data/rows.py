"""The encoded rows of a table on disk: taken like an array, some at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from handgrad.data.batches import Rows, Split
from handgrad.data.scratch import Scratch

_TOGETHER = 1 << 16


@dataclass(frozen=True, eq=False)
class StoredRows:
    """X | Y | weights of every row, those of the training first: `split` says which row of the table lies where."""

    scratch: Scratch
    inputs: int
    outputs: int
    split: Split
    weighted: bool = False
    memory: int = 1 << 30
    """Bytes that the windows of a training may take."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the numbers."""
        kind: np.dtype[Any] = self.scratch.dtype
        return kind

    @property
    def training(self) -> int:
        """How many rows train; they lie at the places 0, 1, ..."""
        return len(self.split.training)

    def of(self, rows: Any) -> Taken:
        """Rows of the table, by their numbers there."""
        rows = np.asarray(rows, np.int64)
        for first, own in ((0, self.split.training), (self.training, self.split.validation)):
            if rows is own:
                return Taken(self, np.arange(first, first + len(rows)))
        places = np.searchsorted(self.split.training, rows)
        places = np.minimum(places, max(0, self.training - 1))
        held = self.split.training[places] != rows
        places[held] = self.training + np.searchsorted(self.split.validation, rows[held])
        return Taken(self, places)


@dataclass(frozen=True, eq=False)
class Taken:
    """Some of the rows, by their places on disk."""

    stored: StoredRows
    places: Rows

    def __len__(self) -> int:
        return len(self.places)

    def parts(self) -> Iterator[Taken]:
        """Some thousand of the rows at a time."""
        for start in range(0, len(self), _TOGETHER):
            yield Taken(self.stored, self.places[start : start + _TOGETHER])

    def arrays(self) -> tuple[npt.NDArray[Any], npt.NDArray[Any], Any]:
        """X (rows, inputs), Y (rows, outputs) and the weights (rows,) or None."""
        whole = self._read()
        X = whole[:, : self.stored.inputs]
        Y = whole[:, self.stored.inputs : self.stored.inputs + self.stored.outputs]
        return X, Y, whole[:, -1] if self.stored.weighted else None

    def _read(self) -> npt.NDArray[Any]:
        scratch, places = self.stored.scratch, self.places
        if not len(places):
            return np.empty((0, scratch.width), scratch.dtype)
        if places[-1] - places[0] == len(places) - 1 and (np.diff(places) == 1).all():
            return scratch.read(int(places[0]), len(places))
        return np.concatenate([scratch.read(int(place), 1) for place in places])


class Places:
    """0, 1, 2, ... as an array that is never made: what stands at a place is the place itself.

    >>> len(Places(5)), Places(5)[np.array([3, 1])].tolist()
    (5, [3, 1])
    """

    def __init__(self, count: int) -> None:
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, places: Any) -> Any:
        return places


class Picked:
    """Some rows of an array that is not there as a whole, by their numbers in it.

    >>> Picked(np.array([[1.0], [2.0]]), np.array([4, 7]))[np.array([7, 4])].tolist()
    [[2.0], [1.0]]
    """

    def __init__(self, values: npt.NDArray[Any], rows: Rows) -> None:
        self.values, self._rows = values, rows

    def places(self, rows: Rows) -> Rows:
        """Where rows stand in `values`; they are some of those that are there."""
        return np.searchsorted(self._rows, rows)

    def __getitem__(self, rows: Any) -> npt.NDArray[Any]:
        found: npt.NDArray[Any] = self.values[self.places(np.asarray(rows))]
        return found
