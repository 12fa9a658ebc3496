"""What a user waits for beside the steps: predictions beside onnxruntime, validation, and ratios between two of ours.

    python -m benchmarks.ratios [SECONDS]

prints rows as JSON. Each pair is measured in turns in one process, the least of many short runs on each side.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

import handgrad as hg
from handgrad.engines.native import NativeEngine
from handgrad.nn.optimizers import initial_state
from handgrad.nn.step import Recipe, Training

PREDICTED = ((2, 2, 1), (28, 128, 64, 1), (784, 128, 10))
ROWS = (1, 1_000, 10_000, 100_000, 1_000_000)
MOST_BYTES = 1 << 30  # of the rows of one prediction: 1 million rows of 784 would take 3 GB
BATCH, STEPS = 256, 20


class Row(NamedTuple):
    """Two times beside each other, in seconds, and the ratio that is wanted at most; None where there is no peer."""

    what: str
    ours: float
    beside: str
    theirs: float | None
    at_most: float

    @property
    def ratio(self) -> float | None:
        """Ours over theirs."""
        return None if self.theirs is None else self.ours / self.theirs


def in_turns(calls: list[Callable[[], object]], seconds: float) -> list[float]:
    """The least time of each call, all of them in turns for so long, three times at least."""
    least, begun, turns = [float("inf")] * len(calls), perf_counter(), 0
    while turns < 3 or perf_counter() - begun < seconds * len(calls):
        for place, call in enumerate(calls):
            start = perf_counter()
            call()
            least[place] = min(least[place], perf_counter() - start)
        turns += 1
    return least


def network(sizes: tuple[int, ...], hidden: str = "relu", dropout: float | None = None) -> hg.Network:
    """Softmax with cross-entropy for several outputs, else a sigmoid with its own."""
    several = sizes[-1] > 1
    return hg.Network(
        sizes[0],
        [
            *(hg.Dense(units, hidden, dropout=dropout) for units in sizes[1:-1]),
            hg.Dense(sizes[-1], "softmax" if several else "sigmoid"),
        ],
        "cross_entropy" if several else "binary_cross_entropy",
    )


def samples(sizes: tuple[int, ...], rows: int, dtype: str = "float32") -> tuple[Any, Any]:
    """Rows from a normal distribution and classes at random."""
    generator = np.random.default_rng(0)
    X = generator.standard_normal((rows, sizes[0]), np.float32).astype(dtype, copy=False)
    return X, generator.integers(0, max(2, sizes[-1]), rows)


def predictions(seconds: float) -> list[Row]:
    """`Model.predict` of float32 arrays beside onnxruntime, one thread and then all."""
    rows = []
    for sizes in PREDICTED:
        X, y = samples(sizes, 64)
        fit = hg.fit(network(sizes), X, y, epochs=1, dtype="float32")
        model, theirs = hg.Model(fit), _onnxruntime(fit)
        for count in ROWS:
            if count * sizes[0] * 4 > MOST_BYTES:
                continue
            X, _ = samples(sizes, count)
            times = in_turns(_asked(model, theirs, X), seconds)
            what = f"predict {count:,} rows of {'-'.join(map(str, sizes))}"
            rows.append(Row(what, times[0], "onnxruntime", times[1] if len(times) > 1 else None, 1.0))
    return rows


def _asked(model: hg.Model, theirs: Any, X: Any) -> list[Callable[[], object]]:
    """What is called with these rows, ours first."""
    calls: list[Callable[[], object]] = [lambda: model.predict(X)]
    if theirs is not None:
        calls.append(lambda: theirs.run(None, {"X": X}))
    return calls


def _onnxruntime(fit: hg.Fit) -> Any:
    """The same network in onnxruntime; None where that is not installed."""
    try:
        import onnx
        import onnxruntime
    except ImportError:
        return None
    make, last = onnx.helper, len(fit.network.layers)
    nodes, numbers, held = [], [], "X"
    for l, ((W, b), layer) in enumerate(zip(fit.training.parameters, fit.network.layers, strict=True), 1):
        numbers += [onnx.numpy_helper.from_array(part, f"{name}{l}") for name, part in (("W", W), ("b", b))]
        out = "out" if l == last else f"a{l}"
        nodes.append(make.make_node("Gemm", [held, f"W{l}", f"b{l}"], [f"z{l}"], transB=1))
        nodes.append(make.make_node(layer.function.name.capitalize(), [f"z{l}"], [out]))
        held = out
    ends = [
        [make.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["m", width])]
        for name, width in (("X", fit.network.inputs), ("out", fit.network.outputs))
    ]
    graph = make.make_graph(nodes, "network", *ends, numbers)
    made = make.make_model(graph, opset_imports=[make.make_opsetid("", 17)], ir_version=8)
    return onnxruntime.InferenceSession(made.SerializeToString(), providers=["CPUExecutionProvider"])


def steps(sizes: tuple[int, ...], dtype: str = "float32", **layers: Any) -> Callable[[], object]:
    """Some steps of Adam on one thread, ready to be taken again and again."""
    of, optimizer = network(sizes, **layers), hg.Adam(0.001)
    X, y = samples(sizes, BATCH * STEPS, dtype)
    Y = (y[:, None] == np.arange(sizes[-1]) if sizes[-1] > 1 else y[:, None]).astype(dtype)
    parameters = of.initial_parameters(0, dtype)
    beginning = Training(parameters, initial_state(optimizer, parameters))
    session = NativeEngine().start(of, Recipe(optimizer), beginning, X, Y, 0, 1)
    order, rates = np.random.default_rng(1).permutation(len(X)), np.full(STEPS, 0.001)
    return lambda: session.run(order, BATCH, rates, 1)


def ratios(seconds: float) -> list[Row]:
    """Steps beside steps: dropout, one unit over a panel, float64."""
    pairs = [
        ("step with dropout, 28-128-64-1", steps((28, 128, 64, 1), dropout=0.2), "without",
         steps((28, 128, 64, 1)), 1.3),
        *((f"step of 64-{n + 1}-{n + 1}-1", steps((64, n + 1, n + 1, 1)), f"64-{n}-{n}-1", steps((64, n, n, 1)), most)
          for n, most in ((32, 1.15), (64, 1.1), (128, 1.05))),
        *((f"step in float64, {'-'.join(map(str, sizes))}", steps(sizes, "float64"), "float32", steps(sizes), 2.05)
          for sizes in ((28, 128, 64, 1), (784, 128, 10), (64, 256, 256, 10))),
    ]  # fmt: skip
    rows = []
    for what, ours, beside, theirs, most in pairs:
        first, second = in_turns([ours, theirs], seconds)
        rows.append(Row(what, first / STEPS, beside, second / STEPS, most))
    return rows


def whole_trainings(seconds: float) -> list[Row]:
    """`fit`: validation on a fifth of the rows beside none, and a step of short epochs beside its goal."""
    sizes = (28, 128, 64, 1)
    X, y = samples(sizes, 20_000)
    kept, whole = X[:16_000], y[:16_000]

    def fit(X: Any, y: Any, validation: float) -> object:
        return hg.fit(network(sizes), X, y, epochs=3, batch_size=256, dtype="float32", validation=validation)

    with_it, without = in_turns([lambda: fit(X, y, 0.2), lambda: fit(kept, whole, 0.0)], seconds)
    short, classes = samples((2, 2, 1), 100)
    of = network((2, 2, 1), "sigmoid")
    (epochs,) = in_turns(
        [lambda: hg.fit(of, short, classes, epochs=100, batch_size=1, dtype="float32", snapshots=0)], seconds
    )
    return [
        Row("fit with validation on a fifth of the rows, 28-128-64-1", with_it, "without", without, 1.2),
        Row("a step of 2-2-1 in epochs of 100 rows", epochs / 10_000, "goal 120 ns", 120e-9, 1.0),
    ]


def measure(seconds: float) -> list[Row]:
    """All rows."""
    return [*predictions(seconds), *ratios(seconds), *whole_trainings(seconds)]


def table(rows: list[Row]) -> str:
    """The rows as Markdown.

    >>> print(table([Row("a step", 3e-6, "another", 2e-6, 1.3)]).splitlines()[-1])
    | a step | 3 us | another | 2 us | 1.50 | 1.3 | not met |
    """
    lines = [
        "| what | time | beside | its time | ratio | at most | |",
        "| --- | ---: | --- | ---: | ---: | ---: | --- |",
    ]
    for row in rows:
        if row.theirs is None or row.ratio is None:
            lines.append(
                f"| {row.what} | {1e6 * row.ours:.4g} us | {row.beside} | - | - | {row.at_most:g} | not measured |"
            )
            continue
        verdict = "met" if row.ratio <= row.at_most else "not met"
        lines.append(
            f"| {row.what} | {1e6 * row.ours:.4g} us | {row.beside} | {1e6 * row.theirs:.4g} us | {row.ratio:.2f} "
            f"| {row.at_most:g} | {verdict} |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(json.dumps(measure(float(sys.argv[1]) if len(sys.argv) > 1 else 0.5)))
