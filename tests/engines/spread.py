"""Two hundred steps over the devices and processes that it finds, told as JSON: `python -m tests.engines.spread`.

PROCESS PROCESSES PORT DTYPE        one process where PROCESSES is 1
"""

from __future__ import annotations

import json
import sys

import numpy as np

from handgrad.engines import cluster, mesh
from handgrad.engines import jax as engine
from handgrad.engines.protocol import Engine
from handgrad.nn.clipping import Clipping
from handgrad.nn.losses import Loss
from handgrad.nn.network import Dense, Network
from handgrad.nn.optimizers import Adam, initial_state
from handgrad.nn.regularization import Regularization
from handgrad.nn.step import Recipe, Training

STEPS, ROWS, BATCH = (
    200,
    117,
    32,
)  # the last batch of an epoch has 21 rows, which two devices do not share evenly
WIDE = 16

NETWORK = Network(
    5,
    [Dense(WIDE, "tanh", dropout=0.2), Dense(6, "relu"), Dense(4, "softmax")],
    Loss("cross_entropy"),
)
RECIPE = Recipe(Adam(0.01), Regularization(l2=0.001), Clipping(norm=1.0))


def losses(runner: Engine, dtype: str = "float64") -> tuple[list[float], list[float]]:
    """Losses of all steps, and the first weights of each layer after them."""
    generator = np.random.default_rng(0)
    X = generator.normal(size=(ROWS, 5))
    Y = np.eye(4)[X[:, :4].argmax(axis=1)]
    parameters = NETWORK.initial_parameters(3, dtype)
    beginning = Training(parameters, initial_state(RECIPE.optimizer, parameters))
    session = runner.start(NETWORK, RECIPE, beginning, X.astype(dtype), Y.astype(dtype), seed=7)
    orders, told = np.random.default_rng(1), []
    while len(told) < STEPS:
        run = session.run(orders.permutation(ROWS), BATCH, np.full(4, 0.01), 1 + len(told), lambda: False)
        told += run.losses.tolist()
    ends = session.training().parameters
    return told, [float(value) for W, _ in ends for value in W[0]] + session.predict(X[:2]).ravel().tolist()


def main(process: int, processes: int, port: str, dtype: str) -> None:
    mesh.WIDE = WIDE
    engine.join(
        cluster.described(f"127.0.0.1:{port}", processes, process) if processes > 1 else cluster.ALONE
    )
    import jax

    told, ends = losses(engine.JaxEngine("cpu", len(jax.devices())), dtype)
    print(json.dumps({"devices": len(jax.devices()), "losses": told, "ends": ends}))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4])
