"""handgrad.sklearn beside scikit-learn, through the interface of both: held-out scores, and the time of `fit`.

    python -m benchmarks.estimators scores      # five data sets, ten seeds, the same parameters and seeds
    python -m benchmarks.estimators times       # table, images and deep, side by side in one run

The times are those of whole calls of `fit` on float32 samples, the best of three rounds that take turns.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np
from sklearn import datasets, neural_network
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

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
ROUNDS = 3


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


def times() -> None:
    """Seconds of `fit` of either, and their ratio."""
    generator = np.random.default_rng(0)
    for name, (rows, inputs, classes, hidden, batch, epochs) in WORKLOADS.items():
        X = generator.normal(size=(rows, inputs)).astype(np.float32)
        y = generator.integers(0, classes, rows)
        options = {"batch_size": batch, "max_iter": epochs, "random_state": 0, "n_iter_no_change": 10**6}
        best = {"handgrad": np.inf, "scikit-learn": np.inf}
        for _ in range(ROUNDS):
            for library, module in (("handgrad", ours), ("scikit-learn", neural_network)):
                began = perf_counter()
                module.MLPClassifier(hidden, **options).fit(X, y)
                best[library] = min(best[library], perf_counter() - began)
        ratio = best["scikit-learn"] / best["handgrad"]
        shown = ", ".join(f"{library} {seconds:.3f} s" for library, seconds in best.items())
        print(f"{name:8} {shown}, ratio {ratio:.1f}", flush=True)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    {"scores": scores, "times": times}[sys.argv[1] if len(sys.argv) > 1 else "times"]()
