"""Microseconds per step of the native core on the workloads of the benchmark; best of several runs.

python tests/native/quick.py [workload ...]
"""

from __future__ import annotations

import sys
import time

import numpy as np

from handgrad.engines.native import NativeEngine
from handgrad.nn.losses import Loss
from handgrad.nn.network import Dense, Network
from handgrad.nn.optimizers import SGD, Adam, Optimizer, initial_state
from handgrad.nn.step import Recipe, Training

# name: sizes, hidden, output, loss, rows, batch, optimizer, target in microseconds a step
WORKLOADS: dict[str, tuple[list[int], str, str, str, int, int, Optimizer, float]] = {
    "tiny-1-sgd": ([2, 2, 1], "sigmoid", "sigmoid", "binary_cross_entropy", 4, 1, SGD(0.1), 0.3),
    "tiny-1-adam": ([2, 2, 1], "sigmoid", "sigmoid", "binary_cross_entropy", 4, 1, Adam(0.01), 0.4),
    "tiny-4-sgd": ([2, 2, 1], "sigmoid", "sigmoid", "binary_cross_entropy", 4, 4, SGD(0.1), 0.4),
    "tiny-4-adam": ([2, 2, 1], "sigmoid", "sigmoid", "binary_cross_entropy", 4, 4, Adam(0.01), 0.6),
    "small": ([4, 32, 16, 4], "tanh", "softmax", "cross_entropy", 10_000, 10_000, Adam(), 775),
    "table": ([30, 100, 1], "relu", "sigmoid", "binary_cross_entropy", 100_000, 200, Adam(), 50),
    "table3": ([28, 128, 64, 1], "relu", "sigmoid", "binary_cross_entropy", 1_000_000, 256, Adam(), 164),
    "images": ([784, 128, 10], "relu", "softmax", "cross_entropy", 60_000, 128, Adam(), 417),
    "deep": ([64, *[256] * 8, 10], "relu", "softmax", "cross_entropy", 20_000, 256, Adam(), 4399),
    "wide": ([1024, 2048, 2048, 10], "relu", "softmax", "cross_entropy", 4_096, 512, Adam(), 93_300),
}


def measure(name: str, threads: int | None) -> tuple[float, str]:
    sizes, hidden, output, loss, rows, batch, optimizer, _ = WORKLOADS[name]
    rng = np.random.default_rng(0)
    layers = [Dense(n, hidden) for n in sizes[1:-1]] + [Dense(sizes[-1], output)]
    network = Network(sizes[0], layers, Loss(loss))
    X = rng.standard_normal((rows, sizes[0]), dtype=np.float32)
    if sizes[-1] == 1:
        Y = (X.sum(axis=1, keepdims=True) > 0).astype(np.float32)
    else:
        Y = np.eye(sizes[-1], dtype=np.float32)[rng.integers(0, sizes[-1], rows)]
    parameters = network.initial_parameters(0, np.float32)
    beginning = Training(parameters, initial_state(optimizer, parameters))
    session = NativeEngine().start(network, Recipe(optimizer), beginning, X, Y, 0, threads)
    steps = -(-rows // batch)
    repeat = max(1, 200_000 // steps) if name.startswith("tiny") else 1
    order = np.concatenate([rng.permutation(rows) for _ in range(repeat)])
    rates = np.full(steps * repeat, optimizer.learning_rate)
    least = min(len(rates), 3)
    session.run(order[: least * batch], batch, rates[:least], 1)
    times = []
    begun = time.perf_counter()
    while len(times) < 5 or time.perf_counter() - begun < 1.0:
        start = time.perf_counter()
        done = session.run(order, batch, rates, 1)
        times.append((time.perf_counter() - start) / len(done.losses) * 1e6)
        if time.perf_counter() - begun > 4:
            break
    return min(times), f"{session.path} {session.threads} median {np.median(times):.4g}"


if __name__ == "__main__":
    for name in sys.argv[1:] or WORKLOADS:
        target = WORKLOADS[name][-1]
        for threads in (1, 2):
            best, how = measure(name, threads)
            ratio = target / best
            print(f"{name:12} {threads} threads {best:12.4g} us/step   {ratio:6.2f}x target   {how}")
