"""Fifty steps of other libraries beside the reference engine's in float64, over every row of the tables of `nn`.

    python -m tests.engines.parity [jax torch strict]     every pair of rows, some minutes (`make parity`)

The distance is the largest over the layers of |p - p_ref| / |p_ref| after fifty steps from the very same
numbers, so that the float32 rows state the whole error of float32 training.
"""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from typing import Any, NamedTuple

import numpy as np

from handgrad.engines.jax import JaxEngine
from handgrad.engines.protocol import Engine
from handgrad.engines.reference import ReferenceEngine
from handgrad.nn.activations import ACTIVATIONS
from handgrad.nn.clipping import Clipping
from handgrad.nn.dropout import Dropout
from handgrad.nn.forward import dropout_masks, forward
from handgrad.nn.losses import LOSSES, Loss
from handgrad.nn.network import Dense, LayerParameters, Network, Parameters
from handgrad.nn.optimizers import OPTIMIZERS, Optimizer, initial_state
from handgrad.nn.regularization import FORMS, Regularization
from handgrad.nn.step import Recipe, Training, training_step
from tests.strategies import LOSS_AND_OUTPUT, targets

STEPS, ROWS, BATCH, SEED = 50, 60, 20, 2**40 + 9
BARS = {"float32": 1e-5, "float64": 1e-11}


class Constraint(NamedTuple):
    """Penalties, clipping and the part of the first hidden layer that is kept."""

    regularization: Regularization = Regularization()
    clipping: Clipping = Clipping()
    keep: float = 1.0


CONSTRAINTS = (
    Constraint(),
    *(Constraint(Regularization(l2=0.02, form=form)) for form in FORMS),
    Constraint(Regularization(l1=0.003), keep=0.8),
    Constraint(Regularization(l2=0.01, l1=0.002), Clipping(norm=0.1)),
    Constraint(clipping=Clipping(value=0.02), keep=0.6),
    Constraint(clipping=Clipping(value=0.05, norm=0.2)),
)


def optimizers() -> list[Optimizer]:
    """Every class of the table, and each with one of its switches thrown."""
    made: list[Optimizer] = []
    for name, rule in OPTIMIZERS.items():
        # below this, float32's rounding of a gradient near 0 decides the sign of the whole step
        options = {"epsilon": 1e-4} if any(field.name == "epsilon" for field in fields(rule)) else {}
        made.append(rule(**options))
        made += [rule(**options, **{field.name: True}) for field in fields(rule) if field.default is False]
        made += [rule(form=form) for form in ("heavy_ball", "average") if name == "momentum"]
    return made


class Row(NamedTuple):
    """One network, recipe and set of constraints."""

    activation: str
    goal: tuple[str, str]
    optimizer: Optimizer
    constraint: Constraint

    def __str__(self) -> str:
        switches = [f.name for f in fields(self.optimizer) if getattr(self.optimizer, f.name) is True]
        form = getattr(self.optimizer, "form", "")
        parts = (self.activation, *self.goal, self.optimizer.name + form, *switches)
        return "-".join((*parts, f"c{CONSTRAINTS.index(self.constraint)}"))

    @property
    def network(self) -> Network:
        """Three kinds of layer, one of them with a bias of another kind."""
        loss, output = self.goal
        bias = "frozen" if self.activation == "softmax" else "shared"
        keep = self.constraint.keep
        hidden = Dense(6, self.activation, dropout=Dropout(keep) if keep < 1 else None)
        return Network(3, [hidden, Dense(4, "tanh", bias=bias), Dense(2, output)], Loss(loss))

    @property
    def recipe(self) -> Recipe:
        return Recipe(self.optimizer, self.constraint.regularization, self.constraint.clipping)


FACTORS: tuple[Sequence[Any], ...] = (tuple(ACTIVATIONS), LOSS_AND_OUTPUT, optimizers(), CONSTRAINTS)


def each_once() -> list[Row]:
    """The fewest rows in which every entry of every table stands."""
    longest = max(map(len, FACTORS))
    return [Row(*(factor[k % len(factor)] for factor in FACTORS)) for k in range(longest)]


def each_pair() -> list[Row]:
    """Rows in which every pair of entries of two tables stands together, chosen greedily."""
    places = list(itertools.combinations(range(len(FACTORS)), 2))
    left = {(i, j, a, b) for i, j in places for a in range(len(FACTORS[i])) for b in range(len(FACTORS[j]))}
    generator, rows = np.random.default_rng(0), []

    def pairs(row: Sequence[int]) -> set[tuple[int, int, int, int]]:
        return {(i, j, row[i], row[j]) for i, j in places} & left

    while left:
        i, j, a, b = min(left)
        tries = generator.integers(0, [len(factor) for factor in FACTORS], (60, len(FACTORS)))
        tries[:, i], tries[:, j] = a, b
        best = max((tuple(map(int, row)) for row in tries), key=lambda row: len(pairs(row)))
        left -= pairs(best)
        rows.append(Row(*(factor[k] for factor, k in zip(FACTORS, best, strict=True))))
    return rows


def data(row: Row) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(11)
    X = generator.normal(size=(ROWS, 3)).astype(np.float32).astype(np.float64)
    outputs = forward(row.network, row.network.initial_parameters(3), X).yhat
    return X, targets(row.goal[0], outputs, generator).astype(np.float32).astype(np.float64)


def batches() -> Iterable[tuple[int, np.ndarray, float]]:
    """Step, rows and learning rate as a part of the optimizer's own."""
    generator = np.random.default_rng(5)
    for t in range(1, STEPS + 1):
        if t % (ROWS // BATCH) == 1:
            order = generator.permutation(ROWS)
        first = (t - 1) % (ROWS // BATCH) * BATCH
        yield t, order[first : first + BATCH], 1 + t / 100


class Trained(NamedTuple):
    parameters: Parameters
    losses: np.ndarray


def by_engine(engine: Engine, row: Row, parameters: Parameters) -> Trained:
    steps = list(batches())
    X, Y = data(row)
    beginning = Training(parameters, initial_state(row.optimizer, parameters))
    session = engine.start(row.network, row.recipe, beginning, X, Y, SEED)
    rates = row.optimizer.learning_rate * np.array([rate for _, _, rate in steps])
    run = session.run(np.concatenate([rows for _, rows, _ in steps]), BATCH, rates, 1)
    assert not run.failed
    return Trained(session.training().parameters, run.losses)


def by_namespace(
    convert: Callable[[np.ndarray], Any], row: Row, parameters: Parameters, most: int = STEPS
) -> Trained:
    """The equations on arrays of another library, step by step; masks come from the host."""
    dtype = parameters[0].W.dtype
    X, Y = (part.astype(dtype) for part in data(row))
    there = tuple(LayerParameters(convert(W), convert(b)) for W, b in parameters)
    training, losses = Training(there, initial_state(row.optimizer, there)), []
    for t, rows, rate in itertools.islice(batches(), most):
        masks = dropout_masks(row.network, SEED, t, BATCH)
        masks = None if masks is None else [None if mask is None else convert(mask) for mask in masks]
        eta = row.optimizer.learning_rate * rate
        training, loss = training_step(
            row.network, row.recipe, training, convert(X[rows]), convert(Y[rows]), t, eta, masks
        )
        losses.append(float(loss))
    assert {part.dtype for layer in training.parameters for part in layer} == {there[0].W.dtype}
    back = tuple(LayerParameters(np.asarray(W), np.asarray(b)) for W, b in training.parameters)
    return Trained(back, np.array(losses))


def torch_array(values: np.ndarray) -> Any:
    import torch

    return torch.from_numpy(np.ascontiguousarray(values))


def strict_array(values: np.ndarray) -> Any:
    import array_api_strict

    return array_api_strict.asarray(values)


RUNNERS: dict[str, Callable[[Row, Parameters], Trained]] = {
    "jax": lambda row, parameters: by_engine(JaxEngine("cpu"), row, parameters),
    "torch": lambda row, parameters: by_namespace(torch_array, row, parameters),
    "strict": lambda row, parameters: by_namespace(strict_array, row, parameters),
}


def distance(left: Parameters, right: Parameters) -> float:
    """Largest over the layers of |p - p_ref| / |p_ref|."""
    worst = 0.0
    for ours, theirs in zip(left, right, strict=True):
        p = np.concatenate([ours.W.ravel(), ours.b]).astype(np.float64)
        q = np.concatenate([theirs.W.ravel(), theirs.b]).astype(np.float64)
        worst = max(worst, float(np.linalg.norm(p - q) / np.linalg.norm(q)))
    return worst


class Judged(NamedTuple):
    moved: float
    """How far fifty steps went; next to nothing would prove nothing."""
    apart: float
    losses: float


def judge(runner: str, row: Row, dtype: str) -> Judged:
    """One row of the table."""
    parameters = row.network.initial_parameters(3, dtype)
    exact = tuple(LayerParameters(W.astype(np.float64), b.astype(np.float64)) for W, b in parameters)
    expected = by_engine(ReferenceEngine(), row, exact)
    trained = RUNNERS[runner](row, parameters)
    return Judged(
        distance(exact, expected.parameters),
        distance(trained.parameters, expected.parameters),
        float(np.max(np.abs(trained.losses - expected.losses) / (1 + np.abs(expected.losses)))),
    )


def uncovered() -> set[str]:
    """Losses without a row; there must be none."""
    return set(LOSSES) - {loss for loss, _ in LOSS_AND_OUTPUT}


def main(runners: Sequence[str]) -> int:
    """Every pair by every runner in both precisions; 1 where a row is beyond its bar."""
    rows, beyond = each_pair(), 0
    print(f"{len(rows)} rows: every pair of {', '.join(str(len(factor)) for factor in FACTORS)} entries")
    for runner, (dtype, bar) in itertools.product(runners or RUNNERS, BARS.items()):
        begun, judged = time.perf_counter(), []
        for row in rows:
            judged.append(judge(runner, row, dtype))
            if max(judged[-1].apart, judged[-1].losses) > bar:
                beyond += 1
                print(f"  beyond the bar: {runner} {dtype} {row}: {judged[-1]}")
        apart = [one.apart for one in judged]
        print(
            f"{runner} {dtype}: parameters apart {max(apart):.1e} at most, {np.median(apart):.1e} in the median; "
            f"losses {max(one.losses for one in judged):.1e}; bar {bar:g}; {time.perf_counter() - begun:.0f} s",
            flush=True,
        )
    return 1 if beyond else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
