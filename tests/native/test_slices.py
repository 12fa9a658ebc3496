"""What a training adds up does not depend on how many threads add: the same bits on 1 and on 8."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import handgrad as hg
from handgrad.engines import native
from handgrad.engines.native import NativeEngine, NativeSession
from handgrad.nn.network import Dense, Network
from handgrad.nn.optimizers import Adadelta, Adagrad, Lion, NAdam, Nesterov, Optimizer, RMSprop, initial_state
from handgrad.nn.step import Recipe, Training
from handgrad.training.fit import fit
from handgrad.training.replay import replay

THREADS = (1, 2, 3, 5, 8)
OPTIMIZERS: dict[str, Optimizer] = {
    "sgd": hg.SGD(0.01),
    "momentum": hg.Momentum(0.01),
    "nesterov": Nesterov(0.01),
    "rmsprop": RMSprop(0.001),
    "adam": hg.Adam(0.003),
    "amsgrad": hg.Adam(0.003, amsgrad=True),
    "adagrad": Adagrad(0.01),
    "adadelta": Adadelta(),
    "nadam": NAdam(0.003),
    "lion": Lion(0.001),
}


@pytest.fixture(autouse=True)
def _more_threads_than_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "thread_count", lambda threads, operations=0.0: threads)


@dataclass(frozen=True)
class Way:
    """How a training is taken, beside its threads."""

    path: str = "sliced"
    batch: int = 300
    dtype: str = "float32"
    optimizer: str = "adam"
    dropout: float | None = None
    hidden: str = "relu"
    bias: str = "trained"
    l2: float = 0.0
    norm: float | None = None


ROWS = 750


def session(way: Way, threads: int) -> NativeSession:
    layers = [
        Dense(40, way.hidden, dropout=way.dropout, bias=way.bias),
        Dense(24, "tanh"),
        Dense(3, "softmax"),
    ]
    network = Network(20, layers, "cross_entropy")
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(ROWS, 20)), np.eye(3)[rng.integers(0, 3, ROWS)]
    recipe = Recipe(
        OPTIMIZERS[way.optimizer], hg.Regularization(l2=way.l2, l1=way.l2), hg.Clipping(norm=way.norm)
    )
    parameters = network.initial_parameters(0, way.dtype)
    beginning = Training(parameters, initial_state(recipe.optimizer, parameters))
    return NativeEngine(way.path).start(network, recipe, beginning, X, Y, 3, threads)


def bits(way: Way, threads: int) -> list[bytes]:
    """Losses of two runs, the last batch of each smaller; parameters, the optimizer's memory, and a score."""
    of, taken = session(way, threads), min(ROWS, 2 * way.batch + way.batch // 2 + 1)
    rng, found, steps = np.random.default_rng(1), [], -(-taken // way.batch)
    for run_number in range(2):
        order = rng.permutation(ROWS)[:taken]
        run = of.run(order, way.batch, np.full(steps, 0.003), 1 + run_number * steps)
        assert len(run.losses) == steps and not run.failed
        found.append(run.losses.tobytes())
    training = of.training()
    found += [part.tobytes() for layer in training.parameters for part in layer]
    found += [part.tobytes() for layer in training.state for group in layer for part in group]
    score = of.score(np.arange(0, ROWS, 2))
    return [*found, score.outputs.tobytes(), np.float64(score.loss).tobytes()]


@pytest.mark.parametrize(
    "way",
    [
        *(Way(optimizer=name) for name in OPTIMIZERS),
        *(Way(path=path, batch=batch) for path in ("sliced", "tiled") for batch in (1, 40, 100, 299, 750)),
        *(Way(path, dtype="float64", dropout=0.2, l2=0.01) for path in ("sliced", "tiled")),
        *(Way(path, norm=0.1, l2=0.01, dropout=0.2, bias="shared") for path in ("sliced", "tiled")),
        Way(hidden="gelu", batch=750),
        Way("tiny", batch=16),
    ],
    ids=str,
)
def test_the_same_bits_for_any_number_of_threads(way: Way) -> None:
    alone = bits(way, 1)
    for threads in THREADS[1:]:
        assert bits(way, threads) == alone, threads


def test_the_batch_is_cut_into_more_slices_than_one() -> None:
    """Else the test above would show nothing: the sums of one slice are not those of eight."""
    whole = session(Way(batch=750, optimizer="sgd"), 1)
    whole.run(np.arange(ROWS), 750, np.full(1, 1.0), 1)
    # the same gradient by hand, in float64
    exact = session(Way(batch=750, optimizer="sgd", dtype="float64"), 1)
    exact.run(np.arange(ROWS), 750, np.full(1, 1.0), 1)
    left, right = whole.training().parameters[0].W, exact.training().parameters[0].W
    assert 0 < np.abs(left - right).max() < 1e-6


@pytest.mark.parametrize("batch", [64, 200, 600])
def test_a_training_on_two_threads_is_replayed_on_one(batch: int) -> None:
    """Also from a state before the smaller batch at the end of an epoch, whose size is planned all the same."""
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(ROWS, 20)), rng.integers(0, 3, ROWS)
    network = hg.Network(
        20, [hg.Dense(40, "relu"), hg.Dense(24, "tanh"), hg.Dense(3, "softmax")], "cross_entropy"
    )
    options: dict[str, Any] = {"epochs": 2, "batch_size": batch, "dtype": "float32", "engine": "native"}
    results = [fit(network, X, Y, threads=threads, **options) for threads in (1, 2, 3)]
    for result in results[1:]:
        assert [line[:5] for line in result.history] == [line[:5] for line in results[0].history]
    per_epoch = results[0].steps_per_epoch
    for step in (per_epoch, per_epoch + 1, 2 * per_epoch):
        before = [replay(result, X, Y, step).training.parameters for result in results]
        for parameters in before[1:]:
            for (W, b), (W1, b1) in zip(parameters, before[0], strict=True):
                assert W.tobytes() == W1.tobytes() and b.tobytes() == b1.tobytes()


@pytest.mark.parametrize("rows", [1, 15, 16, 17, 1000, 5000])
@pytest.mark.parametrize("path", ["sliced", "tiled"])
def test_a_score_has_the_same_bits(path: str, rows: int) -> None:
    rng = np.random.default_rng(2)
    chosen = rng.integers(0, ROWS, rows)
    scores = [session(Way(path, batch=300), threads) for threads in THREADS]
    for of in scores:
        of.run(np.arange(300), 300, np.full(1, 0.003), 1)
    found = [of.score(chosen) for of in scores]
    assert len({(score.loss, score.outputs.tobytes()) for score in found}) == 1
