"""The plan of docs/scale.md: what a step costs on many hosts, simulated, and checked against two processes here.

python -m benchmarks.scale            the tables for 1 to 1,000 hosts
python -m benchmarks.scale --check    measures one and two processes on the loopback and predicts the second
"""

from __future__ import annotations

import itertools
import json
import socket
import subprocess
import sys
import time
from statistics import median
from typing import Any, NamedTuple

import numpy as np

Sizes = tuple[int, ...]
CASES: tuple[tuple[Sizes, int], ...] = (
    ((64, 64, 64, 4), 128),
    ((64, 512, 512, 4), 128),
    ((64, 1024, 1024, 4), 256),
)
MESSAGES = (256, 65_536, 1_048_576, 4_194_304)
HOSTS = (1, 2, 8, 64, 256, 1000)


class Machine(NamedTuple):
    """What the simulation has to know; rates are of one host."""

    operations: float
    """Multiplications and additions a second in the products of a step."""
    bandwidth: float
    """Bytes a second on the way to a neighbour."""
    latency: float
    """Seconds from a neighbour to the next, however short the message."""
    call: float = 0.0
    """Seconds that a step takes beside its products."""
    overlaps: bool = True
    """True where a layer's gradient travels while those before it are computed."""


GPU_HOST = Machine(operations=8 * 400e12, bandwidth=50e9, latency=10e-6, call=100e-6)
"""An assumption, not a measurement: eight GPUs at half of their rated speed, one link of 400 Gbit/s."""


def travel(size: float, hosts: int, machine: Machine) -> float:
    """Seconds of a ring's all-reduce: each host passes on 2 (H - 1) pieces of size / H, one after the other."""
    seconds = 0.0
    for _ in range(2 * (hosts - 1)):
        seconds += machine.latency + size / hosts / machine.bandwidth
    return seconds


def step(sizes: Sizes, batch: int, hosts: int, machine: Machine, width: int = 4) -> float:
    """Seconds of a data-parallel step: forward, then backward from the last layer, each gradient sent when ready."""
    pairs = list(itertools.pairwise(sizes))
    rows = batch / hosts
    now = machine.call + sum(2 * rows * n * m for n, m in pairs) / machine.operations
    arrived, moved = now, 0.0
    for l, (n, m) in reversed(list(enumerate(pairs))):
        now += (2 if l else 1) * 2 * rows * n * m / machine.operations
        moving = travel(width * (n + 1) * m, hosts, machine)
        arrived, moved = max(arrived, now) + moving, moved + moving
    return max(now, arrived) if machine.overlaps else now + moved


def efficiency(sizes: Sizes, batch_of_host: int, hosts: int, machine: Machine, width: int = 4) -> float:
    """The part of the hosts' arithmetic that is used where each has `batch_of_host` rows."""
    alone = step(sizes, batch_of_host, 1, machine, width)
    return alone / step(sizes, batch_of_host * hosts, hosts, machine, width)


def least_batch(machine: Machine, width: int = 4) -> float:
    """Rows of a host from which its arithmetic takes longer than its gradients travel: a wide layer, many hosts.

    Backward is 4 b n^2 operations, the ring 2 width n^2 bytes; so b = width operations / (2 bandwidth), for every n.
    """
    return width * machine.operations / (2 * machine.bandwidth)


# -- measured small cases


def serve(process: int, processes: int, port: str) -> None:
    """One process of the measurement; the first one prints."""
    from handgrad.engines import cluster
    from handgrad.engines import jax as engine
    from handgrad.nn.losses import Loss
    from handgrad.nn.network import Dense, Network
    from handgrad.nn.optimizers import SGD, initial_state
    from handgrad.nn.step import Recipe, Training

    address = f"127.0.0.1:{port}"
    engine.join(cluster.described(address, processes, process) if processes > 1 else cluster.ALONE)
    told: dict[str, Any] = {"messages": _messages(processes), "steps": {}}
    recipe = Recipe(SGD(0.01))
    for sizes, batch in CASES:
        network = Network(
            sizes[0],
            [*(Dense(n, "tanh") for n in sizes[1:-1]), Dense(sizes[-1], "softmax")],
            Loss("cross_entropy"),
        )
        parameters = network.initial_parameters(0, "float32")
        X = np.random.default_rng(0).normal(size=(4 * batch, sizes[0])).astype(np.float32)
        Y = np.eye(4, dtype=np.float32)[X[:, :4].argmax(axis=1)]
        beginning = Training(parameters, initial_state(recipe.optimizer, parameters))
        session = engine.JaxEngine("cpu").start(network, recipe, beginning, X, Y, 0)
        taken = []
        for _ in range(12):
            begun = time.perf_counter()
            session.run(np.arange(4 * batch), batch, np.full(4, 0.01), 1)
            taken.append((time.perf_counter() - begun) / 4)
        told["steps"][f"{sizes[1]} {batch}"] = median(sorted(taken[1:])[:6])
    if process == 0:
        print(json.dumps(told))


def _messages(processes: int) -> dict[str, float]:
    """Seconds of an all-reduce, by its bytes."""
    if processes == 1:
        return {}
    import jax
    from jax.sharding import Mesh, NamedSharding, PartitionSpec

    mesh, told = Mesh(np.array(jax.devices()), ("devices",)), {}
    for size in MESSAGES:
        part = np.ones((1, size), np.float32)
        values = jax.make_array_from_callback(
            (processes, size), NamedSharding(mesh, PartitionSpec("devices", None)), lambda _, part=part: part
        )
        add = jax.jit(lambda values: values.sum(0), out_shardings=NamedSharding(mesh, PartitionSpec()))
        taken = []
        for _ in range(12):
            begun = time.perf_counter()
            add(values).block_until_ready()
            taken.append(time.perf_counter() - begun)
        told[str(4 * size)] = median(sorted(taken[1:])[:6])
    return told


def measured(processes: int) -> dict[str, Any]:
    """What so many processes on the loopback take."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    command = [sys.executable, "-m", "benchmarks.scale", "--serve"]
    started = [
        subprocess.Popen([*command, str(k), str(processes), port], stdout=subprocess.PIPE, text=True)
        for k in range(processes)
    ]
    outputs = [process.communicate()[0] for process in started]
    told: dict[str, Any] = json.loads(outputs[0].splitlines()[-1])
    return told


def check() -> None:
    """Latency and bandwidth from the all-reduces alone, arithmetic from one process alone: the steps of two follow."""
    one, two = measured(1), measured(2)
    sizes = np.array([float(size) for size in two["messages"]])
    seconds = np.array(list(two["messages"].values()))
    # seconds = 2 latency + size / bandwidth between two processes, by least squares of the relative error
    slope, offset = np.polyfit(sizes, seconds, 1, w=1 / seconds)
    link = Machine(1.0, 1 / slope, max(offset, 0.0) / 2, overlaps=False)
    print(f"all-reduce of two processes: {1e6 * link.latency:.0f} us, {link.bandwidth / 1e9:.2f} GB/s")
    for widths, batch in CASES:
        # XLA's collectives on processors send weights, biases and the loss apart, and wait for each
        messages = [4 * size for n, m in itertools.pairwise(widths) for size in (n * m, m)] + [4]
        moved = sum(travel(size, 2, link) for size in messages)
        # two processes of one host share its processors: the arithmetic of the whole batch, not of half
        alone = one["steps"][f"{widths[1]} {batch}"]
        predicted, taken = alone + moved, two["steps"][f"{widths[1]} {batch}"]
        name = "-".join(map(str, widths))
        print(f"{name}, batch {batch}: one process {1e3 * alone:.2f} ms, two {1e3 * taken:.2f} ms,", end=" ")
        print(f"simulated {1e3 * predicted:.2f} ms ({predicted / taken:.2f} of it)")


def tables() -> None:
    """What docs/scale.md shows."""
    print(f"least rows of a host: {least_batch(GPU_HOST):,.0f} in float32")
    print("| hidden width | rows a host | " + " | ".join(f"{hosts:,} hosts" for hosts in HOSTS) + " |")
    for width in (256, 2048, 16_384):
        for rows in (1024, 16_384, 131_072):
            used = [efficiency((1024, *(width,) * 4, 10), rows, hosts, GPU_HOST) for hosts in HOSTS]
            print(f"| {width:,} | {rows:,} | " + " | ".join(f"{100 * part:.0f} %" for part in used) + " |")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
    elif sys.argv[1:2] == ["--check"]:
        check()
    else:
        tables()
