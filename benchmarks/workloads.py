"""What is timed: seven networks with their data, in plain numbers that any library can be given.

A workload is trained in blocks. Each block begins with the same parameters, takes the same batches in the
same order, and so ends with the same loss, whoever computes it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from benchmarks.images import fashion_mnist

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Workload:
    """A network, its recipe and the size of a block; float32 throughout.

    `output` decides the loss: 'sigmoid' goes with binary cross-entropy, 'softmax' with cross-entropy.
    `tolerance` is the relative difference that final losses may have: float32 sums in another order, and Adam
    amplifies rounding where gradients are near zero.
    """

    name: str
    sizes: tuple[int, ...]
    hidden: str
    output: str
    optimizer: str
    learning_rate: float
    batch: int
    rows: int
    steps: int
    tolerance: float

    @property
    def tiny(self) -> bool:
        """True where calling a library costs more than the arithmetic."""
        return self.name.startswith("tiny")

    @property
    def threads(self) -> tuple[int, ...]:
        """The numbers of threads to try; nobody can split a step of four samples over two."""
        return (1,) if self.tiny else (1, 2)

    @property
    def full_batch(self) -> bool:
        """True where every step takes all rows."""
        return self.batch == self.rows

    @property
    def parameter_count(self) -> int:
        """Weights and biases."""
        return sum(units * (inputs + 1) for inputs, units in zip(self.sizes, self.sizes[1:], strict=False))

    @property
    def products(self) -> tuple[tuple[str, int, int], ...]:
        """The products of a step as (kind, units, inputs); layer 1 needs no gradient of its inputs."""
        pairs = list(zip(self.sizes, self.sizes[1:], strict=False))
        return tuple(
            (kind, units, inputs)
            for l, (inputs, units) in enumerate(pairs)
            for kind in ("forward", "weights", "inputs")
            if l > 0 or kind != "inputs"
        )

    @property
    def operations(self) -> int:
        """Multiplications and additions in the products of a step: 2 m n_l n_(l-1) for each."""
        return sum(2 * self.batch * units * inputs for _, units, inputs in self.products)

    def describe(self) -> str:
        """One line: layers, batch, optimizer, rows.

        >>> WORKLOADS["table"].describe()
        '30-100-1 relu, batch 200, adam, 100,000 rows'
        """
        sizes = "-".join(str(n) for n in self.sizes)
        if len(set(self.sizes[1:-1])) == 1 and len(self.sizes) > 4:
            sizes = f"{self.sizes[0]}-[{self.sizes[1]}]x{len(self.sizes) - 2}-{self.sizes[-1]}"
        batch = "full batch" if self.full_batch else f"batch {self.batch}"
        return f"{sizes} {self.hidden}, {batch}, {self.optimizer}, {self.rows:,} rows"


def _tiny(batch: int, optimizer: str, rate: float) -> Workload:
    name = f"tiny-{batch}-{optimizer}"
    return Workload(name, (2, 2, 1), "sigmoid", "sigmoid", optimizer, rate, batch, 2000 * batch, 2000, 1e-3)


WORKLOADS: dict[str, Workload] = {
    workload.name: workload
    for workload in (
        _tiny(1, "sgd", 0.5),
        _tiny(4, "sgd", 0.5),
        _tiny(1, "adam", 0.01),
        _tiny(4, "adam", 0.01),
        Workload("small", (4, 32, 16, 4), "tanh", "softmax", "adam", 0.01, 10_000, 10_000, 20, 1e-3),
        Workload("table", (30, 100, 1), "relu", "sigmoid", "adam", 0.001, 200, 100_000, 500, 2e-3),
        Workload("table3", (28, 128, 64, 1), "relu", "sigmoid", "adam", 0.001, 256, 1_000_000, 500, 5e-3),
        Workload("images", (784, 128, 10), "relu", "softmax", "adam", 0.001, 128, 60_000, 468, 2e-2),
        Workload("deep", (64, *(256,) * 8, 10), "relu", "softmax", "adam", 0.0003, 256, 25_600, 40, 5e-3),
        Workload("wide", (1024, 2048, 2048, 10), "relu", "softmax", "adam", 0.0001, 512, 10_240, 8, 1e-3),
    )
}


def selected(names: str | None) -> list[Workload]:
    """The workloads of a list such as 'tiny,small'; 'tiny' stands for its four variants, None for all."""
    if names is None:
        return list(WORKLOADS.values())
    chosen: list[Workload] = []
    for name in names.split(","):
        found = [w for w in WORKLOADS.values() if w.name == name or w.name.startswith(f"{name}-")]
        if not found:
            raise ValueError(f"unknown workload {name!r}; choose from tiny, {', '.join(WORKLOADS)}")
        chosen += [w for w in found if w not in chosen]
    return chosen


class Problem(NamedTuple):
    """All that a peer is given: X (rows, n_0) float32, classes (rows,) int64, batches, parameters."""

    workload: Workload
    X: Array
    classes: Array
    order: Array
    """Row numbers, int64, shape (steps, batch)."""
    parameters: list[tuple[Array, Array]]
    """W (units, inputs) and b (units,) of each layer, float32."""

    @property
    def Y(self) -> Array:
        """Targets as the network's outputs, float32, (rows, n_L): 0 or 1, or one 1 in each row."""
        if self.workload.output == "sigmoid":
            return self.classes.astype(np.float32)[:, None]
        Y = np.zeros((len(self.classes), self.workload.sizes[-1]), np.float32)
        Y[np.arange(len(Y)), self.classes] = 1
        return Y


def make(workload: Workload, seed: int = 0) -> tuple[Problem, str]:
    """The data, order and initial parameters of a workload, and in words where the data come from."""
    generator = np.random.default_rng(seed)
    if workload.name == "images":
        images = fashion_mnist()
        X, classes, source = images.train_X[: workload.rows], images.train_y[: workload.rows], images.source
    else:
        X, classes = _learnable(workload, generator)
        source = "synthetic"
    parameters = []
    for inputs, units in zip(workload.sizes, workload.sizes[1:], strict=False):
        deviation = np.sqrt(2 / inputs) if workload.hidden == "relu" else np.sqrt(2 / (inputs + units))
        W = generator.normal(0, deviation, (units, inputs)).astype(np.float32)
        parameters.append((W, np.zeros(units, np.float32)))
    if workload.full_batch:
        order = np.tile(np.arange(workload.rows), (workload.steps, 1))
    else:
        order = generator.permutation(workload.rows)[: workload.steps * workload.batch]
        order = order.reshape(workload.steps, workload.batch)
    return Problem(workload, X, classes.astype(np.int64), order.astype(np.int64), parameters), source


def _learnable(workload: Workload, generator: np.random.Generator) -> tuple[Array, Array]:
    """Inputs from a normal distribution; classes from a random network of 8 units, noise added."""
    inputs, outputs = workload.sizes[0], max(workload.sizes[-1], 2)
    X = generator.standard_normal((workload.rows, inputs), dtype=np.float32)
    hidden = generator.standard_normal((inputs, 8), dtype=np.float32) * np.float32(2 / np.sqrt(inputs))
    readout = generator.standard_normal((8, outputs), dtype=np.float32)
    scores = np.tanh(X @ hidden) @ readout
    scores += generator.gumbel(0, 0.3, scores.shape).astype(np.float32)
    return X, np.argmax(scores, axis=1)


def loss(problem: Problem, parameters: list[tuple[Array, Array]], rows: int | None = None) -> float:
    """The mean loss of the first rows, computed in float64 the same way for every peer."""
    workload = problem.workload
    if rows is None:
        rows = min(workload.rows, max(1000, 200_000_000 // workload.parameter_count), 50_000)
    A = problem.X[:rows].astype(np.float64)
    functions: dict[str, Callable[[Array], Array]] = {
        "relu": lambda z: np.maximum(z, 0),
        "tanh": np.tanh,
        "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    }
    for W, b in parameters[:-1]:
        A = functions[workload.hidden](A @ W.T.astype(np.float64) + b)
    W, b = parameters[-1]
    Z = A @ W.T.astype(np.float64) + b
    if workload.output == "sigmoid":
        y = problem.classes[:rows, None]
        return float(np.mean(np.logaddexp(0, Z) - y * Z))
    largest = Z.max(axis=1)
    log_sum = largest + np.log(np.exp(Z - largest[:, None]).sum(axis=1))
    return float(np.mean(log_sum - Z[np.arange(rows), problem.classes[:rows]]))
