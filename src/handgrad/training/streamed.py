"""Training on rows that lie on disk: a window of blocks is in memory, and while it trains the next one is read.

The buffer has two halves. An engine's session lies on both; a step names rows of the half that holds its window.
Which blocks a window has follows from seed and epoch (`data.batches.Windows`), so that any step can be taken
again without the epochs before it.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

from handgrad.data.batches import Windows
from handgrad.data.rows import StoredRows, Taken
from handgrad.engines.forecaster import Forecaster
from handgrad.engines.protocol import Engine, Forecast, Run, ScoringSession, Stop
from handgrad.engines.reference import forecast
from handgrad.errors import SpecificationError
from handgrad.nn.arrays import Array
from handgrad.nn.network import Network
from handgrad.nn.step import Recipe, Training
from handgrad.training.plan import Plan

_BLOCKS = 16
"""Blocks of a window: as many places of the table are mixed in it."""


class Block(NamedTuple):
    """How the rows are cut: rows of a block, and blocks of a window."""

    rows: int
    blocks: int


def blocks_for(stored: StoredRows, batch: int | None, memory: int) -> Block:
    """Blocks of whole batches, of which two windows take at most `memory` bytes.

    Raises SpecificationError where not even two windows of one batch each do, or a batch is all rows.
    """
    if batch is None:
        raise SpecificationError(
            "a batch of all rows needs all of them in memory; choose a size for the batches"
        )
    row = stored.scratch.width * stored.scratch.dtype.itemsize
    most = memory // (2 * row) - batch
    if most < batch:
        raise SpecificationError(
            f"two windows of a batch of {batch:,} rows take {4 * batch * row:,} bytes, more than there are "
            f"({memory:,}); allow more memory, or choose smaller batches"
        )
    blocks = min(_BLOCKS, most // batch)
    # so that the rows of a last block, which is not whole, have their place too
    return Block(max(1, most // (blocks + 1) // batch) * batch, blocks)


class StoredX:
    """The inputs of stored rows, taken like those of an array."""

    def __init__(self, stored: StoredRows) -> None:
        self.stored = stored

    def __len__(self) -> int:
        return len(self.stored.split.training) + len(self.stored.split.validation)

    def __getitem__(self, rows: Any) -> Array:
        return self.stored.of(rows).arrays()[0]


class StoredY(StoredX):
    """Their targets."""

    def __getitem__(self, rows: Any) -> Array:
        taken = self.stored.of(rows)
        parts = [part.arrays()[1].copy() for part in taken.parts()]
        return (
            np.concatenate(parts) if parts else np.empty((0, self.stored.outputs), self.stored.scratch.dtype)
        )


class StoredWeights(StoredX):
    """Their weights."""

    def __getitem__(self, rows: Any) -> Array:
        weights: Array = self.stored.of(rows).arrays()[2]
        return weights


class _Half:
    """One half of the buffer: which window it holds, and at which of its rows each block begins."""

    def __init__(self, first: int) -> None:
        self.first, self.holds = first, (-1, -1)
        self.starts: dict[int, int] = {}


class StreamedSession:
    """A training under way on stored rows; orders name their places on disk. See `engines.protocol.Session`."""

    def __init__(
        self,
        engine: Engine,
        network: Network,
        recipe: Recipe,
        training: Training,
        stored: StoredRows,
        plan: Plan,
    ) -> None:
        self._stored, self._plan, self._network, self._engine = stored, plan, network, engine.name
        self._windows: Windows = plan.windows(stored.training)
        room = min(self._windows.largest, stored.training)
        dtype = stored.scratch.dtype
        self._X = np.zeros((2 * room, stored.inputs), dtype)
        self._Y = np.zeros((2 * room, stored.outputs), dtype)
        self._weights = np.ones(2 * room, dtype) if stored.weighted else None
        self._halves = [_Half(0), _Half(room)]
        self._block = np.empty((min(plan.block, room), stored.scratch.width), dtype)
        self._place = np.zeros(stored.training // plan.block + 1, np.int64)
        self._reader = ThreadPoolExecutor(1, "handgrad-window")
        self._coming: tuple[tuple[int, int], Future[_Half]] | None = None
        self._now: _Half | None = None
        self._session: ScoringSession = engine.start(
            network, recipe, training, self._X, self._Y, plan.seed, plan.threads, self._weights
        )

    def run(
        self, order: Array, batch_size: int, rates: Array, first_step: int, stop: Stop | None = None
    ) -> Run:
        """Steps of one window; see `Session.run`."""
        windows, per_epoch = self._windows, self._plan.steps_per_epoch(self._stored.training)
        epoch, k = divmod(first_step - 1, per_epoch)
        window = min(k * batch_size // windows.size, windows.total - 1)
        half = self._at((epoch, window))
        block = order // windows.block
        local = self._place[block] + (order - block * windows.block)
        return self._session.run(half.first + local, batch_size, rates, first_step, stop)

    def _at(self, wanted: tuple[int, int]) -> _Half:
        """The half that holds a window; the one after it begins to be read."""
        if self._now is None or self._now.holds != wanted:
            if self._coming is not None and self._coming[0] == wanted:
                half = self._coming[1].result()
            else:
                if self._coming is not None:
                    self._coming[1].result()  # nobody wants it now, but the reader has to be done
                half = self._read(wanted, self._halves[0] if self._now is None else self._other())
            self._now = half
            for number, start in half.starts.items():
                self._place[number] = start
            after = self._after(wanted)
            # of a table that is one window, that window serves all epochs
            self._coming = after, self._reader.submit(self._read, after, self._other())
        return self._now

    def _other(self) -> _Half:
        assert self._now is not None
        return self._halves[1] if self._now is self._halves[0] else self._halves[0]

    def _after(self, window: tuple[int, int]) -> tuple[int, int]:
        epoch, number = window
        return (epoch, number + 1) if number + 1 < self._windows.total else (epoch + 1, 0)

    def _read(self, window: tuple[int, int], half: _Half) -> _Half:
        """Puts the blocks of a window into a half of the buffer."""
        stored, size = self._stored, self._windows.block
        half.starts, place = {}, 0
        for number in self._windows.blocks_of(self._plan.seed, *window, self._plan.shuffle).tolist():
            count = min(size, stored.training - number * size)
            rows = stored.scratch.read(number * size, count, self._block)
            to = slice(half.first + place, half.first + place + count)
            self._X[to] = rows[:, : stored.inputs]
            self._Y[to] = rows[:, stored.inputs : stored.inputs + stored.outputs]
            if self._weights is not None:
                self._weights[to] = rows[:, -1]
            half.starts[number] = place
            place += count
        half.holds = window
        return half

    def score(self, rows: Array) -> Forecast:
        """Outputs and loss for rows of the table, some thousand at a time."""
        parameters = self._session.training().parameters
        return scored(self._network, parameters, self._engine, self._stored.of(rows))

    def training(self) -> Training:
        """A copy of the parameters and the optimizer's state as they stand."""
        return self._session.training()

    def predict(self, X: Array) -> Array:
        """Outputs for X (m, n_0) with the parameters as they stand, without dropout, shape (m, n_L)."""
        return self._session.predict(X)


def scored(network: Network, parameters: Any, engine: str, taken: Taken, weighted: bool = True) -> Forecast:
    """Outputs and loss for stored rows, some thousand of them in memory at a time; with their weights or without."""
    outputs, total = [np.empty((0, network.outputs))], 0.0
    asked = Forecaster(network, parameters, engine)
    mean = network.loss is not None and network.loss.samples == "mean"
    for part in taken.parts():
        X, Y, weights = part.arrays()
        plain = weights is None or not weighted
        made = asked.forecast(X, Y) if plain else forecast(network, parameters, X, Y, weights)
        outputs.append(made.outputs)
        total += (made.loss or 0.0) * (len(X) / len(taken) if mean else 1.0)
    return Forecast(np.concatenate(outputs), total if network.loss is not None and len(taken) else None)


class StreamedEngine:
    """Starts `StreamedSession`s, which leave the steps to another engine."""

    def __init__(self, engine: Engine, plan: Plan) -> None:
        self.name, self._engine, self._plan = engine.name, engine, plan

    def start(
        self,
        network: Network,
        recipe: Recipe,
        training: Training,
        X: Any,
        Y: Any,
        seed: int,
        threads: int | None = None,
        weights: Array | None = None,
    ) -> StreamedSession:
        """Takes X of stored rows, which have their targets and weights with them.

        Raises SpecificationError for an engine that keeps a copy of its data.
        """
        if self.name == "jax":
            raise SpecificationError(
                "the engine 'jax' holds the whole table; take engine='native' for one that does not fit"
            )
        return StreamedSession(self._engine, network, recipe, training, X.stored, self._plan)
