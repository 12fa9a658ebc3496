"""A training spread over several devices: each has its part of every batch, and of the wide layers its units.

The devices stand in one row, across all processes. XLA puts the communication in: gradients of a layer that every
device holds are added up over the row (data parallel); of a layer that is split, the activations are gathered
instead. Which costs less, and when: docs/scale.md.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from handgrad.errors import DataError, HandgradError, SpecificationError, TrainingError
from handgrad.nn.arrays import Array
from handgrad.nn.network import LayerParameters, Network
from handgrad.nn.optimizers import Optimizer
from handgrad.nn.step import Training

WIDE = 4096
"""Units from which a layer is split over the devices, where they share them evenly; an estimate."""

AXIS = "devices"


class Mesh:
    """The devices of a training, in one row; `jax` is the loaded library."""

    def __init__(self, jax: Any, devices: list[Any]) -> None:
        self._jax = jax
        self.size = len(devices)
        self._mesh = jax.sharding.Mesh(np.array(devices), (AXIS,))

    @property
    def several_processes(self) -> bool:
        """True where other processes hold some of the devices."""
        return len({device.process_index for device in self._mesh.devices.flat}) > 1

    @contextmanager
    def company(self) -> Iterator[None]:
        """Around what every process takes part in. Raises TrainingError where another one was lost.

        JAX raises its own error where the steps wait for it, and a ValueError where a question does.
        """
        try:
            yield
        except (self._jax.errors.JaxRuntimeError, ValueError) as error:
            if isinstance(error, HandgradError) or not self.several_processes:
                raise
            raise TrainingError(
                "another process of this training was lost, so this one ends too; start all of them again"
            ) from error

    def sharding(self, *axes: str | None) -> Any:
        """How an array lies on the devices: AXIS for an axis that is divided, None for one that is not."""
        return self._jax.sharding.NamedSharding(self._mesh, self._jax.sharding.PartitionSpec(*axes))

    def layout(self, network: Network, optimizer: Optimizer) -> Training:
        """The sharding of every array of a training: a wide layer by its units, the rest whole on each device."""
        parameters, state, slots = [], [], len(optimizer.slots)
        for layer in network.layers:
            axis = AXIS if layer.units >= WIDE and layer.units % self.size == 0 else None
            W, b = self.sharding(axis, None), self.sharding(axis)
            parameters.append(LayerParameters(W, b))
            state.append(((W,) * slots, (b,) * slots))
        return Training(tuple(parameters), tuple(state))

    def put(self, training: Training, layout: Training) -> Training:
        """The arrays of a training on the devices; each process has them whole and hands over its part."""

        def spread(values: Any, sharding: Any) -> Any:
            values = np.asarray(values)
            return self._jax.make_array_from_callback(values.shape, sharding, lambda part: values[part])

        placed: Training = self._jax.tree.map(spread, training, layout)
        return placed

    def gather(self, training: Training) -> Training:
        """The arrays of a training, whole, in NumPy; every process takes part."""
        with self.company():
            whole = self._jax.jit(lambda arrays: arrays, out_shardings=self.sharding())(training)
            gathered: Training = self._jax.tree.map(np.asarray, whole)
        return gathered

    def batches(self, values: Array, rows: Array) -> Any:
        """values[rows], shape (steps, B, columns): each device gets its part of every batch and nothing else.

        A batch that the devices cannot share evenly is computed by each of them.
        """
        axis = AXIS if rows.shape[1] % self.size == 0 else None
        return self._jax.make_array_from_callback(
            (*rows.shape, values.shape[1]),
            self.sharding(None, axis, None),
            lambda part: values[rows[part[:2]]],
        )

    def check_alike(self, *arrays: Array) -> None:
        """Raises DataError where another process holds other arrays; every process takes part."""
        if not self.several_processes:
            return
        from jax.experimental.multihost_utils import process_allgather

        mine = np.array([zlib.crc32(array.tobytes()) for array in arrays], np.uint32)
        with self.company():
            everybodys = process_allgather(mine).reshape(-1, len(arrays))
        if np.unique(everybodys, axis=0).shape[0] > 1:
            raise DataError(
                "the processes of this training do not hold the same data, seed or initial parameters; give all of "
                "them the same table and the same flags"
            )

    def agree(self, asked: bool) -> bool:
        """True where any process was asked to stop; every process takes part."""
        if not self.several_processes:
            return asked
        from jax.experimental.multihost_utils import process_allgather

        with self.company():
            return bool(np.any(process_allgather(np.array(asked))))


def chosen(jax: Any, kind: str | None, count: int | None) -> list[Any]:
    """The first `count` devices of a kind over all processes; None takes them all.

    Raises SpecificationError where there are fewer.
    """
    there = jax.devices(kind)
    if count is not None and not 1 <= count <= len(there):
        raise SpecificationError(f"JAX sees {len(there)} devices ({there[0].platform}), got {count}")
    return list(there[:count])
