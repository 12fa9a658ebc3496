"""The short benchmark of `handgrad bench`: what a matrix product saves, and what a training step costs here.

The lesson: a layer of 1000 units and 500 inputs needs 1000 x 500 = 500,000 multiplications for a sample,
however it is computed. Written out unit by unit they are done one after another by the interpreter; as one
matrix product they are done by code that works on many numbers at a time.

    z_i = sum_j W_ij x_j + b_i,  i = 1..1000        against        z = W x + b

"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from statistics import median
from typing import Any, NamedTuple

import numpy as np

from handgrad.engines import native
from handgrad.engines.protocol import Engine
from handgrad.engines.reference import ReferenceEngine
from handgrad.errors import SpecificationError, VerificationError
from handgrad.nn.arrays import Array
from handgrad.nn.forward import linear
from handgrad.nn.losses import Loss
from handgrad.nn.network import Dense, LayerParameters, Network
from handgrad.nn.optimizers import Adam, initial_state
from handgrad.nn.step import Recipe, Training

UNITS, INPUTS, BATCH = 1000, 500, 64
CLOSE = 1e-4  # float32 sums of 500 terms in different orders


class LayerTime(NamedTuple):
    """One way to compute the layer: seconds for `samples` samples; speed-up per sample over the loops."""

    method: str
    samples: int
    seconds: float
    multiplications: int
    speedup: float


class StepTime(NamedTuple):
    """Seconds of a training step in one engine, and how much quicker it is than the reference."""

    network: str
    engine: str
    step_seconds: float
    speedup: float


class Benchmark(NamedTuple):
    """All that `handgrad bench` shows; `notes` says what could not be measured."""

    units: int
    inputs: int
    layer: list[LayerTime]
    training: list[StepTime]
    notes: list[str]

    def as_data(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "layer": {
                "units": self.units,
                "inputs": self.inputs,
                "multiplications_per_sample": self.units * self.inputs,
                "methods": [row._asdict() for row in self.layer],
            },
            "training": [row._asdict() for row in self.training],
            "notes": self.notes,
        }


def benchmark(
    units: int = UNITS, inputs: int = INPUTS, seconds: float = 0.3, threads: int | None = None
) -> Benchmark:
    """Computes the layer and takes the training steps; about `seconds` for each line of the result.

    >>> result = benchmark(units=4, inputs=3, seconds=0.001)
    >>> result.layer[0].method, result.layer[0].multiplications
    ('scalar loops', 12)

    Raises SpecificationError for a size below 1 or a time that is not positive, VerificationError where two
    ways to compute the layer disagree.
    """
    if units < 1 or inputs < 1:
        raise SpecificationError(f"a layer needs at least 1 unit and 1 input, got {units} and {inputs}")
    if not seconds > 0:
        raise SpecificationError(f"the time for each measurement must be > 0 seconds, got {seconds}")
    engines: list[Engine] = [ReferenceEngine()]
    notes = []
    if native.available():
        engines.append(native.NativeEngine())
    else:
        notes.append("the compiled core is not part of this installation, so there is no native engine")
    layer = layer_times(engines[1:], units, inputs, seconds, threads)
    training = [row for name in NETWORKS for row in step_times(engines, name, seconds, threads)]
    return Benchmark(units, inputs, layer, training, notes)


def scalar_layer(W: Sequence[Sequence[float]], b: Sequence[float], x: Sequence[float]) -> list[float]:
    """z_i = sum_j W_ij x_j + b_i, one multiplication after another; units x inputs of them.

    >>> scalar_layer([[1.0, 2.0], [3.0, 4.0]], [0.5, 0.0], [10.0, 1.0])
    [12.5, 34.0]
    """
    z = []
    for weights, bias in zip(W, b, strict=True):
        total = bias
        for weight, value in zip(weights, x, strict=True):
            total += weight * value
        z.append(total)
    return z


def layer_times(
    engines: Sequence[Engine], units: int, inputs: int, seconds: float, threads: int | None
) -> list[LayerTime]:
    """The layer by scalar loops, by NumPy's product and by each engine, for one sample and for a batch."""
    generator = np.random.default_rng(0)
    W = generator.standard_normal((units, inputs), dtype=np.float32)
    b = generator.standard_normal(units, dtype=np.float32)
    X = generator.standard_normal((BATCH, inputs), dtype=np.float32)
    weights, biases, x = W.tolist(), b.tolist(), X[0].tolist()
    expected = np.array([scalar_layer(weights, biases, x)])
    ways: list[tuple[str, int, Callable[[], Any]]] = [
        ("scalar loops", 1, lambda: np.array([scalar_layer(weights, biases, x)]))
    ]
    sessions = [(engine.name, _layer_session(engine, W, b, threads)) for engine in engines]
    for samples in (1, BATCH):
        rows = X[:samples]
        ways.append(("NumPy product", samples, partial(linear, rows, W, b)))
        for name, session in sessions:
            ways.append((f"{name} core", samples, partial(session.predict, rows)))
    times: list[LayerTime] = []
    for method, samples, compute in ways:
        _verify(method, compute()[:1], expected)
        taken = _median_seconds(compute, seconds)
        loops = times[0].seconds if times else taken
        times.append(LayerTime(method, samples, taken, samples * units * inputs, loops * samples / taken))
    return times


NETWORKS: dict[str, tuple[tuple[int, ...], str, int, int]] = {
    # name: sizes, hidden activation, batch, steps of a measurement
    "2-2-1, batch 4": ((2, 2, 1), "sigmoid", 4, 500),
    "30-100-1, batch 200": ((30, 100, 1), "relu", 200, 50),
    "784-128-10, batch 128": ((784, 128, 10), "relu", 128, 20),
}


def step_times(engines: Sequence[Engine], name: str, seconds: float, threads: int | None) -> list[StepTime]:
    """A training step (forward, backward, Adam; float32) of one of NETWORKS in each engine."""
    sizes, hidden, batch, steps = NETWORKS[name]
    layers = [Dense(n, hidden) for n in sizes[1:-1]] + [Dense(sizes[-1], "sigmoid")]
    network = Network(sizes[0], layers, Loss("binary_cross_entropy"))
    recipe = Recipe(Adam())
    parameters = network.initial_parameters(0, np.float32)
    generator = np.random.default_rng(0)
    X = generator.standard_normal((batch * steps, sizes[0]), dtype=np.float32)
    Y = generator.integers(0, 2, (batch * steps, sizes[-1])).astype(np.float32)
    order, rates = generator.permutation(batch * steps), np.full(steps, 0.001)
    times: list[StepTime] = []
    for engine in engines:
        training = Training(parameters, initial_state(recipe.optimizer, parameters))
        session = engine.start(network, recipe, training, X, Y, seed=0, threads=threads)

        def block(session: Any = session) -> None:
            session.run(order, batch, rates, first_step=1)

        block()
        taken = _median_seconds(block, seconds) / steps
        reference = times[0].step_seconds if times else taken
        times.append(StepTime(name, engine.name, taken, reference / taken))
    return times


def _layer_session(engine: Engine, W: Array, b: Array, threads: int | None) -> Any:
    """A session whose `predict` is the layer and nothing else."""
    units, inputs = W.shape
    network = Network(inputs, [Dense(units, "identity")], Loss("squared_error"))
    recipe = Recipe()
    parameters = (LayerParameters(W, b),)
    training = Training(parameters, initial_state(recipe.optimizer, parameters))
    X, Y = np.zeros((1, inputs), np.float32), np.zeros((1, units), np.float32)
    return engine.start(network, recipe, training, X, Y, seed=0, threads=threads)


def _median_seconds(compute: Callable[[], Any], budget: float) -> float:
    """Median seconds of one call, repeated until the budget is spent; at least 3 calls."""
    taken: list[float] = []
    while len(taken) < 3 or sum(taken) < budget:
        begun = time.perf_counter()
        compute()
        taken.append(time.perf_counter() - begun)
    return median(taken)


def _verify(method: str, z: Array, expected: Array) -> None:
    scale = float(np.max(np.abs(expected)))
    apart = float(np.max(np.abs(np.asarray(z, np.float64) - expected)))
    if not apart <= CLOSE * scale:
        raise VerificationError(
            f"the layer by {method} differs from the scalar loops by {apart:.3g}, "
            f"allowed is {CLOSE * scale:.3g}"
        )
