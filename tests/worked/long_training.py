"""`python -m tests.worked.long_training`: do the steps of a training of 30,000 steps to a loss of 1e-12 open?

A network 30-64-64-3 learns a table until nothing is left of its loss, natively, in both precisions. Every Nth step
and each of the last ones is opened as a stranger would: `explain(fit, step=...)`, which derives and verifies it whole.
"""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np

import handgrad as hg
from handgrad.errors import HandgradError

ROWS, BATCH, EPOCHS = 1824, 32, 527
DTYPES = ("float64", "float32")
WANTED = 1e-12


def trained(dtype: str, epochs: int) -> tuple[hg.Fit, tuple[np.ndarray, np.ndarray]]:
    """The fit, and the samples that it saw."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(ROWS, 30))
    Y = (X @ rng.normal(size=(30, 3))).argmax(axis=1)
    layers = [hg.Dense(64, "tanh"), hg.Dense(64, "relu"), hg.Dense(3, "softmax")]
    network = hg.Network(30, layers, "cross_entropy")
    # with the usual beta2 and epsilon the steps become too small for the last of the loss
    optimizer = hg.Adam(0.003, beta2=0.99, epsilon=1e-12)
    fit = hg.fit(network, X, Y, optimizer=optimizer, epochs=epochs, batch_size=BATCH, seed=1, dtype=dtype)
    return fit, (X, Y)


def opened(dtype: str, every: int, last: int, epochs: int) -> bool:
    """Opens the steps and says how it went; True where all of them opened and in float64 the loss came to 1e-12."""
    began = time.perf_counter()
    fit, data = trained(dtype, epochs)
    losses = [line.loss for line in fit.history]
    print(
        f"{dtype}: {fit.steps:,} steps in {time.perf_counter() - began:.0f} s, loss {losses[0]:.2g} at first, "
        f"{losses[-1]:.2g} at last, engine {fit.engine}",
        flush=True,
    )
    steps = sorted({*range(1, fit.steps + 1, every), *range(max(1, fit.steps - last + 1), fit.steps + 1)})
    refused, least = 0, np.inf
    for step in steps:
        try:
            record = hg.explain(fit, step=step, data=data).record
        except HandgradError as error:
            refused += 1
            print(f"step {step}: {error}", flush=True)
        else:
            least = min(least, float(record.steps[0].quantities["loss"]))
    seconds = time.perf_counter() - began
    print(
        f"{dtype}: {len(steps):,} steps asked for, {refused} refused; the smallest loss of a batch that was opened is "
        f"{least:.2g}; {seconds:.0f} s",
        flush=True,
    )
    return refused == 0 and (dtype == "float32" or losses[-1] <= WANTED)


def main(arguments: list[str] | None = None) -> int:
    """Exit status 1 where a step did not open."""
    parser = argparse.ArgumentParser(prog="python -m tests.worked.long_training", description=__doc__)
    parser.add_argument("--every", type=int, default=60, help="open every Nth step; 1 opens them all")
    parser.add_argument("--last", type=int, default=100, help="and each of so many at the end")
    parser.add_argument("--epochs", type=int, default=EPOCHS, help="of 57 steps")
    parser.add_argument("--dtypes", nargs="+", choices=DTYPES, default=DTYPES)
    asked = parser.parse_args(arguments)
    good = [opened(dtype, asked.every, asked.last, asked.epochs) for dtype in asked.dtypes]
    return int(not all(good))


if __name__ == "__main__":
    sys.exit(main())
