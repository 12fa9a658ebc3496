"""handgrad.sklearn beside scikit-learn, through the interface of both: held-out scores, and the time of `fit`.

    python -m benchmarks.estimators scores      # five data sets, ten seeds, the same parameters and seeds
    python -m benchmarks.estimators times       # table, images and deep, side by side in one run

The times are those of whole calls of `fit` on float32 samples, the median of five rounds that take turns, after
one that does not count; scikit-learn's products run on one thread and on two, and the better median counts.
Variables that change which kernels OpenBLAS takes are cleared: everything runs again in a process without them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from time import perf_counter
from typing import Any

import numpy as np
from sklearn import datasets, neural_network
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_info, threadpool_limits

from handgrad import sklearn as ours

LOADERS: tuple[Callable[..., Any], ...] = (
    datasets.load_breast_cancer,
    datasets.load_wine,
    datasets.load_iris,
    datasets.load_digits,
    datasets.load_diabetes,
)
WORKLOADS = {  # rows, inputs, classes, hidden widths, batch, epochs
    "table": (100_000, 30, 2, (100,), 200, 4),
    "images": (60_000, 784, 10, (128,), 128, 2),
    "deep": (25_600, 64, 10, (256,) * 8, 256, 2),
}
ROUNDS = 5
STEERING = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "OPENBLAS_VERBOSE", "MKL_ENABLE_INSTRUCTIONS")
"""Variables that decide which kernels a library of products takes."""


def scores() -> None:
    """Mean score of either on held-out rows, their mean difference and its standard error."""
    for load in LOADERS:
        X, y = load(return_X_y=True)
        name = "MLPRegressor" if load is datasets.load_diabetes else "MLPClassifier"
        pairs = np.array([_pair(name, X, y, seed) for seed in range(10)])
        difference = pairs[:, 0] - pairs[:, 1]
        error = difference.std(ddof=1) / np.sqrt(len(pairs))
        mine, theirs = pairs.mean(axis=0)
        print(
            f"{load.__name__.removeprefix('load_'):14} handgrad {mine:.4f}  scikit-learn {theirs:.4f}  "
            f"difference {difference.mean():+.4f} +- {error:.4f}",
            flush=True,
        )


def _pair(name: str, X: Any, y: Any, seed: int) -> tuple[float, float]:
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=seed)
    scaler = StandardScaler().fit(X_train)
    found = [
        getattr(library, name)((64, 32) if name == "MLPClassifier" else "squared_error", random_state=seed)
        .set_params(hidden_layer_sizes=(64, 32))
        .fit(scaler.transform(X_train), y_train)
        .score(scaler.transform(X_test), y_test)
        for library in (ours, neural_network)
    ]
    return found[0], found[1]


def _contestants() -> Iterator[tuple[str, Any, Callable[[], Any]]]:
    """A name, the module, and what limits its threads: handgrad chooses its own."""
    yield "handgrad", ours, nullcontext
    for threads in range(1, (os.cpu_count() or 1) + 1)[:2]:
        yield f"scikit-learn ({threads})", neural_network, lambda threads=threads: threadpool_limits(threads)


def times() -> None:
    """Seconds of `fit` of either, and their ratio."""
    kernels = {pool.get("architecture") for pool in threadpool_info() if pool["user_api"] == "blas"}
    print(f"load {os.getloadavg()[0]:.2f}, kernels of OpenBLAS: {', '.join(map(str, kernels))}", flush=True)
    generator = np.random.default_rng(0)
    for name, (rows, inputs, classes, hidden, batch, epochs) in WORKLOADS.items():
        X = generator.normal(size=(rows, inputs)).astype(np.float32)
        y = generator.integers(0, classes, rows)
        options = {"batch_size": batch, "max_iter": epochs, "random_state": 0, "n_iter_no_change": 10**6}
        seconds: dict[str, list[float]] = {}
        for _ in range(ROUNDS + 1):
            for contestant, module, limited in _contestants():
                with limited():
                    began = perf_counter()
                    module.MLPClassifier(hidden, **options).fit(X, y)
                    seconds.setdefault(contestant, []).append(perf_counter() - began)
        medians = {contestant: float(np.median(taken[1:])) for contestant, taken in seconds.items()}
        ratio = (
            min(taken for contestant, taken in medians.items() if contestant != "handgrad")
            / medians["handgrad"]
        )
        shown = ", ".join(f"{contestant} {median:.3f} s" for contestant, median in medians.items())
        print(f"{name:8} {shown}, ratio {ratio:.1f}", flush=True)


def _unsteered() -> None:
    """Begins anew without the variables of `STEERING`: libraries read them when they are loaded."""
    if any(name in os.environ for name in STEERING):
        environment = {name: value for name, value in os.environ.items() if name not in STEERING}
        again = [sys.executable, "-m", "benchmarks.estimators", *sys.argv[1:]]
        sys.exit(subprocess.run(again, env=environment, check=False).returncode)


if __name__ == "__main__":
    _unsteered()
    warnings.simplefilter("ignore")
    {"scores": scores, "times": times}[sys.argv[1] if len(sys.argv) > 1 else "times"]()
