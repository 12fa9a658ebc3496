"""The engine on JAX: the very functions of `nn`, compiled by XLA for a processor, GPU or TPU.

A run of steps is one call: a loop on the device over the batches, with data and parameters resident there. The
host hands in what is cheap to say and must be exact: the order of the rows, the learning rates, the optimizer's
corrections and the keys of the dropout masks.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import time
from contextlib import nullcontext
from functools import cache, lru_cache
from typing import Any, NamedTuple

import numpy as np

from handgrad.engines import cluster
from handgrad.engines.mesh import Mesh, chosen
from handgrad.engines.protocol import Forecast, Run, Stop
from handgrad.engines.reference import forecast
from handgrad.engines.shapes import check_samples
from handgrad.errors import MissingExtraError, ShapeError, SpecificationError
from handgrad.nn.arrays import Array
from handgrad.nn.dropout import Library, round_keys
from handgrad.nn.forward import dropout_masks, predict
from handgrad.nn.network import LayerParameters, Network
from handgrad.nn.step import Recipe, Training, training_step

DEVICES = ("cpu", "gpu", "tpu")

PATIENCE = 0.05
"""Seconds between two questions whether to stop."""

MOST_KEPT = 1 << 30
"""Bytes of parameters and state up to which the state before a call is kept to go back to.

Above, each step chooses between the old and the new state by its loss, in the buffers that it was given: that
costs some 5 % of a step and saves the second copy.
"""

_LEAST_STEPS = 64  # of a compiled loop: shorter runs use the same program
_MOST_ROWS = 1 << 22  # in the order of one call
_MOST_BYTES = 1 << 26  # of the batches that one call is handed
_ROWS_OF_PREDICTION = 8192

# XLA compiles a small loop as one function and a larger one as a list of calls; a step of a tiny network is
# worth it up to a larger size than XLA's own 1024 bytes (docs/decisions.md)
_SMALL_LOOP = "xla_cpu_small_while_loop_byte_threshold=131072"


def available() -> bool:
    """True where JAX is installed.

    >>> from importlib.metadata import packages_distributions
    >>> available() == ("jax" in packages_distributions())
    True
    """
    return importlib.util.find_spec("jax") is not None


def accelerated() -> bool:
    """True where JAX is installed and sees a GPU or a TPU."""
    return available() and _jax().default_backend() != "cpu"


def join(together: cluster.Cluster) -> None:
    """Meets the other processes of a training, before JAX is used for the first time.

    Raises SpecificationError where they do not come, MissingExtraError without JAX.
    """
    if together.processes > 1:
        _jax(together)


@cache
def _loaded() -> list[Any]:
    """JAX once it is loaded: one for the process, whoever asks first."""
    return []


def _jax(together: cluster.Cluster = cluster.ALONE) -> Any:
    if not _loaded():
        _loaded().append(_load(together))
    return _loaded()[0]


def _load(together: cluster.Cluster) -> Any:
    if not available():
        raise MissingExtraError("the engine 'jax'", "jax")
    before = os.environ.get("XLA_FLAGS")
    if "xla_backend_extra_options" not in (before or ""):
        # read once by XLA, when it is loaded; where the process has already loaded it, this says nothing
        os.environ["XLA_FLAGS"] = f"{before or ''} --xla_backend_extra_options={_SMALL_LOOP}".strip()
    try:
        import jax

        if together.processes > 1:
            cluster.join(jax, together)
        jax.devices()
    finally:
        if before is None:
            os.environ.pop("XLA_FLAGS", None)
        else:
            os.environ["XLA_FLAGS"] = before
    return jax


def devices(kind: str | None = None, count: int | None = 1) -> list[Any]:
    """Devices of a kind (cpu, gpu, tpu), by default JAX's own first choice; those of all processes together.

    Raises SpecificationError for a kind or number that is not there, MissingExtraError without JAX.
    """
    if kind is not None and kind not in DEVICES:
        raise SpecificationError(f"device must be one of {', '.join(DEVICES)}, got {kind!r}")
    jax = _jax()
    try:
        return chosen(jax, kind, None if jax.process_count() > 1 else count)
    except RuntimeError:
        there = ", ".join(sorted({found.platform for found in jax.devices()}))
        remedy = "; for NVIDIA GPUs: pip install 'handgrad[jax-cuda]'" if kind == "gpu" else ""
        raise SpecificationError(f"JAX sees no {kind} here, only {there}{remedy}") from None


class Steps(NamedTuple):
    """What the host hands to a compiled run of steps: few arrays, since each costs a tiny network dearly."""

    count: Any
    """How many steps, and the number of the first as a word of the masks' counter, uint32 (2,)."""
    rows: Any
    """The rows of each batch, uint32 (steps, B); the first row alone (steps, 1) where they follow each other."""
    numbers: Any
    """Learning rate and the optimizer's corrections of each step, (steps, 1 + corrections)."""


@lru_cache(maxsize=128)
def _program(
    network: Network, recipe: Recipe, batch: int, source: str, guarded: bool, weighted: bool, layout: Any
) -> Any:
    """The compiled loop over batches of so many rows; its number of steps is an argument.

    `source`: where a batch comes from. 'gathered': its rows from anywhere in X; 'following': rows of X that
    follow each other; 'handed': X holds batch after batch. `guarded`: a step whose loss is not finite, and all
    after it, change nothing; its buffers are given away. `layout`: how the results lie on several devices.
    `weighted`: the last column of Y is the weights of the samples.
    """
    jax = _jax()
    jnp, lax = jax.numpy, jax.lax
    library = Library(jnp, apart=lax.optimization_barrier)

    def run(training: Training, X: Any, Y: Any, keys: Any, steps: Steps) -> Any:
        count, first = steps.count

        def rows_of(k: Any) -> tuple[Any, Any]:
            if source == "handed":
                return X[k], Y[k]
            rows = steps.rows[k]
            if source == "following":
                return tuple(lax.dynamic_slice_in_dim(part, rows[0], batch) for part in (X, Y))
            return X[rows], Y[rows]

        def step(k: Any, carried: Any) -> Any:
            training, going, losses = carried
            x, y = rows_of(k)
            masks = dropout_masks(network, keys, first + k, batch, library)
            rate, *corrections = steps.numbers[k]
            weights = y[:, -1] if weighted else None
            y = y[:, :-1] if weighted else y
            after, loss = training_step(
                network, recipe, training, x, y, tuple(corrections), rate, masks, weights=weights
            )
            if guarded:
                going = going & jnp.isfinite(loss)
                after = jax.tree.map(lambda new, old: jnp.where(going, new, old), after, training)
            return after, going, losses.at[k].set(loss)

        losses = jnp.zeros(steps.numbers.shape[0], X.dtype)
        training, _, losses = lax.fori_loop(jnp.uint32(0), count, step, (training, jnp.array(True), losses))
        return training, losses

    return jax.jit(run, donate_argnums=(0,) if guarded else (), out_shardings=layout)


@lru_cache(maxsize=32)
def _predictor(network: Network) -> Any:
    return _jax().jit(lambda parameters, X: predict(network, parameters, X))


class JaxSession:
    """A training under way on a device of JAX, or on several; see `handgrad.engines.protocol.Session`."""

    def __init__(
        self,
        network: Network,
        recipe: Recipe,
        training: Training,
        X: Array,
        Y: Array,
        seed: int,
        places: list[Any],
        weights: Array | None = None,
    ) -> None:
        jax = _jax()
        dtype = np.asarray(training.parameters[0].W).dtype
        if dtype not in (np.float32, np.float64):
            raise SpecificationError(f"the engine 'jax' computes in float32 or float64, got {dtype}")
        check_samples(network, X, Y)
        self._weighted = weights is not None
        if weights is not None:  # they travel with the targets, as a column behind them
            Y = np.column_stack([Y, weights])
        self._network, self._recipe, self._dtype = network, recipe, dtype
        self._keys = round_keys(seed)
        self._mesh = Mesh(jax, places) if len(places) > 1 else None
        self._layout: Any = None
        with self._precision():
            if self._mesh is not None:
                layout = self._mesh.layout(network, recipe.optimizer)
                self._layout = (layout, self._mesh.sharding())  # the losses are everywhere
                self._X, self._Y = np.asarray(X, dtype), np.asarray(Y, dtype)
                self._mesh.check_alike(self._X, self._Y, self._keys, *jax.tree.leaves(training))
                self._training = self._mesh.put(training, layout)
            else:
                parts = (np.asarray(X, dtype), np.asarray(Y, dtype), training, self._keys)
                self._X, self._Y, self._training, self._keys = jax.block_until_ready(
                    jax.device_put(parts, places[0])
                )
        self._guarded = sum(leaf.nbytes for leaf in jax.tree.leaves(training)) > MOST_KEPT
        self._capacity = _LEAST_STEPS
        # a guess from the arithmetic of a row until a run has been timed
        self._seconds_a_row = 6 * network.parameter_count / 2e9

    def run(
        self, order: Array, batch_size: int, rates: Array, first_step: int, stop: Stop | None = None
    ) -> Run:
        """See `handgrad.engines.protocol.Session.run`; `stop` is asked between calls of some 0.05 s."""
        order = np.asarray(order, np.int64)
        if len(order) and not (order.min() >= 0 and order.max() < len(self._X)):
            raise ShapeError(f"the order names rows outside the data of {len(self._X)} rows")
        B = max(1, min(int(batch_size), len(order)))
        whole = min(len(rates), len(order) // B)
        losses: list[Array] = [np.empty(0)]
        done, total = 0, min(len(rates), -(-len(order) // B))
        while done < total:
            count = min(whole - done, self._at_once(B, stop)) if done < whole else 1
            rows = order[done * B : (done + count) * B].reshape(count, -1)
            losses.append(self._call(rows, rates[done : done + count], first_step + done))
            if not np.isfinite(losses[-1][-1]):
                return Run(np.concatenate(losses), failed=True)
            done += count
            if stop is not None and self._stops(stop):
                break
        return Run(np.concatenate(losses), failed=False)

    def training(self) -> Training:
        """A copy of the parameters and the optimizer's state as they stand."""
        with self._precision():
            if self._mesh is not None:
                return self._mesh.gather(self._training)
            parameters, state = _jax().device_get(self._training)
        return Training(tuple(LayerParameters(*layer) for layer in parameters), state)

    def predict(self, X: Array) -> Array:
        X = np.asarray(X, self._dtype)
        check_samples(self._network, X, None)
        parameters = self._training.parameters if self._mesh is None else self.training().parameters
        parts = [np.empty((0, self._network.outputs), self._dtype)]
        for start in range(0, len(X), _ROWS_OF_PREDICTION):
            part = X[start : start + _ROWS_OF_PREDICTION]
            padded = np.zeros((_power_of_two(len(part)), X.shape[1]), self._dtype)
            padded[: len(part)] = part
            with self._precision():
                outputs = _predictor(self._network)(parameters, padded)
            parts.append(np.asarray(outputs)[: len(part)])
        return np.concatenate(parts)

    def score(self, rows: Array) -> Forecast:
        with self._precision():
            X, Y = np.asarray(self._X[rows]), np.asarray(self._Y[rows])
        n, parameters = self._network.outputs, self.training().parameters
        return forecast(self._network, parameters, X, Y[:, :n], Y[:, n] if self._weighted else None)

    def _precision(self) -> Any:
        """64 bits for a float64 session and no other; the process's own setting stays as it is."""
        return _jax().enable_x64(bool(self._dtype == np.float64))

    def _at_once(self, B: int, stop: Stop | None) -> int:
        """Steps of one call: all that fit, or as many as end before somebody wants to be asked."""
        most = max(_LEAST_STEPS, _MOST_ROWS // B)
        if self._mesh is not None:
            most = max(1, _MOST_BYTES // (B * self._X[:1].nbytes))
        return most if stop is None else max(1, min(most, int(PATIENCE / (self._seconds_a_row * B))))

    def _stops(self, stop: Stop) -> bool:
        """Whether to stop, the same answer in every process; who was not asked is told as by Ctrl-C."""
        asked = stop()
        if self._mesh is None or not self._mesh.several_processes:
            return asked
        agreed = self._mesh.agree(asked)
        if agreed and not asked:
            signal.raise_signal(signal.SIGINT)
        return agreed

    def _call(self, rows: Array, rates: Array, first: int) -> Array:
        """The losses of the steps over `rows` (steps, B); after one that is not finite none was taken."""
        count = len(rows)
        program, X, Y, steps = self._prepared(rows, rates, first)
        begun = time.perf_counter()
        with self._precision():
            before = self._training
            self._training, losses = self._taken(program, before, X, Y, steps, count)
            if self._mesh is None or not self._mesh.several_processes:  # all processes go in equal strides
                self._seconds_a_row = max((time.perf_counter() - begun) / rows.size, 1e-12)
            bad = np.flatnonzero(~np.isfinite(losses))
            if not bad.size:
                return losses
            if not self._guarded:
                steps.count[0] = bad[0]
                self._training, _ = self._taken(program, before, X, Y, steps, 0)
        return losses[: bad[0] + 1]

    def _prepared(self, rows: Array, rates: Array, first: int) -> tuple[Any, Any, Any, Steps]:
        """The program for these batches and its arguments, padded to a number of steps that comes again."""
        count, B = rows.shape
        self._capacity = max(self._capacity, _power_of_two(count))
        roomy = B * self._capacity <= _MOST_ROWS and self._mesh is None
        capacity = self._capacity if roomy else _power_of_two(count)
        source = "handed" if self._mesh is not None else "gathered"
        if self._mesh is None and (rows == rows[:, :1] + np.arange(B)).all():
            source = "following"
        corrections = self._recipe.optimizer.corrections(np.arange(first, first + count))
        numbers = np.zeros((capacity, 1 + len(corrections)), self._dtype)
        for column, values in enumerate((rates, *corrections)):
            numbers[:count, column] = values
        chosen = np.zeros((capacity, 1 if source == "following" else B), np.uint32)
        chosen[:count] = rows[:, :1] if source == "following" else rows
        steps = Steps(np.array([count, first & 0xFFFFFFFF], np.uint32), chosen, numbers)
        flags = self._guarded, self._weighted
        program = _program(self._network, self._recipe, B, source, *flags, self._layout)
        if self._mesh is None:
            return program, self._X, self._Y, steps
        with self._precision():
            X, Y = (self._mesh.batches(part, chosen) for part in (self._X, self._Y))
        return program, X, Y, steps._replace(rows=chosen[:, :0])

    def _taken(
        self, program: Any, before: Training, X: Any, Y: Any, steps: Steps, count: int
    ) -> tuple[Training, Array]:
        """The training after the steps, and their losses. Raises TrainingError where a process was lost."""
        with nullcontext() if self._mesh is None else self._mesh.company():
            after, losses = program(before, X, Y, self._keys, steps)
            return after, np.asarray(losses)[:count].astype(np.float64)


class JaxEngine:
    """Starts `JaxSession`s on the first device of a kind, or on `count` of them; None is JAX's own choice.

    In a training of several processes (`join`) it takes all devices of all of them.
    """

    name = "jax"

    def __init__(self, kind: str | None = None, count: int = 1) -> None:
        self._places = devices(kind, count)

    @property
    def place(self) -> str:
        """Where it computes, in words.

        >>> JaxEngine("cpu").place if available() else "cpu"
        'cpu'
        """
        kind = str(self._places[0].device_kind)
        return kind if len(self._places) == 1 else f"{len(self._places)} x {kind}"

    def start(
        self,
        network: Network,
        recipe: Recipe,
        training: Training,
        X: Array,
        Y: Array,
        seed: int,
        threads: int | None = None,
        weights: Array | None = None,
    ) -> JaxSession:
        """Takes data and a beginning; XLA chooses its threads by the processors of the process.

        Raises SpecificationError for a network without loss or another precision, ShapeError for data that
        does not fit the network.
        """
        if network.loss is None:
            raise SpecificationError("the network has no loss; name one, for instance Loss('squared_error')")
        return JaxSession(network, recipe, training, X, Y, seed, self._places, weights)


def _power_of_two(count: int) -> int:
    return 1 << max(0, count - 1).bit_length()
